//! Keys in the message box.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{commands, navigation, scrolling, selection};
use crate::areas::{areas, writing_width};
use crate::completion;
use crate::effect::{Act, Effect};
use crate::model::conversation::{Intent, OpenConversation};
use crate::model::{Model, Pane};
use crate::text::editor::Pressed;
use crate::words::Word;

/// The others are told at most once in so many milliseconds that the account types.
const TYPING_EVERY_MS: u64 = 1_000;

/// A key in the message box.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    if press_completion(model, key, effects) {
        return;
    }
    let moves = key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Up if moves => selection::step(model, -1, effects),
        KeyCode::Down if moves => scrolling::to_newest(model, effects),
        KeyCode::End if moves => scrolling::to_newest(model, effects),
        KeyCode::PageUp => scrolling::by_pages(model, -1, effects),
        KeyCode::PageDown => scrolling::by_pages(model, 1, effects),
        KeyCode::Tab | KeyCode::BackTab => model.pane = Pane::List,
        KeyCode::Esc => escape(model, effects),
        KeyCode::Enter if key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT) => {
            edit(model, effects, |open, _| {
                open.editor.insert("\n");
                Pressed::Edited
            });
        }
        KeyCode::Enter => finish(model, effects),
        KeyCode::Up if is_empty(model) => selection::step(model, -1, effects),
        _ => edit(model, effects, |open, width| open.editor.press(key, width)),
    }
}

/// Pasted text is typed text.
pub fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let mut fits = true;
    edit(model, effects, |open, _| {
        open.selected = None;
        fits = open.editor.insert(text);
        Pressed::Edited
    });
    if !fits {
        model.notify(model.language.say(Word::TextFull));
    }
}

/// Takes back one step: the selection, the text, or what the text was for.
pub fn clear(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &mut model.open else {
        return;
    };
    if open.selected.take().is_none() {
        open.editor.set("");
        stop_typing(open, effects);
    }
}

fn is_empty(model: &Model) -> bool {
    let open = model.open.as_ref();
    open.is_some_and(|open| open.editor.text().is_empty())
}

/// Changes the message box and tells the others that somebody types.
fn edit(
    model: &mut Model,
    effects: &mut Vec<Effect>,
    change: impl FnOnce(&mut OpenConversation, usize) -> Pressed,
) {
    let width = writing_width(&areas(model));
    let now = model.now;
    let Some(open) = &mut model.open else {
        return;
    };
    if change(open, width) != Pressed::Edited {
        return;
    }
    open.completion = 0;
    open.completion_dismissed = false;
    if open.editor.is_blank() {
        stop_typing(open, effects);
    } else if !open.editor.text().starts_with('/')
        && now.saturating_sub(open.typing_told_at) >= TYPING_EVERY_MS
    {
        open.typing_told_at = now;
        effects.push(Effect::Act(Act::Typing(open.id, true)));
    }
}

fn stop_typing(open: &mut OpenConversation, effects: &mut Vec<Effect>) {
    if std::mem::take(&mut open.typing_told_at) > 0 {
        effects.push(Effect::Act(Act::Typing(open.id, false)));
    }
}

/// Keys of the offers above the message box; false where they are not shown or the key is not theirs.
fn press_completion(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) -> bool {
    let Some((replaced, offers)) = completion::offers(model) else {
        return false;
    };
    let Some(open) = &mut model.open else {
        return false;
    };
    let chosen = open.completion.min(offers.len() - 1);
    let is_whole = open.editor.before_cursor().ends_with(&offers[chosen].insert);
    match key.code {
        KeyCode::Up if key.modifiers.is_empty() => {
            open.completion = (chosen + offers.len() - 1) % offers.len();
        }
        KeyCode::Down if key.modifiers.is_empty() => open.completion = (chosen + 1) % offers.len(),
        KeyCode::Esc => open.completion_dismissed = true,
        // A command that is typed out is meant: the key is for the message box.
        KeyCode::Enter if is_whole && offers[chosen].insert.starts_with('/') => return false,
        KeyCode::Tab | KeyCode::Enter => {
            let insert = format!("{} ", offers[chosen].insert);
            edit(model, effects, |open, _| {
                open.editor.replace_before_cursor(replaced, &insert);
                Pressed::Edited
            });
        }
        _ => return false,
    }
    true
}

fn escape(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &mut model.open else {
        return;
    };
    match std::mem::replace(&mut open.intent, Intent::New) {
        Intent::Reply { .. } => {}
        Intent::Edit { draft, .. } => open.editor.set(&draft),
        Intent::New => {
            navigation::save_draft(model, effects);
            model.pane = Pane::List;
        }
    }
}

/// Enter: a command is carried out, a text is sent.
fn finish(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &model.open else {
        return;
    };
    if open.editor.is_blank() {
        return;
    }
    let text = open.editor.text().trim().to_owned();
    let is_command = text.starts_with('/') && !text.starts_with("//");
    if is_command && matches!(open.intent, Intent::New) {
        if commands::run(model, &text, effects)
            && let Some(open) = &mut model.open
        {
            open.editor.set("");
        }
        return;
    }
    let text = text.strip_prefix("//").map_or(text.clone(), |rest| format!("/{rest}"));
    send(model, text, effects);
}

fn send(model: &mut Model, text: String, effects: &mut Vec<Effect>) {
    let Some(open) = &model.open else {
        return;
    };
    let mentions = completion::mentions(model, open, &text);
    let Some(open) = &mut model.open else {
        return;
    };
    let conversation = open.id;
    open.typing_told_at = 0;
    open.editor.set("");
    let act = match std::mem::replace(&mut open.intent, Intent::New) {
        Intent::Edit { seq, draft } => {
            open.editor.set(&draft);
            Act::Edit { conversation, seq, text, mentions }
        }
        intent => {
            open.unread_after = None;
            let reply_to = match intent {
                Intent::Reply { seq } => Some(seq),
                _ => None,
            };
            Act::Send { conversation, text, reply_to, mentions }
        }
    };
    let is_new = matches!(act, Act::Send { .. });
    effects.push(Effect::Act(act));
    if is_new {
        scrolling::to_newest(model, effects);
    }
    navigation::save_draft(model, effects);
}
