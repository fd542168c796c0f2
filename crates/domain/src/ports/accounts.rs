//! Port: accounts, their credentials, profiles and settings (general data, relational).

use async_trait::async_trait;
use bytes::Bytes;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, DeviceId};

use super::Failure;
use super::devices::Device;

/// An account as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its unique name, already checked and folded; empty once deleted.
    pub name: String,
    /// The name to show, NFC.
    pub display_name: String,
    /// A hue, 0 to 359.
    pub colour: u16,
    /// A line about oneself.
    pub about: String,
    /// Opaque data of the app, JSON.
    pub data: Option<Bytes>,
    /// Who may begin a direct conversation.
    pub who_may_message: Audience,
    /// Who may add it to a group.
    pub who_may_add: Audience,
    /// Who may see when it is online or types, and how far it has read.
    pub who_may_see: Audience,
    /// A BCP 47 tag.
    pub language: String,
    /// Whether it may be used.
    pub status: Status,
    /// Its id in the app's own backend, unique.
    pub external_id: Option<String>,
    /// An Argon2id hash in PHC form; absent for accounts that log in through an app.
    pub password_hash: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// How many unused recovery codes are left.
    pub recovery_codes_left: u32,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Active,
    /// An operator closed it; nothing is lost.
    Disabled,
    /// It was deleted; only its id remains.
    Deleted,
}

/// An account to be made, with its first device.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account; its `recovery_codes_left` is ignored.
    pub account: Account,
    /// The first device; absent where an app's backend makes the account.
    pub device: Option<Device>,
    /// SHA-256 hashes of its recovery codes.
    pub recovery_hashes: Vec<[u8; 32]>,
    /// SHA-256 hash of the invitation that it uses up, where one is needed.
    pub invite_hash: Option<[u8; 32]>,
}

/// What came of making an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Made,
    /// Another account has the name.
    NameTaken,
    /// Another account has the external id.
    ExternalIdTaken,
    /// The invitation is unknown, used or expired.
    BadInvite,
}

/// A change to an account; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The name to show.
    pub display_name: Option<String>,
    /// A hue.
    pub colour: Option<u16>,
    /// A line about oneself.
    pub about: Option<String>,
    /// Opaque data.
    pub data: Option<Bytes>,
    /// Who may begin a direct conversation.
    pub who_may_message: Option<Audience>,
    /// Who may add it to a group.
    pub who_may_add: Option<Audience>,
    /// Who may see when it is online or types, and how far it has read.
    pub who_may_see: Option<Audience>,
    /// The language.
    pub language: Option<String>,
    /// `Active` or `Disabled`; `Deleted` is ignored. Disabling logs every device out.
    pub status: Option<Status>,
}

/// Accounts.
///
/// Every method is one transaction: all of it happens or nothing. After a method returns, every later call sees its
/// effect. Names and external ids are unique among accounts that are not deleted. Whichever method adds or removes a
/// device promises [`Task::device_added`](super::jobs::Task::device_added) or
/// [`Task::device_removed`](super::jobs::Task::device_removed) with it, except that `delete` promises nothing for its own.
#[async_trait]
pub trait Accounts: Send + Sync + 'static {
    /// Makes an account, its first device and its recovery codes, and uses up the invitation, which must not have expired
    /// at the account's `created_at`. Where several refusals apply, `BadInvite` is answered. Repeating it with the same
    /// account id after an unknown outcome answers `Made` and changes nothing more.
    async fn create(&self, new: NewAccount) -> Result<Creation, Failure>;

    /// The accounts with these ids, deleted ones included, in no particular order; unknown ids are left out.
    async fn find(&self, ids: &[AccountId]) -> Result<Vec<Account>, Failure>;

    /// The account with this name; never a deleted one.
    async fn find_by_name(&self, name: &str) -> Result<Option<Account>, Failure>;

    /// The account with this external id; never a deleted one.
    async fn find_by_external_id(&self, external_id: &str) -> Result<Option<Account>, Failure>;

    /// Accounts whose name begins with `prefix` and is greater than `after`, ordered by name; never deleted ones.
    async fn search(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, Failure>;

    /// Changes an account and answers how it stands; `None` if there is none or it is deleted. Promises
    /// [`Task::profile_changed`](super::jobs::Task::profile_changed). Disabling removes all devices.
    async fn change(&self, account: AccountId, change: Change) -> Result<Option<Account>, Failure>;

    /// Replaces the password, removing every device but `keep`; answers the removed ones. With `recovery_hash` it does
    /// so only if that code is unused, and uses it up; `None` if it is not, or there is no such account.
    async fn set_password(
        &self,
        account: AccountId,
        password_hash: String,
        keep: Option<DeviceId>,
        recovery_hash: Option<[u8; 32]>,
    ) -> Result<Option<Vec<DeviceId>>, Failure>;

    /// Replaces all recovery codes; does nothing if there is no such account or it is deleted.
    async fn set_recovery_codes(&self, account: AccountId, hashes: Vec<[u8; 32]>) -> Result<(), Failure>;

    /// Deletes the account: credentials, profile, contacts, blocks (on both sides), devices and last activity are gone,
    /// its id remains as `Deleted`, its names are free, what was promised it before is forgotten. Promises
    /// [`Task::EraseAccount`](super::jobs::Task::EraseAccount), and `contact_changed` for those who stood in a relation to
    /// it. Answers the devices that were removed; repeating it answers none and promises nothing.
    async fn delete(&self, account: AccountId) -> Result<Vec<DeviceId>, Failure>;

    /// Makes an invitation for `uses` sign-ups before `expires_at` (milliseconds since 1970); does nothing if it exists.
    async fn add_invite(&self, hash: [u8; 32], uses: u32, expires_at: u64) -> Result<(), Failure>;
}
