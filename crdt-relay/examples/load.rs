//! Measures a running relay: one person types, many watch.
//!
//! ```text
//! cargo run --release -p crdt-relay --example load -- 127.0.0.1:8787 OBSERVERS EDITS_PER_SECOND SECONDS [PID]
//! ```
//!
//! Observers speak the raw protocol and only note when each update arrives, so that the generator costs
//! little beside the relay; two of them, and the typist, are real clients that must hold the same text at
//! the end. With the relay's PID it also tells memory and CPU time (Linux).

use crdt_core::sync::{Client, Frame, Output, Status};
use crdt_core::{Doc, ReplicaId, VersionVector};
use futures_util::{SinkExt as _, StreamExt as _};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

type Failure = Box<dyn Error + Send + Sync>;
type Socket = WebSocketStream<TcpStream>;

/// When each character was typed, in microseconds since the start.
type Typed = Arc<Vec<AtomicU64>>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, observers, rate, seconds, pid @ ..] = &arguments[..] else {
        return Err("usage: load ADDRESS OBSERVERS EDITS_PER_SECOND SECONDS [PID]".into());
    };
    let load = Load {
        address: address.parse()?,
        observers: observers.parse()?,
        rate: rate.parse()?,
        seconds: seconds.parse()?,
        pid: pid.first().map(|pid| pid.parse()).transpose()?,
    };
    // One thread: the other processor is the relay's.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load.run())
}

struct Load {
    address: SocketAddr,
    observers: usize,
    rate: u64,
    seconds: u64,
    pid: Option<u32>,
}

impl Load {
    async fn run(self) -> Result<(), Failure> {
        let name = format!("load-{}", std::process::id());
        let edits = usize::try_from(self.rate * self.seconds)?;
        let started = Instant::now();
        let typed: Typed = Arc::new((0..edits).map(|_| AtomicU64::new(0)).collect());
        let before = self.usage();
        let (ready, mut all_ready) = mpsc::unbounded_channel();
        let (done, latencies) = mpsc::unbounded_channel();
        for _ in 0..self.observers {
            let (socket, ready, typed, done) =
                (connect(self.address).await?, ready.clone(), typed.clone(), done.clone());
            let name = name.clone();
            tokio::spawn(async move {
                let watched = observe(socket, &name, &typed, started, &ready).await;
                let watched = watched.map_err(|error| error.to_string());
                // Errors mean that the measurement was given up.
                if let Err(error) = &watched {
                    let _ = ready.send(Err(error.clone()));
                }
                let _ = done.send(watched);
            });
        }
        drop(done);
        for _ in 0..self.observers {
            all_ready.recv().await.ok_or("an observer was not let in")??;
        }
        let idle = self.usage();
        let (finish, finished) = watch::channel(None);
        let witnesses: Vec<_> = [2, 3]
            .map(|replica| tokio::spawn(witness(self.address, replica, name.clone(), finished.clone())))
            .into();
        let (text, acknowledgements) = self.type_steadily(&name, edits, &typed, started).await?;
        finish.send(Some(text))?;
        for witness in witnesses {
            witness.await??;
        }
        let deliveries = collect(latencies).await?;
        let after = self.usage();

        println!("{{\"observers\":{},\"edits\":{edits},\"edits_per_s\":{}", self.observers, self.rate);
        println!(",\"acknowledged_ms\":{}", percentiles(acknowledgements));
        let expected = edits * self.observers;
        println!(",\"missing_deliveries\":{}", expected - deliveries.len());
        println!(",\"delivered_ms\":{}", percentiles(deliveries));
        if let (Some(before), Some(idle), Some(after)) = (before, idle, after) {
            let per_connection = (idle.rss_kib - before.rss_kib) / self.observers.max(1) as f64;
            println!(
                ",\"idle_kib_a_connection\":{per_connection:.1},\"rss_mib\":{:.1}",
                after.rss_kib / 1024.0
            );
            let cpu_us = (after.cpu_s - idle.cpu_s) * 1e6 / expected.max(1) as f64;
            println!(",\"relay_cpu_us_a_delivery\":{cpu_us:.1}");
        }
        println!("}}");
        Ok(())
    }

