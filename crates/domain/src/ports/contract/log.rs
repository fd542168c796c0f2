//! The contract of [`Log`](crate::ports::Log).

use std::collections::BTreeMap;
use serde_json::{Value, json};
use suda_proto::{ConversationId, Kind, Mentioned};

use super::both;
use super::chat::{Chat, Conversations, PLENTY, append, append_with, load, mark, read, try_append};
use super::samples::{NOW, account_id};
use crate::entry::{Entry, Envelope};
use crate::membership::Membership;
use crate::message::MessageState;
use crate::ports::log::{Append, AppendError};
use crate::receipts::{Marks, Summary};

/// Makes a group of Ada and Bob that says nothing yet.
async fn group(storage: &mut dyn Conversations, label: &str) -> (Chat, Entry) {
    let mut chat = Chat::new(label);
    let created = chat.created("ada", &["ada", "bob"], json!({"title": label}));
    append(storage, &chat, vec![created.clone()]).await;
    (chat, created)
}

async fn states(storage: &mut dyn Conversations, chat: &Chat, from: u64, to: u64) -> Vec<(u64, MessageState)> {
    storage.ports().await.log.message_states(chat.id, from, to).await.expect("read message states")
}

async fn own_values(
    storage: &mut dyn Conversations,
    chat: &Chat,
    after: Option<&str>,
    limit: u32,
) -> Vec<(String, u64)> {
    storage.ports().await.log.own_values(chat.id, after, limit).await.expect("read own values")
}

fn named(values: &[(&str, u64)]) -> Vec<(String, u64)> {
    values.iter().map(|(key, seq)| ((*key).to_owned(), *seq)).collect()
}

/// Which entries have a body.
async fn with_body(storage: &mut dyn Conversations, chat: &Chat) -> Vec<u64> {
    let entries = read(storage, chat, 1, u64::MAX, PLENTY).await;
    entries.iter().filter(|entry| entry.body.is_some()).map(|entry| entry.envelope.seq).collect()
}

/// What was appended is read, byte for byte, and nothing else.
pub async fn entries_are_kept(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "kept").await;
    let mut kept = vec![created, chat.message("ada", "안녕 \u{1F642} \"quoted\" \\ \n")];
    let mut answer = chat.mentioning("bob", Mentioned::Account(account_id("ada")));
    answer.envelope.target = Some(2);
    kept.push(answer);
    kept.push(chat.mentioning("ada", Mentioned::All));
    kept.push(chat.entry("ada", Kind::Message, None, Some(json!({"type": "custom", "data": {"x": [1, null]}}))));
    append(storage, &chat, kept[1..].to_vec()).await;
    kept.push(chat.message("bob", &"long ".repeat(3_000)));
    append(storage, &chat, kept[5..].to_vec()).await;
    let (mut other, other_created) = group(storage, "other").await;
    assert_eq!(read(storage, &chat, 1, 99, PLENTY).await, kept, "what was appended is read");
    assert_eq!(read(storage, &other, 1, 99, PLENTY).await, [other_created], "conversations are apart");
    other.wait_until(5);
    let later = other.message("ada", "later");
    append(storage, &other, vec![later]).await;
    let log = storage.ports().await.log;
    assert!(log.latest() >= NOW + 5, "latest is not smaller than any entry's time");
    let epoch = log.epoch();
    assert!(epoch > 0, "epochs begin with 1");
    drop(log);
    assert_eq!(load(storage, &chat, 1).await.epoch, epoch, "all conversations have the log's epoch");
}

/// Reads are contiguous from the first sequence asked for, and cut where they should be.
pub async fn reads_are_cut(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "cut").await;
    let mut entries = vec![created];
    entries.extend((2..=300).map(|number| chat.message("ada", &format!("{number:04}"))));
    for part in entries[1..].chunks(64) {
        append(storage, &chat, part.to_vec()).await;
    }
    for (from, to) in [(1, 300), (1, 1), (300, 300), (2, 299), (299, 9_000), (300, u64::MAX)] {
        let expected = &entries[from as usize - 1..to.min(300) as usize];
        assert_eq!(read(storage, &chat, from, to, PLENTY).await, expected, "{from}..={to}");
    }
    for (from, to) in [(301, 400), (5, 4), (u64::MAX, u64::MAX)] {
        assert_eq!(read(storage, &chat, from, to, PLENTY).await, [], "{from}..={to} holds nothing");
    }
    let body = entries[5].body.as_ref().map_or(0, |body| body.len());
    for (most_bytes, expected) in [(0, 1), (1, 1), (body, 1), (3 * body, 3)] {
        let cut = read(storage, &chat, 3, 300, most_bytes).await;
        assert_eq!(cut, entries[2..2 + expected], "cut at {most_bytes} bytes, never before the first");
    }
    let unknown = Chat::new("unknown");
    assert_eq!(read(storage, &unknown, 1, 10, PLENTY).await, [], "an unknown conversation has no entries");
    assert_eq!(states(storage, &unknown, 1, 10).await, [], "an unknown conversation has no messages");
    assert_eq!(own_values(storage, &unknown, None, 10).await, [], "an unknown conversation has no values");
    let loaded = storage.ports().await.log.load(unknown.id, 10).await.expect("load");
    assert_eq!(loaded, None, "an unknown conversation does not load");
}

