//! Port [`Contacts`]: the table of who sees whom how. Whatever changes it has locked the accounts on both sides.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use suda_domain::ports::Failure;
use suda_domain::ports::contacts::{Asked, Between, Contacts};
use suda_domain::ports::jobs::Task;
use suda_proto::AccountId;
use suda_proto::rest::Relation;
use uuid::Uuid;

use crate::accounts::lock_two;
use crate::calls::{Trouble, Writing};
use crate::database::Database;
use crate::jobs::promise;
use crate::row::Columns;

#[async_trait]
impl Contacts for Database {
    async fn ask(&self, account: AccountId, other: AccountId, most: u32) -> Result<Asked, Failure> {
        self.write(|mut writing| async move {
            let asked = ask(&mut writing, account, other, most).await?;
            Ok((writing, asked))
        })
        .await
    }

    async fn remove(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            lock_two(&mut writing, account, other).await?;
            clear_unless_blocked(&mut writing, account, other).await?;
            clear_unless_blocked(&mut writing, other, account).await?;
            Ok((writing, ()))
        })
        .await
    }

    async fn block(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            if lock_two(&mut writing, account, other).await? {
                if relation(&mut writing, account, other).await? != Some(Relation::Blocked) {
                    set(&mut writing, account, other, Some(Relation::Blocked)).await?;
                }
                clear_unless_blocked(&mut writing, other, account).await?;
            }
            Ok((writing, ()))
        })
        .await
    }

    async fn unblock(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        self.write(|mut writing| async move {
            lock_two(&mut writing, account, other).await?;
            if relation(&mut writing, account, other).await? == Some(Relation::Blocked) {
                set(&mut writing, account, other, None).await?;
            }
            Ok((writing, ()))
        })
        .await
    }

    async fn between(&self, first: AccountId, second: AccountId) -> Result<Between, Failure> {
        let found = self.among(first, &[second]).await?;
        Ok(found.first().map_or_else(Between::default, |(_, between)| *between))
    }

    async fn among(
        &self,
        account: AccountId,
        others: &[AccountId],
    ) -> Result<Vec<(AccountId, Between)>, Failure> {
        let others: &[Uuid] = &others.iter().map(|other| other.0).collect::<Vec<_>>();
        // Two halves, so that each finds its rows by an index.
        let select = "SELECT other AS peer, relation, TRUE AS is_first FROM contacts
                      WHERE account = $1 AND other = ANY ($2)
                      UNION ALL
                      SELECT account AS peer, relation, FALSE AS is_first FROM contacts
                      WHERE other = $1 AND account = ANY ($2)";
        let rows = self.rows(|| sqlx::query(select).bind(account.0).bind(others)).await?;
        Ok(both_sides(&rows)?)
    }

    async fn list(&self, account: AccountId) -> Result<Vec<(AccountId, Relation)>, Failure> {
        let select = "SELECT other, relation FROM contacts WHERE account = $1 ORDER BY other";
        let rows = self.rows(|| sqlx::query(select).bind(account.0)).await?;
        let read = |columns: Columns<'_>| {
            Ok((AccountId(columns.id("other")?), columns.word("relation", read_relation)?))
        };
        Ok(rows.iter().map(|row| read(Columns(row))).collect::<Result<_, Trouble>>()?)
    }
}

/// Removes every relation of and to an account, and promises to tell those who saw it.
pub(crate) async fn forget_account(writing: &mut Writing, account: AccountId) -> Result<(), Trouble> {
    writing.execute(sqlx::query("DELETE FROM contacts WHERE account = $1").bind(account.0)).await?;
    let delete = "DELETE FROM contacts WHERE other = $1 RETURNING account";
    for row in writing.rows(sqlx::query(delete).bind(account.0)).await? {
        let other = AccountId(Columns(&row).id("account")?);
        promise(writing, &Task::contact_changed(other, account, None)).await?;
    }
    Ok(())
}

