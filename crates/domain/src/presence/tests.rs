//! What presence costs in memory, all machines of a node together.

use suda_proto::DeviceId;

use super::observer::{Observer, REST_MS};
use super::owner::Owner;
use super::registrar::Registrar;
use super::*;
use crate::placement::{LiveSet, NodeId};

const NODE: NodeId = NodeId(1);
const NOW: Now = Now { at_ms: 0, clock_ms: 1_800_000_000_000 };

fn account(number: u32) -> AccountId {
    let mut bytes = [9; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    AccountId::from_bytes(bytes)
}

/// The machines of the only node.
struct Alone {
    registrar: Registrar,
    owner: Owner,
    observer: Observer,
}

impl Alone {
    fn new() -> Self {
        let mut alone = Self {
            registrar: Registrar::new(1, Timeouts::default(), NOW),
            owner: Owner::new(NODE, Timeouts::default(), 0),
            observer: Observer::new(REST_MS),
        };
        let live = LiveSet::new([NODE]);
        alone.registrar.live(&live, NOW);
        alone.owner.live(&live, |_| 0, NOW);
        alone.observer.live(&live);
        alone.turn();
        alone
    }

    /// Turns all machines until none has anything to say.
    fn turn(&mut self) {
        loop {
            let mut out = Vec::new();
            self.registrar.turn(NOW, &mut out);
            self.owner.turn(NOW, &mut out);
            self.observer.turn(&mut out);
            if out.is_empty() {
                return;
            }
            while !out.is_empty() {
                for Outgoing { packet, .. } in std::mem::take(&mut out) {
                    match &packet.body {
                        Body::States { standings, unknown } => {
                            self.observer.states(NODE, standings, unknown, &mut out);
                        }
                        _ => self.owner.take(NODE, packet, NOW, &mut out),
                    }
                }
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        self.registrar.heap_bytes() + self.owner.heap_bytes() + self.observer.heap_bytes()
    }
}

#[test]
fn an_online_account_that_three_sessions_watch_is_small() {
    // Where a session watches three, all that it is itself is counted in.
    assert!(bytes_of_an_account(200) <= 240, "{} bytes", bytes_of_an_account(200));
    assert!(bytes_of_an_account(3) <= 290, "{} bytes", bytes_of_an_account(3));
}

/// Bytes of an account that three sessions watch, each of which watches so many.
fn bytes_of_an_account(list: u32) -> usize {
    const ACCOUNTS: u32 = 49_800;
    let mut alone = Alone::new();
    let empty = alone.heap_bytes();
    for number in 0..ACCOUNTS {
        alone.registrar.opened(account(number), DeviceId::from_bytes([1; 16]), true, NOW);
    }
    alone.turn();
    for session in 0..ACCOUNTS * 3 / list {
        let watched = (0..list).map(|place| (account((session * list + place) % ACCOUNTS), true));
        alone.observer.watch(u64::from(session), 0, &watched.collect::<Vec<_>>());
    }
    alone.turn();
    let watched = (0..ACCOUNTS).filter(|number| alone.observer.watchers(account(*number)).len() == 3);
    assert_eq!(watched.count(), ACCOUNTS as usize);
    let told = alone.observer.due(NOW, usize::MAX);
    assert_eq!((told.several.len(), told.delayed), ((ACCOUNTS * 3 / list) as usize, 0));
    // Once all are told and have rested, nothing of the burst is kept.
    let rested = Now { at_ms: NOW.at_ms + REST_MS, ..NOW };
    assert!(alone.observer.due(rested, usize::MAX).several.is_empty());
    (alone.heap_bytes() - empty) / ACCOUNTS as usize
}
