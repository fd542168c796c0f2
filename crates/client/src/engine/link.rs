//! The line to the server: a WebSocket, or polling where WebSockets do not get through. Both look the same from here:
//! requests go in, frames come out, and dropping the line ends it.

use std::time::Duration;

use suda_proto::ConversationId;
use suda_proto::frame::{OutgoingRequest, ServerFrame};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::connection::Connection;
use crate::error::{ClientError, ConnectionError};
use crate::rest::Rest;

/// How many requests may be unanswered on a line; its channel holds as many, so handing one over never waits.
pub const MOST_UNANSWERED: usize = 32;

/// How many frames wait for the engine before the line stops reading.
const FRAMES: usize = 64;

/// How long the network may refuse to take what is written.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// How long one poll waits for something to happen.
const POLL_SECONDS: u64 = 25;

/// What comes out of a line.
#[derive(Debug)]
pub enum Incoming {
    /// A reply, error or event.
    Frame(ServerFrame),
    /// Polling only: everything up to this cursor has come out.
    Cursor(String),
    /// The line is dead.
    Lost(ConnectionError),
}

/// A line that works.
#[derive(Debug)]
pub struct Line {
    /// Where requests go in.
    pub requests: mpsc::Sender<OutgoingRequest>,
    /// Where frames come out.
    pub incoming: mpsc::Receiver<Incoming>,
    /// Whether it polls.
    pub polling: bool,
}

impl Line {
    /// A line over a WebSocket.
    pub fn socket(connection: Connection) -> Self {
        let (requests, to_send) = mpsc::channel(MOST_UNANSWERED);
        let (frames, incoming) = mpsc::channel(FRAMES);
        tokio::spawn(async move {
            if let Err(error) = carry(connection, to_send, &frames).await {
                // Whoever dropped the line does not want to know.
                let _ = frames.send(Incoming::Lost(error)).await;
            }
        });
        Self { requests, incoming, polling: false }
    }

    /// A line that polls from `cursor` on and tells the server which conversations are `open`.
    pub fn polling(
        rest: Rest,
        cursor: Option<String>,
        open: watch::Receiver<Vec<ConversationId>>,
        once: bool,
    ) -> Self {
        let (requests, to_send) = mpsc::channel(MOST_UNANSWERED);
        let (frames, incoming) = mpsc::channel(FRAMES);
        tokio::spawn(post(rest.clone(), to_send, frames.clone()));
        tokio::spawn(async move {
            let wait = if once { 0 } else { POLL_SECONDS };
            if let Some(error) = poll(&rest, cursor, open, &frames, wait).await {
                let _ = frames.send(Incoming::Lost(error)).await;
            }
        });
        Self { requests, incoming, polling: true }
    }
}

/// Carries frames both ways until either side ends.
async fn carry(
    mut connection: Connection,
    mut to_send: mpsc::Receiver<OutgoingRequest>,
    frames: &mpsc::Sender<Incoming>,
) -> Result<(), ConnectionError> {
    loop {
        tokio::select! {
            request = to_send.recv() => {
                let Some(request) = request else {
                    connection.close().await;
                    return Ok(());
                };
                let write = write(&mut connection, request, &mut to_send);
                timeout(WRITE_WITHIN, write).await.map_err(|_| ConnectionError::Silent)??;
            }
            frame = connection.next() => {
                if frames.send(Incoming::Frame(frame?)).await.is_err() {
                    connection.close().await;
                    return Ok(());
                }
            }
        }
    }
}

/// Writes what waits in one go.
async fn write(
    connection: &mut Connection,
    first: OutgoingRequest,
    more: &mut mpsc::Receiver<OutgoingRequest>,
) -> Result<(), ConnectionError> {
    connection.feed(first).await?;
    while let Ok(request) = more.try_recv() {
        connection.feed(request).await?;
    }
    connection.flush().await
}

/// Posts requests one after the other, so that they keep their order.
async fn post(rest: Rest, mut to_send: mpsc::Receiver<OutgoingRequest>, frames: mpsc::Sender<Incoming>) {
    while let Some(request) = to_send.recv().await {
        let incoming = match rest.request(&request).await {
            // The id is told again here: a proxy's or a hurried server's error may lack it.
            Ok(ServerFrame::Error { error, .. }) => {
                Incoming::Frame(ServerFrame::Error { id: Some(request.id), error })
            }
            Ok(frame) => Incoming::Frame(frame),
            Err(error) => Incoming::Lost(lost(error)),
        };
        if frames.send(incoming).await.is_err() {
            return;
        }
    }
}

/// Polls until nobody listens or the server fails; gives back why.
async fn poll(
    rest: &Rest,
    mut cursor: Option<String>,
    mut open: watch::Receiver<Vec<ConversationId>>,
    frames: &mpsc::Sender<Incoming>,
    wait: u64,
) -> Option<ConnectionError> {
    let mut refused = None;
    loop {
        // The server listens to one conversation for a poll.
        let on_screen = open.borrow_and_update().last().copied().filter(|one| Some(*one) != refused);
        let synced = tokio::select! {
            () = frames.closed() => return None,
            Ok(()) = open.changed() => continue,
            synced = rest.sync(cursor.as_deref(), wait, on_screen) => synced,
        };
        let synced = match synced {
            Ok(synced) => synced,
            Err(ClientError::Server(error)) if on_screen.is_some() && is_about_membership(&error) => {
                refused = on_screen;
                continue;
            }
            // A cursor that the server does not take any more: begin like a new device.
            Err(ClientError::Server(error)) if cursor.is_some() && is_about_the_cursor(&error) => {
                cursor = None;
                continue;
            }
            Err(error) => return Some(lost(error)),
        };
        for event in synced.events {
            frames.send(Incoming::Frame(ServerFrame::Event(event))).await.ok()?;
        }
        frames.send(Incoming::Cursor(synced.cursor.clone())).await.ok()?;
        cursor = Some(synced.cursor);
        if wait == 0 {
            return None;
        }
    }
}

fn is_about_membership(error: &suda_proto::ErrorBody) -> bool {
    matches!(error.known(), Some(suda_proto::Code::NotMember | suda_proto::Code::NoSuchConversation))
}

fn is_about_the_cursor(error: &suda_proto::ErrorBody) -> bool {
    matches!(error.known(), Some(suda_proto::Code::BadRequest | suda_proto::Code::BeyondHead))
}

fn lost(error: ClientError) -> ConnectionError {
    match error {
        ClientError::Server(error) => ConnectionError::Refused(error),
        ClientError::Unreachable(reason) => ConnectionError::Unreachable(reason),
        ClientError::TimedOut => ConnectionError::Silent,
        _ => ConnectionError::BadFrame,
    }
}
