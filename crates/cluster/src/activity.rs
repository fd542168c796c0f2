//! Port [`Activities`]: the tables of when accounts were last active, and of gateways.
//!
//! Locks are taken in one order: accounts, their activity, gateways, each by id.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use suda_domain::ports::Failure;
use suda_domain::ports::activity::{Activities, Activity, GatewayId};
use suda_proto::AccountId;
use uuid::Uuid;

use crate::calls::{Trouble, Writing};
use crate::database::Database;
use crate::row::{Columns, stored_time};

/// How an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Standing {
    /// When it was active, whatever its gateway says.
    at: u64,
    /// Where it is online.
    gateway: Option<Uuid>,
}

#[async_trait]
impl Activities for Database {
    async fn store(&self, changes: &[(AccountId, Activity)]) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            let known = lock_standings(&mut writing, changes).await?;
            let gateways = lock_gateways(&mut writing, known.values(), changes).await?;
            let standings = after(known, changes, &gateways);
            update_standings(&mut writing, &standings).await?;
            insert_gateways(&mut writing, &shown_alive(changes)).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn alive(&self, gateway: GatewayId, at: u64) -> Result<(), Failure> {
        let alive = &BTreeMap::from([(stored_gateway(gateway), at)]);
        self.write(|mut writing| async move {
            insert_gateways(&mut writing, alive).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn last_active(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>, Failure> {
        let accounts: &[Uuid] = &accounts.iter().map(|account| account.0).collect::<Vec<_>>();
        let select = "SELECT account, greatest(at, alive_at) AS last_active_at
                      FROM activity LEFT JOIN gateways ON gateways.id = activity.gateway
                      WHERE account = ANY ($1)";
        let rows = self.rows(|| sqlx::query(select).bind(accounts)).await?;
        let read =
            |columns: Columns<'_>| Ok((AccountId(columns.id("account")?), columns.number("last_active_at")?));
        Ok(rows.iter().map(|row| read(Columns(row))).collect::<Result<_, Trouble>>()?)
    }

    async fn forget(&self, before: u64) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            // Two statements: who is online there is only certain once nobody can come any more.
            let lock = "SELECT id FROM gateways WHERE alive_at < $1 ORDER BY id LIMIT 10000 FOR UPDATE";
            let rows = writing.rows(sqlx::query(lock).bind(stored_time(before))).await?;
            let silent: Vec<Uuid> = rows.iter().map(|row| Columns(row).id("id")).collect::<Result<_, _>>()?;
            let delete = "DELETE FROM gateways WHERE id = ANY ($1)
                          AND NOT EXISTS (SELECT 1 FROM activity WHERE activity.gateway = gateways.id)";
            writing.execute(sqlx::query(delete).bind(silent)).await?;
            Ok((writing, ()))
        })
        .await
    }
}

/// Removes what is known of an account, which must be locked against [`lock_standings`].
pub(crate) async fn forget_account(writing: &mut Writing, account: AccountId) -> Result<(), Trouble> {
    writing.execute(sqlx::query("DELETE FROM activity WHERE account = $1").bind(account.0)).await?;
    Ok(())
}

/// How the accounts that change stand, those that are not deleted, locked until the end of the transaction.
async fn lock_standings(
    writing: &mut Writing,
    changes: &[(AccountId, Activity)],
) -> Result<BTreeMap<Uuid, Standing>, Trouble> {
    let accounts: Vec<Uuid> = changes.iter().map(|(account, _)| account.0).collect();
    let lock =
        "SELECT id FROM accounts WHERE id = ANY ($1) AND status <> 'deleted' ORDER BY id FOR KEY SHARE";
    let rows = writing.rows(sqlx::query(lock).bind(accounts)).await?;
    let accounts: Vec<Uuid> = rows.iter().map(|row| Columns(row).id("id")).collect::<Result<_, _>>()?;
    // A row for everybody, so that there is something to lock.
    let insert = "INSERT INTO activity (account, at) SELECT account, 0 FROM unnest($1::uuid[]) AS account
                  ORDER BY account ON CONFLICT DO NOTHING";
    writing.execute(sqlx::query(insert).bind(&accounts)).await?;
    let lock =
        "SELECT account, at, gateway FROM activity WHERE account = ANY ($1) ORDER BY account FOR UPDATE";
    let rows = writing.rows(sqlx::query(lock).bind(accounts)).await?;
    let read = |columns: Columns<'_>| {
        let standing = Standing { at: columns.number("at")?, gateway: columns.optional_id("gateway")? };
        Ok((columns.id("account")?, standing))
    };
    rows.iter().map(|row| read(Columns(row))).collect()
}

