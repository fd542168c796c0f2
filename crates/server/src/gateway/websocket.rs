//! WebSocket sessions: hello, then requests in and replies and events out, by one task per connection.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::{SinkExt, StreamExt};
use suda_proto::close::Close;
use suda_proto::frame::{RequestFrame, error_text, reply_text};
use suda_proto::reply::Welcome;
use suda_proto::request::{Hello, Request};
use suda_proto::{Code, ErrorBody, PROTOCOL};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use super::resume::Resume;
use super::{Caller, requests, window};
use crate::api::auth::authenticate;
use crate::server::Server;
use crate::session::{Opened, Session};

/// Frames up to so many times the limit are read and refused by code; larger ones close the connection.
pub const READ_FACTOR: usize = 4;

/// Why a connection ends.
enum End {
    /// The peer is gone, or will not take what is written.
    Gone,
    /// The server closes it.
    Close(Close),
    /// A text was not UTF-8, which RFC 6455 (8.1) closes by a code of its own.
    NotUtf8,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// Whether rates are not counted.
    pub spared: bool,
}

/// Serves one connection to its end.
pub async fn serve(server: Arc<Server>, mut socket: WebSocket, origin: Origin) {
    let greeted = timeout(server.settings.hello_timeout, greet(&server, &mut socket, origin)).await;
    let end = match greeted {
        Err(_) => End::Close(Close::Silent),
        Ok(Err(end)) => end,
        // Boxed: the greeting's memory is given back before the long life of the session begins.
        Ok(Ok((caller, opened))) => Box::pin(live(&server, &mut socket, &caller, &opened.session)).await,
    };
    let (code, reason) = match end {
        End::Gone => return,
        End::Close(close) => close.wire(),
        End::NotUtf8 => (axum::extract::ws::close_code::INVALID, "not_utf8"),
    };
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    // The peer may be gone already; then there is nobody to tell.
    drop(timeout(Duration::from_secs(1), socket.send(Message::Close(Some(frame)))).await);
}

/// Reads hello, opens the session and sends the welcome.
async fn greet(
    server: &Arc<Server>,
    socket: &mut WebSocket,
    origin: Origin,
) -> Result<(Caller, Opened), End> {
    loop {
        let text = match next_text(socket).await? {
            Ok(text) => text,
            Err(error) => {
                send(server, socket, error_text(None, &error)).await?;
                continue;
            }
        };
        let frame = match RequestFrame::read(&text) {
            Ok(frame) => frame,
            Err(error) => {
                send(server, socket, error_text(None, &error)).await?;
                continue;
            }
        };
        let id = frame.id;
        let outcome = match frame.request() {
            Ok(Request::Hello(hello)) => welcome(server, hello, origin).await,
            Ok(_) => Err(Code::HelloFirst.error()),
            Err(error) => Err(error),
        };
        match outcome {
            Ok((caller, opened, welcome)) => {
                send(server, socket, reply_text(id, &welcome)).await?;
                return Ok((caller, opened));
            }
            Err(error) => {
                send(server, socket, error_text(Some(id), &error)).await?;
                if let Some(close) = error.known().and_then(Close::after_hello) {
                    return Err(End::Close(close));
                }
            }
        }
    }
}

/// Opens the session, then reads the window: what happens in between waits in the session's queue.
async fn welcome(
    server: &Arc<Server>,
    hello: Hello,
    origin: Origin,
) -> Result<(Caller, Opened, Welcome), ErrorBody> {
    if hello.protocol != PROTOCOL {
        return Err(Code::UnsupportedProtocol.error());
    }
    let revocations = server.registry.revocations();
    let token = hello.token.ok_or_else(|| Code::Unauthenticated.error())?;
    let device = authenticate(server, &token).await?;
    let opened = server.registry.open(device.account, device.id, hello.foreground);
    let opened = opened.ok_or_else(|| Code::Overloaded.error())?;
    if server.registry.revocations() != revocations {
        // It may have been this token's, after it was checked and before there was a session to close.
        authenticate(server, &token).await?;
    }
    if server.is_draining() {
        return Err(Code::Draining.error());
    }
    let caller = Caller {
        account: device.account,
        device: device.id,
        session: Some(Arc::clone(&opened.session)),
        spared: origin.spared,
    };
    let resume = hello.resume.as_deref().and_then(Resume::read);
    let resume = resume.filter(|resume| resume.epoch == server.ports.log.epoch());
    let since = resume.map_or(0, Resume::since);
    let window = window::read(server, caller.account, since, None, hello.window).await?;
    server.seen(device.id);
    let welcome = Welcome {
        protocol: PROTOCOL,
        features: Vec::new(),
        limits: server.settings.limits,
        heartbeat_seconds: server.settings.heartbeat.as_secs() as u32,
        account: caller.account,
        device: caller.device,
        now: server.clock.now(),
        resumed: resume.is_some(),
        window,
    };
    Ok((caller, opened, welcome))
}

