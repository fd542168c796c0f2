//! One call of a port: attempts within a bounded time, and what PostgreSQL's errors mean.
//!
//! A call is attempted again, as a whole, when the connection was lost, the server restarted, or another transaction stood
//! in the way. Where the connection is lost while committing, nobody knows whether the transaction was committed, so the
//! next attempt must find out:
//!
//! - [`Database::write`] is for calls whose second run finds the first one's effect, changes nothing more and answers the
//!   same: it simply runs again. Should the first commit be still under way, the two want the same locks, so the second run
//!   begins to look when the first has ended.
//! - [`Database::write_once`] is for calls that would answer otherwise (a device that is gone cannot be removed again, a
//!   recovery code serves once) or count twice. Their transactions add a row to `outcomes`, always of the same id. The next
//!   attempt adds it too: that waits until the transaction before has ended, and fails if it was committed. Then what it
//!   was about to answer is the answer.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Postgres};
use suda_domain::ports::Failure;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use crate::database::Database;

/// How long a call takes at most, whatever happens.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before the second attempt; it doubles from one to the next, so a call makes about fifteen.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// PostgreSQL's codes that mean something of their own here.
const DISK_FULL: &str = "53100";
const UNIQUE_VIOLATION: &str = "23505";

/// A statement with its parameters.
pub(crate) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// Why an attempt failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The engine or the way to it.
    #[error(transparent)]
    Engine(#[from] sqlx::Error),
    /// A row is not what was stored.
    #[error("{0}")]
    Damaged(String),
    /// What was just seen has changed since; look again.
    #[error("another transaction came between")]
    Overtaken,
    /// There was no answer in time.
    #[error("no answer within {} s", CALL_TIMEOUT.as_secs())]
    TimedOut,
}

impl Trouble {
    /// Whether another attempt may fare better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Engine(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| is_passing_code(&code))
            }
            Self::Engine(error) => is_connection_lost(error),
            Self::Overtaken => true,
            Self::Damaged(_) | Self::TimedOut => false,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        let is_passing = trouble.is_passing();
        match trouble {
            Trouble::Damaged(what) => Self::Damaged(what),
            Trouble::Engine(sqlx::Error::Database(error)) => match error.code().as_deref() {
                Some(DISK_FULL) => Self::Full,
                Some(code) if code.starts_with("XX00") => Self::Damaged(error.to_string()),
                _ if is_passing => Self::unavailable(sqlx::Error::Database(error)),
                _ => Self::Refused(Box::new(sqlx::Error::Database(error))),
            },
            Trouble::Engine(error @ sqlx::Error::PoolClosed) => Self::unavailable(error),
            Trouble::Engine(error) if !is_passing => Self::Refused(Box::new(error)),
            other => Self::unavailable(other),
        }
    }
}

/// Whether the error stands for a connection that broke or could not be had.
const fn is_connection_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    matches!(
        error,
        Error::Io(_)
            | Error::Tls(_)
            | Error::Protocol(_)
            | Error::PoolTimedOut
            | Error::WorkerCrashed
            | Error::BeginFailed
    )
}

/// Whether an SQLSTATE is about the moment: connection (08), rollback by conflict or deadlock (40), resources (53, but
/// a full disk does not pass by itself), a server going down or coming up and a statement that took too long (57), its
/// operating system (58), a lock that was not had in time, a server that became a standby, an idle transaction's end.
fn is_passing_code(code: &str) -> bool {
    const PASSING_CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];
    const PASSING: [&str; 3] = ["55P03", "25006", "25P03"];
    code != DISK_FULL
        && (PASSING_CLASSES.iter().any(|class| code.starts_with(class)) || PASSING.contains(&code))
}

/// The attempts of one call.
struct Attempts {
    deadline: Instant,
    pause: Duration,
}

impl Attempts {
    fn begin() -> Self {
        Self { deadline: Instant::now() + CALL_TIMEOUT, pause: FIRST_PAUSE }
    }

    /// Runs an attempt for as long as there is time.
    async fn bounded<T>(&self, attempt: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        timeout_at(self.deadline, attempt).await.unwrap_or(Err(Trouble::TimedOut))
    }

    /// Waits before the next attempt, or says why there is none. The pause is random, so that those that stood in each
    /// other's way do not meet again.
    async fn again(&mut self, trouble: Trouble) -> Result<(), Failure> {
        let pause = self.pause.mul_f64(rand::random_range(0.5..1.5));
        if !trouble.is_passing() || Instant::now() + pause >= self.deadline {
            return Err(trouble.into());
        }
        tracing::debug!(error = %trouble, "a call to PostgreSQL is attempted again");
        sleep(pause).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
        Ok(())
    }
}

/// A connection in use. Only one whose answers were all read goes back to the pool; dropped before, in the middle of a
/// statement or a transaction, it is closed at once, which undoes the transaction. Putting it back would wait for the
/// answer, for ever if the server is frozen.
struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is given back")
    }

    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// A transaction that may write. Dropping it undoes everything.
pub(crate) struct Writing {
    held: Held,
    /// Whether a job was added, so that somebody must be woken after the commit.
    pub(crate) has_promised: bool,
    /// Whether everything is to be undone although the call succeeds.
    pub(crate) is_refused: bool,
}

