//! Several nodes that hear each other well, badly or not at all, and stand still at times.

use proptest::prelude::*;

use super::*;

const CLOCK: u64 = 1_800_000_000_000;

fn at(at_ms: u64) -> Now {
    Now { at_ms, clock_ms: CLOCK + at_ms }
}

fn profile(stage: Stage) -> Profile {
    let (address, zone) = ("gateway".to_owned(), "north".to_owned());
    Profile { roles: Roles::ALL, address, zone, load: 0, capacity: 100, stage }
}

fn beat(node: u16, incarnation: u64, number: u64, stage: Stage) -> Heartbeat {
    let (node, clock_ms, sent) = (NodeId(node), CLOCK + number * BEAT_MS, Sent::default());
    Heartbeat { node, incarnation, number, clock_ms, may_host: true, profile: profile(stage), sent }
}

/// A node under test, at a time that only goes forward.
struct Check {
    liveness: Liveness,
    events: Vec<Event>,
}

impl Check {
    fn new() -> Self {
        let mut check = Self { liveness: Liveness::new(NodeId(1), 1, at(0)), events: Vec::new() };
        check.beat(0);
        check.events.clear();
        check
    }

    fn beat(&mut self, at_ms: u64) -> Heartbeat {
        self.liveness.beat(profile(Stage::Serving), at(at_ms), &mut self.events)
    }

    fn heard(&mut self, beat: &Heartbeat, at_ms: u64) -> Vec<Event> {
        self.liveness.heard(beat, at(at_ms), &mut self.events);
        self.news()
    }

    /// Turns every 100 ms until then.
    fn turn(&mut self, from_ms: u64, to_ms: u64) -> Vec<Event> {
        for now in (from_ms..=to_ms).step_by(100) {
            self.liveness.turn(at(now), &mut self.events);
        }
        self.news()
    }

    /// The same while this node's heartbeats come back to it.
    fn turn_with_echo(&mut self, from_ms: u64, to_ms: u64) -> Vec<Event> {
        for now in (from_ms..=to_ms).step_by(100) {
            self.liveness.bus_heard(at(now), &mut self.events);
            self.liveness.turn(at(now), &mut self.events);
        }
        self.news()
    }

    /// What happened, without the sets.
    fn news(&mut self) -> Vec<Event> {
        let events = std::mem::take(&mut self.events);
        events.into_iter().filter(|event| !matches!(event, Event::Changed(_))).collect()
    }

    fn nodes(&self) -> Vec<u16> {
        numbers(&self.liveness.live().nodes)
    }
}

fn numbers(live: &LiveSet) -> Vec<u16> {
    live.nodes().iter().map(|node| node.0).collect()
}

#[test]
fn three_missed_heartbeats_or_a_goodbye_are_the_end() {
    let mut check = Check::new();
    assert_eq!(check.heard(&beat(2, 1, 1, Stage::Serving), 0), [Event::Joined(NodeId(2))]);
    assert_eq!(check.turn_with_echo(0, DEAD_MS - 100), []);
    assert_eq!(check.nodes(), [1, 2]);
    assert_eq!(check.turn_with_echo(DEAD_MS, DEAD_MS), [Event::Gone(NodeId(2))]);
    assert_eq!(check.heard(&beat(2, 1, 2, Stage::Serving), 4_000), [Event::Joined(NodeId(2))]);
    assert_eq!(check.heard(&beat(2, 1, 5, Stage::Leaving), 4_100), [Event::Gone(NodeId(2))]);
    // What was late does not bring it back.
    assert_eq!(check.heard(&beat(2, 1, 4, Stage::Serving), 4_200), []);
    assert_eq!(check.heard(&beat(2, 1, 6, Stage::Serving), 4_200), []);
    assert_eq!(check.heard(&beat(2, 2, 1, Stage::Serving), 4_300), [Event::Joined(NodeId(2))]);
    assert_eq!(check.heard(&beat(2, 3, 1, Stage::Serving), 4_400), [Event::Restarted(NodeId(2))]);
    assert_eq!(check.heard(&beat(2, 2, 9, Stage::Serving), 4_500), []);
    assert_eq!(check.heard(&beat(1, 2, 1, Stage::Serving), 4_600), [Event::Superseded]);
    assert_eq!(check.nodes(), [1, 2]);
}

