//! A gateway's watching side: which of its sessions watch whom, what its node asks owners for, and what sessions are to
//! be told.
//!
//! One node asks once for an account, however many of its sessions watch it. It asks the first owner, and the second
//! only while the first does not know. Sessions are told changes only, not more often than is pleasant to look at.

mod lists;
mod pace;
mod watched;

use std::collections::BTreeMap;

use suda_proto::AccountId;

use super::batches::{Batches, Passes};
use super::packet::{Body, Outgoing};
use super::table::Table;
use super::{Clock, Now, Standing};
use crate::placement::{LiveSet, NodeId};
use lists::Lists;
use pace::Pace;
use watched::{ASKED, ASKED_SECOND, CHANGED, Edge, Pending, Stage, Watched, Watcher};

/// Most accounts in one list of a session; the rest is not watched.
pub const WATCHED_MAX: usize = 256;

/// Most lists of a session; more are not watched.
pub const LISTS_MAX: usize = 16;

/// How long a session rests between two times of being told something.
pub const REST_MS: u64 = 250;

/// What a session may know of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// So it stands.
    Known(Standing),
    /// It is none of its business.
    Hidden,
    /// Nobody has said anything yet.
    Unknown,
}

/// Something to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of whom.
    pub account: AccountId,
    /// How it stands now.
    pub view: View,
}

/// A change that is all that these sessions are told now: one frame for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The change.
    pub change: Change,
    /// Who is told.
    pub sessions: Vec<u64>,
}

/// Several changes for one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Several {
    /// Who is told.
    pub session: u64,
    /// At least two; oldest first.
    pub changes: Vec<Change>,
}

/// What is to be told now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// To many the same.
    pub shared: Vec<Shared>,
    /// To each its own.
    pub several: Vec<Several>,
    /// How many changes have to wait although they are due: ask again soon.
    pub delayed: usize,
}

/// What the sessions of one node watch.
#[derive(Debug)]
pub struct Observer {
    accounts: Table<Watched>,
    sessions: Table<Watcher>,
    /// Numbers of accounts that begin or cease to be watched; each is in it once.
    changed: Vec<u32>,
    live: LiveSet,
    passes: Passes,
    /// The number of the newest request for everything, by node.
    again: BTreeMap<NodeId, u32>,
    pace: Pace,
}

impl Observer {
    /// Nobody watches. `rest_ms` lies between two times of telling a session something, normally [`REST_MS`].
    pub fn new(rest_ms: u64) -> Self {
        Self {
            accounts: Table::new(),
            sessions: Table::new(),
            changed: Vec::new(),
            live: LiveSet::default(),
            passes: Passes::default(),
            again: BTreeMap::new(),
            pace: Pace::new(rest_ms),
        }
    }

    /// Replaces what a session watches by one of its lists, and says what is known now: for every account, in the same
    /// order, up to [`WATCHED_MAX`]. The flag says whether the session may know how that account stands.
    pub fn watch(&mut self, session: u64, source: u8, accounts: &[(AccountId, bool)]) -> Vec<View> {
        let accounts = &accounts[..accounts.len().min(WATCHED_MAX)];
        let number = self.sessions.find_or_insert(session, || Watcher {
            session,
            stage: Stage::Idle,
            lists: Lists::default(),
            pending: None,
        });
        if !self.has_room(number, source) {
            return vec![View::Unknown; accounts.len()];
        }
        let mut list: Vec<u32> = Vec::with_capacity(accounts.len());
        let mut views = Vec::with_capacity(accounts.len());
        for (account, is_permitted) in accounts {
            let found = self.accounts.find_or_insert(*account, || Watched::new(*account));
            let position = list.binary_search(&found);
            views.push(self.attach(number, found, position.is_err(), *is_permitted));
            if let Err(position) = position {
                list.insert(position, found);
            }
        }
        let old = self.put_list(number, source, &list);
        old.iter().for_each(|account| self.detach(number, *account));
        self.drop_if_idle(number);
        views
    }

