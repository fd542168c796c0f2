//! What the device keeps: one SQLite database, read by the app's calls and written by the engine alone.
//!
//! Every change is a [`Write`]; those that belong together are committed together, so that after a crash the cache is
//! as it was before or after, never between.

mod read;
mod write;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use suda_proto::reply::{Detail, OwnItem, Row};
use suda_proto::rest::{OwnAccount, Profile};
use suda_proto::{ClientId, ConversationId, DeviceId, Raw};

use crate::conversation::Conversation;
use crate::error::CacheError;
use crate::model::CacheLocation;
use crate::outbox::Item;
use crate::standing::CachedEntry;

/// The version of `schema.sql`, kept in `PRAGMA user_version`.
const VERSION: i64 = 1;

/// How many reads of a file go on beside the writer.
const CONNECTIONS: u32 = 4;

/// A handle on the cache; cloning shares it.
#[derive(Clone, Debug)]
pub struct Cache {
    pool: SqlitePool,
}

/// The login that the cache belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The server's address, such as `https://chat.example`.
    pub server: String,
    /// The account.
    pub account: OwnAccount,
    /// This device.
    pub device: DeviceId,
    /// Its token.
    pub token: String,
}

/// How far the device has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The resume token.
    pub resume: Option<String>,
    /// The polling cursor, where polling went on from the resume token.
    pub cursor: Option<String>,
    /// Where the list of conversations goes on on the server.
    pub next_window: Option<String>,
    /// The epoch of the account's own conversation.
    pub own_epoch: u32,
    /// How far the account's own conversation was applied.
    pub own_seq: u64,
}

/// One conversation as the cache holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// Its row in the list; absent until the server has told it.
    pub row: Option<Row>,
    /// What is cached of it.
    pub state: Conversation,
    /// Read up to here on this device, not yet acknowledged.
    pub read_wanted: Option<u64>,
}

/// A value that was set on this device and that the server has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedValue {
    /// Its key.
    pub key: String,
    /// The value.
    pub value: Raw,
    /// The act's name for ever.
    pub client_id: ClientId,
    /// How far the account's own conversation was applied when it was set.
    pub base: u64,
}

/// One change of the cache.
#[derive(Clone, Debug)]
pub enum Write {
    /// A conversation's row and state.
    Conversation(ConversationId, Held),
    /// A conversation's members and settings.
    Detail(ConversationId, Detail),
    /// Entries, new or changed.
    Entries(ConversationId, Vec<CachedEntry>),
    /// All entries of a conversation below a number are void.
    DropBelow(ConversationId, u64),
    /// Everything up to this resume token was applied; a polling cursor before it is void.
    Resume(String),
    /// Everything up to this polling cursor was applied.
    Cursor(String),
    /// Where the list of conversations goes on; absent at its end.
    NextWindow(Option<String>),
    /// Values of the account's own state; older ones than those kept are ignored.
    OwnItems(Vec<OwnItem>),
    /// The account's own state is another one now: forget all of it.
    ClearOwnItems,
    /// The account's own conversation was applied up to here.
    OwnPosition(u32, u64),
    /// A value was set on this device.
    WantValue(WantedValue),
    /// The server has, or has refused, the value that was set under this client id.
    ForgetWanted(ClientId),
    /// Profiles.
    Profiles(Vec<Profile>),
    /// The account as its owner sees it.
    Account(OwnAccount),
    /// A send, new or changed.
    Outbox(Item),
    /// A send is acknowledged or discarded.
    OutboxRemove(ClientId),
    /// The account logged in: whatever another account left behind is gone.
    LogIn(Session),
    /// The account logged out: everything is gone.
    Wipe,
}

impl Cache {
    /// Opens or makes the cache.
    ///
    /// # Errors
    /// Where the file cannot be opened, is no cache, or was written by a newer version.
    pub async fn open(location: &CacheLocation) -> Result<Self, CacheError> {
        let options = SqliteConnectOptions::new()
            .foreign_keys(false)
            .busy_timeout(Duration::from_secs(10))
            // What was deleted must not stay readable in the file.
            .pragma("secure_delete", "ON")
            .synchronous(SqliteSynchronous::Normal);
        let pool = SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None).min_connections(1);
        let pool = match location {
            CacheLocation::File(path) => {
                create_private(path)?;
                let options = options.filename(path).journal_mode(SqliteJournalMode::Wal);
                pool.max_connections(CONNECTIONS).connect_with(options).await?
            }
            CacheLocation::Memory => pool.max_connections(1).connect_with(options.in_memory(true)).await?,
        };
        let cache = Self { pool };
        cache.migrate().await?;
        Ok(cache)
    }

    async fn migrate(&self) -> Result<(), CacheError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *transaction).await?;
        match version {
            VERSION => {}
            0 => {
                sqlx::raw_sql(include_str!("cache/schema.sql")).execute(&mut *transaction).await?;
                sqlx::query("PRAGMA user_version = 1").execute(&mut *transaction).await?;
            }
            _ => return Err(CacheError::TooNew),
        }
        Ok(transaction.commit().await?)
    }

    /// Closes the cache after everything written has reached the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Makes the file readable for its owner alone before anything is in it.
fn create_private(path: &Path) -> Result<(), CacheError> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// SQLite's integers are signed; sequences and times stay far below the border.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