#[test]
fn draining_nodes_are_live_but_not_chosen_unless_alone() {
    let mut check = Check::new();
    check.heard(&beat(2, 1, 1, Stage::Draining), 0);
    let live = check.liveness.live().clone();
    assert_eq!(
        (numbers(&live.nodes), numbers(&live.hosts), numbers(&live.presence)),
        (vec![1, 2], vec![1], vec![1])
    );
    check.liveness.beat(profile(Stage::Draining), at(100), &mut check.events);
    assert_eq!(numbers(&check.liveness.live().hosts), [1, 2]);
    let mut host = beat(3, 1, 1, Stage::Serving);
    host.profile.roles = Roles::HOST;
    check.heard(&host, 200);
    assert_eq!(numbers(&check.liveness.live().hosts), [3]);
    assert_eq!(numbers(&check.liveness.live().presence), [1, 2]);
}

#[test]
fn who_does_not_hear_the_bus_is_isolated_until_it_checked_after_that() {
    let mut check = Check::new();
    check.heard(&beat(2, 1, 1, Stage::Serving), 0);
    assert_eq!(check.turn(0, ISOLATED_MS - 100), []);
    assert_eq!(check.turn(ISOLATED_MS, 5_000), [Event::Isolated, Event::Gone(NodeId(2))]);
    assert!(!check.liveness.checked(5_000), "the bus is still silent");
    assert_eq!(
        check.heard(&beat(2, 1, 2, Stage::Serving), 5_000),
        [Event::Joined(NodeId(2))],
        "the others may not hear this node"
    );
    let own = check.beat(5_050);
    assert_eq!(check.heard(&Heartbeat { number: own.number - 1, ..own.clone() }, 5_060), []);
    assert_eq!(check.heard(&own, 5_100), [Event::Restored]);
    assert!(!check.liveness.checked(5_000), "something may have been lost after the check");
    assert!(check.liveness.checked(5_100));
    assert_eq!(check.turn(5_100, 6_000), []);
}

#[test]
fn alone_there_is_nothing_to_be_isolated_from() {
    let mut check = Check::new();
    assert_eq!(check.turn(0, 20_000), []);
    // Standing still is another matter, whoever else is there.
    assert_eq!(check.turn(23_000, 23_000), [Event::Isolated]);
    let own = check.beat(23_000);
    assert_eq!(check.heard(&own, 23_000), [Event::Restored]);
    assert!(check.liveness.checked(23_000));
}

#[test]
fn who_stood_still_is_isolated_and_declares_nobody_dead() {
    for (wakes_at, clock_ms) in [(10_000, CLOCK + 10_000), (1_100, CLOCK + 3_600_000)] {
        let mut check = Check::new();
        check.heard(&beat(2, 1, 1, Stage::Serving), 500);
        assert_eq!(check.turn(600, 1_000), []);
        let now = Now { at_ms: wakes_at, clock_ms };
        check.liveness.turn(now, &mut check.events);
        assert_eq!(check.news(), [Event::Isolated]);
        assert_eq!(check.nodes(), [1, 2]);
        let own = check.liveness.beat(profile(Stage::Serving), now, &mut check.events);
        check.liveness.heard(&own, now, &mut check.events);
        assert_eq!(check.news(), [Event::Restored]);
        assert!(check.liveness.checked(wakes_at));
    }
}

