//! The contract of [`Inbox`](crate::ports::Inbox).

use serde_json::json;
use suda_proto::entry::{ConversationKind, Role};
use suda_proto::{AccountId, ConversationId, Kind, Mentioned};

use super::chat::{Chat, Conversations, append, append_with, load, mark, row};
use super::samples::{NOW, account_id};
use crate::ports::inbox::{InboxCursor, InboxRow};
use crate::receipts::Marks;

async fn rows(
    storage: &mut dyn Conversations,
    account: &str,
    since: u64,
    after: Option<InboxCursor>,
    limit: u32,
) -> Vec<InboxRow> {
    let rows = storage.ports().await.inbox.rows(account_id(account), since, after, limit).await;
    rows.expect("read rows")
}

async fn ids(storage: &mut dyn Conversations, account: &str, since: u64) -> Vec<ConversationId> {
    rows(storage, account, since, None, 1_000).await.into_iter().map(|row| row.conversation).collect()
}

async fn count(storage: &mut dyn Conversations, account: &str) -> u32 {
    storage.ports().await.inbox.count(account_id(account)).await.expect("count conversations")
}

/// A group that ends `milliseconds` after [`NOW`].
async fn group(storage: &mut dyn Conversations, label: &str, members: &[&str], milliseconds: u64) -> Chat {
    let mut chat = Chat::new(label);
    chat.wait_until(milliseconds);
    let created = chat.created(members[0], members, json!({"title": label}));
    append(storage, &chat, vec![created]).await;
    chat
}

/// What Bob has read of [`titled_group`].
fn read_by_bob() -> Marks {
    Marks { delivered: 5, read: 2, read_ordinal: 1, touched: NOW + 90, ..Marks::default() }
}

/// A group of three with another title than at first.
async fn titled_group(storage: &mut dyn Conversations) -> Chat {
    let mut chat = group(storage, "first title", &["ada", "bob"], 0).await;
    let mut entries = vec![chat.message("ada", "one"), chat.message("bob", "two")];
    entries.push(chat.accounts("ada", Kind::MembersAdded, &["cleo"]));
    chat.wait_until(70);
    entries.push(chat.mentioning("ada", Mentioned::All));
    entries.push(chat.entry("ada", Kind::SettingsChanged, None, Some(json!({"title": "second title"}))));
    append(storage, &chat, entries).await;
    mark(storage, &chat, "bob", read_by_bob()).await;
    chat
}

/// A row is what follows from the conversation's entries and the member's marks.
pub async fn rows_follow_from_entries(storage: &mut dyn Conversations) {
    let chat = titled_group(storage).await;
    let loaded = load(storage, &chat, 0).await;

    let ada = row(storage, "ada", &chat).await.expect("the owner's row");
    assert_eq!(ada.header, loaded.membership.header, "a row tells what the conversation is");
    assert_eq!((ada.header.title.as_deref(), ada.header.members), (Some("second title"), 3));
    assert_eq!((ada.summary, ada.epoch), (loaded.summary, loaded.epoch), "a row tells how far it has come");
    assert_eq!((ada.role, ada.floor, ada.joined_ordinal), (Some(Role::Owner), 1, 0));
    assert_eq!((ada.marks.sent, ada.touched()), (5, NOW + 70));

    let bob = row(storage, "bob", &chat).await.expect("a member's row");
    let expected = Marks { sent: 3, sent_ordinal: 2, mentions: vec![5], ..read_by_bob() };
    assert_eq!((bob.role, bob.marks.clone(), bob.touched()), (Some(Role::Member), expected, NOW + 90));
    let cleo = row(storage, "cleo", &chat).await.expect("a new member's row");
    assert_eq!((cleo.floor, cleo.joined_ordinal), (4, 2), "a new member sees what comes after joining");
    assert_eq!(
        (cleo.marks.unread(cleo.summary.ordinal, cleo.joined_ordinal), cleo.marks.mentions.len()),
        (1, 1)
    );

    assert_eq!(row(storage, "dan", &chat).await, None, "strangers have no row");
    assert_eq!(row(storage, "ada", &Chat::new("unknown")).await, None, "what does not exist has no row");
    for (name, row) in [("ada", ada), ("bob", bob), ("cleo", cleo)] {
        assert_eq!(rows(storage, name, 0, None, 9).await, [row], "a list has the same rows");
    }
}

