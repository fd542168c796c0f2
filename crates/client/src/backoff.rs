//! Growing, jittered pauses between tries; pure, randomness comes from outside.

use std::time::Duration;

/// The longest first pause.
const FIRST: Duration = Duration::from_millis(200);

/// The longest pause of all.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts tries that failed in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure: `chance` (0 to 1) of a limit that doubles from 0.2 to 30 seconds, so that
    /// clients that failed together do not come back together.
    pub fn next(&mut self, chance: f64) -> Duration {
        let limit = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        limit.mul_f64(chance.clamp(0.0, 1.0))
    }

    /// It worked: start again from the shortest.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_thirty_seconds_and_starts_again() {
        let mut backoff = Backoff::default();
        let limits: Vec<u128> = (0..10).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(limits, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
        assert_eq!(backoff.next(0.0), Duration::ZERO);
        backoff.reset();
        assert_eq!(backoff.next(0.5), Duration::from_millis(100));
    }
}
