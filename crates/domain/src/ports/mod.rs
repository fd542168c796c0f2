//! Ports: what Suda needs from storage and from the network between nodes, as traits with written contracts.
//!
//! `suda-embedded` and the cluster each implement all of them; both prove it with the suites in `contract`.
//! Every method may be called from any task at any time. An error of kind [`Failure::Unavailable`] means that nothing is
//! known to have happened and the same call may be repeated; all calls are safe to repeat.

pub mod accounts;
pub mod activity;
pub mod bus;
pub mod contacts;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod devices;
pub mod inbox;
pub mod jobs;
pub mod log;

pub use accounts::Accounts;
pub use activity::Activities;
pub use bus::Bus;
pub use contacts::Contacts;
pub use devices::Devices;
pub use inbox::Inbox;
pub use jobs::Jobs;
pub use log::Log;

use std::sync::Arc;

/// Every port, as the server is given them.
#[derive(Clone)]
pub struct Ports {
    /// Conversations' entries and state.
    pub log: Arc<dyn Log>,
    /// Accounts' lists of conversations.
    pub inbox: Arc<dyn Inbox>,
    /// Credentials, profiles, settings.
    pub accounts: Arc<dyn Accounts>,
    /// Devices and their tokens.
    pub devices: Arc<dyn Devices>,
    /// Contacts and blocks.
    pub contacts: Arc<dyn Contacts>,
    /// When accounts were last active.
    pub activity: Arc<dyn Activities>,
    /// Work that was promised in a transaction.
    pub jobs: Arc<dyn Jobs>,
}

/// Why a port could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The engine does not answer now; the outcome is unknown; the same call may be repeated.
    #[error("the storage engine does not answer: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no room left; nothing was stored.
    #[error("the storage is full; free space on its disk")]
    Full,
    /// The engine does not do what it is asked, and will not when it is asked again: the schema or a right is missing.
    /// Nothing was stored.
    #[error("the storage engine refuses: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Stored bytes are not what was stored.
    #[error("stored data is damaged: {0}; run `suda check`, or restore a backup")]
    Damaged(String),
}

impl Failure {
    /// Wraps an engine's error.
    pub fn unavailable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }
}
