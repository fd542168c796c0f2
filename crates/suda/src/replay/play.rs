//! The play itself: every device connected, lines sent in order, copies compared.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use suda_proto::ConversationId;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::checker::{Expected, Findings, Sent, check};
use super::copy::Copy;
use super::device::{Device, Door, Goal};
use super::ledger::Ledger;
use super::outbox::OUTBOX_MAX;
use super::pace::{Pace, Speed};
use super::report::Report;
use super::rest::{AWAY_MAX, Rest, RestError};
use super::script::Script;
use super::stage::Run;
use super::steps::Step;

/// Most unacknowledged messages of all devices together.
const WINDOW: u32 = 256;

/// Most handshakes at once.
const HANDSHAKES: usize = 64;

/// Most fresh devices at once.
const FRESH_AT_ONCE: usize = 16;

/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Why the devices could not do their work.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// A device's task ended before its time.
    #[error("a device's task failed: {0}")]
    Device(#[from] tokio::task::JoinError),
    /// A fresh device could not log in.
    #[error("a fresh device could not log in: {0}")]
    LogIn(#[from] RestError),
}

/// What the copies of the devices come to.
type Copies = HashMap<ConversationId, Copy>;

/// A replay in progress.
pub struct Play {
    script: Arc<Script>,
    ledger: Arc<Ledger>,
    door: Arc<Door>,
    goal: watch::Sender<Goal>,
    rest: Rest,
    run: Run,
}

impl Play {
    /// Prepares the devices' common ground.
    pub fn new(script: Arc<Script>, rest: Rest, run: Run) -> Self {
        let ledger = Arc::new(Ledger::new(script.plan.messages.len(), WINDOW));
        let door = Arc::new(Door { url: rest.websocket(), gate: Semaphore::new(HANDSHAKES) });
        Self { script, ledger, door, goal: watch::Sender::new(Goal::Live), rest, run }
    }

    /// Connects every device, sends every message, compares every copy.
    ///
    /// # Errors
    /// Where a device failed; a server that stays away is no error but shows in the report.
    pub async fn perform(self, speed: Speed) -> Result<Report, PlayError> {
        let (devices, orders) = self.connect().await;
        let began = Instant::now();
        self.send(&orders, speed).await;
        let seconds = began.elapsed().as_secs_f64();
        drop(orders);
        let sent = self.sent();
        let copies = self.catch_up(devices, &heads(&sent)).await?;
        let mut findings = Findings::default();
        for copies in &copies {
            findings += compare(copies, &sent);
        }
        let mut compared = copies.len() as u64;
        drop(copies);
        let (fresh_devices, fresh) = self.compare_fresh(&sent).await?;
        compared += fresh_devices;
        findings += fresh;
        Ok(self.report(findings, compared, seconds))
    }

    /// Starts every device and waits until each has connected. The first device of each account takes orders.
    async fn connect(&self) -> (Vec<JoinHandle<Copies>>, Vec<mpsc::Sender<usize>>) {
        let accounts = &self.script.accounts;
        let mut devices = Vec::with_capacity(accounts.len() * super::DEVICES);
        let mut orders = Vec::with_capacity(accounts.len());
        for (place, account) in accounts.iter().enumerate() {
            let [first, second] = &account.tokens;
            let (sender, inbox) = mpsc::channel(OUTBOX_MAX);
            orders.push(sender);
            devices.push(tokio::spawn(self.device(place, first).run(inbox, self.goal.subscribe())));
            devices.push(tokio::spawn(self.device(place, second).run(no_orders(), self.goal.subscribe())));
        }
        let step = Step::of("connecting", devices.len());
        let connected = &self.ledger.tallies().connected;
        let total = devices.len() as u64;
        self.wait(|| read(connected), total, &step).await;
        (devices, orders)
    }

    fn device(&self, account: usize, token: &str) -> Device {
        let (door, script, ledger) =
            (Arc::clone(&self.door), Arc::clone(&self.script), Arc::clone(&self.ledger));
        Device::new(door, script, ledger, account, token.to_owned())
    }

    /// Sends every message in the file's order and waits until all are settled, or the server stays away.
    async fn send(&self, orders: &[mpsc::Sender<usize>], speed: Speed) {
        let messages = &self.script.plan.messages;
        let step = Step::of("sending", messages.len());
        let began = Instant::now();
        let mut pace = Pace::new(speed);
        let sending = async {
            for (place, message) in messages.iter().enumerate() {
                let due = pace.due(message);
                if !due.is_zero() {
                    self.idle_until(began + due).await;
                }
                self.ledger.make_room().await;
                if orders[message.account].send(place).await.is_err() {
                    return;
                }
            }
            self.ledger.settled().await;
        };
        let acknowledged = &self.ledger.tallies().acknowledged;
        tokio::select! {
            () = sending => {}
            () = self.wait(|| read(acknowledged), u64::MAX, &step) => {}
        }
        step.at(read(acknowledged));
    }

    /// Waits for a message's time; a recording's silence is not the server's.
    async fn idle_until(&self, due: Instant) {
        while Instant::now() < due {
            sleep_until(due.min(Instant::now() + LOOK)).await;
            self.ledger.advance();
        }
    }

    /// Lets the devices receive what is still on its way, ends them, and returns their copies.
    async fn catch_up(
        &self,
        devices: Vec<JoinHandle<Copies>>,
        heads: &Heads,
    ) -> Result<Vec<Copies>, PlayError> {
        let step = Step::of("catching up", devices.len());
        self.goal.send_replace(Goal::Reach(Arc::clone(heads)));
        let finished = || devices.iter().filter(|device| device.is_finished()).count() as u64;
        self.wait(finished, devices.len() as u64, &step).await;
        self.goal.send_replace(Goal::Stop);
        let mut copies = Vec::with_capacity(devices.len());
        for device in devices {
            copies.push(device.await?);
        }
        Ok(copies)
    }

    /// Logs one more device of each account in and compares what it reads. Returns how many there were.
    async fn compare_fresh(
        &self,
        sent: &HashMap<ConversationId, Sent>,
    ) -> Result<(u64, Findings), PlayError> {
        let accounts = self.script.accounts.len();
        let step = Step::of("reading afresh", accounts);
        self.goal.send_replace(Goal::Reach(heads(sent)));
        let done = AtomicU64::new(0);
        let read_one = |account: usize| {
            let done = &done;
            async move {
                let logged_in =
                    self.run.log_in(&self.rest, &self.script.plan.accounts[account], "fresh").await?;
                let device = self.device(account, &logged_in.token);
                let copies = device.run(no_orders(), self.goal.subscribe()).await;
                done.fetch_add(1, Ordering::Relaxed);
                Ok::<_, PlayError>(compare(&copies, sent))
            }
        };
        let reading = async {
            let mut findings = Findings::default();
            let mut fresh = stream::iter(0..accounts).map(read_one).buffer_unordered(FRESH_AT_ONCE);
            while let Some(found) = fresh.next().await {
                findings += found?;
            }
            Ok((accounts as u64, findings))
        };
        let watching = async {
            self.wait(|| read(&done), u64::MAX, &step).await;
            // The server stays away: what is not there by now is missing.
            self.goal.send_replace(Goal::Stop);
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            outcome = reading => outcome,
            never = watching => match never {},
        }
    }

    /// Waits until `done` has come to `total`, or nothing has gone forward for [`AWAY_MAX`].
    async fn wait(&self, done: impl Fn() -> u64, total: u64, step: &Step) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = (0, 0);
        let mut since = Instant::now();
        loop {
            looks.tick().await;
            let now = (done(), read(&self.ledger.tallies().progress));
            step.at(now.0);
            if now != last {
                (last, since) = (now, Instant::now());
            }
            if now.0 >= total || since.elapsed() >= AWAY_MAX {
                return;
            }
        }
    }

    /// What was sent, by conversation, with the numbers that were acknowledged.
    fn sent(&self) -> HashMap<ConversationId, Sent> {
        let mut sent: HashMap<ConversationId, Sent> = HashMap::new();
        for conversation in &self.script.conversations {
            sent.insert(*conversation, Sent::new());
        }
        for (order, message) in self.script.plan.messages.iter().enumerate() {
            let expected = Expected {
                seq: self.ledger.position(order).map(|position| position.seq),
                account: message.account,
                order,
                message: self.script.fingerprint(order),
            };
            let here = sent.entry(self.script.conversation_of(order)).or_default();
            here.insert(self.ledger.client_id(order), expected);
        }
        sent
    }

    fn report(&self, findings: Findings, devices: u64, seconds: f64) -> Report {
        let tallies = self.ledger.tallies();
        Report {
            messages_sent: read(&tallies.sent),
            messages_acknowledged: read(&tallies.acknowledged),
            devices,
            entries_expected: findings.expected,
            entries_received: findings.received,
            missing: findings.missing,
            duplicated: findings.duplicated + read(&tallies.contradicted),
            out_of_order: findings.out_of_order,
            ack_ms: self.ledger.acknowledging(),
            delivery_ms: self.ledger.delivering(),
            messages_planned: self.script.plan.messages.len() as u64,
            lines_left_out: self.script.plan.left_out as u64,
            resent: read(&tallies.resent),
            reconnected: read(&tallies.reconnected),
            seconds,
            errors: self.ledger.errors(),
        }
    }
}

/// The highest acknowledged number of each conversation.
type Heads = Arc<HashMap<ConversationId, u64>>;

fn heads(sent: &HashMap<ConversationId, Sent>) -> Heads {
    let head = |sent: &Sent| sent.values().filter_map(|message| message.seq).max().unwrap_or(0);
    Arc::new(sent.iter().map(|(conversation, sent)| (*conversation, head(sent))).collect())
}

/// Compares all copies of a device.
fn compare(copies: &Copies, sent: &HashMap<ConversationId, Sent>) -> Findings {
    let mut findings = Findings::default();
    for (conversation, copy) in copies {
        if let Some(sent) = sent.get(conversation) {
            findings += check(copy.entries(), sent);
            findings.duplicated += copy.contradictions();
        }
    }
    findings
}

/// An inbox that no order ever comes into.
fn no_orders() -> mpsc::Receiver<usize> {
    mpsc::channel(1).1
}

fn read(tally: &AtomicU64) -> u64 {
    tally.load(Ordering::Relaxed)
}
