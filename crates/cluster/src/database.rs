//! General data in a cluster: a PostgreSQL database that every node uses through a small pool of its own.
//!
//! The ports stand in one file each (`accounts`, `activity`, `devices`, `contacts`, `jobs`), and how they call PostgreSQL in
//! `calls`; this file connects to the database, checks it and brings its schema up to date.

use std::str::FromStr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// Every version of the schema, oldest first. They only go forward.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long a call waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was not used for so long is tried before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long a connection has to show that it works.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a node says that it is alive, and clears up; a third of what `jobs` grants.
const UPKEEP_EVERY: Duration = Duration::from_secs(10);

/// What the server enforces for every connection of a node. A lock is had well before the call's own end, and a
/// transaction whose node froze or was cut off does not keep its locks.
const SESSION: [(&str, &str); 5] = [
    ("statement_timeout", "4s"),
    ("lock_timeout", "3s"),
    ("idle_in_transaction_session_timeout", "3s"),
    ("default_transaction_isolation", "read committed"),
    ("synchronous_commit", "on"),
];

/// What it enforces while the schema is brought up to date: it may take long, but must not wait for ever.
const MIGRATION_SESSION: [(&str, &str); 2] = [("statement_timeout", "1h"), ("lock_timeout", "5min")];

/// The lock of whoever migrates more than this database.
const MIGRATING: i64 = 0x7375_6461;

/// The lock of the node that serves.
const SERVING: i64 = 0x7375_6462;

/// Where the database is and how much of it a node uses. It holds a password, so it cannot be printed.
#[derive(Clone)]
pub struct Settings {
    options: PgConnectOptions,
    connections: u32,
}

impl Settings {
    /// Reads an address such as `postgres://user:password@host:5432/suda?sslmode=verify-full`; a node opens at most so many
    /// `connections`.
    ///
    /// # Errors
    /// If it is no such address.
    pub fn new(address: &str, connections: u32) -> Result<Self, OpenError> {
        let options = PgConnectOptions::from_str(address).map_err(|_| OpenError::Address)?;
        let name = options.get_application_name().unwrap_or("suda").to_owned();
        // Statements are never logged: they stand beside account data.
        let options = options.application_name(&name).disable_statement_logging();
        Ok(Self { options, connections: connections.max(1) })
    }
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address cannot be read. It may hold a password, so it is not repeated.
    #[error("the address of PostgreSQL is not of the form postgres://user:password@host:5432/database")]
    Address,
    /// The schema is not there yet, or older than this version needs.
    #[error(
        "the database has schema {found}, but this version of Suda needs schema {known}; run `suda migrate`"
    )]
    Older {
        /// The schema that it has, 0 for none.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// A later version of Suda has changed it beyond what this version can use.
    #[error(
        "the database has schema {found}, made by a later `suda migrate`, but this version of Suda knows schemas up to \
         {known}; run that later version"
    )]
    Newer {
        /// The schema that it has.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// The schema could not be brought up to date; the migration that failed changed nothing.
    #[error("the database could not be brought up to date: {0}; run `suda migrate` again")]
    Migration(#[source] MigrateError),
    /// Another node serves.
    #[error(
        "another node serves on this database; stop it first: nodes that work side by side are not built yet"
    )]
    Taken,
    /// Texts would be damaged.
    #[error("the database's encoding is {0}; make it anew with the encoding UTF8")]
    Encoding(String),
    /// PostgreSQL does not answer as it should.
    #[error("PostgreSQL cannot be used: {0}; check its address, that it runs, and the rights of its user")]
    Engine(#[from] sqlx::Error),
}

/// The database of accounts, devices, contacts, activity and jobs, as one node uses it. Clones share it.
///
/// A call's effect is durable when the call returns. It returns within five seconds.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) node: Arc<Node>,
}

/// What the clones share.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) pool: PgPool,
    /// Told when this node added a job.
    pub(crate) promised: Notify,
    /// This node, for as long as it runs, as a holder of jobs.
    pub(crate) holder: Uuid,
}

impl Database {
    /// Connects to the database and checks that this version of Suda can work on it.
    ///
    /// # Errors
    /// If it does not answer, or its schema or encoding do not fit.
    pub async fn connect(settings: &Settings) -> Result<Self, OpenError> {
        let options = settings.options.clone().options(SESSION);
        let pool = pool(settings.connections).connect_with(options).await?;
        check(&mut *pool.acquire().await?).await?;
        let node = Arc::new(Node { pool, promised: Notify::new(), holder: Uuid::now_v7() });
        tokio::spawn(keep_up(Arc::downgrade(&node)));
        Ok(Self { node })
    }

    /// Lets go of the jobs this node has in hand, waits for the calls under way and closes the connections. Later calls
    /// fail.
    pub async fn close(&self) {
        if let Err(error) = self.let_go().await {
            tracing::debug!(%error, "the jobs in hand are free for other nodes only later");
        }
        self.node.pool.close().await;
    }
}

