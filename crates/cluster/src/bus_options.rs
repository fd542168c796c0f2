//! Where NATS is, and how a node shows who it is.

use std::fmt;
use std::path::PathBuf;

/// How to reach NATS.
#[derive(Clone, Debug)]
pub struct BusOptions {
    /// Servers, such as `nats://host:4222`, without a name or password. Others of their cluster are learnt from them.
    pub servers: Vec<String>,
    /// What all subjects begin with: letters, digits, `-` and `_`. Clusters that share NATS differ in it.
    pub prefix: String,
    /// How the node shows who it is.
    pub credentials: Credentials,
    /// How the connection is encrypted.
    pub tls: BusTls,
}

/// How a node shows NATS who it is. Its user needs to publish to and subscribe to `<prefix>.>`, and nothing else.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Not at all, or by its certificate.
    #[default]
    None,
    /// By name and password.
    Password {
        /// Its name.
        user: String,
        /// Its password.
        password: String,
    },
    /// By the seed of an nkey, which never leaves the node.
    Seed(String),
    /// By a file of credentials: a JWT and the seed of its nkey.
    File(PathBuf),
}

/// How the connection to NATS is encrypted. Servers named as `tls://` are always spoken to in TLS.
#[derive(Clone, Debug, Default)]
pub struct BusTls {
    /// Whether a server without TLS is refused.
    pub required: bool,
    /// Whether TLS begins before the server's first word, which it must be set to.
    pub first: bool,
    /// A PEM file of the authorities to trust, instead of the system's.
    pub roots: Option<PathBuf>,
    /// PEM files of the node's own certificate and its key.
    pub certificate_and_key: Option<(PathBuf, PathBuf)>,
}

impl BusOptions {
    /// Whether the prefix can be part of a subject.
    pub(crate) fn prefix_is_valid(&self) -> bool {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !self.prefix.is_empty() && self.prefix.bytes().all(valid)
    }
}

/// Tells the kind only: options may be logged.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Password { .. } => "Password",
            Self::Seed(_) => "Seed",
            Self::File(_) => "File",
        })
    }
}
