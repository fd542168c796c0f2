//! Conversations for the suites of [`Log`](crate::ports::Log) and [`Inbox`](crate::ports::Inbox).

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use suda_proto::ids::derived;
use suda_proto::{AccountId, ClientId, ConversationId, Kind, Mention, Mentioned};

use super::samples::{NOW, account_id, conversation_id};
use crate::entry::{Entry, Envelope, is_countable};
use crate::message::MessageState;
use crate::ports::inbox::InboxRow;
use crate::ports::log::{Append, AppendError, Loaded, Wanted};
use crate::ports::{Inbox, Log};
use crate::receipts::Marks;

/// Enough bytes for every page of a suite.
pub const PLENTY: usize = 1 << 20;

/// The ports to conversations.
#[derive(Clone)]
pub struct Conversational {
    /// Entries and state.
    pub log: Arc<dyn Log>,
    /// Accounts' lists.
    pub inbox: Arc<dyn Inbox>,
}

/// Where an implementation keeps conversations, for one run of one group of rules.
#[async_trait]
pub trait Conversations: Send {
    /// The ports to this storage, once the inbox has caught up with every append that was acknowledged. To test
    /// durability it may close and open everything at each call: the suites ask anew for every act, and keep no ports.
    async fn ports(&mut self) -> Conversational;
}

/// A conversation in the making: gives entries their numbers.
pub struct Chat {
    /// The conversation.
    pub id: ConversationId,
    /// The number of the last entry made.
    pub head: u64,
    ordinal: u64,
    at: u64,
}

impl Chat {
    /// A conversation without entries, other than those with other labels.
    pub fn new(label: &str) -> Self {
        Self::with_id(conversation_id(label))
    }

    /// A conversation without entries.
    pub fn with_id(id: ConversationId) -> Self {
        Self { id, head: 0, ordinal: 0, at: NOW }
    }

    /// Lets the time of later entries be `milliseconds` after [`NOW`], or later.
    pub fn wait_until(&mut self, milliseconds: u64) {
        self.at = self.at.max(NOW + milliseconds);
    }

    /// The next entry.
    pub fn entry(&mut self, author: &str, kind: Kind, target: Option<u64>, body: Option<Value>) -> Entry {
        self.head += 1;
        self.ordinal += u64::from(is_countable(kind));
        let envelope = Envelope {
            seq: self.head,
            at: self.at,
            kind,
            author: account_id(author),
            client_id: ClientId(derived("suda.contract.act", &[self.id.bytes(), &self.head.to_be_bytes()])),
            ordinal: self.ordinal,
            target,
            mentions: Vec::new(),
        };
        Entry { envelope, body: body.map(|body| Bytes::from(body.to_string())) }
    }

    /// The first entry of a group.
    pub fn created(&mut self, owner: &str, members: &[&str], settings: Value) -> Entry {
        let members: Vec<_> = members.iter().map(|name| account_id(name)).collect();
        let body = json!({"kind": "group", "members": members, "settings": settings});
        self.entry(owner, Kind::Created, None, Some(body))
    }

    /// A message.
    pub fn message(&mut self, author: &str, text: &str) -> Entry {
        self.entry(author, Kind::Message, None, Some(json!({"type": "text", "text": text})))
    }

    /// A message that mentions.
    pub fn mentioning(&mut self, author: &str, who: Mentioned) -> Entry {
        let mut entry = self.message(author, "@you");
        entry.envelope.mentions.push(Mention { who, start: 0, length: 4 });
        entry
    }

    /// An edit of a message.
    pub fn edit(&mut self, author: &str, target: u64, text: &str) -> Entry {
        self.entry(author, Kind::Edit, Some(target), Some(json!({"type": "text", "text": text})))
    }

    /// The deletion of a message.
    pub fn delete(&mut self, author: &str, target: u64) -> Entry {
        self.entry(author, Kind::Delete, Some(target), None)
    }

    /// A reaction to a message.
    pub fn react(&mut self, author: &str, target: u64, emoji: Option<&str>) -> Entry {
        self.entry(author, Kind::Reaction, Some(target), Some(json!({"emoji": emoji})))
    }

    /// Members are added or, with [`Kind::MemberRemoved`], removed.
    pub fn accounts(&mut self, author: &str, kind: Kind, accounts: &[&str]) -> Entry {
        let accounts: Vec<_> = accounts.iter().map(|name| account_id(name)).collect();
        self.entry(author, kind, None, Some(json!({ "accounts": accounts })))
    }

