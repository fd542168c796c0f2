//! The scenario `presence`: what it costs to tell who is there, how fast it is told, and whether it is true.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use super::child::{Cores, Target};
use super::error::BenchError;
use super::generator::{Load, Phase, PresencePlan};
use super::idle::slope;
use super::poll::SECOND;
use super::process::Cost;
use super::progress::Bar;
use super::report::Report;
use super::round::{Connected, Fleet, Length, Round};
use super::seed::{self, Cast, Filling, Planned};
use super::turns::add;
use super::{Folder, General};

/// Connections of a generator: with what else it needs they fit into 20,000 open files.
const PER_GENERATOR: u32 = 18_000;
/// Most accounts that a session may watch.
const WATCHED_MAX: u32 = 200;
/// How many visitors come, go or die each second.
const VISITS_PER_SECOND: f64 = 50.0;
/// How many begin to watch each second.
const WATCHES_PER_SECOND: f64 = 4_000.0;
/// In so many steps; memory is the slope over them.
const WATCH_STEPS: u32 = 4;
/// At most one change of an account in so many seconds: what follows sooner may be told together.
const BETWEEN_CHANGES: f64 = 2.0;
/// After how much silence the server pings a device in the background, in seconds.
const BACKGROUND_HEARTBEAT: u32 = 285;
/// Most accounts that only chat.
const TALKERS_MAX: u32 = 1_000;
/// For how long the chat goes on after the storm.
const AFTER_STORM: Duration = Duration::from_secs(1);

/// Arguments of `suda bench presence`. There is no --bare: the bare relay tells nobody who is there.
#[derive(Clone, Debug, clap::Args)]
#[command(
    long_about = "Who is there: changes, connects, logouts, interruptions, deaths and storms, until each watcher \
was told. Each is measured apart; 0 leaves it out. There is no --bare: the bare relay tells nobody who is there."
)]
pub struct PresenceOptions {
    /// What every scenario has.
    #[command(flatten)]
    pub general: General,
    /// Accounts, each with a session in the foreground that stays
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub accounts: u32,
    /// How many sessions watch each account
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub watchers: u32,
    /// Changes a second: sessions leave the foreground and come back, each at most every 2 seconds
    #[arg(long, value_name = "RATE", default_value_t = 1_000.0)]
    pub churn: f64,
    /// Further accounts that connect, close, connect and log out
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub visits: u32,
    /// Sessions that lose their connection and come back
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub blinks: u32,
    /// The longest of these interruptions; the shortest is a second
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    pub blink_seconds: f64,
    /// How long after the last interruption nobody may have been told offline
    #[arg(long, value_name = "SECONDS", default_value_t = 35.0)]
    pub vigil: f64,
    /// Further accounts that fall silent for good
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub deaths: u32,
    /// After how much silence the server pings; what is measured should be shorter
    #[arg(long, value_name = "SECONDS", default_value_t = 25)]
    pub heartbeat: u32,
    /// How long the answer may take until somebody counts as gone
    #[arg(long, value_name = "SECONDS", default_value_t = 7)]
    pub answer: u32,
    /// One half of the accounts drops at once and returns; of the others a twentieth chats in pairs
    #[arg(long)]
    pub storm: bool,
    /// Within which time they return
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub storm_seconds: f64,
    /// Messages a second of the chat
    #[arg(long, value_name = "RATE", default_value_t = 500.0)]
    pub chat: f64,
    /// How long it settles before memory is read
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub settle: f64,
    /// Rounds; medians are told
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub rounds: u32,
}

/// How the folder is filled.
#[derive(Serialize)]
struct Shape {
    scenario: &'static str,
    accounts: u32,
    others: u32,
}

/// Runs `presence`.
///
/// # Errors
/// What kept it from the end.
pub async fn run(options: &PresenceOptions) -> Result<Report, BenchError> {
    options.check()?;
    let folder = Folder::of(&options.general);
    options.fill(&folder).await?;
    let mut report = Report { scenario: "presence", ..Report::default() };
    options.note(&mut report);
    for round in 1..=options.rounds.max(1) {
        let visitors = options.accounts + options.deaths..options.accounts + options.deaths + options.visits;
        seed::renew_devices(&folder.data(), visitors).await?;
        let what = format!("round {round} of {}", options.rounds.max(1));
        let one = Measuring::round(options, &folder, &what).await?;
        add(&mut report.errors, one.errors);
        report.server.push(one.figures);
    }
    Ok(report)
}

