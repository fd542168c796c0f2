//! Keys in dialogs.

use crossterm::event::{KeyCode, KeyEvent};
use suda_proto::entry::{ConversationKind, Role};
use suda_proto::rest::Profile;

use super::{is_plain, picker, picker_dialog};
use crate::effect::{Act, Ask, Effect};
use crate::model::Model;
use crate::model::dialog::{Dialog, PALETTE, PickFor, Question};
use crate::words::Word;
use crate::words::help::HELP;

/// The most bytes of a reaction.
const REACTION_BYTES: usize = 32;

/// A key in the dialog that is shown.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    if key.code == KeyCode::Esc {
        model.dialog = None;
        return;
    }
    match &mut model.dialog {
        None => {}
        Some(Dialog::Help { skipped }) => match key.code {
            KeyCode::Up | KeyCode::Char('k') => *skipped = skipped.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => *skipped = (*skipped + 1).min(HELP.len() - 1),
            KeyCode::PageUp => *skipped = skipped.saturating_sub(10),
            KeyCode::PageDown | KeyCode::Char(' ') => *skipped = (*skipped + 10).min(HELP.len() - 1),
            _ => model.dialog = None,
        },
        Some(Dialog::Picker(_)) => picker::press(model, key, effects),
        Some(Dialog::Members { .. }) => press_members(model, key, effects),
        Some(Dialog::Info { .. }) => {
            if matches!(key.code, KeyCode::Enter | KeyCode::Char('i' | 'q')) {
                model.dialog = None;
            }
        }
        Some(Dialog::React { .. }) => press_react(model, key, effects),
        Some(Dialog::Confirm(question)) => {
            let question = *question;
            if is_plain(key, 'y') {
                model.dialog = None;
                confirmed(model, question, effects);
            } else if is_plain(key, 'n') {
                model.dialog = None;
            }
        }
    }
}

/// Pasted text goes into the dialog's field.
pub fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    match &mut model.dialog {
        Some(Dialog::Picker(_)) => picker::paste(model, text, effects),
        Some(Dialog::React { editor, .. }) => {
            editor.insert(text);
        }
        _ => {}
    }
}

/// Accounts were found.
pub fn found(model: &mut Model, prefix: String, profiles: Option<Vec<Profile>>, effects: &mut Vec<Effect>) {
    if let Some(profiles) = &profiles {
        model.people.learn(profiles.clone());
    }
    picker::found(model, prefix, profiles, effects);
}

/// Whatever was asked in a dialog failed: its keys work again.
pub fn stop_asking(model: &mut Model) {
    if let Some(Dialog::Picker(picker)) = &mut model.dialog {
        picker.is_finishing = false;
    }
}

fn confirmed(model: &mut Model, question: Question, effects: &mut Vec<Effect>) {
    effects.push(match question {
        Question::Delete { conversation, seq } => {
            if let Some(open) = &mut model.open {
                open.selected = None;
            }
            Effect::Act(Act::Delete(conversation, seq))
        }
        Question::Leave(conversation) => Effect::Ask(Ask::Leave(conversation)),
        Question::Dissolve(conversation) => Effect::Ask(Ask::Dissolve(conversation)),
        Question::Remove { conversation, account } => Effect::Ask(Ask::RemoveMember(conversation, account)),
        Question::LogOut => Effect::Ask(Ask::LogOut),
    });
}

fn press_react(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(Dialog::React { seq, editor }) = &mut model.dialog else {
        return;
    };
    let seq = *seq;
    let number = match key.code {
        KeyCode::Char(digit) if editor.text().is_empty() => digit.to_digit(10),
        _ => None,
    };
    let emoji = match number {
        Some(0) => None,
        Some(number) => match PALETTE.get(number as usize - 1) {
            Some(emoji) => Some((*emoji).to_owned()),
            None => return,
        },
        None if key.code == KeyCode::Enter => {
            let typed = editor.text().trim().to_owned();
            if typed.is_empty() || typed.len() > REACTION_BYTES {
                return;
            }
            Some(typed)
        }
        None => {
            editor.press(key, usize::MAX);
            return;
        }
    };
    model.dialog = None;
    if let Some(open) = &mut model.open {
        open.selected = None;
        effects.push(Effect::Act(Act::React(open.id, seq, emoji)));
    }
}

fn press_members(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let (Some(Dialog::Members { selected }), Some(open)) = (&mut model.dialog, &model.open) else {
        return;
    };
    let (conversation, count) = (open.id, open.members.len());
    *selected = (*selected).min(count.saturating_sub(1));
    let member = open.members.get(*selected).copied();
    let is_group =
        model.list.find(conversation).is_some_and(|summary| summary.kind == ConversationKind::Group);
    match (key.code, member) {
        (KeyCode::Up | KeyCode::Char('k'), _) => *selected = selected.saturating_sub(1),
        (KeyCode::Down | KeyCode::Char('j'), _) => {
            *selected = (*selected + 1).min(count.saturating_sub(1));
        }
        (KeyCode::F(2), _) => model.dialog = None,
        (KeyCode::Enter, Some(member)) if Some(member.account) != model.me => {
            effects.push(Effect::Ask(Ask::OpenDirect(member.account)));
        }
        (KeyCode::Char('a' | 'x' | 'o'), _) if !is_group => {
            model.notify(model.language.say(Word::GroupsOnly));
        }
        (KeyCode::Char('a'), _) => {
            model.dialog = Some(picker_dialog(PickFor::Add(conversation)));
        }
        (KeyCode::Char('x'), Some(member)) => {
            model.dialog = Some(Dialog::Confirm(if Some(member.account) == model.me {
                Question::Leave(conversation)
            } else {
                Question::Remove { conversation, account: member.account }
            }));
        }
        (KeyCode::Char('o'), Some(member)) => {
            let role = match member.role {
                Role::Member => Role::Admin,
                Role::Admin | Role::Owner => Role::Member,
            };
            let ask = Ask::ChangeRole(conversation, member.account, role);
            effects.push(Effect::Ask(ask));
        }
        _ => {}
    }
}
