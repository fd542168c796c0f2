//! What an owner knows of the other nodes, and with that whether silence about an account means that it is offline.

use std::collections::BTreeMap;

use suda_proto::AccountId;

use crate::placement::{LiveSet, NodeId};

/// Most losses that are told apart.
const LOSSES_MAX: usize = 8;

/// How long a node may take to begin its round by itself before it is asked, at first.
const ASK_MS: u64 = 1_000;

/// The longest wait between two times of asking.
const ASK_MAX_MS: u64 = 32_000;

/// Another node, or this one.
#[derive(Debug, Default)]
pub struct Peer {
    /// Which start of it spoke last.
    pub incarnation: Option<u64>,
    /// Counts its rounds.
    pub round: u8,
    /// Whether it went missing, or was started anew, and has not begun a round since.
    pub is_lost: bool,
    /// Whether nothing was lost since it began its round. Otherwise its packets may be those of another start of it,
    /// and are left alone: the next round repeats them.
    pub is_in_order: bool,
    /// For which live nodes it has said everything.
    pub complete_for: Option<u64>,
    /// How often packets of it were lost.
    pub again: u32,
    /// When what it had registered is forgotten, where it was lost.
    pub forget_at_ms: Option<u64>,
    /// When it was heard last before it was lost, by the wall clock.
    pub lost_clock_ms: u64,
    /// Until when it may speak without being live.
    pub stranger_until_ms: Option<u64>,
    ask_at_ms: u64,
    ask_wait_ms: u64,
}

/// Nodes that went missing.
#[derive(Debug)]
struct Loss {
    until_ms: u64,
    /// Who was live until then; absent where this node did not know everything at that time.
    before: Option<LiveSet>,
}

/// What is known.
#[derive(Debug)]
pub struct Knowledge {
    me: NodeId,
    /// Who is live.
    pub live: LiveSet,
    /// By node; live ones, and others until they are forgotten.
    pub peers: BTreeMap<NodeId, Peer>,
    losses: Vec<Loss>,
    is_complete: bool,
}

impl Knowledge {
    /// Nothing. Until then there may be sessions that this node cannot have heard of.
    pub fn new(me: NodeId, unknown_until_ms: u64) -> Self {
        let start = Loss { until_ms: unknown_until_ms, before: None };
        Self { me, live: LiveSet::default(), peers: BTreeMap::new(), losses: vec![start], is_complete: false }
    }

    /// Whether every live node has said everything.
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Looks whether it has; whether that is new.
    pub fn review(&mut self) -> bool {
        let hash = Some(self.live.hash());
        let complete = |node: &NodeId| self.peers.get(node).is_some_and(|peer| peer.complete_for == hash);
        let is_complete = !self.live.nodes().is_empty() && self.live.nodes().iter().all(complete);
        let was_complete = std::mem::replace(&mut self.is_complete, is_complete);
        is_complete && !was_complete
    }

    /// Whether there is no other node, and none that was lost lately.
    pub fn is_alone(&self) -> bool {
        self.live.nodes() == [self.me] && self.losses.iter().all(|loss| loss.before.is_none())
    }

    /// Whether an account that nobody registered may all the same have been online on a node that was lost.
    pub fn may_be_lost(&self, account: AccountId) -> bool {
        let knew = |loss: &Loss| loss.before.as_ref().is_some_and(|live| live.is_owner(self.me, account));
        !self.losses.iter().all(knew)
    }

    /// Takes over who is live; who is lost by that.
    pub fn replace(&mut self, live: &LiveSet, at_ms: u64, unknown_until_ms: u64) -> Vec<NodeId> {
        let before = std::mem::replace(&mut self.live, live.clone());
        let lost: Vec<NodeId> = before.nodes().iter().copied().filter(|node| !live.contains(*node)).collect();
        if !lost.is_empty() {
            let before = self.is_complete.then_some(before);
            self.lose(Loss { until_ms: unknown_until_ms, before });
        }
        let hash = Some(live.hash());
        for node in live.nodes() {
            self.peers.entry(*node).or_default();
        }
        for peer in self.peers.values_mut() {
            peer.complete_for = peer.complete_for.filter(|known| Some(*known) == hash);
            peer.ask_at_ms = at_ms + ASK_MS;
            peer.ask_wait_ms = ASK_MS;
        }
        self.review();
        lost
    }

    fn lose(&mut self, loss: Loss) {
        if self.losses.len() < LOSSES_MAX {
            self.losses.push(loss);
        } else if let Some(last) = self.losses.last_mut() {
            *last = Loss { until_ms: loss.until_ms.max(last.until_ms), before: None };
        }
    }

    /// Forgets losses that are over; whether there were any.
    pub fn expire(&mut self, at_ms: u64) -> bool {
        let before = self.losses.len();
        self.losses.retain(|loss| loss.until_ms > at_ms);
        self.losses.len() < before
    }

    /// The nodes whose lost registrations are to be forgotten now, with the wall clock when they were heard last.
    pub fn lost_for_good(&mut self, at_ms: u64) -> Vec<(NodeId, Option<u64>)> {
        let mut lost = Vec::new();
        for (node, peer) in &mut self.peers {
            if peer.forget_at_ms.is_some_and(|due_ms| due_ms <= at_ms) {
                peer.forget_at_ms = None;
                lost.push((*node, Some(peer.lost_clock_ms)));
            }
        }
        lost
    }

    /// Forgets nodes that are not live and of which nothing more is to be expected.
    pub fn forget_strangers(&mut self, at_ms: u64) -> Vec<NodeId> {
        let mut forgotten = Vec::new();
        self.peers.retain(|node, peer| {
            let is_awaited = peer.stranger_until_ms.is_some_and(|until_ms| until_ms > at_ms);
            let stays = self.live.contains(*node) || peer.forget_at_ms.is_some() || is_awaited;
            if !stays {
                forgotten.push(*node);
            }
            stays
        });
        forgotten
    }

    /// The live nodes that are to be asked for everything now, each with the number of the request.
    pub fn due_questions(&mut self, at_ms: u64) -> Vec<(NodeId, u32)> {
        if self.is_complete {
            return Vec::new();
        }
        let hash = Some(self.live.hash());
        let mut asked = Vec::new();
        for (node, peer) in &mut self.peers {
            if peer.complete_for != hash && peer.ask_at_ms <= at_ms && self.live.contains(*node) {
                peer.ask_wait_ms = (peer.ask_wait_ms * 2).min(ASK_MAX_MS);
                peer.ask_at_ms = at_ms + peer.ask_wait_ms;
                asked.push((*node, peer.again));
            }
        }
        asked
    }

    /// Packets of that node were lost: what it says is complete only after the request with this number.
    pub fn gap(&mut self, node: NodeId, at_ms: u64) -> Option<u32> {
        let peer = self.peers.get_mut(&node)?;
        peer.again += 1;
        peer.complete_for = None;
        peer.is_in_order = false;
        peer.ask_wait_ms = ASK_MS;
        peer.ask_at_ms = at_ms + ASK_MS;
        let number = peer.again;
        self.review();
        Some(number)
    }
}
