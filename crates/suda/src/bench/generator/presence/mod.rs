//! Presence: connections that watch each other, change, come and go, and what each watcher is told of it.
//!
//! Each order to go begins the next phase of the plan. [`script`] knows what is done when, [`views`] what everybody
//! should be shown, [`expectations`] who was not told yet.

mod expectations;
mod script;
mod views;

use std::collections::VecDeque;
use std::io::Read as _;
use std::net::TcpStream;

use foldhash::{HashMap, HashMapExt as _};
use serde::{Deserialize, Serialize};

use super::super::poll::SECOND;
use super::super::quantiles::Times;
use super::engine::Work;
use super::lines::{Lines, Stage};
use super::messages::{Messages, MessagesPlan, Pace};
use super::{Outcome, Schedule, text};
use expectations::Expectations;
use script::Act;
pub use script::Phase;
use views::{State, Views};

/// The id of the first request; those of messages are larger than any.
const FIRST_ID: u64 = 10;
const FIRST_MESSAGE_ID: u64 = 1_000_000_000;
/// For how long a device counts as connected after a proper close.
const CLOSED: u64 = 5 * SECOND;
/// Whoever comes back after that time may be told offline for so long: it crossed the way of the news.
const CROSSING: u64 = SECOND;
/// Whoever is told later than this is told late; of deaths it is less.
const LATE: u64 = 3 * SECOND;
const LATE_DEATH: u64 = 2 * SECOND;
/// After the end of a phase, what is missing is waited for so long.
const PATIENCE: u64 = 15 * SECOND;
/// Most acts of one turn: a thousand connections that are cut at once must not make what is heard meanwhile look late.
const ACTS_PER_TURN: usize = 16;
/// How often it is looked whether all is done.
const LOOK: u64 = SECOND / 50;
/// Bytes of each chat message.
const CHAT_BYTES: usize = 200;

/// Who watches whom, and what happens.
#[derive(Debug, Serialize, Deserialize)]
pub struct PresencePlan {
    /// The ids of the connections' accounts: first the crowd, then those who will die, then the visitors.
    pub accounts: Vec<String>,
    /// How many are the crowd.
    pub crowd: u32,
    /// How many of the crowd stay when a storm takes the others.
    pub staying: u32,
    /// How many will die.
    pub dying: u32,
    /// How many of the crowd watch each account.
    pub watchers: u32,
    /// For how long, in nanoseconds, a device counts as connected after its last sign of life, in the foreground and in
    /// the background.
    pub timeouts: [u64; 2],
    /// The direct conversations of those of the crowd who chat, of neighbours.
    pub conversations: Vec<String>,
    /// For how long, in nanoseconds, it is watched after interruptions that nobody is told to be offline.
    pub vigil: u64,
    /// What happens, one after another.
    pub phases: Vec<Phase>,
}

impl PresencePlan {
    /// How many of the crowd chat, in pairs.
    pub const fn chatting(&self) -> u32 {
        self.conversations.len() as u32 * 2
    }
}

/// A request that is not answered.
struct Asked {
    line: u32,
    due: u64,
    is_change: bool,
}

/// When it may be said of somebody to be offline.
#[derive(Clone, Copy, Default)]
struct Absence {
    from: u64,
    /// Also until then.
    forgiven: u64,
}

/// The load.
pub struct Presence {
    plan: PresencePlan,
    /// How many phases have begun.
    begun: usize,
    phase: Phase,
    schedule: Schedule,
    script: VecDeque<(u64, Act)>,
    /// Until when it is watched at least.
    vigil: u64,
    now: u64,
    is_watching: bool,
    views: Views,
    expectations: Expectations,
    absences: Vec<Absence>,
    asked: HashMap<u64, Asked>,
    next_id: u64,
    chat: Messages,
    logging_out: Vec<TcpStream>,
    answering: Times,
    outcome: Outcome,
}

