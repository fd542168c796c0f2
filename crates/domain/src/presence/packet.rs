//! What nodes say to each other about presence: a closed set of packets.
//!
//! Between two nodes packets come in order, each at most once; where some were lost, the bus says so (a *gap*), and the
//! machines say everything again.

use suda_proto::AccountId;

use super::Standing;
use crate::placement::NodeId;

/// Most accounts in a packet; more are sent in several.
pub const ACCOUNTS_MAX: usize = 512;

/// A packet and where it goes; also to the node itself, whose machines are no exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The receiver.
    pub to: NodeId,
    /// What it gets.
    pub packet: Packet,
}

/// What is sent, with the sender's opinion about who is live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// [`crate::placement::LiveSet::hash`] of the sender.
    pub live: u64,
    /// What is said.
    pub body: Body,
}

/// Every packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Registrar to owner: all that I have follows, in `Register` packets. Another incarnation than before means that
    /// I was started anew and that my former sessions are lost.
    Begin {
        /// Differs with every start of the sender.
        incarnation: u64,
    },
    /// Registrar to owner: so these accounts stand on my node from now on; offline ones have no session here any more.
    Register {
        /// At most [`ACCOUNTS_MAX`].
        standings: Vec<Standing>,
    },
    /// Registrar to owner: that was all; what I registered before and did not repeat is gone.
    Complete {
        /// The number of the newest [`Body::Again`] that I got from you, 0 for none.
        again: u32,
    },
    /// Owner to registrar and observer: packets of yours were lost; say everything again.
    Again {
        /// Counts the owner's requests; later ones are greater.
        number: u32,
    },
    /// Observer to owner: tell me about these from now on, beginning with how they stand.
    Watch {
        /// At most [`ACCOUNTS_MAX`].
        accounts: Vec<AccountId>,
    },
    /// Observer to owner: tell me about these no more.
    Unwatch {
        /// At most [`ACCOUNTS_MAX`].
        accounts: Vec<AccountId>,
    },
    /// Owner to observer: so these stand.
    States {
        /// Together with `unknown` at most [`ACCOUNTS_MAX`].
        standings: Vec<Standing>,
        /// About these I cannot say anything for now; I will, as soon as I can.
        unknown: Vec<AccountId>,
    },
    /// Locator to owner: where do these have sessions?
    Locate {
        /// Comes back with the answer.
        question: u64,
        /// At most [`ACCOUNTS_MAX`].
        accounts: Vec<AccountId>,
    },
    /// Owner to locator.
    Located {
        /// Which question this answers.
        question: u64,
        /// The nodes with sessions, for every account about which I am sure; none is an answer, too.
        places: Vec<(AccountId, Vec<NodeId>)>,
        /// Ask somebody else about these.
        unknown: Vec<AccountId>,
    },
}

impl Body {
    /// Addresses it.
    pub fn to(self, to: NodeId, live: u64) -> Outgoing {
        Outgoing { to, packet: Packet { live, body: self } }
    }
}
