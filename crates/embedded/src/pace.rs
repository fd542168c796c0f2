//! Whether reads are quick: as long as the files they need are in the system's cache, a read takes less time than handing
//! it to another thread and back. Reads that wait for the disk must not hold up the tasks, and go beside them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A read that takes longer has waited for the disk, or its thread was interrupted.
const QUICK: Duration = Duration::from_micros(400);

/// What a read that was not quick weighs, in quick ones.
const SLOW: u32 = 64;

/// From this weight on reads are done beside the tasks: after two slow ones among few. One alone means nothing.
const BESIDE: u32 = 2 * SLOW;

/// The weight does not grow further.
const MOST: u32 = 2 * BESIDE;

/// How reads went lately.
pub struct Pace {
    weight: AtomicU32,
}

impl Default for Pace {
    /// Nothing is known to be in memory at first.
    fn default() -> Self {
        Self { weight: AtomicU32::new(MOST) }
    }
}

impl Pace {
    /// Whether the next read may be done in place.
    pub fn is_quick(&self) -> bool {
        self.weight.load(Ordering::Relaxed) < BESIDE
    }

    /// A read took so long, wherever it was done.
    pub fn took(&self, duration: Duration) {
        let weight = self.weight.load(Ordering::Relaxed);
        let next = match duration > QUICK {
            true => (weight + SLOW).min(MOST),
            false => weight.saturating_sub(1),
        };
        if next != weight {
            // Where two threads weigh at once, either is good enough.
            self.weight.store(next, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(1);

    #[test]
    fn slow_reads_send_those_that_follow_beside_the_tasks() {
        let pace = Pace::default();
        (BESIDE..=MOST).for_each(|_| {
            assert!(!pace.is_quick());
            pace.took(QUICK);
        });
        assert!(pace.is_quick());
        pace.took(LONG);
        assert!(!pace.is_quick(), "that was one among few");
        (0..MOST).for_each(|_| pace.took(QUICK));
        pace.took(LONG);
        assert!(pace.is_quick(), "one alone means nothing");
        pace.took(LONG);
        assert!(!pace.is_quick());
        (0..10).for_each(|_| pace.took(LONG));
        (BESIDE..=MOST).for_each(|_| pace.took(QUICK));
        assert!(pace.is_quick(), "it does not grow without end");
    }
}
