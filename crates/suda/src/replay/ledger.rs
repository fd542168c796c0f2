//! What was sent, acknowledged and delivered, as all devices of the replay write it down.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use hdrhistogram::Histogram;
use suda_proto::{ClientId, ErrorBody, Position};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Longest time that is told apart: ten minutes, in microseconds.
const LONGEST_MICROSECONDS: u64 = 600_000_000;

/// Most different error codes that are counted apart.
const CODES_MAX: usize = 64;

/// The one record of a replay.
pub struct Ledger {
    started: Instant,
    messages: Vec<Message>,
    places: HashMap<ClientId, usize>,
    window: Semaphore,
    window_size: u32,
    tallies: Tallies,
    acknowledging: Mutex<Histogram<u64>>,
    delivering: Mutex<Histogram<u64>>,
    errors: Mutex<BTreeMap<String, u64>>,
}

/// What is known of one message.
struct Message {
    client_id: ClientId,
    /// Microseconds since the start, plus one; 0 while it was not sent.
    sent: AtomicU64,
    acknowledged: OnceLock<Position>,
}

/// Counters of the whole replay.
#[derive(Debug, Default)]
pub struct Tallies {
    /// Messages handed to the server at least once.
    pub sent: AtomicU64,
    /// Messages acknowledged.
    pub acknowledged: AtomicU64,
    /// Messages that the server refused for good.
    pub refused: AtomicU64,
    /// Sends repeated after a lost connection or a temporary error.
    pub resent: AtomicU64,
    /// Acknowledgements that contradict an earlier one of the same message.
    pub contradicted: AtomicU64,
    /// Devices that have connected.
    pub connected: AtomicU64,
    /// Connections made after the first of each device.
    pub reconnected: AtomicU64,
    /// Counts everything that goes forward; while it stands still the server is taken to be away.
    pub progress: AtomicU64,
}

/// Two quantiles, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Quantiles {
    /// Half are at most as long.
    pub p50: f64,
    /// 99 of 100 are at most as long.
    pub p99: f64,
}

impl Ledger {
    /// A ledger for so many messages, of which at most `window` are unacknowledged at any time.
    pub fn new(messages: usize, window: u32) -> Self {
        let messages: Vec<Message> = (0..messages)
            .map(|_| Message {
                client_id: ClientId(Uuid::now_v7()),
                sent: AtomicU64::new(0),
                acknowledged: OnceLock::new(),
            })
            .collect();
        let places = messages.iter().enumerate().map(|(place, message)| (message.client_id, place)).collect();
        Self {
            started: Instant::now(),
            messages,
            places,
            window: Semaphore::new(window as usize),
            window_size: window,
            tallies: Tallies::default(),
            acknowledging: Mutex::new(histogram()),
            delivering: Mutex::new(histogram()),
            errors: Mutex::default(),
        }
    }

    /// The counters.
    pub const fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The client id of a message.
    pub fn client_id(&self, message: usize) -> ClientId {
        self.messages[message].client_id
    }

    /// Under which number a message was acknowledged.
    pub fn position(&self, message: usize) -> Option<Position> {
        self.messages[message].acknowledged.get().copied()
    }

    /// Waits until one more message may be under way.
    pub async fn make_room(&self) {
        if let Ok(permit) = self.window.acquire().await {
            permit.forget();
        }
    }

    /// Waits until no message is under way.
    pub async fn settled(&self) {
        drop(self.window.acquire_many(self.window_size).await);
    }

    /// A message is handed to the server, for the first time or again.
    pub fn sending(&self, message: usize) {
        let now = self.now();
        let first =
            self.messages[message].sent.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        let tally = if first.is_ok() { &self.tallies.sent } else { &self.tallies.resent };
        tally.fetch_add(1, Ordering::Relaxed);
    }

    /// The server acknowledged a message.
    pub fn acknowledge(&self, message: usize, position: Position) {
        let entry = &self.messages[message];
        if entry.acknowledged.set(position).is_err() {
            let is_same = entry.acknowledged.get() == Some(&position);
            self.tallies.contradicted.fetch_add(u64::from(!is_same), Ordering::Relaxed);
            return;
        }
        record(&self.acknowledging, self.since(message));
        self.tallies.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.advance();
        self.window.add_permits(1);
    }

    /// The server refused a message for good.
    pub fn refuse(&self, error: &ErrorBody) {
        self.note_error(&error.code);
        self.tallies.refused.fetch_add(1, Ordering::Relaxed);
        self.advance();
        self.window.add_permits(1);
    }

    /// A message reached, live, a device that did not send it.
    pub fn deliver(&self, client_id: ClientId) {
        if let Some(message) = self.places.get(&client_id) {
            record(&self.delivering, self.since(*message));
        }
    }

    /// Something went forward.
    pub fn advance(&self) {
        self.tallies.progress.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an error by its code.
    pub fn note_error(&self, code: &str) {
        let mut errors = lock(&self.errors);
        if errors.len() < CODES_MAX || errors.contains_key(code) {
            *errors.entry(code.to_owned()).or_default() += 1;
        }
    }

    /// How often each error code came.
    pub fn errors(&self) -> BTreeMap<String, u64> {
        lock(&self.errors).clone()
    }

    /// From first send to acknowledgement.
    pub fn acknowledging(&self) -> Quantiles {
        quantiles(&lock(&self.acknowledging))
    }

    /// From first send to live arrival at each other device.
    pub fn delivering(&self) -> Quantiles {
        quantiles(&lock(&self.delivering))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).map_or(u64::MAX, |now| now + 1)
    }

    fn since(&self, message: usize) -> u64 {
        self.now().saturating_sub(self.messages[message].sent.load(Ordering::Relaxed))
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, 3).expect("the bounds are in order")
}

fn record(histogram: &Mutex<Histogram<u64>>, microseconds: u64) {
    lock(histogram).saturating_record(microseconds);
}

fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    let milliseconds = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
    Quantiles { p50: milliseconds(0.5), p99: milliseconds(0.99) }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