async fn ask(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
    most: u32,
) -> Result<Asked, Trouble> {
    if !lock_two(writing, account, other).await? {
        return Ok(Asked::Blocked);
    }
    let mine = relation(writing, account, other).await?;
    let theirs = relation(writing, other, account).await?;
    let (mine, theirs) = match (mine, theirs) {
        (Some(Relation::Blocked), _) | (_, Some(Relation::Blocked)) => return Ok(Asked::Blocked),
        (Some(now @ (Relation::Contact | Relation::Requested)), _) => return Ok(Asked::Now(now)),
        (Some(Relation::Asked), _) => (Relation::Contact, Relation::Contact),
        (None, _) => (Relation::Requested, Relation::Asked),
    };
    if count(writing, account).await? >= u64::from(most) {
        return Ok(Asked::TooMany);
    }
    set(writing, account, other, Some(mine)).await?;
    set(writing, other, account, Some(theirs)).await?;
    Ok(Asked::Now(mine))
}

/// How many contacts and requests of its own the account has.
async fn count(writing: &mut Writing, account: AccountId) -> Result<u64, Trouble> {
    let count = "SELECT count(*) AS contacts FROM contacts
                 WHERE account = $1 AND relation IN ('contact', 'requested')";
    let row = writing.row(sqlx::query(count).bind(account.0)).await?;
    row.map_or(Ok(0), |row| Columns(&row).number("contacts"))
}

async fn relation(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
) -> Result<Option<Relation>, Trouble> {
    let select = "SELECT relation FROM contacts WHERE account = $1 AND other = $2";
    let row = writing.row(sqlx::query(select).bind(account.0).bind(other.0)).await?;
    row.map(|row| Columns(&row).word("relation", read_relation)).transpose()
}

/// Sets how `account` sees `other` and promises to tell its devices.
async fn set(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
    relation: Option<Relation>,
) -> Result<(), Trouble> {
    let statement = match relation {
        Some(relation) => {
            let upsert = "INSERT INTO contacts (account, other, relation) VALUES ($1, $2, $3)
                          ON CONFLICT (account, other) DO UPDATE SET relation = excluded.relation";
            sqlx::query(upsert).bind(account.0).bind(other.0).bind(relation_word(relation))
        }
        None => sqlx::query("DELETE FROM contacts WHERE account = $1 AND other = $2")
            .bind(account.0)
            .bind(other.0),
    };
    writing.execute(statement).await?;
    promise(writing, &Task::contact_changed(account, other, relation)).await
}

/// Ends what `account` sees of `other`, but a block.
async fn clear_unless_blocked(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
) -> Result<(), Trouble> {
    match relation(writing, account, other).await? {
        None | Some(Relation::Blocked) => Ok(()),
        Some(_) => set(writing, account, other, None).await,
    }
}

/// Puts rows of either direction together, by the other account.
fn both_sides(rows: &[PgRow]) -> Result<Vec<(AccountId, Between)>, Trouble> {
    let mut found: BTreeMap<AccountId, Between> = BTreeMap::new();
    for row in rows {
        let columns = Columns(row);
        let between = found.entry(AccountId(columns.id("peer")?)).or_default();
        let relation = Some(columns.word("relation", read_relation)?);
        if columns.truth("is_first")? {
            between.first = relation;
        } else {
            between.second = relation;
        }
    }
    Ok(found.into_iter().collect())
}

const fn relation_word(relation: Relation) -> &'static str {
    match relation {
        Relation::Requested => "requested",
        Relation::Asked => "asked",
        Relation::Contact => "contact",
        Relation::Blocked => "blocked",
    }
}

fn read_relation(word: &str) -> Option<Relation> {
    Some(match word {
        "requested" => Relation::Requested,
        "asked" => Relation::Asked,
        "contact" => Relation::Contact,
        "blocked" => Relation::Blocked,
        _ => return None,
    })
}
