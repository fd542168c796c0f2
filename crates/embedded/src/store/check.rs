//! Checking a data folder that nothing uses.
//!
//! The whole log is read, an index is derived from it beside the one there is, and the two are
//! compared at the position up to which the latter is applied. Then the database is checked.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use suda_domain::message::MessageState;
use suda_domain::ports::Failure;
use suda_domain::stored::Stored;

use super::identity::Identity;
use super::{DATABASE, INDEX, LOG, OpenError, lock};
use crate::conversation_log::ConversationLogError;
use crate::database::Database;
use crate::index::tables::{self, Key, RunRow, Value};
use crate::index::{Index, IndexError, IndexOptions};
use crate::log::{self, OpenReport, Position, RealDisk};

/// Where the index is derived that is compared with the one there is.
const DERIVED: &str = "index.check";

/// What is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStep {
    /// The log, segment by segment.
    Log {
        /// The segment's number.
        segment: u32,
    },
    /// The index against the log.
    Index,
    /// The database.
    Database,
}

/// A sound data folder.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// What is in the log.
    pub log: OpenReport,
    /// How many rows of the index were compared; `None` if there is no index, which is derived
    /// at the next start.
    pub index_rows: Option<u64>,
}

/// What is wrong with a data folder.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It is in use, or cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log is damaged.
    #[error(transparent)]
    Log(#[from] log::OpenError),
    /// The index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The index is not what follows from the log.
    #[error("the index does not follow from the log (table {table}): rebuild it")]
    IndexDiffers {
        /// The first table with a difference, by its number.
        table: u8,
    },
    /// The position of the index is not in the log.
    #[error("the index has applied the log up to {applied}, which is no boundary there: rebuild it")]
    IndexPosition {
        /// The position.
        applied: Position,
    },
    /// The database is damaged.
    #[error("the database: {0}")]
    Database(#[source] Failure),
}

/// Checks the data folder and tells `step` how far it has come. No process may use the folder.
/// The log and the index stay as they are; the database is brought to the current schema.
///
/// # Errors
/// The first thing that is wrong.
pub async fn check(
    folder: &Path,
    step: &mut (dyn FnMut(CheckStep) + Send),
) -> Result<CheckReport, CheckError> {
    let _lock = lock(folder)?;
    Identity::read(folder).map_err(OpenError::from)?;
    // On this thread, so that `step` need not outlive the call.
    let report = check_conversations(folder, step)?;
    step(CheckStep::Database);
    let database = Database::open(&folder.join(DATABASE)).await.map_err(OpenError::from)?;
    let checked = database.check().await;
    database.close().await;
    checked.map_err(CheckError::Database)?;
    Ok(report)
}

fn check_conversations(
    folder: &Path,
    step: &mut (dyn FnMut(CheckStep) + Send),
) -> Result<CheckReport, CheckError> {
    let unusable = |source| OpenError::Io { folder: folder.to_owned(), source };
    let disk = RealDisk::open(&folder.join(LOG)).map_err(unusable)?;
    let scratch = Scratch::new(folder.join(DERIVED)).map_err(unusable)?;
    let derived = Index::open(&scratch.folder, IndexOptions::default())?;
    let index = folder.join(INDEX);
    let index = match index.exists() {
        true => Some(Index::open(&index, IndexOptions::default())?),
        false => None,
    };
    let merged_end = log::merged_end(&disk)?;
    // One that is derived anew at the next start need not be right.
    let wanted = index.filter(|index| index.applied() != Position::START && !index.is_stale(merged_end));
    let mut comparison = Comparison { wanted, rows: None };
    let mut segment = 0;
    let report = log::check(&disk, &mut |group| {
        if group.end.segment != segment {
            segment = group.end.segment;
            step(CheckStep::Log { segment });
        }
        // One by one: the index that there is may end at any of them.
        let mut replay = derived.replay();
        replay.take(group)?;
        replay.apply()?;
        if comparison.is_due(&derived) {
            step(CheckStep::Index);
            comparison.compare(&derived)?;
        }
        Ok(())
    });
    let log = report.map_err(|error| match error {
        log::OpenError::Visitor(error) => match error.downcast::<CheckError>() {
            Ok(error) => *error,
            Err(error) => CheckError::Log(log::OpenError::Visitor(error)),
        },
        error => CheckError::Log(error),
    })?;
    if let Some(index) = &comparison.wanted {
        if !index.belongs_to(log.log_id) {
            return Err(OpenError::from(ConversationLogError::ForeignIndex).into());
        }
        if comparison.rows.is_none() {
            let applied = index.applied();
            return Err(CheckError::IndexPosition { applied });
        }
    }
    Ok(CheckReport { log, index_rows: comparison.rows })
}

/// A folder that is removed when this is dropped.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new(folder: PathBuf) -> io::Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, "a scratch index could not be removed");
        }
    }
}

