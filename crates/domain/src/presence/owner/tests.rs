//! What watchers and hosts hear of registrations that come, go and are lost.

use super::*;
use Availability::{Away, Offline, Online};

const ME: NodeId = NodeId(1);
const GATEWAY: NodeId = NodeId(2);
const WATCHER: NodeId = NodeId(3);
const ALICE: AccountId = AccountId::from_bytes([1; 16]);
const CLOCK: u64 = 1_800_000_000_000;

fn at(at_ms: u64) -> Now {
    Now { at_ms, clock_ms: CLOCK + at_ms }
}

struct World {
    owner: Owner,
    live: LiveSet,
    now: u64,
    out: Vec<Outgoing>,
}

impl World {
    /// Three nodes that have said all they have: nothing.
    fn complete() -> Self {
        let mut world = Self::new(0);
        world.rounds(&[]);
        world
    }

    fn new(unknown_until_ms: u64) -> Self {
        let live = LiveSet::new([ME, GATEWAY, WATCHER]);
        let mut owner = Owner::new(ME, Timeouts::default(), unknown_until_ms);
        owner.live(&live, |_| 0, at(0));
        Self { owner, live, now: 0, out: Vec::new() }
    }

    fn take(&mut self, from: NodeId, body: Body) {
        let packet = Packet { live: self.live.hash(), body };
        self.owner.take(from, packet, at(self.now), &mut self.out);
    }

    /// All live nodes say everything; the gateway has these.
    fn rounds(&mut self, registered: &[(AccountId, Availability)]) {
        for node in self.live.nodes().to_vec() {
            self.take(node, Body::Begin { incarnation: 1 });
            if node == GATEWAY {
                registered.iter().for_each(|(account, what)| self.register(*account, *what));
            }
            self.take(node, Body::Complete { again: 0 });
        }
        self.turn();
    }

    fn register(&mut self, account: AccountId, availability: Availability) {
        let last_active_at = Some(CLOCK + self.now);
        let standings = vec![Standing { account, availability, last_active_at }];
        self.take(GATEWAY, Body::Register { standings });
    }

    fn live(&mut self, nodes: &[NodeId]) {
        self.live = LiveSet::new(nodes.iter().copied());
        let now = self.now;
        self.owner.live(&self.live, |_| now - 3_000, at(now));
    }

    fn turn(&mut self) {
        self.owner.turn(at(self.now), &mut self.out);
        while self.owner.is_sweeping() {
            self.owner.turn(at(self.now), &mut self.out);
        }
    }

    fn turn_until(&mut self, until: u64) {
        while self.now < until {
            self.now += 50;
            self.turn();
        }
    }

    /// What the watching node heard of the account since it was last asked; `None` is unknown.
    fn heard(&mut self, of: AccountId) -> Vec<Option<Availability>> {
        let mut heard = Vec::new();
        for outgoing in std::mem::take(&mut self.out) {
            if let Body::States { standings, unknown } = outgoing.packet.body {
                assert_eq!(outgoing.to, WATCHER);
                heard.extend(unknown.iter().filter(|account| **account == of).map(|_| None));
                heard.extend(standings.iter().filter(|s| s.account == of).map(|s| Some(s.availability)));
            }
        }
        heard
    }

    fn watch(&mut self, account: AccountId) -> Vec<Option<Availability>> {
        self.out.clear();
        self.take(WATCHER, Body::Watch { accounts: vec![account] });
        self.heard(account)
    }

