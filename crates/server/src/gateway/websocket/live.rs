//! A session's life on its connection: in each turn requests in, then everything that waits out with one write. The
//! timer wheel says when to look for silence.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use suda_proto::close::Close;
use suda_proto::frame::{RequestFrame, read_send};
use suda_proto::request::Request;
use suda_proto::{Code, ErrorBody};

use super::connection::{Connection, Taker};
use super::decoder::Message;
use super::{Caller, End, finish};
use crate::gateway::requests;
use crate::presence::Parting;
use crate::server::Server;
use crate::session::wheel::Wheel;
use crate::session::{Asked, Frame, Opened, Session};

/// Most reads of one turn: whoever sends without end lets others go on in between.
const READS: usize = 4;

/// A session with its connection.
pub(super) struct Line {
    server: Arc<Server>,
    connection: Connection,
    caller: Caller,
    opened: Opened,
    watch: Watch,
}

/// When what was heard, in ticks of the wheel.
struct Watch {
    /// When something came in last.
    heard: u32,
    /// Whether the peer has been pinged since.
    pinged: bool,
    /// Since when the peer has not taken what is written.
    stuck: Option<u32>,
    /// When the wheel wakes the session next.
    alarm: u32,
}

impl Line {
    pub fn new(server: Arc<Server>, connection: Connection, caller: Caller, opened: Opened) -> Self {
        let now = server.wheel.now();
        let watch = Watch { heard: now, pinged: false, stuck: None, alarm: now };
        Self { server, connection, caller, opened, watch }
    }

    /// Lives until the end, and ends the connection.
    pub async fn live(mut self) {
        // The first look at the time sets the first alarm.
        self.opened.session.alarm();
        let end = poll_fn(|context| self.poll_turn(context)).await;
        self.opened.parting = self.parting(&end);
        let server = Arc::clone(&self.server);
        // A network that fails takes thousands along at once: those who go on must not wait for all of them.
        let _turn = match end {
            End::Gone => {
                let turn = server.partings.acquire().await.ok();
                // Whoever is ready comes first.
                tokio::task::yield_now().await;
                turn
            }
            _ => None,
        };
        // Boxed: an ending takes more memory than a life, and is short.
        Box::pin(finish(self.connection, end, Some(self.opened))).await;
    }

