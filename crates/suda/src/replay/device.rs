//! One device's task: connects, again and again, and lets its [`State`] talk.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::Rng as _;
use suda_client::connection::Connection;
use suda_client::error::ConnectionError;
use suda_proto::ConversationId;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::copy::Copy;
use super::ledger::Ledger;
use super::script::Script;
use super::state::State;

/// How long a write may take before the connection counts as lost.
const WRITE_WITHIN: Duration = Duration::from_secs(15);

/// Longest first pause before connecting again; it doubles up to [`PAUSE_MAX`].
const PAUSE: Duration = Duration::from_millis(100);

/// Longest pause of all; short, because a replay wants to be back soon.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What the devices work towards.
#[derive(Clone, Debug)]
pub enum Goal {
    /// Send and receive.
    Live,
    /// Receive up to these heads, then end.
    Reach(Arc<HashMap<ConversationId, u64>>),
    /// End.
    Stop,
}

/// Where devices connect, and how many at once.
pub struct Door {
    /// The WebSocket's address.
    pub url: String,
    /// Handshakes under way.
    pub gate: Semaphore,
}

/// One device.
pub struct Device {
    door: Arc<Door>,
    ledger: Arc<Ledger>,
    token: String,
    state: State,
    was_connected: bool,
    failures: u32,
}

impl Device {
    /// A device of the account at place `account`, with its token.
    pub fn new(
        door: Arc<Door>,
        script: Arc<Script>,
        ledger: Arc<Ledger>,
        account: usize,
        token: String,
    ) -> Self {
        let state = State::new(script, Arc::clone(&ledger), account);
        Self { door, ledger, token, state, was_connected: false, failures: 0 }
    }

    /// Sends the messages that `orders` names and keeps a copy of everything, until the goal is reached.
    pub async fn run(
        mut self,
        mut orders: mpsc::Receiver<usize>,
        mut goal: watch::Receiver<Goal>,
    ) -> HashMap<ConversationId, Copy> {
        while !self.is_done(&goal.borrow_and_update()) {
            let connection = tokio::select! {
                connection = self.connect() => connection,
                _ = goal.changed() => continue,
            };
            // Why a connection ended does not matter: the next one resumes.
            let _: Result<(), Ended> = self.talk(connection, &mut orders, &mut goal).await;
        }
        self.state.into_copies()
    }

    fn is_done(&self, goal: &Goal) -> bool {
        match goal {
            Goal::Live => false,
            Goal::Reach(heads) => self.state.has_reached(heads),
            Goal::Stop => true,
        }
    }

    /// Connects, however often it takes.
    async fn connect(&mut self) -> Connection {
        loop {
            let until = Instant::now() + self.next_pause();
            sleep_until(until).await;
            let Ok(_permit) = self.door.gate.acquire().await else {
                continue;
            };
            match Connection::connect(self.door.url.clone(), self.state.hello(&self.token)).await {
                Ok((connection, welcome)) => {
                    self.failures = 0;
                    self.state.welcome(welcome);
                    let tallies = self.ledger.tallies();
                    let tally = if self.was_connected { &tallies.reconnected } else { &tallies.connected };
                    tally.fetch_add(1, Ordering::Relaxed);
                    self.was_connected = true;
                    return connection;
                }
                Err(ConnectionError::Refused(error)) => self.ledger.note_error(&error.code),
                Err(_) => {}
            }
            self.failures += 1;
        }
    }

    /// A jittered pause that grows with the failures, so that devices do not come back all at once; none at first.
    fn next_pause(&self) -> Duration {
        if !self.was_connected && self.failures == 0 {
            return Duration::ZERO;
        }
        let longest = PAUSE.saturating_mul(1 << self.failures.min(8)).min(PAUSE_MAX);
        longest.mul_f64(rand::rng().random_range(0.0..1.0))
    }

    /// Talks until the connection is lost or the goal reached.
    async fn talk(
        &mut self,
        mut connection: Connection,
        orders: &mut mpsc::Receiver<usize>,
        goal: &mut watch::Receiver<Goal>,
    ) -> Result<(), Ended> {
        let mut has_orders = true;
        while !self.is_done(&goal.borrow_and_update()) {
            self.ask(&mut connection).await?;
            let resumes = self.state.paused_until();
            tokio::select! {
                frame = connection.next() => {
                    let frame = frame.inspect_err(|error| self.note(error))?;
                    self.state.take(frame).map_err(|_| Ended)?;
                }
                order = orders.recv(), if has_orders && self.state.has_room() => match order {
                    Some(message) => self.state.compose(message),
                    None => has_orders = false,
                },
                () = sleep_until(resumes.unwrap_or_else(Instant::now)), if resumes.is_some() => {}
                _ = goal.changed() => {}
            }
        }
        connection.close().await;
        Ok(())
    }

    /// Writes whatever there is to ask, in one go.
    async fn ask(&mut self, connection: &mut Connection) -> Result<(), Ended> {
        let mut has_fed = false;
        while let Some(request) = self.state.next_request() {
            timeout(WRITE_WITHIN, connection.feed(request)).await.map_err(|_| Ended)??;
            has_fed = true;
        }
        if has_fed {
            timeout(WRITE_WITHIN, connection.flush()).await.map_err(|_| Ended)??;
        }
        Ok(())
    }

    /// Counts why the server ended a connection, where it said so.
    fn note(&self, error: &ConnectionError) {
        if let ConnectionError::Closed { code: Some(code) } = error {
            self.ledger.note_error(&format!("closed_{code}"));
        }
    }
}

/// The connection is lost.
struct Ended;

impl From<ConnectionError> for Ended {
    fn from(_: ConnectionError) -> Self {
        Self
    }
}