    fn locate(&mut self, account: AccountId) -> Option<Vec<NodeId>> {
        self.out.clear();
        self.take(WATCHER, Body::Locate { question: 5, accounts: vec![account] });
        match self.out.pop().map(|outgoing| outgoing.packet.body) {
            Some(Body::Located { question: 5, mut places, .. }) => places.pop().map(|(_, nodes)| nodes),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn watchers_hear_of_every_change_once() {
    let mut world = World::complete();
    assert_eq!(world.watch(ALICE), [Some(Offline)]);
    for availability in [Online, Away, Offline] {
        world.register(ALICE, availability);
        world.register(ALICE, availability);
        world.turn();
        world.turn();
        assert_eq!(world.heard(ALICE), [Some(availability)]);
    }
    world.take(WATCHER, Body::Unwatch { accounts: vec![ALICE] });
    world.turn();
    assert!(world.owner.is_empty());
}

#[test]
fn without_everything_nobody_is_offline() {
    let mut world = World::new(0);
    assert_eq!(world.watch(ALICE), [None]);
    assert_eq!(world.locate(ALICE), None);
    world.take(GATEWAY, Body::Begin { incarnation: 1 });
    world.register(ALICE, Online);
    world.turn();
    assert_eq!(world.heard(ALICE), [Some(Online)]);
    assert_eq!(world.locate(ALICE), None);
    world.rounds(&[]);
    assert_eq!(world.heard(ALICE), [Some(Offline)]);
    assert_eq!(world.locate(ALICE), Some(Vec::new()));
    world.owner.gap(GATEWAY, at(0), &mut world.out);
    assert!(world.out.iter().any(|outgoing| outgoing.packet.body == Body::Again { number: 1 }));
    // The end of a round in which something was lost, and a round that was not asked for.
    world.take(GATEWAY, Body::Complete { again: 1 });
    assert_eq!(world.locate(ALICE), None);
    world.take(GATEWAY, Body::Begin { incarnation: 1 });
    world.take(GATEWAY, Body::Complete { again: 0 });
    assert_eq!(world.locate(ALICE), None);
    world.take(GATEWAY, Body::Begin { incarnation: 1 });
    world.register(ALICE, Away);
    world.take(GATEWAY, Body::Complete { again: 1 });
    assert_eq!(world.locate(ALICE), Some(vec![GATEWAY]));
}

#[test]
fn another_opinion_about_who_is_live_makes_unknown() {
    let mut world = World::complete();
    world.live = LiveSet::new([ME, GATEWAY]);
    assert_eq!(world.watch(ALICE), [None]);
    assert_eq!(world.locate(ALICE), None);
}

#[test]
fn what_a_round_does_not_repeat_is_gone() {
    let mut world = World::complete();
    world.register(ALICE, Online);
    assert_eq!(world.watch(ALICE), [Some(Online)]);
    world.rounds(&[(ALICE, Away)]);
    assert_eq!(world.heard(ALICE), [Some(Away)]);
    world.rounds(&[]);
    assert_eq!(world.heard(ALICE), [Some(Offline)]);
}

#[test]
fn sessions_of_a_lost_node_stand_until_their_timeout() {
    let mut world = World::complete();
    let cases = (10..200_u8).map(|n| AccountId::from_bytes([n; 16]));
    let (known, strange): (Vec<_>, Vec<_>) = cases.partition(|account| world.live.is_owner(ME, *account));
    world.register(ALICE, Online);
    assert_eq!(world.watch(ALICE), [Some(Online)]);
    world.now = 10_000;
    world.live(&[ME, WATCHER]);
    world.rounds(&[]);
    assert_eq!(world.watch(known[0]), [Some(Offline)]);
    assert_eq!(world.watch(strange[0]), [None]);
    world.turn_until(38_950);
    assert_eq!(world.heard(ALICE), []);
    world.turn_until(39_000);
    assert_eq!(world.heard(ALICE), [Some(Offline)]);
    world.turn_until(42_000);
    assert_eq!(world.heard(strange[0]), [Some(Offline)]);
}

#[test]
fn a_node_that_starts_anew_does_not_make_its_accounts_blink() {
    let mut world = World::complete();
    world.register(ALICE, Online);
    assert_eq!(world.watch(ALICE), [Some(Online)]);
    world.now = 1_000;
    world.take(GATEWAY, Body::Begin { incarnation: 2 });
    world.take(GATEWAY, Body::Complete { again: 0 });
    world.turn_until(32_950);
    assert_eq!(world.heard(ALICE), []);
    world.turn_until(33_000);
    assert_eq!(world.heard(ALICE), [Some(Offline)]);
}

#[test]
fn who_says_nothing_is_asked_and_strangers_are_forgotten() {
    let mut world = World::new(0);
    world.turn_until(1_000);
    let asked = world.out.drain(..).filter(|o| matches!(o.packet.body, Body::Again { .. })).count();
    assert_eq!(asked, 3);
    let stranger = NodeId(9);
    world.take(stranger, Body::Begin { incarnation: 1 });
    let standings = vec![Standing { account: ALICE, availability: Online, last_active_at: None }];
    world.take(stranger, Body::Register { standings });
    world.turn();
    assert_eq!(world.owner.len(), 1);
    world.turn_until(40_000);
    assert!(world.owner.is_empty());
}
