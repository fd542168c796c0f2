//! The contract of [`Log`](crate::ports::Log): appending and reading. What follows from entries is in
//! [`derived`](super::derived), what is gone in [`erasure`](super::erasure).

use serde_json::json;
use suda_proto::{Kind, Mentioned};

use super::both;
use super::chat::{Chat, Conversations, PLENTY, append, group, load, own_values, read, states, try_append};
use super::samples::{NOW, account_id};
use crate::entry::{Entry, Envelope};
use crate::ports::log::{Append, AppendError};
use crate::receipts::Marks;

/// What was appended is read, byte for byte, and nothing else.
pub async fn entries_are_kept(storage: &mut dyn Conversations) {
    let (mut chat, created) = group(storage, "kept").await;
    let mut kept = vec![created, chat.message("ada", "안녕 \u{1F642} \"quoted\" \\ \n")];
    let mut answer = chat.mentioning("bob", Mentioned::Account(account_id("ada")));
    answer.envelope.target = Some(2);
    kept.push(answer);
    kept.push(chat.mentioning("ada", Mentioned::All));
    kept.push(chat.entry(
        "ada",
        Kind::Message,
        None,
        Some(json!({"type": "custom", "data": {"x": [1, null]}})),
    ));
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
    log.load(other.id, 0).await.expect("load");
    assert!(log.latest() >= NOW + 5, "latest is not smaller than the time of any entry that was loaded");
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
    assert!(
        matches!(refused, Err(AppendError::Conflict { head: 0 })),
        "nothing stands before the first entry"
    );
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
            assert!(
                matches!(again, Err(AppendError::Conflict { head: 2 })),
                "an append after {after}: {again:?}"
            );
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
        let first =
            vec![chat.message("ada", &format!("{round}a")), chat.message("ada", &format!("{round}b"))];
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
