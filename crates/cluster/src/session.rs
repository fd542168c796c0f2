//! The connection to Cassandra or ScyllaDB.

use std::time::Duration;

use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{ExecutionError, NewSessionError, PrepareError, UseKeyspaceError};
use scylla::statement::{Consistency, SerialConsistency};
use suda_domain::ports::Failure;

use crate::conversation_log::ConversationLogOptions;
use crate::schema::{FORM, Layout, migrate};
use crate::statements::{REQUEST, Statements};

/// How long a node may take to answer a new connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How often a connection is asked whether it is there, and how long it may take to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5));

/// Why the engine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No node of the engine answers.
    #[error("no node of the conversations' database answers at {0}: start it, or correct the setting: {1}")]
    NoAnswer(String, #[source] Box<NewSessionError>),
    /// The keyspace is not there.
    #[error("the keyspace \"{0}\" is missing: run `suda migrate`")]
    NoKeyspace(String, #[source] Box<UseKeyspaceError>),
    /// A statement does not fit the tables.
    #[error("the tables are not those of this version: run `suda migrate`: {0}")]
    OtherTables(#[source] Box<PrepareError>),
    /// The tables are of an older or newer form.
    #[error(
        "the tables have form {0}, this version works with {FORM}: run `suda migrate` of the newest version"
    )]
    OtherForm(i32),
    /// The engine answered something else.
    #[error("the conversations' database failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<ExecutionError> for SessionError {
    fn from(error: ExecutionError) -> Self {
        Self::Failed(error.into())
    }
}

/// Connects, and checks keyspace and tables; answers the epoch, too.
pub(crate) async fn connect(
    options: &ConversationLogOptions,
) -> Result<(Session, Statements, u32), SessionError> {
    let session = session(options).await?;
    let keyspace = &options.keyspace;
    let used = session.use_keyspace(keyspace, true).await;
    used.map_err(|error| SessionError::NoKeyspace(keyspace.clone(), Box::new(error)))?;
    let form = meta(&session, "form").await?.unwrap_or(0);
    if form != FORM {
        return Err(SessionError::OtherForm(form));
    }
    let epoch = meta(&session, "epoch").await?.unwrap_or(1);
    let statements = Statements::prepare(&session).await;
    let statements = statements.map_err(|error| SessionError::OtherTables(Box::new(error)))?;
    Ok((session, statements, u32::try_from(epoch).unwrap_or(1)))
}

/// Makes keyspace and tables as far as they are missing. Not for two callers at once.
///
/// # Errors
/// If no node answers, or one refuses.
pub async fn prepare_tables(options: &ConversationLogOptions, layout: &Layout) -> Result<(), SessionError> {
    let session = session(options).await?;
    Ok(migrate(&session, layout).await?)
}

async fn session(options: &ConversationLogOptions) -> Result<Session, SessionError> {
    let mut profile = ExecutionProfile::builder()
        .request_timeout(Some(REQUEST))
        .consistency(Consistency::LocalQuorum)
        .serial_consistency(Some(SerialConsistency::LocalSerial));
    if let Some(datacenter) = &options.datacenter {
        let policy = scylla::policies::load_balancing::DefaultPolicy::builder();
        profile = profile.load_balancing_policy(policy.prefer_datacenter(datacenter.clone()).build());
    }
    let builder = SessionBuilder::new()
        .known_nodes(&options.nodes)
        .default_execution_profile_handle(profile.build().into_handle())
        .connection_timeout(CONNECT)
        .keepalive_interval(KEEPALIVE.0)
        .keepalive_timeout(KEEPALIVE.1)
        // Requests go to a replica of what they are about; which nodes are, follows from the keyspace.
        .keyspaces_to_fetch([&options.keyspace])
        .fetch_full_schema_metadata(false);
    let session = builder.build().await;
    session.map_err(|error| SessionError::NoAnswer(options.nodes.join(", "), Box::new(error)))
}

async fn meta(session: &Session, name: &str) -> Result<Option<i32>, SessionError> {
    let answer = session.query_unpaged("SELECT value FROM meta WHERE name = ?", (name,)).await?;
    let rows = answer.into_rows_result().map_err(|error| SessionError::Failed(error.into()))?;
    let row = rows.maybe_first_row::<(Option<i32>,)>().map_err(|error| SessionError::Failed(error.into()))?;
    Ok(row.and_then(|(value,)| value))
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::unavailable(error)
    }
}
