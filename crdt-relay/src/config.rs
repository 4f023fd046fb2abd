//! Options: flags, environment variables, a TOML file, in this order of precedence, then defaults.
//!
//! [`Options`] is what one source says, all of it optional; [`Config`] is what they come to.

use crate::limits;
use crate::room::RoomLimits;
use clap::{Parser, ValueEnum};
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{error, fmt, fs, io};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "crdt-relay", version, about, long_about = LONG_ABOUT, max_term_width = 100)]
pub struct Cli {
    /// A TOML file with any of the options below, named as the flags without the dashes in front
    #[arg(long, env = "CRDT_RELAY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What the flags and the environment say.
    #[command(flatten)]
    pub options: Options,
}

const LONG_ABOUT: &str = "Keeps documents, passes edits on between everybody who has one open, and says \
\"saved\" only when the edit is on disk.\n\nWith no options it listens on 127.0.0.1:8787 and keeps its \
documents in ./data. A flag wins over its environment variable, which wins over the file.";

/// What one source of options says.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Options {
    /// Address to listen on; port 0 lets the system choose [default: 127.0.0.1:8787]
    #[arg(long, env = "CRDT_RELAY_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,

    /// Folder of the documents; created if missing [default: data]
    #[arg(long, env = "CRDT_RELAY_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Folder of static files to serve at /, such as the built demo [default: none]
    #[arg(long, env = "CRDT_RELAY_SITE", value_name = "DIR")]
    pub site: Option<PathBuf>,

    /// Origins whose pages may connect besides pages served from this very host and port; `*` allows
    /// all. Programs that send no Origin may always connect [default: none]
    #[arg(long, env = "CRDT_RELAY_ALLOW_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub allow_origin: Option<Vec<String>>,

    /// Serve stored texts at /v1/documents/NAME/text and tables of authors at /v1/documents/NAME/authors; `auto`: only
    /// when listening on a loopback address, and to requests that name one as host [default: auto]
    #[arg(long, env = "CRDT_RELAY_TEXT_API", value_name = "WHEN")]
    pub text_api: Option<TextApi>,

    /// Write a snapshot of a document after so many operations [default: 1000]
    #[arg(long, env = "CRDT_RELAY_SNAPSHOT_EVERY", value_name = "OPERATIONS")]
    pub snapshot_every: Option<u64>,

    /// Unload a document that nobody has had open for so long, in milliseconds [default: 30000]
    #[arg(long, env = "CRDT_RELAY_IDLE_UNLOAD_MS", value_name = "MS")]
    pub idle_unload_ms: Option<u64>,

    /// Close connections that have not said Hello after so long, in milliseconds [default: 5000]
    #[arg(long, env = "CRDT_RELAY_HELLO_DEADLINE_MS", value_name = "MS")]
    pub hello_deadline_ms: Option<u64>,

    /// Exit at the latest so long after SIGINT or SIGTERM, in milliseconds [default: 10000]
    #[arg(long, env = "CRDT_RELAY_SHUTDOWN_DEADLINE_MS", value_name = "MS")]
    pub shutdown_deadline_ms: Option<u64>,

    /// Leave updates out for a session that has more than so many bytes of live frames unread; it catches
    /// up later, and is closed when it lags 16 times as far [default: 1048576]
    #[arg(long, env = "CRDT_RELAY_SESSION_BUFFER_BYTES", value_name = "BYTES")]
    pub session_buffer_bytes: Option<usize>,

    /// Connections at the same time [default: 10000]
    #[arg(long, env = "CRDT_RELAY_MAX_CONNECTIONS", value_name = "COUNT")]
    pub max_connections: Option<usize>,

    /// Largest document: its snapshot and the deltas since, in bytes [default: 67108864]
    #[arg(long, env = "CRDT_RELAY_MAX_DOCUMENT_BYTES", value_name = "BYTES")]
    pub max_document_bytes: Option<u64>,

    /// Sessions that may have one document open at the same time [default: 500]
    #[arg(long, env = "CRDT_RELAY_MAX_DOCUMENT_SESSIONS", value_name = "COUNT")]
    pub max_document_sessions: Option<usize>,

    /// Batches that one session may send to a document in a second, on average [default: 200]
    #[arg(long, env = "CRDT_RELAY_MAX_BATCHES_PER_SECOND", value_name = "COUNT")]
    pub max_batches_per_second: Option<u32>,

    /// Form of the log on standard error [default: text]
    #[arg(long, env = "CRDT_RELAY_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What to log: error, warn, info, debug, trace, or per module as in `info,crdt_relay::room=debug`
    /// [default: info]
    #[arg(long, env = "CRDT_RELAY_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// When stored texts and tables of authors are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextApi {
    /// Only between loopback addresses.
    Auto,
    /// To everybody who can connect.
    On,
    /// Never.
    Off,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// All options, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Folder of the documents.
    pub data: PathBuf,
    /// Folder of static files.
    pub site: Option<PathBuf>,
    /// Origins allowed besides our own.
    pub allow_origin: Vec<String>,
    /// When stored texts and tables of authors are served.
    pub text_api: TextApi,
    /// Operations between snapshots.
    pub snapshot_every_operations: u64,
    /// How long a room without sessions stays.
    pub idle_unload: Duration,
    /// How long a connection may take to say Hello.
    pub hello_deadline: Duration,
    /// How long a shutdown may take.
    pub shutdown_deadline: Duration,
    /// Live frames a session may leave unread before updates are left out.
    pub session_buffer_bytes: usize,
    /// Connections at the same time.
    pub max_connections: usize,
    /// Largest document.
    pub max_document_bytes: u64,
    /// Sessions in one document.
    pub max_document_sessions: usize,
    /// Batches of one session in a second.
    pub max_batches_per_second: u32,
    /// The form of the log.
    pub log_format: LogFormat,
    /// What to log.
    pub log: String,
}

