//! The contract of [`Bus`](crate::ports::Bus), as far as it holds while nothing fails.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::placement::NodeId;
use crate::ports::Bus;
use crate::ports::bus::PACKET_BYTES;

/// A bus that nobody joined yet, for one run of one group of rules.
#[async_trait]
pub trait Network: Send {
    /// Makes these nodes join; answers them when each hears every other, and nothing is under way any more.
    async fn join(&mut self, nodes: &[NodeId]) -> Vec<Arc<dyn Bus>>;
}

const ADA: NodeId = NodeId(0);
const BOB: NodeId = NodeId(1);
const CLEO: NodeId = NodeId(u16::MAX);
const NOBODY: NodeId = NodeId(700);

fn packet(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// That the next packet is this one. What must not arrive would be found here, before what is sent after it.
async fn expect(bus: &Arc<dyn Bus>, text: &str, rule: &str) {
    let received = bus.receive().await;
    assert_eq!(received, Some(packet(text)), "{rule}");
}

async fn three(network: &mut dyn Network) -> [Arc<dyn Bus>; 3] {
    let joined = network.join(&[ADA, BOB, CLEO]).await;
    joined.try_into().unwrap_or_else(|_| panic!("three nodes joined"))
}

/// A packet to one node is heard by that one only.
pub async fn one_hears(network: &mut dyn Network) {
    let [ada, bob, cleo] = three(network).await;
    assert!(ada.is_connected() && bob.is_connected() && cleo.is_connected(), "who has joined is connected");
    ada.send(BOB, packet("to bob"));
    ada.send(CLEO, packet("to cleo"));
    expect(&bob, "to bob", "the addressed hears").await;
    expect(&cleo, "to cleo", "nobody else heard the packet before").await;
    bob.send(ADA, packet("back"));
    cleo.send(BOB, packet("on"));
    expect(&ada, "back", "an answer finds its way").await;
    expect(&bob, "on", "one hears any other").await;
}

/// A packet to all is heard by everybody but its sender.
pub async fn all_others_hear(network: &mut dyn Network) {
    let [ada, bob, cleo] = three(network).await;
    ada.send_to_all(packet("from ada"));
    expect(&bob, "from ada", "all hear").await;
    expect(&cleo, "from ada", "all hear").await;
    bob.send_to_all(packet("from bob"));
    expect(&ada, "from bob", "its own packet did not come back to the sender").await;
    expect(&cleo, "from bob", "all hear, once").await;
}

/// A node does not hear what it sends to its own id, and what is sent to nobody is no error.
pub async fn unheard_packets_are_no_error(network: &mut dyn Network) {
    let [ada, bob, _] = three(network).await;
    ada.send(ADA, packet("to myself"));
    ada.send(NOBODY, packet("to nobody"));
    ada.send(BOB, packet("ready"));
    expect(&bob, "ready", "a packet to nobody stops none").await;
    bob.send(ADA, packet("ready too"));
    expect(&ada, "ready too", "a node does not hear itself").await;
    assert_eq!(ada.dropped(), Default::default(), "what nobody hears is not dropped here");
}

/// A packet arrives as it was sent, up to the longest; a longer one is dropped and counted.
pub async fn packets_arrive_whole(network: &mut dyn Network) {
    let [ada, bob, cleo] = three(network).await;
    let content: Vec<u8> =
        (0..=PACKET_BYTES as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let content = Bytes::from(content);
    for length in [0, 1, 255, 256, 65_535, 65_536, PACKET_BYTES - 1, PACKET_BYTES] {
        let sent = content.slice(..length);
        ada.send(BOB, sent.clone());
        assert!(bob.receive().await == Some(sent.clone()), "{length} bytes arrive whole at one");
        ada.send_to_all(sent.clone());
        assert!(bob.receive().await == Some(sent.clone()), "{length} bytes arrive whole at all");
        assert!(cleo.receive().await == Some(sent), "{length} bytes arrive whole at all");
    }
    ada.send(BOB, content.clone());
    ada.send_to_all(content);
    assert_eq!(ada.dropped().sending, 2, "what is too long is counted");
    ada.send(BOB, packet("short"));
    expect(&bob, "short", "what is too long is dropped").await;
    ada.send_to_all(packet("short to all"));
    expect(&cleo, "short to all", "what is too long is dropped").await;
}

/// Many packets sent at once arrive once each, and in their order.
pub async fn order_holds(network: &mut dyn Network) {
    let [ada, bob, cleo] = three(network).await;
    for number in 0..1_000 {
        ada.send(BOB, packet(&format!("direct {number}")));
    }
    for number in 0..1_000 {
        expect(&bob, &format!("direct {number}"), "in the order of sending").await;
    }
    for number in 0..1_000 {
        ada.send_to_all(packet(&format!("for all {number}")));
    }
    for bus in [&bob, &cleo] {
        for number in 0..1_000 {
            expect(bus, &format!("for all {number}"), "in the order of sending").await;
        }
    }
    assert_eq!(ada.dropped(), Default::default(), "this much fits");
    assert_eq!(bob.dropped(), Default::default(), "this much fits");
}

/// A node that left keeps what had arrived, hears no more, and may join again.
pub async fn leaving(network: &mut dyn Network) {
    let [ada, bob, cleo] = three(network).await;
    bob.send_to_all(packet("early"));
    expect(&cleo, "early", "all hear").await;
    bob.send(CLEO, packet("last words"));
    bob.leave().await;
    bob.leave().await;
    expect(&cleo, "last words", "what was sent before leaving is heard").await;
    bob.send(CLEO, packet("too late"));
    ada.send(BOB, packet("to whom"));
    ada.send_to_all(packet("bob left"));
    expect(&cleo, "bob left", "nobody hears whoever left, the others go on").await;
    assert_eq!(bob.receive().await, None, "who left hears the end");
    expect(&ada, "early", "what arrived waits").await;
    ada.leave().await;
    assert_eq!(ada.receive().await, None, "and then the end");

    let again = network.join(&[BOB, NOBODY]).await;
    again[1].send(BOB, packet("welcome"));
    expect(&again[0], "welcome", "whoever left may join again").await;
    assert_eq!(bob.receive().await, None, "as another, who left stays away");
}
