//! Packets between nodes in order, each at most once, over a bus that loses, repeats and reorders.
//!
//! Every node numbers what it sends: in one lane for each receiver, and in one for all. Heartbeats tell how far the lanes
//! are. A receiver asks for what it lacks, and the sender keeps everything for a while ([`super::kept`]). What cannot be
//! had any more is a *gap*: the layer above must then say, or ask for, everything again. Between two nodes each lane is in
//! order; the two lanes are not in any order to each other.
//!
//! A node that was started anew has another incarnation, with which all numbers begin again; frames from or for the
//! former one are dropped.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::frame::{self, FrameError, Header, Kind, PAYLOAD_MAX};
use super::heartbeat::{Heartbeat, SENT_MAX, Sent, SentTo};
use super::kept::{KEPT_MS, Kept};
use super::lane::{Arrived, Lane, RANGES_MAX};
use crate::placement::NodeId;

/// Most bytes that are sent again for one question; the rest is asked for once more.
const AGAIN_BYTES: usize = 1 << 20;

/// Most packets that are sent again for one question.
const AGAIN_MAX: usize = 1_024;

/// What came from another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// The node, or another incarnation of it, is heard for the first time: what it said to all before is not told, and
    /// what was on its way to the former incarnation is lost.
    Began {
        /// Which node.
        from: NodeId,
    },
    /// A packet.
    Packet {
        /// Who sent it.
        from: NodeId,
        /// Its bytes, a part of the frame.
        payload: Bytes,
    },
    /// Packets of the node were lost for good, at this place among the others.
    Gap {
        /// Who sent them.
        from: NodeId,
    },
    /// A heartbeat; they may be repeated and in any order. This node's own come back, too.
    Beat(Heartbeat),
}

/// Why something is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The node was never heard, or is this one.
    #[error("no such node is known")]
    Unknown,
    /// Longer than [`PAYLOAD_MAX`].
    #[error("the packet is too long")]
    TooLong,
}

/// What is to be sent to single nodes.
pub type Outgoing = Vec<(NodeId, Bytes)>;

/// One node's end of the lines to all others. It keeps little for each node it ever heard; ids are short and are used
/// again, which bounds it.
#[derive(Debug)]
pub struct Link {
    node: NodeId,
    incarnation: u64,
    peers: BTreeMap<NodeId, Peer>,
    /// What was sent to all.
    kept: Kept,
}

#[derive(Debug)]
struct Peer {
    incarnation: u64,
    heard_at: u64,
    /// What was sent to it alone.
    kept: Kept,
    one: Lane,
    all: Lane,
    /// How many questions it was asked.
    asked: u64,
    /// Its newest question about each lane.
    answered: [u64; 2],
}

impl Peer {
    /// `all` is the number after which what it says to all is expected.
    fn new(incarnation: u64, heard_at: u64, all: u64) -> Self {
        let (kept, one, all) = (Kept::default(), Lane::after(0), Lane::after(all));
        Self { incarnation, heard_at, kept, one, all, asked: 0, answered: [0; 2] }
    }
}

/// Which of the two numberings a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbering {
    One,
    All,
}

impl Numbering {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::One),
            1 => Some(Self::All),
            _ => None,
        }
    }
}

impl Link {
    /// Knows nobody. Every start of a node must have a greater incarnation than its starts before.
    pub fn new(node: NodeId, incarnation: u64) -> Self {
        Self { node, incarnation, peers: BTreeMap::new(), kept: Kept::default() }
    }

    /// A packet for one node.
    ///
    /// # Errors
    /// If the node was never heard, or the packet is too long.
    pub fn send(&mut self, to: NodeId, payload: &[u8], now_ms: u64) -> Result<Bytes, SendError> {
        if payload.len() > PAYLOAD_MAX {
            return Err(SendError::TooLong);
        }
        let header = self.header(Kind::One, to, 0);
        let peer = self.peers.get_mut(&to).ok_or(SendError::Unknown)?;
        let number = peer.kept.last() + 1;
        let frame = frame::write(&Header { to_incarnation: peer.incarnation, number, ..header }, payload);
        peer.kept.push(frame.clone(), now_ms);
        Ok(frame)
    }

    /// A packet for all other nodes.
    ///
    /// # Errors
    /// If the packet is too long.
    pub fn send_all(&mut self, payload: &[u8], now_ms: u64) -> Result<Bytes, SendError> {
        if payload.len() > PAYLOAD_MAX {
            return Err(SendError::TooLong);
        }
        let frame = frame::write(&self.header(Kind::All, NodeId(0), self.kept.last() + 1), payload);
        self.kept.push(frame.clone(), now_ms);
        Ok(frame)
    }