impl Writing {
    /// Runs a statement and answers how many rows it touched.
    pub(crate) async fn execute(&mut self, statement: Statement<'_>) -> Result<u64, Trouble> {
        Ok(statement.execute(self.held.connection()).await?.rows_affected())
    }

    /// Runs a statement and answers its rows.
    pub(crate) async fn rows(&mut self, statement: Statement<'_>) -> Result<Vec<PgRow>, Trouble> {
        Ok(statement.fetch_all(self.held.connection()).await?)
    }

    /// Runs a statement and answers its first row.
    pub(crate) async fn row(&mut self, statement: Statement<'_>) -> Result<Option<PgRow>, Trouble> {
        Ok(statement.fetch_optional(self.held.connection()).await?)
    }
}

impl Database {
    /// Reads the rows that `statement` asks for.
    pub(crate) async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q>,
    ) -> Result<Vec<PgRow>, Failure> {
        let mut attempts = Attempts::begin();
        loop {
            match attempts.bounded(self.try_rows(statement())).await {
                Ok(rows) => return Ok(rows),
                Err(trouble) => attempts.again(trouble).await?,
            }
        }
    }

    /// Writes what a second run would not change any more; see the top of this file.
    pub(crate) async fn write<T, F>(&self, attempt: impl Fn(Writing) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<(Writing, T), Trouble>>,
    {
        let mut attempts = Attempts::begin();
        loop {
            match attempts.bounded(self.try_write(&attempt)).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => attempts.again(trouble).await?,
            }
        }
    }

    /// Writes what must not be done twice; see the top of this file.
    pub(crate) async fn write_once<T, F>(&self, attempt: impl Fn(Writing) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<(Writing, T), Trouble>>,
    {
        let id = Uuid::now_v7();
        let mut answer = None;
        let mut attempts = Attempts::begin();
        loop {
            match attempts.bounded(self.try_once(id, &attempt, &mut answer)).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => attempts.again(trouble).await?,
            }
        }
    }

    /// Forgets outcomes that no call can ask for any more.
    pub(crate) async fn forget_outcomes(&self) -> Result<(), Failure> {
        self.write(|mut writing| async {
            let old = "DELETE FROM outcomes WHERE id IN (
                           SELECT id FROM outcomes WHERE committed_at < now() - interval '10 minutes'
                           LIMIT 10000 FOR UPDATE SKIP LOCKED)";
            writing.execute(sqlx::query(old)).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn try_rows(&self, statement: Statement<'_>) -> Result<Vec<PgRow>, Trouble> {
        let mut held = self.hold().await?;
        let rows = statement.fetch_all(held.connection()).await?;
        held.give_back();
        Ok(rows)
    }

    async fn try_write<T, F>(&self, attempt: &impl Fn(Writing) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<(Writing, T), Trouble>>,
    {
        let mut held = self.hold().await?;
        held.connection().execute("BEGIN").await?;
        let (writing, answer) = attempt(writing(held)).await?;
        self.end(writing).await?;
        Ok(answer)
    }

    /// `answer` is what the attempt before was about to answer.
    async fn try_once<T, F>(
        &self,
        id: Uuid,
        attempt: &impl Fn(Writing) -> F,
        answer: &mut Option<T>,
    ) -> Result<T, Trouble>
    where
        F: Future<Output = Result<(Writing, T), Trouble>>,
    {
        let mut held = self.hold().await?;
        let begin = AssertSqlSafe(format!("BEGIN; INSERT INTO outcomes (id) VALUES ('{id}')"));
        match held.connection().execute(sqlx::raw_sql(begin)).await {
            Err(error) if has_code(&error, UNIQUE_VIOLATION) => {
                return answer.take().ok_or(Trouble::Overtaken);
            }
            begun => begun?,
        };
        let (writing, now) = attempt(writing(held)).await?;
        *answer = Some(now);
        self.end(writing).await?;
        answer.take().ok_or(Trouble::Overtaken)
    }

    /// Commits, and wakes whoever waits for jobs.
    async fn end(&self, mut writing: Writing) -> Result<(), Trouble> {
        let end = if writing.is_refused { "ROLLBACK" } else { "COMMIT" };
        writing.held.connection().execute(end).await?;
        if writing.has_promised && !writing.is_refused {
            self.node.promised.notify_one();
        }
        writing.held.give_back();
        Ok(())
    }

    async fn hold(&self) -> Result<Held, Trouble> {
        Ok(Held(Some(self.node.pool.acquire().await?)))
    }
}

const fn writing(held: Held) -> Writing {
    Writing { held, has_promised: false, is_refused: false }
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|found| found == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_restarts_and_lost_connections_pass() {
        for code in ["08006", "40001", "40P01", "53300", "55P03", "57014", "57P01", "57P03", "25006", "58030"]
        {
            assert!(is_passing_code(code), "{code}");
        }
        for code in ["53100", "23505", "42P01", "42501", "28P01", "22021", "XX001", "25001"] {
            assert!(!is_passing_code(code), "{code}");
        }
        assert!(Trouble::Engine(sqlx::Error::PoolTimedOut).is_passing());
        assert!(!Trouble::Engine(sqlx::Error::PoolClosed).is_passing());
        assert!(!Trouble::TimedOut.is_passing());
    }
}
