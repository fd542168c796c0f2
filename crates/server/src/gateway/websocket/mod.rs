//! WebSocket sessions: hello, then requests in and replies and events out, by one task per connection.
//!
//! [`handshake`] upgrades the HTTP request, `greet` says hello, `live` is the rest; [`connection`] moves messages and
//! frames, [`decoder`] knows the rules of RFC 6455.

mod connection;
pub mod decoder;
mod greet;
pub mod handshake;
mod live;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use suda_proto::close::Close;
use tokio::time::timeout;

use self::connection::Connection;
use self::decoder::Violation;
use self::live::Line;
use super::Caller;
use crate::server::Server;
use crate::session::{Frame, Opened};

/// Frames up to so many times the limit are read and refused by code; larger ones close the connection.
const READ_FACTOR: usize = 4;

/// How long a peer may take to accept the last frame.
const FAREWELL: Duration = Duration::from_secs(1);

/// The close code of RFC 6455, section 7.4.1, for broken rules of the protocol.
const PROTOCOL_ERROR: u16 = 1002;

/// The close code of the same section for texts that are not UTF-8.
const NOT_UTF8: u16 = 1007;

/// Why a connection ends.
enum End {
    /// The peer is gone, or will not take what is written.
    Gone,
    /// The peer closes it, perhaps with a code.
    Answered(Option<u16>),
    /// The server closes it.
    Close(Close),
    /// A rule of the standard closes it.
    Broken(u16, &'static str),
}

impl End {
    const fn of(violation: Violation) -> Self {
        match violation {
            Violation::TooLarge => Self::Close(Close::FrameTooLarge),
            Violation::NotUtf8 => Self::Broken(NOT_UTF8, "not_utf8"),
            Violation::Protocol(what) => Self::Broken(PROTOCOL_ERROR, what),
        }
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Where a connection comes from.
pub struct Origin {
    /// Whether rates are not counted.
    pub spared: bool,
    /// The device's token, where the handshake brought it.
    pub token: Option<String>,
}

/// Serves the connection once the answer to its handshake is written, to its end.
pub async fn serve(server: Arc<Server>, upgrade: OnUpgrade, origin: Origin) {
    // A peer that went before the answer was written is no loss.
    if let Ok(io) = upgrade.await {
        greet_and_live(server, io, origin).await;
    }
}

async fn greet_and_live(server: Arc<Server>, io: Upgraded, origin: Origin) {
    let most_bytes = server.settings.limits.frame_bytes as usize * READ_FACTOR;
    let mut connection = Connection::new(io, most_bytes);
    let greeting = greet::greet(&server, &mut connection, origin);
    match timeout(server.settings.hello_timeout, greeting).await {
        Err(_) => finish(connection, End::Close(Close::Silent), None).await,
        Ok(Err(end)) => finish(connection, end, None).await,
        Ok(Ok((caller, opened))) => {
            // A task of its own: the memory of the greeting's is given back before the long life begins.
            tokio::spawn(Line::new(server, connection, caller, opened).live());
        }
    }
}

/// Tells the peer why the connection ends, lets go of the session, and closes.
async fn finish(mut connection: Connection, end: End, opened: Option<Opened>) {
    let frame = match end {
        End::Gone => return,
        End::Answered(code) => Frame::close(code, ""),
        End::Broken(code, why) => Frame::close(Some(code), why),
        End::Close(close) => {
            let (code, reason) = close.wire();
            Frame::close(Some(code), reason)
        }
    };
    let told = timeout(FAREWELL, connection.send(&frame)).await;
    drop(opened);
    if matches!(told, Ok(Ok(()))) {
        connection.end().await;
    }
}
