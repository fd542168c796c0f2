//! What owners hear of sessions that come, go and linger.

use super::*;

const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);
const PHONE: DeviceId = DeviceId::from_bytes([2; 16]);
const LAPTOP: DeviceId = DeviceId::from_bytes([3; 16]);
const CLOCK: u64 = 1_800_000_000_000;

fn at(at_ms: u64) -> Now {
    Now { at_ms, clock_ms: CLOCK + at_ms }
}

/// A registrar whose node is the only one, and what it said.
struct World {
    registrar: Registrar,
    heard: Vec<(u64, Availability, Option<u64>)>,
}

impl World {
    fn new() -> Self {
        let mut registrar = Registrar::new(1, Timeouts::default(), at(0));
        registrar.live(&LiveSet::new([NodeId(1)]), at(0));
        registrar.turn(at(0), &mut Vec::new());
        Self { registrar, heard: Vec::new() }
    }

    fn turn(&mut self, at_ms: u64) {
        let mut out = Vec::new();
        self.registrar.turn(at(at_ms), &mut out);
        for outgoing in out {
            let Body::Register { standings } = outgoing.packet.body else { panic!("{outgoing:?}") };
            let heard =
                standings.iter().map(|s| (at_ms, s.availability, s.last_active_at.map(|ms| ms - CLOCK)));
            self.heard.extend(heard);
        }
    }

    fn check(mut self, until_ms: u64, expected: &[(u64, Availability, u64)]) {
        let from = self.heard.last().map_or(0, |(at_ms, ..)| *at_ms);
        (from..=until_ms).step_by(50).for_each(|at_ms| self.turn(at_ms));
        let expected: Vec<_> =
            expected.iter().map(|(at_ms, what, active)| (*at_ms, *what, Some(*active))).collect();
        assert_eq!(self.heard, expected);
    }
}

use Availability::{Away, Offline, Online};

#[test]
fn each_kind_of_ending_lingers_as_long_as_it_should() {
    let cases: [(bool, Ending, u64, u64); 7] = [
        (true, Ending::LoggedOut, 40_000, 40_000),
        (true, Ending::Closed, 45_000, 40_000),
        (false, Ending::Closed, 45_000, 0),
        (true, Ending::Lost { heard_at_ms: 30_000 }, 62_000, 30_000),
        (true, Ending::Lost { heard_at_ms: 8_000 }, 40_000, 8_000),
        (true, Ending::Lost { heard_at_ms: 39_999 }, 72_000, 39_999),
        (false, Ending::Lost { heard_at_ms: 30_000 }, 330_000, 0),
    ];
    for (is_foreground, ending, gone_at, active_at) in cases {
        let mut world = World::new();
        world.registrar.opened(ACCOUNT, PHONE, is_foreground, at(0));
        world.turn(0);
        world.registrar.ended(ACCOUNT, PHONE, is_foreground, ending, at(40_000));
        world.turn(40_000);
        let began = if is_foreground { Online } else { Away };
        let mut expected = vec![(0, began, 0), (gone_at, Offline, active_at)];
        if began == Away && active_at > 0 {
            expected.insert(1, (40_000, Away, active_at));
        }
        world.check(400_000, &expected);
    }
}

#[test]
fn a_device_that_came_back_does_not_linger() {
    let mut world = World::new();
    world.registrar.opened(ACCOUNT, PHONE, true, at(0));
    world.turn(0);
    world.registrar.ended(ACCOUNT, PHONE, true, Ending::Lost { heard_at_ms: 1_000 }, at(2_000));
    world.turn(2_000);
    world.registrar.opened(ACCOUNT, PHONE, true, at(3_000));
    world.turn(3_000);
    world.check(100_000, &[(0, Online, 0)]);
}

