//! What reading and writing one 200-byte message costs: `cargo bench -p suda-proto`.

use bytes::Bytes;
use divan::{Bencher, black_box};
use suda_proto::entries_text::write_entries;
use suda_proto::frame::{read_send, write_reply};
use suda_proto::reply::Sent;
use suda_proto::{AccountId, ClientId, ConversationId, Entry, Kind, Position, Raw};

const CONVERSATION: ConversationId = ConversationId::from_bytes([7; 16]);

fn main() {
    divan::main();
}

fn body() -> String {
    format!(r#"{{"type":"text","text":"{}"}}"#, "hello there ".repeat(17).trim())
}

#[divan::bench]
fn read_a_send(bencher: Bencher<'_, '_>) {
    let id = ClientId::from_bytes([9; 16]);
    let text = format!(
        r#"{{"id":12,"type":"send","body":{{"conversation":"{CONVERSATION}","client_id":"{id}","base":41,"kind":"message","body":{}}}}}"#,
        body()
    );
    bencher.bench(|| read_send(black_box(&text)).expect("a send"));
}

#[divan::bench]
fn write_acknowledgement(bencher: Bencher<'_, '_>) {
    let position = Position { epoch: 1, seq: 42 };
    let sent = Sent { conversation: CONVERSATION, position, at: 1_800_000_000_000, ordinal: 41 };
    bencher.with_inputs(|| Vec::with_capacity(512)).bench_values(|mut out| {
        write_reply(&mut out, 12, black_box(&sent));
        out
    });
}

#[divan::bench]
fn write_entry(bencher: Bencher<'_, '_>) {
    let entry = Entry {
        seq: 42,
        at: 1_800_000_000_000,
        kind: Kind::Message,
        author: AccountId::from_bytes([1; 16]),
        client_id: ClientId::from_bytes([9; 16]),
        ordinal: 41,
        target: None,
        mentions: Vec::new(),
        body: Some(Raw::trusted(Bytes::from(body()))),
        standing: None,
    };
    bencher.with_inputs(|| Vec::with_capacity(1024)).bench_values(|mut out| {
        write_entries(&mut out, CONVERSATION, 1, std::iter::once(black_box(&entry).clone()));
        out
    });
}