/// The index that there is, and whether it was compared.
struct Comparison {
    wanted: Option<Index>,
    rows: Option<u64>,
}

impl Comparison {
    fn is_due(&self, derived: &Index) -> bool {
        let applied = derived.applied();
        self.rows.is_none() && self.wanted.as_ref().is_some_and(|index| index.applied() == applied)
    }

    fn compare(&mut self, derived: &Index) -> Result<(), CheckError> {
        let Some(index) = &self.wanted else {
            return Ok(());
        };
        let merged = index.merged();
        let (mut existing, mut derived) = (Rows::of(index, merged), Rows::of(derived, merged));
        let mut rows = 0;
        let (mut next, mut expected) = (existing.next()?, derived.next()?);
        loop {
            match (&next, &expected) {
                (None, None) => break,
                (existing, Some(row)) if is_missing_mark(existing.as_ref(), row) => {
                    expected = derived.next()?;
                    continue;
                }
                (Some(one), Some(other)) if agree(one, other)? => {}
                (Some(one), Some(other)) => return Err(differs(one, other)),
                (Some(one), None) | (None, Some(one)) => return Err(differs(one, one)),
            }
            rows += 1;
            (next, expected) = (existing.next()?, derived.next()?);
        }
        self.rows = Some(rows);
        Ok(())
    }
}

/// The rows of an index one after the other, save those of runs that the index which there is
/// does not know of yet.
struct Rows<'i> {
    index: &'i Index,
    /// The last segment of which it knows all runs.
    merged: u32,
    page: std::vec::IntoIter<(Key, Value)>,
    after: Option<Key>,
}

impl<'i> Rows<'i> {
    fn of(index: &'i Index, merged: u32) -> Self {
        Self { index, merged, page: Vec::new().into_iter(), after: None }
    }

    fn next(&mut self) -> Result<Option<(Key, Value)>, CheckError> {
        loop {
            let Some((key, value)) = self.page.next() else {
                let page = self.index.rows_behind(self.after.as_deref())?;
                let Some((last, _)) = page.last() else {
                    return Ok(None);
                };
                self.after = Some(last.clone());
                self.page = page.into_iter();
                continue;
            };
            let is_known = key.first() != Some(&tables::RUN)
                || RunRow::decode(&value).map_err(IndexError::from)?.file <= self.merged;
            if is_known {
                return Ok(Some((key, value)));
            }
        }
    }
}

fn differs(one: &(Key, Value), other: &(Key, Value)) -> CheckError {
    let table = one.0.first().min(other.0.first());
    CheckError::IndexDiffers { table: table.copied().unwrap_or(0) }
}

/// Whether only the derived index marks an entry as hidden: it was erased in the log since the
/// other one was written.
fn is_missing_mark(existing: Option<&(Key, Value)>, derived: &(Key, Value)) -> bool {
    derived.0.first() == Some(&tables::HIDDEN) && existing.is_none_or(|existing| existing.0 > derived.0)
}

/// Whether a row is what follows from the log, or will be: what was erased in the log since it
/// was written is missing in the derived row only.
fn agree(existing: &(Key, Value), derived: &(Key, Value)) -> Result<bool, IndexError> {
    if existing == derived {
        return Ok(true);
    }
    if existing.0 != derived.0 || existing.0.first() != Some(&tables::MESSAGE) {
        return Ok(false);
    }
    let mut existing = MessageState::decode(&existing.1)?;
    let derived = MessageState::decode(&derived.1)?;
    let stand = &derived.reactions;
    existing.reactions.retain(|account, _| stand.contains_key(account));
    Ok(existing == derived)
}