impl PresenceOptions {
    fn check(&self) -> Result<(), BenchError> {
        let Self { accounts, watchers, churn, .. } = *self;
        let others = self.deaths + self.visits;
        let parts = self.generators();
        let least = if self.storm {
            self.talkers().min((accounts - self.talkers()) / parts)
        } else {
            accounts / parts
        };
        // Of its list, what it watches beside its neighbours in the ring.
        let more =
            (u64::from(others.div_ceil(parts)) * u64::from(watchers)).div_ceil(u64::from(least.max(1)));
        let wrong = match () {
            () if watchers == 0 || least <= watchers => "there must be more accounts than watchers of each",
            () if u64::from(watchers) + more > u64::from(WATCHED_MAX) => {
                "a session watches at most 200 accounts"
            }
            () if churn * BETWEEN_CHANGES > f64::from(accounts) => {
                "an account changes at most every two seconds: more accounts, or a lower --churn"
            }
            () if self.blinks > accounts => "as many accounts as --blinks are needed",
            () if self.blinks > 0 && self.blink_seconds >= f64::from(self.heartbeat + self.answer) => {
                "interruptions must be shorter than the timeout: --heartbeat and --answer together"
            }
            () if self.storm && least < 4 => "a storm needs four accounts",
            () => return Ok(()),
        };
        Err(BenchError::Arguments(wrong))
    }

    async fn fill(&self, folder: &Folder) -> Result<(), BenchError> {
        let (data, others) = (folder.data(), self.deaths + self.visits);
        let shape = Shape { scenario: "presence", accounts: self.accounts, others };
        if seed::is_filled(&data, &shape)? {
            return Ok(());
        }
        seed::make_accounts(&data, &Cast { accounts: self.accounts + others, devices: 1 }).await?;
        let filling = Filling::open(&data).await?;
        filling.make((0..self.accounts / 2).map(pair).collect::<Vec<_>>().into_iter()).await?;
        filling.close().await?;
        seed::note_filled(&data, &shape)
    }

    /// How many generators there are.
    fn generators(&self) -> u32 {
        let connections = self.accounts + self.deaths + self.visits;
        let most = (self.accounts / (self.watchers + 1).max(4)).max(1);
        self.general.generators.max(connections.div_ceil(PER_GENERATOR)).clamp(1, most)
    }

    /// What happens, one after another.
    fn phases(&self) -> Vec<Step> {
        let seconds = self.general.length();
        let at_once = |measured: Duration| Length { warm_up: Duration::ZERO, measured };
        let visits = |count: u32| at_once(duration(f64::from(count) / VISITS_PER_SECOND + 0.1));
        let mut steps = Vec::new();
        let mut step = |phase, what, length| steps.push(Step { phase, what, length });
        let watches = f64::from(self.accounts / WATCH_STEPS) / WATCHES_PER_SECOND;
        for part in 0..WATCH_STEPS {
            step(Phase::Watch(part, WATCH_STEPS), "watching", at_once(duration(watches + 0.1)));
        }
        if self.churn > 0.0 {
            step(Phase::Quiet, "idling", seconds);
            step(Phase::Churn(self.churn), "changing", seconds);
        }
        if self.visits > 0 {
            step(Phase::Arrive, "connecting visitors", visits(self.visits));
            step(Phase::Close, "closing", visits(self.visits));
            step(Phase::Arrive, "connecting again", visits(self.visits));
            step(Phase::LogOut, "logging out", visits(self.visits));
        }
        if self.blinks > 0 {
            let longest = nanoseconds(self.blink_seconds);
            step(Phase::Blink(self.blinks, longest), "interrupting", at_once(seconds.measured));
        }
        if self.deaths > 0 {
            step(Phase::ArriveToDie, "connecting who will die", visits(self.deaths));
            step(Phase::Die, "dying", visits(self.deaths));
        }
        if self.storm {
            let within = duration(self.storm_seconds);
            let stormy = Length { warm_up: seconds.warm_up, measured: within + AFTER_STORM };
            step(Phase::Chat(self.chat), "chatting", seconds);
            step(Phase::Storm(self.chat, nanoseconds(self.storm_seconds)), "storming", stormy);
        }
        steps
    }

    /// How many of the accounts only chat during the storm: in a process of their own, so that what is measured is how
    /// long the server takes and not how long a generator that loses thousands of connections does.
    fn talkers(&self) -> u32 {
        if self.storm {
            (self.accounts / 20).clamp(self.watchers + 1, TALKERS_MAX).next_multiple_of(2)
        } else {
            0
        }
    }

