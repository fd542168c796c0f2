//! What owners are asked, and what sessions are told when.

use super::*;
use crate::presence::Availability::{self, Away, Offline, Online};

const OWNER: NodeId = NodeId(1);

fn account(number: u32) -> AccountId {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(bytes)
}

fn at(at_ms: u64) -> Now {
    Now { at_ms, clock_ms: at_ms }
}

fn standing(number: u32, availability: Availability) -> Standing {
    Standing { account: account(number), availability, last_active_at: None }
}

struct World {
    observer: Observer,
    out: Vec<Outgoing>,
}

impl World {
    fn new(nodes: &[NodeId]) -> Self {
        let mut observer = Observer::new(REST_MS);
        observer.live(&LiveSet::new(nodes.iter().copied()));
        observer.turn(&mut Vec::new());
        Self { observer, out: Vec::new() }
    }

    fn say(&mut self, number: u32, availability: Availability) {
        self.observer.states(OWNER, &[standing(number, availability)], &[], &mut self.out);
    }

    /// What is told now, a line for each frame that has to be made.
    fn due(&mut self, at_ms: u64, budget: usize) -> (Vec<String>, usize) {
        let due = self.observer.due(at(at_ms), budget);
        let words = |change: &Change| {
            let number = (0..100).find(|number| account(*number) == change.account).expect("known");
            match change.view {
                View::Known(standing) => format!("{number} {:?}", standing.availability),
                View::Hidden => format!("{number} hidden"),
                View::Unknown => format!("{number} unknown"),
            }
        };
        let shared = due.shared.iter().map(|s| format!("{:?}: {}", s.sessions, words(&s.change)));
        let several = due.several.iter().map(|s| {
            format!("{}: {}", s.session, s.changes.iter().map(words).collect::<Vec<_>>().join(", "))
        });
        (shared.chain(several).collect(), due.delayed)
    }

