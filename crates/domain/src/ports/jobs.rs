//! Port: work promised in a transaction and done after it, at least once.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use suda_proto::entry::SetKey;
use suda_proto::rest::Relation;
use suda_proto::{AccountId, DeviceId};
use uuid::Uuid;

use super::Failure;
use super::devices::Device;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum Task {
    /// Append a value to the account's own conversation.
    Set {
        /// Whose.
        account: AccountId,
        /// Which value.
        key: String,
        /// The value as JSON text.
        value: String,
    },
    /// Take a deleted account out of every conversation and erase what it wrote.
    EraseAccount {
        /// Whose.
        account: AccountId,
    },
}

impl Task {
    /// Tells the account's devices that its profile or settings changed; they read them anew.
    pub fn profile_changed(account: AccountId) -> Self {
        Self::set(account, &SetKey::Profile, serde_json::Value::Bool(true))
    }

    /// Tells the account's devices of a new one.
    pub fn device_added(device: &Device) -> Self {
        let value = serde_json::json!({
            "name": device.name, "platform": device.platform, "created_at": device.created_at,
        });
        Self::set(device.account, &SetKey::Device(device.id), value)
    }

    /// Tells the account's devices that one is gone.
    pub fn device_removed(account: AccountId, device: DeviceId) -> Self {
        Self::set(account, &SetKey::Device(device), serde_json::Value::Null)
    }

    /// Tells the account's devices how it stands to `other` now.
    pub fn contact_changed(account: AccountId, other: AccountId, relation: Option<Relation>) -> Self {
        Self::set(account, &SetKey::Contact(other), serde_json::json!(relation))
    }

    /// Whose conversation or data it is about.
    pub const fn account(&self) -> AccountId {
        match self {
            Self::Set { account, .. } | Self::EraseAccount { account } => *account,
        }
    }

    fn set(account: AccountId, key: &SetKey, value: serde_json::Value) -> Self {
        Self::Set { account, key: key.to_string(), value: value.to_string() }
    }
}

/// A promise to do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Unique and in the order of promising (UUIDv7); acts derived from the job take their client ids from it.
    pub id: Uuid,
    /// What is to be done.
    pub task: Task,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// Jobs. They are added by other ports within the transaction of their cause.
///
/// Where several nodes share the storage, each takes jobs with its own ports. What [`due`](Self::due) answers to a node is
/// in its hands: no other node is given jobs of the same accounts, so that they are done in their order and not at several
/// nodes at once. That ends for a job when it is finished or postponed, and for all of them when the node closes its ports
/// or has not been alive for half a minute. A node that only seemed dead may thus do a job that another does as well.
#[async_trait]
pub trait Jobs: Send + Sync + 'static {
    /// Jobs that are due at `now` (milliseconds since 1970), in the order of promising; also those that are in the hands of
    /// this node already, but none of an account that another node has jobs of in its hands.
    async fn due(&self, now: u64, limit: u32) -> Result<Vec<Job>, Failure>;

    /// Forgets a job that is done; again is no error.
    async fn finish(&self, id: Uuid) -> Result<(), Failure>;

    /// Counts a vain attempt and makes the job due again at `until`.
    async fn postpone(&self, id: Uuid, until: u64) -> Result<(), Failure>;

    /// Waits until this node added a job since the last call, or another may have, which can take the engine a second to
    /// tell; may return early, never never.
    async fn wait(&self);
}
