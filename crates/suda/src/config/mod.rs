//! Configuration: flags before environment variables before the file before defaults, all over one table of keys.
//!
//! | file | what |
//! |---|---|
//! | `keys` | the table |
//! | `field` | types of values |
//! | `flags` | the table as command line flags |
//! | `file` | the TOML file |
//! | `reference` | the table as a page, and a configuration as text |

mod field;
mod file;
mod flags;
mod keys;
mod reference;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use suda_server::settings::Settings;

pub use flags::{AllFlags, FolderFlags};
pub use reference::{effective, markdown};

/// The configuration of a process.
#[derive(Clone)]
pub struct Config {
    /// The folder that holds what is stored.
    pub data: PathBuf,
    /// Where to listen: a name or address, and a port.
    pub listen: String,
    /// Whether listening beyond this machine without TLS is permitted.
    pub insecure: bool,
    /// The certificate chain.
    pub tls_cert: Option<PathBuf>,
    /// Its private key.
    pub tls_key: Option<PathBuf>,
    /// Whether the web client is served.
    pub web: bool,
    /// How many threads serve; 0: as many as suit the machine.
    pub threads: usize,
    /// How long a stopping server waits for its sessions.
    pub drain: Duration,
    /// The backend's public keys.
    pub app_keys_file: Option<PathBuf>,
    /// The backend's key.
    pub app_key_file: Option<PathBuf>,
    /// Size of a new file of the message log, MiB.
    pub segment_mib: u32,
    /// Directives of what is logged.
    pub log_level: String,
    /// Whether log lines are JSON.
    pub log_json: bool,
    /// The engines of a cluster.
    pub cluster: Cluster,
    /// What the server itself is told.
    pub server: Settings,
}

/// Where the engines of a cluster are.
#[derive(Clone)]
pub struct Cluster {
    /// Whether this is a node of a cluster, and not everything in one folder.
    pub is_on: bool,
    /// Some nodes of Cassandra, `host:port`.
    pub cassandra: Vec<String>,
    /// The keyspace.
    pub keyspace: String,
    /// How `suda migrate` lays it out.
    pub replication: String,
    /// The datacenter of this node.
    pub datacenter: String,
    /// The address of PostgreSQL, with its password.
    pub postgres: String,
    /// Most connections to it.
    pub postgres_connections: u32,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            is_on: false,
            cassandra: vec!["127.0.0.1:9042".to_owned()],
            keyspace: "suda".to_owned(),
            replication: "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}".to_owned(),
            datacenter: String::new(),
            postgres: String::new(),
            postgres_connections: 16,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("suda-data"),
            listen: "127.0.0.1:7878".to_owned(),
            insecure: false,
            tls_cert: None,
            tls_key: None,
            web: true,
            threads: 0,
            drain: Duration::from_secs(30),
            app_keys_file: None,
            app_key_file: None,
            segment_mib: 64,
            log_level: "info".to_owned(),
            log_json: false,
            cluster: Cluster::default(),
            server: Settings::default(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A file that it names cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The file system's answer.
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{} is not valid TOML: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The file has a key that does not exist.
    #[error("{}: there is no key `{name}`{}", path.display(), suggestion(nearest))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What stands there.
        name: String,
        /// The key that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A value does not fit its key.
    #[error("{origin}: `{name}` must be {expected}")]
    Value {
        /// The key.
        name: &'static str,
        /// Where the value was given.
        origin: Origin,
        /// What may stand there.
        expected: String,
    },
    /// Two keys contradict each other.
    #[error("{0}")]
    Contradiction(&'static str),
}

fn suggestion(nearest: &Option<&str>) -> String {
    nearest
        .map_or_else(|| "; `suda config` lists all keys".to_owned(), |key| format!("; did you mean `{key}`?"))
}

/// Where a value comes from; the later wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => write!(formatter, "default"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Variable(name) => write!(formatter, "environment variable {name}"),
            Self::Flag(name) => write!(formatter, "--{name}"),
        }
    }
}

/// Texts by key name.
type Layer = BTreeMap<&'static str, String>;

/// What a command line says about the configuration.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The file to read.
    file: Option<PathBuf>,
    /// Values of keys.
    values: Layer,
}

/// A configuration and where each of its values comes from.
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// By key name.
    pub origins: BTreeMap<&'static str, Origin>,
}

/// Puts the configuration together; `variable` answers environment variables.
pub fn load(flags: &Flags, variable: impl Fn(&str) -> Option<String>) -> Result<Loaded, ConfigurationError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let path = flags.file.clone().or_else(|| variable("SUDA_CONFIG").map(PathBuf::from));
    let in_file = path.as_deref().map_or_else(|| Ok(Layer::new()), file::read)?;
    let mut loaded = Loaded { config: Config::default(), origins: BTreeMap::new() };
    for key in keys::KEYS {
        let from_flag = || Some((Origin::Flag(key.flag()), flags.values.get(key.name)?.clone()));
        let from_variable = || Some((Origin::Variable(key.variable()), variable(&key.variable())?));
        let from_file = || Some((Origin::File(path.clone()?), in_file.get(key.name)?.clone()));
        let found = from_flag().or_else(from_variable).or_else(from_file);
        if let Some((origin, text)) = &found {
            let read = keys::set(key, &mut loaded.config, text);
            read.map_err(|expected| ConfigurationError::Value {
                name: key.name,
                origin: origin.clone(),
                expected,
            })?;
        }
        loaded.origins.insert(key.name, found.map_or(Origin::Default, |(origin, _)| origin));
    }
    contradictions(&loaded.config)?;
    Ok(loaded)
}

fn contradictions(config: &Config) -> Result<(), ConfigurationError> {
    let limits = &config.server.limits;
    let what = if config.tls_cert.is_some() != config.tls_key.is_some() {
        "`tls.cert` and `tls.key` belong together: set both or neither"
    } else if !config.server.app_key.is_empty() && config.app_key_file.is_some() {
        "`app.key` and `app.key_file` say the same thing twice: set one of them"
    } else if config.cluster.is_on && config.cluster.postgres.is_empty() {
        "`mode = \"cluster\"` needs `cluster.postgres`: postgres://user:password@host:5432/database"
    } else if limits.text_bytes > limits.frame_bytes {
        "`limits.text_bytes` must not exceed `limits.frame_bytes`: such a text could not be sent"
    } else {
        return Ok(());
    };
    Err(ConfigurationError::Contradiction(what))
}

impl Config {
    /// The server's settings, with what the named files hold.
    pub fn settings(&self) -> Result<Settings, ConfigurationError> {
        let mut settings = self.server.clone();
        settings.tls = self.tls_cert.is_some();
        if let Some(path) = &self.app_keys_file {
            settings.app_keys = read_file(path)?;
        }
        if let Some(path) = &self.app_key_file {
            let text = read_file(path)?;
            settings.app_key = text.lines().next().unwrap_or_default().trim().to_owned();
        }
        Ok(settings)
    }
}

fn read_file(path: &Path) -> Result<String, ConfigurationError> {
    std::fs::read_to_string(path)
        .map_err(|source| ConfigurationError::Unreadable { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
