//! Port: when accounts were last active.

use async_trait::async_trait;
use suda_proto::AccountId;

use super::Failure;

/// One run of a gateway's process; a process that starts anew is another gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GatewayId(pub [u8; 16]);

/// What is stored of an account. All times are milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Somebody is looking, at this gateway.
    Online {
        /// Where.
        gateway: GatewayId,
        /// Since when.
        since: u64,
    },
    /// Nobody is looking any more.
    Offline {
        /// When somebody was looking last.
        at: u64,
    },
}

/// When accounts were last active.
///
/// A gateway that dies cannot say when. So an account is stored as online at a gateway, and the gateway says once a minute
/// that it is alive: whoever was online at one that died was active until it was last alive. That is an upper bound, not more
/// than a minute and a timeout too late, and costs one row a minute instead of one for each account.
///
/// What [`last_active`](Self::last_active) answers for an account never decreases. Each method is one transaction; later
/// calls see its effect; repeating it changes nothing more. Nothing is promised as a job.
#[async_trait]
pub trait Activities: Send + Sync + 'static {
    /// Stores changes, in their order. An account stands as its last change says; a time earlier than the account's last
    /// activity until then does not move that back. `Online` also says that the gateway was alive at `since`. Accounts that
    /// do not exist (any more) are ignored.
    async fn store(&self, changes: &[(AccountId, Activity)]) -> Result<(), Failure>;

    /// Notes that a gateway is alive at `at`; an earlier time than known is ignored.
    async fn alive(&self, gateway: GatewayId, at: u64) -> Result<(), Failure>;

    /// When these accounts were last active, in no particular order, each once. For whoever is stored as online that is when
    /// its gateway was last alive, but not before `since` or any earlier activity. Accounts that never were active are left
    /// out.
    async fn last_active(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>, Failure>;

    /// Forgets gateways that were last alive before `before` and at which nobody is stored as online. So there are never more
    /// than one for each account and those that were alive since; to be called every hour or so.
    async fn forget(&self, before: u64) -> Result<(), Failure>;
}
