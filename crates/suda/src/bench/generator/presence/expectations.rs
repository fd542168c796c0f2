//! Changes that watchers are yet to be told, and how long each took.

use super::super::super::quantiles::{Counted, Times};
use super::views::State;

/// A change.
struct Expected {
    state: State,
    /// From when on it may be told; times are counted from here.
    from: u64,
    is_measured: bool,
    /// Who was not told yet.
    missing: Vec<u32>,
}

/// Changes of a phase, at most one of an account at a time.
pub struct Expectations {
    expected: Vec<Option<Expected>>,
    limit: u64,
    missing: usize,
    last_from: u64,
    early: u64,
    late: u64,
    times: Times,
}

impl Expectations {
    /// Nothing is expected of so many accounts. Whoever is told `limit` nanoseconds after it might have been is told late.
    pub fn new(accounts: usize, limit: u64) -> Self {
        Self {
            expected: (0..accounts).map(|_| None).collect(),
            limit,
            missing: 0,
            last_from: 0,
            early: 0,
            late: 0,
            times: Times::default(),
        }
    }

    /// These are to be told, from then on and not before. Whoever was not told of the account's change before is late.
    pub fn expect(&mut self, account: u32, state: State, from: u64, is_measured: bool, watchers: &[u32]) {
        self.give_up(account);
        self.missing += watchers.len();
        self.last_from = self.last_from.max(from);
        let missing = watchers.to_vec();
        self.expected[account as usize] = Some(Expected { state, from, is_measured, missing });
    }

    /// One was told.
    pub fn told(&mut self, line: u32, account: u32, state: State, now: u64) {
        let Some(expected) = &mut self.expected[account as usize] else { return };
        let place = expected.missing.iter().position(|missing| *missing == line);
        let Some(place) = place.filter(|_| expected.state == state) else { return };
        expected.missing.swap_remove(place);
        self.missing -= 1;
        let took = now.saturating_sub(expected.from);
        self.early += u64::from(now < expected.from);
        self.late += u64::from(took > self.limit);
        if expected.is_measured {
            self.times.record(took);
        }
    }

    /// How many were not told yet.
    pub const fn missing(&self) -> usize {
        self.missing
    }

    /// From when on the last one may be told.
    pub const fn last_from(&self) -> u64 {
        self.last_from
    }

    /// How many were told too early, and how many too late or never. Nothing is expected any more.
    pub fn faults(&mut self) -> (u64, u64) {
        (0..self.expected.len() as u32).for_each(|account| self.give_up(account));
        (self.early, self.late)
    }

    /// How long it took to tell each.
    pub fn times(&self) -> Counted {
        self.times.counted()
    }

    fn give_up(&mut self, account: u32) {
        let missing = self.expected[account as usize].take().map_or(0, |expected| expected.missing.len());
        self.missing -= missing;
        self.late += missing as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_told_early_late_or_never_is_counted() {
        let mut expectations = Expectations::new(2, 100);
        expectations.expect(1, State::Away, 1_000, true, &[5, 6, 7, 8]);
        assert_eq!((expectations.missing(), expectations.last_from()), (4, 1_000));
        expectations.told(5, 1, State::Online, 1_010);
        expectations.told(5, 0, State::Away, 1_010);
        expectations.told(9, 1, State::Away, 1_010);
        assert_eq!(expectations.missing(), 4, "none of these was expected");
        expectations.told(5, 1, State::Away, 1_100);
        expectations.told(5, 1, State::Away, 1_100);
        expectations.told(6, 1, State::Away, 999);
        expectations.told(7, 1, State::Away, 1_101);
        assert_eq!(expectations.missing(), 1);
        assert_eq!(expectations.faults(), (1, 2));
        assert_eq!(expectations.missing(), 0);
        assert_eq!(expectations.times().iter().map(|(_, count)| count).sum::<u64>(), 3);
    }

    #[test]
    fn a_later_change_ends_the_wait_for_the_one_before() {
        let mut expectations = Expectations::new(1, 100);
        expectations.expect(0, State::Away, 0, false, &[1]);
        expectations.expect(0, State::Online, 500, false, &[1]);
        expectations.told(1, 0, State::Online, 510);
        assert_eq!(expectations.faults(), (0, 1));
        assert!(expectations.times().is_empty(), "neither was measured");
    }
}
