//! Answers: what was read is shown, what was asked for opens.

use std::collections::HashSet;

use suda_client::model::{Message, MessageContent, MessageList};
use suda_proto::AccountId;
use suda_proto::rest::Profile;

use super::{dialogs, entrance, navigation, presence};
use crate::effect::{Ask, Effect, Reading, Stretch};
use crate::input::Answer;
use crate::model::conversation::{HELD_MESSAGES, OpenConversation, Scroll};
use crate::model::dialog::Dialog;
use crate::model::{Model, Screen};
use crate::words::Language;

/// Applies one answer.
pub fn apply(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        Answer::Entered { account, recovery_codes } => {
            entrance::enter(model, account, recovery_codes, effects)
        }
        Answer::EntranceRefused(why) => {
            if let Screen::Entrance(form) = &mut model.screen {
                form.is_asking = false;
                form.problem = Some(why);
            }
        }
        Answer::LoggedOut => entrance::leave(model, true),
        Answer::Account(profile, language) => learn_account(model, profile, &language),
        Answer::Conversations(conversations) => {
            forget_saved_drafts(model, &conversations);
            model.list.replace(conversations);
            if model.list.freshness.done() {
                effects.push(Effect::Ask(Ask::Conversations));
            }
        }
        Answer::MoreConversations(may_have_more) => {
            model.list.may_have_more = may_have_more;
            navigation::want_list(model, effects);
        }
        Answer::Messages { reading, list } => take_messages(model, reading, list, effects),
        Answer::Members { conversation, members } => {
            if let Some(open) = model.open.as_mut().filter(|open| open.id == conversation) {
                if let Some(members) = members {
                    open.members = members;
                }
                if open.members_freshness.done() {
                    effects.push(Effect::Ask(Ask::Members(conversation)));
                }
            }
        }
        Answer::Presence { presences, online } => {
            model.attendance.replace(presences, online);
            if model.attendance.freshness.done() {
                effects.push(presence::ask(model));
            }
        }
        Answer::People(profiles) => model.people.learn(profiles),
        Answer::Found { prefix, profiles } => dialogs::found(model, prefix, profiles, effects),
        Answer::Reactions { conversation, seq, reactions } => {
            if let Some(Dialog::Info { message, reactions: shown }) = &mut model.dialog
                && message.conversation == conversation
                && message.seq == Some(seq)
            {
                *shown = Some(reactions);
            }
        }
        Answer::Opened(conversation) => {
            model.dialog = None;
            model.list.shows_archive = false;
            navigation::open(model, conversation, effects);
            navigation::want_list(model, effects);
        }
        Answer::Done(word) => model.notify(model.language.say(word)),
        Answer::Failed(why) => {
            dialogs::stop_asking(model);
            model.notify(why);
        }
    }
}

fn learn_account(model: &mut Model, profile: Profile, language: &str) {
    model.me = Some(profile.account);
    model.people.learn(vec![profile]);
    if !model.language_is_chosen
        && let Some(language) = Language::of_tag(language)
    {
        model.language = language;
    }
}

/// A draft that the list knows by now need not be remembered here.
fn forget_saved_drafts(model: &mut Model, conversations: &[suda_client::model::ConversationSummary]) {
    for summary in conversations {
        let listed = summary.draft.as_deref().unwrap_or_default();
        if model.drafts.get(&summary.conversation).is_some_and(|draft| draft == listed) {
            model.drafts.remove(&summary.conversation);
        }
    }
}

fn take_messages(model: &mut Model, reading: Reading, list: Option<MessageList>, effects: &mut Vec<Effect>) {
    let Some(open) = model.open.as_mut().filter(|open| open.id == reading.conversation) else {
        return;
    };
    if let Some(list) = list {
        merge(open, reading.stretch, list);
    }
    open.is_loaded = true;
    if open.freshness.done() {
        let again = navigation::loaded_again(open);
        effects.push(Effect::Ask(Ask::Messages(again)));
    }
}

/// Puts a stretch into place; what is beyond the limit is dropped at the other end.
fn merge(open: &mut OpenConversation, stretch: Stretch, list: MessageList) {
    match stretch {
        Stretch::Newest(_) => {
            open.has_later = false;
            (open.messages, open.has_earlier) = (list.messages, list.has_earlier);
            if open.scroll == Scroll::Newest {
                drop_oldest(open);
            }
        }
        Stretch::Between(..) => {
            open.messages = list.messages;
            open.has_earlier = list.has_earlier;
            open.has_later = list.has_later;
        }
        Stretch::Before(first) => {
            let earlier =
                list.messages.into_iter().filter(|message| message.seq.is_some_and(|seq| seq < first));
            open.messages.splice(0..0, earlier);
            open.has_earlier = list.has_earlier;
            if open.messages.len() > HELD_MESSAGES {
                open.messages.truncate(HELD_MESSAGES);
                open.has_later = true;
            }
        }
        Stretch::After(last) => {
            let later = list.messages.into_iter().filter(|message| message.seq.is_none_or(|seq| seq > last));
            open.messages.extend(later);
            open.has_later = list.has_later;
            drop_oldest(open);
        }
    }
}

fn drop_oldest(open: &mut OpenConversation) {
    let excess = open.messages.len().saturating_sub(HELD_MESSAGES);
    if excess > 0 {
        open.messages.drain(..excess);
        open.has_earlier = true;
    }
}

/// Asks for the names of everybody who is shown and not known.
pub fn ask_for_names(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.me.is_none() {
        return;
    }
    let mut shown: HashSet<AccountId> = HashSet::new();
    for summary in &model.list.conversations {
        shown.extend(summary.peer);
        summary.last.iter().for_each(|message| note(message, &mut shown));
    }
    if let Some(open) = &model.open {
        open.messages.iter().for_each(|message| note(message, &mut shown));
        shown.extend(open.members.iter().map(|member| member.account));
    }
    let unknown = model.people.ask_for(shown);
    if !unknown.is_empty() {
        effects.push(Effect::Ask(Ask::People(unknown)));
    }
}

/// Everybody that a message names.
fn note(message: &Message, shown: &mut HashSet<AccountId>) {
    shown.insert(message.author);
    match &message.content {
        MessageContent::Created { members: accounts, .. }
        | MessageContent::MembersAdded { accounts }
        | MessageContent::MembersRemoved { accounts } => shown.extend(accounts),
        MessageContent::RoleChanged { account, .. } => {
            shown.insert(*account);
        }
        _ => {}
    }
}
