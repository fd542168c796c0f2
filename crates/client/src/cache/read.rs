//! Reading the cache.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use suda_proto::entry::SetKey;
use suda_proto::reply::Detail;
use suda_proto::rest::Profile;
use suda_proto::{AccountId, ClientId, ConversationId, DeviceId, Raw};

use super::{Cache, Held, Progress, Session, WantedValue, signed};
use crate::conversation::{Slice, Wanted};
use crate::error::CacheError;
use crate::outbox::Item;
use crate::standing::CachedEntry;

/// Up to so many profiles are looked up one by one.
const FEW: usize = 20;

/// The columns of [`Progress`].
type ProgressColumns = (Option<String>, Option<String>, Option<String>, u32, i64);

/// The columns of [`Held`].
type HeldColumns = (Vec<u8>, Option<String>, String, Option<i64>);

impl Cache {
    /// The login; absent before sign-up and after logging out.
    pub async fn session(&self) -> Result<Option<Session>, CacheError> {
        let columns: Option<(String, String, Vec<u8>, String)> =
            sqlx::query_as("SELECT server, account, device, token FROM session")
                .fetch_optional(&self.pool)
                .await?;
        let Some((server, account, device, token)) = columns else {
            return Ok(None);
        };
        Ok(Some(Session {
            server,
            account: read(&account)?,
            device: DeviceId::from_bytes(id(&device)?),
            token,
        }))
    }

    /// How far the device has come.
    pub async fn progress(&self) -> Result<Progress, CacheError> {
        let columns: Option<ProgressColumns> =
            sqlx::query_as("SELECT resume, cursor, next_window, own_epoch, own_seq FROM session")
                .fetch_optional(&self.pool)
                .await?;
        let Some((resume, cursor, next_window, own_epoch, own_seq)) = columns else {
            return Ok(Progress::default());
        };
        Ok(Progress { resume, cursor, next_window, own_epoch, own_seq: own_seq.cast_unsigned() })
    }

    /// Every conversation, the one touched last first.
    pub async fn conversations(&self) -> Result<Vec<(ConversationId, Held)>, CacheError> {
        let rows: Vec<HeldColumns> =
            sqlx::query_as("SELECT id, row, state, read_wanted FROM conversations ORDER BY at DESC")
                .fetch_all(&self.pool)
                .await?;
        rows.into_iter().map(held).collect()
    }

    /// One conversation.
    pub async fn conversation(&self, conversation: ConversationId) -> Result<Option<Held>, CacheError> {
        let row: Option<HeldColumns> =
            sqlx::query_as("SELECT id, row, state, read_wanted FROM conversations WHERE id = ?")
                .bind(conversation.bytes().to_vec())
                .fetch_optional(&self.pool)
                .await?;
        Ok(row.map(held).transpose()?.map(|(_, held)| held))
    }

    /// A conversation's members and settings, as far as they are known.
    pub async fn detail(&self, conversation: ConversationId) -> Result<Option<Detail>, CacheError> {
        let value: Option<Option<String>> =
            sqlx::query_scalar("SELECT detail FROM conversations WHERE id = ?")
                .bind(conversation.bytes().to_vec())
                .fetch_optional(&self.pool)
                .await?;
        value.flatten().map(|value| read(&value)).transpose()
    }

    /// The cached entries that a batch touches.
    pub async fn slice(&self, conversation: ConversationId, wanted: &Wanted) -> Result<Slice, CacheError> {
        let values: Vec<String> = sqlx::query_scalar(
            "SELECT value FROM entries WHERE conversation = ?1 AND seq IN (SELECT value FROM json_each(?2))
             UNION ALL
             SELECT value FROM entries WHERE conversation = ?1 AND act_on IN (SELECT value FROM json_each(?3))",
        )
        .bind(conversation.bytes().to_vec())
        .bind(serde_json::to_string(&wanted.seqs)?)
        .bind(serde_json::to_string(&wanted.acts_on)?)
        .fetch_all(&self.pool)
        .await?;
        let mut slice = Slice::default();
        for value in values {
            let cached: CachedEntry = read(&value)?;
            slice.entries.insert(cached.entry.seq, cached);
        }
        Ok(slice)
    }

