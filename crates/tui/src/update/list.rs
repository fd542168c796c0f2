//! Keys in the list of conversations.

use crossterm::event::{KeyCode, KeyEvent};
use suda_client::model::{ConversationSummary, Mute};
use suda_proto::ConversationId;

use super::{is_plain, navigation, picker_dialog};
use crate::effect::{Act, Ask, Effect};
use crate::model::dialog::{Dialog, PickFor};
use crate::model::{Model, Pane};
use crate::words::Word;

/// How far PageUp and PageDown go.
const PAGE: usize = 8;

/// A key in the list.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let index = model.list.selected_index().unwrap_or_default();
    match key.code {
        KeyCode::Up => select(model, index.saturating_sub(1), effects),
        KeyCode::Down => select(model, index + 1, effects),
        KeyCode::PageUp => select(model, index.saturating_sub(PAGE), effects),
        KeyCode::PageDown => select(model, index + PAGE, effects),
        KeyCode::Home => select(model, 0, effects),
        KeyCode::End => select(model, usize::MAX, effects),
        KeyCode::Enter | KeyCode::Right => open_selected(model, effects),
        KeyCode::Tab | KeyCode::BackTab if model.open.is_some() => model.pane = Pane::Conversation,
        KeyCode::Tab => open_selected(model, effects),
        KeyCode::Esc if model.list.shows_archive => show_archive(model, false),
        KeyCode::Char(_) => press_letter(model, key, index, effects),
        _ => {}
    }
}

fn press_letter(model: &mut Model, key: KeyEvent, index: usize, effects: &mut Vec<Effect>) {
    let selected = model.list.selected().map(|summary| summary.conversation);
    match key.code {
        _ if is_plain(key, 'k') => select(model, index.saturating_sub(1), effects),
        _ if is_plain(key, 'j') => select(model, index + 1, effects),
        _ if is_plain(key, '?') => model.dialog = Some(Dialog::Help { skipped: 0 }),
        _ if is_plain(key, 'n') => model.dialog = Some(picker_dialog(PickFor::Direct)),
        _ if is_plain(key, 'g') => model.dialog = Some(picker_dialog(PickFor::Group)),
        _ if is_plain(key, 'A') => show_archive(model, !model.list.shows_archive),
        _ => {
            let Some(conversation) = selected else {
                return;
            };
            match key.code {
                _ if is_plain(key, 'p') => toggle_pin(model, conversation, effects),
                _ if is_plain(key, 'm') => toggle_mute(model, conversation, effects),
                _ if is_plain(key, 'a') => toggle_archived(model, conversation, effects),
                _ => {}
            }
        }
    }
}

fn select(model: &mut Model, index: usize, effects: &mut Vec<Effect>) {
    let is_at_end = model.list.select(index);
    if is_at_end && std::mem::take(&mut model.list.may_have_more) {
        effects.push(Effect::Ask(Ask::MoreConversations));
    }
}

fn open_selected(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(summary) = model.list.selected() {
        navigation::open(model, summary.conversation, effects);
    }
}

fn show_archive(model: &mut Model, shows: bool) {
    model.list.shows_archive = shows;
    model.list.select(0);
}

/// Pins a conversation above all others, or no longer.
pub fn toggle_pin(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    let Some(summary) = model.list.find(conversation) else {
        return;
    };
    let (pin, word) = match summary.pin {
        Some(_) => (None, Word::Unpinned),
        None => (Some(place_above(&model.list.conversations)), Word::Pinned),
    };
    model.notify(model.language.say(word));
    effects.push(Effect::Act(Act::SetPin(conversation, pin)));
}

/// Mutes a conversation for ever, save for mentions, or no longer.
pub fn toggle_mute(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    let Some(summary) = model.list.find(conversation) else {
        return;
    };
    let (mute, word) = match summary.mute {
        Some(_) => (None, Word::Unmuted),
        None => {
            let mute = Mute { until: None, except_mentions: true };
            (Some(mute), Word::Muted)
        }
    };
    model.notify(model.language.say(word));
    effects.push(Effect::Act(Act::SetMute(conversation, mute)));
}

/// Puts a conversation into the archive, or back.
pub fn toggle_archived(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    let Some(summary) = model.list.find(conversation) else {
        return;
    };
    let archived = !summary.archived;
    let word = if archived { Word::Archived } else { Word::Unarchived };
    model.notify(model.language.say(word));
    effects.push(Effect::Act(Act::SetArchived(conversation, archived)));
}

/// A pin that stands before every other one.
fn place_above(conversations: &[ConversationSummary]) -> f64 {
    let pins = conversations.iter().filter_map(|summary| summary.pin);
    pins.fold(1.0, f64::min) - 1.0
}
