//! An owner's side: where the accounts are registered, which nodes watch them, and whether silence about an account
//! means that it is offline.
//!
//! An account is *offline* only if every live node has said everything it has, for the same live nodes, and no node was
//! lost lately that might have had it. Otherwise it is *unknown*, which is never told as news.

mod knowledge;
mod links;

use suda_proto::AccountId;

use super::batches::Batches;
use super::packet::{ACCOUNTS_MAX, Body, Outgoing, Packet};
use super::table::{Keyed, Table};
use super::{Availability, Clock, Now, Standing, Timeouts};
use crate::placement::{LiveSet, NodeId};
use knowledge::Knowledge;
use links::{Link, Links, Tie};

/// How long what this node no longer owns is kept: until then every node has noticed.
const FORMER_MS: u64 = 10_000;

/// Records that a turn looks at when all are to be looked at.
const SWEEP_STEP: u32 = 16_384;

/// What one node keeps as an owner.
#[derive(Debug)]
pub struct Owner {
    me: NodeId,
    timeouts: Timeouts,
    accounts: Table<Record>,
    knowledge: Knowledge,
    /// Numbers of accounts that may have changed; each is in it once.
    changed: Vec<u32>,
    /// How far it has come in looking at everything anew.
    sweep: Option<u32>,
    /// When what it does not own is dropped.
    clear_at_ms: Option<u64>,
}

#[derive(Debug)]
struct Record {
    account: AccountId,
    last_active: Clock,
    /// What the watching nodes were told; absent where one of them was told that it is unknown.
    said: Option<Availability>,
    change: Change,
    /// Whether it was registered and went again, by what the only node said.
    is_over: bool,
    links: Links,
}

/// Whether watchers are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    /// If the availability is another.
    Perhaps,
    /// Somebody was active, too.
    Active,
}

impl Keyed for Record {
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.account
    }
}

impl Record {
    const fn new(account: AccountId, links: Links) -> Self {
        Self { account, last_active: Clock::NONE, said: None, change: Change::None, is_over: false, links }
    }

    fn standing(&self, availability: Availability) -> Standing {
        Standing { account: self.account, availability, last_active_at: self.last_active.get() }
    }

    fn watchers(&self) -> impl Iterator<Item = NodeId> {
        self.links.all().iter().filter(|link| link.tie == Tie::Watches).map(|link| link.node)
    }

    /// How it stands; `None` for unknown.
    fn availability(&self, knowledge: &Knowledge) -> Option<Availability> {
        let best = self.links.all().iter().map(|link| link.tie.availability()).max();
        let best = best.unwrap_or(Availability::Offline);
        let is_sure = match best {
            Availability::Online => true,
            Availability::Away => knowledge.is_complete(),
            Availability::Offline => {
                let is_over = self.is_over && knowledge.is_alone();
                knowledge.is_complete() && (is_over || !knowledge.may_be_lost(self.account))
            }
        };
        is_sure.then_some(best)
    }
}

impl Owner {
    /// Without knowledge. Until `unknown_until_ms`, by the steady clock, accounts that nobody registers are unknown: a
    /// node that joins others gives `now + foreground_ms`, since a node may have been lost before it came.
    pub fn new(me: NodeId, timeouts: Timeouts, unknown_until_ms: u64) -> Self {
        Self {
            me,
            timeouts,
            accounts: Table::new(),
            knowledge: Knowledge::new(me, unknown_until_ms),
            changed: Vec::new(),
            sweep: None,
            clear_at_ms: None,
        }
    }

    /// Other nodes are live now. `heard_at_ms` says when a node that is missing was heard last, by the steady clock.
    pub fn live(&mut self, live: &LiveSet, heard_at_ms: impl Fn(NodeId) -> u64, now: Now) {
        if *live == self.knowledge.live {
            return;
        }
        let unknown_until_ms = now.at_ms.saturating_add(self.timeouts.foreground_ms);
        for node in self.knowledge.replace(live, now.at_ms, unknown_until_ms) {
            self.lose(node, heard_at_ms(node).min(now.at_ms), now);
        }
        self.clear_at_ms = Some(now.at_ms.saturating_add(FORMER_MS));
        self.sweep = Some(0);
    }

