//! A generator: one process, one thread, one epoll; its configuration comes on standard input, results go to standard
//! output, one JSON value a line.
//!
//! It stands beside the server on the same cores, so it is lean: frames are put together from parts that stay, replies
//! are recognised by searching for a few bytes, and whatever a turn has for a connection is written at once.
//!
//! Reading order: [`lines`] keeps the connections, [`engine`] turns; each load is a [`engine::Work`].

mod engine;
mod idle;
mod lines;
mod messages;
mod mixed;
mod orders;
mod presence;
mod relay;
mod requests;
mod tally;
pub mod text;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::quantiles::Counted;
use engine::{Engine, Work};
use lines::Lines;
pub use messages::{MessagesPlan, Pace, Receipts};
pub use mixed::MixedPlan;
use orders::Orders;
pub use presence::{Phase, PresencePlan};
pub use relay::RelayPlan;
pub use requests::{Ask, PagesPlan, ReadConversation, RequestsPlan};

/// What a generator is told first.
#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// Where the server listens.
    pub address: SocketAddr,
    /// The tokens of its connections' devices.
    pub tokens: Vec<String>,
    /// The number of the first connection among those of all generators.
    pub first: u32,
    /// The last byte of the first source address, 127.0.0.x.
    pub source: u8,
    /// How many rows each greeting asks for.
    pub window: u32,
    /// Whether somebody is looking.
    pub foreground: bool,
    /// What the connections do.
    pub load: Load,
}

/// What connections do.
#[derive(Debug, Serialize, Deserialize)]
pub enum Load {
    /// Send messages and receive them.
    Messages(MessagesPlan),
    /// Play ping-pong with plain frames, over a bare relay.
    Relay(RelayPlan),
    /// Nothing.
    Idle,
    /// Ask, and ask again when the answer is there.
    Requests(RequestsPlan),
    /// A day's mixture.
    Mixed(MixedPlan),
    /// Watch each other, come and go.
    Presence(PresencePlan),
}

impl Load {
    /// How many of so many connections are there before it begins; it makes the others by itself.
    pub fn first_connections(&self, all: u32) -> u32 {
        match self {
            Self::Presence(plan) => plan.crowd,
            _ => all,
        }
    }
}

/// What a generator is told then.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Order {
    /// Have so many connections; answered with [`Answer::Connected`].
    Connect(u32),
    /// Do the load; answered with [`Answer::Done`].
    Go(Schedule),
}

/// When to do it: nanoseconds of the monotonic clock.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Schedule {
    /// The load begins.
    pub start: u64,
    /// What happens from here on is measured.
    pub measure: u64,
    /// The load ends.
    pub end: u64,
}

impl Schedule {
    /// Whether something at this time is measured.
    pub const fn measures(&self, at: u64) -> bool {
        self.measure <= at && at < self.end
    }
}

/// What a generator answers.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// That many connections are greeted.
    Connected(u32),
    /// The load is over.
    Done(Box<Outcome>),
}

/// What came of a load.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// What was acknowledged or answered while it was measured.
    pub acknowledged: u64,
    /// Messages that arrived while it was measured.
    pub delivered: u64,
    /// Everything sent, the warm-up included.
    pub all_sent: u64,
    /// Everything acknowledged.
    pub all_acknowledged: u64,
    /// Every arrival.
    pub all_delivered: u64,
    /// From the intended send to the acknowledgement or answer, of what was due while it was measured.
    pub acknowledging: Counted,
    /// From the intended send to each arrival.
    pub delivering: Counted,
    /// Further counts of the load, by name.
    pub counts: BTreeMap<String, u64>,
    /// What went wrong, by name.
    pub errors: BTreeMap<String, u64>,
}

/// Runs a generator to its end: when standard input ends, or once its work is done.
///
/// # Errors
/// If the configuration cannot be read, or the system refuses.
pub fn run() -> io::Result<()> {
    let mut orders = Orders::default();
    let Some(line) = orders.wait_for_line()? else { return Ok(()) };
    let config: Config = serde_json::from_slice(&line)?;
    let Config { load, first, .. } = config;
    let count = config.tokens.len() as u32;
    let work: Box<dyn Work> = match load {
        Load::Messages(plan) => Box::new(messages::Messages::new(plan, first, count)),
        Load::Relay(plan) => Box::new(relay::Relay::new(plan, count)),
        Load::Idle => Box::new(idle::Idle::default()),
        Load::Requests(plan) => Box::new(requests::Requests::new(plan, first, count)),
        Load::Mixed(plan) => Box::new(mixed::Mixed::new(plan, first, count)),
        Load::Presence(plan) => Box::new(presence::Presence::new(plan, first)),
    };
    let lines = Lines::new(lines::Greeting {
        address: config.address,
        tokens: config.tokens,
        source: config.source,
        window: config.window,
        foreground: config.foreground,
    })?;
    Engine::new(lines, work, orders).run()
}

/// Answers the parent.
fn answer(answer: &Answer) -> io::Result<()> {
    let mut text = serde_json::to_string(answer)?;
    text.push('\n');
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}
