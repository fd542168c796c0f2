//! Merged segments: everything reads as before, what was deleted is gone, and the index still
//! follows from the log.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;
use suda_domain::ports::contract::chat::Chat;
use suda_domain::receipts::Marks;
use suda_proto::{Kind, Mentioned};

use super::super::backup::restore;
use super::super::check::{CheckError, check};
use super::super::{INDEX, LOG};
use super::life::{Act, account};
use super::*;
use crate::log::OpenError as LogError;

const ACTS: usize = 120;

fn small() -> StoreOptions {
    let mut options = options();
    options.conversations.log.segment_bytes = 8 << 10;
    options
}

async fn open_small(folder: &Path) -> Store {
    Store::open(folder, small()).await.expect("a store")
}

/// Merges all sealed segments, three at a time.
fn merge(store: &Store) {
    store.conversations.core.merger.merge(1, 3, &mut || true).expect("merge");
}

/// The names of the log's files that end so, in order.
fn files(folder: &Path, ending: &str) -> Vec<String> {
    let names = fs::read_dir(folder.join(LOG)).expect("a folder").map(|file| {
        let name = file.expect("a file").file_name();
        name.into_string().expect("text")
    });
    let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn everything_reads_as_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(11, ACTS);
    let store = open_small(folder.path()).await;
    for act in 0..ACTS {
        live(&store.conversations, &lives, act..act + 1).await;
        if act % 25 == 24 {
            check_lives(&store.conversations, &lives, act + 1).await;
            merge(&store);
            assert_eq!(files(folder.path(), ".seg").len(), 1, "only the active segment is left");
            check_lives(&store.conversations, &lives, act + 1).await;
        }
    }
    assert!(files(folder.path(), ".sorted").len() >= 4);
    store.erase().await.expect("erase");
    check_lives(&store.conversations, &lives, ACTS).await;
    store.close().await.expect("close");
    let report = check(folder.path(), &mut |_| {}).await.expect("sound");
    assert!(report.index_rows.is_some() && report.log.sorted_files >= 4);
    let store = open_small(folder.path()).await;
    assert_eq!(store.report().log.records, 0, "nothing is read twice");
    check_lives(&store.conversations, &lives, ACTS).await;
}

#[tokio::test]
async fn pages_are_read_wherever_they_begin_and_end() {
    use suda_domain::ports::Log;
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(12, ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..ACTS - 20).await;
    merge(&store);
    live(&store.conversations, &lives, ACTS - 20..ACTS).await;
    for life in &lives {
        let log = &store.conversations;
        let all = log.read(life.conversation, 1, u64::MAX, usize::MAX).await.expect("read");
        for from in 0..all.len() {
            for length in [1, 2, 7, 50] {
                let to = (from + length).min(all.len());
                let page = log.read(life.conversation, from as u64 + 1, to as u64, usize::MAX).await;
                assert_eq!(page.expect("read"), all[from..to], "{from}..{to}");
            }
        }
    }
}

#[tokio::test]
async fn the_index_of_a_merged_log_follows_from_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(13, 2 * ACTS);
    let store = open_small(folder.path()).await;
    for start in [0, 60, 120, 180] {
        live(&store.conversations, &lives, start..start + 60).await;
        if start == 60 {
            store.erase().await.expect("erase");
        }
        merge(&store);
    }
    store.erase().await.expect("erase");
    store.close().await.expect("close");
    let before = rows(folder.path());
    let mut options = small();
    options.rebuild_index = true;
    let store = Store::open(folder.path(), options).await.expect("a store");
    check_lives(&store.conversations, &lives, 2 * ACTS).await;
    store.close().await.expect("close");
    assert!(rows(folder.path()) == before, "a rebuilt index is the same");
}

/// Watermarks whose effect depends on what comes before and after them.
fn watermarks() -> Life {
    let mut chat = Chat::new("watermarks");
    let marks = |name, delivered, read| {
        (account(name), Marks { delivered, read, read_ordinal: read, ..Marks::default() })
    };
    let mut acts = Vec::new();
    let mut act = |entry, marks| acts.push(Act { entries: vec![entry], marks });
    act(chat.created("ada", &["ada", "bob"], json!({})), vec![]);
    // Somebody who is no member yet, and then reads less.
    act(chat.message("ada", "one"), vec![marks("eve", 2, 2)]);
    act(chat.accounts("ada", Kind::MembersAdded, &["eve"]), vec![]);
    act(chat.message("ada", "two"), vec![marks("eve", 1, 1), marks("bob", 1, 1)]);
    // As many mentions as are remembered, then room for one more.
    for number in 0..100 {
        let read = if number == 99 { vec![marks("bob", 104, 104)] } else { vec![] };
        act(chat.mentioning("ada", Mentioned::Account(account("bob"))), read);
    }
    act(chat.mentioning("ada", Mentioned::Account(account("bob"))), vec![marks("bob", 105, 104)]);
    for _ in 0..140 {
        let text = "some text ".repeat(40);
        act(chat.message("ada", &text), vec![marks("bob", chat.head, 104)]);
    }
    Life { conversation: chat.id, acts }
}

