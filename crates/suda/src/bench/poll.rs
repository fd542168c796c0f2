//! Waiting for sockets and for a point in time: epoll, edge-triggered, with a timer of its own.
//!
//! The timer is a file because the timeout of `epoll_wait` counts whole milliseconds, which would round every send of
//! an open loop.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::Timespec;
use rustix::io::{Errno, retry_on_intr};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// How many events are taken at once.
const EVENTS: usize = 1_024;
/// The timer's token.
const TIMER: u64 = u64::MAX;
/// A second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;

/// Nanoseconds of the monotonic clock, which all processes of a machine share.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * SECOND + time.tv_nsec as u64
}

/// What is ready.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The token that the file was added under.
    pub token: u64,
    /// It can be read, or its peer is gone.
    pub is_readable: bool,
    /// It can be written.
    pub is_writable: bool,
}

/// The files that are waited for.
pub struct Poll {
    epoll: OwnedFd,
    timer: OwnedFd,
    armed: Option<u64>,
    events: Vec<Event>,
}

/// Wakes a [`Poll`] from another thread.
pub struct Bell(OwnedFd);

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        // It counts to 2^64 before it refuses.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }
}

impl Poll {
    /// Nothing is waited for yet.
    ///
    /// # Errors
    /// If the system has no files left.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &timer, EventData::new_u64(TIMER), EventFlags::IN | EventFlags::ET)?;
        Ok(Self { epoll, timer, armed: None, events: Vec::with_capacity(EVENTS) })
    }

    /// Waits for this file from now on, until it is closed. Tells once of each change; so read until nothing is left.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn add(&self, file: impl AsFd, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, file, EventData::new_u64(token), flags)?)
    }

    /// Waits for this file to be readable, and tells as long as it is.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn add_level(&self, file: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, file, EventData::new_u64(token), EventFlags::IN)?)
    }

    /// A bell that tells under this token. It is never read: each ring is a change.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn bell(&self, token: u64) -> io::Result<Bell> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        epoll::add(&self.epoll, &bell, EventData::new_u64(token), EventFlags::IN | EventFlags::ET)?;
        Ok(Bell(bell))
    }

    /// Waits until something is ready or the monotonic clock shows `until`; appends to `ready` what is.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn wait(&mut self, until: Option<u64>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let is_due = until.is_some_and(|until| until <= now());
        if !is_due && self.armed != until {
            self.arm(until)?;
        }
        self.events.clear();
        let room = rustix::buffer::spare_capacity(&mut self.events);
        let waited = epoll::wait(&self.epoll, room, is_due.then_some(&at_once));
        match waited {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            let (token, flags) = (event.data.u64(), event.flags);
            if token == TIMER {
                self.armed = None;
                continue;
            }
            let gone = EventFlags::HUP | EventFlags::ERR | EventFlags::RDHUP;
            ready.push(Ready {
                token,
                is_readable: flags.intersects(EventFlags::IN | gone),
                is_writable: flags.contains(EventFlags::OUT),
            });
        }
        Ok(())
    }

    fn arm(&mut self, until: Option<u64>) -> io::Result<()> {
        let at = Duration::from_nanos(until.unwrap_or(0));
        let it_value = Timespec { tv_sec: at.as_secs() as i64, tv_nsec: i64::from(at.subsec_nanos()) };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        retry_on_intr(|| timerfd_settime(&self.timer, TimerfdTimerFlags::ABSTIME, &once).map(drop))?;
        self.armed = until;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_until_the_time_and_no_longer() {
        let mut poll = Poll::new().unwrap();
        let until = now() + 3_000_000;
        let mut ready = Vec::new();
        while now() < until {
            poll.wait(Some(until), &mut ready).unwrap();
        }
        assert!(ready.is_empty());
        poll.wait(Some(until), &mut ready).unwrap();
    }

    #[test]
    fn a_bell_wakes_once_each_time() {
        let mut poll = Poll::new().unwrap();
        let bell = poll.bell(7).unwrap();
        let mut ready = Vec::new();
        for _ in 0..2 {
            bell.ring();
            poll.wait(None, &mut ready).unwrap();
        }
        assert_eq!(ready.iter().map(|ready| ready.token).collect::<Vec<_>>(), [7, 7]);
        ready.clear();
        poll.wait(Some(now()), &mut ready).unwrap();
        assert!(ready.is_empty());
    }
}
