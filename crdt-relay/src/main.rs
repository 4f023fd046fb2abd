//! The relay's command line.

use clap::Parser;
use crdt_relay::config::{Cli, Config, LogFormat};
use crdt_relay::server::Server;
use crdt_relay::store::SqliteStore;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let outcome = Cli::parse().resolve().map_err(Into::into).and_then(|config| {
        start_log(&config)?;
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(config))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crdt-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    let signals = Signals::new()?;
    let store = Arc::new(SqliteStore::open(&config.data)?);
    let server = Server::bind(config, store).await?;
    let mut out = io::stdout();
    // Programs that start a relay read this line to learn the port.
    writeln!(out, "listening on http://{}", server.local_addr())?;
    out.flush()?;
    server.run(stop_asked_for(signals)).await?;
    Ok(())
}

/// Resolves when a stop is asked for; when that is done again, the process ends at once, as in a crash.
async fn stop_asked_for(mut signals: Signals) {
    let name = signals.next().await;
    tracing::info!(signal = name, "stopping");
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("asked to stop again: exiting at once");
        std::process::exit(130);
    });
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// Ctrl-C, where there are no signals.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            Err(_) => std::future::pending().await,
        }
    }
}

fn start_log(config: &Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse(&config.log)?)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => log.try_init()?,
        LogFormat::Json => log.json().flatten_event(true).try_init()?,
    }
    Ok(())
}