    /// A heartbeat for all nodes, with how far the lanes are.
    pub fn beat(&self, mut beat: Heartbeat, now_ms: u64) -> Bytes {
        beat.sent = self.sent(now_ms);
        frame::write(&self.header(Kind::Beat, NodeId(0), beat.number), &beat.encode())
    }

    /// Takes what the bus brought.
    ///
    /// # Errors
    /// If it is damaged, foreign, or from or for a former incarnation: then nothing happens.
    pub fn take(
        &mut self,
        bytes: &Bytes,
        now_ms: u64,
        out: &mut Outgoing,
        received: &mut Vec<Received>,
    ) -> Result<(), FrameError> {
        let (header, payload) = frame::read(bytes)?;
        if header.kind == Kind::Beat {
            return self.take_beat(&header, &payload, now_ms, received);
        }
        if header.from == self.node {
            // What this node said to all comes back to it.
            return Ok(());
        }
        let is_here = header.to == self.node && header.to_incarnation == self.incarnation;
        if header.kind != Kind::All && !is_here {
            return Err(FrameError::Elsewhere);
        }
        if header.kind == Kind::Missing {
            return self.answer(&header, &payload, now_ms, out, received);
        }
        let from = header.from;
        let begin = (header.kind == Kind::All).then_some(header.number - 1);
        let peer = self.peer(&header, begin, now_ms, received)?;
        let mut arrived = |packet| received.push(arrival(from, packet));
        match header.kind {
            Kind::One => peer.one.take(header.number, payload, now_ms, &mut arrived),
            Kind::All => peer.all.take(header.number, payload, now_ms, &mut arrived),
            _ => match payload.first().copied().and_then(Numbering::of) {
                Some(Numbering::One) => peer.one.gone(header.number, &mut arrived),
                Some(Numbering::All) => peer.all.gone(header.number, &mut arrived),
                None => return Err(FrameError::Malformed("lane")),
            },
        }
        Ok(())
    }

    /// What time has come: asks for what is missing and gives up what was missing for too long. To be called every few
    /// ten milliseconds, or when [`Link::due_at`] says.
    pub fn turn(&mut self, now_ms: u64, out: &mut Outgoing, received: &mut Vec<Received>) {
        self.kept.expire(now_ms);
        let mine = self.header(Kind::Missing, NodeId(0), 0);
        for (&to, peer) in &mut self.peers {
            peer.kept.expire(now_ms);
            for (numbering, lane) in [(Numbering::One, &mut peer.one), (Numbering::All, &mut peer.all)] {
                lane.turn(now_ms, &mut |packet| received.push(arrival(to, packet)));
                let ranges = lane.missing(now_ms);
                if !ranges.is_empty() {
                    peer.asked += 1;
                    let header = Header { to, to_incarnation: peer.incarnation, number: peer.asked, ..mine };
                    out.push((to, frame::write(&header, &question(numbering, &ranges))));
                }
            }
        }
    }

    /// When [`Link::turn`] has something to ask or to give up; `None` while nothing is missing.
    pub fn due_at(&self) -> Option<u64> {
        let lanes = self.peers.values().flat_map(|peer| [&peer.one, &peer.all]);
        lanes.filter_map(Lane::due_at).min()
    }

    /// How far the lanes to all and to those nodes are that were heard lately.
    fn sent(&self, now_ms: u64) -> Sent {
        // Whoever comes back after a longer time is told with the next heartbeat.
        let is_concerned =
            |peer: &Peer| peer.kept.last() > 0 && peer.heard_at.saturating_add(KEPT_MS) > now_ms;
        let concerned = self.peers.iter().filter(|(_, peer)| is_concerned(peer)).take(SENT_MAX);
        let one = concerned.map(|(&node, peer)| {
            let incarnation = peer.incarnation;
            SentTo { node, incarnation, number: peer.kept.last() }
        });
        Sent { all: self.kept.last(), one: one.collect() }
    }

