//! The timer wheel: when to look after which session. One task turns it for all of them, so that an idle session costs
//! one small entry and no timer of its own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use suda_domain::wheel as domain;
use tokio::time::{Instant, MissedTickBehavior};

use super::Session;

/// How fine the wheel divides time.
const TICK: Duration = Duration::from_millis(100);

/// Sessions by the tick in which they are to be woken.
pub struct Wheel {
    due: Mutex<domain::Wheel<Weak<Session>>>,
    now: AtomicU32,
}

impl Default for Wheel {
    fn default() -> Self {
        Self { due: Mutex::new(domain::Wheel::new(0)), now: AtomicU32::new(0) }
    }
}

impl Wheel {
    /// Ticks since the wheel was made.
    pub fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// How many whole ticks make up at least this long.
    pub fn ticks(duration: Duration) -> u32 {
        u32::try_from(duration.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u32::MAX)
    }

    /// How long so many ticks are.
    pub const fn milliseconds(ticks: u32) -> u64 {
        ticks as u64 * TICK.as_millis() as u64
    }

    /// Wakes the session at tick `at`; what is past comes with the next tick.
    pub fn wake_at(&self, session: &Arc<Session>, at: u32) {
        self.lock().schedule(at, Arc::downgrade(session));
    }

    /// Moves on to tick `to` and wakes whom that concerns.
    fn turn(&self, to: u32) {
        let mut woken = Vec::new();
        {
            let mut due = self.lock();
            self.now.store(to.max(due.now()), Ordering::Relaxed);
            due.turn(to, |session| woken.push(session));
        }
        woken.iter().filter_map(Weak::upgrade).for_each(|session| session.alarm());
    }

    fn lock(&self) -> MutexGuard<'_, domain::Wheel<Weak<Session>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns the wheel for as long as anybody else has it.
pub async fn run(wheel: Weak<Wheel>) {
    let began = Instant::now();
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let Some(wheel) = wheel.upgrade() else {
            return;
        };
        let ticks = began.elapsed().as_millis() / TICK.as_millis();
        wheel.turn(u32::try_from(ticks).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use suda_proto::{AccountId, DeviceId};

    use super::*;
    use crate::session::QueueLimits;

    fn session() -> Arc<Session> {
        let limits = QueueLimits { frames: 1, bytes: 1 };
        let ids = (AccountId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        Arc::new(Session::new(1, ids.0, ids.1, true, limits))
    }

    #[test]
    fn wakes_in_its_tick_and_once() {
        let wheel = Wheel::default();
        let session = session();
        wheel.wake_at(&session, 5);
        wheel.turn(4);
        assert!(!session.take_alarm());
        wheel.turn(5);
        assert!(session.take_alarm());
        wheel.turn(100_000);
        assert!(!session.take_alarm());
    }

    #[test]
    fn what_is_past_comes_next_and_what_is_far_in_its_time() {
        let wheel = Wheel::default();
        wheel.turn(10);
        let (past, far) = (session(), session());
        wheel.wake_at(&past, 3);
        wheel.wake_at(&far, 50_000);
        wheel.turn(11);
        assert!(past.take_alarm() && !far.take_alarm());
        wheel.turn(49_999);
        assert!(!far.take_alarm());
        wheel.turn(50_000);
        assert!(far.take_alarm());
    }

    #[test]
    fn ticks_are_rounded_up() {
        let cases = [(0, 0), (1, 1), (100, 1), (101, 2), (25_000, 250)];
        for (milliseconds, ticks) in cases {
            assert_eq!(Wheel::ticks(Duration::from_millis(milliseconds)), ticks);
        }
    }
}