#[test]
fn logging_out_ends_what_lingers_of_that_device_only() {
    let mut world = World::new();
    world.registrar.opened(ACCOUNT, PHONE, false, at(0));
    world.registrar.opened(ACCOUNT, LAPTOP, true, at(0));
    world.turn(0);
    world.registrar.ended(ACCOUNT, PHONE, false, Ending::Lost { heard_at_ms: 500 }, at(1_000));
    world.registrar.ended(ACCOUNT, LAPTOP, true, Ending::Closed, at(1_000));
    world.registrar.opened(ACCOUNT, LAPTOP, true, at(2_000));
    world.registrar.ended(ACCOUNT, LAPTOP, true, Ending::LoggedOut, at(3_000));
    world.turn(3_000);
    world.check(400_000, &[(0, Online, 0), (3_000, Away, 3_000), (300_500, Offline, 3_000)]);
}

#[test]
fn sessions_of_one_device_linger_apart() {
    let mut world = World::new();
    for is_foreground in [true, false] {
        world.registrar.opened(ACCOUNT, PHONE, is_foreground, at(0));
    }
    world.turn(0);
    // Both break, and the one that nobody looks at comes back first.
    world.registrar.ended(ACCOUNT, PHONE, true, Ending::Lost { heard_at_ms: 900 }, at(1_000));
    world.registrar.ended(ACCOUNT, PHONE, false, Ending::Lost { heard_at_ms: 900 }, at(1_000));
    world.turn(1_000);
    world.registrar.opened(ACCOUNT, PHONE, false, at(2_000));
    world.turn(2_000);
    world.registrar.opened(ACCOUNT, PHONE, true, at(3_000));
    world.turn(3_000);
    world.registrar.ended(ACCOUNT, PHONE, true, Ending::Lost { heard_at_ms: 4_000 }, at(4_000));
    world.turn(4_000);
    world.check(400_000, &[(0, Online, 0), (36_000, Away, 4_000)]);
}

#[test]
fn a_logout_from_elsewhere_ends_sessions_and_what_lingers() {
    for device in [Some(PHONE), None] {
        let mut world = World::new();
        world.registrar.opened(ACCOUNT, PHONE, true, at(0));
        world.turn(0);
        world.registrar.ended(ACCOUNT, PHONE, true, Ending::Lost { heard_at_ms: 1_000 }, at(1_000));
        world.registrar.logged_out(ACCOUNT, Some(LAPTOP), at(2_000));
        world.turn(2_000);
        world.registrar.logged_out(ACCOUNT, device, at(3_000));
        world.turn(3_000);
        world.check(40_000, &[(0, Online, 0), (3_000, Offline, 1_000)]);
    }
    let mut world = World::new();
    world.registrar.opened(ACCOUNT, PHONE, true, at(0));
    world.turn(0);
    world.registrar.logged_out(ACCOUNT, Some(PHONE), at(500));
    world.turn(500);
    world.registrar.ended(ACCOUNT, PHONE, true, Ending::Lost { heard_at_ms: 600 }, at(600));
    world.check(40_000, &[(0, Online, 0), (500, Offline, 500)]);
}

#[test]
fn the_best_session_of_all_devices_counts() {
    let mut world = World::new();
    world.registrar.opened(ACCOUNT, PHONE, true, at(0));
    world.registrar.opened(ACCOUNT, PHONE, false, at(0));
    world.registrar.opened(ACCOUNT, LAPTOP, false, at(0));
    world.turn(0);
    world.registrar.moved(ACCOUNT, PHONE, true, false, at(1_000));
    world.turn(1_000);
    world.registrar.moved(ACCOUNT, LAPTOP, false, true, at(2_000));
    world.registrar.ended(ACCOUNT, PHONE, false, Ending::LoggedOut, at(2_000));
    world.turn(2_000);
    world.registrar.moved(ACCOUNT, LAPTOP, true, false, at(3_000));
    world.turn(3_000);
    world
        .check(10_000, &[(0, Online, 0), (1_000, Away, 1_000), (2_000, Online, 2_000), (3_000, Away, 3_000)]);
}

#[test]
fn jumps_of_the_wall_clock_move_no_deadline() {
    for jump in [-1_000_000_i64, 1_000_000] {
        let mut world = World::new();
        world.registrar.opened(ACCOUNT, PHONE, true, at(0));
        let jumped = Now { at_ms: 1_000, clock_ms: CLOCK.saturating_add_signed(jump) };
        world.registrar.ended(ACCOUNT, PHONE, true, Ending::Closed, jumped);
        world.turn(5_950);
        assert_eq!(world.registrar.standing(ACCOUNT).map(|standing| standing.availability), Some(Online));
        world.turn(6_000);
        assert!(world.registrar.is_empty());
    }
}