    fn take_beat(
        &mut self,
        header: &Header,
        payload: &[u8],
        now_ms: u64,
        received: &mut Vec<Received>,
    ) -> Result<(), FrameError> {
        let beat = Heartbeat::decode(payload)?;
        if (beat.node, beat.incarnation) != (header.from, header.from_incarnation) {
            return Err(FrameError::Malformed("heartbeat"));
        }
        if header.from != self.node {
            let (node, incarnation) = (self.node, self.incarnation);
            let peer = self.peer(header, Some(beat.sent.all), now_ms, received)?;
            peer.all.told(beat.sent.all, now_ms);
            let to_me = |sent: &&SentTo| (sent.node, sent.incarnation) == (node, incarnation);
            if let Some(sent) = beat.sent.one.iter().find(to_me) {
                peer.one.told(sent.number, now_ms);
            }
        }
        received.push(Received::Beat(beat));
        Ok(())
    }

    /// Sends again what is missing, as far as it is there.
    fn answer(
        &mut self,
        header: &Header,
        payload: &[u8],
        now_ms: u64,
        out: &mut Outgoing,
        received: &mut Vec<Received>,
    ) -> Result<(), FrameError> {
        let (numbering, ranges) = read_question(payload).ok_or(FrameError::Malformed("question"))?;
        let mine = self.header(Kind::Gone, header.from, 0);
        self.peer(header, None, now_ms, received)?;
        let Some(peer) = self.peers.get_mut(&header.from) else { return Ok(()) };
        let answered = &mut peer.answered[numbering as usize];
        if header.number <= *answered {
            // The bus repeated the question, or brought a newer one before it.
            return Ok(());
        }
        *answered = header.number;
        let kept = if numbering == Numbering::One { &peer.kept } else { &self.kept };
        let first = kept.first();
        if ranges.iter().any(|range| range.0 < first) {
            let gone = Header { to_incarnation: peer.incarnation, number: first, ..mine };
            out.push((header.from, frame::write(&gone, &[numbering as u8])));
        }
        let numbers = ranges.iter().flat_map(|range| range.0.max(first)..=range.1.min(kept.last()));
        let mut bytes = 0;
        for frame in numbers.take(AGAIN_MAX).filter_map(|number| kept.get(number)) {
            bytes += frame.len();
            out.push((header.from, frame.clone()));
            if bytes >= AGAIN_BYTES {
                break;
            }
        }
        Ok(())
    }

    /// The sender of a frame. One that is new begins where `begin` says, after that number of what it says to all; a
    /// frame that does not say it is dropped, and will be asked for.
    fn peer(
        &mut self,
        header: &Header,
        begin: Option<u64>,
        now_ms: u64,
        received: &mut Vec<Received>,
    ) -> Result<&mut Peer, FrameError> {
        let (from, incarnation) = (header.from, header.from_incarnation);
        let known = self.peers.get(&from).map(|peer| peer.incarnation);
        if known.is_some_and(|known| known > incarnation) {
            return Err(FrameError::Former);
        }
        if known != Some(incarnation) {
            let all = begin.ok_or(FrameError::Unheard)?;
            self.peers.insert(from, Peer::new(incarnation, now_ms, all));
            received.push(Received::Began { from });
        }
        let peer = self.peers.get_mut(&from).ok_or(FrameError::Unheard)?;
        peer.heard_at = now_ms;
        Ok(peer)
    }

    const fn header(&self, kind: Kind, to: NodeId, number: u64) -> Header {
        Header { kind, from: self.node, to, from_incarnation: self.incarnation, to_incarnation: 0, number }
    }
}

fn arrival(from: NodeId, packet: Arrived) -> Received {
    packet.map_or(Received::Gap { from }, |payload| Received::Packet { from, payload })
}

/// The lane's byte and, for each range, its first and its last number.
fn question(numbering: Numbering, ranges: &[(u64, u64)]) -> Vec<u8> {
    let numbers = ranges.iter().flat_map(|range| [range.0, range.1]);
    std::iter::once(numbering as u8).chain(numbers.flat_map(u64::to_be_bytes)).collect()
}

fn read_question(payload: &[u8]) -> Option<(Numbering, Vec<(u64, u64)>)> {
    let (numbering, ranges) = payload.split_first()?;
    let (ranges, rest) = ranges.as_chunks::<16>();
    if ranges.len() > RANGES_MAX || !rest.is_empty() {
        return None;
    }
    let range = |bytes: &[u8; 16]| {
        let both = u128::from_be_bytes(*bytes);
        ((both >> 64) as u64, both as u64)
    };
    Some((Numbering::of(*numbering)?, ranges.iter().map(range).collect()))
}

#[cfg(test)]
mod tests;
