//! Port [`Accounts`]: the tables of accounts, recovery codes and invitations.

use async_trait::async_trait;
use bytes::Bytes;
use sqlx::sqlite::SqliteRow;
use suda_domain::ports::Failure;
use suda_domain::ports::accounts::{Account, Accounts, Change, Creation, NewAccount, Status};
use suda_domain::ports::jobs::Task;
use suda_proto::rest::Audience;
use suda_proto::{AccountId, DeviceId};

use crate::contacts::forget_account;
use crate::database::{Database, Writing, failure};
use crate::jobs::{forget_jobs_of, promise};
use crate::row::{Columns, stored_ids, stored_time};
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
        let mut writing = self.begin().await?;
        if exists(&mut writing, new.account.id).await? {
            return Ok(Creation::Made);
        }
        if let Some(hash) = new.invite_hash
            && !use_invite(&mut writing, hash, new.account.created_at).await?
        {
            return Ok(Creation::BadInvite);
        }
        if is_name_taken(&mut writing, &new.account.name).await? {
            return Ok(Creation::NameTaken);
        }
        if is_external_id_taken(&mut writing, new.account.external_id.as_deref()).await? {
            return Ok(Creation::ExternalIdTaken);
        }
        insert(&mut writing, &new.account).await?;
        insert_recovery_codes(&mut writing, new.account.id, &new.recovery_hashes).await?;
        if let Some(device) = &new.device {
            devices::insert(&mut writing, device).await?;
        }
        writing.commit().await?;
        Ok(Creation::Made)
    }

    async fn find(&self, ids: &[AccountId]) -> Result<Vec<Account>, Failure> {
        let rows = sqlx::query(select_accounts!("id IN (SELECT unhex(value) FROM json_each(?1))"))
            .bind(stored_ids(ids.iter().map(AccountId::bytes)))
            .fetch_all(&self.readers)
            .await
            .map_err(failure)?;
        rows.iter().map(account).collect()
    }

    async fn find_by_name(&self, name: &str) -> Result<Option<Account>, Failure> {
        let row = sqlx::query(select_accounts!("name = ?1"))
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failure)?;
        row.as_ref().map(account).transpose()
    }

    async fn find_by_external_id(&self, external_id: &str) -> Result<Option<Account>, Failure> {
        let row = sqlx::query(select_accounts!("external_id = ?1"))
            .bind(external_id)
            .fetch_optional(&self.readers)
            .await
            .map_err(failure)?;
        row.as_ref().map(account).transpose()
    }

    async fn search(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<Account>, Failure> {
        // The last code point there is follows every name that begins with the prefix.
        let rows = sqlx::query(select_accounts!(
            "name >= ?1 AND name < ?1 || char(1114111) AND name > ?2 ORDER BY name LIMIT ?3"
        ))
        .bind(prefix)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(failure)?;
        rows.iter().map(account).collect()
    }

    async fn change(&self, account: AccountId, change: Change) -> Result<Option<Account>, Failure> {
        let mut writing = self.begin().await?;
        if is_deleted_or_unknown(&mut writing, account).await? {
            return Ok(None);
        }
        update(&mut writing, account, &change).await?;
        promise(&mut writing, &Task::profile_changed(account)).await?;
        if change.status == Some(Status::Disabled) {
            devices::log_out(&mut writing, account, None).await?;
        }
        let changed = read(&mut writing, account).await?;
        writing.commit().await?;
        Ok(Some(changed))
    }

    async fn set_password(
        &self,
        account: AccountId,
        password_hash: String,
        keep: Option<DeviceId>,
        recovery_hash: Option<[u8; 32]>,
    ) -> Result<Option<Vec<DeviceId>>, Failure> {
        let mut writing = self.begin().await?;
        if is_deleted_or_unknown(&mut writing, account).await? {
            return Ok(None);
        }
        if let Some(hash) = recovery_hash
            && !use_recovery_code(&mut writing, account, hash).await?
        {
            return Ok(None);
        }
        sqlx::query("UPDATE accounts SET password_hash = ?2 WHERE id = ?1")
            .bind(account.bytes().as_slice())
            .bind(password_hash)
            .execute(writing.connection())
            .await
            .map_err(failure)?;
        let removed = devices::log_out(&mut writing, account, keep).await?;
        writing.commit().await?;
        Ok(Some(removed))
    }

    async fn set_recovery_codes(&self, account: AccountId, hashes: Vec<[u8; 32]>) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        if is_deleted_or_unknown(&mut writing, account).await? {
            return Ok(());
        }
        forget_recovery_codes(&mut writing, account).await?;
        insert_recovery_codes(&mut writing, account, &hashes).await?;
        writing.commit().await
    }

    async fn delete(&self, account: AccountId) -> Result<Vec<DeviceId>, Failure> {
        let mut writing = self.begin().await?;
        if is_deleted_or_unknown(&mut writing, account).await? {
            return Ok(Vec::new());
        }
        let removed = devices::remove_all(&mut writing, account, None).await?;
        forget_recovery_codes(&mut writing, account).await?;
        forget_account(&mut writing, account).await?;
        activity::forget_account(&mut writing, account).await?;
        forget_jobs_of(&mut writing, account).await?;
        blank(&mut writing, account).await?;
        promise(&mut writing, &Task::EraseAccount { account }).await?;
        writing.commit().await?;
        // Most of the text is gone now; the hourly erasure takes the rest.
        if let Err(error) = self.empty_write_ahead_log().await {
            tracing::debug!(%error, "a deleted account's text stays on disk until the hourly erasure");
        }
        Ok(removed)
    }

    async fn add_invite(&self, hash: [u8; 32], uses: u32, expires_at: u64) -> Result<(), Failure> {
        let mut writing = self.begin().await?;
        sqlx::query(
            "INSERT INTO invites (hash, uses_left, expires_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )
        .bind(hash.as_slice())
        .bind(uses)
        .bind(stored_time(expires_at))
        .execute(writing.connection())
        .await
        .map_err(failure)?;
        writing.commit().await
    }
}