#[tokio::test]
async fn watermarks_that_are_left_out_are_not_missed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options();
    options.conversations.log.segment_bytes = 24 << 10;
    let lives = vec![watermarks()];
    let acts = lives[0].acts.len();
    let store = Store::open(folder.path(), options.clone()).await.expect("a store");
    live(&store.conversations, &lives, 0..acts).await;
    check_lives(&store.conversations, &lives, acts).await;
    store.conversations.core.merger.merge(1, 9, &mut || true).expect("merge");
    assert_eq!(files(folder.path(), ".sorted").len(), 1);
    store.close().await.expect("close");
    let before = rows(folder.path());
    options.rebuild_index = true;
    let store = Store::open(folder.path(), options).await.expect("a store");
    assert!(store.report().log.records < acts as u64 + 80, "most watermarks are left out");
    check_lives(&store.conversations, &lives, acts).await;
    store.close().await.expect("close");
    assert!(rows(folder.path()) == before, "a rebuilt index is the same");
}

#[tokio::test]
async fn an_index_from_before_a_merge_is_derived_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(14, ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..30).await;
    store.conversations.core.index.flush().expect("flush");
    let data = folder.path().join(INDEX).join("data.mdb");
    let early = fs::read(&data).expect("an index");
    live(&store.conversations, &lives, 30..ACTS).await;
    store.conversations.core.index.flush().expect("flush");
    let late = fs::read(&data).expect("an index");
    merge(&store);
    store.close().await.expect("close");
    for (index, is_stale) in [(early, true), (late, false)] {
        fs::write(&data, index).expect("an earlier index");
        let report = check(folder.path(), &mut |_| {}).await.expect("sound");
        assert_eq!(report.index_rows.is_none(), is_stale);
        let store = open_small(folder.path()).await;
        assert_eq!(store.report().index_was_rebuilt, is_stale);
        check_lives(&store.conversations, &lives, ACTS).await;
        store.close().await.expect("close");
    }
}

#[tokio::test]
async fn what_was_deleted_is_gone_before_and_after_a_merge() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(15, 2 * ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..ACTS).await;
    // Nothing is erased yet: what is hidden is left out.
    merge(&store);
    let bytes = String::from_utf8_lossy(&every_byte(folder.path())).into_owned();
    let active = fs::read(folder.path().join(LOG).join(&files(folder.path(), ".seg")[0])).expect("a file");
    let active = String::from_utf8_lossy(&active).into_owned();
    let mut left_out = 0;
    for text in lives.iter().flat_map(|life| life.known(ACTS).deleted_texts().collect::<Vec<_>>()) {
        // What an author erased is erased by the eraser, whose work is still to be done.
        left_out += usize::from(!bytes.contains(&text) && !active.contains(&text));
    }
    assert!(left_out > 20, "{left_out}");
    live(&store.conversations, &lives, ACTS..2 * ACTS).await;
    store.erase().await.expect("erase");
    let bytes = String::from_utf8_lossy(&every_byte(folder.path())).into_owned();
    for life in &lives {
        let known = life.known(2 * ACTS);
        for text in known.deleted_texts() {
            assert!(!bytes.contains(&text), "{text} is in a file");
        }
        for text in known.kept_texts() {
            assert!(bytes.contains(&text), "{text} is lost");
        }
    }
    check_lives(&store.conversations, &lives, 2 * ACTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn readers_and_writers_do_not_notice_a_merge() {
    use suda_domain::ports::Log;
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(16, 3 * ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..ACTS).await;
    let (done, pages) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let runtime = tokio::runtime::Handle::current();
        scope.spawn(|| {
            let life = &lives[0];
            while !done.load(Ordering::Relaxed) {
                let read = store.conversations.core.read(life.conversation, 1, u64::MAX, usize::MAX);
                let entries = read.expect("read");
                let seqs = entries.iter().map(|entry| entry.envelope.seq);
                assert!(seqs.eq(1..=entries.len() as u64), "no hole");
                pages.fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                store.conversations.core.merger.merge(1, 1, &mut || true).expect("merge");
            }
        });
        tokio::task::block_in_place(|| {
            runtime.block_on(async {
                for act in ACTS..3 * ACTS {
                    for life in &lives {
                        store.conversations.append(life.append(act)).await.expect("an append");
                    }
                }
            });
        });
        done.store(true, Ordering::Relaxed);
    });
    assert!(pages.load(Ordering::Relaxed) > 10);
    assert!(files(folder.path(), ".sorted").len() > 10);
    store.erase().await.expect("erase");
    check_lives(&store.conversations, &lives, 3 * ACTS).await;
}