    /// What is sent, a line for each packet.
    fn sent(&mut self) -> Vec<String> {
        self.observer.turn(&mut self.out);
        let sent = std::mem::take(&mut self.out);
        sent.iter()
            .map(|outgoing| match &outgoing.packet.body {
                Body::Watch { accounts } => format!("{} watch {}", outgoing.to.0, accounts.len()),
                Body::Unwatch { accounts } => format!("{} unwatch {}", outgoing.to.0, accounts.len()),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[test]
fn the_first_change_leaves_at_once_and_later_ones_together() {
    let mut world = World::new(&[OWNER]);
    let all: Vec<_> = (0..3).map(|number| (account(number), true)).collect();
    assert_eq!(world.observer.watch(7, 0, &all), [View::Unknown; 3]);
    assert_eq!(world.observer.watch(8, 0, &all[..1]), [View::Unknown]);
    world.say(0, Online);
    assert_eq!(world.due(1_000, 99).0, ["[7, 8]: 0 Online"]);
    world.say(1, Online);
    world.say(2, Away);
    world.say(0, Away);
    assert!(world.due(1_249, 99).0.is_empty());
    assert_eq!(world.due(1_250, 99).0, ["[8]: 0 Away", "7: 1 Online, 2 Away, 0 Away"]);
    world.say(1, Offline);
    world.say(1, Online);
    assert!(world.due(1_500, 99).0.is_empty());
    world.say(1, Offline);
    assert_eq!(world.due(1_501, 99).0, ["[7]: 1 Offline"]);
}

#[test]
fn what_exceeds_the_budget_waits_its_turn() {
    let mut world = World::new(&[OWNER]);
    let all: Vec<_> = (0..3).map(|number| (account(number), true)).collect();
    for session in 1..=3 {
        world.observer.watch(session, 0, &all);
    }
    (0..3).for_each(|number| world.say(number, Online));
    assert_eq!(
        world.due(0, 4),
        (vec!["[2]: 0 Online".to_owned(), "1: 0 Online, 1 Online, 2 Online".to_owned()], 5)
    );
    world.observer.forget(3);
    assert_eq!(world.due(0, 4), (vec!["2: 1 Online, 2 Online".to_owned()], 0));
}

#[test]
fn hidden_accounts_say_nothing_but_that() {
    let mut world = World::new(&[OWNER]);
    assert_eq!(world.observer.watch(7, 0, &[(account(0), false)]), [View::Hidden]);
    world.say(0, Online);
    assert!(world.due(0, 99).0.is_empty());
    world.observer.permit(7, account(0), true);
    assert_eq!(world.due(0, 99).0, ["[7]: 0 Online"]);
    world.observer.permit(7, account(0), false);
    world.say(0, Offline);
    assert_eq!(world.due(250, 99).0, ["[7]: 0 hidden"]);
    world.say(0, Online);
    assert!(world.due(500, 99).0.is_empty());
}

#[test]
fn owners_are_asked_once_and_told_when_nobody_watches() {
    let mut world = World::new(&[OWNER]);
    let all: Vec<_> = (0..200).map(|number| (account(number), true)).collect();
    world.observer.watch(7, 0, &all);
    world.observer.watch(7, 1, &all[..100]);
    world.observer.watch(8, 0, &[all[0], all[0]]);
    assert_eq!(world.sent(), ["1 watch 200"]);
    assert_eq!(world.observer.watchers(account(0)), [7, 8]);
    assert_eq!(world.observer.watched(7).len(), 200);
    world.observer.watch(7, 0, &all[..10]);
    assert_eq!(world.sent(), ["1 unwatch 100"]);
    world.observer.stop(7, 1);
    assert_eq!(world.sent(), ["1 unwatch 90"]);
    world.observer.gap(OWNER);
    assert_eq!(world.sent(), ["1 watch 10"]);
    world.observer.forget(7);
    world.observer.forget(8);
    assert_eq!(world.sent(), ["1 unwatch 10"]);
    assert!(world.observer.is_empty());
    world.say(0, Online);
    assert_eq!(world.sent(), ["1 unwatch 1"]);
}

#[test]
fn the_second_owner_speaks_only_while_the_first_does_not_know() {
    let nodes = [NodeId(1), NodeId(2), NodeId(3)];
    let mut world = World::new(&nodes);
    let owners = world.observer.live.owners(account(0)).expect("has owners");
    let (first, second) = (owners.first, owners.second.expect("has a second"));
    let other = nodes.into_iter().find(|node| !owners.contains(*node)).expect("one more");
    world.observer.watch(7, 0, &[(account(0), true)]);
    assert_eq!(world.sent(), [format!("{} watch 1", first.0)]);
    let say = |world: &mut World, from, what: Option<Availability>| {
        let standings: Vec<_> = what.into_iter().map(|what| standing(0, what)).collect();
        let unknown = [account(0)];
        let unknown = if what.is_none() { &unknown[..] } else { &[] };
        world.observer.states(from, &standings, unknown, &mut world.out);
    };
    say(&mut world, second, Some(Online));
    assert_eq!(world.sent(), [format!("{} unwatch 1", second.0)]);
    assert_eq!(world.observer.view(account(0)), View::Unknown);
    say(&mut world, first, None);
    assert_eq!(world.sent(), [format!("{} watch 1", second.0)]);
    say(&mut world, second, Some(Online));
    say(&mut world, other, Some(Offline));
    assert_eq!(world.sent(), [format!("{} unwatch 1", other.0)]);
    assert_eq!(world.observer.view(account(0)), View::Known(standing(0, Online)));
    say(&mut world, first, Some(Away));
    assert_eq!(world.sent(), [format!("{} unwatch 1", second.0)]);
    assert_eq!(world.observer.view(account(0)), View::Known(standing(0, Away)));
    world.observer.live(&LiveSet::new([second, other]));
    let owners = world.observer.live.owners(account(0)).expect("has owners");
    assert_eq!(world.sent(), [format!("{} watch 1", owners.first.0)]);
}
