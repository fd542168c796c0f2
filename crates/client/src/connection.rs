//! A bare authenticated connection: one WebSocket, frames in and out, no cache.
//!
//! [`crate::Client`] stands on it; tools that measure or replay use it directly.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use suda_proto::close::{AfterClose, Close};
use suda_proto::error::ErrorBody;
use suda_proto::frame::{OutgoingRequest, ServerFrame};
use suda_proto::reply::Welcome;
use suda_proto::request::{Hello, Request};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

use crate::error::ConnectionError;

/// How long the handshake and then the `hello` may take.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// How long a polite close may take before the socket is simply dropped.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// The id of the `hello` request; ids of later requests are the caller's, from 1.
const HELLO_ID: u64 = 0;

/// The largest frame that is taken from a server: a full page of the longest texts, with room to spare.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;

/// Buffers start small, so that a process can hold thousands of connections.
const BUFFER_BYTES: usize = 4 * 1024;

/// One authenticated WebSocket.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heartbeat: Duration,
    last_heard: Instant,
    /// Whether the server was asked for a sign of life since it was heard last.
    probed: bool,
}

impl Connection {
    /// Connects to `url` (`ws://` or `wss://`, with its path) and says `hello`.
    ///
    /// # Errors
    /// `Unreachable` where no WebSocket answers, `Refused` where the server refuses the session, `Closed` or `Silent`
    /// where it goes away meanwhile.
    pub async fn connect(url: String, hello: Hello) -> Result<(Self, Welcome), ConnectionError> {
        install_cryptography();
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(LARGEST_FRAME)
            .max_message_size(Some(LARGEST_FRAME))
            .max_frame_size(Some(LARGEST_FRAME));
        let handshake = connect_async_with_config(url, Some(config), true);
        let (socket, _) = timeout(HELLO_WITHIN, handshake).await.map_err(|_| ConnectionError::Silent)??;
        let mut connection =
            Self { socket, heartbeat: HELLO_WITHIN, last_heard: Instant::now(), probed: false };
        let welcome =
            timeout(HELLO_WITHIN, connection.greet(hello)).await.map_err(|_| ConnectionError::Silent)??;
        connection.heartbeat = Duration::from_secs(u64::from(welcome.heartbeat_seconds.max(1)));
        Ok((connection, welcome))
    }

    async fn greet(&mut self, hello: Hello) -> Result<Welcome, ConnectionError> {
        self.send(OutgoingRequest { id: HELLO_ID, request: Request::Hello(hello) }).await?;
        match self.next().await? {
            ServerFrame::Ok { id: HELLO_ID, ok } => ok.parse().map_err(|_| ConnectionError::BadFrame),
            ServerFrame::Error { error, .. } => Err(ConnectionError::Refused(error)),
            _ => Err(ConnectionError::BadFrame),
        }
    }

    /// Sends one request; its reply comes out of [`Self::next`] under the same id.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn send(&mut self, request: OutgoingRequest) -> Result<(), ConnectionError> {
        self.feed(request).await?;
        self.flush().await
    }

    /// Queues one request without writing it, so that several can share a system call; then [`Self::flush`].
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn feed(&mut self, request: OutgoingRequest) -> Result<(), ConnectionError> {
        let text = serde_json::to_string(&request).map_err(|_| ConnectionError::BadFrame)?;
        Ok(self.socket.feed(Message::text(text)).await?)
    }

    /// Writes what [`Self::feed`] queued.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn flush(&mut self) -> Result<(), ConnectionError> {
        Ok(self.socket.flush().await?)
    }

    /// The next reply, error or event. May be dropped while it waits: nothing is lost.
    ///
    /// After a silent heartbeat the server is asked for a sign of life; after two the connection is given up.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn next(&mut self) -> Result<ServerFrame, ConnectionError> {
        loop {
            let patience = self.heartbeat * if self.probed { 2 } else { 1 };
            let Ok(received) = timeout_at(self.last_heard + patience, self.socket.next()).await else {
                self.probe().await?;
                continue;
            };
            self.last_heard = Instant::now();
            self.probed = false;
            match received.ok_or(ConnectionError::Closed { code: None })?? {
                Message::Text(text) => {
                    return ServerFrame::read(&text).map_err(|_| ConnectionError::BadFrame);
                }
                Message::Close(frame) => {
                    return Err(ConnectionError::Closed { code: frame.map(|frame| frame.code.into()) });
                }
                // The library answers pings by itself, and binary frames are not part of this protocol.
                _ => {}
            }
        }
    }

    async fn probe(&mut self) -> Result<(), ConnectionError> {
        if self.probed {
            return Err(ConnectionError::Silent);
        }
        self.probed = true;
        let ping = self.socket.send(Message::Ping(Default::default()));
        timeout(self.heartbeat, ping)
            .await
            .map_err(|_| ConnectionError::Silent)?
            .map_err(ConnectionError::from)
    }

    /// Closes politely; the server is given two seconds.
    pub async fn close(mut self) {
        // Whether the other side still listens does not matter any more.
        let _ = timeout(CLOSE_WITHIN, self.socket.close(None)).await;
    }
}

impl From<SocketError> for ConnectionError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::ConnectionClosed | SocketError::AlreadyClosed | SocketError::Protocol(_) => {
                Self::Closed { code: None }
            }
            SocketError::Http(response) => {
                Self::Unreachable(format!("HTTP status {}", response.status().as_u16()))
            }
            SocketError::Io(error) => Self::Unreachable(error.kind().to_string()),
            SocketError::Tls(_) => Self::Unreachable("the secure connection failed".to_owned()),
            SocketError::Url(_) => Self::Unreachable("not a WebSocket address".to_owned()),
            _ => Self::BadFrame,
        }
    }
}

impl ConnectionError {
    /// What to do after it.
    pub fn advice(&self) -> AfterClose {
        match self {
            Self::Closed { code: Some(code) } => Close::advice(*code),
            Self::Refused(error) => advice_of(error),
            Self::BadFrame => AfterClose::Pause,
            Self::Closed { code: None } | Self::Silent | Self::Unreachable(_) => AfterClose::Resume,
        }
    }
}

/// A refused session means: come back later, log in again, or stop.
fn advice_of(error: &ErrorBody) -> AfterClose {
    use suda_proto::Code;
    match error.known() {
        Some(Code::Unauthenticated | Code::AccountDisabled | Code::BadToken) => AfterClose::LogIn,
        _ if error.retry_after_ms.is_some() => AfterClose::Pause,
        _ => AfterClose::Stop,
    }
}

/// Chooses the cryptography of TLS once for the process; whoever chose before wins.
pub(crate) fn install_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
