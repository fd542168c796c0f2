//! Which nodes are responsible for an account or a conversation: rendezvous hashing over the live nodes.
//!
//! Every node computes the same owners and hosts from the same live nodes, without asking anybody. When a node comes or
//! goes, only those move of which it is or becomes responsible. The hash is pinned by a test: nodes of different
//! versions must agree.

use serde::{Deserialize, Serialize};
use suda_proto::{AccountId, ConversationId};

/// A node, as short as possible: many registrations are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u16);

/// The nodes that are live, as one node sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveSet {
    nodes: Vec<NodeId>,
    hash: u64,
}

impl LiveSet {
    /// These nodes, in any order.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
        nodes.sort_unstable();
        nodes.dedup();
        let hash = nodes.iter().fold(mixed(nodes.len() as u64), |hash, node| mixed(hash ^ u64::from(node.0)));
        Self { nodes, hash }
    }

    /// The nodes in their order.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// Whether the node is live.
    pub fn contains(&self, node: NodeId) -> bool {
        self.nodes.binary_search(&node).is_ok()
    }

    /// The same number for the same nodes, on every machine and for ever.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The account's owners; `None` where no node is live.
    pub fn owners(&self, account: AccountId) -> Option<Owners> {
        let mut ranked = self.ranked(key(account.bytes()));
        let mut first = ranked.next()?;
        let mut second = None;
        for candidate in ranked {
            if candidate > first {
                second = Some(first);
                first = candidate;
            } else if second.is_none_or(|second| candidate > second) {
                second = Some(candidate);
            }
        }
        Some(Owners { first: first.1, second: second.map(|(_, node)| node) })
    }

    /// The node that hosts the conversation; `None` where no node is live.
    pub fn host_of(&self, conversation: ConversationId) -> Option<NodeId> {
        self.ranked(key(conversation.bytes()) ^ HOST_SALT).max().map(|(_, node)| node)
    }

    fn ranked(&self, key: u64) -> impl Iterator<Item = (u64, NodeId)> {
        self.nodes.iter().map(move |node| (mixed(key ^ mixed(u64::from(node.0) + 1)), *node))
    }

    /// Whether `node` is one of the account's owners.
    pub fn is_owner(&self, node: NodeId, account: AccountId) -> bool {
        self.owners(account).is_some_and(|owners| owners.contains(node))
    }
}

/// Who keeps an account's registrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owners {
    /// Whom to ask.
    pub first: NodeId,
    /// Whom to ask where the first does not know; absent with one node.
    pub second: Option<NodeId>,
}

impl Owners {
    /// Both of them.
    pub fn iter(self) -> impl Iterator<Item = NodeId> {
        std::iter::once(self.first).chain(self.second)
    }

    /// Whether `node` is one of them.
    pub fn contains(self, node: NodeId) -> bool {
        self.first == node || self.second == Some(node)
    }
}

/// Keeps the hosts of conversations apart from the owners of accounts; `suda.hos` in ASCII.
const HOST_SALT: u64 = 0x7375_6461_2e68_6f73;

fn key(id: &[u8; 16]) -> u64 {
    let number = u128::from_be_bytes(*id);
    mixed(mixed((number >> 64) as u64) ^ number as u64)
}

/// The finaliser of SplitMix64: every bit of the input changes about half of the output's.
pub(crate) const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u32) -> AccountId {
        let mut bytes = [7; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        AccountId::from_bytes(bytes)
    }

    fn conversation(number: u32) -> ConversationId {
        ConversationId::from_bytes(*account(number).bytes())
    }

    fn nodes(numbers: impl IntoIterator<Item = u16>) -> LiveSet {
        LiveSet::new(numbers.into_iter().map(NodeId))
    }

    #[test]
    fn owners_and_hash_never_change() {
        let live = nodes([9, 3, 5, 1, 9]);
        assert_eq!(live.hash(), GOLDEN_HASH);
        let owners: Vec<_> = (0..6)
            .filter_map(|number| live.owners(account(number)))
            .map(|owners| (owners.first.0, owners.second.map(|node| node.0)))
            .collect();
        assert_eq!(owners, GOLDEN_OWNERS);
    }

    /// Computed by another program: changing them splits a cluster while it is upgraded.
    const GOLDEN_HASH: u64 = 0xc6c1_3a53_e53d_ee65;
    const GOLDEN_OWNERS: [(u16, Option<u16>); 6] =
        [(3, Some(1)), (3, Some(9)), (9, Some(5)), (5, Some(3)), (9, Some(3)), (3, Some(9))];
    const GOLDEN_HOSTS: [u16; 12] = [3, 9, 9, 5, 5, 9, 5, 3, 3, 5, 9, 3];

    #[test]
    fn hosts_never_change() {
        let live = nodes([9, 3, 5, 1]);
        let hosts: Vec<_> =
            (0..12).filter_map(|number| live.host_of(conversation(number))).map(|node| node.0).collect();
        assert_eq!(hosts, GOLDEN_HOSTS);
        assert_eq!(nodes([]).host_of(conversation(1)), None);
    }

    #[test]
    fn a_lost_host_moves_only_its_own_and_evenly() {
        let (before, after) = (nodes(0..8), nodes(1..8));
        let mut moved = [0; 8];
        for number in 0..8_000 {
            let (old, new) = (before.host_of(conversation(number)), after.host_of(conversation(number)));
            if old == Some(NodeId(0)) {
                moved[usize::from(new.expect("has a host").0)] += 1;
            } else {
                assert_eq!(old, new);
            }
        }
        assert!(moved[1..].iter().all(|count| (100..190).contains(count)), "{moved:?}");
    }

    #[test]
    fn few_nodes_have_few_owners() {
        assert_eq!(nodes([]).owners(account(1)), None);
        assert_eq!(nodes([4]).owners(account(1)), Some(Owners { first: NodeId(4), second: None }));
        assert_ne!(nodes([1]).hash(), nodes([2]).hash());
        assert_ne!(nodes([]).hash(), nodes([0]).hash());
    }

    #[test]
    fn a_lost_node_moves_only_its_own_and_the_second_takes_over() {
        let (before, after) = (nodes(0..8), nodes(1..8));
        let mut owned = 0;
        for number in 0..8_000 {
            let old = before.owners(account(number)).expect("has owners");
            let new = after.owners(account(number)).expect("has owners");
            if old.first == NodeId(0) {
                owned += 1;
                assert_eq!(Some(new.first), old.second);
            } else {
                assert_eq!(new.first, old.first);
            }
            assert!(old.second == Some(NodeId(0)) || old.first == NodeId(0) || old == new);
        }
        assert!((900..1_100).contains(&owned), "{owned} of 8,000");
    }
}