    /// A value of the account's own conversation.
    pub fn set(&mut self, author: &str, key: &str, value: Value) -> Entry {
        self.entry(author, Kind::Set, None, Some(json!({"key": key, "value": value})))
    }
}

/// Appends entries of `chat` behind those before them.
pub async fn append(storage: &mut dyn Conversations, chat: &Chat, entries: Vec<Entry>) {
    append_with(storage, chat, entries, Vec::new()).await;
}

/// Appends entries of `chat` behind those before them, and watermarks.
pub async fn append_with(
    storage: &mut dyn Conversations,
    chat: &Chat,
    entries: Vec<Entry>,
    marks: Vec<(AccountId, Marks)>,
) {
    let after = entries.first().map_or(chat.head, |entry| entry.envelope.seq - 1);
    try_append(storage, chat.id, after, entries, marks).await.expect("append behind the head");
}

/// Appends.
pub async fn try_append(
    storage: &mut dyn Conversations,
    conversation: ConversationId,
    after: u64,
    entries: Vec<Entry>,
    marks: Vec<(AccountId, Marks)>,
) -> Result<(), AppendError> {
    storage.ports().await.log.append(Append { conversation, after, entries, marks }).await
}

/// Moves one member's watermarks.
pub async fn mark(storage: &mut dyn Conversations, chat: &Chat, account: &str, marks: Marks) {
    append_with(storage, chat, Vec::new(), vec![(account_id(account), marks)]).await;
}

/// The conversation with its newest `recent` envelopes.
pub async fn load(storage: &mut dyn Conversations, chat: &Chat, recent: u32) -> Loaded {
    let loaded = storage.ports().await.log.load(chat.id, recent).await.expect("load a conversation");
    loaded.expect("a conversation with entries loads")
}

/// Entries.
pub async fn read(
    storage: &mut dyn Conversations,
    chat: &Chat,
    from: u64,
    to: u64,
    most_bytes: usize,
) -> Vec<Entry> {
    let log = storage.ports().await.log;
    let entries = log.read(chat.id, from, to, most_bytes).await.expect("read entries");
    let wanted = Wanted { conversation: chat.id, from, to, most_bytes };
    let pieces = log.pieces(vec![wanted, wanted]).await.expect("read pieces");
    assert!(
        pieces.iter().all(|piece| piece.entries == entries) && pieces.len() == 2,
        "a piece is what is read"
    );
    entries
}

/// An account's row of the conversation.
pub async fn row(storage: &mut dyn Conversations, account: &str, chat: &Chat) -> Option<InboxRow> {
    storage.ports().await.inbox.row(account_id(account), chat.id).await.expect("read a row")
}

/// Makes a group of Ada and Bob that says nothing yet.
pub async fn group(storage: &mut dyn Conversations, label: &str) -> (Chat, Entry) {
    let mut chat = Chat::new(label);
    let created = chat.created("ada", &["ada", "bob"], json!({"title": label}));
    append(storage, &chat, vec![created.clone()]).await;
    (chat, created)
}

/// The states of messages.
pub async fn states(
    storage: &mut dyn Conversations,
    chat: &Chat,
    from: u64,
    to: u64,
) -> Vec<(u64, MessageState)> {
    let log = storage.ports().await.log;
    let states = log.message_states(chat.id, from, to).await.expect("read message states");
    let wanted = Wanted { conversation: chat.id, from, to, most_bytes: PLENTY };
    let pieces = log.pieces(vec![wanted]).await.expect("read pieces");
    let among = |seq: u64| pieces[0].entries.iter().any(|entry| entry.envelope.seq == seq);
    let expected: Vec<_> = states.iter().filter(|(seq, _)| among(*seq)).cloned().collect();
    assert_eq!(pieces[0].states, expected, "a piece has the states of its messages");
    states
}

/// An account's own values.
pub async fn own_values(
    storage: &mut dyn Conversations,
    chat: &Chat,
    after: Option<&str>,
    limit: u32,
) -> Vec<(String, u64)> {
    storage.ports().await.log.own_values(chat.id, after, limit).await.expect("read own values")
}

/// Which entries have a body.
pub async fn with_body(storage: &mut dyn Conversations, chat: &Chat) -> Vec<u64> {
    let entries = read(storage, chat, 1, u64::MAX, PLENTY).await;
    entries.iter().filter(|entry| entry.body.is_some()).map(|entry| entry.envelope.seq).collect()
}
