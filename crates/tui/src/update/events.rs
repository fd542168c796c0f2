//! Events of the client. They are hints: what is shown and may have changed is read again.

use suda_client::event::{ClientEvent, ConnectionState};
use suda_proto::ConversationId;

use super::{entrance, navigation, presence};
use crate::effect::{Ask, Effect};
use crate::model::{Model, Screen};

/// Applies one event.
pub fn apply(model: &mut Model, event: ClientEvent, effects: &mut Vec<Effect>) {
    if model.me.is_none() {
        return;
    }
    match event {
        ClientEvent::Connection { state } => connection(model, state, effects),
        ClientEvent::ConversationChanged { conversation } => {
            navigation::want_list(model, effects);
            if is_open(model, conversation) {
                navigation::want_members(model, effects);
            }
        }
        ClientEvent::MessagesAdded { conversation, messages } => {
            navigation::want_list(model, effects);
            if is_open(model, conversation) {
                if let Some(open) = &mut model.open {
                    for message in &messages {
                        open.note_typing(message.author, false, model.now);
                    }
                }
                navigation::want_messages(model, effects);
            }
        }
        ClientEvent::MessagesChanged { conversation } | ClientEvent::SendFailed { conversation, .. } => {
            navigation::want_list(model, effects);
            if is_open(model, conversation) {
                navigation::want_messages(model, effects);
            }
        }
        ClientEvent::ConversationReset { conversation } => reset(model, conversation, effects),
        ClientEvent::MarksChanged { conversation } => {
            if is_open(model, conversation) {
                navigation::want_members(model, effects);
            }
        }
        ClientEvent::Typing { conversation, account, typing } => {
            let now = model.now;
            if let Some(open) = model.open.as_mut().filter(|open| open.id == conversation)
                && Some(account) != model.me
            {
                open.note_typing(account, typing, now);
            }
        }
        ClientEvent::PresenceChanged { .. } | ClientEvent::OnlineChanged { .. } => {
            presence::changed(model, &event, effects);
        }
        ClientEvent::OwnStateChanged { .. } => navigation::want_list(model, effects),
        ClientEvent::ContactsChanged | ClientEvent::DevicesChanged => {}
        ClientEvent::ProfilesChanged => {
            let accounts = model.people.ask_again();
            if !accounts.is_empty() {
                effects.push(Effect::Ask(Ask::People(accounts)));
            }
            navigation::want_list(model, effects);
        }
        ClientEvent::Lagged { .. } => read_everything(model, effects),
    }
}

fn is_open(model: &Model, conversation: ConversationId) -> bool {
    model.open.as_ref().is_some_and(|open| open.id == conversation)
}

fn connection(model: &mut Model, state: ConnectionState, effects: &mut Vec<Effect>) {
    let was_online = matches!(model.connection, ConnectionState::Online { .. });
    let is_online = matches!(state, ConnectionState::Online { .. });
    let is_logged_out = state == ConnectionState::LoggedOut;
    if let ConnectionState::Waiting { retry_in_ms } = state {
        model.retry_at = model.now.saturating_add(retry_in_ms);
    }
    model.connection = state;
    if is_logged_out && !matches!(model.screen, Screen::Entrance(_)) {
        entrance::leave(model, false);
    } else if is_online && !was_online {
        read_everything(model, effects);
    }
}

fn reset(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    if is_open(model, conversation) {
        if let Some(open) = &mut model.open {
            open.messages.clear();
            open.is_loaded = false;
            open.has_later = false;
            open.selected = None;
            open.unread_after = None;
            open.marked = 0;
        }
        navigation::want_messages(model, effects);
        navigation::want_members(model, effects);
    }
    navigation::want_list(model, effects);
}

fn read_everything(model: &mut Model, effects: &mut Vec<Effect>) {
    navigation::want_list(model, effects);
    navigation::want_messages(model, effects);
    navigation::want_members(model, effects);
    presence::want(model, effects);
}
