//! Getting a line, greeting, losing it.

use std::time::Duration;

use suda_proto::event::Event;
use suda_proto::reply::{Pong, Welcome};
use suda_proto::request::{ConversationQuery, Foreground, Hello, Ping, Request};
use suda_proto::{ErrorBody, PROTOCOL};
use tokio::time::Instant;

use super::link::Line;
use super::reconnect::{Failure, Next, try_socket};
use super::request::{Done, Purpose};
use super::{Contact, Engine, Step, Timer};
use crate::cache::Write;
use crate::error::{ClientError, ConnectionError};
use crate::event::ConnectionState;

/// While polling, a WebSocket is tried again after so long.
const SOCKET_AGAIN: Duration = Duration::from_secs(180);

/// A busy session asks for a new resume token this often.
const TOKEN_EVERY_MS: u64 = 60_000;

/// How many rows the first window should hold.
const WINDOW: u32 = 100;

impl Engine {
    pub(super) fn connect(&mut self) {
        self.is_wanted = true;
        if matches!(self.contact, Contact::None) {
            self.try_socket();
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.is_wanted = false;
        self.drop_line(ConnectionState::Offline);
    }

    /// Starts one try; a line that polls is given up for it.
    pub(super) fn try_socket(&mut self) {
        if !self.is_wanted || matches!(&self.contact, Contact::Trying(_)) {
            return;
        }
        if matches!(&self.contact, Contact::Line(_)) {
            self.lose_line();
        }
        let hello = Hello {
            protocol: PROTOCOL,
            features: Vec::new(),
            token: Some(self.token.clone()),
            foreground: self.foreground,
            resume: self.progress.resume.clone(),
            window: Some(WINDOW),
        };
        let task = try_socket(self.rest.clone(), hello, self.reconnect.tries());
        self.contact = Contact::Trying(tokio::spawn(task));
        self.announce_state(ConnectionState::Connecting);
    }

    pub(super) async fn on_welcome(&mut self, line: Line, welcome: Welcome) -> Step {
        let since = self.progress.resume.clone().filter(|_| welcome.resumed);
        self.on_line(line);
        self.apply_window(since, welcome.window).await?;
        self.catch_up().await
    }

    pub(super) async fn on_failure(&mut self, failure: &Failure) -> Step {
        self.contact = Contact::None;
        tracing::debug!(error = %failure.error, "no connection");
        match self.reconnect.failed(failure, rand::random()) {
            Next::Poll => {
                self.start_polling(false);
                self.timers.set(Instant::now() + SOCKET_AGAIN, Timer::Connect);
                self.catch_up().await
            }
            next => {
                self.follow(next);
                Ok(())
            }
        }
    }

    pub(super) async fn on_lost(&mut self, error: &ConnectionError) -> Step {
        let was_once = self.once.take();
        self.lose_line();
        if let Some(done) = was_once {
            self.announce_state(ConnectionState::Offline);
            let _ = done.send(Err(ClientError::Unreachable(error.to_string())));
            return Ok(());
        }
        tracing::debug!(%error, "the connection is lost");
        let next = self.reconnect.lost(error, Instant::now(), rand::random());
        self.follow(next);
        Ok(())
    }

    /// The server lost track of what this session got: resume on a new line.
    pub(super) async fn on_resync(&mut self) -> Step {
        self.on_lost(&ConnectionError::Closed { code: None }).await
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Wait(pause) => {
                self.timers.set(Instant::now() + pause, Timer::Connect);
                let retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                self.announce_state(ConnectionState::Waiting { retry_in_ms });
            }
            Next::LogIn => {
                self.is_wanted = false;
                self.announce_state(ConnectionState::LoggedOut);
            }
            Next::Stop(reason) => {
                self.is_wanted = false;
                self.announce_state(ConnectionState::Stopped { reason });
            }
            // Only a failed try leads to polling; see `on_failure`.
            Next::Poll => {}
        }
    }

    fn start_polling(&mut self, once: bool) {
        let (cursor, open) = (self.progress.resume.clone(), self.on_screen.subscribe());
        self.on_line(Line::polling(self.rest.clone(), cursor, open, once));
    }

    fn on_line(&mut self, line: Line) {
        let polling = line.polling;
        self.contact = Contact::Line(line);
        self.timers.clear(Timer::Connect);
        self.reconnect.succeeded(Instant::now(), polling);
        self.after(TOKEN_EVERY_MS, Timer::Token);
        self.announce_state(ConnectionState::Online { polling });
    }

    /// One round of polling for an app that was woken to look; a line that is there already looks anyway.
    pub(super) async fn sync_once(&mut self, done: Done<()>) -> Step {
        if !matches!(self.contact, Contact::None) || self.once.is_some() {
            let _ = done.send(Ok(()));
            return Ok(());
        }
        self.timers.clear(Timer::Connect);
        self.is_stirred = true;
        self.once = Some(done);
        self.start_polling(true);
        self.catch_up().await
    }

    /// Everything that a new line makes possible.
    async fn catch_up(&mut self) -> Step {
        self.outbox.disconnected();
        for conversation in self.on_screen.borrow().clone() {
            let request = Request::Open(ConversationQuery { conversation });
            self.ask(request, Purpose::Open(conversation));
        }
        let behind: Vec<_> =
            self.held.iter().filter(|(_, held)| held.state.missing().is_some()).map(|(id, _)| *id).collect();
        for conversation in behind {
            self.want_fill(conversation);
        }
        if self.progress.own_seq == 0 {
            self.load_own_state();
        }
        self.send_reads();
        self.send_delivered();
        self.send_values().await?;
        self.pump_all();
        Ok(())
    }

    /// Drops the line, says why, and forgets what was to happen on it.
    pub(super) fn drop_line(&mut self, state: ConnectionState) {
        self.lose_line();
        self.announce_state(state);
    }

    fn lose_line(&mut self) {
        self.contact = Contact::None;
        self.timers.clear_all();
        self.abandon_requests();
        self.outbox.disconnected();
    }

    pub(super) fn set_foreground(&mut self, foreground: bool) {
        self.foreground = foreground;
        self.ask(Request::Foreground(Foreground { foreground }), Purpose::Nothing);
    }

    /// While things happen, the resume token moves on, so that the next start has little to catch up with.
    pub(super) fn ask_token(&mut self) {
        self.after(TOKEN_EVERY_MS, Timer::Token);
        if self.is_stirred && self.requests.room() > 0 && !self.is_paging() {
            self.is_stirred = false;
            self.ask(Request::Ping(Ping {}), Purpose::Token);
        }
    }

    /// Everything that came before the reply was applied, so its token counts.
    pub(super) async fn on_token(&mut self, answer: Result<Pong, ErrorBody>) -> Step {
        match answer {
            Ok(pong) if !self.is_paging() => self.keep_token(pong.resume).await,
            _ => Ok(()),
        }
    }

    /// Polling: everything up to the cursor was applied.
    pub(super) async fn on_cursor(&mut self, cursor: String) -> Step {
        self.is_stirred = false;
        self.keep_token(cursor).await
    }

    async fn keep_token(&mut self, token: String) -> Step {
        self.progress.resume = Some(token.clone());
        self.cache.write(vec![Write::Resume(token)]).await
    }

}