#[test]
fn whose_clock_is_off_hosts_nothing() {
    let off = |ahead: u64, others: u16| {
        let mut check = Check::new();
        for node in 0..others {
            check.heard(&beat(2 + node, 1, 1, Stage::Serving), 1_000);
        }
        let now = Now { at_ms: 1_000, clock_ms: CLOCK + 1_000 + ahead };
        check.liveness.beat(profile(Stage::Serving), now, &mut check.events);
        (check.liveness.may_host(), numbers(&check.liveness.live().hosts).contains(&1))
    };
    assert_eq!(off(1_000, 2), (true, true));
    assert_eq!(off(1_001, 2), (false, false));
    assert_eq!(off(1_001, 1), (false, false));
    assert_eq!(off(2_900, 0), (true, true));
}

#[test]
fn gateways_are_ranked_by_zone_and_room() {
    let mut check = Check::new();
    let mut gateway = |node, zone: &str, load, stage, roles| {
        let mut beat = beat(node, 1, 1, stage);
        beat.profile = Profile { zone: zone.to_owned(), load, roles, ..beat.profile };
        check.heard(&beat, 0);
    };
    gateway(2, "south", 0, Stage::Serving, Roles::GATEWAY);
    gateway(3, "north", 90, Stage::Serving, Roles::GATEWAY);
    gateway(4, "north", 100, Stage::Serving, Roles::GATEWAY);
    gateway(5, "north", 0, Stage::Draining, Roles::GATEWAY);
    gateway(6, "north", 0, Stage::Serving, Roles::HOST);
    gateway(7, "north", 5, Stage::Serving, Roles::GATEWAY);
    let mut firsts = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let ranked = check.liveness.rank("north", 9, seed);
        let order: Vec<u16> = ranked.iter().map(|gateway| gateway.node.0).collect();
        assert_eq!(order[2..], [3, 2, 4, 5]);
        firsts.insert(order[0]);
        assert_eq!(check.liveness.rank("north", 2, seed), ranked[..2]);
    }
    assert_eq!(firsts.into_iter().collect::<Vec<_>>(), [1, 7]);
    assert_eq!(check.liveness.rank("south", 1, 3)[0].free, 1_000);
}

/// What a node does in a step of 100 ms.
#[derive(Clone, Copy, Debug)]
enum Act {
    Freeze(usize, u64),
    Cut(usize, u64),
    Restart(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let node = 0_usize..4;
    prop_oneof![
        (node.clone(), 1_u64..80).prop_map(|(node, steps)| Act::Freeze(node, steps)),
        (node.clone(), 1_u64..80).prop_map(|(node, steps)| Act::Cut(node, steps)),
        node.prop_map(Act::Restart),
    ]
}

struct Node {
    liveness: Liveness,
    frozen_until: u64,
    cut_until: u64,
    incarnation: u64,
}

/// Four nodes that beat in turn; which of them are frozen or cut off at times.
struct World {
    nodes: Vec<Node>,
    now: u64,
    delays: u64,
    /// Heartbeats on their way: when and where they arrive.
    bus: Vec<(u64, usize, Heartbeat)>,
}

impl World {
    fn new(delays: u64) -> Self {
        let node = |id| Node {
            liveness: Liveness::new(NodeId(id), 1, at(0)),
            frozen_until: 0,
            cut_until: 0,
            incarnation: 1,
        };
        Self { nodes: (0..4).map(node).collect(), now: 0, delays, bus: Vec::new() }
    }

    fn act(&mut self, act: Act) {
        let now = self.now;
        match act {
            Act::Freeze(node, steps) => self.nodes[node].frozen_until = now + steps * 100,
            Act::Cut(node, steps) => self.nodes[node].cut_until = now + steps * 100,
            Act::Restart(node) => {
                let node_id = NodeId(node as u16);
                let node = &mut self.nodes[node];
                node.incarnation += 1;
                node.liveness = Liveness::new(node_id, node.incarnation, at(now));
            }
        }
    }

