//! Port [`Accounts`]: the tables of accounts, recovery codes and invitations.
//!
//! Whatever changes an account, its devices, contacts or promises locks the account's row first, several in the order of
//! their ids. So the calls about one account come one after the other, on whichever node, and those about others do not wait.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use suda_domain::ports::Failure;
use suda_domain::ports::accounts::{Account, Accounts, Change, Creation, NewAccount, Status};
use suda_domain::ports::jobs::Task;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, DeviceId};
use uuid::Uuid;

use crate::calls::{Statement, Trouble, Writing};
use crate::contacts::forget_account;
use crate::database::Database;
use crate::jobs::{forget_jobs_of, promise};
use crate::row::{Columns, stored_time};
use crate::{activity, devices};

/// The statement that reads whole accounts, with its conditions.
macro_rules! select_accounts {
    ($conditions:literal) => {
        concat!(
            "SELECT accounts.*, (SELECT count(*) FROM recovery_codes WHERE account = accounts.id) ",
            "AS recovery_codes_left FROM accounts WHERE ",
            $conditions
        )
    };
}

#[async_trait]
impl Accounts for Database {
    async fn create(&self, new: NewAccount) -> Result<Creation, Failure> {
        let new = &new;
        self.write(|mut writing| async move {
            let creation = create(&mut writing, new).await?;
            writing.is_refused = creation != Creation::Made;
            Ok((writing, creation))
        })
        .await
    }

    async fn find(&self, ids: &[AccountId]) -> Result<Vec<Account>, Failure> {
        let ids: &[Uuid] = &ids.iter().map(|id| id.0).collect::<Vec<_>>();
        self.accounts(|| sqlx::query(select_accounts!("id = ANY ($1)")).bind(ids)).await
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Account>, Failure> {
        if !is_storable(name) {
            return Ok(None);
        }
        Ok(self.accounts(|| sqlx::query(select_accounts!("name = $1")).bind(name)).await?.pop())
    }

    async fn find_by_external_id(&self, external_id: &str) -> Result<Option<Account>, Failure> {
        if !is_storable(external_id) {
            return Ok(None);
        }
        let select = select_accounts!("external_id = $1");
        Ok(self.accounts(|| sqlx::query(select).bind(external_id)).await?.pop())
    }

    async fn search(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, Failure> {
        if !is_storable(prefix) || !is_storable(after) {
            return Ok(Vec::new());
        }
        // The last code point there is follows every name that begins with the prefix.
        let select =
            select_accounts!("name >= $1 AND name < $1 || chr(1114111) AND name > $2 ORDER BY name LIMIT $3");
        self.accounts(|| sqlx::query(select).bind(prefix).bind(after).bind(i64::from(limit))).await
    }

    async fn change(&self, account: AccountId, change: Change) -> Result<Option<Account>, Failure> {
        let change = &change;
        self.write_once(|mut writing| async move {
            if is_deleted_or_unknown(&mut writing, account).await? {
                return Ok((writing, None));
            }
            update(&mut writing, account, change).await?;
            promise(&mut writing, &Task::profile_changed(account)).await?;
            if change.status == Some(Status::Disabled) {
                devices::log_out(&mut writing, account, None).await?;
            }
            let changed = read(&mut writing, account).await?;
            Ok((writing, Some(changed)))
        })
        .await
    }

    async fn set_password(
        &self,
        account: AccountId,
        password_hash: String,
        keep: Option<DeviceId>,
        recovery_hash: Option<[u8; 32]>,
    ) -> Result<Option<Vec<DeviceId>>, Failure> {
        let password_hash = password_hash.as_str();
        self.write_once(|mut writing| async move {
            if is_deleted_or_unknown(&mut writing, account).await? {
                return Ok((writing, None));
            }
            if let Some(hash) = recovery_hash
                && !use_recovery_code(&mut writing, account, hash).await?
            {
                return Ok((writing, None));
            }
            let update = "UPDATE accounts SET password_hash = $2 WHERE id = $1";
            writing.execute(sqlx::query(update).bind(account.0).bind(password_hash)).await?;
            let removed = devices::log_out(&mut writing, account, keep).await?;
            Ok((writing, Some(removed)))
        })
        .await
    }

    async fn set_recovery_codes(&self, account: AccountId, hashes: Vec<[u8; 32]>) -> Result<(), Failure> {
        let hashes = &hashes;
        self.write(|mut writing| async move {
            if !is_deleted_or_unknown(&mut writing, account).await? {
                forget_recovery_codes(&mut writing, account).await?;
                insert_recovery_codes(&mut writing, account, hashes).await?;
            }
            Ok((writing, ()))
        })
        .await
    }

    async fn delete(&self, account: AccountId) -> Result<Vec<DeviceId>, Failure> {
        self.write_once(|mut writing| async move {
            // Stronger than the lock of changes: whoever stores an activity must wait, too.
            let lock = "SELECT 1 FROM accounts WHERE id = $1 AND status <> 'deleted' FOR UPDATE";
            if writing.row(sqlx::query(lock).bind(account.0)).await?.is_none() {
                return Ok((writing, Vec::new()));
            }
            let removed = devices::remove_all(&mut writing, account, None).await?;
            forget_recovery_codes(&mut writing, account).await?;
            forget_account(&mut writing, account).await?;
            activity::forget_account(&mut writing, account).await?;
            forget_jobs_of(&mut writing, account).await?;
            blank(&mut writing, account).await?;
            promise(&mut writing, &Task::EraseAccount { account }).await?;
            Ok((writing, removed))
        })
        .await
    }

    async fn add_invite(&self, hash: [u8; 32], uses: u32, expires_at: u64) -> Result<(), Failure> {
        let insert =
            "INSERT INTO invites (hash, uses_left, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        self.write(|mut writing| async move {
            let insert =
                sqlx::query(insert).bind(hash.as_slice()).bind(i64::from(uses)).bind(stored_time(expires_at));
            writing.execute(insert).await?;
            Ok((writing, ()))
        })
        .await
    }
}

