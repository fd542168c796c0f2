//! The statements that are sent to Cassandra, prepared once, and the values that they are sent with.

use std::sync::Arc;
use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::PrepareError;
use scylla::policies::retry::FallthroughRetryPolicy;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency};
use scylla::value::CqlValue;
use uuid::Uuid;

/// How long one request to the engine may take.
pub const REQUEST: Duration = Duration::from_secs(2);

/// The values of one statement.
pub type Values = Vec<Option<CqlValue>>;

/// A statement with its values.
pub type Bound = (PreparedStatement, Values);

/// Every statement.
pub struct Statements {
    /// Of the table `entry`, the truth.
    pub log: OfEntries,
    /// Of the tables that follow from it.
    pub derived: OfConversations,
    /// Of the members' rows.
    pub inbox: OfMembers,
    /// Of what is to be erased.
    pub erasing: OfErasing,
}

impl Statements {
    /// Prepares every statement.
    ///
    /// # Errors
    /// If the engine does not answer or has other tables.
    pub async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        Ok(Self {
            log: OfEntries::prepare(session).await?,
            derived: OfConversations::prepare(session).await?,
            inbox: OfMembers::prepare(session).await?,
            erasing: OfErasing::prepare(session).await?,
        })
    }
}

/// Statements of entries.
pub struct OfEntries {
    /// head, tail, conversation, bucket, head before, tail before
    pub follow: PreparedStatement,
    /// head, tail, conversation, bucket
    pub open_bucket: PreparedStatement,
    /// conversation, bucket, seq, envelope, body, set_key, set_null
    pub insert: PreparedStatement,
    /// conversation, bucket, seq
    pub erase_body: PreparedStatement,
    /// conversation, bucket → head, tail; reads what is being agreed on, too.
    pub tip: PreparedStatement,
    /// conversation, bucket, first, last → seq, envelope, body, set_key, set_null
    pub range: PreparedStatement,
    /// The same, with what is being agreed on.
    pub agreed_range: PreparedStatement,
}

impl OfEntries {
    async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        let range = "SELECT seq, envelope, body, set_key, set_null FROM entry \
             WHERE conversation = ? AND bucket = ? AND seq >= ? AND seq <= ?";
        let follow = "UPDATE entry SET head = ?, tail = ? WHERE conversation = ? AND bucket = ? \
             IF head = ? AND tail = ?";
        let open_bucket =
            "UPDATE entry SET head = ?, tail = ? WHERE conversation = ? AND bucket = ? IF head = null";
        let insert = "INSERT INTO entry (conversation, bucket, seq, envelope, body, set_key, set_null) \
             VALUES (?, ?, ?, ?, ?, ?, ?)";
        let erase_body =
            "UPDATE entry SET body = null WHERE conversation = ? AND bucket = ? AND seq = ? IF EXISTS";
        let tip = "SELECT head, tail FROM entry WHERE conversation = ? AND bucket = ? LIMIT 1";
        Ok(Self {
            follow: conditional(session, follow).await?,
            open_bucket: conditional(session, open_bucket).await?,
            insert: conditional(session, insert).await?,
            erase_body: conditional(session, erase_body).await?,
            tip: serial(session, tip).await?,
            range: plain(session, range).await?,
            agreed_range: serial(session, range).await?,
        })
    }
}

/// Statements of what follows from entries.
pub struct OfConversations {
    /// conversation → summary, membership
    pub conversation: PreparedStatement,
    /// time, summary, conversation
    pub set_summary: PreparedStatement,
    /// time, membership, conversation
    pub set_membership: PreparedStatement,
    /// conversation, bucket, first, last → seq, state, hidden
    pub messages: PreparedStatement,
    /// time, state, conversation, bucket, seq
    pub set_state: PreparedStatement,
    /// time, conversation, bucket, seq
    pub hide: PreparedStatement,
    /// conversation, key → seq, is_null
    pub own_value: PreparedStatement,
    /// conversation, key, limit → key, seq, is_null; those behind the key
    pub own_values: PreparedStatement,
    /// time, seq, is_null, conversation, key
    pub set_own_value: PreparedStatement,
}

impl OfConversations {
    async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        let conversation = "SELECT summary, membership FROM conversation WHERE conversation = ?";
        let set = |column: &str| {
            format!("UPDATE conversation USING TIMESTAMP ? SET {column} = ? WHERE conversation = ?")
        };
        let messages = "SELECT seq, state, hidden FROM message \
             WHERE conversation = ? AND bucket = ? AND seq >= ? AND seq <= ?";
        let set_message = |what: &str| {
            format!(
                "UPDATE message USING TIMESTAMP ? SET {what} WHERE conversation = ? AND bucket = ? AND seq = ?"
            )
        };
        let own_value = "SELECT seq, is_null FROM own_value WHERE conversation = ? AND key = ?";
        let own_values = "SELECT key, seq, is_null FROM own_value WHERE conversation = ? AND key > ? LIMIT ?";
        let set_own_value =
            "UPDATE own_value USING TIMESTAMP ? SET seq = ?, is_null = ? WHERE conversation = ? AND key = ?";
        Ok(Self {
            conversation: plain(session, conversation).await?,
            set_summary: plain(session, &set("summary")).await?,
            set_membership: plain(session, &set("membership")).await?,
            messages: plain(session, messages).await?,
            set_state: plain(session, &set_message("state = ?")).await?,
            hide: plain(session, &set_message("hidden = true")).await?,
            own_value: plain(session, own_value).await?,
            own_values: plain(session, own_values).await?,
            set_own_value: plain(session, set_own_value).await?,
        })
    }
}

