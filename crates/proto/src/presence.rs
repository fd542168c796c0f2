//! Presence: who is there, as others may see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::AccountId;

/// Whether somebody is there, taken over all devices of an account: the best of them counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// A device is connected, and somebody is looking at it.
    Online,
    /// A device is connected, but nobody is looking.
    Away,
    /// No device is connected.
    Offline,
}

/// What one account is told of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// A device is connected, and somebody is looking at it.
    Online,
    /// A device is connected, but nobody is looking.
    Away,
    /// No device is connected.
    Offline,
    /// Not for this account to see: a setting of either, a block, or there is no such account.
    Hidden,
    /// The server cannot tell now; it will as soon as it can. A state of a later version reads as this one too.
    #[serde(other)]
    Unknown,
}

impl From<Availability> for PresenceState {
    fn from(availability: Availability) -> Self {
        match availability {
            Availability::Online => Self::Online,
            Availability::Away => Self::Away,
            Availability::Offline => Self::Offline,
        }
    }
}

/// How one account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    /// Whose.
    pub account: AccountId,
    /// Whether it is there.
    pub state: PresenceState,
    /// When somebody was last looking, milliseconds since 1970; absent while online, hidden or unknown, and for whoever
    /// never was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_active_at: Option<u64>,
}

/// Answers `watch`, in the order asked; as an event, the states that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presences {
    /// The accounts.
    pub accounts: Vec<Presence>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_stable_names_and_those_of_later_versions_are_unknown() {
        use PresenceState::{Away, Hidden, Offline, Online, Unknown};
        let names = [
            (Online, "online"),
            (Away, "away"),
            (Offline, "offline"),
            (Hidden, "hidden"),
            (Unknown, "unknown"),
        ];
        for (state, name) in names {
            let text = format!("\"{name}\"");
            assert_eq!(serde_json::to_string(&state).expect("writes"), text);
            assert_eq!(serde_json::from_str::<PresenceState>(&text).expect("reads"), state);
        }
        let later: PresenceState = serde_json::from_str("\"dancing\"").expect("reads");
        assert_eq!(later, Unknown);
        for availability in [Availability::Online, Availability::Away, Availability::Offline] {
            let (one, other) = (availability, PresenceState::from(availability));
            let texts = (serde_json::to_string(&one), serde_json::to_string(&other));
            assert_eq!(texts.0.expect("writes"), texts.1.expect("writes"), "both call it the same");
        }
    }

    #[test]
    fn a_time_that_is_not_told_is_absent() {
        let account = AccountId::from_bytes([1; 16]);
        let told = Presence { account, state: PresenceState::Offline, last_active_at: Some(7) };
        let hidden = Presence { account, state: PresenceState::Hidden, last_active_at: None };
        let texts = [
            (told, format!(r#"{{"account":"{account}","state":"offline","last_active_at":7}}"#)),
            (hidden, format!(r#"{{"account":"{account}","state":"hidden"}}"#)),
        ];
        for (presence, text) in texts {
            assert_eq!(serde_json::to_string(&presence).expect("writes"), text);
            assert_eq!(serde_json::from_str::<Presence>(&text).expect("reads"), presence);
        }
    }
}