impl Database {
    async fn accounts<'q>(&self, select: impl Fn() -> Statement<'q>) -> Result<Vec<Account>, Failure> {
        let rows = self.rows(select).await?;
        Ok(rows.iter().map(account).collect::<Result<_, Trouble>>()?)
    }
}

/// Locks an account until the end of the transaction, and answers its status.
pub(crate) async fn lock(writing: &mut Writing, account: AccountId) -> Result<Option<Status>, Trouble> {
    let select = "SELECT status FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    let row = writing.row(sqlx::query(select).bind(account.0)).await?;
    row.map(|row| Columns(&row).word("status", read_status)).transpose()
}

/// Locks two accounts until the end of the transaction; false if one is deleted or unknown.
pub(crate) async fn lock_two(
    writing: &mut Writing,
    first: AccountId,
    second: AccountId,
) -> Result<bool, Trouble> {
    let select = "SELECT status <> 'deleted' AS is_there FROM accounts WHERE id IN ($1, $2)
                  ORDER BY id FOR NO KEY UPDATE";
    let rows = writing.rows(sqlx::query(select).bind(first.0).bind(second.0)).await?;
    let there = rows.iter().map(|row| Columns(row).truth("is_there")).collect::<Result<Vec<_>, _>>()?;
    Ok(there == [true, true])
}

/// PostgreSQL cannot store this one character, so nothing is called by a name with it.
fn is_storable(name: &str) -> bool {
    !name.contains('\0')
}

/// Locks the account and answers whether there is no such account, or none any more.
async fn is_deleted_or_unknown(writing: &mut Writing, account: AccountId) -> Result<bool, Trouble> {
    Ok(matches!(lock(writing, account).await?, None | Some(Status::Deleted)))
}

