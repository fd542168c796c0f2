//! The embedded log and inbox keep their contracts: in use, from the database alone, and from a
//! log that is opened again for every call.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use suda_domain::ports::contract::chat::{Conversational, Conversations};
use suda_domain::ports::contract::{derived, erasure, inbox, log};
use suda_embedded::store::{Store, StoreOptions};
use tempfile::TempDir;

/// What happens wherever a suite asks for the ports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    /// Everything is closed, which writes the index, and opened.
    Reopen,
    /// The index is derived anew from the log.
    Rebuild,
}

/// A store in a folder of its own.
struct Folder {
    folder: TempDir,
    store: Option<Store>,
    between: Between,
}

impl Folder {
    fn new(between: Between) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), store: None, between }
    }
}

async fn open(folder: &Path, rebuild_index: bool) -> Store {
    let mut options = StoreOptions { rebuild_index, ..StoreOptions::default() };
    options.conversations.erase_delay = Duration::ZERO;
    options.conversations.log.segment_bytes = 1 << 20;
    Store::open(folder, options).await.expect("a store")
}

#[async_trait]
impl Conversations for Folder {
    async fn ports(&mut self) -> Conversational {
        let store = match self.store.take() {
            Some(store) if self.between == Between::Nothing => store,
            before => {
                if let Some(before) = before {
                    before.close().await.expect("close");
                }
                open(self.folder.path(), self.between == Between::Rebuild).await
            }
        };
        let ports = store.ports();
        self.store = Some(store);
        Conversational { log: Arc::clone(&ports.log), inbox: Arc::clone(&ports.inbox) }
    }
}

macro_rules! suites {
    ($($port:ident: $($rules:ident)*;)*) => {$($(
        #[tokio::test]
        async fn $rules() {
            for between in [Between::Nothing, Between::Reopen, Between::Rebuild] {
                $port::$rules(&mut Folder::new(between)).await;
            }
        }
    )*)*};
}

suites! {
    log: entries_are_kept reads_are_cut appends_compare one_of_two_appends_is_stored
        newest_envelopes_are_loaded;
    derived: state_follows_from_entries marks_only_grow marks_come_with_entries
        messages_stand_as_they_were_changed own_values_are_the_newest;
    erasure: deleted_bodies_are_gone_at_once erased_authors_leave_nothing
        overtaken_values_are_gone_at_once;
    inbox: rows_follow_from_entries own_conversations_are_not_listed lists_are_ordered_and_paged
        rows_are_touched former_members_keep_what_they_saw;
}
