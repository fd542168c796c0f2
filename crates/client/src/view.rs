//! How cached entries and unsent acts are shown: pure.

use suda_proto::entry::{
    AccountsBody, CreatedBody, MessageBody, ReactionBody, ReactionCount, RoleBody, SettingsBody,
};
use suda_proto::{AccountId, ConversationId, Entry, Kind, Mention, Raw};

use crate::model::{Message, MessageContent, MessageState};
use crate::outbox::Item;
use crate::standing::CachedEntry;

/// A stored entry as it stands.
pub fn stored(conversation: ConversationId, cached: &CachedEntry) -> Message {
    let entry = &cached.entry;
    let is_deleted = cached.is_deleted();
    Message {
        conversation,
        seq: Some(entry.seq),
        client_id: entry.client_id,
        author: entry.author,
        at: entry.at,
        content: if is_deleted { MessageContent::Deleted } else { content(entry) },
        reply_to: entry.target.filter(|_| entry.kind == Kind::Message),
        edited: cached.edited > 0 && !is_deleted,
        reactions: if is_deleted { Vec::new() } else { cached.reaction_counts() },
        state: MessageState::Sent,
        changing: false,
    }
}

/// A message that waits or failed; `None` for acts on other messages.
pub fn unsent(item: &Item, me: AccountId) -> Option<Message> {
    (item.kind == Kind::Message).then(|| Message {
        conversation: item.conversation,
        seq: None,
        client_id: item.client_id,
        author: me,
        at: item.composed_at,
        content: said(item.body.as_ref(), &item.mentions),
        reply_to: item.target,
        edited: false,
        reactions: Vec::new(),
        state: match &item.failed {
            Some(error) => MessageState::Failed { error: error.clone() },
            None => MessageState::Pending,
        },
        changing: false,
    })
}

/// Shows an own edit, deletion or reaction that is not stored yet.
pub fn overlay(messages: &mut [Message], item: &Item) {
    let target = |message: &&mut Message| message.seq.is_some() && message.seq == item.target;
    let Some(message) = messages.iter_mut().find(target) else {
        return;
    };
    if item.failed.is_some() || message.content == MessageContent::Deleted {
        return;
    }
    match item.kind {
        Kind::Edit => {
            message.content = said(item.body.as_ref(), &item.mentions);
            message.edited = true;
        }
        Kind::Delete => {
            message.content = MessageContent::Deleted;
            message.reactions.clear();
        }
        Kind::Reaction => {
            let body = item.body.as_ref().and_then(|body| body.parse::<ReactionBody>().ok());
            choose(&mut message.reactions, body.and_then(|body| body.emoji));
        }
        _ => return,
    }
    message.changing = true;
}

/// Moves the account's own reaction.
fn choose(reactions: &mut Vec<ReactionCount>, emoji: Option<String>) {
    for reaction in reactions.iter_mut().filter(|reaction| reaction.mine) {
        reaction.mine = false;
        reaction.count -= 1;
    }
    if let Some(emoji) = emoji {
        match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => (reaction.count, reaction.mine) = (reaction.count + 1, true),
            None => reactions.push(ReactionCount { emoji, count: 1, mine: true }),
        }
    }
    reactions.retain(|reaction| reaction.count > 0);
}

fn content(entry: &Entry) -> MessageContent {
    match entry.kind {
        Kind::Message => said(entry.body.as_ref(), &entry.mentions),
        _ => happened(entry).unwrap_or(MessageContent::Unsupported),
    }
}

fn said(body: Option<&Raw>, mentions: &[Mention]) -> MessageContent {
    let Some(body) = body else {
        return MessageContent::Deleted;
    };
    match body.parse() {
        Ok(MessageBody::Text { text, data }) => {
            MessageContent::Text { text, mentions: mentions.to_vec(), data: data.as_ref().map(json) }
        }
        Ok(MessageBody::Custom { data }) => MessageContent::Custom { data: json(&data) },
        Err(_) => MessageContent::Unsupported,
    }
}

/// What a change of the conversation did; `None` where its body cannot be read.
fn happened(entry: &Entry) -> Option<MessageContent> {
    let body = entry.body.as_ref();
    Some(match entry.kind {
        Kind::Created => {
            let body: CreatedBody = body?.parse().ok()?;
            MessageContent::Created { members: body.members, title: body.settings.title }
        }
        Kind::MembersAdded => {
            MessageContent::MembersAdded { accounts: body?.parse::<AccountsBody>().ok()?.accounts }
        }
        Kind::MemberRemoved => {
            MessageContent::MembersRemoved { accounts: body?.parse::<AccountsBody>().ok()?.accounts }
        }
        Kind::RoleChanged => {
            let body: RoleBody = body?.parse().ok()?;
            MessageContent::RoleChanged { account: body.account, role: body.role }
        }
        Kind::SettingsChanged => {
            MessageContent::SettingsChanged { title: body?.parse::<SettingsBody>().ok()?.title }
        }
        Kind::MemberLeft => MessageContent::MemberLeft,
        Kind::Dissolved => MessageContent::Dissolved,
        _ => return None,
    })
}

fn json(raw: &Raw) -> String {
    String::from_utf8_lossy(raw.bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use suda_proto::ClientId;

    use super::*;

    fn message() -> Message {
        let entry = Entry {
            seq: 4,
            at: 1,
            kind: Kind::Message,
            author: AccountId::from_bytes([1; 16]),
            client_id: ClientId::from_bytes([1; 16]),
            ordinal: 1,
            target: None,
            mentions: Vec::new(),
            body: Some(Raw::of(&MessageBody::Text { text: "hello".to_owned(), data: None })),
            standing: None,
        };
        stored(ConversationId::from_bytes([7; 16]), &CachedEntry::new(entry))
    }

    fn act(kind: Kind, body: Option<Raw>) -> Item {
        Item {
            client_id: ClientId::from_bytes([2; 16]),
            conversation: ConversationId::from_bytes([7; 16]),
            base: 4,
            kind,
            target: Some(4),
            mentions: Vec::new(),
            body,
            composed_at: 2,
            failed: None,
        }
    }

    #[test]
    fn an_unsent_edit_and_reaction_show_at_once() {
        let mut messages = [message()];
        let text = Raw::of(&MessageBody::Text { text: "hallo".to_owned(), data: None });
        overlay(&mut messages, &act(Kind::Edit, Some(text)));
        let react = |emoji: &str| Raw::of(&ReactionBody { emoji: Some(emoji.to_owned()), was: None });
        overlay(&mut messages, &act(Kind::Reaction, Some(react("a"))));
        overlay(&mut messages, &act(Kind::Reaction, Some(react("b"))));
        let message = &messages[0];
        assert!(matches!(&message.content, MessageContent::Text { text, .. } if text == "hallo"));
        assert!(message.edited && message.changing);
        assert_eq!(message.reactions, [ReactionCount { emoji: "b".to_owned(), count: 1, mine: true }]);
    }

    #[test]
    fn a_refused_change_is_not_shown() {
        let mut messages = [message()];
        let failed = Some(suda_proto::Code::EditTooLate.error());
        overlay(&mut messages, &Item { failed, ..act(Kind::Delete, None) });
        assert_eq!(messages, [message()]);
    }

    #[test]
    fn an_unknown_body_is_unsupported_and_a_missing_one_deleted() {
        let unknown = Raw::of(&serde_json::json!({ "type": "hologram" }));
        assert_eq!(said(Some(&unknown), &[]), MessageContent::Unsupported);
        assert_eq!(said(None, &[]), MessageContent::Deleted);
    }
}