impl Default for Config {
    fn default() -> Self {
        Options::default().resolve()
    }
}

impl Cli {
    /// Reads the file, if one is named, and decides.
    ///
    /// # Errors
    /// If the file cannot be read or says something unknown.
    pub fn resolve(self) -> Result<Config, ConfigError> {
        let file = self.config.as_deref().map(Options::from_file).transpose()?.unwrap_or_default();
        Ok(self.options.or(file).resolve())
    }
}

impl Options {
    /// Reads a TOML file.
    ///
    /// # Errors
    /// If it cannot be read, is no TOML, or has a key or value that is none of ours.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path)
            .map_err(|error| ConfigError { path: path.into(), cause: ConfigErrorCause::Read(error) })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError { path: path.into(), cause: ConfigErrorCause::Parse(error) })
    }

    /// These options, and those of `lower` where these say nothing.
    #[must_use]
    pub fn or(self, lower: Self) -> Self {
        Self {
            listen: self.listen.or(lower.listen),
            data: self.data.or(lower.data),
            site: self.site.or(lower.site),
            allow_origin: self.allow_origin.or(lower.allow_origin),
            text_api: self.text_api.or(lower.text_api),
            snapshot_every: self.snapshot_every.or(lower.snapshot_every),
            idle_unload_ms: self.idle_unload_ms.or(lower.idle_unload_ms),
            hello_deadline_ms: self.hello_deadline_ms.or(lower.hello_deadline_ms),
            shutdown_deadline_ms: self.shutdown_deadline_ms.or(lower.shutdown_deadline_ms),
            session_buffer_bytes: self.session_buffer_bytes.or(lower.session_buffer_bytes),
            max_connections: self.max_connections.or(lower.max_connections),
            max_document_bytes: self.max_document_bytes.or(lower.max_document_bytes),
            max_document_sessions: self.max_document_sessions.or(lower.max_document_sessions),
            max_batches_per_second: self.max_batches_per_second.or(lower.max_batches_per_second),
            log_format: self.log_format.or(lower.log_format),
            log: self.log.or(lower.log),
        }
    }

    /// Fills in the defaults.
    pub fn resolve(self) -> Config {
        let room = RoomLimits::default();
        let duration = |ms: Option<u64>, default| ms.map_or(default, Duration::from_millis);
        Config {
            listen: self.listen.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 8787).into()),
            data: self.data.unwrap_or_else(|| "data".into()),
            site: self.site,
            allow_origin: self.allow_origin.unwrap_or_default(),
            text_api: self.text_api.unwrap_or(TextApi::Auto),
            snapshot_every_operations: self
                .snapshot_every
                .unwrap_or(limits::SNAPSHOT_EVERY_OPERATIONS)
                .max(1),
            idle_unload: duration(self.idle_unload_ms, limits::IDLE_UNLOAD),
            hello_deadline: duration(self.hello_deadline_ms, limits::HELLO_DEADLINE),
            shutdown_deadline: duration(self.shutdown_deadline_ms, limits::SHUTDOWN_DEADLINE),
            session_buffer_bytes: self.session_buffer_bytes.unwrap_or(limits::SESSION_BUFFER_BYTES),
            max_connections: self.max_connections.unwrap_or(limits::CONNECTIONS),
            max_document_bytes: self.max_document_bytes.unwrap_or(room.document_bytes),
            max_document_sessions: self.max_document_sessions.unwrap_or(room.sessions),
            max_batches_per_second: self.max_batches_per_second.unwrap_or(room.batches_per_second).max(1),
            log_format: self.log_format.unwrap_or(LogFormat::Text),
            log: self.log.unwrap_or_else(|| "info".into()),
        }
    }
}

