//! A relay to test: in this process with any store, or as a process of its own.

use crate::person::PATIENCE;
use crdt_relay::config::Config;
use crdt_relay::server::{Server, ServerError};
use crdt_relay::store::{SqliteStore, Store};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A relay in this process.
pub struct TestRelay {
    pub address: SocketAddr,
    open_documents: watch::Receiver<usize>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), ServerError>>,
}

/// The defaults, on a port that the system chooses.
pub fn config() -> Config {
    Config { listen: (Ipv4Addr::LOCALHOST, 0).into(), ..Config::default() }
}

impl TestRelay {
    pub async fn start(config: Config, store: Arc<dyn Store>) -> Self {
        let server = Server::bind(config, store).await.unwrap();
        let (address, open_documents) = (server.local_addr(), server.open_documents());
        let (stop, stop_asked_for) = oneshot::channel();
        let running = tokio::spawn(server.run(async { drop(stop_asked_for.await) }));
        Self { address, open_documents, stop, running }
    }

    /// A relay with the default options on a folder.
    pub async fn on(folder: &Path) -> Self {
        Self::start(config(), Arc::new(SqliteStore::open(folder).unwrap())).await
    }

    pub async fn until_open_documents(&mut self, count: usize) {
        let reached = self.open_documents.wait_for(|open| *open == count);
        timeout(PATIENCE, reached).await.expect("the number of open documents was not reached").unwrap();
    }

    /// Asks it to stop; what comes back waits for the end.
    pub fn ask_to_stop(self) -> JoinHandle<Result<(), ServerError>> {
        self.stop.send(()).unwrap();
        self.running
    }

    pub async fn stop(self) {
        timeout(PATIENCE, self.ask_to_stop()).await.expect("the relay does not stop").unwrap().unwrap();
    }
}

/// A relay as a process of its own; killed when dropped.
pub struct RelayProcess {
    pub address: SocketAddr,
    pub child: Child,
}

impl RelayProcess {
    pub async fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn(Self::command(folder, arguments)).await
    }

    /// Waits until it listens.
    pub async fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = timeout(PATIENCE, lines.next_line()).await.expect("the relay does not start").unwrap();
        let line = line.expect("the relay has ended");
        let address = line.strip_prefix("listening on http://").expect(&line).parse().unwrap();
        Self { address, child }
    }

    pub fn command(folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crdt-relay"));
        command.env("CRDT_RELAY_LOG", "error");
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder).args(arguments);
        command.kill_on_drop(true);
        command
    }

    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("the relay runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().await.unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; the exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("the relay does not end").unwrap().code()
    }
}

/// The answer to a GET: status line and headers in lower case, and the body.
pub async fn get(address: SocketAddr, path: &str, headers: &str) -> (String, String) {
    let (head, body) = get_bytes(address, path, headers).await;
    (head, String::from_utf8(body).unwrap())
}

/// [`get`] for bodies that are no text.
pub async fn get_bytes(address: SocketAddr, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("no answer").unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

/// The stored text of a document, as the relay tells it.
pub async fn stored_text(address: SocketAddr, document: &str) -> String {
    let (head, body) = get(address, &format!("/v1/documents/{document}/text"), "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    body
}
