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
    /// head, tail, conversation, bucket, head before, tail before
    pub follow: PreparedStatement,
    /// head, tail, conversation, bucket
    pub open_bucket: PreparedStatement,
    /// conversation, bucket, seq, envelope, body, set_key, set_null
    pub insert_entry: PreparedStatement,
    /// conversation, bucket, seq
    pub erase_body: PreparedStatement,
    /// conversation, bucket → head, tail; reads what is being agreed on, too.
    pub tip: PreparedStatement,
    /// conversation, bucket, first, last → seq, envelope, body, set_key, set_null
    pub entries: PreparedStatement,
    /// The same, with what is being agreed on.
    pub agreed_entries: PreparedStatement,
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
    /// account → conversation and every column of a row
    pub inbox: PreparedStatement,
    /// account, conversation → the same
    pub inbox_row: PreparedStatement,
    /// time, standing, account, conversation
    pub set_standing: PreparedStatement,
    /// time, header, account, conversation
    pub set_header: PreparedStatement,
    /// time, summary, account, conversation
    pub set_inbox_summary: PreparedStatement,
    /// time, delivered, account, conversation
    pub set_delivered: PreparedStatement,
    /// time, read, account, conversation
    pub set_read: PreparedStatement,
    /// time, touched, account, conversation
    pub set_touched: PreparedStatement,
    /// time, sent, account, conversation
    pub set_sent: PreparedStatement,
    /// time, mentions, account, conversation
    pub set_mentions: PreparedStatement,
    /// shard, conversation, seq, author
    pub add_erasing: PreparedStatement,
    /// shard → conversation, seq, author
    pub erasing: PreparedStatement,
    /// shard, conversation, seq
    pub remove_erasing: PreparedStatement,
}

const ROW: &str = "conversation, standing, header, summary, delivered, read, touched, sent, mentions";

impl Statements {
    /// Prepares every statement.
    ///
    /// # Errors
    /// If the engine does not answer or has other tables.
    pub async fn prepare(session: &Session) -> Result<Self, PrepareError> {
        let entries = "SELECT seq, envelope, body, set_key, set_null FROM entry \
             WHERE conversation = ? AND bucket = ? AND seq >= ? AND seq <= ?";
        let inbox_set = |column: &str| {
            format!("UPDATE inbox USING TIMESTAMP ? SET {column} = ? WHERE account = ? AND conversation = ?")
        };
        Ok(Self {
            follow: conditional(
                session,
                "UPDATE entry SET head = ?, tail = ? WHERE conversation = ? AND bucket = ? IF head = ? AND tail = ?",
            )
            .await?,
            open_bucket: conditional(
                session,
                "UPDATE entry SET head = ?, tail = ? WHERE conversation = ? AND bucket = ? IF head = null",
            )
            .await?,
            insert_entry: conditional(
                session,
                "INSERT INTO entry (conversation, bucket, seq, envelope, body, set_key, set_null) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .await?,
            erase_body: conditional(
                session,
                "UPDATE entry SET body = null WHERE conversation = ? AND bucket = ? AND seq = ? IF EXISTS",
            )
            .await?,
            tip: serial(session, "SELECT head, tail FROM entry WHERE conversation = ? AND bucket = ? LIMIT 1")
                .await?,
            entries: plain(session, entries).await?,
            agreed_entries: serial(session, entries).await?,
            conversation: plain(
                session,
                "SELECT summary, membership FROM conversation WHERE conversation = ?",
            )
            .await?,
            set_summary: plain(
                session,
                "UPDATE conversation USING TIMESTAMP ? SET summary = ? WHERE conversation = ?",
            )
            .await?,
            set_membership: plain(
                session,
                "UPDATE conversation USING TIMESTAMP ? SET membership = ? WHERE conversation = ?",
            )
            .await?,
            messages: plain(
                session,
                "SELECT seq, state, hidden FROM message \
                 WHERE conversation = ? AND bucket = ? AND seq >= ? AND seq <= ?",
            )
            .await?,
            set_state: plain(
                session,
                "UPDATE message USING TIMESTAMP ? SET state = ? WHERE conversation = ? AND bucket = ? AND seq = ?",
            )
            .await?,
            hide: plain(
                session,
                "UPDATE message USING TIMESTAMP ? SET hidden = true \
                 WHERE conversation = ? AND bucket = ? AND seq = ?",
            )
            .await?,
            own_value: plain(
                session,
                "SELECT seq, is_null FROM own_value WHERE conversation = ? AND key = ?",
            )
            .await?,
            own_values: plain(
                session,
                "SELECT key, seq, is_null FROM own_value WHERE conversation = ? AND key > ? LIMIT ?",
            )
            .await?,
            set_own_value: plain(
                session,
                "UPDATE own_value USING TIMESTAMP ? SET seq = ?, is_null = ? WHERE conversation = ? AND key = ?",
            )
            .await?,
            inbox: plain(session, &format!("SELECT {ROW} FROM inbox WHERE account = ?")).await?,
            inbox_row: plain(
                session,
                &format!("SELECT {ROW} FROM inbox WHERE account = ? AND conversation = ?"),
            )
            .await?,
            set_standing: plain(session, &inbox_set("standing")).await?,
            set_header: plain(session, &inbox_set("header")).await?,
            set_inbox_summary: plain(session, &inbox_set("summary")).await?,
            set_delivered: plain(session, &inbox_set("delivered")).await?,
            set_read: plain(session, &inbox_set("read")).await?,
            set_touched: plain(session, &inbox_set("touched")).await?,
            set_sent: plain(session, &inbox_set("sent")).await?,
            set_mentions: plain(session, &inbox_set("mentions")).await?,
            add_erasing: plain(
                session,
                "INSERT INTO erasing (shard, conversation, seq, author) VALUES (?, ?, ?, ?)",
            )
            .await?,
            erasing: plain(session, "SELECT conversation, seq, author FROM erasing WHERE shard = ? LIMIT 1000")
                .await?,
            remove_erasing: plain(
                session,
                "DELETE FROM erasing WHERE shard = ? AND conversation = ? AND seq = ?",
            )
            .await?,
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
