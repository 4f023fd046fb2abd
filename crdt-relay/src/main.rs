//! The relay's command line.

use clap::Parser;
use crdt_relay::config::{Cli, Config, LogFormat};
use crdt_relay::server::Server;
use crdt_relay::store::SqliteStore;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{Signal, SignalKind, signal};
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
    let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let store = Arc::new(SqliteStore::open(&config.data)?);
    let server = Server::bind(config, store).await?;
    let mut out = io::stdout();
    // Programs that start a relay read this line to learn the port.
    writeln!(out, "listening on http://{}", server.local_addr())?;
    out.flush()?;
    server.run(stop_asked_for(signals)).await?;
    Ok(())
}

/// Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, as after a crash.
async fn stop_asked_for((mut interrupt, mut terminate): (Signal, Signal)) {
    let name = either(&mut interrupt, &mut terminate).await;
    tracing::info!(signal = name, "stopping");
    tokio::spawn(async move {
        either(&mut interrupt, &mut terminate).await;
        tracing::warn!("asked to stop again: exiting at once");
        std::process::exit(130);
    });
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) -> &'static str {
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
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