impl Presence {
    /// A load, the first connection of which has this number among those of all generators.
    pub fn new(plan: PresencePlan, first: u32) -> Self {
        let chat = MessagesPlan {
            conversations: plan.conversations.clone(),
            of_line: (0..plan.chatting()).map(|line| line / 2).collect(),
            bytes: CHAT_BYTES,
            pace: Pace::Open(plan.phases.iter().find_map(Phase::chat_rate).unwrap_or_default()),
            receipts: None,
        };
        let accounts = plan.accounts.len();
        Self {
            views: Views::new(&plan.accounts, plan.crowd, plan.watchers),
            expectations: Expectations::new(accounts, LATE),
            absences: vec![Absence::default(); accounts],
            chat: Messages::new(chat, first, plan.chatting()),
            plan,
            begun: 0,
            phase: Phase::Quiet,
            schedule: Schedule::default(),
            script: VecDeque::new(),
            vigil: 0,
            now: 0,
            is_watching: false,
            asked: HashMap::new(),
            next_id: FIRST_ID,
            logging_out: Vec::new(),
            answering: Times::default(),
            outcome: Outcome::default(),
        }
    }

    fn perform(&mut self, lines: &mut Lines, act: Act, due: u64) {
        match act {
            Act::Watch(line) => self.watch(lines, line, due),
            Act::Toggle(line) => {
                let is_away = self.views.truth(line) == State::Away;
                self.change(lines, line, is_away, due);
            }
            Act::Restore(line) if self.views.truth(line) == State::Away => {
                self.change(lines, line, true, due);
            }
            Act::Restore(_) => {}
            Act::Sign(line) => self.sign(lines, line, due),
            Act::Reset(line) | Act::Drop(line) => {
                self.absences[line as usize].from = lines.said_at(line) + self.plan.timeouts[0];
                self.lose(line);
                self.count("interruptions", 1);
                if matches!(act, Act::Reset(_)) { lines.reset(line) } else { lines.end(line) }
            }
            Act::Return(line) => lines.connect_one(line),
            Act::Arrive(line) => {
                self.expect(line, State::Online, due, due);
                lines.connect_one(line);
            }
            Act::Close(line) => {
                self.absences[line as usize].from = self.now + CLOSED;
                self.expect(line, State::Offline, due, self.now + CLOSED);
                lines.leave(line);
            }
            Act::LogOut(line) => {
                self.absences[line as usize].from = 0;
                self.expect(line, State::Offline, due, due);
                match lines.log_out(line) {
                    Ok(answer) => self.logging_out.push(answer),
                    Err(_) => lines.count("logout refused"),
                }
            }
            Act::Die(line) => {
                self.sign(lines, line, due);
                lines.fall_silent(line);
                let end = lines.said_at(line) + self.plan.timeouts[0];
                // It counts as told early, not as falsely offline.
                self.absences[line as usize].from = 0;
                self.expect(line, State::Offline, due, end);
            }
        }
    }

    /// From then on the account's watchers should be told; the act was due at `due`.
    fn expect(&mut self, account: u32, state: State, due: u64, from: u64) {
        let is_measured = self.schedule.measures(due);
        self.outcome.acknowledged += u64::from(is_measured);
        self.views.turn(account, state);
        self.expectations.expect(account, state, from, is_measured, self.views.watchers(account));
    }

    fn watch(&mut self, lines: &mut Lines, line: u32, due: u64) {
        let mut body = b"{\"accounts\":[".to_vec();
        for (place, account) in self.views.watched(line).enumerate() {
            body.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
            body.extend_from_slice(self.plan.accounts[account as usize].as_bytes());
            body.push(b'"');
        }
        body.extend_from_slice(b"]}");
        self.ask(lines, line, b"watch", &body, due, false);
    }

    /// The account comes to the foreground or leaves it.
    fn change(&mut self, lines: &mut Lines, line: u32, is_foreground: bool, due: u64) {
        if lines.stage(line) != Stage::Live {
            return lines.count("not connected when due");
        }
        let (state, body): (_, &[u8]) = match is_foreground {
            true => (State::Online, b"{\"foreground\":true}"),
            false => (State::Away, b"{\"foreground\":false}"),
        };
        self.expect(line, state, due, due);
        self.ask(lines, line, b"foreground", body, due, true);
    }

    fn sign(&mut self, lines: &mut Lines, line: u32, due: u64) {
        self.ask(lines, line, b"ping", b"{}", due, false);
        // Nobody waits for the answer: the connection is about to end.
        self.asked.remove(&(self.next_id - 1));
    }

    fn ask(&mut self, lines: &mut Lines, line: u32, what: &[u8], body: &[u8], due: u64, is_change: bool) {
        let id = self.next_id;
        self.next_id += 1;
        let is_sent = lines.send(line, |out| {
            out.extend_from_slice(b"{\"id\":");
            text::push_number(out, id);
            out.extend_from_slice(b",\"type\":\"");
            out.extend_from_slice(what);
            out.extend_from_slice(b"\",\"body\":");
            out.extend_from_slice(body);
            out.push(b'}');
        });
        if is_sent {
            self.asked.insert(id, Asked { line, due, is_change });
        } else {
            lines.count("not connected when due");
        }
    }

