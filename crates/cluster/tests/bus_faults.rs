//! Packets flow again after the NATS server of a node died or froze, and floods are bounded.
//!
//! `SUDA_TEST_ENGINES` is the command that ends and starts engines, with `ACTION` where the action goes: for instance
//! `cargo xtask engines ACTION`. The first server of `SUDA_TEST_NATS` is its `nats-1`.
#![cfg(feature = "cluster-tests")]

mod nats;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nats::Servers;
use suda_domain::mailbox::MAILBOX_PACKETS;
use suda_domain::placement::NodeId;
use suda_domain::ports::Bus;
use suda_domain::ports::contract::bus::Network;
use tokio::time::timeout;

const ADA: NodeId = NodeId(1);
const BOB: NodeId = NodeId(2);

fn engine(action: &str, name: &str) {
    let command = std::env::var("SUDA_TEST_ENGINES").expect("SUDA_TEST_ENGINES says how to end engines");
    let command = command.replace("ACTION", action);
    let mut words = command.split(' ').chain([name]);
    let program = words.next().expect("a command");
    let status = Command::new(program).args(words).status().expect("run the command");
    assert!(status.success(), "{action} {name}");
}

/// How long it takes until a packet that is sent from now on arrives.
async fn until_heard(from: &Arc<dyn Bus>, to: (&Arc<dyn Bus>, NodeId), marker: &'static str) -> Duration {
    let begin = Instant::now();
    loop {
        from.send(to.1, Bytes::from_static(marker.as_bytes()));
        while let Ok(received) = timeout(Duration::from_millis(50), to.0.receive()).await {
            if received.expect("it has not left") == marker {
                return begin.elapsed();
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{marker}: nothing is heard any more");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_flow_again_after_a_server_is_lost() {
    let cases =
        [("kill", "start", ["to killed", "from killed"]), ("freeze", "thaw", ["to frozen", "from frozen"])];
    for (fault, remedy, markers) in cases {
        let buses = Servers::new().join(&[ADA, BOB]).await;
        let [ada, bob] = &buses[..] else { panic!("two nodes joined") };
        engine(fault, "nats-1");
        let (to, from) =
            tokio::join!(until_heard(bob, (ada, ADA), markers[0]), until_heard(ada, (bob, BOB), markers[1]));
        let connected = ada.is_connected() && bob.is_connected();
        engine(remedy, "nats-1");
        println!("after {fault}: heard after {from:?}, hears after {to:?}");
        assert!(connected, "both are connected");
        assert!(to.max(from) < Duration::from_secs(10), "{fault}: {to:?}, {from:?}");
        ada.leave().await;
        bob.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_dropped_and_counted_and_over_afterwards() {
    let buses = Servers::new().join(&[ADA, BOB]).await;
    let [ada, bob] = &buses[..] else { panic!("two nodes joined") };
    let sent = 20 * MAILBOX_PACKETS as u64;
    for _ in 0..sent {
        ada.send(BOB, Bytes::from_static(&[b'.'; 1024]));
    }
    let unsent = ada.dropped().sending;
    assert!(unsent > 0, "sending does not wait, so not all can be sent");
    until_heard(ada, (bob, BOB), "still there").await;
    let overflowed = bob.dropped().receiving;
    assert!(unsent + overflowed <= sent, "no packet is dropped twice");
    assert!(ada.is_connected() && bob.is_connected(), "nobody was thrown out");
    println!("of {sent}: {unsent} not sent, {overflowed} not received");
}