/// When the gateways were last alive at which these accounts are or come, locked until the end of the transaction: what a
/// gateway says later must not count for whoever has left it, and what it has said must not be missed.
async fn lock_gateways(
    writing: &mut Writing,
    standings: impl Iterator<Item = &Standing>,
    changes: &[(AccountId, Activity)],
) -> Result<BTreeMap<Uuid, u64>, Trouble> {
    let mut gateways: BTreeSet<Uuid> = standings.filter_map(|standing| standing.gateway).collect();
    gateways.extend(shown_alive(changes).into_keys());
    let gateways: Vec<Uuid> = gateways.into_iter().collect();
    let lock = "SELECT id, alive_at FROM gateways WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
    let rows = writing.rows(sqlx::query(lock).bind(gateways)).await?;
    let read = |columns: Columns<'_>| Ok((columns.id("id")?, columns.number("alive_at")?));
    rows.iter().map(|row| read(Columns(row))).collect()
}

/// How accounts stand after the changes, in their order; what the gateway before had said of each is kept.
fn after(
    mut standings: BTreeMap<Uuid, Standing>,
    changes: &[(AccountId, Activity)],
    gateways: &BTreeMap<Uuid, u64>,
) -> BTreeMap<Uuid, Standing> {
    for (account, activity) in changes {
        // Whoever is not there is no account.
        if let Some(standing) = standings.get_mut(&account.0) {
            let said = standing.gateway.and_then(|gateway| gateways.get(&gateway)).copied().unwrap_or(0);
            let (at, gateway) = match *activity {
                Activity::Online { gateway, since } => (since, Some(stored_gateway(gateway))),
                Activity::Offline { at } => (at, None),
            };
            *standing = Standing { at: standing.at.max(said).max(at), gateway };
        }
    }
    standings
}

/// Whoever comes shows that the gateway is alive, even if that has not said so yet.
fn shown_alive(changes: &[(AccountId, Activity)]) -> BTreeMap<Uuid, u64> {
    let mut alive: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (_, activity) in changes {
        if let Activity::Online { gateway, since } = *activity {
            let at = alive.entry(stored_gateway(gateway)).or_default();
            *at = since.max(*at);
        }
    }
    alive
}

async fn update_standings(
    writing: &mut Writing,
    standings: &BTreeMap<Uuid, Standing>,
) -> Result<(), Trouble> {
    let accounts: Vec<Uuid> = standings.keys().copied().collect();
    let times: Vec<i64> = standings.values().map(|standing| stored_time(standing.at)).collect();
    let gateways: Vec<Option<Uuid>> = standings.values().map(|standing| standing.gateway).collect();
    let update = "UPDATE activity SET at = stands.at, gateway = stands.gateway
                  FROM unnest($1::uuid[], $2::bigint[], $3::uuid[]) AS stands (account, at, gateway)
                  WHERE activity.account = stands.account";
    writing.execute(sqlx::query(update).bind(accounts).bind(times).bind(gateways)).await?;
    Ok(())
}

async fn insert_gateways(writing: &mut Writing, alive: &BTreeMap<Uuid, u64>) -> Result<(), Trouble> {
    let ids: Vec<Uuid> = alive.keys().copied().collect();
    let times: Vec<i64> = alive.values().map(|at| stored_time(*at)).collect();
    let upsert = "INSERT INTO gateways (id, alive_at)
                  SELECT id, at FROM unnest($1::uuid[], $2::bigint[]) AS alive (id, at) ORDER BY id
                  ON CONFLICT (id) DO UPDATE SET alive_at = greatest(gateways.alive_at, excluded.alive_at)";
    writing.execute(sqlx::query(upsert).bind(ids).bind(times)).await?;
    Ok(())
}

const fn stored_gateway(gateway: GatewayId) -> Uuid {
    Uuid::from_bytes(gateway.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: GatewayId = GatewayId([1; 16]);
    const ACCOUNT: AccountId = AccountId(Uuid::max());

    /// How an account that was active at 10 stands after changes, while the gateway was last alive at 30.
    fn check(before: Option<GatewayId>, activities: &[Activity], at: u64, gateway: Option<GatewayId>) {
        let changes: Vec<_> = activities.iter().map(|activity| (ACCOUNT, *activity)).collect();
        let before = Standing { at: 10, gateway: before.map(stored_gateway) };
        let gateways = BTreeMap::from([(stored_gateway(HERE), 30)]);
        let standings = after(BTreeMap::from([(ACCOUNT.0, before)]), &changes, &gateways);
        let expected = Standing { at, gateway: gateway.map(stored_gateway) };
        assert_eq!(standings, BTreeMap::from([(ACCOUNT.0, expected)]), "{activities:?}");
    }

    #[test]
    fn what_a_gateway_has_said_is_kept() {
        let come = |since| Activity::Online { gateway: HERE, since };
        let gone = |at| Activity::Offline { at };
        check(None, &[], 10, None);
        check(None, &[gone(5)], 10, None);
        check(None, &[gone(20)], 20, None);
        check(None, &[come(20)], 20, Some(HERE));
        check(Some(HERE), &[gone(20)], 30, None);
        check(Some(HERE), &[gone(40)], 40, None);
        check(None, &[come(20), gone(15)], 30, None);
        check(None, &[gone(12), come(15)], 15, Some(HERE));
        assert!(after(BTreeMap::new(), &[(ACCOUNT, come(1))], &BTreeMap::new()).is_empty());
    }
}
