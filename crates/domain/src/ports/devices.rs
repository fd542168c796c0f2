//! Port: devices and their tokens.

use async_trait::async_trait;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, DeviceId};

use super::Failure;
use super::accounts::Status;

/// A device as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub account: AccountId,
    /// Its name, for the account's list.
    pub name: String,
    /// Its platform.
    pub platform: String,
    /// SHA-256 of its token; the token itself is nowhere stored.
    pub token_hash: [u8; 32],
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// Milliseconds since 1970.
    pub last_active_at: u64,
}

/// Whom a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHolder {
    /// The device.
    pub device: Device,
    /// Whether its account may be used.
    pub status: Status,
    /// Who may see when the account is there.
    pub who_may_see: Audience,
}

/// Devices. Each method is one transaction; later calls see its effect.
#[async_trait]
pub trait Devices: Send + Sync + 'static {
    /// Adds a device unless its account has `most` of them already or is not active (answers false then). Promises
    /// [`Task::device_added`](super::jobs::Task::device_added). Repeating it with the same id answers true.
    async fn add(&self, device: Device, most: u32) -> Result<bool, Failure>;

    /// The device whose token has this hash, with what must be known of its account.
    async fn find_by_token(&self, token_hash: [u8; 32]) -> Result<Option<TokenHolder>, Failure>;

    /// The account's devices, oldest first.
    async fn list(&self, account: AccountId) -> Result<Vec<Device>, Failure>;

    /// Removes a device of the account; false if it has no such device. Promises
    /// [`Task::device_removed`](super::jobs::Task::device_removed).
    async fn remove(&self, account: AccountId, device: DeviceId) -> Result<bool, Failure>;

    /// Notes when devices were seen; unknown ones are ignored, earlier times too.
    async fn touch(&self, seen: &[(DeviceId, u64)]) -> Result<(), Failure>;
}
