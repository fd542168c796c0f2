//! Writing the cache: every [`Write`] in one transaction.

use serde::Serialize;
use sqlx::SqliteConnection;
use suda_proto::reply::OwnItem;
use suda_proto::{ConversationId, Kind};

use super::{Cache, Held, Session, Write, signed};
use crate::error::CacheError;
use crate::standing::CachedEntry;

impl Cache {
    /// Commits all of `writes` or none.
    ///
    /// # Errors
    /// Where the database fails; nothing is written then.
    pub async fn write(&self, writes: Vec<Write>) -> Result<(), CacheError> {
        if writes.is_empty() {
            return Ok(());
        }
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for write in writes {
            apply(&mut transaction, write).await?;
        }
        Ok(transaction.commit().await?)
    }
}

async fn apply(db: &mut SqliteConnection, write: Write) -> Result<(), CacheError> {
    match write {
        Write::Conversation(id, held) => put_conversation(db, id, &held).await?,
        Write::Entries(id, entries) => {
            for entry in &entries {
                put_entry(db, id, entry).await?;
            }
        }
        Write::DropBelow(id, first) => {
            let query = sqlx::query("DELETE FROM entries WHERE conversation = ? AND seq < ?");
            query.bind(&id.bytes()[..]).bind(signed(first)).execute(db).await?;
        }
        Write::OwnItems(items) => put_own_items(db, &items).await?,
        Write::LogIn(session) => log_in(db, &session).await?,
        Write::Wipe => wipe(db).await?,
        Write::Detail(..)
        | Write::Resume(_)
        | Write::Cursor(_)
        | Write::NextWindow(_)
        | Write::OwnPosition(..)
        | Write::Account(_) => {
            update(db, write).await?;
        }
        Write::WantValue(..)
        | Write::ForgetWanted(_)
        | Write::Profiles(_)
        | Write::Outbox(_)
        | Write::OutboxRemove(_)
        | Write::ClearOwnItems => replace(db, write).await?,
    }
    Ok(())
}

/// Changes of one column.
async fn update(db: &mut SqliteConnection, write: Write) -> Result<(), CacheError> {
    let query = match write {
        Write::Detail(id, detail) => sqlx::query("UPDATE conversations SET detail = ? WHERE id = ?")
            .bind(json(&detail)?)
            .bind(id.bytes().to_vec()),
        Write::Resume(token) => sqlx::query("UPDATE session SET resume = ?, cursor = NULL").bind(token),
        Write::Cursor(cursor) => sqlx::query("UPDATE session SET cursor = ?").bind(cursor),
        Write::NextWindow(next) => sqlx::query("UPDATE session SET next_window = ?").bind(next),
        Write::OwnPosition(epoch, seq) => {
            sqlx::query("UPDATE session SET own_epoch = ?, own_seq = ?").bind(epoch).bind(signed(seq))
        }
        Write::Account(account) => sqlx::query("UPDATE session SET account = ?").bind(json(&account)?),
        _ => return Ok(()),
    };
    query.execute(db).await?;
    Ok(())
}