    fn step(&mut self) -> Vec<(usize, Event)> {
        self.now += 100;
        let now = self.now;
        let mut told = Vec::new();
        let (arrived, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.bus).into_iter().partition(|beat| beat.0 <= now);
        self.bus = later;
        let mut events = Vec::new();
        for (_, to, beat) in arrived {
            let node = &mut self.nodes[to];
            if node.frozen_until <= now && node.cut_until <= now {
                node.liveness.heard(&beat, at(now), &mut events);
                told.extend(events.drain(..).map(|event| (to, event)));
            }
        }
        for (id, node) in self.nodes.iter_mut().enumerate().filter(|(_, node)| node.frozen_until <= now) {
            node.liveness.turn(at(now), &mut events);
            if now / 100 % 10 == id as u64 {
                let beat = node.liveness.beat(profile(Stage::Serving), at(now), &mut events);
                if node.cut_until <= now {
                    let delay = |to: usize| (now + id as u64 * 37 + to as u64 * 53) % (self.delays + 1);
                    self.bus.extend((0..4).map(|to| (now + delay(to), to, beat.clone())));
                }
            }
            told.extend(events.drain(..).map(|event| (id, event)));
        }
        told
    }
}

proptest! {
    #[test]
    fn who_beats_is_live_and_in_the_end_all_agree(
        acts in proptest::collection::vec((0_u64..40, act()), 0..12), delays in 0_u64..900,
    ) {
        let mut world = World::new(delays);
        let mut troubled = [false; 4];
        for (wait, act) in acts {
            world.act(act);
            let (Act::Freeze(node, _) | Act::Cut(node, _) | Act::Restart(node)) = act;
            troubled[node] = true;
            for _ in 0..wait {
                for (at, event) in world.step() {
                    if let Event::Gone(node) = event {
                        let is_sound = !troubled[usize::from(node.0)] && !troubled[at];
                        prop_assert!(!is_sound, "{at} believes {node:?} dead, which beats");
                    }
                }
            }
        }
        // Everybody is well again.
        for _ in 0..160 {
            world.step();
            for node in &mut world.nodes {
                node.liveness.checked(world.now);
            }
        }
        let live = world.nodes[0].liveness.live().clone();
        prop_assert_eq!(numbers(&live.hosts), [0, 1, 2, 3]);
        for node in &world.nodes {
            prop_assert_eq!(node.liveness.live(), &live);
            prop_assert!(!node.liveness.is_isolated());
        }
    }

    /// Who does not hear what is revoked either delivers nothing, or is live and waited for by those who revoke.
    #[test]
    fn who_is_declared_dead_is_isolated(acts in proptest::collection::vec((1_u64..60, act()), 1..12)) {
        let mut world = World::new(0);
        (0..20).for_each(|_| _ = world.step());
        for (wait, act) in acts {
            match act {
                Act::Freeze(_, steps) => world.act(Act::Freeze(0, steps)),
                Act::Cut(_, steps) => world.act(Act::Cut(0, steps)),
                Act::Restart(_) => {}
            }
            for _ in 0..wait {
                world.step();
                let now = world.now;
                let node = &mut world.nodes[0];
                if node.frozen_until > now {
                    continue;
                }
                let delivers = node.liveness.checked(now);
                let is_deaf = node.cut_until > now;
                for judge in &world.nodes[1..] {
                    let is_live = judge.liveness.live().nodes.contains(NodeId(0));
                    prop_assert!(is_live || !delivers || !is_deaf);
                }
            }
        }
    }

    #[test]
    fn any_heartbeats_in_any_order_do_no_harm(
        beats in proptest::collection::vec((0_u16..5, 0_u64..4, 0_u64..9, 0_u8..3, any::<u64>(), 0_u64..4_000), 0..80),
    ) {
        let mut liveness = Liveness::new(NodeId(1), 1, at(0));
        let (mut now, mut events) = (0, Vec::new());
        for (node, incarnation, number, stage, clock_ms, wait) in beats {
            now += wait;
            let stage = [Stage::Serving, Stage::Draining, Stage::Leaving][usize::from(stage)];
            let beat = Heartbeat { clock_ms, ..beat(node, incarnation, number, stage) };
            liveness.heard(&beat, at(now), &mut events);
            liveness.turn(Now { at_ms: now, clock_ms }, &mut events);
            liveness.beat(profile(stage), at(now), &mut events);
        }
    }
}
