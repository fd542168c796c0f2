//! Keys in the search for people.

use crossterm::event::{KeyCode, KeyEvent};
use suda_proto::AccountId;
use suda_proto::rest::Profile;

use super::is_control;
use crate::effect::{Ask, Effect};
use crate::model::Model;
use crate::model::dialog::{Dialog, PickFor, Picker};
use crate::text::editor::Pressed;
use crate::words::Word;

/// A key in the search.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(picker) = picker_of(model) else {
        return;
    };
    if picker.is_finishing {
        return;
    }
    let last = picker.results().len().saturating_sub(1);
    match key.code {
        _ if is_control(key, 's') => finish(model, effects),
        KeyCode::Tab | KeyCode::BackTab if picker.purpose == PickFor::Group => {
            picker.is_in_title = !picker.is_in_title;
        }
        KeyCode::Up if picker.purpose == PickFor::Group && picker.selected == 0 => {
            picker.is_in_title = true;
        }
        KeyCode::Enter | KeyCode::Down if picker.is_in_title => picker.is_in_title = false,
        KeyCode::Up => picker.selected = picker.selected.saturating_sub(1),
        KeyCode::Down => picker.selected = (picker.selected + 1).min(last),
        KeyCode::Enter => choose(model, effects),
        _ if picker.is_in_title => {
            picker.title.press(key, usize::MAX);
        }
        _ => {
            if picker.query.press(key, usize::MAX) == Pressed::Edited {
                search(picker, effects);
            }
        }
    }
}

/// Pasted text goes into the field that has the focus.
pub fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let Some(picker) = picker_of(model) else {
        return;
    };
    if picker.is_in_title {
        picker.title.insert(text);
    } else {
        picker.query.insert(text);
        search(picker, effects);
    }
}

/// Accounts were found; where more was typed meanwhile, that is searched next.
pub fn found(model: &mut Model, prefix: String, profiles: Option<Vec<Profile>>, effects: &mut Vec<Effect>) {
    let me = model.me;
    let Some(picker) = picker_of(model) else {
        return;
    };
    picker.is_asking = false;
    if prefix != picker.prefix() {
        let takes_first = picker.takes_first;
        search(picker, effects);
        picker.takes_first = takes_first;
        return;
    }
    let Some(mut profiles) = profiles else {
        return;
    };
    profiles.retain(|profile| Some(profile.account) != me);
    picker.selected = 0;
    picker.found = Some((prefix, profiles));
    if std::mem::take(&mut picker.takes_first) {
        choose(model, effects);
    }
}

fn picker_of(model: &mut Model) -> Option<&mut Picker> {
    match &mut model.dialog {
        Some(Dialog::Picker(picker)) => Some(picker),
        _ => None,
    }
}

fn search(picker: &mut Picker, effects: &mut Vec<Effect>) {
    picker.takes_first = false;
    let prefix = picker.prefix();
    if prefix.is_empty() {
        picker.found = None;
        return;
    }
    if !picker.is_asking {
        picker.is_asking = true;
        effects.push(Effect::Ask(Ask::Search(prefix)));
    }
}

fn choose(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(picker) = picker_of(model) else {
        return;
    };
    if !picker.query.is_blank() && !picker.is_up_to_date() {
        picker.takes_first = picker.is_asking;
        return;
    }
    let chosen = picker.results().get(picker.selected).cloned();
    match (picker.purpose, chosen) {
        (PickFor::Direct, Some(profile)) => {
            picker.is_finishing = true;
            effects.push(Effect::Ask(Ask::OpenDirect(profile.account)));
        }
        (PickFor::Direct, None) => {}
        (_, Some(profile)) => {
            picker.toggle(profile);
            picker.query.set("");
            picker.found = None;
        }
        (_, None) if picker.query.is_blank() => finish(model, effects),
        (_, None) => {}
    }
}

fn finish(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(picker) = picker_of(model) else {
        return;
    };
    let members: Vec<AccountId> = picker.chosen.iter().map(|profile| profile.account).collect();
    if members.is_empty() {
        model.notify(model.language.say(Word::ChooseSomebody));
        return;
    }
    match picker.purpose {
        PickFor::Direct => {}
        PickFor::Group => {
            let title = picker.title.text().trim().to_owned();
            let title = (!title.is_empty()).then_some(title);
            picker.is_finishing = true;
            effects.push(Effect::Ask(Ask::CreateGroup { title, members }));
        }
        PickFor::Add(conversation) => {
            model.dialog = None;
            effects.push(Effect::Ask(Ask::AddMembers(conversation, members)));
        }
    }
}
