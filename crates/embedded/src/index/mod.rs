//! The index: what can be asked of the log without reading it through.
//!
//! It is a pure function of the log. The log is durable first; the index takes over what was
//! synced, keeps the changed rows in memory, and writes them into an LMDB database in large
//! sorted batches on a thread of its own, each in one transaction with the position up to which
//! the log is applied. What a crash takes from memory is derived again from the log's tail.
//!
//! Each of its rows depends on the records of one conversation only, in their order. So merging
//! segments, which keeps that order and no other, changes no row but those that say where entries
//! are.
//!
//! | file | what |
//! |---|---|
//! | `tables` | which rows there are |
//! | `memory`, `rows`, `row_bytes`, `view` | rows not written yet; reading through them into the database |
//! | `hot` | the values that were changed last |
//! | `touched` | when conversations in lists that were read lately were touched |
//! | `locations` | where entries are that stand in segments; in memory only |
//! | `apply`, `replay` | from a record to the rows that it changes; many that are read back |
//! | `spill` | the thread that writes rows into the database |
//! | `eraser` | the thread that erases bodies in the log |
//! | `bell` | how such a thread is woken |

pub mod apply;
pub mod bell;
pub mod eraser;
mod hot;
pub mod locations;
mod memory;
mod replay;
mod row_bytes;
mod rows;
pub mod spill;
pub mod tables;
#[cfg(test)]
mod tests;
mod touched;
pub mod view;

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, WithoutTls};
use suda_domain::ports::Failure;
use suda_domain::stored::StoredError;
use suda_proto::ConversationId;
use uuid::Uuid;

use crate::log::Position;
use apply::Changes;
use bell::Bell;
use hot::Hot;
use locations::Locations;
use memory::{Layers, Progress};
use tables::{FORM, Key, META_KEY, Meta, Value};
use touched::Touched;
use view::View;

/// Most reads at the same time.
const MOST_READERS: u32 = 1_024;

/// The limits of an index.
#[derive(Clone, Debug)]
pub struct IndexOptions {
    /// The most that the database may take on disk, in bytes; it is not reserved.
    pub database_bytes: usize,
    /// Rows in memory are written once they take this much, in bytes.
    pub batch_bytes: usize,
    /// Rows in memory are written once this much of the log has led to them, in bytes: what is
    /// read again after a crash.
    pub batch_log_bytes: u64,
    /// The most that rows may take in memory, in bytes; then appends are refused.
    pub memory_bytes: usize,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            database_bytes: 64 << 30,
            batch_bytes: 32 << 20,
            batch_log_bytes: 96 << 20,
            memory_bytes: 64 << 20,
        }
    }
}

/// Why the index could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// LMDB refused.
    #[error("the index cannot be used: {0}")]
    Engine(#[from] heed::Error),
    /// A row or a record has a form that this program does not know.
    #[error("the index or the log has a row that cannot be read: {0}")]
    Stored(#[from] StoredError),
    /// An entry does not continue its conversation.
    #[error(
        "entry {seq} of conversation {conversation} follows {head}: \
         log and index do not belong together, rebuild the index"
    )]
    Disorder {
        /// The conversation.
        conversation: ConversationId,
        /// The entry's number.
        seq: u64,
        /// The number before it in the index.
        head: u64,
    },
    /// A row that must be there is not.
    #[error("the index lacks {what} of conversation {conversation}: rebuild it")]
    Missing {
        /// The conversation.
        conversation: ConversationId,
        /// What is missing.
        what: &'static str,
    },
    /// The index was written by a later version of Suda.
    #[error(
        "the index has form {found}, this version of Suda knows forms up to {FORM}: \
         run the version that wrote it, or rebuild the index"
    )]
    Newer {
        /// The form found.
        found: u32,
    },
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Engine(error) => Self::unavailable(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}

