//! What ties nodes to an account: their registrations and their interest, without memory of its own for the first few.

use crate::placement::NodeId;
use crate::presence::Availability;

/// Links that need no memory of their own.
const FEW: usize = 3;

/// What a node has to do with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    /// It wants to be told.
    Watches,
    /// It registered the account as away.
    Away,
    /// It registered the account as online.
    Online,
    /// It had registered the account as away when it was lost.
    LostAway,
    /// It had registered the account as online when it was lost.
    LostOnline,
}

impl Tie {
    /// What a registration says about the account.
    pub const fn availability(self) -> Availability {
        match self {
            Self::Watches => Availability::Offline,
            Self::Away | Self::LostAway => Availability::Away,
            Self::Online | Self::LostOnline => Availability::Online,
        }
    }

    /// Whether it is a registration that its node still stands by.
    pub const fn is_registration(self) -> bool {
        matches!(self, Self::Away | Self::Online)
    }

    /// Whether it is a registration of sessions that are lost.
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::LostAway | Self::LostOnline)
    }

    /// The registration as a lost one, or one again.
    pub const fn with_lost(self, is_lost: bool) -> Self {
        match self {
            Self::Watches => Self::Watches,
            Self::Away | Self::LostAway if is_lost => Self::LostAway,
            Self::Away | Self::LostAway => Self::Away,
            Self::Online | Self::LostOnline if is_lost => Self::LostOnline,
            Self::Online | Self::LostOnline => Self::Online,
        }
    }
}

/// One tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose.
    pub node: NodeId,
    /// Which.
    pub tie: Tie,
    /// In which of the node's rounds it was last said.
    pub round: u8,
}

const NO_LINK: Link = Link { node: NodeId(0), tie: Tie::Watches, round: 0 };

/// All ties of an account.
#[derive(Debug)]
pub enum Links {
    /// A few, side by side.
    Few(u8, [Link; FEW]),
    /// More of them.
    Many(Vec<Link>),
}

impl Default for Links {
    fn default() -> Self {
        Self::Few(0, [NO_LINK; FEW])
    }
}

impl Links {
    /// All of them.
    pub fn all(&self) -> &[Link] {
        match self {
            Self::Few(count, links) => &links[..usize::from(*count)],
            Self::Many(links) => links,
        }
    }

    /// All of them, to be changed.
    pub fn all_mut(&mut self) -> &mut [Link] {
        match self {
            Self::Few(count, links) => &mut links[..usize::from(*count)],
            Self::Many(links) => links,
        }
    }

    /// One more.
    pub fn add(&mut self, link: Link) {
        match self {
            Self::Few(count, links) if usize::from(*count) < FEW => {
                links[usize::from(*count)] = link;
                *count += 1;
            }
            Self::Few(_, links) => *self = Self::Many(links.iter().copied().chain([link]).collect()),
            Self::Many(links) => links.push(link),
        }
    }

    /// Keeps only these; whether any went.
    pub fn retain(&mut self, mut keep: impl FnMut(&Link) -> bool) -> bool {
        if self.all().iter().all(&mut keep) {
            return false;
        }
        let kept: Vec<Link> = self.all().iter().copied().filter(keep).collect();
        *self = Self::default();
        kept.into_iter().for_each(|link| self.add(link));
        true
    }

    /// Bytes of heap that it holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Few(..) => 0,
            Self::Many(links) => links.capacity() * size_of::<Link>(),
        }
    }
}