    /// How many of that many the storm takes: half of all accounts, none of whom only chats.
    fn dropping(&self, count: u32) -> u32 {
        let all = u64::from((self.accounts - self.talkers()).max(1));
        (u64::from(self.accounts / 2) * u64::from(count) / all) as u32
    }

    fn fleet(&self) -> Fleet {
        let parts = self.generators();
        let talkers = self.talkers();
        let mut fleet: Vec<_> = (0..parts).map(|place| self.part(place, talkers)).collect();
        if talkers > 0 {
            fleet.push(self.load(0..talkers, 0..0, 0..0, 0..talkers / 2));
        }
        let cores = Cores::of_generator(self.general.pin);
        Fleet { parts: fleet, window: 1, foreground: true, cores }
    }

    /// What one of the generators does beside those who only chat.
    fn part(&self, place: u32, talkers: u32) -> (Vec<String>, Load) {
        let parts = self.generators();
        let share = |place: u32, all: u32| (u64::from(all) * u64::from(place) / u64::from(parts)) as u32;
        let of = |begin: u32, all: u32| begin + share(place, all)..begin + share(place + 1, all);
        let dying = of(self.accounts, self.deaths);
        let visitors = of(self.accounts + self.deaths, self.visits);
        self.load(of(talkers, self.accounts - talkers), dying, visitors, 0..0)
    }

    /// The plan of one generator, and the tokens of its connections.
    fn load(
        &self,
        crowd: Range<u32>,
        dying: Range<u32>,
        visitors: Range<u32>,
        pairs: Range<u32>,
    ) -> (Vec<String>, Load) {
        let count = crowd.len() as u32;
        // Whoever chats does nothing else.
        let of = if pairs.is_empty() { count } else { 0 };
        let share = f64::from(of) / f64::from((self.accounts - self.talkers()).max(1));
        let numbers: Vec<u32> = crowd.chain(dying.clone()).chain(visitors).collect();
        let plan = PresencePlan {
            accounts: numbers.iter().map(|number| seed::account(*number).to_string()).collect(),
            crowd: count,
            staying: if pairs.is_empty() { count - self.dropping(count) } else { count },
            dying: dying.len() as u32,
            watchers: self.watchers,
            timeouts: [self.heartbeat, BACKGROUND_HEARTBEAT]
                .map(|silence| u64::from(silence + self.answer) * SECOND),
            conversations: pairs.map(|number| pair(number).id().to_string()).collect(),
            vigil: nanoseconds(self.vigil),
            phases: self.phases().iter().map(|step| step.phase.shared(share)).collect(),
        };
        (numbers.iter().map(|number| seed::token(*number, 0)).collect(), Load::Presence(plan))
    }

    /// Writes down what was asked for.
    fn note(&self, report: &mut Report) {
        let asked = &mut report.asked;
        asked.insert("accounts", self.accounts.into());
        asked.insert("watchers", self.watchers.into());
        asked.insert("churn_per_s", self.churn.into());
        asked.insert("visits", self.visits.into());
        asked.insert("blinks", self.blinks.into());
        asked.insert("deaths", self.deaths.into());
        asked.insert("timeout_seconds", (self.heartbeat + self.answer).into());
        asked.insert("storm", self.storm.into());
        if self.storm {
            asked.insert("chat_per_s", self.chat.into());
        }
        asked.insert("seconds", self.general.seconds.into());
        asked.insert("generators", (self.generators() + u32::from(self.storm)).into());
    }
}

/// Two of the crowd, who are neighbours.
fn pair(number: u32) -> Planned {
    Planned::direct(number * 2, number * 2 + 1)
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 1e6)).unwrap_or_default()
}

fn nanoseconds(seconds: f64) -> u64 {
    (seconds.clamp(0.0, 1e6) * SECOND as f64) as u64
}

/// A phase, what to call it, and how long it takes.
struct Step {
    phase: Phase,
    what: &'static str,
    length: Length,
}

/// One round.
struct Measuring<'a> {
    options: &'a PresenceOptions,
    target: &'a Target,
    round: Round,
    /// How many watched, and the server's memory.
    memory: Vec<(f64, f64)>,
    /// Of the server's cores, while nothing happens.
    idle_cores: f64,
}

