//! Port [`Activities`]: the tables of when accounts were last active, and of gateways.

use async_trait::async_trait;
use suda_domain::ports::Failure;
use suda_domain::ports::activity::{Activities, Activity, GatewayId};
use suda_proto::AccountId;

use crate::database::{Database, Writing, failure};
use crate::row::{Columns, stored_ids, stored_time};

#[async_trait]
impl Activities for Database {
    async fn store(&self, changes: &[(AccountId, Activity)]) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        for (account, activity) in changes {
            match *activity {
                Activity::Online { gateway, since } => {
                    // Whoever comes shows that the gateway is alive, even if that has not said so yet.
                    note_alive(&mut writing, gateway, since).await?;
                    set(&mut writing, *account, since, Some(gateway)).await?;
                }
                Activity::Offline { at } => set(&mut writing, *account, at, None).await?,
            }
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

/// Stores how an account stands; what the gateway before had said of it is kept.
async fn set(
    writing: &mut Writing,
    account: AccountId,
    at: u64,
    gateway: Option<GatewayId>,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO activity (account, at, gateway)
         SELECT id, ?2, ?3 FROM accounts WHERE id = ?1 AND status <> 'deleted'
         ON CONFLICT (account) DO UPDATE SET
            at = max(at, excluded.at,
                     coalesce((SELECT alive_at FROM gateways WHERE id = activity.gateway), 0)),
            gateway = excluded.gateway",
    )
    .bind(account.bytes().as_slice())
    .bind(stored_time(at))
    .bind(gateway.as_ref().map(|gateway| gateway.0.as_slice()))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(())
}
