//! What can go wrong: one error for the client's API, one for a bare connection.

use suda_proto::ErrorBody;

/// Why a call of [`crate::Client`] failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server said no, and why; `retry_after_ms` tells whether trying again can help.
    #[error("{0}")]
    Server(ErrorBody),
    /// The call needs the server, and there is no connection.
    #[error("there is no connection to the server")]
    Offline,
    /// The server could not be reached over HTTP.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered with something that this version cannot read.
    #[error("the server's answer cannot be read")]
    BadAnswer,
    /// The server did not answer in time; the outcome is not known.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The cache holds no login: sign up or log in first.
    #[error("nobody is logged in")]
    NoSession,
    /// Too many sends wait for the server already.
    #[error("too many messages wait to be sent")]
    OutboxFull,
    /// There is no waiting or failed send with this client id.
    #[error("there is no such waiting message")]
    NoSuchSend,
    /// The cache is broken or its disk is full.
    #[error("the local cache failed: {0}")]
    Cache(#[from] CacheError),
    /// The client was logged out or shut down.
    #[error("the client has stopped")]
    Stopped,
}

impl From<ErrorBody> for ClientError {
    fn from(error: ErrorBody) -> Self {
        Self::Server(error)
    }
}

/// Why the cache on disk failed.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// SQLite failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The file could not be made readable for its owner alone.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A stored value cannot be read: the file is damaged or was written by something else.
    #[error("a stored value cannot be read")]
    Damaged,
    /// A newer version of the program wrote the file.
    #[error("the cache was written by a newer version")]
    TooNew,
}

impl From<serde_json::Error> for CacheError {
    fn from(_: serde_json::Error) -> Self {
        Self::Damaged
    }
}

/// Why a [`crate::connection::Connection`] failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The address cannot be reached, or what answers there is no WebSocket.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered `hello` with an error.
    #[error("the server refused the session: {0}")]
    Refused(ErrorBody),
    /// The connection ended; `code` is the close code, if the server gave one.
    #[error("the connection was closed ({code:?})")]
    Closed {
        /// See [`suda_proto::close::Close`].
        code: Option<u16>,
    },
    /// Nothing came for twice the heartbeat, or no welcome within ten seconds.
    #[error("the server went silent")]
    Silent,
    /// The server sent what this version cannot read.
    #[error("the server broke the protocol")]
    BadFrame,
}
