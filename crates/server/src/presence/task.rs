//! The task that owns the machines: takes what waits, gives them time, and writes what sessions are to be told.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::fast::RandomState;
use suda_domain::ports::activity::{Activity, GatewayId};
use suda_domain::presence::observer::{Change, Due, REST_MS, View};
use suda_domain::presence::{Now, TICK_MS, Timeouts};
use suda_proto::AccountId;
use suda_proto::event::Event;
use suda_proto::presence::Presences;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use super::inbox::{Counts, Inbox, Message};
use super::machines::Machines;
use super::search::Searches;
use super::{Presence, presence_of};
use crate::activity::Noted;
use crate::clock::Clock;
use crate::session::{Frame, Session};
use crate::settings::Settings;

/// How much of a second's budget can be spent at once.
const BURST: f64 = 0.5;

/// Bytes are counted once in so many ticks: counting looks at every record.
const TICKS_PER_COUNT: u32 = 200;

/// A session that nobody has, for looks.
const NOBODY: u64 = 0;

/// What the task works with.
pub(crate) struct Surroundings {
    pub settings: Arc<Settings>,
    pub clock: Arc<dyn Clock>,
    pub gateway: GatewayId,
    pub noted: Arc<Noted>,
}

/// Runs presence for as long as anybody else has a handle.
pub(crate) async fn run(presence: Presence, surroundings: Surroundings) {
    let mut task = Task::new(presence.inbox, surroundings);
    let mut ticks = tokio::time::interval(Duration::from_millis(TICK_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut count = 0;
    while Arc::strong_count(&task.inbox) > 1 {
        tokio::select! {
            () = task.inbox.rung() => {}
            _ = ticks.tick() => {
                count += 1;
                if count % TICKS_PER_COUNT == 0 {
                    task.count_bytes();
                }
            }
        }
        task.turn();
    }
}

struct Task {
    inbox: Arc<Inbox>,
    surroundings: Surroundings,
    machines: Machines,
    /// The sessions that watch somebody.
    watching: HashMap<u64, Weak<Session>, RandomState>,
    began: Instant,
    stored: Vec<(AccountId, Activity)>,
    searches: Searches,
    /// How many changes may be told now, and when that was reckoned.
    budget: (f64, u64),
}

/// Questions whose answer stands once the machines have settled.
type Questions = Vec<Question>;

/// How accounts stand, for a session that watches them by a list, or for nobody who watches.
struct Question {
    by: Option<(Arc<Session>, u8)>,
    accounts: Vec<(AccountId, bool)>,
    reply: oneshot::Sender<Vec<View>>,
}

impl Task {
    fn new(inbox: Arc<Inbox>, surroundings: Surroundings) -> Self {
        let settings = &surroundings.settings;
        let milliseconds = |duration: Duration| duration.as_millis() as u64;
        let timeouts = Timeouts {
            clean_ms: milliseconds(settings.presence_clean),
            foreground_ms: milliseconds(settings.heartbeat + settings.answer_timeout),
            background_ms: milliseconds(settings.background_heartbeat + settings.answer_timeout),
        };
        let now = Now { at_ms: 0, clock_ms: surroundings.clock.now() };
        let machines = Machines::new(timeouts, REST_MS, timeouts.foreground_ms, surroundings.gateway, now);
        Self {
            inbox,
            machines,
            watching: HashMap::default(),
            began: Instant::now(),
            stored: Vec::new(),
            searches: Searches::default(),
            budget: (0.0, 0),
            surroundings,
        }
    }

    fn now(&self) -> Now {
        let at_ms = self.began.elapsed().as_millis() as u64;
        Now { at_ms, clock_ms: self.surroundings.clock.now() }
    }

    fn turn(&mut self) {
        let now = self.now();
        let mut questions = Questions::default();
        for message in self.inbox.take() {
            if let Message::Ended { session, .. } = &message {
                self.watching.remove(session);
            }
            if let Some(asked) = self.machines.take(message, now) {
                self.ask(asked, now, &mut questions);
            }
        }
        self.machines.settle(now, &mut self.stored);
        if !self.stored.is_empty() {
            self.surroundings.noted.note(std::mem::take(&mut self.stored));
        }
        self.answer(questions, now);
        std::mem::take(&mut self.machines.found).into_iter().for_each(|found| self.searches.take(found));
        let budget = self.budget(now);
        let due = self.machines.observer.due(now, budget);
        self.tell(due);
    }

    fn ask(&mut self, message: Message, now: Now, questions: &mut Questions) {
        // Whoever asked may have gone away meanwhile, here and below.
        match message {
            Message::Watch { session, list, accounts, reply } if session.closed().is_none() => {
                self.machines.observer.watch(session.id, list, &accounts);
                self.watching.insert(session.id, Arc::downgrade(&session));
                questions.push(Question { by: Some((session, list)), accounts, reply });
            }
            Message::Look { accounts, reply } => questions.push(Question { by: None, accounts, reply }),
            Message::Locate { accounts, reply } => {
                if let Some(ticket) = self.searches.ticket() {
                    let (known, awaited) = self.machines.locate(ticket, &accounts, now);
                    self.searches.begin(ticket, known, awaited, reply);
                }
            }
            Message::Watchers { account, reply } => {
                let watchers = self.machines.observer.watchers(account);
                let of_session = |id: u64| Some((id, self.watching.get(&id)?.upgrade()?.account));
                drop(reply.send(watchers.into_iter().filter_map(of_session).collect()));
            }
            Message::Watched { session, reply } => {
                drop(reply.send(self.machines.observer.watched(session)));
            }
            _ => {}
        }
    }

    /// Answers with what stands now, so that it need not be told as a change.
    fn answer(&mut self, questions: Questions, now: Now) {
        for Question { by, accounts, reply } in questions {
            let views = match by {
                // It may have been closed and have ended while it asked.
                Some((session, _)) if !self.watching.contains_key(&session.id) => continue,
                Some((session, list)) => self.machines.observer.watch(session.id, list, &accounts),
                None => self.machines.look(NOBODY, &accounts, now),
            };
            // Whoever asked may have gone away meanwhile.
            drop(reply.send(views));
        }
    }

    /// How many changes may be told now.
    fn budget(&mut self, now: Now) -> usize {
        let rate = f64::from(self.surroundings.settings.presence_rate);
        let (left, at_ms) = self.budget;
        let more = (now.at_ms - at_ms) as f64 / 1_000.0 * rate;
        self.budget = ((left + more).min(rate * BURST), now.at_ms);
        self.budget.0 as usize
    }

    fn tell(&mut self, due: Due) {
        let counts = &self.inbox.counts;
        let (mut told, mut frames) = (0, 0);
        for shared in due.shared {
            let frame = frame(&[shared.change]);
            told += shared.sessions.len();
            frames += shared.sessions.len();
            for session in shared.sessions {
                push(&self.watching, session, &frame);
            }
        }
        for several in due.several {
            told += several.changes.len();
            frames += 1;
            push(&self.watching, several.session, &frame(&several.changes));
        }
        self.budget.0 -= told as f64;
        Counts::add(&counts.told, told);
        Counts::add(&counts.frames, frames);
        Counts::set(&counts.delayed, due.delayed);
        Counts::set(&counts.accounts, self.machines.registrar.len());
        Counts::set(&counts.watched, self.machines.observer.len());
    }

    fn count_bytes(&self) {
        let watching = self.watching.capacity() * size_of::<(u64, Weak<Session>)>();
        self.inbox.counts.bytes.store(self.machines.heap_bytes() + watching, Ordering::Relaxed);
    }
}

fn frame(changes: &[Change]) -> Frame {
    let accounts = changes.iter().map(|change| presence_of(change.account, change.view)).collect();
    Frame::event(&Event::Presence(Presences { accounts }))
}

fn push(watching: &HashMap<u64, Weak<Session>, RandomState>, session: u64, frame: &Frame) {
    if let Some(session) = watching.get(&session).and_then(Weak::upgrade) {
        session.push(frame.clone());
    }
}
