//! A bell that wakes one background thread, and tells it to end.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rings once however often it is rung before somebody listens.
#[derive(Default)]
pub struct Bell {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    rung: bool,
    stopped: bool,
}

/// Whether the thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Look whether there is work.
    Look,
    /// End.
    Stop,
}

impl Bell {
    /// Wakes the thread.
    pub fn ring(&self) {
        self.lock().rung = true;
        self.wake.notify_all();
    }

    /// Tells the thread to end.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_all();
    }

    /// Waits until the bell is rung, at most for `most` if given.
    pub fn listen(&self, most: Option<Duration>) -> Woken {
        let state = self.lock();
        let waiting = |state: &mut State| !state.rung && !state.stopped;
        let mut state = match most {
            Some(most) => {
                let waited = self.wake.wait_timeout_while(state, most, waiting);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.wake.wait_while(state, waiting);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        state.rung = false;
        if state.stopped { Woken::Stop } else { Woken::Look }
    }

    /// Waits for `time`, unless the thread is to end before.
    pub fn pause(&self, time: Duration) -> Woken {
        let stopped = |state: &mut State| !state.stopped;
        let waited = self.wake.wait_timeout_while(self.lock(), time, stopped);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.stopped { Woken::Stop } else { Woken::Look }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
