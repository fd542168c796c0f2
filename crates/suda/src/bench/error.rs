//! Why a bench failed.

use std::io;
use std::path::PathBuf;

use suda_domain::ports::Failure;
use suda_embedded::store::OpenError;

/// Why a bench failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// Something of the operating system was refused.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The data folder's database cannot be opened.
    #[error(transparent)]
    Database(#[from] suda_embedded::database::OpenError),
    /// What the bench needs could not be stored.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The folder holds something else.
    #[error(
        "{} was filled for another bench, or is no bench's folder; name an empty or a new one", .0.display()
    )]
    OtherFolder(PathBuf),
    /// A process of the bench ended early.
    #[error("the {0} ended early; its messages stand above")]
    Ended(&'static str),
    /// A process of the bench said something else than was expected.
    #[error("the {0} cannot be understood")]
    Gibberish(&'static str),
    /// Not all connections could be made.
    #[error("only {made} of {wanted} connections could be made")]
    Connections {
        /// How many there are.
        made: u32,
        /// How many there should be.
        wanted: u32,
    },
    /// The arguments do not fit together.
    #[error("{0}")]
    Arguments(&'static str),
    /// A file cannot be used.
    #[error("{}: {reason}", file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Somebody asked it to stop.
    #[error("stopped before the end")]
    Interrupted,
    /// It ended, and something went wrong on the way; the report says what.
    #[error("there were errors or losses; see the report")]
    Flawed,
}

/// Turns the system's answer into an error that names what was tried.
pub fn while_trying(action: &'static str) -> impl FnOnce(io::Error) -> BenchError {
    move |source| BenchError::System { action, source }
}