/// The session's life: whatever is ready, until the end.
async fn live(server: &Arc<Server>, socket: &mut WebSocket, caller: &Caller, session: &Arc<Session>) -> End {
    let turns = Arc::new(Semaphore::new(server.settings.session_requests));
    let heartbeat = server.settings.heartbeat;
    let mut heard = Instant::now();
    let mut pinged = false;
    loop {
        let silence = if pinged { heartbeat * 2 } else { heartbeat };
        // Taken in turn: a session under constant delivery is still read from and pinged.
        tokio::select! {
            () = session.ready() => {
                if let Err(end) = write_waiting(server, socket, session).await {
                    return end;
                }
            }
            // A session with as many unanswered requests as it may have is not read from.
            frame = socket.recv(), if turns.available_permits() > 0 && !session.is_busy() => {
                heard = Instant::now();
                pinged = false;
                match frame {
                    Some(Ok(Message::Text(text))) => take(server, caller, session, &turns, &text),
                    Some(Ok(Message::Binary(_))) => session.push(error_text(None, &Code::BinaryFrame.error()).into()),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return End::Gone,
                    Some(Err(error)) => return end_of(error),
                }
            }
            () = sleep_until(heard + silence) => {
                if pinged {
                    return End::Close(Close::Silent);
                }
                pinged = true;
                if let Err(end) = write(server, socket, session, Message::Ping(Default::default())).await {
                    return end;
                }
            }
            turn = turns.acquire(), if turns.available_permits() == 0 => drop(turn),
        }
    }
}

/// What ends a connection whose frame could not be read.
fn end_of(error: axum::Error) -> End {
    let error = error.into_inner().to_string();
    // The library tells only by its words what was wrong.
    if error.contains("too long") || error.contains("too big") {
        End::Close(Close::FrameTooLarge)
    } else if error.contains("UTF-8") {
        End::NotUtf8
    } else {
        End::Gone
    }
}

/// Takes one request: sends and marks go straight to their hosts, others are answered by a task of their own.
fn take(server: &Arc<Server>, caller: &Caller, session: &Arc<Session>, turns: &Arc<Semaphore>, text: &str) {
    let refuse = |id: Option<u64>, error: ErrorBody| session.push(error_text(id, &error).into());
    if text.len() > server.settings.limits.frame_bytes as usize {
        return refuse(None, Code::FrameTooLarge.error());
    }
    let frame = match RequestFrame::read(text) {
        Ok(frame) => frame,
        Err(error) => return refuse(None, error),
    };
    let id = frame.id;
    if !caller.spared && !server.limiters.account(caller.account) {
        return refuse(Some(id), Code::RateLimited.error());
    }
    let request = match frame.request() {
        Ok(request) => request,
        Err(error) => return refuse(Some(id), error),
    };
    let Some(request) = requests::hand_over(server, caller, id, request) else {
        return;
    };
    let Ok(turn) = Arc::clone(turns).try_acquire_owned() else {
        return refuse(Some(id), Code::TooManyRequests.error());
    };
    let (server, caller, session) = (Arc::clone(server), caller.clone(), Arc::clone(session));
    tokio::spawn(async move {
        let text = match requests::answer(&server, &caller, request).await {
            Ok(reply) => reply_text(id, &reply),
            Err(error) => error_text(Some(id), &error),
        };
        session.push(text.into());
        drop(turn);
    });
}

/// Writes everything that waits with one flush.
async fn write_waiting(server: &Server, socket: &mut WebSocket, session: &Session) -> Result<(), End> {
    let waiting = session.take();
    if let Some(close) = waiting.closed {
        return Err(End::Close(close));
    }
    let writing = async {
        for frame in waiting.frames {
            socket.feed(Message::Text(frame)).await?;
        }
        socket.flush().await
    };
    finish_write(server, session, writing).await
}

async fn write(
    server: &Server,
    socket: &mut WebSocket,
    session: &Session,
    message: Message,
) -> Result<(), End> {
    finish_write(server, session, socket.send(message)).await
}

/// Waits for a write, but not for a peer that does not take it, nor once the session is closed.
async fn finish_write(
    server: &Server,
    session: &Session,
    writing: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), End> {
    tokio::select! {
        biased;
        written = timeout(server.settings.write_timeout, writing) => match written {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        },
        close = session.closed() => Err(End::Close(close)),
    }
}

/// Sends one text before there is a session.
async fn send(server: &Server, socket: &mut WebSocket, text: String) -> Result<(), End> {
    match timeout(server.settings.write_timeout, socket.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(End::Gone),
    }
}

/// The next text before there is a session; the inner error is to be told, and does not end the connection.
async fn next_text(socket: &mut WebSocket) -> Result<Result<Utf8Bytes, ErrorBody>, End> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(Ok(text)),
            Some(Ok(Message::Binary(_))) => return Ok(Err(Code::BinaryFrame.error())),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(error)),
        }
    }
}
