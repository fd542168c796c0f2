//! Links over a bus that does its worst: whatever it loses, repeats and reorders, and whoever is started anew.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::node::heartbeat::{BEAT_MS, Profile, Roles, Stage};
use crate::node::lane::{GIVE_UP_MS, PATIENCE_MS, REPEAT_MS};

const NODES: u16 = 3;
const STEP_MS: u64 = 10;

fn beat(node: NodeId, incarnation: u64, number: u64) -> Heartbeat {
    let (address, zone, sent) = (String::new(), String::new(), Sent::default());
    let profile = Profile { roles: Roles::ALL, address, zone, load: 0, capacity: 1, stage: Stage::Serving };
    Heartbeat { node, incarnation, number, clock_ms: 0, may_host: true, profile, sent }
}

/// Numbers that look random, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        crate::placement::mixed(self.0) % end
    }
}

/// What a packet says: who sent it, in which incarnation, for whom (its node and incarnation, none for all), and its
/// place among those.
type Told = (u16, u64, Option<(u16, u64)>, u64);

/// Whose lane, and to whom: its node and incarnation, none for all.
type LaneOf = (u16, u64, Option<(u16, u64)>);

struct Node {
    link: Link,
    incarnation: u64,
    /// Of each sender: since when its present incarnation is known, and when a gap was last told.
    began: BTreeMap<u16, u64>,
    gaps: BTreeMap<u16, u64>,
    came: Vec<Told>,
}

struct World {
    dice: Dice,
    now: u64,
    /// How many of a hundred frames are lost.
    loss: u64,
    nodes: Vec<Node>,
    /// Frames on their way: when they arrive and where.
    bus: Vec<(u64, usize, Bytes)>,
    counts: BTreeMap<LaneOf, u64>,
    /// What was sent, and when; packets carry their index.
    sent: Vec<(Told, u64)>,
}

impl World {
    fn new(seed: u64, loss: u64) -> Self {
        let node = |id| Node {
            link: Link::new(NodeId(id), 1),
            incarnation: 1,
            began: BTreeMap::new(),
            gaps: BTreeMap::new(),
            came: Vec::new(),
        };
        let nodes = (0..NODES).map(node).collect();
        let (bus, counts, sent) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { dice: Dice(seed), now: 0, loss, nodes, bus, counts, sent }
    }

