//! Who is online, and where: pure machines that nodes run and that speak to each other in packets.
//!
//! [`registrar`] is a gateway's own sessions and how they linger. It registers accounts at their two owners
//! ([`crate::placement`]). [`owner`] keeps the registrations of all nodes and tells the nodes that watch. [`observer`]
//! is a gateway's watching side: which of its sessions watch whom, and what they are to be told. [`locator`] is a
//! host's side: on which nodes an account has sessions. [`packet`] is what they say to each other.
//!
//! Every packet carries a hash of the nodes that its sender believes live. Owners that do not know something say so: a
//! difference of opinion is *unknown*, never *offline*. What was lost on the way is said again in full, in rounds that
//! begin and end with a packet of their own.

mod batches;
pub mod locator;
pub mod observer;
pub mod owner;
pub mod packet;
pub mod registrar;
mod table;

use suda_proto::AccountId;

pub use packet::{Body, Outgoing, Packet};

/// How fine deadlines are: a wait ends at most this much late, and never early.
pub const TICK_MS: u64 = 50;

/// Whether somebody can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Availability {
    /// No session.
    Offline,
    /// Connected, but nobody is looking.
    Away,
    /// Somebody is looking.
    Online,
}

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose.
    pub account: AccountId,
    /// Whether it can be reached.
    pub availability: Availability,
    /// When somebody was last looking, in milliseconds since 1970; absent where nobody here knows.
    pub last_active_at: Option<u64>,
}

/// The time, by two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds by a clock that only goes forward; every wait is measured by it.
    pub at_ms: u64,
    /// Milliseconds since 1970; it may jump and decides nothing.
    pub clock_ms: u64,
}

impl Now {
    /// What the wall clock showed at an earlier moment of the steady clock.
    const fn clock_at(self, at_ms: u64) -> u64 {
        self.clock_ms.saturating_sub(self.at_ms.saturating_sub(at_ms))
    }
}

/// How long sessions linger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// After a clean close: a page that is loaded again does not flicker.
    pub clean_ms: u64,
    /// After the last sign of life of a session in the foreground.
    pub foreground_ms: u64,
    /// After the last sign of life of a session in the background.
    pub background_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { clean_ms: 5_000, foreground_ms: 32_000, background_ms: 300_000 }
    }
}

/// The tick in which a moment has come.
fn tick_at_or_after(at_ms: u64) -> u32 {
    u32::try_from(at_ms.div_ceil(TICK_MS)).unwrap_or(u32::MAX)
}

/// The tick that has come.
fn tick(at_ms: u64) -> u32 {
    u32::try_from(at_ms / TICK_MS).unwrap_or(u32::MAX)
}

/// Milliseconds since 1970 in six bytes, or nothing: records are many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clock([u8; 6]);

impl Clock {
    const NONE: Self = Self([0xff; 6]);

    fn of(clock_ms: u64) -> Self {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&clock_ms.min((1 << 48) - 2).to_be_bytes()[2..]);
        Self(bytes)
    }

    fn get(self) -> Option<u64> {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.0);
        (self != Self::NONE).then_some(u64::from_be_bytes(bytes))
    }

    /// The later of the two.
    fn max(self, other: Option<u64>) -> Self {
        self.get().max(other).map_or(Self::NONE, Self::of)
    }
}

#[cfg(test)]
mod tests;
