//! The contract of [`Log`](crate::ports::Log): what follows from entries and watermarks.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use suda_proto::{ConversationId, Kind, Mentioned};

use super::chat::{Chat, Conversations, append, append_with, group, load, mark, own_values, states};
use super::samples::{NOW, account_id};
use crate::membership::Membership;
use crate::message::MessageState;
use crate::receipts::{Marks, Summary};

fn named(values: &[(&str, u64)]) -> Vec<(String, u64)> {
    values.iter().map(|(key, seq)| ((*key).to_owned(), *seq)).collect()
}

/// A loaded conversation is what follows from its entries.
pub async fn state_follows_from_entries(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "state").await;
    let mut entries = vec![created];
    entries.push(chat.message("ada", "one"));
    entries.push(chat.accounts("ada", Kind::MembersAdded, &["cleo", "dan"]));
    entries.push(chat.mentioning("bob", Mentioned::All));
    entries.push(chat.entry("cleo", Kind::MemberLeft, None, None));
    let role = json!({"account": account_id("dan"), "role": "admin"});
    entries.push(chat.entry("ada", Kind::RoleChanged, None, Some(role)));
    let settings = json!({"title": "new", "history": "all", "data": {"a": 1}});
    entries.push(chat.entry("ada", Kind::SettingsChanged, None, Some(settings)));
    entries.push(chat.mentioning("ada", Mentioned::Account(account_id("dan"))));
    entries.push(chat.accounts("ada", Kind::MembersAdded, &["cleo"]));
    entries.push(chat.accounts("ada", Kind::MemberRemoved, &["bob"]));
    entries.push(chat.entry("ada", Kind::Unknown, None, Some(json!({"from": "a newer version"}))));
    entries.push(chat.entry("ada", Kind::Dissolved, None, None));
    // One by one and then several at once: the result must be the same.
    for entry in &entries[1..6] {
        append(storage, &chat, vec![entry.clone()]).await;
    }
    append(storage, &chat, entries[6..].to_vec()).await;

    let mut membership = Membership::created(&entries[0]).expect("a group");
    let mut summary = Summary::default();
    for entry in &entries {
        summary.apply(&entry.envelope);
        membership.apply(entry);
    }
    let loaded = load(storage, &chat, 5).await;
    assert_eq!(loaded.summary, summary, "the summary follows from the envelopes");
    assert_eq!(loaded.membership, membership, "the membership follows from the entries");
    let marks_of = |name: &str| {
        let id = account_id(name);
        let marks = loaded.marks.iter().find(|(account, _)| *account == id);
        marks.map(|(_, marks)| marks.clone())
    };
    let sent = |sent, sent_ordinal, mentions: &[u64]| {
        Some(Marks { sent, sent_ordinal, mentions: mentions.to_vec(), ..Marks::default() })
    };
    assert_eq!(marks_of("ada"), sent(8, 3, &[]), "whoever writes has read what stands before");
    assert_eq!(marks_of("dan"), sent(0, 0, &[4, 8]), "mentions are kept for members");
    assert_eq!(marks_of("bob"), None, "marks are of members");
}

async fn marks_of_bob(storage: &mut dyn Conversations, chat: &Chat) -> Marks {
    let marks = load(storage, chat, 0).await.marks.into_iter();
    let mut bobs = marks.filter(|(account, _)| *account == account_id("bob"));
    bobs.next().map(|(_, marks)| marks).unwrap_or_default()
}

/// Watermarks only grow, and come with or without entries.
pub async fn marks_only_grow(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "marks").await;
    let entries: Vec<_> = (0..4).map(|_| chat.mentioning("ada", Mentioned::All)).collect();
    append(storage, &chat, entries).await;
    let first = Marks { delivered: 5, read: 3, read_ordinal: 2, touched: NOW + 30, ..Marks::default() };
    mark(storage, &chat, "bob", first.clone()).await;
    let expected = Marks { mentions: vec![4, 5], ..first };
    assert_eq!(marks_of_bob(storage, &chat).await, expected, "read messages do not mention any more");
    let lower = Marks { delivered: 2, read: 1, read_ordinal: 1, touched: NOW + 2, ..Marks::default() };
    mark(storage, &chat, "bob", lower).await;
    assert_eq!(marks_of_bob(storage, &chat).await, expected, "what is lower is ignored");
    let invented = Marks { sent: 5, sent_ordinal: 4, mentions: vec![1, 2], ..Marks::default() };
    mark(storage, &chat, "bob", invented).await;
    assert_eq!(marks_of_bob(storage, &chat).await, expected, "sent and mentions follow from entries");
}