/// The three kinds of conversations: groups and direct ones are listed, the account's own is not.
pub async fn own_conversations_are_not_listed(storage: &mut dyn Conversations) {
    let (ada, bob) = (account_id("ada"), account_id("bob"));
    let own_id = ConversationId::own(ada);
    for (id, kind, members) in
        [(own_id, "self", vec![ada]), (ConversationId::direct(ada, bob), "direct", vec![ada, bob])]
    {
        let mut chat = Chat::with_id(id);
        let body = json!({"kind": kind, "members": members});
        let created = chat.entry("ada", Kind::Created, None, Some(body));
        let marks = vec![(ada, Marks { read: 1, touched: NOW + 5, ..Marks::default() })];
        append_with(storage, &chat, vec![created], marks).await;
    }
    let group = group(storage, "beside", &["ada"], 9).await;
    assert_eq!(count(storage, "ada").await, 2);
    assert_eq!(count(storage, "bob").await, 1);
    assert_eq!(count(storage, "nobody").await, 0);
    let own = storage.ports().await.inbox.row(ada, own_id).await.expect("read a row");
    assert_eq!(own, None, "the account's own conversation has no row");
    for since in [0, 1] {
        let listed = rows(storage, "ada", since, None, 9).await;
        let kinds: Vec<_> = listed.iter().map(|row| row.header.kind).collect();
        assert_eq!(kinds, [ConversationKind::Group, ConversationKind::Direct]);
        assert_eq!(listed[1].header.pair, Some([ada, bob]));
        assert_eq!(listed[0].conversation, group.id);
    }
}

/// Newest first, then by conversation; pages neither skip nor repeat.
pub async fn lists_are_ordered_and_paged(storage: &mut dyn Conversations) {
    let mut expected = Vec::new();
    for number in 0..25u64 {
        let touched = number / 4 * 10;
        let chat = group(storage, &format!("group {number}"), &["ada", "bob"], touched).await;
        expected.push((std::cmp::Reverse(NOW + touched), chat.id));
    }
    group(storage, "not hers", &["bob"], 0).await;
    expected.sort();
    let place = |row: &InboxRow| (std::cmp::Reverse(row.touched()), row.conversation);
    for limit in [1, 4, 7, 25, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = rows(storage, "ada", 0, after, limit).await;
            assert!(page.len() <= limit as usize, "at most as many as asked for");
            let Some(last) = page.last() else { break };
            after = Some(InboxCursor { touched: last.touched(), conversation: last.conversation });
            seen.extend(page.iter().map(place));
            assert!(seen.len() <= expected.len(), "pages repeat nothing");
        }
        assert_eq!(seen, expected, "pages of {limit}");
    }
    for since in [NOW, NOW + 1, NOW + 10, NOW + 11, NOW + 60, NOW + 61] {
        let newer: Vec<_> =
            expected.iter().filter(|(touched, _)| touched.0 >= since).map(|(_, id)| *id).collect();
        assert_eq!(ids(storage, "ada", since).await, newer, "touched at or after {since}");
    }
    assert_eq!(count(storage, "ada").await, 25);
    assert_eq!(rows(storage, "ada", 0, None, 0).await, [], "no rows were asked for");
}

