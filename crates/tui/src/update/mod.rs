//! What each input does to the model, and what it asks the world to do. Pure: the same inputs give the same state.

mod answers;
mod commands;
mod dialogs;
mod entrance;
mod events;
mod list;
mod navigation;
mod picker;
mod presence;
mod scrolling;
mod selection;
mod writing;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::effect::{Act, Effect};
use crate::input::Input;
use crate::model::dialog::{Dialog, PickFor, Picker};
use crate::model::{Model, Pane, Screen};

#[cfg(test)]
pub use navigation::open;
pub use navigation::start;

/// Changes the model by one input and returns what is to be done.
pub fn update(model: &mut Model, input: Input) -> Vec<Effect> {
    let mut effects = Vec::new();
    match input {
        Input::Key(key) => press(model, key, &mut effects),
        Input::Paste(text) => paste(model, &text, &mut effects),
        Input::Resize(width, height) => model.size = (width, height),
        Input::Focus(focused) => focus(model, focused, &mut effects),
        Input::Tick(now) => tick(model, now),
        Input::Client(event) => events::apply(model, event, &mut effects),
        Input::Answer(answer) => answers::apply(model, answer, &mut effects),
    }
    navigation::mark_seen(model, &mut effects);
    answers::ask_for_names(model, &mut effects);
    presence::watch(model, &mut effects);
    effects
}

fn tick(model: &mut Model, now: u64) {
    model.now = now;
    if model.notice.as_ref().is_some_and(|notice| notice.until <= now) {
        model.notice = None;
    }
    if let Some(open) = &mut model.open {
        open.forget_typing(now);
    }
}

fn focus(model: &mut Model, focused: bool, effects: &mut Vec<Effect>) {
    model.focused = focused;
    if model.me.is_some() {
        effects.push(Effect::Act(Act::Foreground(focused)));
        if !focused {
            navigation::save_draft(model, effects);
        }
    }
}

fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    match (&mut model.screen, &mut model.dialog) {
        (Screen::Entrance(form), _) => {
            if let Some(field) = form.focused() {
                field.editor.insert(text.trim_end_matches(['\r', '\n']));
            }
        }
        (Screen::RecoveryCodes { answer, .. }, _) => {
            answer.insert(text);
        }
        (Screen::Chat, Some(_)) => dialogs::paste(model, text, effects),
        (Screen::Chat, None) => {
            if model.open.is_some() {
                model.pane = Pane::Conversation;
                writing::paste(model, text, effects);
            }
        }
    }
}

fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    // Whoever presses a key has read the last notice; it would hide what the keys do now.
    model.notice = None;
    if !model.focused {
        // Not every terminal tells when the focus comes back.
        focus(model, true, effects);
    }
    if is_control(key, 'q') {
        return quit(model, effects);
    }
    if is_control(key, 'c') {
        return interrupt(model, effects);
    }
    match &model.screen {
        Screen::Entrance(_) => entrance::press(model, key, effects),
        Screen::RecoveryCodes { .. } => entrance::press_at_codes(model, key),
        Screen::Chat if model.dialog.is_some() => dialogs::press(model, key, effects),
        Screen::Chat => press_in_chat(model, key, effects),
    }
}

fn press_in_chat(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let opened = match key.code {
        KeyCode::F(1) => Some(Dialog::Help { skipped: 0 }),
        KeyCode::F(2) if model.open.is_some() => Some(Dialog::Members { selected: 0 }),
        _ if is_control(key, 'n') => Some(picker_dialog(PickFor::Direct)),
        _ if is_control(key, 'g') => Some(picker_dialog(PickFor::Group)),
        _ => None,
    };
    if opened.is_some() {
        model.dialog = opened;
        return;
    }
    match model.pane {
        Pane::Conversation if model.open.is_some() => {
            if model.open.as_ref().is_some_and(|open| open.selected.is_some()) {
                selection::press(model, key, effects);
            } else {
                writing::press(model, key, effects);
            }
        }
        _ => list::press(model, key, effects),
    }
}

/// Ctrl-C takes back one step, and ends the client where there is nothing to take back.
fn interrupt(model: &mut Model, effects: &mut Vec<Effect>) {
    let is_writing = model.pane == Pane::Conversation
        && model.open.as_ref().is_some_and(|open| open.selected.is_some() || !open.editor.text().is_empty());
    let escape = KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE);
    match (&model.screen, &model.dialog) {
        (Screen::Chat, Some(_)) => dialogs::press(model, escape, effects),
        (Screen::Chat, None) if is_writing => writing::clear(model, effects),
        _ => quit(model, effects),
    }
}

fn quit(model: &mut Model, effects: &mut Vec<Effect>) {
    navigation::save_draft(model, effects);
    model.quitting = true;
}

fn picker_dialog(purpose: PickFor) -> Dialog {
    Dialog::Picker(Box::new(Picker::new(purpose)))
}

fn is_control(key: KeyEvent, letter: char) -> bool {
    key.code == KeyCode::Char(letter) && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// Whether a key is this character without Ctrl or Alt.
fn is_plain(key: KeyEvent, character: char) -> bool {
    key.code == KeyCode::Char(character)
        && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

#[cfg(test)]
mod tests;
