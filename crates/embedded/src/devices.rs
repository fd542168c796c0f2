//! Port [`Devices`]: the table of devices.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use suda_domain::ports::Failure;
use suda_domain::ports::devices::{Device, Devices, TokenHolder};
use suda_domain::ports::jobs::Task;
use suda_proto::{AccountId, DeviceId};

use crate::accounts::{is_active, read_audience, read_status};
use crate::database::{Database, Writing, failure};
use crate::jobs::promise;
use crate::row::{Columns, stored_time};

#[async_trait]
impl Devices for Database {
    async fn add(&self, device: Device, most: u32) -> Result<bool, Failure> {
        let mut writing = self.begin().await?;
        if exists(&mut writing, &device).await? {
            return Ok(true);
        }
        let has_room = count(&mut writing, device.account).await? < most;
        if !has_room || !is_active(&mut writing, device.account).await? {
            return Ok(false);
        }
        insert(&mut writing, &device).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn find_by_token(&self, token_hash: [u8; 32]) -> Result<Option<TokenHolder>, Failure> {
        let row = sqlx::query(
            "SELECT devices.*, accounts.status, accounts.who_may_see FROM devices JOIN accounts ON accounts.id = devices.account
             WHERE token_hash = ?1",
        )
        .bind(token_hash.as_slice())
        .fetch_optional(&self.readers)
        .await
        .map_err(failure)?;
        let holder = |row: SqliteRow| {
            let columns = Columns(&row);
            Ok(TokenHolder {
                device: device(&row)?,
                status: columns.word("status", read_status)?,
                who_may_see: columns.word("who_may_see", read_audience)?,
            })
        };
        row.map(holder).transpose()
    }

    async fn list(&self, account: AccountId) -> Result<Vec<Device>, Failure> {
        let rows = sqlx::query("SELECT * FROM devices WHERE account = ?1 ORDER BY created_at, id")
            .bind(account.bytes().as_slice())
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?;
        rows.iter().map(device).collect()
    }

    async fn remove(&self, account: AccountId, device: DeviceId) -> Result<bool, Failure> {
        let mut writing = self.begin().await?;
        let removed = sqlx::query("DELETE FROM devices WHERE id = ?1 AND account = ?2")
            .bind(device.bytes().as_slice())
            .bind(account.bytes().as_slice())
            .execute(writing.connection())
            .await
            .map_err(failure)?
            .rows_affected();
        if removed == 0 {
            return Ok(false);
        }
        promise(&mut writing, &Task::device_removed(account, device)).await?;
        writing.commit().await?;
        Ok(true)
    }

    async fn touch(&self, seen: &[(DeviceId, u64)]) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        for (device, at) in seen {
            sqlx::query("UPDATE devices SET last_active_at = ?2 WHERE id = ?1 AND last_active_at < ?2")
                .bind(device.bytes().as_slice())
                .bind(stored_time(*at))
                .execute(writing.connection())
                .await
                .map_err(failure)?;
        }
        writing.commit().await
    }
}

/// Stores a device and promises to tell the account's others.
pub(crate) async fn insert(writing: &mut Writing, device: &Device) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO devices (id, account, name, platform, token_hash, created_at, last_active_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(device.id.bytes().as_slice())
    .bind(device.account.bytes().as_slice())
    .bind(device.name.as_str())
    .bind(device.platform.as_str())
    .bind(device.token_hash.as_slice())
    .bind(stored_time(device.created_at))
    .bind(stored_time(device.last_active_at))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    promise(writing, &Task::device_added(device)).await
}

/// Removes the account's devices but `keep` and answers their ids; promises nothing.
pub(crate) async fn remove_all(
    writing: &mut Writing,
    account: AccountId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let rows = sqlx::query("DELETE FROM devices WHERE account = ?1 AND id IS NOT ?2 RETURNING id")
        .bind(account.bytes().as_slice())
        .bind(keep.as_ref().map(|device| device.bytes().as_slice()))
        .fetch_all(writing.connection())
        .await
        .map_err(failure)?;
    rows.iter().map(|row| Ok(DeviceId::from_bytes(Columns(row).array("id")?))).collect()
}

/// Removes the account's devices but `keep`, answers their ids and promises to tell the one that stays.
pub(crate) async fn log_out(
    writing: &mut Writing,
    account: AccountId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Failure> {
    let removed = remove_all(writing, account, keep).await?;
    for device in &removed {
        promise(writing, &Task::device_removed(account, *device)).await?;
    }
    Ok(removed)
}

async fn exists(writing: &mut Writing, device: &Device) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM devices WHERE id = ?1 AND account = ?2)")
        .bind(device.id.bytes().as_slice())
        .bind(device.account.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

async fn count(writing: &mut Writing, account: AccountId) -> Result<u32, Failure> {
    sqlx::query_scalar("SELECT count(*) FROM devices WHERE account = ?1")
        .bind(account.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

fn device(row: &SqliteRow) -> Result<Device, Failure> {
    let columns = Columns(row);
    Ok(Device {
        id: DeviceId::from_bytes(columns.array("id")?),
        account: AccountId::from_bytes(columns.array("account")?),
        name: columns.text("name")?,
        platform: columns.text("platform")?,
        token_hash: columns.array("token_hash")?,
        created_at: columns.number("created_at")?,
        last_active_at: columns.number("last_active_at")?,
    })
}
