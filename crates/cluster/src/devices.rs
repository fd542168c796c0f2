//! Port [`Devices`]: the table of devices.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use suda_domain::ports::Failure;
use suda_domain::ports::accounts::Status;
use suda_domain::ports::devices::{Device, Devices, TokenHolder};
use suda_domain::ports::jobs::Task;
use suda_proto::{AccountId, DeviceId};
use uuid::Uuid;

use crate::accounts::{lock, read_audience, read_status};
use crate::calls::{Trouble, Writing};
use crate::database::Database;
use crate::jobs::promise;
use crate::row::{Columns, stored_time};

#[async_trait]
impl Devices for Database {
    async fn add(&self, device: Device, most: u32) -> Result<bool, Failure> {
        let device = &device;
        self.write(|mut writing| async move {
            // The lock also makes those wait that log in to the same account at the same time.
            let is_active = lock(&mut writing, device.account).await? == Some(Status::Active);
            let is_added = if exists(&mut writing, device).await? {
                true
            } else if is_active && count(&mut writing, device.account).await? < u64::from(most) {
                insert(&mut writing, device).await?;
                true
            } else {
                false
            };
            Ok((writing, is_added))
        })
        .await
    }

    async fn find_by_token(&self, token_hash: [u8; 32]) -> Result<Option<TokenHolder>, Failure> {
        let select = "SELECT devices.*, accounts.status, accounts.who_may_see
                      FROM devices JOIN accounts ON accounts.id = devices.account WHERE token_hash = $1";
        let rows = self.rows(|| sqlx::query(select).bind(token_hash.as_slice())).await?;
        Ok(rows.first().map(holder).transpose()?)
    }

    async fn list(&self, account: AccountId) -> Result<Vec<Device>, Failure> {
        let select = "SELECT * FROM devices WHERE account = $1 ORDER BY created_at, id";
        let rows = self.rows(|| sqlx::query(select).bind(account.0)).await?;
        Ok(rows.iter().map(device).collect::<Result<_, Trouble>>()?)
    }

    async fn remove(&self, account: AccountId, device: DeviceId) -> Result<bool, Failure> {
        self.write_once(|mut writing| async move {
            lock(&mut writing, account).await?;
            let delete = "DELETE FROM devices WHERE id = $1 AND account = $2";
            let removed = writing.execute(sqlx::query(delete).bind(device.0).bind(account.0)).await?;
            if removed > 0 {
                promise(&mut writing, &Task::device_removed(account, device)).await?;
            }
            Ok((writing, removed > 0))
        })
        .await
    }

    async fn touch(&self, seen: &[(DeviceId, u64)]) -> Result<(), Failure> {
        let mut latest: BTreeMap<DeviceId, u64> = BTreeMap::new();
        for (device, at) in seen {
            let known = latest.entry(*device).or_default();
            *known = (*known).max(*at);
        }
        let devices: &[Uuid] = &latest.keys().map(|device| device.0).collect::<Vec<_>>();
        let times: &[i64] = &latest.values().map(|at| stored_time(*at)).collect::<Vec<_>>();
        // Locked in the order of their ids, so that two gateways that saw the same devices do not lock each other out.
        let update = "WITH seen AS MATERIALIZED (
                          SELECT devices.id, seen.at
                          FROM devices JOIN unnest($1::uuid[], $2::bigint[]) AS seen (id, at) ON seen.id = devices.id
                          WHERE last_active_at < seen.at ORDER BY devices.id FOR NO KEY UPDATE OF devices
                      )
                      UPDATE devices SET last_active_at = seen.at FROM seen
                      WHERE devices.id = seen.id AND last_active_at < seen.at";
        self.write(|mut writing| async move {
            writing.execute(sqlx::query(update).bind(devices).bind(times)).await?;
            Ok((writing, ()))
        })
        .await
    }
}

/// Stores a device and promises to tell the account's others. The account must be locked.
pub(crate) async fn insert(writing: &mut Writing, device: &Device) -> Result<(), Trouble> {
    let insert = "INSERT INTO devices (id, account, name, platform, token_hash, created_at, last_active_at)
                  VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let insert = sqlx::query(insert)
        .bind(device.id.0)
        .bind(device.account.0)
        .bind(device.name.as_str())
        .bind(device.platform.as_str())
        .bind(device.token_hash.as_slice())
        .bind(stored_time(device.created_at))
        .bind(stored_time(device.last_active_at));
    writing.execute(insert).await?;
    promise(writing, &Task::device_added(device)).await
}

/// Removes the account's devices but `keep` and answers their ids; promises nothing.
pub(crate) async fn remove_all(
    writing: &mut Writing,
    account: AccountId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Trouble> {
    let delete = "DELETE FROM devices WHERE account = $1 AND id IS DISTINCT FROM $2 RETURNING id";
    let rows = writing.rows(sqlx::query(delete).bind(account.0).bind(keep.map(|device| device.0))).await?;
    rows.iter().map(|row| Ok(DeviceId(Columns(row).id("id")?))).collect()
}

/// Removes the account's devices but `keep`, answers their ids and promises to tell the one that stays. The account must be
/// locked.
pub(crate) async fn log_out(
    writing: &mut Writing,
    account: AccountId,
    keep: Option<DeviceId>,
) -> Result<Vec<DeviceId>, Trouble> {
    let removed = remove_all(writing, account, keep).await?;
    for device in &removed {
        promise(writing, &Task::device_removed(account, *device)).await?;
    }
    Ok(removed)
}

async fn exists(writing: &mut Writing, device: &Device) -> Result<bool, Trouble> {
    let select = "SELECT 1 FROM devices WHERE id = $1 AND account = $2";
    Ok(writing.row(sqlx::query(select).bind(device.id.0).bind(device.account.0)).await?.is_some())
}

async fn count(writing: &mut Writing, account: AccountId) -> Result<u64, Trouble> {
    let count = "SELECT count(*) AS devices FROM devices WHERE account = $1";
    let row = writing.row(sqlx::query(count).bind(account.0)).await?;
    row.map_or(Ok(0), |row| Columns(&row).number("devices"))
}

fn holder(row: &PgRow) -> Result<TokenHolder, Trouble> {
    let columns = Columns(row);
    Ok(TokenHolder {
        device: device(row)?,
        status: columns.word("status", read_status)?,
        who_may_see: columns.word("who_may_see", read_audience)?,
    })
}

fn device(row: &PgRow) -> Result<Device, Trouble> {
    let columns = Columns(row);
    Ok(Device {
        id: DeviceId(columns.id("id")?),
        account: AccountId(columns.id("account")?),
        name: columns.text("name")?,
        platform: columns.text("platform")?,
        token_hash: columns.hash("token_hash")?,
        created_at: columns.number("created_at")?,
        last_active_at: columns.number("last_active_at")?,
    })
}