/// The invitation is locked first: should an attempt before be just committing, everything after it sees its effect.
async fn create(writing: &mut Writing, new: &NewAccount) -> Result<Creation, Trouble> {
    let is_invited = match new.invite_hash {
        Some(hash) => lock_invite(writing, hash, new.account.created_at).await?,
        None => true,
    };
    if exists(writing, new.account.id).await? {
        return Ok(Creation::Made);
    }
    if !is_invited {
        return Ok(Creation::BadInvite);
    }
    if !insert(writing, &new.account).await? {
        return why_not(writing, &new.account).await;
    }
    if let Some(hash) = new.invite_hash {
        let update = "UPDATE invites SET uses_left = uses_left - 1 WHERE hash = $1";
        writing.execute(sqlx::query(update).bind(hash.as_slice())).await?;
    }
    insert_recovery_codes(writing, new.account.id, &new.recovery_hashes).await?;
    if let Some(device) = &new.device {
        devices::insert(writing, device).await?;
    }
    Ok(Creation::Made)
}

/// What stands in the way of a new account.
async fn why_not(writing: &mut Writing, new: &Account) -> Result<Creation, Trouble> {
    let select = "SELECT id = $1 AS is_same, name = $2 AS has_name FROM accounts
                  WHERE id = $1 OR name = $2 OR external_id = $3
                  ORDER BY id <> $1, name IS DISTINCT FROM $2 LIMIT 1";
    let select = sqlx::query(select).bind(new.id.0).bind(new.name.as_str()).bind(new.external_id.as_deref());
    // Nothing any more: it was deleted just now.
    let row = writing.row(select).await?.ok_or(Trouble::Overtaken)?;
    let columns = Columns(&row);
    Ok(if columns.truth("is_same")? {
        Creation::Made
    } else if columns.optional_truth("has_name")? == Some(true) {
        Creation::NameTaken
    } else {
        Creation::ExternalIdTaken
    })
}

/// Locks an invitation; false if it is unknown, used up or expired.
async fn lock_invite(writing: &mut Writing, hash: [u8; 32], now: u64) -> Result<bool, Trouble> {
    let select =
        "SELECT uses_left > 0 AND expires_at > $2 AS is_good FROM invites WHERE hash = $1 FOR UPDATE";
    let row = writing.row(sqlx::query(select).bind(hash.as_slice()).bind(stored_time(now))).await?;
    row.map_or(Ok(false), |row| Columns(&row).truth("is_good"))
}

async fn exists(writing: &mut Writing, account: AccountId) -> Result<bool, Trouble> {
    Ok(writing.row(sqlx::query("SELECT 1 FROM accounts WHERE id = $1").bind(account.0)).await?.is_some())
}

/// Uses a recovery code up; false if the account has no such code.
async fn use_recovery_code(
    writing: &mut Writing,
    account: AccountId,
    hash: [u8; 32],
) -> Result<bool, Trouble> {
    let delete = "DELETE FROM recovery_codes WHERE account = $1 AND hash = $2";
    Ok(writing.execute(sqlx::query(delete).bind(account.0).bind(hash.as_slice())).await? == 1)
}

async fn forget_recovery_codes(writing: &mut Writing, account: AccountId) -> Result<(), Trouble> {
    writing.execute(sqlx::query("DELETE FROM recovery_codes WHERE account = $1").bind(account.0)).await?;
    Ok(())
}

async fn insert_recovery_codes(
    writing: &mut Writing,
    account: AccountId,
    hashes: &[[u8; 32]],
) -> Result<(), Trouble> {
    let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
    let insert =
        "INSERT INTO recovery_codes (account, hash) SELECT $1, unnest($2::bytea[]) ON CONFLICT DO NOTHING";
    writing.execute(sqlx::query(insert).bind(account.0).bind(hashes)).await?;
    Ok(())
}

/// Stores an account; false if its id or one of its names is taken. Waits for transactions that are just taking them.
async fn insert(writing: &mut Writing, account: &Account) -> Result<bool, Trouble> {
    let insert = "INSERT INTO accounts (id, name, display_name, colour, about, data, who_may_message, who_may_add,
                                        who_may_see, language, status, external_id, password_hash, created_at)
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert)
        .bind(account.id.0)
        .bind(account.name.as_str())
        .bind(account.display_name.as_str())
        .bind(i64::from(account.colour))
        .bind(account.about.as_str())
        .bind(account.data.as_deref())
        .bind(audience_word(account.who_may_message))
        .bind(audience_word(account.who_may_add))
        .bind(audience_word(account.who_may_see))
        .bind(account.language.as_str())
        .bind(status_word(account.status))
        .bind(account.external_id.as_deref())
        .bind(account.password_hash.as_deref())
        .bind(stored_time(account.created_at));
    Ok(writing.execute(insert).await? == 1)
}