    /// Up to `limit` entries that an app shows, from `from` to `to`; ascending, the last of them where `newest`, else
    /// the first.
    pub async fn shown(
        &self,
        conversation: ConversationId,
        (from, to): (u64, u64),
        limit: u32,
        newest: bool,
    ) -> Result<Vec<CachedEntry>, CacheError> {
        let sql = if newest {
            "SELECT value FROM entries WHERE conversation = ? AND seq BETWEEN ? AND ? AND shown ORDER BY seq DESC LIMIT ?"
        } else {
            "SELECT value FROM entries WHERE conversation = ? AND seq BETWEEN ? AND ? AND shown ORDER BY seq LIMIT ?"
        };
        let values: Vec<String> = sqlx::query_scalar(sql)
            .bind(conversation.bytes().to_vec())
            .bind(signed(from))
            .bind(signed(to))
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        let mut entries = values.iter().map(|value| read(value)).collect::<Result<Vec<CachedEntry>, _>>()?;
        if newest {
            entries.reverse();
        }
        Ok(entries)
    }

    /// The account's own state, with what was set here and is not acknowledged yet; removed keys left out.
    pub async fn own_values(&self) -> Result<BTreeMap<String, Raw>, CacheError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT key, value FROM own_state WHERE key NOT IN (SELECT key FROM own_wanted)
             UNION ALL SELECT key, value FROM own_wanted",
        )
        .fetch_all(&self.pool)
        .await?;
        let rows = rows.into_iter().filter(|(_, value)| value != "null");
        rows.map(|(key, value)| Ok((key, read(&value)?))).collect()
    }

    /// One value of the account's own state.
    pub async fn own_value(&self, key: &SetKey) -> Result<Option<Raw>, CacheError> {
        let value: Option<String> = sqlx::query_scalar(
            "SELECT value FROM own_wanted WHERE key = ?1
             UNION ALL SELECT value FROM own_state WHERE key = ?1 LIMIT 1",
        )
        .bind(key.to_string())
        .fetch_optional(&self.pool)
        .await?;
        value.filter(|value| value != "null").map(|value| read(&value)).transpose()
    }

    /// The values set here that the server has not acknowledged.
    pub async fn own_wanted(&self) -> Result<Vec<WantedValue>, CacheError> {
        let rows: Vec<(String, String, Vec<u8>, i64)> =
            sqlx::query_as("SELECT key, value, client_id, base FROM own_wanted ORDER BY key")
                .fetch_all(&self.pool)
                .await?;
        let wanted = |(key, value, client_id, base): (String, String, Vec<u8>, i64)| {
            let client_id = ClientId::from_bytes(id(&client_id)?);
            Ok(WantedValue { key, value: read(&value)?, client_id, base: base.cast_unsigned() })
        };
        rows.into_iter().map(wanted).collect()
    }

    /// The profiles among `accounts` that are known.
    pub async fn profiles(&self, accounts: &BTreeSet<AccountId>) -> Result<Vec<Profile>, CacheError> {
        if accounts.len() > FEW {
            let values: Vec<String> =
                sqlx::query_scalar("SELECT value FROM profiles").fetch_all(&self.pool).await?;
            let profiles = values.iter().map(|value| read(value)).collect::<Result<Vec<Profile>, _>>()?;
            return Ok(profiles.into_iter().filter(|profile| accounts.contains(&profile.account)).collect());
        }
        let mut profiles = Vec::new();
        for account in accounts {
            let value: Option<String> = sqlx::query_scalar("SELECT value FROM profiles WHERE account = ?")
                .bind(account.bytes().to_vec())
                .fetch_optional(&self.pool)
                .await?;
            profiles.extend(value.map(|value| read(&value)).transpose()?);
        }
        Ok(profiles)
    }

    /// The accounts whose profiles are known.
    pub async fn known_profiles(&self) -> Result<Vec<AccountId>, CacheError> {
        let ids: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT account FROM profiles").fetch_all(&self.pool).await?;
        ids.iter().map(|bytes| Ok(AccountId::from_bytes(id(bytes)?))).collect()
    }

    /// Everything unsent, in the order in which it was composed.
    pub async fn outbox(&self) -> Result<Vec<Item>, CacheError> {
        let values: Vec<String> =
            sqlx::query_scalar("SELECT value FROM outbox ORDER BY place").fetch_all(&self.pool).await?;
        values.iter().map(|value| read(value)).collect()
    }
}

fn held((bytes, row, state, read_wanted): HeldColumns) -> Result<(ConversationId, Held), CacheError> {
    let held = Held {
        row: row.map(|row| read(&row)).transpose()?,
        state: read(&state)?,
        read_wanted: read_wanted.map(i64::cast_unsigned),
    };
    Ok((ConversationId::from_bytes(id(&bytes)?), held))
}

fn read<T: DeserializeOwned>(value: &str) -> Result<T, CacheError> {
    Ok(serde_json::from_str(value)?)
}

fn id(bytes: &[u8]) -> Result<[u8; 16], CacheError> {
    bytes.try_into().map_err(|_| CacheError::Damaged)
}