/// Whether the account exists and may be used.
pub(crate) async fn is_active(writing: &mut Writing, account: AccountId) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?1 AND status = 'active')")
        .bind(account.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

/// Whether there is no such account, or none any more.
pub(crate) async fn is_deleted_or_unknown(
    writing: &mut Writing,
    account: AccountId,
) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?1 AND status <> 'deleted')")
        .bind(account.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

async fn exists(writing: &mut Writing, account: AccountId) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?1)")
        .bind(account.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

async fn is_name_taken(writing: &mut Writing, name: &str) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE name = ?1)")
        .bind(name)
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

async fn is_external_id_taken(writing: &mut Writing, external_id: Option<&str>) -> Result<bool, Failure> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM accounts WHERE external_id = ?1)")
        .bind(external_id)
        .fetch_one(writing.connection())
        .await
        .map_err(failure)
}

/// Uses an invitation up by one; false if it is unknown, used up or expired.
async fn use_invite(writing: &mut Writing, hash: [u8; 32], now: u64) -> Result<bool, Failure> {
    let used = sqlx::query(
        "UPDATE invites SET uses_left = uses_left - 1 WHERE hash = ?1 AND uses_left > 0 AND expires_at > ?2",
    )
    .bind(hash.as_slice())
    .bind(stored_time(now))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(used.rows_affected() == 1)
}

/// Uses a recovery code up; false if the account has no such code.
async fn use_recovery_code(
    writing: &mut Writing,
    account: AccountId,
    hash: [u8; 32],
) -> Result<bool, Failure> {
    let used = sqlx::query("DELETE FROM recovery_codes WHERE account = ?1 AND hash = ?2")
        .bind(account.bytes().as_slice())
        .bind(hash.as_slice())
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    Ok(used.rows_affected() == 1)
}