/// A message or the member's own mark touches a row; others' marks do not.
pub async fn rows_are_touched(storage: &mut dyn Conversations) {
    let mut old = group(storage, "old", &["ada", "bob"], 0).await;
    let new = group(storage, "new", &["ada", "bob"], 10).await;
    assert_eq!(ids(storage, "ada", 0).await, [new.id, old.id]);
    let read = Marks { delivered: 1, read: 1, touched: NOW + 20, ..Marks::default() };
    mark(storage, &old, "bob", read).await;
    assert_eq!(ids(storage, "ada", NOW + 20).await, [], "another's mark touches no row of hers");
    assert_eq!(ids(storage, "bob", NOW + 20).await, [old.id], "one's own mark touches the row");
    assert_eq!(ids(storage, "bob", 0).await, [old.id, new.id]);
    old.wait_until(30);
    let message = old.message("bob", "hello");
    append(storage, &old, vec![message]).await;
    for name in ["ada", "bob"] {
        assert_eq!(ids(storage, name, NOW + 30).await, [old.id], "a message touches everybody's row");
    }
}

/// Whoever is no member any more sees where it was, and only asks for news.
pub async fn former_members_keep_what_they_saw(storage: &mut dyn Conversations) {
    let mut chat = group(storage, "left", &["ada", "bob", "cleo"], 0).await;
    let staying = group(storage, "staying", &["ada", "bob", "cleo"], 5).await;
    let message = chat.mentioning("ada", Mentioned::All);
    chat.wait_until(10);
    let removed = chat.accounts("ada", Kind::MemberRemoved, &["bob"]);
    append(storage, &chat, vec![message, removed]).await;
    let at_removal = load(storage, &chat, 0).await.summary;
    chat.wait_until(20);
    let left = chat.entry("cleo", Kind::MemberLeft, None, None);
    let later = chat.mentioning("ada", Mentioned::All);
    append(storage, &chat, vec![left, later]).await;
    let bob = row(storage, "bob", &chat).await.expect("a former member's row");
    assert_eq!((bob.role, bob.summary, bob.floor), (None, at_removal, 1), "up to where it was");
    assert_eq!(bob.marks, Marks::default(), "mentions are of members only");
    assert_eq!(
        (bob.touched(), row(storage, "cleo", &chat).await.map(|row| row.summary.head)),
        (NOW + 10, Some(4))
    );
    for (name, news) in [("bob", NOW + 10), ("cleo", NOW + 20)] {
        assert_eq!(count(storage, name).await, 1);
        assert_eq!(ids(storage, name, 0).await, [staying.id], "a whole list has memberships only");
        assert_eq!(ids(storage, name, 1).await, [chat.id, staying.id], "news has what ended");
        assert_eq!(ids(storage, name, news).await, [chat.id]);
        assert_eq!(ids(storage, name, news + 1).await, [], "what comes later is not theirs");
    }
    rejoin(storage, &mut chat).await;
}

/// Bob comes back.
async fn rejoin(storage: &mut dyn Conversations, chat: &mut Chat) {
    chat.wait_until(30);
    let entries =
        vec![chat.accounts("ada", Kind::MembersAdded, &["bob"]), chat.message("ada", "welcome back")];
    append(storage, chat, entries).await;
    let loaded = load(storage, chat, 0).await;
    let member = loaded.membership.member(account_id("bob")).expect("a member again");
    let bob = row(storage, "bob", chat).await.expect("a member's row");
    assert_eq!((bob.role, bob.summary), (Some(Role::Member), loaded.summary), "who comes back follows again");
    assert_eq!((bob.floor, bob.joined_ordinal), (member.floor(), member.joined_ordinal));
    assert_eq!(count(storage, "bob").await, 2);
    let promoted: AccountId = account_id("bob");
    let role =
        chat.entry("ada", Kind::RoleChanged, None, Some(json!({"account": promoted, "role": "owner"})));
    append(storage, chat, vec![role]).await;
    let roles = (
        row(storage, "ada", chat).await.map(|row| row.role),
        row(storage, "bob", chat).await.map(|row| row.role),
    );
    assert_eq!(roles, (Some(Some(Role::Admin)), Some(Some(Role::Owner))), "rows follow roles");
}