impl IndexError {
    /// Whether there is no room on the disk or in the database.
    pub(crate) fn is_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::Engine(heed::Error::Io(error)) => {
                matches!(error.kind(), StorageFull | QuotaExceeded)
            }
            Self::Engine(heed::Error::Mdb(error)) => matches!(error, heed::MdbError::MapFull),
            _ => false,
        }
    }
}

/// Whether the index can take more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// It can.
    Enough,
    /// Not before the rows in memory are written.
    Busy,
    /// Not before there is room on the disk.
    DiskFull,
}

/// The index.
pub struct Index {
    environment: Env<WithoutTls>,
    rows: Database<'static, Bytes, Bytes>,
    options: IndexOptions,
    layers: RwLock<Layers>,
    /// Held by whoever reads rows in order to change them.
    changing: Mutex<Hot>,
    /// Held by whoever writes rows into the database.
    spilling: Mutex<()>,
    disk_is_full: AtomicBool,
    latest: AtomicU64,
    log_id: OnceLock<Uuid>,
    /// The form of the database; [`FORM`] if it is new.
    form: u32,
    /// Where the entries in segments are.
    pub locations: Locations,
    /// When conversations were touched.
    pub touched: Touched,
    /// Wakes the thread that writes rows.
    spill_bell: Bell,
    /// Wakes the thread that erases bodies.
    pub erase_bell: Bell,
    /// Wakes the thread that merges segments.
    pub merge_bell: Bell,
}

