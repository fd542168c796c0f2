//! What every node says of itself to all others, once a second.

use serde::{Deserialize, Serialize};

use super::frame::{FrameError, NUMBER_MAX};
use crate::placement::NodeId;

/// Time between two heartbeats in milliseconds.
pub const BEAT_MS: u64 = 1_000;

/// Longest address of a gateway in bytes.
pub const ADDRESS_MAX: usize = 256;

/// Longest name of a zone in bytes.
pub const ZONE_MAX: usize = 64;

/// Most receivers of which a heartbeat speaks.
pub const SENT_MAX: usize = 4_096;

/// The form that is written.
const VERSION: u8 = 1;

/// What a node does, as a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Roles(u16);

impl Roles {
    /// Sign-up, login and the other calls that keep nothing.
    pub const API: Self = Self(1);
    /// Keeps the sessions of devices.
    pub const GATEWAY: Self = Self(2);
    /// Numbers and commits the entries of conversations.
    pub const HOST: Self = Self(4);
    /// Keeps who is online.
    pub const PRESENCE: Self = Self(8);
    /// Pushes to devices that are not connected.
    pub const NOTIFY: Self = Self(16);
    /// All of them.
    pub const ALL: Self = Self(31);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are among these.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// How far a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// It takes whatever comes.
    Serving,
    /// It is live, but takes no new sessions and conversations.
    Draining,
    /// It says goodbye: this is its last heartbeat.
    Leaving,
}

/// What a node tells of itself, beside who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What it does.
    pub roles: Roles,
    /// Where devices reach its gateway; at most [`ADDRESS_MAX`] bytes.
    pub address: String,
    /// Where it stands; at most [`ZONE_MAX`] bytes.
    pub zone: String,
    /// Sessions that it has.
    pub load: u32,
    /// Sessions that it could have.
    pub capacity: u32,
    /// How far it is.
    pub stage: Stage,
}

/// A heartbeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Whose.
    pub node: NodeId,
    /// Its start; later ones have greater numbers.
    pub incarnation: u64,
    /// Counts the heartbeats of this incarnation, from 1.
    pub number: u64,
    /// When it was sent, in milliseconds since 1970.
    pub clock_ms: u64,
    /// Whether its clock is good enough for numbering entries.
    pub may_host: bool,
    /// What it tells of itself.
    pub profile: Profile,
    /// What it sent, so that the loss of the last packet is noticed, too.
    pub sent: Sent,
}

/// The numbers of the newest packets that a node sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// To all nodes; 0 for none.
    pub all: u64,
    /// To single nodes; at most [`SENT_MAX`].
    pub one: Vec<SentTo>,
}

/// The number of the newest packet that went to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTo {
    /// To which.
    pub node: NodeId,
    /// To which of its incarnations.
    pub incarnation: u64,
    /// Which number.
    pub number: u64,
}

impl Heartbeat {
    /// The heartbeat's bytes, beginning with a version.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_extend(self, vec![VERSION]);
        bytes.expect("plain values serialise")
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// If the bytes are anything else, or something in them is too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let beat = match bytes.split_first() {
            Some((&VERSION, rest)) => postcard::from_bytes::<Self>(rest).ok(),
            Some((&newer, _)) if newer > VERSION => return Err(FrameError::Newer(newer)),
            _ => None,
        };
        beat.filter(Self::is_bounded).ok_or(FrameError::Malformed("heartbeat"))
    }

    fn is_bounded(&self) -> bool {
        let Self { profile, sent, .. } = self;
        let mut numbers = sent.one.iter().map(|sent| sent.number).chain([sent.all]);
        profile.address.len() <= ADDRESS_MAX
            && profile.zone.len() <= ZONE_MAX
            && sent.one.len() <= SENT_MAX
            && numbers.all(|number| number <= NUMBER_MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beat(address: usize, sent: usize) -> Heartbeat {
        let to = SentTo { node: NodeId(9), incarnation: u64::MAX, number: 70_000 };
        Heartbeat {
            node: NodeId(4),
            incarnation: 1_800_000_000_000,
            number: 12,
            clock_ms: 1_800_000_000_123,
            may_host: true,
            profile: Profile {
                roles: Roles::GATEWAY.and(Roles::HOST),
                address: "a".repeat(address),
                zone: "north".to_owned(),
                load: 7,
                capacity: 100_000,
                stage: Stage::Draining,
            },
            sent: Sent { all: 3, one: vec![to; sent] },
        }
    }

    #[test]
    fn what_was_written_is_read_within_bounds() {
        for beat in [beat(0, 0), beat(ADDRESS_MAX, SENT_MAX)] {
            assert_eq!(Heartbeat::decode(&beat.encode()), Ok(beat));
        }
        for beat in [beat(ADDRESS_MAX + 1, 0), beat(0, SENT_MAX + 1)] {
            assert_eq!(Heartbeat::decode(&beat.encode()), Err(FrameError::Malformed("heartbeat")));
        }
        assert_eq!(Heartbeat::decode(&[2]), Err(FrameError::Newer(2)));
        assert!(beat(ADDRESS_MAX, SENT_MAX).encode().len() < super::super::frame::PAYLOAD_MAX);
    }

    /// Changing the form splits a cluster while it is upgraded: it takes a new version.
    #[test]
    fn the_form_never_changes() {
        let bytes = beat(1, 1).encode();
        let golden = [
            1, 4, 128, 160, 241, 194, 177, 52, 12, 251, 160, 241, 194, 177, 52, 1, 6, 1, 97, 5, 110, 111,
            114, 116, 104, 7, 160, 141, 6, 1, 3, 1, 9, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 240,
            162, 4,
        ];
        assert_eq!(bytes, golden);
    }

    proptest! {
        #[test]
        fn damaged_bytes_do_no_harm(flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..20), cut in any::<usize>()) {
            let mut bytes = beat(20, 5).encode();
            let count = bytes.len();
            for (at, value) in flips {
                bytes[at % count] = value;
            }
            bytes.truncate(cut % (count + 1));
            let _ = Heartbeat::decode(&bytes);
        }
    }
}
