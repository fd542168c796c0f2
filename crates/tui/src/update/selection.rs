//! Keys while a message is selected.

use crossterm::event::{KeyCode, KeyEvent};
use suda_client::model::{Message, MessageContent};

use super::{is_plain, scrolling};
use crate::effect::{Act, Ask, Effect};
use crate::model::Model;
use crate::model::conversation::{Intent, OpenConversation, has_failed, is_selectable};
use crate::model::dialog::{Dialog, Question, reaction_editor};
use crate::transcript;
use crate::words::Word;

/// Selects the message `steps` further; from nothing it begins at the bottom of the window. Beyond the newest nothing is selected.
pub fn step(model: &mut Model, steps: isize, effects: &mut Vec<Effect>) {
    let Some(open) = &mut model.open else {
        return;
    };
    let selectable: Vec<_> = open
        .messages
        .iter()
        .filter(|message| is_selectable(message))
        .map(|message| message.client_id)
        .collect();
    let here = open
        .selected
        .and_then(|id| selectable.iter().position(|candidate| *candidate == id))
        .unwrap_or_else(|| below_window(open));
    let there = here.saturating_add_signed(steps);
    open.selected = selectable.get(there).copied();
    match open.selected {
        None => scrolling::to_newest(model, effects),
        Some(_) if there == 0 => scrolling::by_pages(model, -1, effects),
        Some(_) => scrolling::to_selected(model, effects),
    }
}

/// How many messages that can be selected stand in the window and above it.
fn below_window(open: &OpenConversation) -> usize {
    let above = open.messages.iter().take(transcript::bottom_message(open) + 1);
    above.filter(|message| is_selectable(message)).count()
}

/// A key while a message is selected.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(message) = model.open.as_ref().and_then(|open| open.selected()).cloned() else {
        deselect(model);
        return;
    };
    match key.code {
        KeyCode::Up => step(model, -1, effects),
        KeyCode::Down => step(model, 1, effects),
        KeyCode::PageUp => scrolling::by_pages(model, -1, effects),
        KeyCode::PageDown => scrolling::by_pages(model, 1, effects),
        KeyCode::End => scrolling::to_newest(model, effects),
        KeyCode::Esc | KeyCode::Tab => deselect(model),
        KeyCode::Enter => reply(model, &message),
        KeyCode::Char(letter) if is_plain(key, letter) => {
            press_letter(model, letter, &message, effects);
        }
        _ => {}
    }
}

fn press_letter(model: &mut Model, letter: char, message: &Message, effects: &mut Vec<Effect>) {
    match letter {
        'k' => step(model, -1, effects),
        'j' => step(model, 1, effects),
        'r' => reply(model, message),
        'e' => edit(model, message),
        'd' => ask_to_delete(model, message),
        '+' | '=' => react(model, message),
        'i' => inform(model, message, effects),
        't' if has_failed(message) => {
            deselect(model);
            effects.push(Effect::Act(Act::Retry(message.client_id)));
        }
        'x' if has_failed(message) => {
            deselect(model);
            effects.push(Effect::Act(Act::Discard(message.client_id)));
        }
        '?' => model.dialog = Some(Dialog::Help { skipped: 0 }),
        _ => {}
    }
}

fn deselect(model: &mut Model) {
    if let Some(open) = &mut model.open {
        open.selected = None;
    }
}

/// The message's number; says so where it has none yet.
fn stored_seq(model: &mut Model, message: &Message) -> Option<u64> {
    if message.seq.is_none() {
        model.notify(model.language.say(Word::NotSentYet));
    }
    message.seq
}

fn reply(model: &mut Model, message: &Message) {
    let Some(seq) = stored_seq(model, message) else {
        return;
    };
    deselect(model);
    if let Some(open) = &mut model.open {
        if let Intent::Edit { draft, .. } = &open.intent {
            let draft = draft.clone();
            open.editor.set(&draft);
        }
        open.intent = Intent::Reply { seq };
    }
}

fn edit(model: &mut Model, message: &Message) {
    if Some(message.author) != model.me {
        model.notify(model.language.say(Word::OnlyOwn));
        return;
    }
    let Some(seq) = stored_seq(model, message) else {
        return;
    };
    let MessageContent::Text { text, .. } = &message.content else {
        model.notify(model.language.say(Word::NothingToChange));
        return;
    };
    deselect(model);
    if let Some(open) = &mut model.open {
        let draft = open.draft().to_owned();
        open.intent = Intent::Edit { seq, draft };
        open.editor.set(text);
    }
}

fn ask_to_delete(model: &mut Model, message: &Message) {
    let is_own = Some(message.author) == model.me;
    let may_delete =
        model.open_summary().is_some_and(|summary| summary.role > Some(suda_proto::entry::Role::Member));
    if !is_own && !may_delete {
        model.notify(model.language.say(Word::OnlyOwn));
        return;
    }
    if let Some(seq) = stored_seq(model, message) {
        model.dialog = Some(Dialog::Confirm(Question::Delete { conversation: message.conversation, seq }));
    }
}

fn react(model: &mut Model, message: &Message) {
    if let Some(seq) = stored_seq(model, message) {
        let editor = reaction_editor();
        model.dialog = Some(Dialog::React { seq, editor });
    }
}

fn inform(model: &mut Model, message: &Message, effects: &mut Vec<Effect>) {
    let Some(seq) = stored_seq(model, message) else {
        return;
    };
    let reactions = message.reactions.is_empty().then(Vec::new);
    if reactions.is_none() {
        effects.push(Effect::Ask(Ask::Reactions(message.conversation, seq)));
    }
    model.dialog = Some(Dialog::Info { message: Box::new(message.clone()), reactions });
}