/// An append fits only behind the head; one that does not leaves nothing.
pub async fn appends_compare(storage: &mut dyn Conversations) {
    let mut chat = Chat::new("compared");
    let created = chat.created("ada", &["ada", "bob"], json!({}));
    let refused = try_append(storage, chat.id, 3, vec![], vec![]).await;
    assert!(matches!(refused, Err(AppendError::Conflict { head: 0 })), "nothing stands before the first entry");
    append(storage, &chat, vec![created.clone()]).await;
    let message = chat.message("ada", "once");
    append(storage, &chat, vec![message.clone()]).await;
    let read_everything = Marks { read: 2, read_ordinal: 1, touched: NOW + 9, ..Marks::default() };
    for after in [0, 1, 3, 99] {
        let mut entry = message.clone();
        entry.envelope.seq = after + 1;
        for entries in [vec![entry], vec![]] {
            let marks = vec![(account_id("bob"), read_everything.clone())];
            let again = try_append(storage, chat.id, after, entries, marks).await;
            assert!(matches!(again, Err(AppendError::Conflict { head: 2 })), "an append after {after}: {again:?}");
        }
    }
    assert_eq!(read(storage, &chat, 1, 9, PLENTY).await, [created, message], "a conflict stores no entry");
    let marks = load(storage, &chat, 0).await.marks;
    assert!(marks.iter().all(|(account, _)| *account != account_id("bob")), "a conflict stores no marks");
    try_append(storage, chat.id, 2, vec![], vec![]).await.expect("an append of nothing fits behind the head");
}

/// Of two appends behind the same head, one is stored; readers meanwhile see no hole.
pub async fn one_of_two_appends_is_stored(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "raced").await;
    let mut expected = vec![created];
    for round in 0..20 {
        let after = chat.head;
        let first = vec![chat.message("ada", &format!("{round}a")), chat.message("ada", &format!("{round}b"))];
        let mut second = first.clone();
        second.iter_mut().for_each(|entry| entry.envelope.author = account_id("bob"));
        let log = storage.ports().await.log;
        let to_append = |entries: &Vec<Entry>| Append {
            conversation: chat.id,
            after,
            entries: entries.clone(),
            marks: Vec::new(),
        };
        let appends = both(log.append(to_append(&first)), log.append(to_append(&second)));
        let (appended, seen) = both(appends, log.read(chat.id, 1, u64::MAX, PLENTY)).await;
        let seen = seen.expect("read beside appends");
        let stored = match appended {
            (Ok(()), Err(AppendError::Conflict { head })) if head == after + 2 => first,
            (Err(AppendError::Conflict { head }), Ok(())) if head == after + 2 => second,
            other => panic!("one append is stored and the other told the new head: {other:?}"),
        };
        expected.extend(stored);
        assert!(seen.len() >= after as usize, "what was acknowledged before is seen");
        assert_eq!(seen, expected[..seen.len()], "readers see a contiguous prefix");
    }
    assert_eq!(read(storage, &chat, 1, u64::MAX, PLENTY).await, expected, "one of two is stored");
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

/// The newest envelopes are loaded, as many as asked for if there are.
pub async fn newest_envelopes_are_loaded(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "recent").await;
    let mut envelopes = vec![created.envelope];
    for number in 0..40 {
        let entry = chat.message("ada", &number.to_string());
        envelopes.push(entry.envelope.clone());
        append(storage, &chat, vec![entry]).await;
    }
    for recent in [0, 1, 7, 41, 1_000] {
        let loaded: Vec<Envelope> = load(storage, &chat, recent).await.recent;
        let least = envelopes.len().min(recent as usize);
        assert!(loaded.len() >= least, "at least as many as asked for");
        assert_eq!(loaded, envelopes[envelopes.len() - loaded.len()..], "contiguous up to the head");
    }
}

