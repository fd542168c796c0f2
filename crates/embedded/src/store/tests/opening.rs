//! Opening and closing, the index lost and found, and what must not be opened.

use std::collections::HashSet;
use std::fs;

use super::super::check::{CheckError, CheckStep, check};
use super::super::identity::{Identity, IdentityError};
use super::super::{INDEX, OpenError};
use super::*;
use crate::conversation_log::ConversationLogError;

const ACTS: usize = 120;

#[tokio::test]
async fn everything_is_there_after_closing() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(1, ACTS);
    for (start, end) in [(0, 40), (40, 41), (41, ACTS)] {
        let store = open(folder.path()).await;
        check_lives(&store.conversations, &lives, start).await;
        live(&store.conversations, &lives, start..end).await;
        check_lives(&store.conversations, &lives, end).await;
        store.close().await.expect("close");
    }
    let store = open(folder.path()).await;
    assert_eq!(store.report().log.records, 0, "nothing is read twice");
    assert!(!store.report().index_was_rebuilt);
    check_lives(&store.conversations, &lives, ACTS).await;
}

#[tokio::test]
async fn every_layer_of_memory_is_read_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options();
    // Rows go to the database all the time.
    options.conversations.index.batch_bytes = 2_000;
    let store = Store::open(folder.path(), options).await.expect("a store");
    let lives = lives(2, ACTS);
    for act in 0..ACTS {
        live(&store.conversations, &lives, act..act + 1).await;
        if act % 10 == 0 {
            check_lives(&store.conversations, &lives, act + 1).await;
        }
    }
    check_lives(&store.conversations, &lives, ACTS).await;
}

#[tokio::test]
async fn the_index_follows_from_the_log_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(3, ACTS);
    let store = open(folder.path()).await;
    live(&store.conversations, &lives, 0..ACTS / 2).await;
    store.erase().await.expect("erase");
    live(&store.conversations, &lives, ACTS / 2..ACTS).await;
    store.erase().await.expect("erase");
    store.close().await.expect("close");
    let before = rows(folder.path());
    let kinds: HashSet<u8> = before.iter().filter_map(|(key, _)| key.first().copied()).collect();
    assert_eq!(kinds.len(), 6, "the lives have rows in every table");

    let mut options = options();
    options.rebuild_index = true;
    let store = Store::open(folder.path(), options).await.expect("a store");
    assert!(store.report().index_was_rebuilt);
    check_lives(&store.conversations, &lives, ACTS).await;
    store.close().await.expect("close");
    assert!(rows(folder.path()) == before, "a rebuilt index is the same");
}

#[tokio::test]
async fn what_was_deleted_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options();
    options.conversations.index.batch_bytes = 2_000;
    let store = Store::open(folder.path(), options).await.expect("a store");
    let lives = lives(4, 2 * ACTS);
    live(&store.conversations, &lives, 0..2 * ACTS).await;
    let known: Vec<_> = lives.iter().map(|life| life.known(2 * ACTS)).collect();
    let in_files = |text: &str| {
        let bytes = every_byte(folder.path());
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let first = known[0].deleted_texts().next().expect("a deleted text");
    assert!(in_files(&first), "before the erasure it is there");
    store.erase().await.expect("erase");
    let bytes = String::from_utf8_lossy(&every_byte(folder.path())).into_owned();
    for known in &known {
        assert!(known.deleted_texts().count() > 10);
        for text in known.deleted_texts() {
            assert!(!bytes.contains(&text), "{text} is in a file");
        }
        for text in known.kept_texts() {
            assert!(bytes.contains(&text), "{text} is lost");
        }
    }
    check_lives(&store.conversations, &lives, 2 * ACTS).await;
}

