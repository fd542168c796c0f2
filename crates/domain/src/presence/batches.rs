//! Saying things in packets of bounded size: what goes to the same node together, and saying everything again.

use std::collections::BTreeMap;

use super::packet::{ACCOUNTS_MAX, Body, Outgoing};
use crate::placement::NodeId;

/// Records that one step of a pass looks at.
const STEP: u32 = 16_384;

/// Gathers what goes to the same node into packets that are as full as they may be.
pub struct Batches<T> {
    by_node: BTreeMap<NodeId, Vec<T>>,
    wrap: fn(Vec<T>) -> Body,
    live: u64,
}

impl<T> Batches<T> {
    /// Packets of one kind, of a sender that believes the nodes with this hash live.
    pub fn new(wrap: fn(Vec<T>) -> Body, live: u64) -> Self {
        Self { by_node: BTreeMap::new(), wrap, live }
    }

    /// Adds an item to what goes to `to`.
    pub fn push(&mut self, to: NodeId, item: T, out: &mut Vec<Outgoing>) {
        let batch = self.by_node.entry(to).or_default();
        batch.push(item);
        if batch.len() >= ACCOUNTS_MAX {
            out.push((self.wrap)(std::mem::take(batch)).to(to, self.live));
        }
    }

    /// Sends what is left.
    pub fn finish(self, out: &mut Vec<Outgoing>) {
        let Self { by_node, wrap, live } = self;
        let left = by_node.into_iter().filter(|(_, batch)| !batch.is_empty());
        out.extend(left.map(|(to, batch)| wrap(batch).to(to, live)));
    }
}

/// Goes through all records, a step at a time, to say them again to certain nodes.
#[derive(Debug, Default)]
pub struct Passes {
    /// At most one for each node.
    passes: Vec<Pass>,
}

/// One way through the records.
#[derive(Debug)]
pub struct Pass {
    /// Who is told.
    pub to: Vec<NodeId>,
    cursor: u32,
}

/// What a step of a pass is about.
pub struct Step {
    /// Who is told.
    pub to: Vec<NodeId>,
    /// Whether it is the pass's first.
    pub is_first: bool,
    /// Whether it is its last.
    pub is_last: bool,
    /// Which records.
    pub numbers: std::ops::Range<u32>,
}

impl Passes {
    /// Begins anew, for all these nodes.
    pub fn restart(&mut self, to: &[NodeId]) {
        self.passes.clear();
        self.passes.push(Pass { to: to.to_vec(), cursor: 0 });
    }

    /// Begins anew for one node.
    pub fn restart_for(&mut self, node: NodeId) {
        for pass in &mut self.passes {
            pass.to.retain(|other| *other != node);
        }
        self.passes.push(Pass { to: vec![node], cursor: 0 });
        self.passes.retain(|pass| !pass.to.is_empty());
    }

    /// Whether anything is still to be said to that node.
    pub fn concern(&self, node: NodeId) -> bool {
        self.passes.iter().any(|pass| pass.to.contains(&node))
    }

    /// Whether anything is still to be said.
    pub const fn is_under_way(&self) -> bool {
        !self.passes.is_empty()
    }

    /// The next step of every pass, over records whose numbers end before `end`.
    pub fn steps(&mut self, end: u32) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.passes.len());
        self.passes.retain_mut(|pass| {
            let from = pass.cursor;
            pass.cursor = from.saturating_add(STEP).min(end).max(from);
            let is_last = pass.cursor >= end;
            let to = pass.to.clone();
            steps.push(Step { to, is_first: from == 0, is_last, numbers: from..pass.cursor });
            !is_last
        });
        steps
    }
}