    /// The session gives up one of its lists.
    pub fn stop(&mut self, session: u64, source: u8) {
        if let Some(number) = self.sessions.find(session) {
            let old = self.put_list(number, source, &[]);
            old.iter().for_each(|account| self.detach(number, *account));
            self.drop_if_idle(number);
        }
    }

    /// The session is gone.
    pub fn forget(&mut self, session: u64) {
        let Some(number) = self.sessions.find(session) else { return };
        let lists = self.sessions.get_mut(number).map(|watcher| std::mem::take(&mut watcher.lists));
        for account in lists.iter().flat_map(Lists::iter).flat_map(|(_, list)| list) {
            self.detach(number, *account);
        }
        self.sessions.remove(number);
    }

    /// The session may or may not know any more how the account stands. It is told so, if it watches it.
    pub fn permit(&mut self, session: u64, account: AccountId, is_permitted: bool) {
        let (Some(session), Some(number)) = (self.sessions.find(session), self.accounts.find(account)) else {
            return;
        };
        let Some(record) = self.accounts.get_mut(number) else { return };
        if let Some(edge) = record.edge(session) {
            edge.is_permitted = is_permitted;
            self.pace.mark(number, record, &mut self.sessions);
        }
    }

    /// The sessions that watch the account, permitted or not.
    pub fn watchers(&self, account: AccountId) -> Vec<u64> {
        let edges = self.accounts.by_key(account).map_or(&[][..], |record| &record.edges);
        edges.iter().filter_map(|edge| Some(self.sessions.get(edge.session)?.session)).collect()
    }

