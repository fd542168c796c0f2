//! Ids: 128-bit UUIDs under names of their own, and the position of an entry.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The sixteen bytes, most significant first; their order is the id's order.
            pub const fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::from_str(text).map(Self)
            }
        }
    };
}

id!(
    /// A user. UUIDv7, made by the server at sign-up.
    AccountId
);
id!(
    /// An installation that logged in; holds one token. UUIDv7, made by the server at login.
    DeviceId
);
id!(
    /// A conversation: UUIDv7 for a group, derived for `direct` and `self`.
    ConversationId
);
id!(
    /// Made by the client for every act that must happen once (UUIDv7). Together with conversation and account it
    /// names the act for ever: sent again, it yields the same entry.
    ClientId
);

/// A UUIDv8 (RFC 9562) from the SHA-256 of `parts`, each preceded by its length, under a domain-separating `label`.
pub fn derived(label: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in std::iter::once(label.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl ConversationId {
    /// The direct conversation of two accounts; the same whichever of them asks.
    pub fn direct(a: AccountId, b: AccountId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self(derived("suda.direct.1", &[low.bytes(), high.bytes()]))
    }

    /// The account's own conversation, which carries what its devices must agree on.
    pub fn own(account: AccountId) -> Self {
        Self(derived("suda.self.1", &[account.bytes()]))
    }

    /// The group that `creator` makes under `client_id`; asking twice makes one group.
    pub fn group(creator: AccountId, client_id: ClientId) -> Self {
        Self(derived("suda.group.1", &[creator.bytes(), client_id.bytes()]))
    }
}

impl ClientId {
    /// The id of an act that the server derives from `cause`, so that repeating the cause repeats the id.
    pub fn caused_by(label: &str, parts: &[&[u8]]) -> Self {
        Self(derived(label, parts))
    }
}

/// Where an entry stands: the message id, within its conversation.
///
/// Sequences of one epoch are 1, 2, 3, … without gaps. Another epoch means that the history may differ from what a
/// device saw (a restored backup): reset the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// The incarnation of the log.
    pub epoch: u32,
    /// The entry's number.
    pub seq: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_stable_across_versions() {
        let a = AccountId::from_bytes([1; 16]);
        let b = AccountId::from_bytes([2; 16]);
        assert_eq!(ConversationId::direct(a, b), ConversationId::direct(b, a));
        assert_eq!(ConversationId::direct(a, b).to_string(), "f7153420-bbb1-815f-958e-bd75d9d88d7a");
    }
}
