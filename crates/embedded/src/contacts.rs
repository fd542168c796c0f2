//! Port [`Contacts`]: the table of who sees whom how.

use std::collections::BTreeMap;

use async_trait::async_trait;
use suda_domain::ports::Failure;
use suda_domain::ports::contacts::{Asked, Between, Contacts};
use suda_domain::ports::jobs::Task;
use suda_proto::AccountId;
use suda_proto::rest::Relation;

use crate::accounts::is_deleted_or_unknown;
use crate::database::{Database, Writing, failure};
use crate::jobs::promise;
use crate::row::{Columns, stored_ids};

#[async_trait]
impl Contacts for Database {
    async fn ask(&self, account: AccountId, other: AccountId, most: u32) -> Result<Asked, Failure> {
        let mut writing = self.begin().await?;
        if either_is_gone(&mut writing, account, other).await? {
            return Ok(Asked::Blocked);
        }
        let mine = relation(&mut writing, account, other).await?;
        let theirs = relation(&mut writing, other, account).await?;
        let (mine, theirs) = match (mine, theirs) {
            (Some(Relation::Blocked), _) | (_, Some(Relation::Blocked)) => {
                return Ok(Asked::Blocked);
            }
            (Some(now @ (Relation::Contact | Relation::Requested)), _) => {
                return Ok(Asked::Now(now));
            }
            (Some(Relation::Asked), _) => (Relation::Contact, Relation::Contact),
            (None, _) => (Relation::Requested, Relation::Asked),
        };
        if count(&mut writing, account).await? >= most {
            return Ok(Asked::TooMany);
        }
        set(&mut writing, account, other, Some(mine)).await?;
        set(&mut writing, other, account, Some(theirs)).await?;
        writing.commit().await?;
        Ok(Asked::Now(mine))
    }

    async fn remove(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        clear_unless_blocked(&mut writing, account, other).await?;
        clear_unless_blocked(&mut writing, other, account).await?;
        writing.commit().await
    }

    async fn block(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        if either_is_gone(&mut writing, account, other).await? {
            return Ok(());
        }
        if relation(&mut writing, account, other).await? != Some(Relation::Blocked) {
            set(&mut writing, account, other, Some(Relation::Blocked)).await?;
        }
        clear_unless_blocked(&mut writing, other, account).await?;
        writing.commit().await
    }

    async fn unblock(&self, account: AccountId, other: AccountId) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        if relation(&mut writing, account, other).await? == Some(Relation::Blocked) {
            set(&mut writing, account, other, None).await?;
        }
        writing.commit().await
    }

    async fn between(&self, first: AccountId, second: AccountId) -> Result<Between, Failure> {
        let rows = sqlx::query(
            "SELECT account, relation FROM contacts
             WHERE (account = ?1 AND other = ?2) OR (account = ?2 AND other = ?1)",
        )
        .bind(first.bytes().as_slice())
        .bind(second.bytes().as_slice())
        .fetch_all(&self.readers)
        .await
        .map_err(failure)?;
        let mut between = Between::default();
        for row in &rows {
            let columns = Columns(row);
            let relation = Some(columns.word("relation", read_relation)?);
            if columns.array("account")? == *first.bytes() {
                between.first = relation;
            } else {
                between.second = relation;
            }
        }
        Ok(between)
    }

    async fn among(
        &self,
        account: AccountId,
        others: &[AccountId],
    ) -> Result<Vec<(AccountId, Between)>, Failure> {
        // Two halves, so that each finds its rows by an index.
        let rows = sqlx::query(
            "SELECT other AS peer, relation, TRUE AS is_first FROM contacts
             WHERE account = ?1 AND other IN (SELECT unhex(value) FROM json_each(?2))
             UNION ALL
             SELECT account AS peer, relation, FALSE AS is_first FROM contacts
             WHERE other = ?1 AND account IN (SELECT unhex(value) FROM json_each(?2))",
        )
        .bind(account.bytes().as_slice())
        .bind(stored_ids(others.iter().map(AccountId::bytes)))
        .fetch_all(&self.readers)
        .await
        .map_err(failure)?;
        let mut found: BTreeMap<AccountId, Between> = BTreeMap::new();
        for row in &rows {
            let columns = Columns(row);
            let between = found.entry(AccountId::from_bytes(columns.array("peer")?)).or_default();
            let relation = Some(columns.word("relation", read_relation)?);
            match columns.number::<u8>("is_first")? {
                0 => between.second = relation,
                _ => between.first = relation,
            }
        }
        Ok(found.into_iter().collect())
    }

    async fn list(&self, account: AccountId) -> Result<Vec<(AccountId, Relation)>, Failure> {
        let rows = sqlx::query("SELECT other, relation FROM contacts WHERE account = ?1 ORDER BY other")
            .bind(account.bytes().as_slice())
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?;
        let read = |columns: Columns<'_>| {
            Ok((AccountId::from_bytes(columns.array("other")?), columns.word("relation", read_relation)?))
        };
        rows.iter().map(|row| read(Columns(row))).collect()
    }
}