    fn take_reply(&mut self, lines: &mut Lines, line: u32, reply: &[u8], id: u64, is_ok: bool) {
        if !is_ok {
            lines.count(&text::error_code(reply));
        }
        let Some(asked) = self.asked.remove(&id) else { return };
        if asked.is_change && self.schedule.measures(asked.due) {
            self.answering.record(self.now.saturating_sub(asked.due));
        }
        self.take_presences(lines, line, reply);
    }

    fn take_presences(&mut self, lines: &mut Lines, line: u32, text: &[u8]) {
        for (account, state) in text::presences(text) {
            let state = State::named(state);
            let account = self.views.number(account);
            let Some(account) = account.filter(|account| self.views.show(line, *account, state, self.now))
            else {
                lines.count("told of somebody who is not watched");
                continue;
            };
            self.outcome.delivered += u64::from(self.schedule.measures(self.now));
            self.expectations.told(line, account, state, self.now);
            match state {
                State::Offline => self.judge_offline(account),
                State::Unknown => self.count("unknown_told", 1),
                State::Hidden => lines.count("hidden"),
                State::Online | State::Away | State::Absent => {}
            }
        }
    }

    /// Somebody is told that the account is offline: is that so?
    fn judge_offline(&mut self, account: u32) {
        let Absence { from, forgiven } = self.absences[account as usize];
        let is_so = self.now >= from || self.now < forgiven;
        if !is_so {
            self.count("false_offline", 1);
        } else if account < self.plan.crowd {
            self.count("timed_out_offline", 1);
        }
    }

    /// A connection is gone, and what it asked and was shown.
    fn lose(&mut self, line: u32) {
        self.views.forget(line);
        self.asked.retain(|_, asked| asked.line != line);
    }

    fn count(&mut self, name: &str, more: u64) {
        match self.outcome.counts.get_mut(name) {
            Some(count) => *count += more,
            None => drop(self.outcome.counts.insert(name.to_owned(), more)),
        }
    }

    const fn is_chatting(&self) -> bool {
        self.plan.chatting() > 0 && self.phase.chat_rate().is_some()
    }

    /// Whether everybody was told and answered.
    fn is_settled(&self, now: u64) -> bool {
        self.expectations.missing() == 0
            && self.asked.is_empty()
            && (self.views.wrong() == 0 || !self.is_watching)
            && (!self.is_chatting() || self.chat.is_done(now))
    }

    /// What the server answered to logouts, which was long ago.
    fn check_logouts(&mut self, outcome: &mut Outcome) {
        for mut answer in self.logging_out.drain(..) {
            let mut status = [0; 12];
            let is_ok = answer.read_exact(&mut status).is_ok() && status.ends_with(b"200");
            if !is_ok {
                add_error(outcome, "logout refused", 1);
            }
        }
    }

    /// What came of the chat beside.
    fn add_chat(&mut self, outcome: &mut Outcome) {
        let chat = self.chat.outcome();
        outcome.delivering = chat.delivering;
        outcome.errors = chat.errors;
        let lost = chat.all_acknowledged.saturating_sub(chat.all_delivered);
        outcome.counts.insert("chat_messages".to_owned(), chat.all_acknowledged);
        add_error(outcome, "chat messages lost", lost);
    }
}

impl Phase {
    /// How many messages a second are written meanwhile.
    const fn chat_rate(&self) -> Option<f64> {
        match self {
            Self::Chat(rate) | Self::Storm(rate, _) => Some(*rate),
            _ => None,
        }
    }

    /// What it takes long to be told of is called, and what is told too early.
    const fn faults(&self) -> [&'static str; 2] {
        match self {
            Self::Die => ["death_early", "death_late"],
            Self::Close => ["close_early", "unseen"],
            _ => ["early", "unseen"],
        }
    }
}

fn add_error(outcome: &mut Outcome, name: &str, count: u64) {
    if count > 0 {
        *outcome.errors.entry(name.to_owned()).or_default() += count;
    }
}