/// Statements of members' rows.
pub struct OfMembers {
    /// account → conversation and every column of a row
    pub rows: PreparedStatement,
    /// account, conversation → the same
    pub row: PreparedStatement,
    /// Each of these: time, value, account, conversation.
    pub set_standing: PreparedStatement,
    /// What lists show of the conversation.
    pub set_header: PreparedStatement,
    /// How far the conversation has come.
    pub set_summary: PreparedStatement,
    /// A sequence.
    pub set_delivered: PreparedStatement,
    /// A mark.
    pub set_read: PreparedStatement,
    /// Milliseconds since 1970.
    pub set_touched: PreparedStatement,
    /// A mark.
    pub set_sent: PreparedStatement,
    /// Sequences.
    pub set_mentions: PreparedStatement,
}

impl OfMembers {
    async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        let rows = "SELECT conversation, standing, header, summary, delivered, read, touched, sent, mentions \
             FROM inbox WHERE account = ?";
        let row = format!("{rows} AND conversation = ?");
        let set = async |column: &str| {
            let text = format!(
                "UPDATE inbox USING TIMESTAMP ? SET {column} = ? WHERE account = ? AND conversation = ?"
            );
            plain(session, &text).await
        };
        Ok(Self {
            rows: plain(session, rows).await?,
            row: plain(session, &row).await?,
            set_standing: set("standing").await?,
            set_header: set("header").await?,
            set_summary: set("summary").await?,
            set_delivered: set("delivered").await?,
            set_read: set("read").await?,
            set_touched: set("touched").await?,
            set_sent: set("sent").await?,
            set_mentions: set("mentions").await?,
        })
    }
}

/// Statements of what is to be erased.
pub struct OfErasing {
    /// shard, conversation, seq, author
    pub add: PreparedStatement,
    /// shard → conversation, seq, author
    pub rows: PreparedStatement,
    /// shard, conversation, seq
    pub remove: PreparedStatement,
}

impl OfErasing {
    async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        let add = "INSERT INTO erasing (shard, conversation, seq, author) VALUES (?, ?, ?, ?)";
        let rows = "SELECT conversation, seq, author FROM erasing WHERE shard = ? LIMIT 1000";
        let remove = "DELETE FROM erasing WHERE shard = ? AND conversation = ? AND seq = ?";
        Ok(Self {
            add: plain(session, add).await?,
            rows: plain(session, rows).await?,
            remove: plain(session, remove).await?,
        })
    }
}

/// A statement whose effect can be repeated; a quorum answers.
async fn plain(session: &Session, text: &str) -> Result<PreparedStatement, PrepareError> {
    let mut statement = session.prepare(text).await?;
    statement.set_consistency(Consistency::LocalQuorum);
    statement.set_is_idempotent(true);
    statement.set_request_timeout(Some(REQUEST));
    Ok(statement)
}

/// A write on a condition: nobody repeats it but who knows what it means.
async fn conditional(session: &Session, text: &str) -> Result<PreparedStatement, PrepareError> {
    let mut statement = session.prepare(text).await?;
    statement.set_consistency(Consistency::LocalQuorum);
    statement.set_serial_consistency(Some(SerialConsistency::LocalSerial));
    statement.set_is_idempotent(false);
    statement.set_retry_policy(Some(Arc::new(FallthroughRetryPolicy::new())));
    statement.set_request_timeout(Some(REQUEST));
    Ok(statement)
}

/// A read that ends whatever is being agreed on.
async fn serial(session: &Session, text: &str) -> Result<PreparedStatement, PrepareError> {
    let mut statement = plain(session, text).await?;
    statement.set_consistency(Consistency::LocalSerial);
    Ok(statement)
}

/// A number as CQL has it: none of ours reaches its sign.
pub fn number(number: u64) -> Option<CqlValue> {
    Some(CqlValue::BigInt(i64::try_from(number).unwrap_or(i64::MAX)))
}

/// A partition's number.
pub const fn bucket(bucket: i32) -> Option<CqlValue> {
    Some(CqlValue::Int(bucket))
}

/// A stored value.
pub const fn blob(bytes: Vec<u8>) -> Option<CqlValue> {
    Some(CqlValue::Blob(bytes))
}

/// An id.
pub const fn id(id: Uuid) -> Option<CqlValue> {
    Some(CqlValue::Uuid(id))
}

/// A text.
pub fn text(text: &str) -> Option<CqlValue> {
    Some(CqlValue::Text(text.to_owned()))
}

/// Yes or no.
pub const fn boolean(yes: bool) -> Option<CqlValue> {
    Some(CqlValue::Boolean(yes))
}