/// Removes every relation of and to an account, and promises to tell those who saw it.
pub(crate) async fn forget_account(writing: &mut Writing, account: AccountId) -> Result<(), Failure> {
    sqlx::query("DELETE FROM contacts WHERE account = ?1")
        .bind(account.bytes().as_slice())
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    let others = sqlx::query("DELETE FROM contacts WHERE other = ?1 RETURNING account")
        .bind(account.bytes().as_slice())
        .fetch_all(writing.connection())
        .await
        .map_err(failure)?;
    for row in &others {
        let other = AccountId::from_bytes(Columns(row).array("account")?);
        promise(writing, &Task::contact_changed(other, account, None)).await?;
    }
    Ok(())
}

async fn either_is_gone(writing: &mut Writing, first: AccountId, second: AccountId) -> Result<bool, Failure> {
    Ok(is_deleted_or_unknown(writing, first).await? || is_deleted_or_unknown(writing, second).await?)
}

/// How many contacts and requests of its own the account has.
async fn count(writing: &mut Writing, account: AccountId) -> Result<u32, Failure> {
    sqlx::query_scalar(
        "SELECT count(*) FROM contacts WHERE account = ?1 AND relation IN ('contact', 'requested')",
    )
    .bind(account.bytes().as_slice())
    .fetch_one(writing.connection())
    .await
    .map_err(failure)
}

async fn relation(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
) -> Result<Option<Relation>, Failure> {
    let row = sqlx::query("SELECT relation FROM contacts WHERE account = ?1 AND other = ?2")
        .bind(account.bytes().as_slice())
        .bind(other.bytes().as_slice())
        .fetch_optional(writing.connection())
        .await
        .map_err(failure)?;
    row.map(|row| Columns(&row).word("relation", read_relation)).transpose()
}

/// Sets how `account` sees `other` and promises to tell its devices.
async fn set(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
    relation: Option<Relation>,
) -> Result<(), Failure> {
    let statement = match relation {
        Some(_) => {
            "INSERT INTO contacts (account, other, relation) VALUES (?1, ?2, ?3)
                    ON CONFLICT (account, other) DO UPDATE SET relation = excluded.relation"
        }
        None => "DELETE FROM contacts WHERE account = ?1 AND other = ?2 AND ?3 IS NULL",
    };
    sqlx::query(statement)
        .bind(account.bytes().as_slice())
        .bind(other.bytes().as_slice())
        .bind(relation.map(relation_word))
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    promise(writing, &Task::contact_changed(account, other, relation)).await
}

/// Ends what `account` sees of `other`, but a block.
async fn clear_unless_blocked(
    writing: &mut Writing,
    account: AccountId,
    other: AccountId,
) -> Result<(), Failure> {
    match relation(writing, account, other).await? {
        None | Some(Relation::Blocked) => Ok(()),
        Some(_) => set(writing, account, other, None).await,
    }
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
