//! A gateway's side: the sessions of one node, by account and device, how they linger when they end, and what their
//! accounts' owners are told of it.

mod devices;

use std::collections::BTreeMap;

use suda_proto::{AccountId, DeviceId};

use super::batches::{Batches, Passes};
use super::packet::{Body, Outgoing};
use super::table::{Keyed, Table};
use super::{Availability, Clock, Now, Standing, Timeouts, tick, tick_at_or_after};
use crate::placement::{LiveSet, NodeId};
use crate::wheel::Wheel;
use devices::{Device, Devices};

/// How long former owners are kept up to date: until then every node has noticed the change.
const FORMER_MS: u64 = 10_000;

/// Most sets of former owners; older ones are forgotten earlier.
const FORMER_MAX: usize = 4;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The device logged out: gone at once, whatever of it lingers included.
    LoggedOut,
    /// Closed by the device: lingers for a moment, since a page that is loaded again comes back.
    Closed,
    /// The connection broke or fell silent.
    Lost {
        /// When its last sign of life came, by the steady clock.
        heard_at_ms: u64,
    },
}

/// The sessions of one node.
///
/// It counts at most 255 sessions of a device in each class; gateways allow far fewer.
#[derive(Debug)]
pub struct Registrar {
    incarnation: u64,
    timeouts: Timeouts,
    accounts: Table<Account>,
    wheel: Wheel<u32>,
    /// Numbers of accounts that may have changed; each is in it once.
    changed: Vec<u32>,
    live: LiveSet,
    former: Vec<(LiveSet, u64)>,
    passes: Passes,
    again: BTreeMap<NodeId, u32>,
}

#[derive(Debug)]
struct Account {
    account: AccountId,
    last_active: Clock,
    /// What the owners were told.
    said: Option<Availability>,
    change: Change,
    devices: Devices,
}

/// Whether owners are to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    None,
    /// If the availability is another.
    Perhaps,
    /// Somebody was active, too.
    Active,
}

impl Keyed for Account {
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.account
    }
}

impl Account {
    fn standing(&self) -> Standing {
        let last_active_at = self.last_active.get();
        Standing { account: self.account, availability: self.devices.best(), last_active_at }
    }
}

impl Registrar {
    /// Without sessions. `incarnation` differs with every start of the node.
    pub fn new(incarnation: u64, timeouts: Timeouts, now: Now) -> Self {
        Self {
            incarnation,
            timeouts,
            accounts: Table::new(),
            wheel: Wheel::new(tick(now.at_ms)),
            changed: Vec::new(),
            live: LiveSet::default(),
            former: Vec::new(),
            passes: Passes::default(),
            again: BTreeMap::new(),
        }
    }

    /// A session opened.
    pub fn opened(&mut self, account: AccountId, device: DeviceId, is_foreground: bool, now: Now) {
        let last_active = Clock::of(now.clock_ms);
        let number = self.accounts.find_or_insert(account, || Account {
            account,
            last_active,
            said: None,
            change: Change::None,
            devices: Devices::default(),
        });
        let Some(record) = self.accounts.get_mut(number) else { return };
        record.devices.entry(device).open(is_foreground);
        self.note(number, is_foreground.then_some(now.clock_ms));
    }

    /// A session came to the foreground or left it.
    pub fn moved(
        &mut self,
        account: AccountId,
        device: DeviceId,
        from_foreground: bool,
        to_foreground: bool,
        now: Now,
    ) {
        let Some((number, known)) = self.device(account, device) else { return };
        if from_foreground != to_foreground && known.close(from_foreground) {
            known.open(to_foreground);
            self.note(number, Some(now.clock_ms));
        }
    }

    /// A session ended.
    pub fn ended(
        &mut self,
        account: AccountId,
        device: DeviceId,
        was_foreground: bool,
        ending: Ending,
        now: Now,
    ) {
        let timeouts = self.timeouts;
        let Some((number, known)) = self.device(account, device) else { return };
        if !known.close(was_foreground) {
            return;
        }
        let (heard_at_ms, lingers_ms) = match ending {
            Ending::LoggedOut => (now.at_ms, 0),
            Ending::Closed => (now.at_ms, timeouts.clean_ms),
            Ending::Lost { heard_at_ms } if was_foreground => (heard_at_ms, timeouts.foreground_ms),
            Ending::Lost { heard_at_ms } => (heard_at_ms, timeouts.background_ms),
        };
        let until_ms = heard_at_ms.saturating_add(lingers_ms);
        if known.is_less(was_foreground) && until_ms > now.at_ms {
            let until = tick_at_or_after(until_ms);
            known.linger(was_foreground, until);
            self.wheel.schedule(until, number);
        }
        self.note(number, was_foreground.then(|| now.clock_at(heard_at_ms)));
    }

    /// A device was logged out, or all of the account's: gone at once, what lingers included. That its sessions end need
    /// not be said any more.
    pub fn logged_out(&mut self, account: AccountId, device: Option<DeviceId>, now: Now) {
        let Some(number) = self.accounts.find(account) else { return };
        let Some(record) = self.accounts.get_mut(number) else { return };
        let was_looking = record.devices.end(device);
        self.note(number, was_looking.then_some(now.clock_ms));
    }

