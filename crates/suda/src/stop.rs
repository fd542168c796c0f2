//! Why a command stopped before it was done, and the exit code that says so.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use suda_domain::ports::Failure;
use suda_embedded::conversation_log::ConversationLogError;
use suda_embedded::log;
use suda_embedded::store::{BackupError, CheckError, IdentityError, OpenError};
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
    /// Another process has the data folder.
    #[error("{} is in use by another process; each node of a cluster needs a folder of its own", .0.display())]
    FolderInUse(PathBuf),
    /// PostgreSQL cannot be used.
    #[error(transparent)]
    GeneralData(#[from] suda_cluster::database::OpenError),
    /// Cassandra cannot be used.
    #[error(transparent)]
    Conversations(#[from] suda_cluster::session::SessionError),
    /// The data folder cannot be opened.
    #[error("{source}{}", what_opens(source))]
    Open {
        /// Why.
        #[from]
        source: OpenError,
    },
    /// What is stored could not be written back for a quick start; nothing is lost.
    #[error("{0}; nothing that was acknowledged is lost")]
    Close(#[from] Failure),
    /// The settings do not fit.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A backup could not be made or brought back.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The log could not be cut.
    #[error(transparent)]
    Cut(log::OpenError),
    /// A check could not be carried out, or found damage.
    #[error("{source}{}", what_helps(source))]
    Check {
        /// What is wrong.
        #[from]
        source: CheckError,
    },
    /// The running server cannot be asked.
    #[error("the server that uses {} does not answer: {reason}", data.display())]
    NoAnswer {
        /// The data folder.
        data: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// A replay did not come to a clean end.
    #[error(transparent)]
    Replay(#[from] crate::replay::ReplayError),
    /// A bench did not come to a clean end.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Bench(#[from] crate::bench::BenchError),
    /// The terminal client could not start or go on.
    #[error(transparent)]
    Chat(#[from] suda_tui::ChatError),
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
            Self::Open { source: error } | Self::Check { source: CheckError::Open(error) } => {
                exit_code_of(error)
            }
            Self::Check { .. } | Self::Backup(BackupError::Damaged(_)) => 65,
            Self::AddressInUse(_) | Self::FolderInUse(_) => 75,
            _ => 1,
        };
        ExitCode::from(code)
    }
}

/// Turns the system's answer into a [`Stop`] that names what was tried.
pub fn while_trying(action: &'static str) -> impl FnOnce(io::Error) -> Stop {
    move |source| Stop::System { action, source }
}

/// 65 where stored data is damaged or missing, so that only a backup helps; 75 where another process has the folder.
fn exit_code_of(error: &OpenError) -> u8 {
    use log::OpenError::{Corruption, Foreign, MissingSegment, SortedCorruption};
    match error {
        OpenError::InUse { .. } => 75,
        OpenError::Identity(IdentityError::Malformed { .. } | IdentityError::Missing { .. }) => 65,
        OpenError::Conversations(ConversationLogError::ForeignLog) => 65,
        OpenError::Conversations(ConversationLogError::Log(
            Corruption { .. } | SortedCorruption { .. } | Foreign { .. } | MissingSegment { .. },
        )) => 65,
        _ => 1,
    }
}

/// What makes a folder usable again, where the error itself does not say.
fn what_opens(error: &OpenError) -> &'static str {
    match error {
        OpenError::Conversations(
            ConversationLogError::Index(_)
            | ConversationLogError::ForeignIndex
            | ConversationLogError::Log(log::OpenError::BadStart { .. }),
        ) => REBUILDING,
        _ => "",
    }
}

/// What to do about a finding, where the finding itself does not say.
fn what_helps(error: &CheckError) -> &'static str {
    match error {
        CheckError::Index(_) | CheckError::IndexDiffers { .. } | CheckError::IndexPosition { .. } => {
            REBUILDING
        }
        CheckError::Open(error) => what_opens(error),
        CheckError::Database(_) => "; restore a backup into another folder with `suda restore`",
        CheckError::Log(_) => "",
    }
}

const REBUILDING: &str = "; `suda check --rebuild-index` does that, and loses nothing";
