//! Port [`Jobs`]: the table of work promised in the transactions of the other ports.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use suda_domain::ports::Failure;
use suda_domain::ports::jobs::{Job, Jobs, Task};
use suda_proto::AccountId;
use uuid::Uuid;

use crate::database::{Database, Writing, failure};
use crate::row::{Columns, stored_time};

#[async_trait]
impl Jobs for Database {
    async fn due(&self, now: u64, limit: u32) -> Result<Vec<Job>, Failure> {
        let rows = sqlx::query("SELECT id, task, attempts FROM jobs WHERE due_at <= ?1 ORDER BY id LIMIT ?2")
            .bind(stored_time(now))
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?;
        rows.iter().map(job).collect()
    }

    async fn finish(&self, id: Uuid) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        sqlx::query("DELETE FROM jobs WHERE id = ?1")
            .bind(id.as_bytes().as_slice())
            .execute(writing.connection())
            .await
            .map_err(failure)?;
        writing.commit().await
    }

    async fn postpone(&self, id: Uuid, until: u64) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        sqlx::query("UPDATE jobs SET due_at = ?2, attempts = attempts + 1 WHERE id = ?1")
            .bind(id.as_bytes().as_slice())
            .bind(stored_time(until))
            .execute(writing.connection())
            .await
            .map_err(failure)?;
        writing.commit().await
    }

    async fn wait(&self) {
        self.promised.notified().await;
    }
}

/// Adds a job, due at once, to the transaction of its cause.
pub(crate) async fn promise(writing: &mut Writing, task: &Task) -> Result<(), Failure> {
    let newest: Option<Vec<u8>> = sqlx::query_scalar("SELECT max(id) FROM jobs")
        .fetch_one(writing.connection())
        .await
        .map_err(failure)?;
    let newest = newest.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    let text = serde_json::to_string(task).map_err(Failure::unavailable)?;
    sqlx::query("INSERT INTO jobs (id, account, task, due_at, attempts) VALUES (?1, ?2, ?3, 0, 0)")
        .bind(id_after(newest, Uuid::now_v7()).as_bytes().as_slice())
        .bind(task.account().bytes().as_slice())
        .bind(text)
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    writing.has_promised = true;
    Ok(())
}

/// Forgets everything promised to an account.
pub(crate) async fn forget_jobs_of(writing: &mut Writing, account: AccountId) -> Result<(), Failure> {
    sqlx::query("DELETE FROM jobs WHERE account = ?1")
        .bind(account.bytes().as_slice())
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    Ok(())
}

/// `fresh`, or the id right after `newest` where the clock has gone back since: the order of ids is the order of promising.
fn id_after(newest: Option<Uuid>, fresh: Uuid) -> Uuid {
    match newest {
        Some(newest) if newest >= fresh => Uuid::from_u128(newest.as_u128().saturating_add(1)),
        _ => fresh,
    }
}

fn job(row: &SqliteRow) -> Result<Job, Failure> {
    let columns = Columns(row);
    Ok(Job {
        id: Uuid::from_bytes(columns.array("id")?),
        task: columns.word("task", |text| serde_json::from_str(text).ok())?,
        attempts: columns.number("attempts")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_in_order_when_the_clock_goes_back() {
        let newest = Uuid::now_v7();
        let earlier = Uuid::from_u128(newest.as_u128() - 1);
        let later = Uuid::from_u128(newest.as_u128() + 9);
        assert_eq!(id_after(None, earlier), earlier);
        assert_eq!(id_after(Some(newest), later), later);
        assert!(id_after(Some(newest), earlier) > newest);
        assert!(id_after(Some(newest), newest) > newest);
    }
}