    /// Other nodes are live now: everything is registered anew, with whoever is an owner now.
    pub fn live(&mut self, live: &LiveSet, now: Now) {
        if *live == self.live {
            return;
        }
        let former = std::mem::replace(&mut self.live, live.clone());
        self.former.truncate(FORMER_MAX - 1);
        self.former.insert(0, (former, now.at_ms.saturating_add(FORMER_MS)));
        self.again.retain(|node, _| live.contains(*node));
        self.passes.restart(live.nodes());
    }

    /// Packets between this node and that were lost: its request may be among them.
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

    /// What time has come, and what owners are to be told since the last turn. To be called after every batch of
    /// inputs, at least every [`super::TICK_MS`], and again at once while [`Registrar::is_renewing`].
    pub fn turn(&mut self, now: Now, out: &mut Vec<Outgoing>) {
        let mut due = Vec::new();
        self.wheel.turn(tick(now.at_ms), |number| due.push(number));
        let passed = self.wheel.now();
        for number in due {
            // The number may have been given to another account meanwhile, to which the same rule applies.
            if self.accounts.get_mut(number).is_some_and(|record| record.devices.expire(passed)) {
                self.note(number, None);
            }
        }
        self.former.retain(|(_, until_ms)| *until_ms > now.at_ms);
        self.tell(out);
        self.renew(out);
    }

    /// Whether another turn has more to say without anything new.
    pub const fn is_renewing(&self) -> bool {
        self.passes.is_under_way()
    }

    /// How the account stands on this node.
    pub fn standing(&self, account: AccountId) -> Option<Standing> {
        self.accounts.by_key(account).map(Account::standing)
    }

    /// How many accounts have sessions or lingering ones.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        let devices: usize = (0..self.accounts.end())
            .filter_map(|n| self.accounts.get(n))
            .map(|a| a.devices.heap_bytes())
            .sum();
        let changed = self.changed.capacity() * size_of::<u32>();
        self.accounts.heap_bytes() + self.wheel.heap_bytes() + devices + changed
    }

    fn device(&mut self, account: AccountId, device: DeviceId) -> Option<(u32, &mut Device)> {
        let number = self.accounts.find(account)?;
        Some((number, self.accounts.get_mut(number)?.devices.get_mut(device)?))
    }

    /// Notes that an account may have changed, and that somebody was active there.
    fn note(&mut self, number: u32, active_at: Option<u64>) {
        let Some(record) = self.accounts.get_mut(number) else { return };
        if record.change == Change::None {
            self.changed.push(number);
        }
        record.devices.tidy_up();
        let last_active = record.last_active.max(active_at);
        let change = if last_active == record.last_active { Change::Perhaps } else { Change::Active };
        record.last_active = last_active;
        record.change = record.change.max(change);
    }

    fn tell(&mut self, out: &mut Vec<Outgoing>) {
        let mut batches = Batches::new(register, self.live.hash());
        for number in std::mem::take(&mut self.changed) {
            let Some(record) = self.accounts.get_mut(number) else { continue };
            let standing = record.standing();
            let was_active = std::mem::replace(&mut record.change, Change::None) == Change::Active;
            let is_news = match standing.availability {
                // Opened and gone within one turn: no owner ever heard of it, and none needs to.
                Availability::Offline => record.said.is_some(),
                Availability::Online => record.said != Some(Availability::Online),
                Availability::Away => record.said != Some(Availability::Away) || was_active,
            };
            record.said = Some(standing.availability);
            if standing.availability == Availability::Offline {
                self.accounts.remove(number);
            }
            if is_news {
                for node in self.receivers(standing.account) {
                    batches.push(node, standing, out);
                }
            }
        }
        batches.finish(out);
    }

    /// The account's owners, and who was one shortly ago.
    fn receivers(&self, account: AccountId) -> Vec<NodeId> {
        let mut receivers: Vec<NodeId> = Vec::with_capacity(2);
        for live in std::iter::once(&self.live).chain(self.former.iter().map(|(live, _)| live)) {
            let owners = live.owners(account).into_iter().flat_map(|owners| owners.iter());
            for node in owners {
                if !receivers.contains(&node) {
                    receivers.push(node);
                }
            }
        }
        receivers
    }

    fn renew(&mut self, out: &mut Vec<Outgoing>) {
        let live = self.live.hash();
        for step in self.passes.steps(self.accounts.end()) {
            if step.is_first {
                let begin = || Body::Begin { incarnation: self.incarnation };
                out.extend(step.to.iter().map(|node| begin().to(*node, live)));
            }
            let mut batches = Batches::new(register, live);
            for record in step.numbers.filter_map(|number| self.accounts.get(number)) {
                let owners = self.live.owners(record.account).into_iter().flat_map(|owners| owners.iter());
                for node in owners.filter(|node| step.to.contains(node)) {
                    batches.push(node, record.standing(), out);
                }
            }
            batches.finish(out);
            if step.is_last {
                let again = |node: &NodeId| self.again.get(node).copied().unwrap_or(0);
                out.extend(step.to.iter().map(|node| Body::Complete { again: again(node) }.to(*node, live)));
            }
        }
    }
}

const fn register(standings: Vec<Standing>) -> Body {
    Body::Register { standings }
}

#[cfg(test)]
mod tests;
