//! What a load of messages counts and times, and when it is over.

use std::collections::BTreeMap;

use super::super::poll::SECOND;
use super::super::quantiles::Times;
use super::{Outcome, Schedule};

/// After the end, what is still on its way is waited for until so long nothing came.
const QUIET: u64 = SECOND / 2;
/// The longest such wait.
const PATIENCE: u64 = 15 * SECOND;
/// How often it is looked whether all is quiet.
const LOOK: u64 = SECOND / 50;
/// Connections take their turns in such steps, so that neighbours do not send at the same time.
const STRIDE: u64 = 7_919;

/// The counts of one load.
#[derive(Default)]
pub struct Tally {
    /// When what happens.
    pub schedule: Schedule,
    /// The time of what is being done.
    pub now: u64,
    last_heard: u64,
    outstanding: u64,
    outcome: Outcome,
    acknowledging: Times,
    delivering: Times,
    counts: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// The load is to begin.
    pub fn begin(&mut self, schedule: Schedule) {
        self.schedule = schedule;
        self.last_heard = schedule.start;
    }

    /// Something came.
    pub fn hear(&mut self, now: u64) {
        self.now = now;
        self.last_heard = now;
    }

    /// When, at this many a second, the next one after so many is due; `None` after the end.
    pub fn due(&self, done: u64, rate: f64) -> Option<u64> {
        if rate <= 0.0 {
            return None;
        }
        let at = self.schedule.start + (done as f64 * SECOND as f64 / rate) as u64;
        (at < self.schedule.end).then_some(at)
    }

    /// Whose turn it is among so many connections.
    pub const fn line(turn: u64, count: usize) -> u32 {
        (turn.wrapping_mul(STRIDE) % count as u64) as u32
    }

    /// When to look again, whatever is due.
    pub const fn look(&self) -> u64 {
        if self.now < self.schedule.end { self.schedule.end } else { self.now + LOOK }
    }

    /// A message was sent.
    pub fn sent(&mut self) {
        self.outstanding += 1;
        self.outcome.all_sent += 1;
    }

    /// So many are not waited for any more: answered, or lost with their connection.
    pub fn settled(&mut self, count: usize) {
        self.outstanding -= count as u64;
    }

    /// What was due then was acknowledged.
    pub fn acknowledged(&mut self, intended: u64) {
        self.outcome.all_acknowledged += 1;
        self.outcome.acknowledged += u64::from(self.schedule.measures(self.now));
        if self.schedule.measures(intended) {
            self.acknowledging.record(self.now.saturating_sub(intended));
        }
    }

    /// What was due then has arrived.
    pub fn delivered(&mut self, intended: u64) {
        self.outcome.all_delivered += 1;
        self.outcome.delivered += u64::from(self.schedule.measures(self.now));
        if self.schedule.measures(intended) {
            self.delivering.record(self.now.saturating_sub(intended));
        }
    }

    /// So many more of this.
    pub fn count(&mut self, name: &'static str, more: u64) {
        *self.counts.entry(name).or_default() += more;
    }

    /// Whether the load is over and nothing is on its way.
    pub const fn is_done(&self, now: u64) -> bool {
        let is_quiet = self.outstanding == 0 && now >= self.last_heard + QUIET;
        now >= self.schedule.end && (is_quiet || now >= self.schedule.end + PATIENCE)
    }

    /// What came of it.
    pub fn outcome(&mut self) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.acknowledging = self.acknowledging.counted();
        outcome.delivering = self.delivering.counted();
        outcome.counts = self.counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        if self.outstanding > 0 {
            outcome.errors.insert("unanswered".to_owned(), self.outstanding);
        }
        outcome
    }
}