    /// The accounts that the session watches, each once.
    pub fn watched(&self, session: u64) -> Vec<AccountId> {
        let lists = self.sessions.by_key(session).map(|watcher| &watcher.lists);
        let lists = lists.into_iter().flat_map(Lists::iter);
        let mut numbers: Vec<u32> = lists.flat_map(|(_, list)| list.iter().copied()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().filter_map(|number| Some(self.accounts.get(number)?.account)).collect()
    }

    /// When an account was last active, from storage: nobody is told of it alone, and it counts only where no owner has
    /// said anything of it.
    pub fn learn(&mut self, account: AccountId, last_active_at: u64) {
        let record = self.accounts.find(account).and_then(|number| self.accounts.get_mut(number));
        if let Some(record) = record.filter(|record| record.last_active == Clock::NONE) {
            record.last_active = Clock::of(last_active_at);
        }
    }

    /// What is known of the account here.
    pub fn view(&self, account: AccountId) -> View {
        self.accounts.by_key(account).map_or(View::Unknown, |record| record.view(true))
    }

    /// Other nodes are live now: whoever is an owner now is asked for everything.
    pub fn live(&mut self, live: &LiveSet) {
        if *live != self.live {
            self.live = live.clone();
            self.again.retain(|node, _| live.contains(*node));
            self.passes.restart(live.nodes());
        }
    }

    /// Packets between this node and that were lost.
    pub fn gap(&mut self, node: NodeId) {
        if self.live.contains(node) {
            self.passes.restart_for(node);
        }
    }

    /// The owner at `node` asks for everything once more.
    pub fn again(&mut self, node: NodeId, number: u32) {
        if self.live.contains(node) {
            let known = self.again.insert(node, number).unwrap_or(0);
            // It asks again and again until all is said, which may take a while.
            if known != number || !self.passes.concern(node) {
                self.passes.restart_for(node);
            }
        }
    }

    /// An owner says how accounts stand, and of which it cannot say anything.
    pub fn states(
        &mut self,
        from: NodeId,
        standings: &[Standing],
        unknown: &[AccountId],
        out: &mut Vec<Outgoing>,
    ) {
        let mut watch = Batches::new(watch_body, self.live.hash());
        let mut unwatch = Batches::new(unwatch_body, self.live.hash());
        for standing in standings {
            let (Some(number), Some(owners)) =
                (self.accounts.find(standing.account), self.live.owners(standing.account))
            else {
                unwatch.push(from, standing.account, out);
                continue;
            };
            let Some(record) = self.accounts.get_mut(number) else { continue };
            let is_second = owners.second == Some(from) && record.is(ASKED_SECOND);
            if owners.first != from && !is_second {
                unwatch.push(from, standing.account, out);
                continue;
            }
            if let Some(second) = owners.second.filter(|second| *second != from && record.is(ASKED_SECOND)) {
                record.flags &= !ASKED_SECOND;
                unwatch.push(second, standing.account, out);
            }
            if record.take(standing) {
                self.pace.mark(number, record, &mut self.sessions);
            }
        }
        for account in unknown {
            let owners = self.live.owners(*account).filter(|owners| owners.first == from);
            let second = owners.and_then(|owners| owners.second);
            let record = self.accounts.find(*account).and_then(|number| self.accounts.get_mut(number));
            if let (Some(second), Some(record)) = (second, record)
                && !record.is(ASKED_SECOND)
            {
                record.flags |= ASKED_SECOND;
                watch.push(second, *account, out);
            }
        }
        watch.finish(out);
        unwatch.finish(out);
    }

    /// What owners are to be asked since the last turn. To be called after every batch of inputs, and again at once
    /// while [`Observer::is_renewing`]; always after the registrar's turn, since an owner that hears of a new start of
    /// this node forgets what it watched.
    pub fn turn(&mut self, out: &mut Vec<Outgoing>) {
        let live = self.live.hash();
        let mut watch = Batches::new(watch_body, live);
        let mut unwatch = Batches::new(unwatch_body, live);
        for number in std::mem::take(&mut self.changed) {
            let Some(record) = self.accounts.get_mut(number) else { continue };
            record.flags &= !CHANGED;
            let owners = self.live.owners(record.account);
            let was_asked = record.is(ASKED);
            if !record.edges.is_empty() {
                record.flags |= ASKED;
                if let Some(owners) = owners.filter(|_| !was_asked) {
                    watch.push(owners.first, record.account, out);
                }
                continue;
            }
            // The second may have been the first before.
            for node in owners.filter(|_| was_asked).into_iter().flat_map(|owners| owners.iter()) {
                unwatch.push(node, record.account, out);
            }
            self.accounts.remove(number);
        }
        unwatch.finish(out);
        self.renew(&mut watch, out);
        watch.finish(out);
    }

    /// Whether another turn has more to say without anything new.
    pub const fn is_renewing(&self) -> bool {
        self.passes.is_under_way()
    }

    /// What sessions are to be told now: at most `budget` times a change and a session, those that wait longest first.
    pub fn due(&mut self, now: Now, budget: usize) -> Due {
        self.pace.due(now.at_ms, budget, &mut self.accounts, &mut self.sessions)
    }

    /// How many accounts are watched.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        let accounts = (0..self.accounts.end()).filter_map(|number| self.accounts.get(number));
        let edges: usize = accounts.map(|account| account.edges.capacity() * size_of::<Edge>()).sum();
        let sessions = (0..self.sessions.end()).filter_map(|number| self.sessions.get(number));
        let lists: usize = sessions
            .map(|watcher| {
                let pending = watcher.pending.as_ref().map_or(0, |pending| {
                    size_of::<Pending>() + pending.accounts.capacity() * size_of::<u32>()
                });
                watcher.lists.heap_bytes() + pending
            })
            .sum();
        let tables = self.accounts.heap_bytes() + self.sessions.heap_bytes() + self.pace.heap_bytes();
        tables + edges + lists + self.changed.capacity() * size_of::<u32>()
    }