impl<'a> Measuring<'a> {
    async fn round(options: &'a PresenceOptions, folder: &Folder, what: &str) -> Result<Round, BenchError> {
        let patience = [
            "--heartbeat-seconds",
            &options.heartbeat.to_string(),
            "--answer-seconds",
            &options.answer.to_string(),
        ];
        let cores = Cores::of_target(options.general.pin);
        let target = Target::server_with(&folder.data(), cores, &patience).await?;
        let mut connected = options.fleet().connect(&target).await?;
        let round = Round { figures: Default::default(), errors: BTreeMap::new(), counts: BTreeMap::new() };
        let mut measuring =
            Measuring { options, target: &target, round, memory: Vec::new(), idle_cores: 0.0 };
        for step in options.phases() {
            measuring.step(&step, &mut connected, folder, what).await?;
        }
        let Measuring { mut round, .. } = measuring;
        for name in ["false_offline", "timed_out_offline", "unknown_told", "interruptions"] {
            let count = round.counts.get(name).copied().unwrap_or(0);
            round.figures.more.insert(name.to_owned(), count as f64);
        }
        drop(connected);
        target.stop().await?;
        Ok(round)
    }

    async fn step(
        &mut self,
        step: &Step,
        connected: &mut Connected,
        folder: &Folder,
        what: &str,
    ) -> Result<(), BenchError> {
        if self.memory.is_empty() {
            self.settle(0.0).await?;
        }
        let what = format!("{}, {what}", step.what);
        let one = connected.run(&what, self.target, &folder.data(), step.length, None).await?;
        if let Phase::Watch(part, parts) = step.phase {
            let watching = f64::from(self.options.accounts) * f64::from(part + 1) / f64::from(parts);
            self.settle(watching).await?;
        }
        self.take(step, one);
        Ok(())
    }

    /// Notes the server's memory, once it has settled, while so many watch.
    async fn settle(&mut self, watching: f64) -> Result<(), BenchError> {
        let settle = duration(self.options.settle);
        Bar::timing("settling", settle).wait(settle).await;
        let cost = Cost::of(self.target.pid).map_err(|_| BenchError::Ended("server"))?;
        self.memory.push((watching, cost.resident as f64));
        Ok(())
    }

    /// Keeps what a phase came to.
    fn take(&mut self, step: &Step, one: Round) {
        let Round { figures, errors, counts } = one;
        let names = errors.into_iter().map(|(name, count)| (format!("{}: {name}", step.what), count));
        add(&mut self.round.errors, names.collect());
        add(&mut self.round.counts, counts);
        let told = figures.delivery_ms;
        let name = match step.phase {
            Phase::Watch(..) | Phase::Quiet | Phase::ArriveToDie | Phase::Blink(..) => None,
            Phase::Churn(_) => Some("change_ms"),
            Phase::Arrive => Some("connect_ms"),
            Phase::Close => Some("close_ms"),
            Phase::LogOut => Some("logout_ms"),
            Phase::Die => Some("death_ms"),
            Phase::Chat(_) => Some("delivery_before_ms"),
            Phase::Storm(..) => Some("delivery_during_ms"),
        };
        let times = name.zip(told).map(|(name, times)| (name.to_owned(), times));
        self.round.figures.times.extend(times);
        let cores = figures.server_cores.unwrap_or_default();
        let right = figures.ack_ms.map(|times| times.max);
        match step.phase {
            Phase::Quiet => {
                self.idle_cores = cores;
                self.figure("idle_cores", cores);
            }
            Phase::Churn(_) => {
                self.round.figures.ack_ms = figures.ack_ms;
                self.round.figures.server_cores = Some(cores);
                let changes = figures.messages_per_s.unwrap_or_default();
                self.figure("changes_per_s", changes);
                let told = (changes * f64::from(self.options.watchers)).max(f64::MIN_POSITIVE);
                self.figure("cpu_us_per_change_and_watcher", (cores - self.idle_cores) * 1e6 / told);
            }
            Phase::Watch(part, parts) if part + 1 == parts => {
                self.figures("bytes_per_account", slope(&self.memory));
                self.round.figures.bytes_per_connection_user = figures.bytes_per_connection_user;
                self.round.figures.bytes_per_connection_kernel = figures.bytes_per_connection_kernel;
                self.figures("watch_right_after_ms", right);
            }
            Phase::Storm(..) => self.figures("right_after_ms", right),
            _ => {}
        }
    }

    fn figure(&mut self, name: &str, value: f64) {
        self.round.figures.more.insert(name.to_owned(), value);
    }

    fn figures(&mut self, name: &str, value: Option<f64>) {
        value.into_iter().for_each(|value| self.figure(name, value));
    }
}
