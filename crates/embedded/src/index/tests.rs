//! Reading while rows move from memory to the database, and a database without room.

use suda_domain::stored::Stored;
use suda_proto::ConversationId;

use super::tables::{Key, Sequence, own_value_key};
use super::*;

const CONVERSATION: ConversationId = ConversationId::from_bytes([5; 16]);

fn key(number: u64) -> Key {
    own_value_key(CONVERSATION, &format!("{number:05}"))
}

fn put(index: &Index, rows: impl IntoIterator<Item = (u64, Option<u64>)>) {
    let change = |changes: &mut Changes<'_>| {
        for (number, value) in rows {
            match value {
                Some(value) => changes.put(key(number), &Sequence(value)),
                None => changes.delete(key(number)),
            }
        }
        Ok(())
    };
    index.change(None, change).expect("a change");
}

fn open(folder: &Path, database_bytes: usize) -> Index {
    let (batch_bytes, memory_bytes) = (8 << 10, 256 << 10);
    let options = IndexOptions { database_bytes, batch_bytes, memory_bytes, ..IndexOptions::default() };
    Index::open(folder, options).expect("an index")
}

#[test]
fn a_reader_follows_rows_into_the_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path(), 1 << 20);
    let mut view = index.view().expect("a view");
    for round in 1..5 {
        put(&index, [(round, Some(round)), (0, Some(round))]);
        for is_written in [false, true] {
            if is_written {
                index.flush().expect("flush");
            }
            assert_eq!(view.get(&key(round)).expect("a row"), Some(Sequence(round)));
            assert_eq!(view.get(&key(0)).expect("a row"), Some(Sequence(round)));
            let rows = view.range(&key(0), &key(9), 99).expect("rows");
            assert_eq!(rows.len() as u64, round + 1);
        }
    }
    put(&index, [(0, None)]);
    assert_eq!(view.get::<Sequence>(&key(0)).expect("no row"), None);
    index.flush().expect("flush");
    assert_eq!(view.get::<Sequence>(&key(0)).expect("no row"), None);
}

#[test]
fn ranges_merge_all_layers() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path(), 1 << 20);
    put(&index, (0..60).step_by(2).map(|number| (number, Some(0))));
    index.flush().expect("flush");
    put(&index, (0..60).step_by(3).map(|number| (number, Some(1))));
    let frozen = index.layers.write().expect("a lock").freeze();
    assert!(frozen.is_some());
    put(&index, (0..60).step_by(5).map(|number| (number, None)));
    put(&index, (0..60).step_by(7).map(|number| (number, Some(2))));
    let expected = |number: u64| match number {
        _ if number.is_multiple_of(7) => Some(2),
        _ if number.is_multiple_of(5) => None,
        _ if number.is_multiple_of(3) => Some(1),
        _ if number.is_multiple_of(2) => Some(0),
        _ => None,
    };
    let mut view = index.view().expect("a view");
    for from in 0..60 {
        for limit in [0, 1, 2, 9, 100] {
            let rows = view.range(&key(from), &key(59), limit).expect("rows");
            let rows = rows.into_iter().map(|(key, value)| {
                let Sequence(value) = Sequence::decode(&value).expect("a value");
                (key, value)
            });
            let live = (from..60).filter_map(|number| Some((key(number), expected(number)?)));
            assert!(rows.eq(live.take(limit)), "from {from}, at most {limit}");
        }
    }
}

#[test]
fn rows_wait_in_memory_while_there_is_no_room() {
    let folder = tempfile::tempdir().expect("a folder");
    let ended: spill::Fatal = std::sync::Arc::new(|what| panic!("{what}"));
    let index = open(folder.path(), 64 << 10);
    let mut rows = 0;
    while index.room() == Room::Enough {
        put(&index, (rows..rows + 100).map(|number| (number, Some(number))));
        rows += 100;
        index.try_spill(&ended);
    }
    assert_eq!(index.room(), Room::DiskFull);
    let all = |index: &Index| {
        let rows = index.view().and_then(|mut view| view.range(&key(0), &key(rows), 1 << 20));
        rows.expect("rows").len() as u64
    };
    assert_eq!(all(&index), rows, "nothing is forgotten");
    let applied = index.applied();
    drop(index);
    let index = open(folder.path(), 4 << 20);
    assert_eq!(index.applied(), applied, "the log is replayed from where the database stands");
    put(&index, (0..rows).map(|number| (number, Some(number))));
    index.try_spill(&ended);
    assert_eq!((index.room(), all(&index)), (Room::Enough, rows));
}

#[test]
fn too_much_unwritten_is_overload() {
    let folder = tempfile::tempdir().expect("a folder");
    let index = open(folder.path(), 4 << 20);
    put(&index, (0..3_000).map(|number| (number, Some(number))));
    assert_eq!(index.room(), Room::Busy);
    index.flush().expect("flush");
    assert_eq!(index.room(), Room::Enough);
}

#[test]
fn an_index_of_form_1_is_to_be_derived_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let log_id = Uuid::from_u128(7);
    let mut index = open(folder.path(), 1 << 20);
    assert!(!index.is_stale(Position::START), "a new one is empty");
    // What form 1 wrote: version 1, form 1, the log's id, applied up to 1:64, latest 9.
    let mut meta = vec![1, 1];
    meta.extend(log_id.as_bytes());
    meta.extend([0xC0, 0x80, 0x80, 0x80, 0x10, 9]);
    let mut transaction = index.environment.write_txn().expect("a transaction");
    index.rows.put(&mut transaction, META_KEY, &meta).expect("put");
    index.rows.put(&mut transaction, &[1; 25], &[1; 14]).expect("put");
    transaction.commit().expect("commit");
    drop(index);
    index = open(folder.path(), 1 << 20);
    assert!(index.belongs_to(log_id) && !index.belongs_to(Uuid::nil()));
    assert_eq!(index.applied(), Position { segment: 1, offset: 64 });
    assert!(index.is_stale(Position::START));
    index.clear().expect("clear");
    assert!(!index.is_stale(Position::START));
    let rows = index.view().and_then(|mut view| view.range(&[0], &[255], 9)).expect("rows");
    assert_eq!(rows.len(), 0);
}