    fn has_room(&self, session: u32, source: u8) -> bool {
        self.sessions.get(session).is_some_and(|watcher| {
            let is_known = watcher.lists.iter().any(|(known, _)| known == source);
            is_known || watcher.lists.iter().count() < LISTS_MAX
        })
    }

    /// Replaces one of the session's lists; the old one.
    fn put_list(&mut self, session: u32, source: u8, list: &[u32]) -> Vec<u32> {
        let watcher = self.sessions.get_mut(session);
        watcher.map(|watcher| watcher.lists.put(source, list)).unwrap_or_default()
    }

    /// Lets the session watch the account, by one list more where it `is_new` to the list; what it knows with that.
    fn attach(&mut self, session: u32, number: u32, is_new: bool, is_permitted: bool) -> View {
        let Some(record) = self.accounts.get_mut(number) else { return View::Unknown };
        let told = record.news(is_permitted);
        let was_unwatched = record.edges.is_empty();
        match record.edges.binary_search_by_key(&session, |edge| edge.session) {
            Ok(position) => {
                let edge = &mut record.edges[position];
                edge.lists += u8::from(is_new);
                (edge.told, edge.is_permitted) = (told, is_permitted);
            }
            Err(position) => {
                let edge = Edge { session, lists: 1, told, is_permitted, is_pending: false };
                if record.edges.len() == record.edges.capacity() {
                    // Most accounts have few watchers: no room is kept for more.
                    record.edges.reserve_exact(1 + record.edges.len() / 4);
                }
                record.edges.insert(position, edge);
            }
        }
        let view = record.view(is_permitted);
        if was_unwatched {
            self.note(number);
        }
        view
    }

    /// Lets the session watch the account by one list less.
    fn detach(&mut self, session: u32, number: u32) {
        let Some(record) = self.accounts.get_mut(number) else { return };
        let Ok(position) = record.edges.binary_search_by_key(&session, |edge| edge.session) else { return };
        let edge = &mut record.edges[position];
        edge.lists -= 1;
        if edge.lists > 0 {
            return;
        }
        let edge = record.edges.remove(position);
        let is_unwatched = record.edges.is_empty();
        if edge.is_pending
            && let Some(pending) = self.sessions.get_mut(session).and_then(|watcher| watcher.pending.as_mut())
        {
            pending.accounts.retain(|pending| *pending != number);
        }
        if is_unwatched {
            self.note(number);
        }
    }

    /// Notes that the account begins or ceases to be watched.
    fn note(&mut self, number: u32) {
        if let Some(record) = self.accounts.get_mut(number)
            && !record.is(CHANGED)
        {
            record.flags |= CHANGED;
            self.changed.push(number);
        }
    }

    fn drop_if_idle(&mut self, session: u32) {
        let is_done = |watcher: &Watcher| watcher.lists.is_empty() && watcher.stage == Stage::Idle;
        if self.sessions.get(session).is_some_and(is_done) {
            self.sessions.remove(session);
        }
    }

    fn renew(&mut self, watch: &mut Batches<AccountId>, out: &mut Vec<Outgoing>) {
        for step in self.passes.steps(self.accounts.end()) {
            for number in step.numbers {
                let Some(record) = self.accounts.get_mut(number) else { continue };
                let Some(owners) = self.live.owners(record.account) else { continue };
                if step.to.contains(&owners.first) {
                    // If it still does not know, the second is asked again.
                    record.flags &= !ASKED_SECOND;
                    watch.push(owners.first, record.account, out);
                } else if let Some(second) = owners.second
                    && step.to.contains(&second)
                    && record.is(ASKED_SECOND)
                {
                    watch.push(second, record.account, out);
                }
            }
        }
    }
}

const fn watch_body(accounts: Vec<AccountId>) -> Body {
    Body::Watch { accounts }
}

const fn unwatch_body(accounts: Vec<AccountId>) -> Body {
    Body::Unwatch { accounts }
}

#[cfg(test)]
mod tests;