#[test]
fn what_ends_without_having_opened_is_nothing() {
    let mut world = World::new();
    world.registrar.ended(ACCOUNT, PHONE, true, Ending::Closed, at(0));
    world.registrar.moved(ACCOUNT, PHONE, true, false, at(0));
    world.registrar.opened(ACCOUNT, PHONE, true, at(0));
    world.registrar.ended(ACCOUNT, PHONE, false, Ending::Closed, at(0));
    world.registrar.ended(ACCOUNT, LAPTOP, true, Ending::Closed, at(0));
    world.turn(0);
    world.check(10_000, &[(0, Online, 0)]);
}

fn account(number: u32) -> AccountId {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(bytes)
}

/// Accounts by who was told, and the order of the kinds of packets.
fn said(out: &[Outgoing], to: NodeId) -> (usize, Vec<&'static str>) {
    let mut accounts = 0;
    let mut kinds = Vec::new();
    for outgoing in out.iter().filter(|outgoing| outgoing.to == to) {
        kinds.push(match &outgoing.packet.body {
            Body::Begin { incarnation: 1 } => "begin",
            Body::Register { standings } => {
                assert!(standings.len() <= super::super::packet::ACCOUNTS_MAX);
                accounts += standings.len();
                "register"
            }
            Body::Complete { again: 0 } => "complete",
            Body::Complete { again: 7 } => "complete 7",
            other => panic!("{other:?}"),
        });
    }
    kinds.dedup();
    (accounts, kinds)
}

#[test]
fn another_live_set_and_a_gap_say_everything_again() {
    let all = ["begin", "register", "complete"];
    let mut registrar = Registrar::new(1, Timeouts::default(), at(0));
    (0..20_000).for_each(|number| registrar.opened(account(number), PHONE, true, at(0)));
    let renewed = |registrar: &mut Registrar, at_ms| {
        let mut out = Vec::new();
        registrar.turn(at(at_ms), &mut out);
        while registrar.is_renewing() {
            registrar.turn(at(at_ms), &mut out);
        }
        out
    };
    registrar.live(&LiveSet::new([NodeId(1), NodeId(2)]), at(0));
    let out = renewed(&mut registrar, 0);
    for node in [1, 2] {
        // Nobody had heard of the accounts: they are news and part of the round.
        assert_eq!(said(&out, NodeId(node)).0, 40_000);
    }
    registrar.live(&LiveSet::new([NodeId(1), NodeId(2), NodeId(3)]), at(1_000));
    let out = renewed(&mut registrar, 1_000);
    assert_eq!(said(&out, NodeId(3)).1, all);
    assert_eq!((1..=3).map(|node| said(&out, NodeId(node)).0).sum::<usize>(), 40_000);
    registrar.again(NodeId(2), 7);
    let out = renewed(&mut registrar, 1_000);
    assert_eq!(said(&out, NodeId(2)).1, ["begin", "register", "complete 7"]);
    assert!(said(&out, NodeId(1)).1.is_empty());
    // Somebody whose owners changed: former ones hear of it for ten seconds.
    let moved = (0..).map(account).find(|account| registrar.live.is_owner(NodeId(3), *account)).expect("one");
    registrar.ended(moved, PHONE, true, Ending::LoggedOut, at(10_950));
    assert_eq!(renewed(&mut registrar, 10_950).len(), 3);
    registrar.opened(moved, PHONE, true, at(11_000));
    assert_eq!(renewed(&mut registrar, 11_000).len(), 2);
}

#[test]
fn an_account_with_one_device_is_small() {
    let mut registrar = Registrar::new(1, Timeouts::default(), at(0));
    let empty = registrar.heap_bytes();
    let accounts = 100_000;
    (0..accounts).for_each(|number| registrar.opened(account(number), PHONE, true, at(0)));
    registrar.turn(at(0), &mut Vec::new());
    let each = (registrar.heap_bytes() - empty) / accounts as usize;
    assert!(each <= 64, "{each} bytes");
}