/// Why a file of options was refused.
#[derive(Debug)]
pub struct ConfigError {
    path: PathBuf,
    cause: ConfigErrorCause,
}

#[derive(Debug)]
enum ConfigErrorCause {
    Read(io::Error),
    Parse(toml::de::Error),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match &self.cause {
            ConfigErrorCause::Read(error) => error.fmt(f),
            ConfigErrorCause::Parse(error) => error.fmt(f),
        }
    }
}

impl error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match &self.cause {
            ConfigErrorCause::Read(error) => Some(error),
            ConfigErrorCause::Parse(error) => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn file(text: &str) -> Result<Options, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let flags = Options { snapshot_every: Some(7), ..Options::default() };
        let file = file("snapshot-every = 9\nidle-unload-ms = 11\nlog-format = 'json'").unwrap();
        let config = flags.or(file).resolve();
        assert_eq!(config.snapshot_every_operations, 7);
        assert_eq!(config.idle_unload, Duration::from_millis(11));
        assert_eq!(config.log_format, LogFormat::Json);
        assert_eq!(config.session_buffer_bytes, limits::SESSION_BUFFER_BYTES);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused_by_name() {
        let error = file("snapshot-evry = 9").unwrap_err().to_string();
        assert!(error.contains("snapshot-evry"), "{error}");
    }

    #[test]
    fn every_option_can_stand_in_the_file_in_the_environment_and_in_the_operations_guide() {
        let guide = include_str!("../../docs/operations.md");
        let command = Cli::command();
        for argument in command.get_arguments() {
            let flag = argument.get_long().unwrap();
            let variable = argument.get_env().unwrap().to_str().unwrap();
            assert_eq!(variable.strip_prefix("CRDT_RELAY_").unwrap().replace('_', "-").to_lowercase(), flag);
            assert!(guide.contains(&format!("| `--{flag}`")), "{flag} is not in docs/operations.md");
            assert!(guide.contains(variable), "{variable} is not in docs/operations.md");
            if flag == "config" {
                continue;
            }
            let error = file(&format!("{flag} = {{ }}")).unwrap_err().to_string();
            assert!(!error.contains("unknown field"), "{flag}: {error}");
        }
    }

    #[test]
    fn the_help_states_the_defaults_that_hold() {
        let help = Cli::command().render_long_help().to_string();
        let config = Config::default();
        let stated = [
            config.listen.to_string(),
            config.data.display().to_string(),
            config.snapshot_every_operations.to_string(),
            config.idle_unload.as_millis().to_string(),
            config.hello_deadline.as_millis().to_string(),
            config.shutdown_deadline.as_millis().to_string(),
            config.session_buffer_bytes.to_string(),
            config.max_connections.to_string(),
            config.max_document_bytes.to_string(),
            config.max_document_sessions.to_string(),
            config.max_batches_per_second.to_string(),
            config.log,
        ];
        for default in stated {
            assert!(help.contains(&format!("[default: {default}]")), "{default}\n{help}");
        }
    }
}
