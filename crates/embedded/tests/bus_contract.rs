//! The bus within one process keeps its contract, and its faults are what they are called.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use suda_domain::placement::NodeId;
use suda_domain::ports::Bus;
use suda_domain::ports::bus::Dropped;
use suda_domain::ports::contract::bus::{self, Network};
use suda_embedded::bus::{Fate, Hub, HubBus};

#[derive(Default)]
struct Process(Hub);

#[async_trait]
impl Network for Process {
    async fn join(&mut self, nodes: &[NodeId]) -> Vec<Arc<dyn Bus>> {
        nodes.iter().map(|node| Arc::new(self.0.join(*node)) as Arc<dyn Bus>).collect()
    }
}

macro_rules! suite {
    ($($rules:ident)*) => {$(
        #[tokio::test]
        async fn $rules() {
            let run = async { bus::$rules(&mut Process::default()).await };
            tokio::time::timeout(Duration::from_secs(120), run).await.expect("a packet that never arrived");
        }
    )*};
}

suite! { one_hears all_others_hear unheard_packets_are_no_error packets_arrive_whole order_holds leaving }

const ADA: NodeId = NodeId(1);
const BOB: NodeId = NodeId(2);

/// Sends `a` to `e` and, without a judge, `.`; answers what arrived.
async fn arrived(hub: &Hub, ada: HubBus, bob: &HubBus) -> String {
    for letter in ["a", "b", "c", "d", "e"] {
        ada.send(BOB, Bytes::from_static(letter.as_bytes()));
    }
    hub.judge(None);
    ada.send(BOB, Bytes::from_static(b"."));
    let mut arrived = String::new();
    while !arrived.ends_with('.') {
        let packet = bob.receive().await.expect("bob has joined");
        arrived.push_str(std::str::from_utf8(&packet).expect("a letter"));
    }
    arrived
}

#[tokio::test]
async fn packets_meet_their_fates() {
    use Fate::{Arrive, KeepBack, Lose, Repeat};
    let cases: [([Fate; 5], &str); 5] = [
        ([Arrive; 5], "abcde."),
        ([Arrive, Lose, Lose, Arrive, Lose], "ad."),
        ([Repeat, Arrive, Arrive, Repeat, Arrive], "aabcdde."),
        ([KeepBack, Arrive, Arrive, KeepBack, Repeat], "baceed."),
        ([KeepBack, KeepBack, Lose, Arrive, Lose], "adb."),
    ];
    for (fates, expected) in cases {
        let hub = Hub::default();
        let (ada, bob) = (hub.join(ADA), hub.join(BOB));
        let mut next = fates.into_iter();
        hub.judge(Some(Box::new(move |sender, receiver, _| {
            assert_eq!((sender, receiver), (ADA, BOB));
            next.next().expect("five packets")
        })));
        assert_eq!(arrived(&hub, ada, &bob).await, expected, "{fates:?}");
    }
}

#[tokio::test]
async fn a_node_that_is_cut_off_neither_hears_nor_is_heard() {
    let hub = Hub::default();
    let (ada, bob) = (hub.join(ADA), hub.join(BOB));
    hub.cut_off(BOB, true);
    assert!(ada.is_connected() && !bob.is_connected());
    ada.send_to_all(Bytes::from_static(b"lost"));
    bob.send(ADA, Bytes::from_static(b"unsent"));
    assert_eq!(bob.dropped(), Dropped { sending: 1, receiving: 0 });
    assert_eq!(ada.dropped(), Dropped::default(), "the sender cannot know");
    hub.cut_off(BOB, false);
    assert!(bob.is_connected());
    ada.send(BOB, Bytes::from_static(b"there"));
    bob.send(ADA, Bytes::from_static(b"back"));
    assert_eq!(bob.receive().await.as_deref(), Some(&b"there"[..]));
    assert_eq!(ada.receive().await.as_deref(), Some(&b"back"[..]));
}
