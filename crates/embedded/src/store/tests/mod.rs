//! The store as a whole, in use and after every kind of accident.

mod backup;
mod crash;
mod life;
mod merging;
mod opening;
mod process_death;

use std::path::Path;
use std::time::Duration;

use super::{Store, StoreOptions};
use crate::conversation_log::ConversationLog;
use crate::index::tables::{Key, Value};
use crate::index::{Index, IndexOptions};
use life::Life;

/// Small segments; nothing happens by itself within a test.
fn options() -> StoreOptions {
    let mut options = StoreOptions::default();
    options.conversations.log.segment_bytes = 64 << 10;
    options.conversations.index_age = Duration::from_secs(3_600);
    options.conversations.erase_delay = Duration::from_secs(3_600);
    options.conversations.merge_segments = 0;
    options
}

async fn open(folder: &Path) -> Store {
    Store::open(folder, options()).await.expect("a store")
}

/// Lives of a few conversations.
fn lives(seed: u64, acts: usize) -> Vec<Life> {
    vec![
        Life::of_group("first", seed, acts),
        Life::of_group("second", seed + 1, acts),
        Life::of_own("ada", seed + 2, acts),
    ]
}

/// Appends the acts `acts` of every life, taking turns.
async fn live(log: &ConversationLog, lives: &[Life], acts: std::ops::Range<usize>) {
    use suda_domain::ports::Log;
    for number in acts {
        for life in lives {
            log.append(life.append(number)).await.expect("an append");
        }
    }
}

/// Whether every conversation is as it must be after `acts` acts.
async fn check_lives(log: &ConversationLog, lives: &[Life], acts: usize) {
    for life in lives {
        life.known(acts).check(life.conversation, log).await;
    }
}

/// Every row of the index in `folder`, which nobody uses.
fn rows(folder: &Path) -> Vec<(Key, Value)> {
    let index = Index::open(&folder.join(super::INDEX), IndexOptions::default()).expect("an index");
    let mut rows: Vec<(Key, Value)> = Vec::new();
    loop {
        let after = rows.last().map(|(key, _)| key.clone());
        let more = index.rows_behind(after.as_deref()).expect("rows");
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// The content of every file in `folder`.
fn every_byte(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        match path.is_dir() {
            true => bytes.extend(every_byte(&path)),
            false => bytes.extend(std::fs::read(&path).expect("a file")),
        }
    }
    bytes
}
