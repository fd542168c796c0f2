//! Presence on several nodes over a network that delays and loses packets, with nodes that die and come back: in the end
//! every watcher sees the truth, and on the way nobody is offline who is not.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use suda_domain::placement::{LiveSet, NodeId};
use suda_domain::presence::locator::{CACHE_MS, Found, Locator, Place};
use suda_domain::presence::observer::{Change, Observer, REST_MS, View};
use suda_domain::presence::owner::Owner;
use suda_domain::presence::registrar::{Ending, Registrar};
use suda_domain::presence::{Availability, Body, Now, Outgoing, Packet, Timeouts};
use suda_proto::{AccountId, DeviceId};

const NODES: u16 = 4;
const ACCOUNTS: u8 = 5;
const STEP_MS: u64 = 50;
const TIMEOUTS: Timeouts = Timeouts { clean_ms: 5_000, foreground_ms: 32_000, background_ms: 45_000 };

/// After that long a session is known to everybody: delays, a heartbeat, a round that was asked for again.
const SETTLED_MS: u64 = 3_000;

/// How long a node goes without being heard before it counts as dead.
const SILENCE_MS: u64 = 3_000;

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number + 1; 16])
}

fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number + 1; 16])
}

struct Session {
    node: u16,
    account: u8,
    device: u8,
    is_foreground: bool,
    since: u64,
}

/// A session that watches, and what it was told.
struct Watcher {
    id: u64,
    permitted: BTreeMap<AccountId, bool>,
    sees: BTreeMap<AccountId, View>,
}

struct Node {
    registrar: Registrar,
    owner: Owner,
    observer: Observer,
    locator: Locator,
    live: LiveSet,
    heard: BTreeMap<u16, u64>,
    watchers: Vec<Watcher>,
    /// Since when the account has been reachable here.
    reachable: BTreeMap<u8, u64>,
    clock_ms: u64,
    base_ms: u64,
}

impl Node {
    fn new(id: u16, incarnation: u64, at_ms: u64) -> Self {
        let base_ms = 1_000_000 * u64::from(id) + 777 * incarnation;
        let clock_ms = 1_800_000_000_000;
        let now = Now { at_ms: at_ms + base_ms, clock_ms };
        Self {
            registrar: Registrar::new(incarnation, TIMEOUTS, now),
            owner: Owner::new(NodeId(id), TIMEOUTS, now.at_ms + TIMEOUTS.foreground_ms),
            observer: Observer::new(REST_MS),
            locator: Locator::new(incarnation << 32),
            live: LiveSet::default(),
            heard: BTreeMap::new(),
            watchers: Vec::new(),
            reachable: BTreeMap::new(),
            clock_ms,
            base_ms,
        }
    }

    fn now(&self, at_ms: u64) -> Now {
        Now { at_ms: at_ms + self.base_ms, clock_ms: self.clock_ms + at_ms }
    }

    /// Gives a packet, or the news that some were lost, to whom it concerns.
    fn take(
        &mut self,
        from: NodeId,
        packet: Option<Packet>,
        at_ms: u64,
        out: &mut Vec<Outgoing>,
    ) -> Vec<Found> {
        let now = self.now(at_ms);
        let Some(packet) = packet else {
            self.registrar.gap(from);
            self.observer.gap(from);
            self.owner.gap(from, now, out);
            return Vec::new();
        };
        match &packet.body {
            Body::Again { number } => {
                self.registrar.again(from, *number);
                self.observer.again(from, *number);
            }
            Body::States { standings, unknown } => self.observer.states(from, standings, unknown, out),
            Body::Located { .. } => return self.locator.take(from, packet, now, out),
            _ => self.owner.take(from, packet, now, out),
        }
        Vec::new()
    }
}

/// Packets under way between two nodes, each with when it arrives; `None` stands for lost ones.
type Link = VecDeque<(u64, Option<Packet>)>;