    /// Puts a frame on the bus, which may lose it or bring it twice, at once or much later.
    fn carry(&mut self, to: usize, frame: &Bytes) {
        let is_bad = self.loss > 0;
        if self.dice.below(100) < self.loss {
            return;
        }
        let copies = if is_bad && self.dice.below(8) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            let late =
                if is_bad && self.dice.below(10) == 0 { self.dice.below(3_000) } else { self.dice.below(30) };
            self.bus.push((self.now + late, to, frame.clone()));
        }
    }

    fn carry_all(&mut self, frame: &Bytes) {
        (0..self.nodes.len()).for_each(|to| self.carry(to, frame));
    }

    fn say(&mut self, from: usize, to: Option<usize>) {
        let receiver = to.map(|to| (to as u16, self.nodes[from].link.peers.get(&NodeId(to as u16))));
        let receiver = match receiver {
            Some((to, Some(peer))) => Some((to, peer.incarnation)),
            Some(_) => return,
            None => None,
        };
        let lane = (from as u16, self.nodes[from].incarnation, receiver);
        let place = self.counts.entry(lane).or_default();
        *place += 1;
        let told = (lane.0, lane.1, lane.2, *place);
        let payload = self.sent.len().to_be_bytes();
        self.sent.push((told, self.now));
        let link = &mut self.nodes[from].link;
        match to {
            Some(to) => {
                let frame = link.send(NodeId(to as u16), &payload, self.now).expect("is known");
                self.carry(to, &frame);
            }
            None => {
                let frame = link.send_all(&payload, self.now).expect("is short");
                self.carry_all(&frame);
            }
        }
    }

    fn restart(&mut self, id: usize) {
        let node = &mut self.nodes[id];
        node.incarnation += 1;
        node.link = Link::new(NodeId(id as u16), node.incarnation);
        node.began.clear();
        node.gaps.clear();
    }

    fn step(&mut self) {
        self.now += STEP_MS;
        for id in 0..self.nodes.len() {
            let node = &self.nodes[id];
            if self.now.is_multiple_of(BEAT_MS) {
                let beat = beat(NodeId(id as u16), node.incarnation, self.now / BEAT_MS);
                let frame = node.link.beat(beat, self.now);
                self.carry_all(&frame);
            }
        }
        let (arrived, later) =
            std::mem::take(&mut self.bus).into_iter().partition(|frame| frame.0 <= self.now);
        self.bus = later;
        let mut arrived: Vec<_> = arrived;
        arrived.sort_by_key(|frame| frame.0);
        for (_, to, frame) in arrived {
            let (mut out, mut received) = (Vec::new(), Vec::new());
            let _ = self.nodes[to].link.take(&frame, self.now, &mut out, &mut received);
            self.hear(to, received);
            out.iter().for_each(|(to, frame)| self.carry(usize::from(to.0), frame));
        }
        for id in 0..self.nodes.len() {
            let (mut out, mut received) = (Vec::new(), Vec::new());
            self.nodes[id].link.turn(self.now, &mut out, &mut received);
            self.hear(id, received);
            out.iter().for_each(|(to, frame)| self.carry(usize::from(to.0), frame));
        }
    }

    fn hear(&mut self, id: usize, received: Vec<Received>) {
        let node = &mut self.nodes[id];
        for received in received {
            match received {
                Received::Began { from } => _ = node.began.insert(from.0, self.now),
                Received::Gap { from } => _ = node.gaps.insert(from.0, self.now),
                Received::Packet { from, payload } => {
                    let index = payload[..].try_into().expect("is an index");
                    let told = self.sent[usize::from_be_bytes(index)].0;
                    assert_eq!(told.0, from.0);
                    let is_here = told.2.is_none_or(|to| to == (id as u16, node.incarnation));
                    assert!(is_here, "for somebody else: {told:?}");
                    let before = node.came.iter().rev().find(|came| came.0 == told.0 && came.2 == told.2);
                    let is_later = before.is_none_or(|before| (before.1, before.3) < (told.1, told.3));
                    assert!(is_later, "{before:?}, then {told:?}");
                    node.came.push(told);
                }
                Received::Beat(_) => {}
            }
        }
    }

    /// Everything has arrived, where its receiver was told of no gap since.
    fn check(&self) {
        for (told, at) in &self.sent {
            for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| *id != usize::from(told.0)) {
                let is_for = told.2.is_none_or(|to| to == (id as u16, node.incarnation));
                let is_present = self.nodes[usize::from(told.0)].incarnation == told.1;
                let began = node.began.get(&told.0).is_some_and(|began| began < at || told.2.is_some());
                let had_gap = node.gaps.get(&told.0).is_some_and(|gap| gap >= at);
                if is_for && is_present && began {
                    assert!(had_gap || node.came.contains(told), "{told:?} of {at} is lost for {id}");
                }
            }
        }
        for node in &self.nodes {
            assert_eq!(node.link.due_at(), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn everything_comes_once_and_in_order_or_is_said_to_be_lost(
        seed in any::<u64>(), loss in 0_u64..70, steps in 50_u64..1_500, restarts in any::<bool>(),
    ) {
        let mut world = World::new(seed, loss);
        for _ in 0..steps {
            let (from, to) = (world.dice.below(3) as usize, world.dice.below(4) as usize);
            match world.dice.below(300) {
                0 if restarts => {
                    world.nodes[from].came.clear();
                    world.restart(from);
                }
                1..100 if to != from => world.say(from, (to < 3).then_some(to)),
                _ => {}
            }
            world.step();
        }
        world.loss = 0;
        for _ in 0..(2 * BEAT_MS + GIVE_UP_MS + 3_000) / STEP_MS {
            world.step();
        }
        world.check();
        for node in &world.nodes {
            // What was sent within the time that it is kept is never lost.
            prop_assert!(steps * STEP_MS > 6_000 || node.gaps.is_empty(), "a gap although everything was kept");
        }
    }

    #[test]
    fn whatever_the_bytes_nothing_breaks(
        frames in proptest::collection::vec((1_u8..6, 0_u16..3, 0_u64..3, 0_u64..3, any::<u64>(), proptest::collection::vec(any::<u8>(), 0..60)), 1..60),
    ) {
        let mut link = Link::new(NodeId(1), 1);
        let kinds = [Kind::One, Kind::All, Kind::Missing, Kind::Gone, Kind::Beat];
        for (now, (kind, from, from_incarnation, to_incarnation, number, payload)) in frames.into_iter().enumerate() {
            let kind = kinds[usize::from(kind) - 1];
            let number = number >> (number % 64);
            let header = Header { kind, from: NodeId(from), to: NodeId(1), from_incarnation, to_incarnation, number };
            let (mut out, mut received) = (Vec::new(), Vec::new());
            let _ = link.take(&frame::write(&header, &payload), now as u64 * 50, &mut out, &mut received);
            let _ = link.send(NodeId(from), &payload, now as u64 * 50);
            link.turn(now as u64 * 50, &mut out, &mut received);
            prop_assert!(out.len() <= AGAIN_MAX + 8);
        }
    }
}

/// Two links that know each other, and what the first sends.
fn pair() -> (Link, Link) {
    let (mut a, mut b) = (Link::new(NodeId(1), 10), Link::new(NodeId(2), 20));
    let (to_b, to_a) = (a.beat(beat(NodeId(1), 10, 1), 0), b.beat(beat(NodeId(2), 20, 1), 0));
    take(&mut b, &to_b, 0);
    take(&mut a, &to_a, 0);
    (a, b)
}

/// What comes out: packets by their bytes, gaps as `None`; and what is answered.
fn take(link: &mut Link, frame: &Bytes, now_ms: u64) -> (Vec<Option<Bytes>>, Outgoing) {
    let (mut out, mut received) = (Vec::new(), Vec::new());
    link.take(frame, now_ms, &mut out, &mut received).expect("is taken");
    (packets(received), out)
}

fn turn(link: &mut Link, now_ms: u64) -> (Vec<Option<Bytes>>, Outgoing) {
    let (mut out, mut received) = (Vec::new(), Vec::new());
    link.turn(now_ms, &mut out, &mut received);
    (packets(received), out)
}

fn packets(received: Vec<Received>) -> Vec<Option<Bytes>> {
    let packet = |received| match received {
        Received::Packet { payload, .. } => Some(Some(payload)),
        Received::Gap { .. } => Some(None),
        _ => None,
    };
    received.into_iter().filter_map(packet).collect()
}

fn some(payload: &'static [u8]) -> Option<Bytes> {
    Some(Bytes::from_static(payload))
}

#[test]
fn a_lost_packet_is_asked_for_and_sent_again() {
    let (mut a, mut b) = pair();
    a.send(NodeId(2), b"one", 5).expect("is known");
    let two = a.send(NodeId(2), b"two", 6).expect("is known");
    assert_eq!(take(&mut b, &two, 10).0, []);
    assert_eq!(turn(&mut b, 10 + PATIENCE_MS - 1).1, []);
    let (_, question) = turn(&mut b, 10 + PATIENCE_MS);
    let (_, again) = take(&mut a, &question[0].1, 40);
    assert_eq!(take(&mut b, &again[0].1, 45).0, [some(b"one"), some(b"two")]);
    // A question that the bus repeats is not answered again.
    assert_eq!(take(&mut a, &question[0].1, 50).1, []);
    assert_eq!(b.due_at(), None);
}

#[test]
fn a_heartbeat_tells_of_lost_last_packets() {
    let (mut a, mut b) = pair();
    a.send(NodeId(2), b"one", 5).expect("is known");
    a.send_all(b"all", 5).expect("is short");
    take(&mut b, &a.beat(beat(NodeId(1), 10, 2), 1_000), 1_000);
    let (_, questions) = turn(&mut b, 1_000 + PATIENCE_MS);
    let again: Vec<_> = questions.iter().flat_map(|(_, frame)| take(&mut a, frame, 1_030).1).collect();
    let came: Vec<_> = again.iter().flat_map(|(_, frame)| take(&mut b, frame, 1_040).0).collect();
    assert_eq!(came, [some(b"one"), some(b"all")]);
}

#[test]
fn what_the_sender_no_longer_has_is_a_gap() {
    let (mut a, mut b) = pair();
    a.send(NodeId(2), b"one", 0).expect("is known");
    turn(&mut a, KEPT_MS);
    let two = a.send(NodeId(2), b"two", KEPT_MS).expect("is known");
    take(&mut b, &two, KEPT_MS);
    let (_, question) = turn(&mut b, KEPT_MS + PATIENCE_MS);
    let (_, answer) = take(&mut a, &question[0].1, KEPT_MS + 30);
    assert_eq!(take(&mut b, &answer[0].1, KEPT_MS + 40).0, [None, some(b"two")]);
}

#[test]
fn a_silent_sender_is_given_up() {
    let (mut a, mut b) = pair();
    a.send(NodeId(2), b"one", 0).expect("is known");
    let two = a.send(NodeId(2), b"two", 0).expect("is known");
    take(&mut b, &two, 0);
    let questions: usize = (0..GIVE_UP_MS).map(|now| turn(&mut b, now).1.len()).sum();
    assert_eq!(questions as u64, GIVE_UP_MS.div_ceil(REPEAT_MS));
    assert_eq!(turn(&mut b, GIVE_UP_MS).0, [None, some(b"two")]);
}

#[test]
fn frames_of_former_incarnations_are_dropped() {
    let (mut a, mut b) = pair();
    let old = a.send(NodeId(2), b"old", 0).expect("is known");
    let mut anew = Link::new(NodeId(1), 11);
    let (mut out, mut received) = (Vec::new(), Vec::new());
    let all = anew.send_all(b"new", 0).expect("is short");
    b.take(&all, 0, &mut out, &mut received).expect("is taken");
    assert_eq!(received[0], Received::Began { from: NodeId(1) });
    assert_eq!(b.take(&old, 0, &mut out, &mut received), Err(FrameError::Former));
    let mut b = Link::new(NodeId(2), 21);
    assert_eq!(b.take(&old, 0, &mut out, &mut received), Err(FrameError::Elsewhere));
    assert_eq!(anew.send(NodeId(7), b"", 0), Err(SendError::Unknown));
}
