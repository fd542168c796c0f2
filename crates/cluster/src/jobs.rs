//! Port [`Jobs`]: the table of work promised in the transactions of the other ports.
//!
//! Several nodes take jobs. A node that takes one writes itself into the row as its holder; as long as it is alive, all jobs
//! of the same account are its own, so that they are done in their order. A node is alive for half a minute from when it
//! said so last. One transaction takes jobs at a time: `SKIP LOCKED` would give the second job of an account away while the
//! first is just being taken.
//!
//! Nodes learn of each other's jobs by looking every second. `LISTEN` and `NOTIFY` would be a little faster, but committing
//! a transaction that notifies takes a lock on the whole database, so that all such transactions commit one after the other;
//! and nearly always the node that promises is also the one that is woken at once and takes the job.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use suda_domain::ports::Failure;
use suda_domain::ports::jobs::{Job, Jobs, Task};
use suda_proto::AccountId;
use uuid::Uuid;

use crate::calls::{Trouble, Writing};
use crate::database::Database;
use crate::row::{Columns, stored_time};

/// A node looks at least this often for what others have promised.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// For how long a node is alive after it said so.
const ALIVE_SECONDS: f64 = 30.0;

/// Holders are forgotten so long after they were alive.
const FORGET: &str = "DELETE FROM job_holders WHERE alive_until < now() - interval '1 hour'";

/// Lets one transaction at a time take jobs. The lock is of this schema: another one may share the database.
const TAKE_TURNS: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('suda jobs of ' || current_schema(), 0))";

/// Takes what is due, but nothing of an account whose jobs another node has in hand.
const TAKE: &str = "
    WITH elsewhere AS MATERIALIZED (
        SELECT DISTINCT account FROM jobs JOIN job_holders ON job_holders.id = jobs.holder
        WHERE jobs.holder <> $3 AND alive_until > now()
    ), next AS MATERIALIZED (
        SELECT id FROM jobs
        WHERE due_at <= $1 AND NOT EXISTS (SELECT 1 FROM elsewhere WHERE elsewhere.account = jobs.account)
        ORDER BY id LIMIT $2 FOR UPDATE
    )
    UPDATE jobs SET holder = $3 FROM next WHERE jobs.id = next.id
    RETURNING jobs.id, jobs.task, jobs.attempts";

#[async_trait]
impl Jobs for Database {
    async fn due(&self, now: u64, limit: u32) -> Result<Vec<Job>, Failure> {
        let now = stored_time(now);
        // Most of the time there is nothing, and no lock is worth it.
        let some =
            self.rows(|| sqlx::query("SELECT 1 FROM jobs WHERE due_at <= $1 LIMIT 1").bind(now)).await?;
        if some.is_empty() {
            return Ok(Vec::new());
        }
        let holder = self.node.holder;
        self.write(|mut writing| async move {
            writing.execute(sqlx::query(TAKE_TURNS)).await?;
            writing.execute(sqlx::query(FORGET)).await?;
            say_alive(&mut writing, holder).await?;
            let take = sqlx::query(TAKE).bind(now).bind(i64::from(limit)).bind(holder);
            let rows = writing.rows(take).await?;
            let mut jobs = rows.iter().map(job).collect::<Result<Vec<Job>, Trouble>>()?;
            jobs.sort_by_key(|job| job.id);
            Ok((writing, jobs))
        })
        .await
    }

    async fn finish(&self, id: Uuid) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            writing.execute(sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id)).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn postpone(&self, id: Uuid, until: u64) -> Result<(), Failure> {
        self.write_once(|mut writing| async move {
            let postpone =
                "UPDATE jobs SET due_at = $2, attempts = attempts + 1, holder = NULL WHERE id = $1";
            writing.execute(sqlx::query(postpone).bind(id).bind(stored_time(until))).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn wait(&self) {
        tokio::select! {
            () = self.node.promised.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

impl Database {
    /// Says that this node is alive, if it takes jobs at all.
    pub(crate) async fn stay_alive(&self) -> Result<(), Failure> {
        let holder = self.node.holder;
        self.write(|mut writing| async move {
            let alive =
                "UPDATE job_holders SET alive_until = now() + make_interval(secs => $2) WHERE id = $1";
            writing.execute(sqlx::query(alive).bind(holder).bind(ALIVE_SECONDS)).await?;
            Ok((writing, ()))
        })
        .await
    }

    /// Lets go of the jobs that this node has in hand.
    pub(crate) async fn let_go(&self) -> Result<(), Failure> {
        let holder = self.node.holder;
        self.write(|mut writing| async move {
            writing.execute(sqlx::query("DELETE FROM job_holders WHERE id = $1").bind(holder)).await?;
            Ok((writing, ()))
        })
        .await
    }
}

/// Adds a job, due at once, to the transaction of its cause. The account of the job, or whom it tells of, must be locked, so
/// that the jobs that set the same value are numbered in the order in which they are committed.
pub(crate) async fn promise(writing: &mut Writing, task: &Task) -> Result<(), Trouble> {
    let text = serde_json::to_string(task).map_err(|error| Trouble::Damaged(error.to_string()))?;
    let insert = "INSERT INTO jobs (account, task, due_at, attempts) VALUES ($1, $2, 0, 0)";
    writing.execute(sqlx::query(insert).bind(task.account().0).bind(text)).await?;
    writing.has_promised = true;
    Ok(())
}

/// Forgets everything promised to an account.
pub(crate) async fn forget_jobs_of(writing: &mut Writing, account: AccountId) -> Result<(), Trouble> {
    writing.execute(sqlx::query("DELETE FROM jobs WHERE account = $1").bind(account.0)).await?;
    Ok(())
}

async fn say_alive(writing: &mut Writing, holder: Uuid) -> Result<(), Trouble> {
    let alive = "INSERT INTO job_holders (id, alive_until) VALUES ($1, now() + make_interval(secs => $2))
                 ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until";
    writing.execute(sqlx::query(alive).bind(holder).bind(ALIVE_SECONDS)).await?;
    Ok(())
}

fn job(row: &PgRow) -> Result<Job, Trouble> {
    let columns = Columns(row);
    Ok(Job {
        id: columns.id("id")?,
        task: columns.word("task", |text| serde_json::from_str(text).ok())?,
        attempts: columns.number("attempts")?,
    })
}
