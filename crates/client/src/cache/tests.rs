//! The cache keeps what it was given, all of a change or none, and erases what is deleted from its file.

use suda_proto::entry::MessageBody;
use suda_proto::reply::OwnItem;
use suda_proto::{AccountId, Entry, Kind};

use super::*;
use crate::conversation::Wanted;

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn conversation() -> ConversationId {
    ConversationId::from_bytes([7; 16])
}

fn session(number: u8) -> Session {
    let profile = serde_json::json!({
        "account": account(number), "name": "a", "display_name": "A", "colour": 1, "who_may_message": "everyone",
        "who_may_add": "everyone", "language": "en", "created_at": 1, "recovery_codes_left": 0
    });
    Session {
        server: "http://localhost".to_owned(),
        account: serde_json::from_value(profile).expect("an account"),
        device: DeviceId::from_bytes([9; 16]),
        token: "token".to_owned(),
    }
}

fn entry(seq: u64, kind: Kind, target: Option<u64>, text: &str) -> CachedEntry {
    CachedEntry::new(Entry {
        seq,
        at: seq,
        kind,
        author: account(1),
        client_id: ClientId::caused_by("test", &[&seq.to_be_bytes()]),
        ordinal: seq,
        target,
        mentions: Vec::new(),
        body: Some(Raw::of(&MessageBody::Text { text: text.to_owned(), data: None })),
        standing: None,
    })
}

#[tokio::test]
async fn survives_reopening_and_stays_private() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache.db");
    let location = CacheLocation::File(path.clone());
    let cache = Cache::open(&location).await.expect("opens");
    assert_eq!(cache.session().await.expect("reads"), None);
    let writes = vec![Write::LogIn(session(1)), Write::Resume("r1".to_owned()), Write::OwnPosition(1, 5)];
    cache.write(writes).await.expect("writes");
    cache.close().await;
    let cache = Cache::open(&location).await.expect("opens again");
    assert_eq!(cache.session().await.expect("reads"), Some(session(1)));
    let progress = cache.progress().await.expect("reads");
    assert_eq!((progress.resume.as_deref(), progress.own_seq), (Some("r1"), 5));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn another_account_finds_nothing_and_the_same_one_its_outbox() {
    let cache = Cache::open(&CacheLocation::Memory).await.expect("opens");
    let item = Item {
        client_id: ClientId::from_bytes([3; 16]),
        conversation: conversation(),
        base: 0,
        kind: Kind::Message,
        target: None,
        mentions: Vec::new(),
        body: None,
        composed_at: 0,
        failed: None,
    };
    cache.write(vec![Write::LogIn(session(1)), Write::Outbox(item.clone())]).await.expect("writes");
    cache.write(vec![Write::LogIn(session(1))]).await.expect("writes");
    assert_eq!(cache.outbox().await.expect("reads"), [item]);
    cache.write(vec![Write::LogIn(session(2))]).await.expect("writes");
    assert!(cache.outbox().await.expect("reads").is_empty());
}

#[tokio::test]
async fn a_slice_holds_what_a_batch_touches() {
    let cache = Cache::open(&CacheLocation::Memory).await.expect("opens");
    let entries = vec![
        entry(1, Kind::Message, None, "one"),
        entry(2, Kind::Message, Some(1), "an answer"),
        entry(3, Kind::Edit, Some(1), "edited"),
        entry(4, Kind::Reaction, Some(2), "not asked for"),
    ];
    cache.write(vec![Write::Entries(conversation(), entries)]).await.expect("writes");
    let wanted = Wanted { seqs: [2].into(), acts_on: [1].into() };
    let slice = cache.slice(conversation(), &wanted).await.expect("reads");
    assert_eq!(slice.entries.keys().copied().collect::<Vec<_>>(), [2, 3]);
    let shown = cache.shown(conversation(), (1, 4), 1, true).await.expect("reads");
    assert_eq!(shown[0].entry.seq, 2);
    cache.write(vec![Write::DropBelow(conversation(), 2)]).await.expect("writes");
    assert_eq!(cache.shown(conversation(), (1, 4), 9, false).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn own_values_keep_the_newest_and_show_what_was_set_here() {
    let cache = Cache::open(&CacheLocation::Memory).await.expect("opens");
    let item = |seq, value: &str| OwnItem { key: "app/x".to_owned(), value: Raw::of(&value), seq };
    cache
        .write(vec![Write::OwnItems(vec![item(5, "new")]), Write::OwnItems(vec![item(3, "old")])])
        .await
        .expect("ok");
    let key = suda_proto::entry::SetKey::App("x".to_owned());
    assert_eq!(cache.own_value(&key).await.expect("reads"), Some(Raw::of(&"new")));
    let client_id = ClientId::from_bytes([4; 16]);
    let wanted = WantedValue { key: "app/x".to_owned(), value: Raw::of(&"mine"), client_id, base: 5 };
    cache.write(vec![Write::WantValue(wanted.clone())]).await.expect("ok");
    assert_eq!(cache.own_wanted().await.expect("reads"), [wanted]);
    assert_eq!(cache.own_value(&key).await.expect("reads"), Some(Raw::of(&"mine")));
    assert_eq!(cache.own_values().await.expect("reads").len(), 1);
    cache.write(vec![Write::ForgetWanted(client_id)]).await.expect("ok");
    cache
        .write(vec![Write::OwnItems(vec![OwnItem { value: Raw::of(&()), ..item(6, "") }])])
        .await
        .expect("ok");
    assert_eq!(cache.own_value(&key).await.expect("reads"), None);
}

#[tokio::test]
async fn what_is_deleted_leaves_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cache.db");
    let cache = Cache::open(&CacheLocation::File(path.clone())).await.expect("opens");
    let entries =
        vec![entry(1, Kind::Message, None, "unmistakable"), entry(2, Kind::Message, None, "unmistakable")];
    cache.write(vec![Write::Entries(conversation(), entries)]).await.expect("writes");
    let mut deleted = entry(2, Kind::Message, None, "");
    deleted.erase();
    let writes = vec![Write::DropBelow(conversation(), 2), Write::Entries(conversation(), vec![deleted])];
    cache.write(writes).await.expect("writes");
    cache.close().await;
    let bytes = std::fs::read(&path).expect("reads");
    assert!(!bytes.windows(12).any(|window| window == b"unmistakable"));
}