impl Index {
    /// Opens the index in `folder`, or begins an empty one if there is none. Only one process may
    /// have it open.
    pub fn open(folder: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        std::fs::create_dir_all(folder).map_err(heed::Error::Io)?;
        let environment = open_environment(folder, options.database_bytes)?;
        let transaction = environment.write_txn()?;
        let rows = environment
            .create_databases_and_commit(transaction, |opener, transaction| {
                let rows = opener.create_database::<Bytes, Bytes>(transaction, None)?;
                Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(rows))
            })?
            .unwrap_commit();
        let mut index = Self {
            environment,
            rows,
            options,
            layers: RwLock::new(Layers::new(Position::START, 0, 0)),
            changing: Mutex::default(),
            spilling: Mutex::default(),
            disk_is_full: AtomicBool::new(false),
            latest: AtomicU64::new(0),
            log_id: OnceLock::new(),
            form: FORM,
            locations: Locations::default(),
            touched: Touched::default(),
            spill_bell: Bell::default(),
            erase_bell: Bell::default(),
            merge_bell: Bell::default(),
        };
        if let Some(meta) = index.meta()? {
            index.form = meta.form;
            index.layers = RwLock::new(Layers::new(meta.applied(), meta.latest, meta.merged));
            index.latest = AtomicU64::new(meta.latest);
            index.log_id = OnceLock::from(meta.log_id());
        }
        Ok(index)
    }

    /// Whether the index has to be derived anew from the whole log: it has an older form, or has
    /// applied the log less far than up to `merged_end`, where what was merged ends.
    pub fn is_stale(&self, merged_end: Position) -> bool {
        let applied = self.applied();
        let is_begun = self.log_id.get().is_some() && applied == Position::START;
        self.form < FORM || is_begun || applied < merged_end
    }

    /// Makes the index empty.
    pub fn clear(&mut self) -> Result<(), IndexError> {
        let mut transaction = self.environment.write_txn()?;
        self.rows.clear(&mut transaction)?;
        transaction.commit()?;
        self.layers = RwLock::new(Layers::new(Position::START, 0, 0));
        self.latest = AtomicU64::new(0);
        self.log_id = OnceLock::new();
        self.form = FORM;
        self.changing = Mutex::default();
        Ok(())
    }

    /// Names the log that the index is derived from; answers whether it is the one that it was
    /// derived from so far.
    pub fn belongs_to(&self, log_id: Uuid) -> bool {
        *self.log_id.get_or_init(|| log_id) == log_id
    }

    /// How far the log is applied, as far as a crash of this instant would leave it or further.
    pub fn applied(&self) -> Position {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.applied()
    }

    /// The last segment of which all runs are known; 0 if none is merged.
    pub fn merged(&self) -> u32 {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.merged()
    }

    /// The highest time of an entry, milliseconds since 1970.
    pub fn latest(&self) -> u64 {
        self.latest.load(Ordering::Acquire)
    }

    /// Reads rows.
    pub fn view(&self) -> Result<View<'_>, IndexError> {
        View::new(self)
    }

    /// Whether appends can be taken.
    pub fn room(&self) -> Room {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        if layers.bytes() < self.options.memory_bytes {
            Room::Enough
        } else if self.disk_is_full.load(Ordering::Relaxed) {
            Room::DiskFull
        } else {
            Room::Busy
        }
    }

    /// A row if it is in memory: `Some(None)` if it is known not to exist.
    pub fn remembered<T: suda_domain::stored::Stored>(
        &self,
        key: &[u8],
    ) -> Result<Option<Option<T>>, IndexError> {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        let Some(value) = layers.get(key) else {
            return Ok(None);
        };
        let value = value.map(|value| T::decode(value)).transpose()?;
        Ok(Some(value))
    }

    /// Changes rows: all changes of `change` become visible at once, none if it fails. The log is
    /// applied up to `applied` with them, if that is given.
    pub fn change<T>(
        &self,
        applied: Option<Position>,
        change: impl FnOnce(&mut Changes<'_>) -> Result<T, IndexError>,
    ) -> Result<T, IndexError> {
        let mut hot = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = Changes::new(self, &mut hot);
        let answer = match change(&mut changes) {
            Ok(answer) => answer,
            Err(error) => {
                drop(changes);
                // It has what was not changed after all.
                hot.clear();
                return Err(error);
            }
        };
        let Changes { rows, latest, erases, located, touched, log_bytes, merged, .. } = changes;
        self.latest.fetch_max(latest, Ordering::AcqRel);
        if !located.is_empty() {
            // Before the heads that lead readers to them.
            self.locations.add(located);
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let before = layers.applied();
        layers.put(rows, &Progress { applied, merged, latest, log_bytes });
        let batch_is_full = self.is_full(&layers);
        drop(layers);
        // Now that readers see it.
        touched.into_iter().for_each(|(conversation, at)| self.touched.set(conversation, at));
        if batch_is_full {
            self.spill_bell.ring();
        }
        if applied.is_some_and(|applied| applied.segment > before.segment) {
            self.merge_bell.ring();
        }
        if erases {
            self.erase_bell.ring();
        }
        Ok(answer)
    }

    /// Whether the rows that still change are to be written.
    fn is_full(&self, layers: &Layers) -> bool {
        layers.active_bytes() >= self.options.batch_bytes
            || layers.log_bytes() >= self.options.batch_log_bytes
    }

    /// The next rows behind `after`, or the first, without those about erasures to come: for
    /// comparing two indexes. Empty at the end.
    pub fn rows_behind(&self, after: Option<&[u8]>) -> Result<Vec<(Key, Value)>, IndexError> {
        let (end, _) = tables::erasing_keys();
        let from = [after.unwrap_or(META_KEY), &[0]].concat();
        self.view()?.range(&from, &end, 1_024)
    }

    /// What the database says about itself; `None` if it is new.
    fn meta(&self) -> Result<Option<Meta>, IndexError> {
        let meta: Option<Meta> = self.view()?.get(META_KEY)?;
        match meta {
            Some(Meta { form, .. }) if form > FORM => Err(IndexError::Newer { found: form }),
            meta => Ok(meta),
        }
    }
}

/// Maps the database into memory.
#[allow(unsafe_code)]
fn open_environment(folder: &Path, bytes: usize) -> Result<Env<WithoutTls>, heed::Error> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(bytes).max_readers(MOST_READERS);
    // SAFETY: the mapped file must only be changed through LMDB. The store's lock keeps other
    // processes out, and nothing else in this one touches the folder while it is open.
    unsafe { options.open(folder) }
}