    /// Packets of `node` were lost.
    pub fn gap(&mut self, node: NodeId, now: Now, out: &mut Vec<Outgoing>) {
        if let Some(number) = self.knowledge.gap(node, now.at_ms) {
            self.drop_watches(node);
            out.push(Body::Again { number }.to(node, self.knowledge.live.hash()));
        }
    }

    /// A packet came. Those that are not for owners are left alone.
    pub fn take(&mut self, from: NodeId, packet: Packet, now: Now, out: &mut Vec<Outgoing>) {
        if !self.knowledge.live.contains(from) {
            // It is about to be seen live, or it is not and nothing else would make it be forgotten.
            let peer = self.knowledge.peers.entry(from).or_default();
            peer.stranger_until_ms = Some(now.at_ms.saturating_add(self.timeouts.foreground_ms));
        }
        let is_agreed = packet.live == self.knowledge.live.hash();
        match packet.body {
            Body::Begin { incarnation } => self.begin(from, incarnation, now),
            Body::Register { standings } => standings.iter().for_each(|said| self.register(from, said, now)),
            Body::Complete { again } => self.complete(from, again, packet.live),
            Body::Watch { accounts } => self.watch(from, &accounts, is_agreed, now, out),
            Body::Unwatch { accounts } => accounts.iter().for_each(|account| self.unwatch(from, *account)),
            Body::Locate { question, accounts } => {
                let answer = self.locate(question, &accounts, is_agreed);
                out.push(answer.to(from, self.knowledge.live.hash()));
            }
            Body::Again { .. } | Body::States { .. } | Body::Located { .. } => {}
        }
    }

    /// What time has come, and what watchers are to be told since the last turn. To be called after every batch of
    /// packets, at least every [`super::TICK_MS`], and again at once while [`Owner::is_sweeping`].
    pub fn turn(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let live = self.knowledge.live.hash();
        self.forget_lost(now);
        if self.clear_at_ms.is_some_and(|at_ms| at_ms <= now.at_ms) {
            self.clear_at_ms = None;
            self.clear();
        }
        if self.knowledge.expire(now.at_ms) {
            self.sweep = Some(0);
        }
        let due_questions = self.knowledge.due_questions(now.at_ms).into_iter();
        out.extend(due_questions.map(|(node, number)| Body::Again { number }.to(node, live)));
        let mut batches = Batches::new(states, live);
        for number in std::mem::take(&mut self.changed) {
            self.tell(number, &mut batches, out);
        }
        if let Some(from) = self.sweep {
            let until = from.saturating_add(SWEEP_STEP).min(self.accounts.end());
            (from..until).for_each(|number| self.tell(number, &mut batches, out));
            self.sweep = (until < self.accounts.end()).then_some(until);
        }
        batches.finish(out);
    }

    /// Whether another turn has more to say without anything new.
    pub const fn is_sweeping(&self) -> bool {
        self.sweep.is_some()
    }

    /// Whether every live node has said everything.
    pub const fn is_complete(&self) -> bool {
        self.knowledge.is_complete()
    }

