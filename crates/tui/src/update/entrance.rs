//! Keys at the entrance: the form, and the codes of a new account.

use crossterm::event::{KeyCode, KeyEvent};

use super::{is_control, navigation};
use crate::effect::{Ask, Effect, Secret};
use crate::model::entrance::{Entrance, Purpose};
use crate::model::{Model, Screen};
use crate::text::editor::Editor;
use crate::words::Word;

/// What is typed once the codes are kept.
const KEPT: &str = "yes";
/// Room for that word.
const KEPT_BYTES: usize = 16;

/// A key in the form.
pub fn press(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let language = model.language;
    let Screen::Entrance(form) = &mut model.screen else {
        return;
    };
    if form.is_asking {
        return;
    }
    match key.code {
        _ if is_control(key, 't') => form.turn_to(form.neighbour(1)),
        KeyCode::Tab | KeyCode::Down => form.move_focus(1),
        KeyCode::BackTab | KeyCode::Up => form.move_focus(-1),
        KeyCode::Left if form.focus.is_none() => form.turn_to(form.neighbour(-1)),
        KeyCode::Right | KeyCode::Char(' ') if form.focus.is_none() => {
            form.turn_to(form.neighbour(1));
        }
        KeyCode::Enter if form.focus.is_none_or(|index| index + 1 < form.fields.len()) => {
            form.move_focus(1);
        }
        KeyCode::Enter => match asked(form) {
            Ok(ask) => {
                form.is_asking = true;
                form.problem = None;
                effects.push(Effect::Ask(ask));
            }
            Err(word) => form.problem = Some(language.say(word).to_owned()),
        },
        _ => {
            if let Some(field) = form.focused() {
                field.editor.press(key, usize::MAX);
            }
        }
    }
}

/// What the filled form asks for.
fn asked(form: &Entrance) -> Result<Ask, Word> {
    let needed = form.fields.iter().filter(|field| !field.is_optional);
    for field in needed {
        if field.editor.text().is_empty() {
            return Err(Word::FillIn);
        }
    }
    let secret = |word| Secret(form.text(word).to_owned());
    let optional = |word| Some(form.text(word).trim().to_owned()).filter(|text| !text.is_empty());
    let has_again = form.purpose != Purpose::LogIn;
    let password = match form.purpose {
        Purpose::Recover => secret(Word::NewPassword),
        _ => secret(Word::Password),
    };
    if has_again && password != secret(Word::PasswordAgain) {
        return Err(Word::PasswordsDiffer);
    }
    let name = form.text(Word::Name).trim().trim_start_matches('@').to_lowercase();
    Ok(match form.purpose {
        Purpose::LogIn => Ask::LogIn { name, password },
        Purpose::SignUp => Ask::SignUp {
            name,
            display_name: optional(Word::DisplayName),
            password,
            invite: optional(Word::Invitation),
        },
        Purpose::Recover => {
            Ask::Recover { name, code: Secret(form.text(Word::RecoveryCode).trim().to_owned()), password }
        }
    })
}

/// The server let somebody in.
pub fn enter(
    model: &mut Model,
    account: suda_proto::AccountId,
    recovery_codes: Vec<String>,
    effects: &mut Vec<Effect>,
) {
    model.me = Some(account);
    model.screen = if recovery_codes.is_empty() {
        Screen::Chat
    } else {
        Screen::RecoveryCodes { codes: recovery_codes, answer: Editor::line(KEPT_BYTES) }
    };
    effects.extend(navigation::start(model));
}

/// A key while the codes are shown.
pub fn press_at_codes(model: &mut Model, key: KeyEvent) {
    let Screen::RecoveryCodes { answer, .. } = &mut model.screen else {
        return;
    };
    match key.code {
        KeyCode::Enter if answer.text().trim().eq_ignore_ascii_case(KEPT) => {
            model.screen = Screen::Chat;
        }
        KeyCode::Enter => {}
        _ => {
            answer.press(key, usize::MAX);
        }
    }
}

/// The device was logged out: back to the entrance, which says so where it was not `wanted`.
pub fn leave(model: &mut Model, wanted: bool) {
    if !matches!(model.screen, Screen::Entrance(_)) {
        let me = model.me.and_then(|me| model.people.profile(me));
        let name = me.map_or(String::new(), |profile| profile.name.clone());
        let form = Entrance::new(Purpose::LogIn, &name);
        model.forget_account(Screen::Entrance(form));
    }
    if let Screen::Entrance(form) = &mut model.screen {
        let problem = model.language.say(Word::LoggedOut).to_owned();
        form.problem = (!wanted).then_some(problem);
    }
}
