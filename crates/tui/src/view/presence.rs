//! How somebody's presence looks: a sign beside the name, and a sentence in the head of a direct conversation.

use ratatui::style::Style;
use suda_proto::presence::{Presence, PresenceState};

use crate::calendar::Moment;
use crate::model::Model;
use crate::theme;
use crate::words::Word;

/// The sign of somebody who is there; its shape alone says it. Both are one cell wide in every terminal, also in those
/// that draw circles of ambiguous width in two.
pub fn sign(presence: Option<&Presence>) -> Option<(&'static str, Style)> {
    match presence?.state {
        PresenceState::Online => Some(("◉", theme::WELL)),
        PresenceState::Away => Some(("◦", theme::WAITING)),
        PresenceState::Offline | PresenceState::Hidden | PresenceState::Unknown => None,
    }
}

/// Whether somebody is there, or when that was last; empty where that is not to be seen.
pub fn sentence(model: &Model, presence: &Presence) -> String {
    let say = |word| model.language.say(word).to_owned();
    match (presence.state, presence.last_active_at) {
        (PresenceState::Online, _) => say(Word::IsOnline),
        (PresenceState::Away, _) => say(Word::IsAway),
        (PresenceState::Offline, None) => say(Word::IsOffline),
        (PresenceState::Offline, Some(at)) => {
            let moment = |at| Moment::local(at, &model.zone);
            let minutes = model.now.saturating_sub(at) / 60_000;
            model.language.last_seen(minutes, &moment(at), &moment(model.now))
        }
        (PresenceState::Hidden | PresenceState::Unknown, _) => String::new(),
    }
}