    /// How many accounts are registered or watched.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        let links: usize =
            (0..self.accounts.end()).filter_map(|n| self.accounts.get(n)).map(|a| a.links.heap_bytes()).sum();
        self.accounts.heap_bytes() + links + self.changed.capacity() * size_of::<u32>()
    }

    fn begin(&mut self, from: NodeId, incarnation: u64, now: Now) {
        let peer = self.knowledge.peers.entry(from).or_default();
        let (round, was_lost) = (peer.round, peer.is_lost);
        peer.round = round.wrapping_add(1);
        let known = peer.incarnation.replace(incarnation);
        if known == Some(incarnation) && was_lost {
            // It was lost from sight only. What an earlier start of it had registered is of earlier rounds.
            let again =
                |link: &mut Link| link.tie = link.tie.with_lost(link.round != round && link.tie.is_lost());
            self.each_link(from, again);
        } else if known.is_some_and(|known| known != incarnation) && !was_lost {
            // Where it was missed before, that is when its sessions were lost.
            self.lose(from, now.at_ms, now);
        }
        if known.is_some_and(|known| known != incarnation) {
            self.drop_watches(from);
        }
        let peer = self.knowledge.peers.entry(from).or_default();
        (peer.is_lost, peer.is_in_order) = (false, true);
    }

    /// The sessions of that node are lost: what it registered stands for a while.
    fn lose(&mut self, node: NodeId, heard_at_ms: u64, now: Now) {
        let forget_at_ms = heard_at_ms.saturating_add(self.timeouts.foreground_ms);
        let peer = self.knowledge.peers.entry(node).or_default();
        peer.is_lost = true;
        peer.forget_at_ms = peer.forget_at_ms.max(Some(forget_at_ms));
        peer.lost_clock_ms = now.clock_at(heard_at_ms);
        self.each_link(node, |link| link.tie = link.tie.with_lost(true));
    }

    fn register(&mut self, from: NodeId, said: &Standing, now: Now) {
        let peer = self.knowledge.peers.entry(from).or_default();
        if !peer.is_in_order {
            return;
        }
        let round = peer.round;
        let tie = match said.availability {
            Availability::Offline => None,
            Availability::Away => Some(Tie::Away),
            Availability::Online => Some(Tie::Online),
        };
        let number = match tie {
            None => self.accounts.find(said.account),
            Some(_) => Some(self.entry(said.account, now)),
        };
        let Some((number, record)) = number.and_then(|n| Some((n, self.accounts.get_mut(n)?))) else {
            return;
        };
        let mut links = record.links.all_mut().iter_mut();
        let known = links.find(|link| link.node == from && link.tie.is_registration());
        match (known, tie) {
            (Some(link), Some(tie)) => *link = Link { tie, round, ..*link },
            (None, Some(tie)) => {
                record.is_over = false;
                record.links.add(Link { node: from, tie, round });
            }
            (known, None) => {
                record.is_over |= known.is_some();
                record.links.retain(|link| link.node != from || !link.tie.is_registration());
            }
        }
        self.note(number, said.last_active_at);
    }

    fn complete(&mut self, from: NodeId, again: u32, live: u64) {
        let peer = self.knowledge.peers.entry(from).or_default();
        // Whoever has not got the newest request does not know that it is to say again what it watches, either.
        if again != peer.again || !peer.is_in_order {
            return;
        }
        peer.complete_for = Some(live);
        let round = peer.round;
        self.drop_links(None, |link| link.node == from && link.tie.is_registration() && link.round != round);
        if self.knowledge.review() {
            self.sweep = Some(0);
        }
    }

    fn watch(
        &mut self,
        from: NodeId,
        accounts: &[AccountId],
        is_agreed: bool,
        now: Now,
        out: &mut Vec<Outgoing>,
    ) {
        let live = self.knowledge.live.hash();
        for accounts in accounts.chunks(ACCOUNTS_MAX) {
            let (mut standings, mut unknown) = (Vec::new(), Vec::new());
            for account in accounts {
                let number = self.entry(*account, now);
                let Some(record) = self.accounts.get_mut(number) else { continue };
                let had_others = record.watchers().any(|node| node != from);
                if record.watchers().all(|node| node != from) {
                    record.links.add(Link { node: from, tie: Tie::Watches, round: 0 });
                }
                match record.availability(&self.knowledge).filter(|_| is_agreed) {
                    Some(availability) => {
                        if !had_others {
                            record.said = Some(availability);
                        }
                        standings.push(record.standing(availability));
                    }
                    None => {
                        record.said = None;
                        unknown.push(*account);
                    }
                }
            }
            out.push(Body::States { standings, unknown }.to(from, live));
        }
    }

    fn unwatch(&mut self, from: NodeId, account: AccountId) {
        let Some(number) = self.accounts.find(account) else { return };
        if let Some(record) = self.accounts.get_mut(number) {
            record.links.retain(|link| link.node != from || link.tie != Tie::Watches);
            self.note(number, None);
        }
    }

    fn locate(&self, question: u64, accounts: &[AccountId], is_agreed: bool) -> Body {
        if !is_agreed || !self.knowledge.is_complete() {
            return Body::Located { question, places: Vec::new(), unknown: accounts.to_vec() };
        }
        let places = accounts.iter().map(|account| {
            let links = self.accounts.by_key(*account).map_or(&[][..], |record| record.links.all());
            let mut nodes: Vec<NodeId> =
                links.iter().filter(|link| link.tie != Tie::Watches).map(|link| link.node).collect();
            nodes.sort_unstable();
            nodes.dedup();
            (*account, nodes)
        });
        Body::Located { question, places: places.collect(), unknown: Vec::new() }
    }

    /// The account's record, made where there is none.
    fn entry(&mut self, account: AccountId, now: Now) -> u32 {
        if let Some(number) = self.accounts.find(account) {
            return number;
        }
        if self.clear_at_ms.is_none() && !self.knowledge.live.is_owner(self.me, account) {
            self.clear_at_ms = Some(now.at_ms.saturating_add(FORMER_MS));
        }
        self.accounts.find_or_insert(account, || Record::new(account, Links::default()))
    }

    /// Notes that an account may have changed, and that somebody was active there.
    fn note(&mut self, number: u32, active_at: Option<u64>) {
        let Some(record) = self.accounts.get_mut(number) else { return };
        if record.change == Change::None {
            self.changed.push(number);
        }
        let last_active = record.last_active.max(active_at);
        let change = if last_active == record.last_active { Change::Perhaps } else { Change::Active };
        record.last_active = last_active;
        record.change = record.change.max(change);
    }

    fn tell(&mut self, number: u32, batches: &mut Batches<Standing>, out: &mut Vec<Outgoing>) {
        let Some(record) = self.accounts.get_mut(number) else { return };
        let was_active = std::mem::replace(&mut record.change, Change::None) == Change::Active;
        if record.links.all().is_empty() {
            self.accounts.remove(number);
            return;
        }
        let Some(availability) = record.availability(&self.knowledge) else {
            if was_active {
                record.said = None;
            }
            return;
        };
        let is_news = record.said != Some(availability) || was_active && availability != Availability::Online;
        record.said = Some(availability);
        if is_news {
            let standing = record.standing(availability);
            record.watchers().for_each(|node| batches.push(node, standing, out));
        }
    }

    /// Calls `change` with every link of the node.
    fn each_link(&mut self, node: NodeId, change: impl Fn(&mut Link)) {
        for number in 0..self.accounts.end() {
            let Some(record) = self.accounts.get_mut(number) else { continue };
            record.links.all_mut().iter_mut().filter(|link| link.node == node).for_each(&change);
        }
    }

    /// Drops links; where one said that somebody was online, that ended at `online_until_ms`.
    fn drop_links(&mut self, online_until_ms: Option<u64>, is_gone: impl Fn(&Link) -> bool) {
        for number in 0..self.accounts.end() {
            let Some(record) = self.accounts.get_mut(number) else { continue };
            let online = |link: &Link| is_gone(link) && link.tie.availability() == Availability::Online;
            let active_at = online_until_ms.filter(|_| record.links.all().iter().any(online));
            if record.links.retain(|link| !is_gone(link)) {
                self.note(number, active_at);
            }
        }
    }

    /// Forgets what the node watches: it will say so again.
    fn drop_watches(&mut self, node: NodeId) {
        self.drop_links(None, |link| link.node == node && link.tie == Tie::Watches);
    }

    /// Forgets what lost nodes had registered, and all about nodes that are not live, once its time is over.
    fn forget_lost(&mut self, now: Now) {
        for (node, lost_clock_ms) in self.knowledge.lost_for_good(now.at_ms) {
            self.drop_links(lost_clock_ms, |link| link.node == node && link.tie.is_lost());
        }
        for node in self.knowledge.forget_strangers(now.at_ms) {
            self.drop_links(Some(now.clock_ms), |link| link.node == node);
        }
    }

    /// Drops what this node does not own.
    fn clear(&mut self) {
        for number in 0..self.accounts.end() {
            let Some(record) = self.accounts.get_mut(number) else { continue };
            if !self.knowledge.live.is_owner(self.me, record.account) {
                record.links = Links::default();
                self.note(number, None);
            }
        }
    }
}

const fn states(standings: Vec<Standing>) -> Body {
    Body::States { standings, unknown: Vec::new() }
}

#[cfg(test)]
mod tests;
