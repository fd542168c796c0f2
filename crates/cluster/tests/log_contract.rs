//! The cluster's log and inbox keep their contracts: in use, and as another node finds them that remembers nothing.
//!
//! Needs Cassandra, see `docs/operating/engines.md`: `SUDA_TEST_CASSANDRA` names its nodes.
#![cfg(feature = "cluster-tests")]

use std::sync::Arc;

use async_trait::async_trait;
use suda_cluster::conversation_log::{ConversationLog, ConversationLogOptions};
use suda_cluster::schema::Layout;
use suda_cluster::session::prepare_tables;
use suda_domain::ports::contract::chat::{Conversational, Conversations};
use suda_domain::ports::contract::{derived, erasure, inbox, log, set_apart};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// What happens wherever a suite asks for the ports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    /// Another node is asked, which remembers nothing.
    OtherNode,
}

/// Conversations apart from those of every other run.
struct Apart {
    log: Option<ConversationLog>,
    between: Between,
}

fn options() -> ConversationLogOptions {
    let nodes = std::env::var("SUDA_TEST_CASSANDRA").expect("SUDA_TEST_CASSANDRA names nodes of Cassandra");
    ConversationLogOptions {
        nodes: nodes.split(',').map(str::to_owned).collect(),
        keyspace: "suda_test".to_owned(),
        datacenter: None,
    }
}

impl Apart {
    async fn new(between: Between) -> Self {
        static TABLES: OnceCell<()> = OnceCell::const_new();
        let replication = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 3}".to_owned();
        let layout = Layout { keyspace: options().keyspace, replication };
        let made = async || prepare_tables(&options(), &layout).await.expect("make the tables");
        TABLES.get_or_init(made).await;
        set_apart(Uuid::new_v4().into_bytes());
        Self { log: None, between }
    }
}

#[async_trait]
impl Conversations for Apart {
    async fn ports(&mut self) -> Conversational {
        let log = match self.log.take() {
            Some(log) if self.between == Between::Nothing => log,
            Some(log) => log.beside(),
            None => ConversationLog::open(&options()).await.expect("open the log"),
        };
        self.log = Some(log.clone());
        Conversational { log: Arc::new(log.clone()), inbox: Arc::new(log) }
    }
}

macro_rules! suites {
    ($($port:ident: $($rules:ident)*;)*) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rules() {
            for between in [Between::Nothing, Between::OtherNode] {
                $port::$rules(&mut Apart::new(between).await).await;
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
