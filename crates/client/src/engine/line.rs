//! Getting a line, greeting, losing it.

use std::time::Duration;

use suda_proto::reply::{Pong, Welcome};
use suda_proto::request::{Hello, Ping, Request};
use suda_proto::{ErrorBody, PROTOCOL};
use tokio::time::Instant;

use super::link::Line;
use super::reconnect::{Failure, Next, try_socket};
use super::request::{Done, Purpose};
use super::{Engine, Step, Timer};
use crate::cache::{Held, Write};
use crate::error::{ClientError, ConnectionError};
use crate::event::ConnectionState;

/// While polling, a WebSocket is tried again after so long.
const SOCKET_AGAIN: Duration = Duration::from_secs(180);

/// A busy session asks for a new resume token this often.
const TOKEN_EVERY_MS: u64 = 60_000;

/// While polling, the own conversation is asked for this often.
const OWN_EVERY_MS: u64 = 10_000;

/// How many rows the first window should hold.
const WINDOW: u32 = 100;

impl Engine {
    pub(super) fn connect(&mut self) {
        self.is_wanted = true;
        if self.contact.line.is_none() {
            self.try_socket();
        }
    }

    pub(super) fn disconnect(&mut self) {
        self.is_wanted = false;
        match self.once {
            Some(_) => self.finish_once(Err(ClientError::Offline)),
            None => {
                self.lose_line();
                self.announce_state(ConnectionState::Offline);
            }
        }
    }

    /// Starts one try; a line that polls stays until it succeeds.
    pub(super) fn try_socket(&mut self) {
        if !self.is_wanted || self.contact.trying.is_some() {
            return;
        }
        let hello = Hello {
            protocol: PROTOCOL,
            features: Vec::new(),
            token: Some(self.token.clone()),
            foreground: self.foreground,
            resume: self.progress.resume.clone(),
            window: Some(WINDOW),
        };
        self.foreground_told = self.foreground;
        let task = try_socket(self.rest.clone(), hello, self.reconnect.tries());
        self.contact.trying = Some(tokio::spawn(task));
        if self.contact.line.is_none() {
            self.announce_state(ConnectionState::Connecting);
        }
    }

    pub(super) async fn on_welcome(&mut self, line: Line, welcome: Welcome) -> Step {
        let since = self.progress.resume.clone().filter(|_| welcome.resumed);
        self.contact.trying = None;
        self.frame_bytes = welcome.limits.frame_bytes as usize;
        self.lose_line();
        self.on_line(line);
        self.tell_foreground();
        self.apply_first_window(since, welcome.window).await?;
        self.catch_up().await
    }

    pub(super) async fn on_failure(&mut self, failure: &Failure) -> Step {
        self.contact.trying = None;
        tracing::debug!(error = %failure.error, "no connection");
        let next = self.reconnect.failed(failure, rand::random());
        let is_polling = self.contact.line.is_some();
        match next {
            Next::Wait(_) | Next::Poll if is_polling => {
                self.timers.set(Instant::now() + SOCKET_AGAIN, Timer::Connect);
                Ok(())
            }
            Next::Poll => {
                self.start_polling(false);
                self.timers.set(Instant::now() + SOCKET_AGAIN, Timer::Connect);
                self.catch_up().await
            }
            next => {
                self.lose_line();
                self.follow(next);
                Ok(())
            }
        }
    }

    pub(super) async fn on_lost(&mut self, error: &ConnectionError) -> Step {
        if self.once.is_some() {
            self.finish_once(Err(ClientError::Unreachable(error.to_string())));
            return Ok(());
        }
        self.lose_line();
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
        let (cursor, open) = (self.progress.cursor.clone(), self.on_screen.subscribe());
        let is_first = cursor.is_none();
        self.on_line(Line::polling(self.rest.clone(), cursor, open, once));
        if is_first {
            self.ask_first_window();
        }
    }

    fn on_line(&mut self, line: Line) {
        let polling = line.polling;
        self.contact.line = Some(line);
        self.timers.clear(Timer::Connect);
        self.reconnect.succeeded(Instant::now(), polling);
        self.after(TOKEN_EVERY_MS, Timer::Token);
        self.announce_state(ConnectionState::Online { polling });
    }

    /// One round of polling for an app that was woken to look; a line that is there already looks anyway.
    pub(super) async fn sync_once(&mut self, done: Done<()>) -> Step {
        if self.contact.line.is_some() || self.contact.trying.is_some() {
            let _ = done.send(Ok(()));
            return Ok(());
        }
        self.timers.clear(Timer::Connect);
        self.is_stirred = true;
        self.once = Some(done);
        self.start_polling(true);
        self.catch_up().await
    }

    /// The round of polling is over; where the app wants a line, getting one goes on.
    pub(super) fn finish_once(&mut self, outcome: Result<(), ClientError>) {
        self.lose_line();
        self.announce_state(ConnectionState::Offline);
        if let Some(done) = self.once.take() {
            let _ = done.send(outcome);
        }
        self.try_socket();
    }

    /// Everything that a new line makes possible.
    async fn catch_up(&mut self) -> Step {
        let on_screen = self.on_screen.borrow().clone();
        for conversation in on_screen {
            self.ask_open(conversation);
        }
        self.send_watch();
        let is_member = |held: &Held| held.row.as_ref().is_none_or(|row| row.role.is_some());
        let behind = self.held.iter().filter(|(_, held)| held.state.missing().is_some() && is_member(held));
        let behind: Vec<_> = behind.map(|(conversation, _)| *conversation).collect();
        for conversation in behind {
            self.want_fill(conversation);
        }
        self.catch_up_own();
        self.send_reads();
        self.send_delivered();
        self.send_values().await?;
        self.pump_all();
        Ok(())
    }

    /// Drops the line and forgets what was to happen on it.
    fn lose_line(&mut self) {
        if let Some(task) = std::mem::take(&mut self.contact).trying {
            task.abort();
        }
        self.timers.clear_all();
        self.abandon_requests();
        self.next_cursor = None;
        self.outbox.disconnected();
        self.forget_presence();
    }

    /// While things happen, the resume token moves on, so that the next start has little to catch up with.
    pub(super) fn ask_token(&mut self) {
        self.after(TOKEN_EVERY_MS, Timer::Token);
        // A poll's events do not come in order with the reply.
        let is_in_order = self.contact.line.as_ref().is_some_and(|line| !line.polling);
        if self.is_stirred && is_in_order && self.requests.room() > 0 && !self.is_paging() {
            self.is_stirred = false;
            self.ask(Request::Ping(Ping {}), Purpose::Token);
        }
    }

    /// Everything that came before the reply was applied, so its token counts.
    pub(super) async fn on_token(&mut self, answer: Result<Pong, ErrorBody>) -> Step {
        match answer {
            Ok(pong) if !self.is_paging() => {
                self.progress.resume = Some(pong.resume.clone());
                self.progress.cursor = None;
                self.cache.write(vec![Write::Resume(pong.resume)]).await
            }
            _ => Ok(()),
        }
    }

    /// Polling: everything up to the cursor was applied.
    pub(super) async fn on_cursor(&mut self, cursor: String) -> Step {
        self.is_stirred = false;
        self.after(OWN_EVERY_MS, Timer::Own);
        if self.is_paging() {
            self.next_cursor = Some(cursor);
            return Ok(());
        }
        self.progress.cursor = Some(cursor.clone());
        self.cache.write(vec![Write::Cursor(cursor)]).await
    }
}
