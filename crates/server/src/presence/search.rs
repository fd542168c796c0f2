//! Searches for accounts that are under way: answers come one by one, whoever asked gets them together.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use suda_domain::presence::locator::{Found, Place};
use suda_proto::AccountId;
use tokio::sync::oneshot;

/// Most searches at once; the locator bounds how long each takes.
const SEARCHES_MAX: usize = 65_536;

/// Where accounts are.
type Places = Vec<(AccountId, Place)>;

/// Searches by their ticket.
#[derive(Default)]
pub struct Searches {
    next: u64,
    under_way: HashMap<u64, Search, RandomState>,
}

struct Search {
    places: Places,
    awaited: usize,
    reply: oneshot::Sender<Places>,
}

impl Searches {
    /// A new ticket; `None` while there are too many.
    pub fn ticket(&mut self) -> Option<u64> {
        self.next += 1;
        (self.under_way.len() < SEARCHES_MAX).then_some(self.next)
    }

    /// Begins a search of which so many answers are awaited.
    pub fn begin(&mut self, ticket: u64, places: Places, awaited: usize, reply: oneshot::Sender<Places>) {
        if awaited == 0 {
            // Whoever asked may have gone away meanwhile, here and below.
            drop(reply.send(places));
        } else {
            self.under_way.insert(ticket, Search { places, awaited, reply });
        }
    }

    /// An answer came.
    pub fn take(&mut self, found: Found) {
        let Some(search) = self.under_way.get_mut(&found.ticket) else { return };
        // One answer may be about several accounts, each of which was awaited.
        search.awaited = search.awaited.saturating_sub(found.places.len());
        search.places.extend(found.places);
        if search.awaited == 0
            && let Some(search) = self.under_way.remove(&found.ticket)
        {
            drop(search.reply.send(search.places));
        }
    }
}
