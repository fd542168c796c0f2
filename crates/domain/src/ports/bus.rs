//! Port: packets between nodes, which may be lost.

use async_trait::async_trait;
use bytes::Bytes;

use crate::placement::NodeId;

/// The longest packet. Engines carry it in one piece.
pub const PACKET_BYTES: usize = 1 << 20;

/// How a node sends packets to the others, and hears theirs.
///
/// - A packet may be lost, repeated, or arrive after a later one. A packet that arrives is as it was sent, and only nodes
///   get it to which it was sent.
/// - While nothing fails, and for as long as both have joined, each packet arrives once, and those that a node sends to
///   one other arrive in the order of sending; so do those that it sends to all. Nothing may rely on it: whoever needs
///   more numbers its packets and asks for what is missing.
/// - Sending never waits. What is sent and what arrived wait in bounded room; what does not fit is dropped and counted.
///   What is sent while the node is not connected is dropped too: nothing is kept for later.
/// - Who sent a packet is told by nothing but the packet.
/// - A node does not hear itself: neither what it sends to all, nor what it sends to its own id.
/// - Ids are given by whoever makes the nodes join. Two that join under one id both hear what is sent to it.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Sends to one node. Whether there is such a node is not known, and never an error. A packet longer than
    /// [`PACKET_BYTES`] is dropped.
    fn send(&self, node: NodeId, packet: Bytes);

    /// Sends to all nodes but this one, as [`send`](Self::send) does.
    fn send_to_all(&self, packet: Bytes);

    /// The next packet that arrived; waits for one. `None` after this node left and all that had arrived was taken.
    ///
    /// For one task at a time: if two wait, either may wait for ever. A wait that is given up takes no packet.
    async fn receive(&self) -> Option<Bytes>;

    /// Whether the engine is in touch with this node, as far as is known; that it fell silent is noticed within ten
    /// seconds. Packets can be lost in either case, and connecting anew is tried for ever.
    fn is_connected(&self) -> bool;

    /// How many packets were dropped on this node since it joined.
    fn dropped(&self) -> Dropped;

    /// Stops hearing; what was sent before is sent if that takes no longer than two seconds. Later sends are lost. Again is
    /// no error.
    async fn leave(&self);
}

/// Packets that a node dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// That it should have sent: too long, too many at once, or not connected.
    pub sending: u64,
    /// That arrived faster than they were taken.
    pub receiving: u64,
}
