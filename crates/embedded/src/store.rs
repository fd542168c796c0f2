//! Everything that Suda keeps on one machine, in one data folder.
//!
//! | in the folder | what |
//! |---|---|
//! | `log/` | the segment log: conversations, the truth |
//! | `index/` | derived from the log; may be deleted while nothing runs |
//! | `suda.db` | accounts, devices, contacts, activity, jobs |
//! | `store.json` | form, log id, epoch |
//! | `lock` | held by the process that uses the folder |

mod backup;
mod check;
mod identity;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use suda_domain::ports::{Failure, Ports};

pub use backup::{BackupError, restore};
pub use check::{CheckError, CheckReport, CheckStep, check};
pub use identity::IdentityError;
use identity::{Identity, sync_folder};

use crate::conversation_log::{ConversationLog, ConversationLogError, ConversationLogOptions};
use crate::database::{self, Database};
use crate::index::IndexOptions;
use crate::index::spill::Fatal;
use crate::log::{LogOptions, OpenReport, RealDisk};

/// The exit status of a process whose storage failed.
const EXIT_STATUS: i32 = 70;

const LOG: &str = "log";
const INDEX: &str = "index";
const DATABASE: &str = "suda.db";

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// How conversations are kept.
    pub conversations: ConversationLogOptions,
    /// Whether to derive the index anew from the whole log.
    pub rebuild_index: bool,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            conversations: ConversationLogOptions {
                log: LogOptions::default(),
                index: IndexOptions::default(),
                index_age: Duration::from_secs(300),
                erase_delay: Duration::from_secs(1),
                merge_segments: 4,
                fatal: end_process(),
            },
            rebuild_index: false,
        }
    }
}

/// Ends the process: what was acknowledged is found again at the next start, and nothing else
/// may be claimed until then.
fn end_process() -> Fatal {
    Arc::new(|what| {
        tracing::error!(what, "the storage failed: ending; start again to recover");
        std::process::exit(EXIT_STATUS);
    })
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the folder.
    #[error("another process uses the data folder {folder}: stop it first")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system refused.
    #[error("the data folder {folder} cannot be used: {source}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file `store.json` cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The log of conversations cannot be used.
    #[error(transparent)]
    Conversations(#[from] ConversationLogError),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] database::OpenError),
}

/// What was found at opening, for the operator.
#[derive(Clone, Debug)]
pub struct StoreReport {
    /// How the log was found; of the log, only what the index did not know was read.
    pub log: OpenReport,
    /// Whether the index was derived from the whole log.
    pub index_was_rebuilt: bool,
    /// The epoch of all conversations.
    pub epoch: u32,
}

/// An open data folder.
pub struct Store {
    folder: PathBuf,
    conversations: ConversationLog,
    database: Database,
    report: StoreReport,
    /// Held, never read.
    _lock: File,
}

impl Store {
    /// Opens the data folder, making it if it is not there.
    ///
    /// # Errors
    /// If another process uses it, or its content cannot be used; nothing acknowledged is lost.
    pub async fn open(folder: &Path, options: StoreOptions) -> Result<Self, OpenError> {
        let path = folder.to_owned();
        let opening = tokio::task::spawn_blocking(move || open_conversations(&path, options));
        let (lock, conversations, report) = opening.await.map_err(io_error(folder))??;
        let database = Database::open(&folder.join(DATABASE)).await?;
        Ok(Self { folder: folder.to_owned(), conversations, database, report, _lock: lock })
    }

    /// The ports to this store. Nothing is closed before the last of them is dropped.
    pub fn ports(&self) -> Ports {
        let database = Arc::new(self.database.clone());
        let conversations = Arc::new(self.conversations.clone());
        Ports {
            log: conversations.clone(),
            inbox: conversations,
            accounts: database.clone(),
            devices: database.clone(),
            contacts: database.clone(),
            activity: database.clone(),
            jobs: database,
        }
    }

    /// What was found at opening.
    pub fn report(&self) -> &StoreReport {
        &self.report
    }

    /// The database of accounts, devices, contacts, activity and jobs.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Lets every device load its conversations anew: the history may differ from what it saw.
    ///
    /// # Errors
    /// If `store.json` cannot be written; then nothing changed.
    pub fn raise_epoch(&self) -> Result<u32, IdentityError> {
        let identity = self.identity().with_next_epoch();
        identity.write(&self.folder)?;
        let epoch = &self.conversations.core.epoch;
        epoch.store(identity.epoch, Ordering::Release);
        Ok(identity.epoch)
    }

    /// Erases everything that is to be erased now; it happens within seconds by itself.
    ///
    /// # Errors
    /// If the disk refuses; it is tried again by itself.
    pub async fn erase(&self) -> Result<(), Failure> {
        let erase =
            |core: &crate::conversation_log::Core| core.eraser.erase_all().map_err(Failure::unavailable);
        self.conversations.blocking(erase).await
    }

    /// Writes the index and closes the database, so that the next start has nothing to replay.
    /// The folder is free once the ports are dropped, too.
    ///
    /// # Errors
    /// If the index could not be written, which loses nothing.
    pub async fn close(self) -> Result<(), Failure> {
        let flushed = self.conversations.blocking(|core| Ok(core.index.flush()?)).await;
        self.database.close().await;
        // Ending its threads waits for the disk.
        let ended = tokio::task::spawn_blocking(move || drop(self)).await;
        flushed.and(ended.map_err(Failure::unavailable))
    }

    fn identity(&self) -> Identity {
        Identity {
            form: identity::FORM,
            log_id: Some(self.conversations.core.log.id()),
            epoch: self.conversations.core.epoch.load(Ordering::Acquire),
        }
    }
}

fn io_error<E: Into<io::Error>>(folder: &Path) -> impl Fn(E) -> OpenError {
    let folder = folder.to_owned();
    move |source| OpenError::Io { folder: folder.clone(), source: source.into() }
}

/// Makes the folder if it is not there, and locks it against other processes.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let open = || {
        fs::create_dir_all(folder)?;
        if let Some(parent) = folder.parent().filter(|path| path.exists()) {
            sync_folder(parent)?;
        }
        OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))
    };
    let file = open().map_err(io_error(folder))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io_error(folder)(source)),
    }
}

fn open_conversations(
    folder: &Path,
    options: StoreOptions,
) -> Result<(File, ConversationLog, StoreReport), OpenError> {
    let lock = lock(folder)?;
    let identity = match Identity::read(folder)? {
        Some(identity) => identity,
        None if folder.join(LOG).exists() => {
            let path = folder.join(identity::NAME);
            return Err(IdentityError::Missing { path }.into());
        }
        None => Identity::NEW,
    };
    // Before the log is made: without this file a log is refused.
    identity.write(folder)?;
    let index = folder.join(INDEX);
    if options.rebuild_index && index.exists() {
        fs::remove_dir_all(&index).map_err(io_error(folder))?;
    }
    let index_was_rebuilt = !index.exists();
    // Its lock also keeps out whoever still holds ports of an earlier store in this process.
    let disk = RealDisk::open(&folder.join(LOG)).map_err(io_error(folder))?;
    let (epoch, log_id) = (identity.epoch, identity.log_id);
    let (conversations, opened) =
        ConversationLog::open(Arc::new(disk), &index, epoch, log_id, options.conversations)?;
    let log = opened.log;
    let index_was_rebuilt = index_was_rebuilt || opened.index_was_stale;
    if log_id.is_none() {
        let log_id = Some(log.log_id);
        Identity { log_id, ..identity }.write(folder)?;
    }
    let report = StoreReport { log, index_was_rebuilt, epoch };
    Ok((lock, conversations, report))
}
