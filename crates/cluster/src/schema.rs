//! The tables of conversations, in CQL that Cassandra 5 and ScyllaDB both understand.
//!
//! `entry` is the truth, and is only ever written on a condition. All other tables follow from it. They are written plainly,
//! each cell with the sequence of the entry that it follows from as its time: so the newest wins in whatever order writes
//! arrive, and writing anew changes nothing. Nothing in them is ever deleted, which would have another kind of time; save
//! `erasing`, whose rows are no state but work.

use std::time::Duration;

use scylla::client::session::Session;
use scylla::errors::ExecutionError;
use scylla::statement::Statement;

/// How long the engine may take to change its schema.
const CHANGE: Duration = Duration::from_secs(60);

/// The form of all tables. A change raises it and adds statements that lead there from the form before.
pub const FORM: i32 = 1;

/// How the keyspace is laid out when it is made.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The keyspace's name.
    pub keyspace: String,
    /// Its replication, as CQL writes it: `{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}`.
    pub replication: String,
}

const TABLES: [&str; 7] = [
    // An entry's place: bucket = sequence >> 12. `head` and `tail` are compared by every append: the last sequence of
    // the bucket, and the id of the append that wrote it.
    "CREATE TABLE IF NOT EXISTS entry (
        conversation uuid, bucket int, seq bigint,
        head bigint STATIC, tail uuid STATIC,
        envelope blob, body blob, set_key text, set_null boolean,
        PRIMARY KEY ((conversation, bucket), seq))",
    "CREATE TABLE IF NOT EXISTS conversation (
        conversation uuid PRIMARY KEY, summary blob, membership blob)",
    // Of messages that something points at their state; of entries whose body is not to be read any more `hidden`.
    "CREATE TABLE IF NOT EXISTS message (
        conversation uuid, bucket int, seq bigint, state blob, hidden boolean,
        PRIMARY KEY ((conversation, bucket), seq))",
    "CREATE TABLE IF NOT EXISTS own_value (
        conversation uuid, key text, seq bigint, is_null boolean,
        PRIMARY KEY (conversation, key))",
    // A member's row. The summary is the conversation's, for its lists; the rest is the member's own.
    "CREATE TABLE IF NOT EXISTS inbox (
        account uuid, conversation uuid,
        standing blob, header blob, summary blob,
        delivered bigint, read blob, touched bigint, sent blob, mentions blob,
        PRIMARY KEY (account, conversation))",
    // Bodies that are to be erased: one entry's, or with an author all of his before it.
    "CREATE TABLE IF NOT EXISTS erasing (
        shard tinyint, conversation uuid, seq bigint, author uuid,
        PRIMARY KEY (shard, conversation, seq)) WITH gc_grace_seconds = 86400",
    "CREATE TABLE IF NOT EXISTS meta (name text PRIMARY KEY, value int)",
];

/// Makes keyspace and tables as far as they are missing. Not for two callers at once.
///
/// # Errors
/// If the engine refuses or does not answer.
pub async fn migrate(session: &Session, layout: &Layout) -> Result<(), ExecutionError> {
    let Layout { keyspace, replication } = layout;
    let keyspace_made =
        format!("CREATE KEYSPACE IF NOT EXISTS \"{keyspace}\" WITH replication = {replication}");
    change(session, &keyspace_made).await?;
    session.use_keyspace(keyspace, true).await.map_err(ExecutionError::from)?;
    for table in TABLES {
        change(session, table).await?;
    }
    let known = "INSERT INTO meta (name, value) VALUES (?, ?) IF NOT EXISTS";
    for (name, value) in [("form", FORM), ("epoch", 1)] {
        session.query_unpaged(known, (name, value)).await?;
    }
    Ok(())
}

async fn change(session: &Session, text: &str) -> Result<(), ExecutionError> {
    let mut statement = Statement::new(text);
    statement.set_request_timeout(Some(CHANGE));
    session.query_unpaged(statement, ()).await.map(drop)
}
