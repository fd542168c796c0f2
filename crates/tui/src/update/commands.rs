//! Commands in the message box, such as `/title Picnic`.

use suda_client::model::ConversationSummary;
use suda_proto::AccountId;
use suda_proto::entry::ConversationKind;

use super::list;
use crate::effect::{Ask, Effect};
use crate::model::Model;
use crate::model::dialog::{Dialog, Question};
use crate::words::Word;

/// Carries a command out. False where it was not understood and its text should stay.
pub fn run(model: &mut Model, text: &str, effects: &mut Vec<Effect>) -> bool {
    let (name, rest) = text[1..].split_once(char::is_whitespace).unwrap_or((&text[1..], ""));
    let Some(summary) = model.open_summary().cloned() else {
        return false;
    };
    match carry_out(model, &summary, name, rest.trim(), effects) {
        Ok(()) => true,
        Err(word) => {
            model.notify(model.language.say(word));
            false
        }
    }
}

fn carry_out(
    model: &mut Model,
    summary: &ConversationSummary,
    name: &str,
    rest: &str,
    effects: &mut Vec<Effect>,
) -> Result<(), Word> {
    let conversation = summary.conversation;
    let ask = match name {
        "help" => {
            model.dialog = Some(Dialog::Help { skipped: 0 });
            return Ok(());
        }
        "members" => {
            model.dialog = Some(Dialog::Members { selected: 0 });
            return Ok(());
        }
        "logout" => {
            model.dialog = Some(Dialog::Confirm(Question::LogOut));
            return Ok(());
        }
        "mute" => {
            list::toggle_mute(model, conversation, effects);
            return Ok(());
        }
        "pin" => {
            list::toggle_pin(model, conversation, effects);
            return Ok(());
        }
        "archive" => {
            list::toggle_archived(model, conversation, effects);
            return Ok(());
        }
        "leave" => return ask_first(model, summary, Question::Leave(conversation)),
        "dissolve" => return ask_first(model, summary, Question::Dissolve(conversation)),
        "remove" => {
            in_group(summary)?;
            let account = member_named(model, needed(rest)?).ok_or(Word::NoSuchMember)?;
            let question = Question::Remove { conversation, account };
            return ask_first(model, summary, question);
        }
        "add" => {
            in_group(summary)?;
            Ask::AddNamed(conversation, typed_name(needed(rest)?))
        }
        "title" => {
            in_group(summary)?;
            Ask::SetTitle(conversation, needed(rest)?.to_owned())
        }
        "block" | "unblock" => {
            let peer = summary.peer.ok_or(Word::DirectOnly)?;
            Ask::Block(peer, name == "block")
        }
        _ => return Err(Word::NoSuchCommand),
    };
    effects.push(Effect::Ask(ask));
    Ok(())
}

fn ask_first(model: &mut Model, summary: &ConversationSummary, question: Question) -> Result<(), Word> {
    in_group(summary)?;
    model.dialog = Some(Dialog::Confirm(question));
    Ok(())
}

fn in_group(summary: &ConversationSummary) -> Result<(), Word> {
    if summary.kind == ConversationKind::Group { Ok(()) } else { Err(Word::GroupsOnly) }
}

fn needed(rest: &str) -> Result<&str, Word> {
    if rest.is_empty() { Err(Word::CommandNeedsMore) } else { Ok(rest) }
}

fn typed_name(text: &str) -> String {
    text.trim_start_matches('@').to_lowercase()
}

fn member_named(model: &Model, text: &str) -> Option<AccountId> {
    let name = typed_name(text);
    let members = &model.open.as_ref()?.members;
    let member = members.iter().find(|member| {
        let profile = model.people.profile(member.account);
        profile.is_some_and(|profile| profile.name == name)
    });
    member.map(|member| member.account)
}
