//! The port `Bus` within one process: for a server of one node, and for tests of several, with faults on request.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use suda_domain::mailbox::Mailbox;
use suda_domain::placement::NodeId;
use suda_domain::ports::Bus;
use suda_domain::ports::bus::{Dropped, PACKET_BYTES};

/// What nodes of one process join. Clones are the same hub.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    inside: Arc<Mutex<Inside>>,
}

/// What becomes of a packet on its way to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrive,
    /// It is lost, and nobody counts it.
    Lose,
    /// It arrives twice.
    Repeat,
    /// It is kept back until the next one that arrives there; one that is kept back already arrives now.
    KeepBack,
}

/// Decides over packets, by who sends and who is to hear. It must not use the hub itself.
pub type Judge = Box<dyn FnMut(NodeId, NodeId, &Bytes) -> Fate + Send>;

#[derive(Default)]
struct Inside {
    joined: Vec<Joined>,
    last_number: u64,
    judge: Option<Judge>,
    cut_off: Vec<NodeId>,
}

struct Joined {
    number: u64,
    node: NodeId,
    mailbox: Arc<Mailbox>,
    kept_back: Option<Bytes>,
}

/// One node's end of the bus. Dropping it is leaving.
#[derive(Debug)]
pub struct HubBus {
    hub: Hub,
    node: NodeId,
    number: u64,
    mailbox: Arc<Mailbox>,
    unsent: AtomicU64,
}

impl Hub {
    /// Makes a node join.
    pub fn join(&self, node: NodeId) -> HubBus {
        let mailbox = Arc::new(Mailbox::default());
        let mut inside = self.inside();
        inside.last_number += 1;
        let number = inside.last_number;
        inside.joined.push(Joined { number, node, mailbox: Arc::clone(&mailbox), kept_back: None });
        drop(inside);
        HubBus { hub: self.clone(), node, number, mailbox, unsent: AtomicU64::new(0) }
    }

    /// Lets `judge` decide over every packet from now on; without one, all arrive.
    pub fn judge(&self, judge: Option<Judge>) {
        self.inside().judge = judge;
    }

    /// Cuts a node off, or reconnects it: meanwhile it neither hears nor is heard, and knows it.
    pub fn cut_off(&self, node: NodeId, cut_off: bool) {
        let mut inside = self.inside();
        inside.cut_off.retain(|other| *other != node);
        if cut_off {
            inside.cut_off.push(node);
        }
    }

    /// Should a judge panic, the rest is whole all the same.
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn is_cut_off(&self, node: NodeId) -> bool {
        self.cut_off.contains(&node)
    }

    /// Brings a packet to whom it is addressed, `None` being all; not to the sender.
    fn carry(&mut self, sender: (u64, NodeId), address: Option<NodeId>, packet: &Bytes) {
        let Self { joined, judge, cut_off, .. } = self;
        let hears = |joined: &&mut Joined| {
            joined.number != sender.0
                && address.is_none_or(|node| node == joined.node)
                && !cut_off.contains(&joined.node)
        };
        for receiver in joined.iter_mut().filter(hears) {
            let fate = judge.as_mut().map_or(Fate::Arrive, |judge| judge(sender.1, receiver.node, packet));
            receiver.meet(fate, packet);
        }
    }
}

impl Joined {
    fn meet(&mut self, fate: Fate, packet: &Bytes) {
        let arrivals = match fate {
            Fate::Lose => return,
            Fate::KeepBack => {
                if let Some(earlier) = self.kept_back.replace(packet.clone()) {
                    self.mailbox.put(earlier);
                }
                return;
            }
            Fate::Arrive => 1,
            Fate::Repeat => 2,
        };
        for _ in 0..arrivals {
            self.mailbox.put(packet.clone());
        }
        if let Some(earlier) = self.kept_back.take() {
            self.mailbox.put(earlier);
        }
    }
}

impl HubBus {
    fn carry(&self, address: Option<NodeId>, packet: &Bytes) {
        let mut inside = self.hub.inside();
        if !inside.joined.iter().any(|joined| joined.number == self.number) {
            return;
        }
        if packet.len() > PACKET_BYTES || inside.is_cut_off(self.node) {
            self.unsent.fetch_add(1, Ordering::Relaxed);
            return;
        }
        inside.carry((self.number, self.node), address, packet);
    }

    fn go(&self) {
        self.hub.inside().joined.retain(|joined| joined.number != self.number);
        self.mailbox.close();
    }
}

#[async_trait]
impl Bus for HubBus {
    fn send(&self, node: NodeId, packet: Bytes) {
        self.carry(Some(node), &packet);
    }

    fn send_to_all(&self, packet: Bytes) {
        self.carry(None, &packet);
    }

    async fn receive(&self) -> Option<Bytes> {
        // A mailbox that is never empty must not keep the thread from other tasks.
        tokio::task::consume_budget().await;
        self.mailbox.take().await
    }

    fn is_connected(&self) -> bool {
        let inside = self.hub.inside();
        !inside.is_cut_off(self.node) && inside.joined.iter().any(|joined| joined.number == self.number)
    }

    fn dropped(&self) -> Dropped {
        Dropped { sending: self.unsent.load(Ordering::Relaxed), receiving: self.mailbox.dropped() }
    }

    async fn leave(&self) {
        self.go();
    }
}

impl Drop for HubBus {
    fn drop(&mut self) {
        self.go();
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<NodeId> = self.joined.iter().map(|joined| joined.node).collect();
        formatter.debug_struct("Inside").field("nodes", &nodes).finish_non_exhaustive()
    }
}