    /// Types one character per beat, noting when; the text, and how long each acknowledgement took.
    async fn type_steadily(
        &self,
        name: &str,
        edits: usize,
        typed: &Typed,
        started: Instant,
    ) -> Result<(String, Vec<Duration>), Failure> {
        let mut person = Person::join(self.address, 1, name).await?;
        let mut beat = interval(Duration::from_micros(1_000_000 / self.rate.max(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut acknowledgements = Vec::with_capacity(edits);
        let mut count = 0;
        while acknowledgements.len() < edits {
            tokio::select! {
                _ = beat.tick(), if count < edits => {
                    typed[count].store(micros(started), Ordering::Relaxed);
                    person.doc.insert(count, "x")?;
                    count += 1;
                    let outputs = person.client.local_change(&person.doc);
                    person.perform(outputs).await?;
                }
                message = person.socket.next() => {
                    person.receive(message.ok_or("closed")??).await?;
                    let acknowledged = person.client.acknowledged().get(person.doc.replica());
                    while acknowledgements.len() < usize::try_from(acknowledged)? {
                        let at = typed[acknowledgements.len()].load(Ordering::Relaxed);
                        acknowledgements.push(Duration::from_micros(micros(started) - at));
                    }
                }
            }
        }
        Ok((person.doc.text(), acknowledgements))
    }

    fn usage(&self) -> Option<Usage> {
        let pid = self.pid?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let rss_kib = rss.trim().trim_end_matches(" kB").parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name in parentheses: user and system time are the 12th and 13th, in ticks of 10 ms.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().ok()? + fields[12].parse::<f64>().ok()?;
        Some(Usage { rss_kib, cpu_s: ticks / 100.0 })
    }
}

struct Usage {
    rss_kib: f64,
    cpu_s: f64,
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

async fn connect(address: SocketAddr) -> Result<Socket, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(format!("ws://{address}/v1/sync"), stream).await?.0)
}

/// Opens the document by hand and notes how long each update took; ends with the last one.
async fn observe(
    mut socket: Socket,
    name: &str,
    typed: &Typed,
    started: Instant,
    ready: &mpsc::UnboundedSender<Result<(), String>>,
) -> Result<Vec<Duration>, Failure> {
    let hello = Frame::Hello { min_version: 1, max_version: 1, capabilities: 0 };
    let join = Frame::Join { request: 1, name, epoch: 0, last_log_seq: 0, version: VersionVector::new() };
    for frame in [hello, join] {
        socket.send(Message::binary(frame.encode(0))).await?;
    }
    let edits = typed.len();
    let mut latencies = Vec::with_capacity(edits);
    let mut waiting = true;
    let mut seen = 0;
    while seen < edits {
        let Message::Binary(message) = socket.next().await.ok_or("closed")?? else { continue };
        match Frame::decode(&message)? {
            (_, Frame::Sync { .. }) if waiting => {
                waiting = false;
                ready.send(Ok(()))?;
            }
            (_, Frame::JoinError { code, .. }) => return Err(format!("not let in: {code:?}").into()),
            (_, Frame::Update { from, to, .. }) => {
                let now = micros(started);
                seen = usize::try_from(to)?;
                let typed = &typed[usize::try_from(from)?..seen];
                latencies
                    .extend(typed.iter().map(|at| Duration::from_micros(now - at.load(Ordering::Relaxed))));
            }
            (_, Frame::Ping { nonce }) => {
                socket.send(Message::binary(Frame::Pong { nonce }.encode(0))).await?;
            }
            _ => {}
        }
    }
    Ok(latencies)
}

async fn collect(
    mut watched: mpsc::UnboundedReceiver<Result<Vec<Duration>, String>>,
) -> Result<Vec<Duration>, Failure> {
    let mut all = Vec::new();
    while let Some(latencies) = watched.recv().await {
        all.extend(latencies?);
    }
    Ok(all)
}

fn percentiles(mut durations: Vec<Duration>) -> String {
    durations.sort();
    let at = |percent: usize| {
        let index = (durations.len() * percent / 100).min(durations.len().saturating_sub(1));
        durations.get(index).map_or(0.0, |it| it.as_secs_f64() * 1e3)
    };
    format!("{{\"median\":{:.2},\"p99\":{:.2},\"max\":{:.2}}}", at(50), at(99), at(100))
}

/// A real client that reads along until it holds the text typed.
async fn witness(
    address: SocketAddr,
    replica: u64,
    name: String,
    mut finished: watch::Receiver<Option<String>>,
) -> Result<(), Failure> {
    let mut person = Person::join(address, replica, &name).await?;
    loop {
        tokio::select! {
            message = person.socket.next() => person.receive(message.ok_or("closed")??).await?,
            changed = finished.changed() => changed?,
        }
        let text = finished.borrow().clone();
        if text.is_some_and(|text| text == person.doc.text()) {
            return Ok(());
        }
    }
}

struct Person {
    doc: Doc,
    client: Client,
    socket: Socket,
}

impl Person {
    async fn join(address: SocketAddr, replica: u64, name: &str) -> Result<Self, Failure> {
        let doc = Doc::new(ReplicaId::new(replica));
        let mut person = Self { doc, client: Client::new(name), socket: connect(address).await? };
        let outputs = person.client.connected(&person.doc);
        person.perform(outputs).await?;
        while *person.client.status() != Status::Saved {
            let message = person.socket.next().await.ok_or("closed")??;
            person.receive(message).await?;
        }
        Ok(person)
    }

    async fn receive(&mut self, message: Message) -> Result<(), Failure> {
        let Message::Binary(message) = message else { return Ok(()) };
        let outputs = self.client.receive(&mut self.doc, &message);
        self.perform(outputs).await
    }

    async fn perform(&mut self, outputs: Vec<Output>) -> Result<(), Failure> {
        for output in outputs {
            match output {
                Output::Send(message) => self.socket.send(Message::binary(message)).await?,
                Output::Close { code, .. } => return Err(format!("closed with {}", code.0).into()),
                _ => {}
            }
        }
        Ok(())
    }
}