struct World {
    dice: Dice,
    now: u64,
    is_quiet: bool,
    nodes: BTreeMap<u16, Node>,
    links: BTreeMap<(u16, u16), Link>,
    sessions: Vec<Session>,
    /// Accounts that were reachable on a node when it died, and until when they stand.
    bereaved: Vec<(u8, u64)>,
    next: u64,
    told: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            dice: Dice(seed),
            now: 0,
            is_quiet: false,
            nodes: BTreeMap::new(),
            links: BTreeMap::new(),
            sessions: Vec::new(),
            bereaved: Vec::new(),
            next: 1,
            told: 0,
        };
        (1..=NODES).for_each(|id| world.start(id));
        world
    }

    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn start(&mut self, id: u16) {
        let incarnation = self.id();
        let mut node = Node::new(id, incarnation, self.now);
        // It listens before it speaks.
        node.heard = self.nodes.keys().map(|other| (*other, self.now)).collect();
        self.nodes.insert(id, node);
    }

    fn kill(&mut self, id: u16) {
        let Some(node) = self.nodes.remove(&id) else { return };
        let settled = node.reachable.iter().filter(|(_, since)| **since + SETTLED_MS <= self.now);
        // It may have been heard a second before.
        let until = self.now + TIMEOUTS.foreground_ms - 1_000 - 2 * STEP_MS;
        self.bereaved.extend(settled.map(|(account, _)| (*account, until)));
        self.sessions.retain(|session| session.node != id);
        self.links.retain(|(_, to), _| *to != id);
    }

    fn send(&mut self, from: u16, out: Vec<Outgoing>) {
        for Outgoing { to, packet } in out {
            if !self.nodes.contains_key(&to.0) {
                continue;
            }
            let is_lost = from != to.0 && !self.is_quiet && self.dice.one_in(20);
            let delay = if from == to.0 { 0 } else { self.dice.below(300) };
            let link = self.links.entry((from, to.0)).or_default();
            let at = link.back().map_or(0, |(at, _)| *at).max(self.now + delay);
            link.push_back((at, (!is_lost).then_some(packet)));
        }
    }

    fn deliver(&mut self) {
        let pairs: Vec<(u16, u16)> = self.links.keys().copied().collect();
        for (from, to) in pairs {
            while let Some((_, packet)) =
                self.links.get_mut(&(from, to)).and_then(|link| link.pop_front_if(|(at, _)| *at <= self.now))
            {
                let Some(node) = self.nodes.get_mut(&to) else { break };
                let mut out = Vec::new();
                let found = node.take(NodeId(from), packet, self.now, &mut out);
                self.check_found(&found);
                self.send(to, out);
            }
        }
    }

    fn heartbeats(&mut self) {
        let ids: Vec<u16> = self.nodes.keys().copied().collect();
        for (id, node) in &mut self.nodes {
            for other in &ids {
                if *other == *id || (self.now + 130 * u64::from(*other)) % 1_000 < STEP_MS {
                    node.heard.insert(*other, self.now);
                }
            }
            let heard = node.heard.iter().filter(|(_, at)| **at + SILENCE_MS > self.now);
            let live = LiveSet::new(heard.map(|(id, _)| NodeId(*id)));
            if live != node.live {
                let now = node.now(self.now);
                node.live = live.clone();
                node.registrar.live(&live, now);
                node.observer.live(&live);
                node.locator.live(&live);
                let (heard, base_ms) = (&node.heard, node.base_ms);
                node.owner.live(&live, |node| heard[&node.0] + base_ms, now);
            }
        }
    }

    fn turn(&mut self) {
        let ids: Vec<u16> = self.nodes.keys().copied().collect();
        for id in ids {
            let Some(node) = self.nodes.get_mut(&id) else { continue };
            let now = node.now(self.now);
            let mut out = Vec::new();
            node.registrar.turn(now, &mut out);
            node.owner.turn(now, &mut out);
            node.observer.turn(&mut out);
            let found = node.locator.turn(now, &mut out);
            let due = node.observer.due(now, 50);
            for number in 0..ACCOUNTS {
                if node.registrar.standing(account(number)).is_some() {
                    node.reachable.entry(number).or_insert(self.now);
                } else {
                    node.reachable.remove(&number);
                }
            }
            let shared = due
                .shared
                .into_iter()
                .flat_map(|s| s.sessions.into_iter().map(move |id| (id, vec![s.change])));
            let several = due.several.into_iter().map(|s| (s.session, s.changes));
            let told: Vec<(u64, Vec<Change>)> = shared.chain(several).collect();
            self.check_found(&found);
            self.send(id, out);
            told.into_iter().for_each(|(session, changes)| self.tell(id, session, &changes));
        }
    }

    /// A session is told something: that somebody is offline must be so.
    fn tell(&mut self, id: u16, session: u64, changes: &[Change]) {
        for change in changes {
            self.told += 1;
            let number =
                (0..ACCOUNTS).find(|number| account(*number) == change.account).expect("known account");
            if matches!(change.view, View::Known(standing) if standing.availability == Availability::Offline)
            {
                let mut since = self.nodes.values().filter_map(|node| node.reachable.get(&number));
                assert!(
                    since.all(|since| since + SETTLED_MS > self.now),
                    "{number} is reachable at {}",
                    self.now
                );
                let mut bereaved = self.bereaved.iter().filter(|(account, _)| *account == number);
                assert!(bereaved.all(|(_, until)| *until <= self.now), "{number} lingers at {}", self.now);
            }
            let node = self.nodes.get_mut(&id).expect("it told");
            let watcher =
                node.watchers.iter_mut().find(|watcher| watcher.id == session).expect("is told while it is");
            let seen = watcher.sees.get_mut(&change.account).expect("is told of what it watches");
            assert_ne!(*seen, change.view, "only news");
            assert_eq!(watcher.permitted[&change.account], change.view != View::Hidden);
            *seen = change.view;
        }
    }

    /// Where an account has a session, it is not nowhere, and once an older answer is forgotten, it is found there.
    fn check_found(&self, found: &[Found]) {
        for (place_of, place) in found.iter().flat_map(|found| &found.places) {
            let Place::Nodes(nodes) = place else { continue };
            let remembered_ms = if nodes.is_empty() { 0 } else { CACHE_MS };
            for session in self.sessions.iter().filter(|session| account(session.account) == *place_of) {
                let is_known = session.since + SETTLED_MS + remembered_ms <= self.now;
                let is_found = nodes.contains(&NodeId(session.node));
                assert!(is_found || !is_known, "{place_of} is on {} at {}", session.node, self.now);
            }
        }
    }

    fn act(&mut self) {
        let (which, id) = (self.dice.below(40), 1 + self.dice.below(u64::from(NODES)) as u16);
        let (number, of_device) = (self.dice.below(u64::from(ACCOUNTS)) as u8, self.dice.below(2) as u8);
        let is_foreground = self.dice.one_in(2);
        match which {
            0..8 => self.open(id, number, of_device, is_foreground),
            8..16 => self.end(),
            16..22 => self.shift(),
            22..28 => self.watch(id),
            28..30 => self.stop(id),
            30..32 => self.permit(id, number, is_foreground),
            32..37 => self.locate(id, number),
            37 => self.jump(id),
            38 if self.dice.one_in(4) => self.kill(id),
            39 if !self.nodes.contains_key(&id) => self.start(id),
            _ => {}
        }
    }

    fn open(&mut self, id: u16, number: u8, of_device: u8, is_foreground: bool) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let now = node.now(self.now);
        node.registrar.opened(account(number), device(of_device), is_foreground, now);
        let session =
            Session { node: id, account: number, device: of_device, is_foreground, since: self.now };
        self.sessions.push(session);
    }

    fn end(&mut self) {
        if self.sessions.is_empty() {
            return;
        }
        let session = self.sessions.swap_remove(self.dice.below(self.sessions.len() as u64) as usize);
        let silent_ms = self.dice.below(40_000).min(self.now - session.since);
        let node = self.nodes.get_mut(&session.node).expect("has sessions");
        let now = node.now(self.now);
        let ending = match self.dice.below(3) {
            0 => Ending::LoggedOut,
            1 => Ending::Closed,
            _ => Ending::Lost { heard_at_ms: now.at_ms - silent_ms },
        };
        let (of_account, of_device) = (account(session.account), device(session.device));
        node.registrar.ended(of_account, of_device, session.is_foreground, ending, now);
    }

    fn shift(&mut self) {
        if self.sessions.is_empty() {
            return;
        }
        let position = self.dice.below(self.sessions.len() as u64) as usize;
        let session = &mut self.sessions[position];
        let node = self.nodes.get_mut(&session.node).expect("has sessions");
        let (from, to) = (session.is_foreground, !session.is_foreground);
        session.is_foreground = to;
        let now = node.now(self.now);
        node.registrar.moved(account(session.account), device(session.device), from, to, now);
    }

    fn watch(&mut self, id: u16) {
        let watched = self.dice.below(1 << ACCOUNTS);
        let permitted = self.dice.below(1 << ACCOUNTS) | self.dice.below(1 << ACCOUNTS);
        let fresh = self.id();
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let session = match self.dice.below(4) as usize {
            known if known < node.watchers.len() => node.watchers.remove(known).id,
            _ => fresh,
        };
        let list: Vec<(AccountId, bool)> = (0..ACCOUNTS)
            .filter(|number| watched >> number & 1 == 1)
            .map(|number| (account(number), permitted >> number & 1 == 1))
            .collect();
        let views = node.observer.watch(session, 0, &list);
        let sees = list.iter().map(|(account, _)| *account).zip(views).collect();
        node.watchers.push(Watcher { id: session, permitted: list.into_iter().collect(), sees });
    }

    fn stop(&mut self, id: u16) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(watcher) = node.watchers.pop() {
            node.observer.forget(watcher.id);
        }
    }

    fn permit(&mut self, id: u16, number: u8, is_permitted: bool) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        if let Some(watcher) = node.watchers.last_mut()
            && let Some(permitted) = watcher.permitted.get_mut(&account(number))
        {
            *permitted = is_permitted;
            node.observer.permit(watcher.id, account(number), is_permitted);
        }
    }

    fn locate(&mut self, id: u16, number: u8) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let mut out = Vec::new();
        let now = node.now(self.now);
        let asked = node.locator.ask(1, &[account(number)], now, &mut out);
        self.check_found(&[Found { ticket: 1, places: asked.known }]);
        self.send(id, out);
    }

    fn jump(&mut self, id: u16) {
        let to = 1_700_000_000_000 + self.dice.below(200_000_000_000);
        if let Some(node) = self.nodes.get_mut(&id) {
            node.clock_ms = to;
        }
    }

    fn run(&mut self, for_ms: u64) {
        let until = self.now + for_ms;
        while self.now < until {
            self.now += STEP_MS;
            self.heartbeats();
            self.deliver();
            if !self.is_quiet && self.dice.one_in(4) {
                self.act();
            }
            self.turn();
            self.bereaved.retain(|(_, until)| *until > self.now);
        }
    }

    fn truth(&self, number: u8) -> Availability {
        let sessions = self.sessions.iter().filter(|session| session.account == number);
        let each = sessions.map(|s| if s.is_foreground { Availability::Online } else { Availability::Away });
        each.max().unwrap_or(Availability::Offline)
    }

    /// Everybody sees the truth.
    fn check_views(&self) {
        for (id, node) in &self.nodes {
            for watcher in &node.watchers {
                for number in 0..ACCOUNTS {
                    let Some(seen) = watcher.sees.get(&account(number)) else { continue };
                    let seen = match seen {
                        View::Known(standing) => Some(standing.availability),
                        View::Hidden => None,
                        View::Unknown => panic!("{number} is unknown to {} on {id}", watcher.id),
                    };
                    let expected = watcher.permitted[&account(number)].then(|| self.truth(number));
                    assert_eq!(seen, expected, "{number} to {} on {id}", watcher.id);
                }
            }
        }
    }

    fn end_all(&mut self) {
        for session in std::mem::take(&mut self.sessions) {
            let node = self.nodes.get_mut(&session.node).expect("has sessions");
            let now = node.now(self.now);
            let (of_account, of_device) = (account(session.account), device(session.device));
            node.registrar.ended(of_account, of_device, session.is_foreground, Ending::LoggedOut, now);
        }
        (1..=NODES).for_each(|id| (0..100).for_each(|_| self.stop(id)));
    }
}

fn check(seed: u64) -> usize {
    let mut world = World::new(seed);
    world.run(90_000);
    world.is_quiet = true;
    world.run(100_000);
    world.check_views();
    world.end_all();
    world.run(15_000);
    for node in world.nodes.values() {
        assert!(node.registrar.is_empty() && node.observer.is_empty());
        assert!(node.owner.is_empty(), "{} records are left", node.owner.len());
        assert_eq!(node.locator.open_questions(), 0);
    }
    world.told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn views_come_to_the_truth_and_nobody_blinks(seed: u64) {
        check(seed);
    }
}

#[test]
fn enough_is_told_for_the_properties_to_mean_something() {
    let told: usize = (0..5).map(check).sum();
    assert!(told > 100, "only {told} changes");
}
