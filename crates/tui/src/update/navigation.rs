//! Going from one conversation to another: opening, leaving, reading marks and drafts.

use suda_proto::ConversationId;

use crate::effect::{Act, Ask, Effect, Reading, Stretch};
use crate::model::conversation::OpenConversation;
use crate::model::{Model, Pane, Screen};
use crate::transcript;

/// What is asked as soon as somebody is logged in.
pub fn start(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![Effect::Ask(Ask::Account)];
    model.list.may_have_more = true;
    want_list(model, &mut effects);
    effects
}

/// Reads the list again.
pub fn want_list(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.list.freshness.want() {
        effects.push(Effect::Ask(Ask::Conversations));
    }
}

/// Reads again what is loaded of the open conversation.
pub fn want_messages(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &mut model.open else {
        return;
    };
    if open.freshness.want() {
        effects.push(Effect::Ask(Ask::Messages(loaded_again(open))));
    }
}

/// Reads the open conversation's members again.
pub fn want_members(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(open) = &mut model.open
        && open.members_freshness.want()
    {
        effects.push(Effect::Ask(Ask::Members(open.id)));
    }
}

/// The stretch that is loaded, to be read once more.
pub fn loaded_again(open: &OpenConversation) -> Reading {
    let stretch = match (open.has_later, open.first_seq(), open.last_seq()) {
        (true, Some(first), Some(last)) => Stretch::Between(first, last),
        (_, first, _) => Stretch::Newest(first),
    };
    Reading { conversation: open.id, stretch }
}

/// Opens a conversation and goes to it.
pub fn open(model: &mut Model, conversation: ConversationId, effects: &mut Vec<Effect>) {
    model.pane = Pane::Conversation;
    model.list.selected = Some(conversation);
    if model.open.as_ref().is_some_and(|open| open.id == conversation) {
        return;
    }
    leave(model, effects);
    let summary = model.list.find(conversation);
    let draft = summary.map_or("", |summary| model.draft(summary)).to_owned();
    let (read, unread) = summary.map_or((0, 0), |summary| (summary.read, summary.unread));
    let opened = OpenConversation::new(conversation, read, unread > 0, &draft);
    model.open = Some(opened);
    effects.push(Effect::Act(Act::Show(conversation)));
    want_messages(model, effects);
    want_members(model, effects);
}

/// Closes the open conversation and keeps its draft.
pub fn leave(model: &mut Model, effects: &mut Vec<Effect>) {
    save_draft(model, effects);
    if let Some(open) = model.open.take() {
        effects.push(Effect::Act(Act::Hide(open.id)));
    }
}

/// Keeps the draft of the open conversation, where it is another one than before.
pub fn save_draft(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(open) = &model.open else {
        return;
    };
    let (conversation, draft) = (open.id, open.draft().to_owned());
    let kept = model.list.find(conversation).map(|summary| model.draft(summary));
    if kept.unwrap_or_default() == draft.trim_end() {
        return;
    }
    let draft = draft.trim_end().to_owned();
    model.drafts.insert(conversation, draft.clone());
    let draft = (!draft.is_empty()).then_some(draft);
    effects.push(Effect::Act(Act::SaveDraft(conversation, draft)));
}

/// Marks as read what somebody who looks at the terminal sees.
pub fn mark_seen(model: &mut Model, effects: &mut Vec<Effect>) {
    if !matches!(model.screen, Screen::Chat) || !model.sees_conversation() {
        return;
    }
    let Some(open) = &model.open else {
        return;
    };
    let Some(seen) = last_seen(open).filter(|seen| *seen > open.marked) else {
        return;
    };
    let conversation = open.id;
    if let Some(open) = &mut model.open {
        open.marked = seen;
    }
    effects.push(Effect::Act(Act::MarkRead(conversation, seen)));
}

/// The highest sequence in the window.
fn last_seen(open: &OpenConversation) -> Option<u64> {
    let seen = open.messages.iter().take(transcript::bottom_message(open) + 1);
    seen.rev().find_map(|message| message.seq)
}
