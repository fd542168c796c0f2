//! A store as a whole: opening, closing, what survives.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use suda_domain::entry::{Entry, Envelope};
use suda_domain::ports::log::Append;
use suda_embedded::store::{Store, StoreOptions};
use suda_proto::{AccountId, ClientId, ConversationId, Kind};

fn entry(seq: u64, kind: Kind, body: &str) -> Entry {
    let envelope = Envelope {
        seq,
        at: 1_000 + seq,
        kind,
        author: AccountId::from_bytes([1; 16]),
        client_id: ClientId::from_bytes([seq as u8; 16]),
        ordinal: seq - 1,
        target: None,
        mentions: Vec::new(),
    };
    Entry {
        envelope,
        body: Some(Bytes::copy_from_slice(body.as_bytes())),
    }
}

#[tokio::test]
async fn smoke() {
    let folder = tempfile::tempdir().unwrap();
    let conversation = ConversationId::from_bytes([9; 16]);
    let created = serde_json::json!({"kind":"group","members":[AccountId::from_bytes([1;16]), AccountId::from_bytes([2;16])]}).to_string();
    for round in 0..3u64 {
        let store = Store::open(folder.path(), StoreOptions::default())
            .await
            .unwrap();
        println!("{:?}", store.report());
        let ports = store.ports();
        let mut entries = Vec::new();
        let after = round * 2;
        for seq in after + 1..=after + 2 {
            entries.push(if seq == 1 {
                entry(1, Kind::Created, &created)
            } else {
                entry(seq, Kind::Message, "{\"type\":\"text\"}")
            });
        }
        ports
            .log
            .append(Append {
                conversation,
                after,
                entries,
                marks: vec![],
            })
            .await
            .unwrap();
        let loaded = ports.log.load(conversation, 10).await.unwrap().unwrap();
        assert_eq!(loaded.summary.head, after + 2);
        assert_eq!(loaded.recent.len() as u64, after + 2);
        let rows = ports
            .inbox
            .rows(AccountId::from_bytes([2; 16]), 0, None, 10)
            .await
            .unwrap();
        assert_eq!(rows.len(), 1);
        println!("{rows:?}");
        drop(ports);
        store.close().await.unwrap();
    }
}
