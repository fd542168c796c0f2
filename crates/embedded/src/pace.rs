//! Whether reads are quick: as long as the files they need are in the system's cache, a read takes less time than handing
//! it to another thread and back. Reads that wait for the disk must not hold up the tasks, and go beside them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A read that takes longer has waited for the disk.
const QUICK: Duration = Duration::from_micros(400);

/// After one that was not quick, so many are done beside the tasks.
const BESIDE: u32 = 128;

/// How reads went lately.
pub struct Pace {
    beside: AtomicU32,
}

impl Default for Pace {
    /// Nothing is known to be in memory at first.
    fn default() -> Self {
        Self { beside: AtomicU32::new(BESIDE) }
    }
}

impl Pace {
    /// Whether the next read may be done in place.
    pub fn is_quick(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.beside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_err()
    }

    /// A read took so long.
    pub fn took(&self, duration: Duration) {
        if duration > QUICK {
            self.beside.store(BESIDE, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_reads_send_those_that_follow_beside_the_tasks() {
        let pace = Pace::default();
        assert_eq!((0..BESIDE).filter(|_| pace.is_quick()).count(), 0);
        assert!(pace.is_quick());
        pace.took(QUICK);
        assert!(pace.is_quick());
        pace.took(QUICK * 2);
        assert!(!pace.is_quick());
        pace.took(QUICK * 2);
        assert_eq!((0..BESIDE).filter(|_| pace.is_quick()).count(), 0);
        assert!(pace.is_quick());
    }
}
