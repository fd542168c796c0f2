//! Connections that do nothing but answer pings, which the engine does for them.

use super::engine::Work;
use super::lines::Lines;
use super::{Outcome, Schedule};

/// The load.
#[derive(Default)]
pub struct Idle {
    end: u64,
    heard: u64,
}

impl Work for Idle {
    fn heard(&mut self, _lines: &mut Lines, _line: u32, _text: &[u8], _now: u64) {
        self.heard += 1;
    }

    fn begin(&mut self, _lines: &mut Lines, schedule: Schedule) {
        self.end = schedule.end;
    }

    fn act(&mut self, _lines: &mut Lines, _now: u64) -> Option<u64> {
        Some(self.end)
    }

    fn is_done(&self, now: u64) -> bool {
        now >= self.end
    }

    fn outcome(&mut self) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.counts.insert("frames_heard".to_owned(), self.heard);
        outcome
    }
}
