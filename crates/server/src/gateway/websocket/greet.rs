//! The greeting: reads hello, opens the session, reads its window and sends the welcome.

use std::future::poll_fn;
use std::sync::Arc;

use suda_domain::ports::devices::TokenHolder;
use suda_proto::close::Close;
use suda_proto::frame::RequestFrame;
use suda_proto::reply::Welcome;
use suda_proto::request::{Hello, Request};
use suda_proto::{Code, ErrorBody, PROTOCOL};
use tokio::time::timeout;

use super::connection::{Broken, Connection, Taker};
use super::decoder::Message;
use super::{Caller, End, Origin};
use crate::api::auth::authenticate;
use crate::gateway::resume::Resume;
use crate::gateway::window;
use crate::presence::Parting;
use crate::server::Server;
use crate::session::{Frame, Opened};

/// Reads hello, opens the session and sends the welcome; what is no hello is refused and changes nothing.
pub(super) async fn greet(
    server: &Arc<Server>,
    connection: &mut Connection,
    origin: Origin,
) -> Result<(Caller, Opened), End> {
    loop {
        let read = next(connection).await?;
        let frame = match &read {
            Ok(text) => RequestFrame::read(text),
            Err(error) => Err(error.clone()),
        };
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => {
                send(server, connection, &Frame::error(None, &error)).await?;
                continue;
            }
        };
        let id = frame.id;
        let outcome = match frame.request() {
            Ok(Request::Hello(hello)) => welcome(server, hello, &origin).await,
            Ok(_) => Err(Code::HelloFirst.error()),
            Err(error) => Err(error),
        };
        match outcome {
            Ok((caller, opened, welcome)) => {
                send(server, connection, &Frame::reply(id, &welcome)).await?;
                return Ok((caller, opened));
            }
            Err(error) => {
                send(server, connection, &Frame::error(Some(id), &error)).await?;
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
    origin: &Origin,
) -> Result<(Caller, Opened, Welcome), ErrorBody> {
    if hello.protocol != PROTOCOL {
        return Err(Code::UnsupportedProtocol.error());
    }
    let as_of = (server.registry.revocations(), server.presence.changes());
    let token = hello.token.or_else(|| origin.token.clone()).ok_or_else(|| Code::Unauthenticated.error())?;
    let TokenHolder { device, mut who_may_see, .. } = authenticate(server, &token).await?;
    let opened = server.registry.open(device.account, device.id, hello.foreground);
    let mut opened = opened.ok_or_else(|| Code::Overloaded.error())?;
    opened.session.set_who_may_see(who_may_see);
    if (server.registry.revocations(), server.presence.changes()) != as_of {
        // It may have been this account's, after its token was checked and before there was a session to close or tell.
        who_may_see = match authenticate(server, &token).await {
            Ok(holder) => holder.who_may_see,
            Err(error) => {
                if matches!(error.known(), Some(Code::Unauthenticated | Code::AccountDisabled)) {
                    opened.parting = Parting::LoggedOut;
                }
                return Err(error);
            }
        };
        opened.session.set_who_may_see(who_may_see);
    }
    if server.is_draining() {
        return Err(Code::Draining.error());
    }
    let caller = Caller {
        account: device.account,
        device: device.id,
        session: Some(Arc::clone(&opened.session)),
        spared: origin.spared,
        who_may_see,
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

/// The next text; the inner error is to be told, and does not end the connection.
async fn next(connection: &mut Connection) -> Result<Result<String, ErrorBody>, End> {
    loop {
        let mut heard = Heard::Nothing;
        poll_fn(|context| {
            let mut take = |message: Message<'_>| {
                heard = match message {
                    Message::Text(text) => Heard::Text(text.into_owned()),
                    Message::Binary => Heard::Binary,
                    Message::Ping(payload) => Heard::Ping(Frame::pong(payload)),
                    Message::Pong => return Taker::Ready,
                    Message::Close(code) => Heard::Close(code),
                };
                Taker::Full
            };
            connection.poll_messages(context, &mut take)
        })
        .await?;
        match heard {
            Heard::Nothing => {}
            Heard::Text(text) => return Ok(Ok(text)),
            Heard::Binary => return Ok(Err(Code::BinaryFrame.error())),
            Heard::Ping(pong) => connection.send(&pong).await?,
            Heard::Close(code) => return Err(End::Answered(code)),
        }
    }
}

/// What came in before there is a session.
enum Heard {
    Nothing,
    Text(String),
    Binary,
    Ping(Frame),
    Close(Option<u16>),
}

impl From<Broken> for End {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Gone => Self::Gone,
            Broken::Rule(rule) => Self::of(rule),
        }
    }
}

/// Sends one frame, to whoever takes it in time.
async fn send(server: &Server, connection: &mut Connection, frame: &Frame) -> Result<(), End> {
    match timeout(server.settings.write_timeout, connection.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(End::Gone),
    }
}
