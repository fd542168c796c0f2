//! Presence: who is online, and who is told. The pure machines of `domain::presence`, run by one task.
//!
//! Sessions tell of themselves through [`Presence`]; [`machines`] runs the machines of this node and carries their
//! packets, `task` gives them time and writes what sessions are to be told. [`seeing`] decides who may know.

mod inbox;
mod machines;
mod search;
pub mod seeing;
mod task;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use suda_domain::presence::locator::Place;
use suda_domain::presence::observer::View;
use suda_proto::presence::{Presence as WirePresence, PresenceState};
use suda_proto::{AccountId, Code, DeviceId, ErrorBody};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::session::Session;
pub use inbox::Counts;
use inbox::{Inbox, Message};
pub(crate) use task::{Surroundings, run};

/// The list of accounts that a session names itself. The other lists are those of open conversations, by their place.
pub const NAMED: u8 = 0;

/// How a session's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The device was logged out.
    LoggedOut,
    /// The device closed it.
    Closed,
    /// It broke, or the server closed it.
    Lost {
        /// How long nothing had been heard of it, in milliseconds.
        silent_ms: u64,
    },
    /// It was a poll, which is heard of when it comes and not again.
    Polled {
        /// When it came.
        at: Instant,
    },
}

/// A handle to this node's presence.
#[derive(Clone, Default)]
pub struct Presence {
    inbox: Arc<Inbox>,
}

impl Presence {
    /// Whether so much waits that no new session should come.
    pub fn is_behind(&self) -> bool {
        self.inbox.is_full()
    }

    /// What it did so far.
    pub fn counts(&self) -> &Counts {
        &self.inbox.counts
    }

    /// How often it changed who may see whom: what was looked up before may be old afterwards.
    pub fn changes(&self) -> u64 {
        self.inbox.changes.load(Ordering::SeqCst)
    }

    /// It changed who may see whom, and is stored.
    pub fn note_change(&self) {
        self.inbox.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// How often the account's relations to others changed: who was its contact before may be none afterwards.
    pub fn relations_of(&self, account: AccountId) -> u32 {
        self.inbox.relations.of(account).load(Ordering::SeqCst)
    }

    /// How these two stand to each other has changed, and is stored.
    pub fn note_relation(&self, first: AccountId, second: AccountId) {
        self.note_change();
        for account in [first, second] {
            self.inbox.relations.of(account).fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A session opened.
    pub fn opened(&self, session: &Session) {
        let (account, device, foreground) = (session.account, session.device, session.is_foreground());
        self.inbox.put(Message::Opened { account, device, foreground });
    }

    /// A session came to the foreground or left it.
    pub fn moved(&self, account: AccountId, device: DeviceId, foreground: bool) {
        self.inbox.put(Message::Moved { account, device, foreground });
    }

    /// A session ended; it is closed already.
    pub fn ended(&self, session: &Session, parting: Parting) {
        let Session { id, account, device, .. } = *session;
        let foreground = session.is_foreground();
        let parting = match parting {
            Parting::Polled { at } => Parting::Lost { silent_ms: at.elapsed().as_millis() as u64 },
            known => known,
        };
        self.inbox.put(Message::Ended { session: id, account, device, foreground, parting });
    }

    /// A device was logged out, or all of the account's.
    pub fn logged_out(&self, account: AccountId, device: Option<DeviceId>) {
        self.inbox.put(Message::LoggedOut { account, device });
    }

    /// Replaces what the session watches by one of its lists: accounts, and whether it may see them. What is known now,
    /// in the same order.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn watch(
        &self,
        session: &Arc<Session>,
        list: u8,
        accounts: Vec<(AccountId, bool)>,
    ) -> Result<Vec<View>, ErrorBody> {
        let session = Arc::clone(session);
        self.ask(|reply| Message::Watch { session, list, accounts, reply }).await
    }

    /// The session gives up one of its lists.
    pub fn stop(&self, session: &Session, list: u8) {
        self.inbox.put(Message::Stop { session: session.id, list });
    }

    /// What is known now of accounts that may be seen, without watching them.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn look(&self, accounts: Vec<(AccountId, bool)>) -> Result<Vec<View>, ErrorBody> {
        self.ask(|reply| Message::Look { accounts, reply }).await
    }

    /// On which nodes these accounts have sessions; on none only if that is sure.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn locate(&self, accounts: Vec<AccountId>) -> Result<Vec<(AccountId, Place)>, ErrorBody> {
        self.ask(|reply| Message::Locate { accounts, reply }).await
    }

    /// The sessions of this node that watch the account, and whose they are.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn watchers(&self, account: AccountId) -> Result<Vec<(u64, AccountId)>, ErrorBody> {
        self.ask(|reply| Message::Watchers { account, reply }).await
    }

    /// The accounts that the session watches.
    ///
    /// # Errors
    /// `overloaded`.
    pub async fn watched(&self, session: u64) -> Result<Vec<AccountId>, ErrorBody> {
        self.ask(|reply| Message::Watched { session, reply }).await
    }

    /// When accounts that are watched were last active, as it is stored: for changes of which nobody here saw the beginning.
    pub fn learn(&self, times: Vec<(AccountId, u64)>) {
        if !self.is_behind() {
            self.inbox.put(Message::Learn { times });
        }
    }

    /// The session may or may not see the account any more.
    pub fn permit(&self, session: u64, account: AccountId, is_permitted: bool) {
        self.inbox.put(Message::Permit { session, account, is_permitted });
    }

    async fn ask<T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> Message) -> Result<T, ErrorBody> {
        if self.inbox.is_full() {
            return Err(Code::Overloaded.error());
        }
        let (reply, answer) = oneshot::channel();
        self.inbox.put(message(reply));
        answer.await.map_err(|_| Code::TimedOut.error())
    }
}

/// A view for the wire.
pub fn presence_of(account: AccountId, view: View) -> WirePresence {
    let (state, last_active_at) = match view {
        View::Hidden => (PresenceState::Hidden, None),
        View::Unknown => (PresenceState::Unknown, None),
        View::Known(standing) => {
            let state = PresenceState::from(wire(standing.availability));
            (state, standing.last_active_at.filter(|_| state != PresenceState::Online))
        }
    };
    WirePresence { account, state, last_active_at }
}

const fn wire(availability: suda_domain::presence::Availability) -> suda_proto::presence::Availability {
    use suda_domain::presence::Availability as Pure;
    use suda_proto::presence::Availability as Wire;
    match availability {
        Pure::Online => Wire::Online,
        Pure::Away => Wire::Away,
        Pure::Offline => Wire::Offline,
    }
}