    /// What the end means for whoever watches the account.
    fn parting(&self, end: &End) -> Parting {
        match end {
            End::Answered(_) => Parting::Closed,
            End::Close(Close::Unauthenticated | Close::AccountClosed) => Parting::LoggedOut,
            End::Gone | End::Close(_) | End::Broken(..) => {
                let silent = self.server.wheel.now().saturating_sub(self.watch.heard + 1);
                Parting::Lost { silent_ms: Wheel::milliseconds(silent) }
            }
        }
    }

    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.opened.session.register(context.waker());
        match self.turn(context) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        if self.opened.session.take_alarm() {
            self.look_at_the_time()?;
        }
        self.read(context)?;
        self.write(context)
    }

    /// Takes requests as long as some are there and there is room for their answers.
    fn read(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        let Self { server, connection, caller, opened, watch } = self;
        let session = &opened.session;
        for _ in 0..READS {
            // A peer that does not take answers is not read from.
            if connection.is_stuck() || is_busy(server, session) {
                return Ok(());
            }
            let mut end = None;
            let mut take = |message: Message<'_>| {
                match message {
                    Message::Text(text) => take_request(server, caller, session, &text),
                    Message::Binary => session.push(Frame::error(None, &Code::BinaryFrame.error())),
                    Message::Ping(payload) => session.push(Frame::pong(payload)),
                    Message::Pong => {}
                    Message::Close(code) => end = Some(End::Answered(code)),
                }
                if end.is_some() || is_busy(server, session) { Taker::Full } else { Taker::Ready }
            };
            match connection.poll_messages(context, &mut take) {
                Poll::Pending => return Ok(()),
                Poll::Ready(read) => read?,
            }
            if let Some(end) = end {
                return Err(end);
            }
            watch.heard = server.wheel.now();
            watch.pinged = false;
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Writes everything that waits.
    fn write(&mut self, context: &mut Context<'_>) -> Result<(), End> {
        if self.connection.is_stuck() && self.connection.poll_unsent(context)?.is_pending() {
            // Whoever lost access is cut loose all the same.
            return self.opened.session.closed().map_or(Ok(()), |close| Err(End::Close(close)));
        }
        self.watch.stuck = None;
        let waiting = self.opened.session.take();
        if let Some(close) = waiting.closed {
            return Err(End::Close(close));
        }
        if !waiting.frames.is_empty() && self.connection.poll_write(context, &waiting.frames)?.is_pending() {
            let now = self.server.wheel.now();
            self.watch.stuck = Some(now);
            self.wake_at(now + Wheel::ticks(self.server.settings.write_timeout));
        }
        Ok(())
    }

    /// Pings whoever was silent, gives up on whoever stays so or takes nothing.
    fn look_at_the_time(&mut self) -> Result<(), End> {
        let settings = &self.server.settings;
        let now = self.server.wheel.now();
        let heartbeat = match self.opened.session.is_foreground() {
            true => settings.heartbeat,
            false => settings.background_heartbeat,
        };
        let heartbeat = Wheel::ticks(heartbeat).max(1);
        // Something may have come at the end of its tick.
        let silent_at = self.watch.heard + heartbeat + Wheel::ticks(settings.answer_timeout).max(1) + 1;
        let stuck_at = self.watch.stuck.map(|since| since + Wheel::ticks(settings.write_timeout));
        if stuck_at.is_some_and(|at| at <= now) {
            return Err(End::Gone);
        }
        if self.watch.pinged && silent_at <= now {
            return Err(End::Close(Close::Silent));
        }
        if !self.watch.pinged && self.watch.heard + heartbeat <= now {
            self.watch.pinged = true;
            self.opened.session.push(Frame::ping());
        }
        let next = if self.watch.pinged { silent_at } else { self.watch.heard + heartbeat };
        self.wake_at(stuck_at.map_or(next, |at| at.min(next)));
        Ok(())
    }

    /// Has the wheel wake the session, unless it will do so earlier anyway.
    fn wake_at(&mut self, at: u32) {
        let now = self.server.wheel.now();
        let pending = self.watch.alarm > now;
        if !pending || at < self.watch.alarm {
            self.watch.alarm = at.max(now + 1);
            self.server.wheel.wake_at(&self.opened.session, self.watch.alarm);
        }
    }
}

/// Whether the session has as many unanswered requests as it may have, or one for which others wait; it is not read from
/// meanwhile.
fn is_busy(server: &Server, session: &Session) -> bool {
    session.is_busy() || session.is_in_turn() || session.asked() >= server.settings.session_requests
}

/// Takes one request: sends and marks go straight to their hosts, others are answered by a task of their own.
fn take_request(server: &Arc<Server>, caller: &Caller, session: &Arc<Session>, text: &str) {
    let refuse = |id: Option<u64>, error: ErrorBody| session.push(Frame::error(id, &error));
    if text.len() > server.settings.limits.frame_bytes as usize {
        return refuse(None, Code::FrameTooLarge.error());
    }
    let (id, request) = match read_send(text) {
        Some((id, send)) => (id, Ok(Request::Send(send))),
        None => match RequestFrame::read(text) {
            Ok(frame) => (frame.id, frame.request()),
            Err(error) => return refuse(None, error),
        },
    };
    if !caller.spared && !server.limiters.account(caller.account) {
        return refuse(Some(id), Code::RateLimited.error());
    }
    let request = match request {
        Ok(request) => request,
        Err(error) => return refuse(Some(id), error),
    };
    let Some(request) = requests::hand_over(server, caller, id, request) else {
        return;
    };
    let asked = match request {
        // Each takes the place of the one before, so the last one said has to be the last one done.
        Request::Foreground(_) | Request::Watch(_) | Request::Open(_) | Request::Close(_) => {
            Asked::in_turn(session)
        }
        _ => Asked::new(session),
    };
    let (server, caller) = (Arc::clone(server), caller.clone());
    tokio::spawn(async move {
        let frame = match requests::answer(&server, &caller, request).await {
            Ok(reply) => Frame::raw_reply(id, &reply),
            Err(error) => Frame::error(Some(id), &error),
        };
        asked.answer(frame);
    });
}