/// Says every now and then that the node is alive, and clears up, until it is closed or nobody uses it any more.
async fn keep_up(node: Weak<Node>) {
    while let Some(node) = node.upgrade().filter(|node| !node.pool.is_closed()) {
        let closed = node.pool.close_event();
        let database = Database { node };
        if let Err(error) = database.stay_alive().await {
            tracing::debug!(%error, "this node could not say that it is alive");
        }
        if let Err(error) = database.forget_outcomes().await {
            tracing::debug!(%error, "outcomes of calls are kept for longer");
        }
        drop(database);
        tokio::select! {
            () = sleep(UPKEEP_EVERY) => {}
            () = closed => {}
        }
    }
}

/// The right to be the only node that serves; it ends when this is dropped, or the connection breaks.
pub struct Claim(#[expect(dead_code, reason = "held for what it is")] PgConnection);

/// Makes this the only node that serves, until nodes can work side by side: two would not tell each other's devices of
/// anything.
///
/// # Errors
/// [`OpenError::Taken`] where another node serves.
pub async fn claim(settings: &Settings) -> Result<Claim, OpenError> {
    let mut connection = settings.options.clone().connect().await?;
    let lock = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(SERVING);
    let is_ours: bool = lock.fetch_one(&mut connection).await?;
    if is_ours { Ok(Claim(connection)) } else { Err(OpenError::Taken) }
}

/// Brings the schema up to date; answers the version it had, 0 for none, and the one that it has now.
///
/// It may run twice, and on several nodes at once: the second waits for the first, and finds nothing left to do.
///
/// # Errors
/// If the database does not answer, or has a newer schema, or one that was changed by hand.
pub async fn migrate(settings: &Settings) -> Result<(i64, i64), OpenError> {
    let mut connection = settings.options.clone().options(MIGRATION_SESSION).connect().await?;
    check_encoding(&mut connection).await?;
    let (found, known) = (version(&mut connection).await?, known());
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    MIGRATIONS.run(&mut connection).await.map_err(OpenError::Migration)?;
    let now = version(&mut connection).await?;
    connection.close().await?;
    Ok((found, now))
}

/// As [`migrate`], and `also` while nobody else migrates: for what stands in another engine, and knows no lock.
///
/// # Errors
/// As [`migrate`], and those of `also`.
pub async fn migrate_with<E: From<OpenError>>(
    settings: &Settings,
    also: impl Future<Output = Result<(), E>>,
) -> Result<(i64, i64), E> {
    let connecting = async {
        let mut connection = settings.options.clone().options(MIGRATION_SESSION).connect().await?;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATING).execute(&mut connection).await?;
        Ok::<_, OpenError>(connection)
    };
    // The lock ends with its connection.
    let lock = connecting.await?;
    let versions = migrate(settings).await?;
    also.await?;
    lock.close().await.map_err(OpenError::from)?;
    Ok(versions)
}

/// A pool whose connections are tried when they were idle, and given back only if they answer in time: a server that is
/// gone without a word must not keep them.
fn pool(most: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(
                async move { if about.idle_for > TRUSTED_FOR { ping(connection).await } else { Ok(true) } },
            )
        })
        .after_release(|connection, _| Box::pin(ping(connection)))
}

async fn ping(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let answer = timeout(PING_TIMEOUT, connection.ping()).await;
    answer.map_err(|_| sqlx::Error::PoolTimedOut)?.map(|()| true)
}

/// Whether this version of Suda can work on the database.
async fn check(connection: &mut PgConnection) -> Result<(), OpenError> {
    check_encoding(connection).await?;
    let (found, known) = (version(connection).await?, known());
    if found < known {
        return Err(OpenError::Older { found, known });
    }
    let oldest: i64 =
        sqlx::query_scalar("SELECT oldest FROM compatibility").fetch_one(&mut *connection).await?;
    if oldest > known {
        return Err(OpenError::Newer { found, known });
    }
    let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(connection).await?;
    if fsync != "on" {
        tracing::warn!(
            "PostgreSQL runs with fsync = {fsync}: a power failure may lose or damage general data"
        );
    }
    Ok(())
}

async fn check_encoding(connection: &mut PgConnection) -> Result<(), OpenError> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding").fetch_one(connection).await?;
    if encoding == "UTF8" { Ok(()) } else { Err(OpenError::Encoding(encoding)) }
}

/// The newest version of the schema that this version of Suda knows.
fn known() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

/// The version of the schema in the database, 0 for none.
async fn version(connection: &mut PgConnection) -> Result<i64, OpenError> {
    let has_any: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !has_any {
        return Ok(0);
    }
    let newest: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
        .fetch_one(connection)
        .await?;
    Ok(newest.unwrap_or(0))
}