#[tokio::test]
async fn a_merge_that_is_told_to_stop_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options();
    options.conversations.log.segment_bytes = 1 << 20;
    let store = Store::open(folder.path(), options).await.expect("a store");
    let log = &store.conversations;
    let lives = vec![Life::of_long_texts("long", 17, 60)];
    live(log, &lives, 0..60).await;
    let before = files(folder.path(), ".seg");
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        false
    };
    log.core.merger.merge(1, 3, &mut stop).expect("a merge that stops");
    assert_eq!(asked, 1);
    assert_eq!(files(folder.path(), ".seg"), before);
    assert!(files(folder.path(), ".sorted").is_empty() && files(folder.path(), ".tmp").is_empty());
    check_lives(log, &lives, 60).await;
    merge(&store);
    assert_eq!(files(folder.path(), ".seg").len(), 1);
    check_lives(log, &lives, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_while_a_merge_runs_is_gone_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = options();
    options.conversations.log.segment_bytes = 1 << 20;
    let store = Store::open(folder.path(), options).await.expect("a store");
    let log = &store.conversations;
    let lives = vec![Life::of_long_texts("long", 21, 60)];
    live(log, &lives, 0..59).await;
    let runtime = tokio::runtime::Handle::current();
    let mut erasing = None;
    let mut delete = || {
        // The text that is deleted now was copied a while ago.
        if erasing.is_none() {
            runtime.block_on(live(log, &lives, 59..60));
            let eraser = std::sync::Arc::clone(&log.core.eraser);
            erasing = Some(std::thread::spawn(move || eraser.erase_all()));
        }
        true
    };
    tokio::task::block_in_place(|| log.core.merger.merge(1, 9, &mut delete)).expect("merge");
    erasing.expect("a rest").join().expect("no panic").expect("erase");
    check_lives(log, &lives, 60).await;
    let bytes = every_byte(folder.path());
    for text in lives[0].known(60).deleted_texts() {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text} is in a file");
    }
}

#[tokio::test]
async fn a_backup_of_a_merged_log_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = tempfile::tempdir().expect("a folder");
    let lives = lives(18, ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..80).await;
    merge(&store);
    live(&store.conversations, &lives, 80..ACTS).await;
    store.backup(&place.path().join("backup")).await.expect("a backup");
    restore(&place.path().join("backup"), &place.path().join("restored")).await.expect("restore");
    let copy = open_small(&place.path().join("restored")).await;
    check_lives(&copy.conversations, &lives, ACTS).await;
}

#[tokio::test]
async fn a_damaged_sorted_file_is_named_and_can_be_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let lives = lives(19, ACTS);
    let store = open_small(folder.path()).await;
    live(&store.conversations, &lives, 0..60).await;
    merge(&store);
    live(&store.conversations, &lives, 60..ACTS).await;
    merge(&store);
    store.close().await.expect("close");
    let name = files(folder.path(), ".sorted").pop().expect("a file");
    let path = folder.path().join(LOG).join(&name);
    let good = fs::read(&path).expect("a file");
    for at in [3, 64, good.len() / 2, good.len() - 40, good.len() - 5] {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        fs::write(&path, bad).expect("damage");
        match check(folder.path(), &mut |_| {}).await {
            Err(CheckError::Log(LogError::SortedCorruption { file, .. })) => assert_eq!(file, name),
            // In the middle it may be a body, which is counted.
            Ok(report) => assert_eq!(report.log.damaged_bodies, 1),
            Err(other) => panic!("{at}: {other}"),
        }
    }
    let disk = crate::log::RealDisk::open(&folder.path().join(LOG)).expect("a disk");
    let segment = name.split('-').next().and_then(|first| first.parse().ok()).expect("a number");
    crate::log::cut_at(&disk, crate::log::Position { segment, offset: 0 }).expect("cut");
    drop(disk);
    let mut options = small();
    options.rebuild_index = true;
    let store = Store::open(folder.path(), options).await.expect("a store");
    for life in &lives {
        use suda_domain::ports::Log;
        let loaded = store.conversations.load(life.conversation, 0).await.expect("load");
        let acts = life.acts_at(loaded.expect("a conversation").summary.head);
        assert!((1..ACTS).contains(&acts));
        let read = store.conversations.read(life.conversation, 1, u64::MAX, usize::MAX).await;
        assert_eq!(read.expect("read").len() as u64, life.append(acts).after);
        // It goes on from there.
        store.conversations.append(life.append(acts)).await.expect("an append");
    }
}
