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
use crate::index::tables::{self, EntryRow, Key, Value};
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
    let mut comparison =
        Comparison { wanted: index.filter(|index| index.applied() != Position::START), rows: None };
    let mut segment = 0;
    let report = log::check(&disk, &mut |group| {
        if group.end.segment != segment {
            segment = group.end.segment;
            step(CheckStep::Log { segment });
        }
        derived.apply_replayed(group)?;
        derived.spill_if_full()?;
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
        let (mut rows, mut after) = (0, None::<Key>);
        loop {
            let existing = index.rows_behind(after.as_deref())?;
            let expected = derived.rows_behind(after.as_deref())?;
            let pairs = existing.iter().zip(&expected);
            for (existing, expected) in pairs {
                if !agree(existing, expected)? {
                    return Err(differs(existing, expected));
                }
            }
            match (existing.get(expected.len()).or(expected.get(existing.len())), existing.last()) {
                (Some(surplus), _) => return Err(differs(surplus, surplus)),
                (None, Some((last, _))) => after = Some(last.clone()),
                (None, None) => break,
            }
            rows += existing.len() as u64;
        }
        self.rows = Some(rows);
        Ok(())
    }
}

fn differs(one: &(Key, Value), other: &(Key, Value)) -> CheckError {
    let table = one.0.first().min(other.0.first());
    CheckError::IndexDiffers { table: table.copied().unwrap_or(0) }
}

/// Whether a row is what follows from the log, or will be: what was erased in the log since it
/// was written is missing in the derived row only.
fn agree(existing: &(Key, Value), derived: &(Key, Value)) -> Result<bool, IndexError> {
    if existing == derived {
        return Ok(true);
    }
    if existing.0 != derived.0 {
        return Ok(false);
    }
    match existing.0.first() {
        Some(&tables::ENTRY) => {
            let existing = EntryRow::decode(&existing.1)?;
            let derived = EntryRow::decode(&derived.1)?;
            let hidden = true;
            Ok(EntryRow { hidden, ..existing } == derived)
        }
        Some(&tables::MESSAGE) => {
            let mut existing = MessageState::decode(&existing.1)?;
            let derived = MessageState::decode(&derived.1)?;
            let stand = &derived.reactions;
            existing.reactions.retain(|account, _| stand.contains_key(account));
            Ok(existing == derived)
        }
        _ => Ok(false),
    }
}