/// Changes of small tables.
async fn replace(db: &mut SqliteConnection, write: Write) -> Result<(), CacheError> {
    let query = match write {
        Write::ClearOwnItems => sqlx::query("DELETE FROM own_state"),
        Write::WantValue(wanted) => {
            sqlx::query("INSERT OR REPLACE INTO own_wanted (key, value, client_id, base) VALUES (?, ?, ?, ?)")
                .bind(wanted.key)
                .bind(json(&wanted.value)?)
                .bind(wanted.client_id.bytes().to_vec())
                .bind(signed(wanted.base))
        }
        Write::ForgetWanted(client_id) => {
            sqlx::query("DELETE FROM own_wanted WHERE client_id = ?").bind(client_id.bytes().to_vec())
        }
        Write::Outbox(item) => sqlx::query(
            "INSERT INTO outbox (client_id, value) VALUES (?, ?)
             ON CONFLICT (client_id) DO UPDATE SET value = excluded.value",
        )
        .bind(item.client_id.bytes().to_vec())
        .bind(json(&item)?),
        Write::OutboxRemove(client_id) => {
            sqlx::query("DELETE FROM outbox WHERE client_id = ?").bind(client_id.bytes().to_vec())
        }
        Write::Profiles(profiles) => {
            for profile in profiles {
                sqlx::query("INSERT OR REPLACE INTO profiles (account, value) VALUES (?, ?)")
                    .bind(profile.account.bytes().to_vec())
                    .bind(json(&profile)?)
                    .execute(&mut *db)
                    .await?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    query.execute(db).await?;
    Ok(())
}

async fn put_conversation(
    db: &mut SqliteConnection,
    id: ConversationId,
    held: &Held,
) -> Result<(), CacheError> {
    sqlx::query(
        "INSERT INTO conversations (id, row, state, at, read_wanted) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET
            row = excluded.row, state = excluded.state, at = excluded.at, read_wanted = excluded.read_wanted",
    )
    .bind(id.bytes().to_vec())
    .bind(held.row.as_ref().map(json).transpose()?)
    .bind(json(&held.state)?)
    .bind(signed(held.row.as_ref().map_or(0, |row| row.at)))
    .bind(held.read_wanted.map(signed))
    .execute(db)
    .await?;
    Ok(())
}

async fn put_entry(
    db: &mut SqliteConnection,
    id: ConversationId,
    cached: &CachedEntry,
) -> Result<(), CacheError> {
    let entry = &cached.entry;
    let is_act = matches!(entry.kind, Kind::Edit | Kind::Delete | Kind::Reaction);
    let is_silent = is_act || matches!(entry.kind, Kind::AuthorErased | Kind::Set);
    sqlx::query("INSERT OR REPLACE INTO entries (conversation, seq, author, act_on, shown, value) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(id.bytes().to_vec())
        .bind(signed(entry.seq))
        .bind(entry.author.bytes().to_vec())
        .bind(entry.target.filter(|_| is_act).map(signed))
        .bind(!is_silent)
        .bind(json(cached)?)
        .execute(db)
        .await?;
    Ok(())
}

async fn put_own_items(db: &mut SqliteConnection, items: &[OwnItem]) -> Result<(), CacheError> {
    for item in items {
        // A removed key stays as `null`, so that an older value cannot come back.
        sqlx::query(
            "INSERT INTO own_state (key, value, seq) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, seq = excluded.seq
             WHERE excluded.seq >= own_state.seq",
        )
        .bind(&item.key)
        .bind(json(&item.value)?)
        .bind(signed(item.seq))
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// The same account keeps what it had, above all its outbox; another one finds nothing.
async fn log_in(db: &mut SqliteConnection, session: &Session) -> Result<(), CacheError> {
    let before: Option<(String, String)> =
        sqlx::query_as("SELECT server, account FROM session").fetch_optional(&mut *db).await?;
    let is_same = match before {
        Some((server, account)) => {
            let account: suda_proto::rest::OwnAccount = serde_json::from_str(&account)?;
            server == session.server && account.profile.account == session.account.profile.account
        }
        None => false,
    };
    if !is_same {
        wipe(db).await?;
    }
    sqlx::query(
        "INSERT INTO session (one, server, account, device, token) VALUES (1, ?, ?, ?, ?)
         ON CONFLICT (one) DO UPDATE SET
            account = excluded.account, device = excluded.device, token = excluded.token, resume = NULL,
            cursor = NULL",
    )
    .bind(&session.server)
    .bind(json(&session.account)?)
    .bind(session.device.bytes().to_vec())
    .bind(&session.token)
    .execute(db)
    .await?;
    Ok(())
}

async fn wipe(db: &mut SqliteConnection) -> Result<(), CacheError> {
    sqlx::raw_sql(
        "DELETE FROM session; DELETE FROM conversations; DELETE FROM entries; DELETE FROM own_state;
         DELETE FROM own_wanted; DELETE FROM profiles; DELETE FROM outbox;",
    )
    .execute(db)
    .await?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<String, CacheError> {
    Ok(serde_json::to_string(value)?)
}