#[tokio::test]
async fn a_second_opener_is_told_who_is_in_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    let second = Store::open(folder.path(), options()).await.err();
    let second = second.expect("refused");
    assert!(matches!(second, OpenError::InUse { .. }), "{second}");
    assert!(second.to_string().contains(&folder.path().display().to_string()));
    let ports = store.ports();
    store.close().await.expect("close");
    let while_ports_are_used = Store::open(folder.path(), options()).await;
    assert!(while_ports_are_used.is_err(), "the ports still hold the log");
    drop(ports);
    open(folder.path()).await;
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = tempfile::tempdir().expect("a folder");
    let lives = lives(5, 10);
    for folder in [&folder, &other] {
        let store = open(folder.path()).await;
        live(&store.conversations, &lives, 0..10).await;
        store.close().await.expect("close");
    }
    let refused = async || Store::open(folder.path(), options()).await.err().expect("refused");
    let data = |folder: &tempfile::TempDir| folder.path().join(INDEX).join("data.mdb");
    let own_index = fs::read(data(&folder)).expect("an index");
    fs::copy(data(&other), data(&folder)).expect("another index");
    let error = refused().await;
    let is_of = |error: &OpenError, of| {
        use std::mem::discriminant;
        matches!(error, OpenError::Conversations(found) if discriminant(found) == discriminant(&of))
    };
    assert!(is_of(&error, ConversationLogError::ForeignIndex), "{error}");
    fs::write(data(&folder), own_index).expect("its own index");

    let identity = fs::read(folder.path().join("store.json")).expect("store.json");
    fs::copy(other.path().join("store.json"), folder.path().join("store.json")).expect("another");
    fs::remove_dir_all(folder.path().join(INDEX)).expect("an index");
    let error = refused().await;
    assert!(is_of(&error, ConversationLogError::ForeignLog), "{error}");
    fs::remove_file(folder.path().join("store.json")).expect("remove");
    let error = refused().await;
    assert!(matches!(error, OpenError::Identity(IdentityError::Missing { .. })), "{error}");
    fs::write(folder.path().join("store.json"), r#"{"form": 2, "new": 1}"#).expect("write");
    let error = refused().await;
    assert!(matches!(error, OpenError::Identity(IdentityError::Newer { found: 2, .. })), "{error}");
    fs::write(folder.path().join("store.json"), "{").expect("write");
    let error = refused().await;
    assert!(matches!(error, OpenError::Identity(IdentityError::Malformed { .. })), "{error}");
    fs::write(folder.path().join("store.json"), identity).expect("its own");
    let mut options = options();
    options.rebuild_index = true;
    let store = Store::open(folder.path(), options).await.expect("a store");
    check_lives(&store.conversations, &lives, 10).await;
}

#[tokio::test]
async fn the_epoch_survives() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    assert_eq!(store.ports().log.epoch(), 1);
    let raised = store.raise_epoch().expect("raise");
    assert!(raised > 1);
    assert_eq!(store.ports().log.epoch(), raised);
    store.close().await.expect("close");
    fs::remove_dir_all(folder.path().join(INDEX)).expect("an index");
    assert_eq!(open(folder.path()).await.ports().log.epoch(), raised);
    let identity = Identity::read(folder.path()).expect("store.json");
    assert_eq!(identity.map(|identity| identity.epoch), Some(raised));
}

#[tokio::test]
async fn checking_finds_what_is_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(6, ACTS);
    let store = open(folder.path()).await;
    live(&store.conversations, &lives, 0..ACTS / 2).await;
    store.conversations.core.index.flush().expect("flush");
    let earlier = fs::read(folder.path().join(INDEX).join("data.mdb")).expect("an index");
    live(&store.conversations, &lives, ACTS / 2..ACTS).await;
    assert!(matches!(
        check(folder.path(), &mut |_| {}).await,
        Err(CheckError::Open(OpenError::InUse { .. }))
    ));
    store.erase().await.expect("erase");
    store.close().await.expect("close");

    let mut steps = Vec::new();
    let report = check(folder.path(), &mut |step| steps.push(step)).await.expect("sound");
    assert!(report.index_rows.is_some_and(|rows| rows > 150), "{report:?}");
    assert_eq!(steps.last(), Some(&CheckStep::Database));
    assert!(steps.contains(&CheckStep::Index));
    let data = folder.path().join(INDEX).join("data.mdb");
    let newest = fs::read(&data).expect("an index");
    fs::write(&data, earlier).expect("an earlier index");
    let report = check(folder.path(), &mut |_| {}).await.expect("sound, though late");
    assert!(report.index_rows.is_some(), "compared at its own position");
    fs::write(&data, newest).expect("the newest index");

    let index = Index::open(&folder.path().join(INDEX), IndexOptions::default()).expect("open");
    let key = crate::index::tables::summary_key(lives[0].conversation);
    index
        .change(None, |changes| {
            changes.put(key, &suda_domain::receipts::Summary::default());
            Ok(())
        })
        .and_then(|()| index.flush())
        .expect("a wrong row");
    drop(index);
    let error = check(folder.path(), &mut |_| {}).await.expect_err("unsound");
    assert!(matches!(error, CheckError::IndexDiffers { table: 2 }), "{error}");
    fs::remove_dir_all(folder.path().join(INDEX)).expect("an index");
    let report = check(folder.path(), &mut |_| {}).await.expect("sound without an index");
    assert_eq!(report.index_rows, None);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_half() {
    use suda_domain::ports::Log;
    use suda_domain::ports::log::AppendError;
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path()).await;
    let lives = lives(9, 40);
    let life = &lives[0];
    let log = &store.conversations;
    let mut were_stored = 0;
    for act in 0..40 {
        tokio::select! {
            biased;
            _ = log.append(life.append(act)) => {}
            () = std::future::ready(()) => {}
        }
        match log.append(life.append(act)).await {
            Ok(()) => {}
            Err(AppendError::Conflict { .. }) => were_stored += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(were_stored > 0, "some were under way when their caller went");
    life.known(40).check(life.conversation, log).await;
}
