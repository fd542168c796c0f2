//! General data on one machine: an SQLite database with one writer and a few readers.
//!
//! The ports stand in one file each ([`accounts`](crate::accounts), `activity`, `devices`, `contacts`, `jobs`); this file
//! opens, migrates, checks, copies and cleans the database they share.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction};
use suda_domain::ports::Failure;
use tokio::sync::Notify;

/// Every version of the schema, oldest first. They only go forward.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// How many statements may read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock, and a checkpoint for readers.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a call waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// SQLite's primary result codes that mean something of their own here.
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOTADB: i32 = 26;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later version of Suda has written it.
    #[error(
        "the database {path} has schema {found}, but this version of Suda knows schemas up to {known}; \
         run the version that wrote it, or restore a backup"
    )]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// The schema that it has.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// Its schema could not be brought up to date; nothing was changed.
    #[error("the database {path} could not be brought up to date: {source}; restore a backup if this stays")]
    Migration {
        /// The database's file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// SQLite cannot use the file.
    #[error(
        "the database {path} cannot be opened: {source}; check its folder's owner, permissions and free space"
    )]
    Engine {
        /// The database's file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The folder cannot be synced.
    #[error("the folder of the database {path} cannot be synced: {source}")]
    Folder {
        /// The database's file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The database of accounts, devices, contacts, activity and jobs. Clones share it.
///
/// A call's effect is synced to disk when the call returns. Text that was deleted is overwritten in place
/// (`secure_delete`); copies of it elsewhere in the files leave with [`Database::erase_free_space`].
#[derive(Clone, Debug)]
pub struct Database {
    writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    /// Told when a job was added.
    pub(crate) promised: Arc<Notify>,
}

impl Database {
    /// Opens the database in the file `path`, making it if there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// If the file cannot be used, or a later version of Suda has written it.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let engine = |source| OpenError::Engine { path: path.to_owned(), source };
        let writer = pool(1).connect_with(writer_options(path)).await.map_err(engine)?;
        migrate(&writer, path).await?;
        sync_folder(path).map_err(|source| OpenError::Folder { path: path.to_owned(), source })?;
        let readers = pool(READERS).connect_with(options(path).read_only(true)).await.map_err(engine)?;
        Ok(Self { writer, readers, promised: Arc::new(Notify::new()) })
    }

    /// Waits for the calls under way and closes the files. Later calls fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Copies the database as it stands into the new file `path` and syncs it. Other calls go on meanwhile.
    ///
    /// # Errors
    /// If `path` exists or cannot be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), Failure> {
        let text = path.to_str().ok_or_else(|| Failure::unavailable("the path of the copy is not UTF-8"))?;
        sqlx::query("VACUUM INTO ?1").bind(text).execute(&self.readers).await.map_err(failure)?;
        let copy = tokio::fs::File::open(path).await.map_err(Failure::unavailable)?;
        copy.sync_all().await.map_err(Failure::unavailable)?;
        sync_folder(path).map_err(Failure::unavailable)
    }

    /// Reads everything and compares it with its indexes and references.
    ///
    /// # Errors
    /// [`Failure::Damaged`] with the first problem found.
    pub async fn check(&self) -> Result<(), Failure> {
        let problems: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(1)")
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?;
        if let Some(problem) = problems.into_iter().find(|line| line != "ok") {
            return Err(Failure::Damaged(problem));
        }
        let orphan: Option<String> =
            sqlx::query_scalar("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 1")
                .fetch_optional(&self.readers)
                .await
                .map_err(failure)?;
        match orphan {
            Some(table) => Err(Failure::Damaged(format!("a row of {table} belongs to no account"))),
            None => Ok(()),
        }
    }

    /// Makes what was deleted leave the files. To be called every hour.
    ///
    /// `secure_delete` overwrites a row where it stands, but not the copies that pages keep in unused space after they
    /// were split or merged (measured). So once accounts were deleted, the file is rewritten from its rows.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] if a long read, such as a copy, holds the write-ahead log for now, [`Failure::Full`] if
    /// there is no room for a second copy of the rows: call again later.
    pub async fn erase_free_space(&self) -> Result<(), Failure> {
        let mut connection = self.writer.acquire().await.map_err(failure)?;
        let due: i64 = sqlx::query_scalar("SELECT due FROM erasure")
            .fetch_one(&mut *connection)
            .await
            .map_err(failure)?;
        if due > 0 {
            sqlx::query("VACUUM").execute(&mut *connection).await.map_err(failure)?;
        }
        truncate_write_ahead_log(&mut connection).await?;
        if due > 0 {
            sqlx::query("UPDATE erasure SET due = due - ?1")
                .bind(due)
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        Ok(())
    }

    /// Empties the write-ahead log, which holds earlier states of rows.
    pub(crate) async fn empty_write_ahead_log(&self) -> Result<(), Failure> {
        let mut connection = self.writer.acquire().await.map_err(failure)?;
        truncate_write_ahead_log(&mut connection).await
    }

    /// Begins a transaction that may write; waits for the one before.
    pub(crate) async fn begin(&self) -> Result<Writing, Failure> {
        let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failure)?;
        Ok(Writing { transaction, promised: Arc::clone(&self.promised), has_promised: false })
    }
}

