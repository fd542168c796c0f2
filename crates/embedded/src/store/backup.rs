//! Backups of a store that is in use, and bringing one back.
//!
//! A backup holds the log up to a position, the database, and `store.json`; the index is derived
//! anew. The database is copied first and the log's position is taken after it: then every job
//! that the copied database still promises may be done already in the copied log, where doing it
//! again changes nothing; the other way round, a job that was done in between would be in neither.
//! For the same reason an account that was made in between is known to no database, only named
//! as a member: the server shows it as it shows deleted ones.
//!
//! Bodies are not erased while the log is copied: one that is erased half-way through would be
//! damaged in a copy that does not have the entry that deleted it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use suda_domain::ports::Failure;

use super::check::{self, CheckError};
use super::identity::{self, Identity, IdentityError, sync_folder};
use super::{DATABASE, LOG, Store};
use crate::log::{CopyError, RealDisk};

/// Why a backup could not be made or brought back. Nothing is at the destination then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something stands at the destination.
    #[error("{path} exists already: choose another place")]
    Exists {
        /// The destination.
        path: PathBuf,
    },
    /// The source has no `store.json`.
    #[error("{path} is no backup: it has no {name}", name = identity::NAME)]
    NotABackup {
        /// The source.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// The destination.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database could not be copied.
    #[error("the database could not be copied: {0}")]
    Database(#[source] Failure),
    /// The log could not be copied.
    #[error("the log could not be copied: {0}")]
    Log(#[from] CopyError),
    /// The file `store.json` could not be copied.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// What was brought back is damaged.
    #[error("the backup is damaged: {0}")]
    Damaged(#[from] CheckError),
}

impl Store {
    /// Writes a backup into the new folder `to` while everything goes on. It is there as a whole
    /// or not at all.
    ///
    /// # Errors
    /// If `to` exists or cannot be written.
    pub async fn backup(&self, to: &Path) -> Result<(), BackupError> {
        if to.exists() {
            let path = to.to_owned();
            return Err(BackupError::Exists { path });
        }
        let partial = begin(to)?;
        let copied = self.database.copy_to(&partial.join(DATABASE)).await;
        copied.map_err(BackupError::Database)?;
        let conversations = self.conversations.clone();
        let identity = self.identity();
        let (partial_folder, to_folder) = (partial.clone(), to.to_owned());
        let copying = tokio::task::spawn_blocking(move || {
            let disk = RealDisk::open(&partial_folder.join(LOG)).map_err(io_error(&to_folder))?;
            let core = &conversations.core;
            core.eraser.pause_during(|| core.log.copy_to(&disk, core.log.end()))?;
            identity.write(&partial_folder)?;
            finish(&partial_folder, &to_folder)
        });
        copying.await.map_err(io_error(to))?
    }
}

/// Brings a backup back into `folder`, which must be empty or not there, and checks it. Answers
/// the new epoch: every device loads its conversations anew, since it may have seen what came
/// after the backup.
///
/// # Errors
/// If `folder` holds anything, or the backup cannot be read or is damaged.
pub async fn restore(from: &Path, folder: &Path) -> Result<u32, BackupError> {
    let is_empty = |mut files: fs::ReadDir| files.next().is_none();
    if folder.exists() && !fs::read_dir(folder).map(is_empty).map_err(io_error(folder))? {
        let path = folder.to_owned();
        return Err(BackupError::Exists { path });
    }
    let Some(identity) = Identity::read(from)? else {
        let path = from.to_owned();
        return Err(BackupError::NotABackup { path });
    };
    let identity = identity.with_next_epoch();
    let partial = begin(folder)?;
    let (source, destination) = (from.to_owned(), partial.clone());
    let copying = tokio::task::spawn_blocking(move || {
        copy_store(&source, &destination).map_err(io_error(&destination))?;
        Ok::<_, BackupError>(identity.write(&destination)?)
    });
    copying.await.map_err(io_error(folder))??;
    check::check(&partial, &mut |_| {}).await?;
    finish(&partial, folder)?;
    Ok(identity.epoch)
}

fn io_error<E: Into<io::Error>>(path: &Path) -> impl Fn(E) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path: path.clone(), source: source.into() }
}

/// Makes an empty folder beside `to`, in which its content is put together.
fn begin(to: &Path) -> Result<PathBuf, BackupError> {
    let mut name = to.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".suda-unfinished");
    let partial = to.with_file_name(name);
    let make = || {
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)
    };
    make().map_err(io_error(&partial))?;
    Ok(partial)
}

/// Gives the folder its name once everything in it is durable.
fn finish(partial: &Path, to: &Path) -> Result<(), BackupError> {
    let name = || {
        sync_folder(partial)?;
        fs::rename(partial, to)?;
        let parent = to.parent().filter(|path| !path.as_os_str().is_empty());
        sync_folder(parent.unwrap_or(Path::new(".")))
    };
    name().map_err(io_error(to))
}

/// Copies the log and the database, which nothing uses.
fn copy_store(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to.join(LOG))?;
    copy_files(&from.join(LOG), &to.join(LOG), "")?;
    // With what SQLite keeps beside the file, if the source is no backup but a folder that was in
    // use.
    copy_files(from, to, DATABASE)
}

/// Copies and syncs the files in a folder whose names begin with `prefix`.
fn copy_files(from: &Path, to: &Path, prefix: &str) -> io::Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        let name = file.file_name();
        let is_wanted = name.to_str().is_some_and(|name| name.starts_with(prefix));
        if is_wanted && file.file_type()?.is_file() {
            fs::copy(file.path(), to.join(&name))?;
            File::open(to.join(&name))?.sync_all()?;
        }
    }
    sync_folder(to)
}
