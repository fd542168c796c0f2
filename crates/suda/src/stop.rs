//! Why a command stopped before it was done, and the exit code that says so.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use suda_domain::ports::Failure;
use suda_embedded::conversation_log::ConversationLogError;
use suda_embedded::log;
use suda_embedded::store::{self, IdentityError, OpenError};
use suda_server::SetupError;

use crate::config::ConfigurationError;
use crate::tls::TlsError;

/// What `--help` says about exit codes.
pub const EXIT_CODES: &str = "\
Exit codes:
  0   done; for serve: stopped when asked to, everything stored
  1   not done; the message says why
  2   the arguments or the configuration are wrong
  65  stored data is damaged
  70  storage failed while running; the process ended at once, what it acknowledged is kept
  75  the data folder or the address is in use; try again later";

/// The exit code after a failure of storage while running.
pub const STORAGE_FAILED: i32 = 70;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The configuration cannot be used.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The directives of `log.level` make no sense.
    #[error("`log.level` must be a level or directives like info,suda_server=debug: {0}")]
    LogLevel(#[from] tracing_subscriber::filter::ParseError),
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It would listen beyond this machine in the clear.
    #[error(
        "{0} can be reached from other machines, and without TLS everybody in between reads along.\n\
         Set --tls-cert and --tls-key; or, behind a proxy that adds TLS, say --insecure"
    )]
    Exposed(String),
    /// The address makes no sense.
    #[error("cannot listen on {listen}: {source}; `listen` is an address and a port, like 127.0.0.1:7878")]
    BadAddress {
        /// What `listen` says.
        listen: String,
        /// Why it cannot be resolved.
        source: io::Error,
    },
    /// Another process listens there.
    #[error("{0} is in use by another process; stop that one, or choose another address with --listen")]
    AddressInUse(String),
    /// The system refuses the address.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// What `listen` says.
        listen: String,
        /// The system's answer.
        source: io::Error,
    },
    /// Something of the operating system was refused.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// There is no data folder.
    #[error("there is no data folder at {}; --data names another, `suda serve` makes one", .0.display())]
    NoFolder(PathBuf),
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] store::OpenError),
    /// What is stored could not be written back for a quick start; nothing is lost.
    #[error("{0}; nothing that was acknowledged is lost")]
    Close(#[from] Failure),
    /// The settings do not fit.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A check found damage.
    #[error("the data folder is damaged, see above; restore a backup into another folder with `suda restore`")]
    Damaged,
    /// The running server cannot be asked.
    #[error("the server that uses {} does not answer: {reason}", data.display())]
    NoAnswer {
        /// The data folder.
        data: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(String),
    /// An operator has not confirmed something that cannot be undone.
    #[error("not confirmed; nothing was changed (--yes confirms)")]
    NotConfirmed,
}

impl Stop {
    /// The exit code; [`EXIT_CODES`] explains them.
    pub fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Configuration(_) | Self::LogLevel(_) | Self::Tls(_) => 2,
            Self::Exposed(_) | Self::BadAddress { .. } | Self::Setup(_) => 2,
            Self::Damaged => 65,
            Self::Open(error) if is_damage(error) => 65,
            Self::Open(OpenError::InUse { .. }) | Self::AddressInUse(_) => 75,
            _ => 1,
        };
        ExitCode::from(code)
    }
}

/// Turns the system's answer into a [`Stop`] that names what was tried.
pub fn while_trying(action: &'static str) -> impl FnOnce(io::Error) -> Stop {
    move |source| Stop::System { action, source }
}

/// Whether stored data is damaged or missing, so that only a backup helps.
fn is_damage(error: &OpenError) -> bool {
    use log::OpenError::{Corruption, Foreign, MissingSegment};
    match error {
        OpenError::ForeignLog { .. } => true,
        OpenError::Identity(error) => matches!(error, IdentityError::Malformed { .. } | IdentityError::Missing { .. }),
        OpenError::Conversations(ConversationLogError::Log(error)) => {
            matches!(error, Corruption { .. } | Foreign { .. } | MissingSegment { .. })
        }
        _ => false,
    }
}
