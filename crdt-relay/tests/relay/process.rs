//! The program: its first line, its signals, its exit codes.

use crate::person::Person;
use crate::server::{RelayProcess, stored_text};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;

#[tokio::test]
async fn sigterm_and_sigint_store_everything_and_exit_with_0() {
    for signal in ["TERM", "INT"] {
        let folder = TempDir::new().unwrap();
        let mut relay = RelayProcess::start(folder.path(), &[]).await;
        let mut ann = Person::join(relay.address, 1, "stopped").await;
        ann.insert(0, "before the signal").await;
        ann.until_saved().await;
        relay.signal(signal).await;
        assert_eq!(ann.until_closed().await, Some(4503));
        assert_eq!(relay.ended().await, Some(0));

        let relay = RelayProcess::start(folder.path(), &[]).await;
        assert_eq!(stored_text(relay.address, "stopped").await, "before the signal");
    }
}

#[tokio::test]
async fn a_second_relay_on_the_same_folder_refuses_to_start() {
    let folder = TempDir::new().unwrap();
    let _first = RelayProcess::start(folder.path(), &[]).await;
    let second = RelayProcess::command(folder.path(), &[]).output().await.unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("another relay uses the folder"), "{said}");
}

#[tokio::test]
async fn options_come_from_flags_then_the_environment_then_the_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("relay.toml");
    let absent = folder.path().join("absent");
    std::fs::write(&file, format!("site = {absent:?}\nlisten = '192.0.2.1:1'\ntext-api = 'off'\n")).unwrap();
    // The flag --listen wins over the file; the environment's --text-api too.
    let mut command = RelayProcess::command(&folder.path().join("data"), &[]);
    command.env("CRDT_RELAY_CONFIG", &file).env("CRDT_RELAY_TEXT_API", "on");
    let relay = RelayProcess::spawn(command).await;
    let (head, _) = crate::server::get(relay.address, "/v1/documents/none/text", "").await;
    assert!(head.starts_with("http/1.1 404"), "{head}");

    std::fs::write(&file, "sight = 'typo'\n").unwrap();
    let mut command = RelayProcess::command(&folder.path().join("data2"), &[]);
    let refused = command.env("CRDT_RELAY_CONFIG", &file).output().await.unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("relay.toml") && said.contains("sight"), "{said}");
}

#[tokio::test]
async fn the_log_can_be_json_and_tells_of_start_and_stop() {
    let folder = TempDir::new().unwrap();
    let mut command = RelayProcess::command(folder.path(), &["--log-format", "json"]);
    command.env("CRDT_RELAY_LOG", "info").stderr(Stdio::piped());
    let mut relay = RelayProcess::spawn(command).await;
    relay.signal("TERM").await;
    let mut log = String::new();
    relay.child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
    assert_eq!(relay.ended().await, Some(0));
    assert!(log.lines().count() >= 3, "{log}");
    for line in log.lines() {
        assert!(line.starts_with("{\"timestamp\":") && line.ends_with('}'), "{line}");
    }
    assert!(log.contains("\"signal\":\"SIGTERM\""), "{log}");
}
