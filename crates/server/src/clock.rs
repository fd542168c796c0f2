//! Time and randomness, given to the server from outside so that a simulation can drive it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970, UTC; never smaller than what it said before.
    fn now(&self) -> u64;
}

/// The system's clock, held still while it is set back.
pub struct SystemClock {
    latest: AtomicU64,
}

impl SystemClock {
    /// A clock that starts no earlier than `latest`, the highest time already stored.
    pub const fn starting_at(latest: u64) -> Self {
        Self { latest: AtomicU64::new(latest) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        self.latest.fetch_max(system, Ordering::Relaxed).max(system)
    }
}

/// Gives random bytes that nobody can guess.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// A new UUIDv7 (RFC 9562) for a thing made at `now`, milliseconds since 1970.
    fn uuid(&self, now: u64) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(now, &random).into_uuid()
    }
}

/// The operating system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_stands_still() {
        let ahead = SystemClock::starting_at(0).now() + 3_600_000;
        let clock = SystemClock::starting_at(ahead);
        assert_eq!(clock.now(), ahead, "the system is an hour behind what was stored");
        assert!(SystemClock::starting_at(0).now() < ahead);
    }

    #[test]
    fn uuids_are_in_time_order() {
        let [early, late] = [1_000, 2_000].map(|now| SystemEntropy.uuid(now));
        assert!(early < late);
        assert_eq!(early.get_version_num(), 7);
    }
}