async fn update(writing: &mut Writing, account: AccountId, change: &Change) -> Result<(), Trouble> {
    let status = change.status.filter(|status| *status != Status::Deleted);
    let update = "UPDATE accounts SET
            display_name = coalesce($2, display_name), colour = coalesce($3, colour), about = coalesce($4, about),
            data = coalesce($5, data), who_may_message = coalesce($6, who_may_message),
            who_may_add = coalesce($7, who_may_add), language = coalesce($8, language), status = coalesce($9, status),
            who_may_see = coalesce($10, who_may_see)
         WHERE id = $1";
    let update = sqlx::query(update)
        .bind(account.0)
        .bind(change.display_name.as_deref())
        .bind(change.colour.map(i64::from))
        .bind(change.about.as_deref())
        .bind(change.data.as_deref())
        .bind(change.who_may_message.map(audience_word))
        .bind(change.who_may_add.map(audience_word))
        .bind(change.language.as_deref())
        .bind(status.map(status_word))
        .bind(change.who_may_see.map(audience_word));
    writing.execute(update).await?;
    Ok(())
}

/// Leaves nothing of the account but its id.
async fn blank(writing: &mut Writing, account: AccountId) -> Result<(), Trouble> {
    let update = "UPDATE accounts SET
            name = NULL, display_name = '', colour = 0, about = '', data = NULL, who_may_message = 'everyone',
            who_may_add = 'everyone', who_may_see = 'everyone', language = '', status = 'deleted', external_id = NULL,
            password_hash = NULL, created_at = 0
         WHERE id = $1";
    writing.execute(sqlx::query(update).bind(account.0)).await?;
    Ok(())
}

async fn read(writing: &mut Writing, id: AccountId) -> Result<Account, Trouble> {
    let row = writing.row(sqlx::query(select_accounts!("id = $1")).bind(id.0)).await?;
    account(&row.ok_or(Trouble::Overtaken)?)
}

fn account(row: &PgRow) -> Result<Account, Trouble> {
    let columns = Columns(row);
    Ok(Account {
        id: AccountId(columns.id("id")?),
        name: columns.optional_text("name")?.unwrap_or_default(),
        display_name: columns.text("display_name")?,
        colour: columns.number("colour")?,
        about: columns.text("about")?,
        data: columns.optional_bytes("data")?,
        who_may_message: columns.word("who_may_message", read_audience)?,
        who_may_add: columns.word("who_may_add", read_audience)?,
        who_may_see: columns.word("who_may_see", read_audience)?,
        language: columns.text("language")?,
        status: columns.word("status", read_status)?,
        external_id: columns.optional_text("external_id")?,
        password_hash: columns.optional_text("password_hash")?,
        created_at: columns.number("created_at")?,
        recovery_codes_left: columns.number("recovery_codes_left")?,
    })
}

const fn audience_word(audience: Audience) -> &'static str {
    match audience {
        Audience::Everyone => "everyone",
        Audience::Contacts => "contacts",
        Audience::Nobody => "nobody",
    }
}

/// The audience that `word` stands for in a row.
pub(crate) fn read_audience(word: &str) -> Option<Audience> {
    Some(match word {
        "everyone" => Audience::Everyone,
        "contacts" => Audience::Contacts,
        "nobody" => Audience::Nobody,
        _ => return None,
    })
}

const fn status_word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Disabled => "disabled",
        Status::Deleted => "deleted",
    }
}

/// The status that `word` stands for in a row.
pub(crate) fn read_status(word: &str) -> Option<Status> {
    Some(match word {
        "active" => Status::Active,
        "disabled" => Status::Disabled,
        "deleted" => Status::Deleted,
        _ => return None,
    })
}