/// A transaction that may write. Dropping it undoes everything.
pub(crate) struct Writing {
    transaction: Transaction<'static, Sqlite>,
    promised: Arc<Notify>,
    /// Whether a job was added, so that somebody must be woken after the commit.
    pub(crate) has_promised: bool,
}

impl Writing {
    /// The connection to run statements on.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Makes it durable.
    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.transaction.commit().await.map_err(failure)?;
        if self.has_promised {
            self.promised.notify_one();
        }
        Ok(())
    }
}

/// On a full disk SQLite ends a transaction by itself, which leaves the driver counting one too many and refusing to begin
/// another: such a connection is replaced.
fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Statements are never logged: they stand beside account data.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).disable_statement_logging()
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    options(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

/// Refuses a schema newer than the newest known, and brings an older one up to date.
async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    let found: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(writer)
        .await
        .map_err(|source| OpenError::Engine { path: path.to_owned(), source })?;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    MIGRATIONS.run(writer).await.map_err(|source| OpenError::Migration { path: path.to_owned(), source })
}

async fn truncate_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let busy: i64 =
        sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await.map_err(failure)?;
    match busy {
        0 => Ok(()),
        _ => Err(Failure::unavailable("a read holds the write-ahead log")),
    }
}

/// Makes the entry of the file `path` in its folder durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// What an engine's error means to the caller of a port.
pub(crate) fn failure(error: sqlx::Error) -> Failure {
    let extended = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    match extended.map(|code| code & 0xff) {
        Some(SQLITE_FULL) => Failure::Full,
        Some(SQLITE_CORRUPT | SQLITE_NOTADB) => Failure::Damaged(error.to_string()),
        _ => Failure::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use suda_domain::ports::Accounts;

    use super::*;

    async fn pragma(pool: &SqlitePool, statement: &'static str) -> i64 {
        sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn a_full_disk_stores_nothing_and_is_no_hindrance_later() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("suda.db")).await.unwrap();
        let pages = pragma(&database.writer, "PRAGMA page_count").await;
        let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::query(limit).execute(&database.writer).await.unwrap();

        let mut stored = 0;
        let failure = loop {
            match database.add_invite([stored; 32], 1, 1).await {
                Ok(()) => stored += 1,
                Err(failure) => break failure,
            }
        };

        assert!(matches!(failure, Failure::Full), "{failure:?}");
        assert_eq!(pragma(&database.readers, "SELECT count(*) FROM invites").await, i64::from(stored));
        // The connection that replaces the full one has no such limit: space has returned.
        database.add_invite([stored; 32], 1, 1).await.unwrap();
    }

    #[tokio::test]
    async fn every_migration_ends_by_setting_its_own_version() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("suda.db")).await.unwrap();
        let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap();
        assert_eq!(pragma(&database.writer, "PRAGMA user_version").await, newest);
    }

    #[tokio::test]
    async fn commits_are_synced_and_deleted_bytes_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("suda.db")).await.unwrap();
        assert_eq!(pragma(&database.writer, "PRAGMA synchronous").await, 2);
        assert_eq!(pragma(&database.writer, "PRAGMA secure_delete").await, 1);
        assert_eq!(pragma(&database.writer, "PRAGMA foreign_keys").await, 1);
    }
}
