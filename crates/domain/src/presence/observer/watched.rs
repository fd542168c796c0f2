//! The two ends of watching: an account with its edges to sessions, and a session with its lists of accounts.

use suda_proto::AccountId;

use super::View;
use super::lists::Lists;
use crate::presence::table::Keyed;
use crate::presence::{Availability, Clock, Standing};

/// The first owner was asked to tell of the account.
pub const ASKED: u8 = 1;

/// The second was, too, since the first does not know.
pub const ASKED_SECOND: u8 = 2;

/// The account is among those that begin or cease to be watched.
pub const CHANGED: u8 = 4;

/// An account that sessions of this node watch.
#[derive(Debug)]
pub struct Watched {
    /// Whose.
    pub account: AccountId,
    /// As it was said last.
    pub last_active: Clock,
    /// As it was said last; absent where nobody said anything yet.
    pub availability: Option<Availability>,
    /// Of the bits above.
    pub flags: u8,
    /// By number of the session.
    pub edges: Vec<Edge>,
}

/// A session that watches an account.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// The session's number.
    pub session: u32,
    /// In how many of its lists.
    pub lists: u8,
    /// What it was told.
    pub told: Told,
    /// Whether it may see how the account stands.
    pub is_permitted: bool,
    /// Whether the account is among the session's pending ones.
    pub is_pending: bool,
}

/// What a session was told of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Nothing.
    Unknown,
    /// That it may not know.
    Hidden,
    /// So it stood.
    As(Availability),
    /// So it stands, but somebody was active since.
    Outdated,
}

impl Keyed for Watched {
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.account
    }
}

impl Watched {
    /// Unknown and unwatched.
    pub const fn new(account: AccountId) -> Self {
        Self { account, last_active: Clock::NONE, availability: None, flags: 0, edges: Vec::new() }
    }

    /// Whether all these bits are set.
    pub const fn is(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }

    /// The session's edge.
    pub fn edge(&mut self, session: u32) -> Option<&mut Edge> {
        let position = self.edges.binary_search_by_key(&session, |edge| edge.session).ok()?;
        self.edges.get_mut(position)
    }

    /// What somebody is to know of it.
    pub const fn news(&self, is_permitted: bool) -> Told {
        match self.availability {
            _ if !is_permitted => Told::Hidden,
            Some(availability) => Told::As(availability),
            None => Told::Unknown,
        }
    }

    /// The same, for the session.
    pub fn view(&self, is_permitted: bool) -> View {
        match self.availability {
            _ if !is_permitted => View::Hidden,
            Some(availability) => {
                let last_active_at = self.last_active.get();
                View::Known(Standing { account: self.account, availability, last_active_at })
            }
            None => View::Unknown,
        }
    }

    /// Takes over how it stands; whether anything is new.
    pub fn take(&mut self, standing: &Standing) -> bool {
        let is_other = self.availability.replace(standing.availability) != Some(standing.availability);
        // Two owners may have heard different things; the later one is right.
        let last_active = self.last_active.max(standing.last_active_at);
        let was_active = last_active != self.last_active;
        self.last_active = last_active;
        let shows_activity = standing.availability != Availability::Online;
        if !is_other && was_active && shows_activity {
            let told = Told::As(standing.availability);
            self.edges
                .iter_mut()
                .filter(|edge| edge.told == told)
                .for_each(|edge| edge.told = Told::Outdated);
        }
        is_other || was_active && shows_activity
    }
}

/// A session that watches.
#[derive(Debug)]
pub struct Watcher {
    /// Its id.
    pub session: u64,
    /// Whether it waits to be told something.
    pub stage: Stage,
    /// Its lists.
    pub lists: Lists,
    /// What it is to be told; most of the time nothing.
    pub pending: Option<Box<Pending>>,
}

/// Of which accounts a session is to be told.
#[derive(Debug, Default)]
pub struct Pending {
    /// Their numbers, oldest first; each is in it once.
    pub accounts: Vec<u32>,
}

impl Watcher {
    /// How many accounts are pending.
    pub fn pending(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.accounts.len())
    }
}

/// Whether a session may be told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// At once.
    Idle,
    /// It is among those that are told next.
    Ready,
    /// It was told something shortly ago.
    Resting,
}

impl Keyed for Watcher {
    type Key = u64;

    fn key(&self) -> u64 {
        self.session
    }
}