impl Work for Presence {
    fn greeted(&mut self, lines: &mut Lines, line: u32, welcome: &[u8], now: u64) {
        self.now = now;
        let absence = &mut self.absences[line as usize];
        let was_absent = now >= absence.from;
        *absence = Absence { from: u64::MAX, forgiven: if was_absent { now + CROSSING } else { 0 } };
        if line < self.plan.chatting() {
            self.chat.greeted(lines, line, welcome, now);
        }
        if self.is_watching && line < self.plan.crowd {
            self.watch(lines, line, now);
        }
    }

    fn heard(&mut self, lines: &mut Lines, line: u32, heard: &[u8], now: u64) {
        self.now = now;
        match text::reply_id(heard) {
            Some((id, is_ok)) if id < FIRST_MESSAGE_ID => self.take_reply(lines, line, heard, id, is_ok),
            None if heard.starts_with(b"{\"event\":\"presence\"") => self.take_presences(lines, line, heard),
            _ if line < self.plan.chatting() => self.chat.heard(lines, line, heard, now),
            _ => self.count("other_frames", 1),
        }
    }

    fn broken(&mut self, lines: &mut Lines, line: u32) {
        self.lose(line);
        if line < self.plan.crowd {
            let is_away = self.views.truth(line) == State::Away;
            let timeout = self.plan.timeouts[usize::from(is_away)];
            self.absences[line as usize].from = lines.said_at(line) + timeout;
        }
        if line < self.plan.chatting() {
            self.chat.broken(lines, line);
        }
    }

    fn begin(&mut self, lines: &mut Lines, schedule: Schedule) {
        let phase = self.plan.phases.get(self.begun).copied().unwrap_or(Phase::Quiet);
        self.begun += 1;
        (self.phase, self.schedule, self.now) = (phase, schedule, schedule.start);
        self.is_watching |= matches!(phase, Phase::Watch(part, parts) if part + 1 == parts);
        self.script = script::script(phase, &self.plan, schedule).into();
        let is_interruption = |act: &Act| matches!(act, Act::Reset(_) | Act::Drop(_));
        let interruptions = self.script.iter().filter(|(_, act)| is_interruption(act));
        self.vigil = interruptions.map(|(at, _)| at + self.plan.vigil).max().unwrap_or(0);
        let limit = if phase == Phase::Die { LATE_DEATH } else { LATE };
        self.expectations = Expectations::new(self.plan.accounts.len(), limit);
        self.answering = Times::default();
        if self.is_chatting() {
            self.chat.begin(lines, schedule);
        }
    }

    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64> {
        self.now = now;
        for _ in 0..ACTS_PER_TURN {
            let Some((due, act)) = self.script.pop_front_if(|(due, _)| *due <= now) else { break };
            self.perform(lines, act, due);
        }
        let chat = if self.is_chatting() { self.chat.act(lines, now) } else { None };
        let next = self.script.front().map(|(due, _)| *due);
        [Some(now + LOOK), chat, next].into_iter().flatten().min()
    }

    fn is_done(&self, now: u64) -> bool {
        let last = self.schedule.end.max(self.vigil);
        let longest = last.max(self.expectations.last_from()) + PATIENCE;
        self.script.is_empty() && now >= last && (self.is_settled(now) || now >= longest)
    }

    fn outcome(&mut self) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        match self.phase.chat_rate() {
            None => outcome.delivering = self.expectations.times(),
            Some(_) if self.is_chatting() => self.add_chat(&mut outcome),
            Some(_) => {}
        }
        let begun = match self.phase {
            Phase::Watch(..) => Some(self.schedule.start),
            Phase::Storm(..) => Some(self.schedule.measure),
            _ => None,
        };
        if let Some(begun) = begun {
            self.answering.record(self.views.right_at().saturating_sub(begun));
        }
        outcome.acknowledging = self.answering.counted();
        let false_offline = outcome.counts.get("false_offline").copied().unwrap_or(0);
        add_error(&mut outcome, "false_offline", false_offline);
        let (early, late) = self.expectations.faults();
        let [name_of_early, name_of_late] = self.phase.faults();
        add_error(&mut outcome, name_of_early, early);
        add_error(&mut outcome, name_of_late, late);
        add_error(&mut outcome, "unanswered", self.asked.drain().count() as u64);
        let wrong = if self.is_watching { self.views.wrong() } else { 0 };
        add_error(&mut outcome, "wrong at the end", wrong as u64);
        self.check_logouts(&mut outcome);
        outcome
    }
}
