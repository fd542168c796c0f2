//! Port [`Activities`]: the tables of when accounts were last active, and of gateways.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::{Value, json};
use suda_domain::ports::Failure;
use suda_domain::ports::activity::{Activities, Activity, GatewayId};
use suda_proto::AccountId;

use crate::database::{Database, Writing, failure};
use crate::row::{Columns, stored_id, stored_ids, stored_time};

#[async_trait]
impl Activities for Database {
    async fn store(&self, changes: &[(AccountId, Activity)]) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        set(&mut writing, changes).await?;
        let mut gateways: BTreeMap<GatewayId, u64> = BTreeMap::new();
        for (_, activity) in changes {
            if let Activity::Online { gateway, since } = *activity {
                let alive_at = gateways.entry(gateway).or_default();
                *alive_at = since.max(*alive_at);
            }
        }
        for (gateway, since) in gateways {
            // Whoever comes shows that the gateway is alive, even if that has not said so yet.
            note_alive(&mut writing, gateway, since).await?;
        }
        writing.commit().await
    }

    async fn alive(&self, gateway: GatewayId, at: u64) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        note_alive(&mut writing, gateway, at).await?;
        writing.commit().await
    }

    async fn last_active(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>, Failure> {
        let rows = sqlx::query(
            "SELECT account, max(at, coalesce(alive_at, 0)) AS last_active_at
             FROM activity LEFT JOIN gateways ON gateways.id = activity.gateway
             WHERE account IN (SELECT unhex(value) FROM json_each(?1))",
        )
        .bind(stored_ids(accounts.iter().map(AccountId::bytes)))
        .fetch_all(&self.readers)
        .await
        .map_err(failure)?;
        let read = |columns: Columns<'_>| {
            Ok((AccountId::from_bytes(columns.array("account")?), columns.number("last_active_at")?))
        };
        rows.iter().map(|row| read(Columns(row))).collect()
    }

    async fn forget(&self, before: u64) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "DELETE FROM gateways WHERE alive_at < ?1
             AND NOT EXISTS (SELECT 1 FROM activity WHERE activity.gateway = gateways.id)",
        )
        .bind(stored_time(before))
        .execute(writing.connection())
        .await
        .map_err(failure)?;
        writing.commit().await
    }
}

/// Removes what is known of an account.
pub(crate) async fn forget_account(writing: &mut Writing, account: AccountId) -> Result<(), Failure> {
    sqlx::query("DELETE FROM activity WHERE account = ?1")
        .bind(account.bytes().as_slice())
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    Ok(())
}

async fn note_alive(writing: &mut Writing, gateway: GatewayId, at: u64) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO gateways (id, alive_at) VALUES (?1, ?2)
         ON CONFLICT (id) DO UPDATE SET alive_at = max(alive_at, excluded.alive_at)",
    )
    .bind(gateway.0.as_slice())
    .bind(stored_time(at))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(())
}

/// Stores how accounts stand, in their order and with one statement; what the gateway before had said of each is kept.
async fn set(writing: &mut Writing, changes: &[(AccountId, Activity)]) -> Result<(), Failure> {
    let rows = changes.iter().map(|(account, activity)| {
        let (at, gateway) = match *activity {
            Activity::Online { gateway, since } => (since, Some(stored_id(&gateway.0))),
            Activity::Offline { at } => (at, None),
        };
        json!([stored_id(account.bytes()), stored_time(at), gateway])
    });
    sqlx::query(
        "INSERT INTO activity (account, at, gateway)
         SELECT accounts.id, changes.value ->> 1, unhex(changes.value ->> 2)
         FROM json_each(?1) AS changes JOIN accounts ON accounts.id = unhex(changes.value ->> 0)
         WHERE status <> 'deleted'
         ORDER BY changes.key
         ON CONFLICT (account) DO UPDATE SET
            at = max(at, excluded.at,
                     coalesce((SELECT alive_at FROM gateways WHERE id = activity.gateway), 0)),
            gateway = excluded.gateway",
    )
    .bind(Value::from(rows.collect::<Vec<_>>()).to_string())
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(())
}