/// Watermarks that come with entries are stored with them.
pub async fn marks_come_with_entries(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "marks with entries").await;
    let mentioning = chat.mentioning("ada", Mentioned::All);
    append(storage, &chat, vec![mentioning]).await;
    let message = chat.message("bob", "with marks");
    let moved = Marks { delivered: 3, read: 1, touched: NOW + 40, ..Marks::default() };
    let marks = vec![(account_id("bob"), moved.clone())];
    append_with(storage, &chat, vec![message], marks).await;
    let expected = Marks { sent: 3, sent_ordinal: 2, ..moved };
    assert_eq!(marks_of_bob(storage, &chat).await, expected);
}

/// Edits, deletions and reactions are known by the messages at which they point.
pub async fn messages_stand_as_they_were_changed(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "messages").await;
    let mut entries: Vec<_> = (2..=6).map(|number| chat.message("ada", &number.to_string())).collect();
    entries.extend([
        chat.edit("ada", 2, "two"),
        chat.react("bob", 3, Some("\u{1F44D}")),
        chat.react("ada", 3, Some("\u{2764}")),
        chat.react("bob", 3, Some("\u{1F389}")),
        chat.react("ada", 3, None),
        chat.edit("ada", 2, "zwei"),
        chat.react("bob", 5, Some("\u{1F44D}")),
        chat.delete("ada", 5),
    ]);
    // One by one and then several at once: the result must be the same.
    for entry in &entries[..8] {
        append(storage, &chat, vec![entry.clone()]).await;
    }
    append(storage, &chat, entries[8..].to_vec()).await;
    let mut expected = BTreeMap::<u64, MessageState>::new();
    for entry in &entries[5..] {
        let target = entry.envelope.target.expect("an entry that points at a message");
        assert!(expected.entry(target).or_default().apply(entry));
    }
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(states(storage, &chat, 1, 99).await, expected, "those that something points at, ascending");
    assert_eq!(states(storage, &chat, 2, 3).await, expected[..2], "both ends belong to the range");
    assert_eq!(states(storage, &chat, 3, 3).await, expected[1..2], "both ends belong to the range");
    assert_eq!(states(storage, &chat, 4, 4).await, [], "nothing points at this one");
    assert_eq!(states(storage, &chat, 5, 4).await, [], "a range that holds nothing");
}

/// The newest value of a key is its state, unless it is null.
pub async fn own_values_are_the_newest(storage: &mut dyn Conversations) {
    let ada = account_id("ada");
    let mut chat = Chat::with_id(ConversationId::own(ada));
    let created = json!({"kind": "self", "members": [ada]});
    let mut entries = vec![chat.entry("ada", Kind::Created, None, Some(created))];
    let values: [(&str, Value); 9] = [
        ("pin/b", json!(1)),
        ("app/x", json!({"text": "old"})),
        ("pin/a", json!(2)),
        ("app/x", json!("new")),
        ("pin/b", json!(null)),
        ("app/\u{D55C}", json!(true)),
        ("app/gone", json!(null)),
        ("pin/c", json!("null")),
        ("pin/a", json!(3)),
    ];
    for (key, value) in values {
        entries.push(chat.set("ada", key, value));
    }
    append(storage, &chat, entries[..5].to_vec()).await;
    assert_eq!(own_values(storage, &chat, None, 9).await, named(&[("app/x", 5), ("pin/a", 4), ("pin/b", 2)]));
    append(storage, &chat, entries[5..].to_vec()).await;
    let newest = named(&[("app/x", 5), ("app/\u{D55C}", 7), ("pin/a", 10), ("pin/c", 9)]);
    assert_eq!(
        own_values(storage, &chat, None, 99).await,
        newest,
        "null removes; the text \"null\" does not"
    );
    assert_eq!(own_values(storage, &chat, None, 2).await, newest[..2], "at most as many as asked for");
    for (place, (key, _)) in newest.iter().enumerate() {
        let behind = own_values(storage, &chat, Some(key), 99).await;
        assert_eq!(behind, newest[place + 1..], "keys greater than the one given");
    }
    let behind = own_values(storage, &chat, Some("app/y"), 99).await;
    assert_eq!(behind, newest[1..], "the key given need not exist");
}