/// Watermarks only grow, and come with or without entries.
pub async fn marks_only_grow(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "marks").await;
    let entries: Vec<_> = (0..4).map(|_| chat.mentioning("ada", Mentioned::All)).collect();
    append(storage, &chat, entries).await;
    let bob = |loaded: Vec<(suda_proto::AccountId, Marks)>| {
        let marks = loaded.into_iter().find(|(account, _)| *account == account_id("bob"));
        marks.map(|(_, marks)| marks).unwrap_or_default()
    };
    let first = Marks { delivered: 5, read: 3, read_ordinal: 2, touched: NOW + 30, ..Marks::default() };
    mark(storage, &chat, "bob", first.clone()).await;
    let expected = Marks { mentions: vec![4, 5], ..first };
    assert_eq!(bob(load(storage, &chat, 0).await.marks), expected, "read messages do not mention any more");
    let lower = Marks { delivered: 2, read: 1, read_ordinal: 1, touched: NOW + 2, ..Marks::default() };
    mark(storage, &chat, "bob", lower).await;
    assert_eq!(bob(load(storage, &chat, 0).await.marks), expected, "what is lower is ignored");
    let invented = Marks { sent: 5, sent_ordinal: 4, mentions: vec![1, 2], ..Marks::default() };
    mark(storage, &chat, "bob", invented).await;
    assert_eq!(bob(load(storage, &chat, 0).await.marks), expected, "sent and mentions follow from entries");
    let message = chat.message("bob", "with marks");
    let higher = Marks { delivered: 6, touched: NOW + 40, ..Marks::default() };
    append_with(storage, &chat, vec![message], vec![(account_id("bob"), higher)]).await;
    let expected = Marks {
        delivered: 6,
        sent: 6,
        sent_ordinal: 5,
        mentions: vec![],
        touched: NOW + 40,
        ..expected
    };
    assert_eq!(bob(load(storage, &chat, 0).await.marks), expected, "entries and marks are stored together");
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

/// Erased bodies read as `None` at once; everything else stays.
pub async fn deleted_bodies_are_gone_at_once(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "deleted").await;
    let mut entries: Vec<_> = (2..=4).map(|number| chat.message("ada", &number.to_string())).collect();
    entries.extend([chat.edit("ada", 3, "once"), chat.edit("ada", 3, "twice"), chat.edit("ada", 4, "other")]);
    append(storage, &chat, entries.clone()).await;
    assert_eq!(with_body(storage, &chat).await, [1, 2, 3, 4, 5, 6, 7]);
    let delete = chat.delete("ada", 3);
    append(storage, &chat, vec![delete]).await;
    assert_eq!(with_body(storage, &chat).await, [1, 2, 4, 7], "a message goes with its edits, and alone");
    let kept = read(storage, &chat, 3, 3, PLENTY).await;
    assert_eq!(kept[0].envelope, entries[1].envelope, "the envelope of a deleted message stays");
    let recent = load(storage, &chat, 8).await.recent;
    assert_eq!(recent.len(), 8, "deleted messages are loaded like others");
}

/// Everything that an author wrote before its `author_erased` entry is gone at once, and nothing else.
pub async fn erased_authors_leave_nothing(storage: &mut dyn Conversations) {
    let (mut chat, _) = group(storage, "erased author").await;
    let mut entries: Vec<_> = (0..300).map(|number| chat.message("bob", &number.to_string())).collect();
    let last_message = chat.head;
    let adas = chat.message("ada", "stays");
    let ada = adas.envelope.seq;
    entries.extend([adas, chat.edit("bob", 2, "edited"), chat.react("bob", ada, Some("\u{1F44D}"))]);
    entries.push(chat.react("ada", 2, Some("\u{1F389}")));
    let adas_reaction = chat.head;
    append(storage, &chat, entries).await;
    let left = chat.entry("bob", Kind::MemberLeft, None, None);
    let erased = chat.entry("bob", Kind::AuthorErased, None, None);
    append(storage, &chat, vec![left, erased]).await;
    let later = chat.message("ada", "later");
    append(storage, &chat, vec![later]).await;
    let expected = [1, ada, adas_reaction, chat.head];
    assert_eq!(with_body(storage, &chat).await, expected, "others' words stay");
    let state = states(storage, &chat, ada, ada).await;
    assert!(state.iter().all(|(_, state)| state.reactions.is_empty()), "reactions go with their author");
    let state = states(storage, &chat, 2, last_message).await;
    assert_eq!(state.len(), 1, "others' reactions to what the author wrote are known");
    assert_eq!(load(storage, &chat, 1).await.membership.erased.len(), 1);
}

/// The newest value of a key is its state; older ones are gone at once.
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
    assert_eq!(own_values(storage, &chat, None, 99).await, newest, "null removes; the text \"null\" does not");
    assert_eq!(own_values(storage, &chat, None, 2).await, newest[..2], "at most as many as asked for");
    for (place, (key, _)) in newest.iter().enumerate() {
        let behind = own_values(storage, &chat, Some(key), 99).await;
        assert_eq!(behind, newest[place + 1..], "keys greater than the one given");
    }
    let behind = own_values(storage, &chat, Some("app/y"), 99).await;
    assert_eq!(behind, newest[1..], "the key given need not exist");
    let kept = with_body(storage, &chat).await;
    for (overtaken, key) in [(3, "app/x"), (4, "pin/a"), (2, "pin/b")] {
        assert!(!kept.contains(&overtaken), "the older value of {key} is gone");
    }
    assert!([1, 5, 7, 9, 10].iter().all(|seq| kept.contains(seq)), "the newest values are kept");
    let list = storage.ports().await.inbox.rows(ada, 0, None, 9).await.expect("read rows");
    assert_eq!(list, [], "the account's own conversation is not in its list");
}