async fn forget_recovery_codes(writing: &mut Writing, account: AccountId) -> Result<(), Failure> {
    sqlx::query("DELETE FROM recovery_codes WHERE account = ?1")
        .bind(account.bytes().as_slice())
        .execute(writing.connection())
        .await
        .map_err(failure)?;
    Ok(())
}

async fn insert_recovery_codes(
    writing: &mut Writing,
    account: AccountId,
    hashes: &[[u8; 32]],
) -> Result<(), Failure> {
    for hash in hashes {
        sqlx::query("INSERT INTO recovery_codes (account, hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(account.bytes().as_slice())
            .bind(hash.as_slice())
            .execute(writing.connection())
            .await
            .map_err(failure)?;
    }
    Ok(())
}

async fn insert(writing: &mut Writing, account: &Account) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO accounts (id, name, display_name, colour, about, data, who_may_message, who_may_add, language,
                               status, external_id, password_hash, created_at, who_may_see)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )
    .bind(account.id.bytes().as_slice())
    .bind(account.name.as_str())
    .bind(account.display_name.as_str())
    .bind(account.colour)
    .bind(account.about.as_str())
    .bind(account.data.as_deref())
    .bind(audience_word(account.who_may_message))
    .bind(audience_word(account.who_may_add))
    .bind(account.language.as_str())
    .bind(status_word(account.status))
    .bind(account.external_id.as_deref())
    .bind(account.password_hash.as_deref())
    .bind(stored_time(account.created_at))
    .bind(audience_word(account.who_may_see))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(())
}

async fn update(writing: &mut Writing, account: AccountId, change: &Change) -> Result<(), Failure> {
    let status = change.status.filter(|status| *status != Status::Deleted);
    sqlx::query(
        "UPDATE accounts SET
            display_name = coalesce(?2, display_name), colour = coalesce(?3, colour), about = coalesce(?4, about),
            data = coalesce(?5, data), who_may_message = coalesce(?6, who_may_message),
            who_may_add = coalesce(?7, who_may_add), language = coalesce(?8, language), status = coalesce(?9, status),
            who_may_see = coalesce(?10, who_may_see)
         WHERE id = ?1",
    )
    .bind(account.bytes().as_slice())
    .bind(change.display_name.as_deref())
    .bind(change.colour)
    .bind(change.about.as_deref())
    .bind(change.data.as_deref())
    .bind(change.who_may_message.map(audience_word))
    .bind(change.who_may_add.map(audience_word))
    .bind(change.language.as_deref())
    .bind(status.map(status_word))
    .bind(change.who_may_see.map(audience_word))
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    Ok(())
}

/// Leaves nothing of the account but its id, and makes an erasure of the file due.
async fn blank(writing: &mut Writing, account: AccountId) -> Result<(), Failure> {
    sqlx::query(
        "UPDATE accounts SET
            name = NULL, display_name = '', colour = 0, about = '', data = NULL, who_may_message = 'everyone',
            who_may_add = 'everyone', who_may_see = 'everyone', language = '', status = 'deleted', external_id = NULL,
            password_hash = NULL, created_at = 0
         WHERE id = ?1",
    )
    .bind(account.bytes().as_slice())
    .execute(writing.connection())
    .await
    .map_err(failure)?;
    sqlx::query("UPDATE erasure SET due = due + 1").execute(writing.connection()).await.map_err(failure)?;
    Ok(())
}

async fn read(writing: &mut Writing, id: AccountId) -> Result<Account, Failure> {
    let row = sqlx::query(select_accounts!("id = ?1"))
        .bind(id.bytes().as_slice())
        .fetch_one(writing.connection())
        .await
        .map_err(failure)?;
    account(&row)
}

fn account(row: &SqliteRow) -> Result<Account, Failure> {
    let columns = Columns(row);
    let data: Option<Bytes> = columns.optional_bytes("data")?;
    Ok(Account {
        id: AccountId::from_bytes(columns.array("id")?),
        name: columns.optional_text("name")?.unwrap_or_default(),
        display_name: columns.text("display_name")?,
        colour: columns.number("colour")?,
        about: columns.text("about")?,
        data,
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
