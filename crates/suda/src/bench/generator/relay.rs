//! Ping-pong with plain frames over the relay that keeps nothing: what the kernel's part costs.

use serde::{Deserialize, Serialize};

use super::super::poll::SECOND;
use super::super::quantiles::Times;
use super::engine::Work;
use super::lines::Lines;
use super::text::{self, Stamp};
use super::{Outcome, Schedule};

/// After the end, what is on its way is waited for so long.
const PATIENCE: u64 = SECOND / 4;

/// What is sent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RelayPlan {
    /// Bytes of each frame's payload.
    pub bytes: usize,
    /// How many frames go to and fro in each pair.
    pub in_flight: u32,
    /// Whether partners answer; in a group only the first connection sends, and then everybody else hears it.
    pub members: u32,
}

/// The load.
pub struct Relay {
    plan: RelayPlan,
    count: u32,
    schedule: Schedule,
    has_begun: bool,
    outcome: Outcome,
    delivering: Times,
    /// Of each group: how many of its members have heard the frame that is on its way.
    heard: Vec<u32>,
}

impl Relay {
    /// A load over `count` connections.
    pub fn new(plan: RelayPlan, count: u32) -> Self {
        Self {
            plan,
            count,
            schedule: Schedule::default(),
            has_begun: false,
            outcome: Outcome::default(),
            delivering: Times::default(),
            heard: vec![0; (count / plan.members.max(1)) as usize + 1],
        }
    }

    fn send(&mut self, lines: &mut Lines, line: u32, now: u64) {
        let bytes = self.plan.bytes.saturating_sub(2);
        let is_sent = lines.send(line, |out| {
            out.push(b'"');
            text::push_text(out, Stamp { at: now, line }, bytes);
            out.push(b'"');
        });
        self.outcome.all_sent += u64::from(is_sent);
    }
}

impl Work for Relay {
    fn heard(&mut self, lines: &mut Lines, line: u32, heard: &[u8], now: u64) {
        let Some((stamp, _)) = text::next_stamp(heard) else { return lines.count("no stamp") };
        self.outcome.all_delivered += 1;
        if self.schedule.measures(now) {
            self.outcome.delivered += 1;
            self.delivering.record(now.saturating_sub(stamp.at));
        }
        if now >= self.schedule.end {
            return;
        }
        if self.plan.members == 2 {
            return self.send(lines, line, now);
        }
        // In a group the next frame goes out when everybody has the one before.
        let group = (line / self.plan.members) as usize;
        self.heard[group] += 1;
        if self.heard[group] == (self.plan.members - 1) * self.plan.in_flight {
            self.heard[group] = 0;
            (0..self.plan.in_flight).for_each(|_| self.send(lines, stamp.line, now));
        }
    }

    fn begin(&mut self, _lines: &mut Lines, schedule: Schedule) {
        self.schedule = schedule;
    }

    fn act(&mut self, lines: &mut Lines, now: u64) -> Option<u64> {
        if now < self.schedule.start {
            return Some(self.schedule.start);
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            for line in (0..self.count).step_by(self.plan.members as usize) {
                (0..self.plan.in_flight).for_each(|_| self.send(lines, line, now));
            }
        }
        Some(self.schedule.end + PATIENCE)
    }

    fn is_done(&self, now: u64) -> bool {
        now >= self.schedule.end + PATIENCE
    }

    fn outcome(&mut self) -> Outcome {
        let mut outcome = std::mem::take(&mut self.outcome);
        outcome.all_acknowledged = outcome.all_sent;
        outcome.acknowledged = outcome.delivered;
        outcome.delivering = self.delivering.counted();
        outcome
    }
}
