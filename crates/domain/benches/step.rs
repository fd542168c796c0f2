//! What numbering one message costs, in a direct conversation and in a group of 100: `cargo bench -p suda-domain`.

use divan::{Bencher, black_box};
use suda_domain::conversation::{Act, Command, Conversation, Step};
use suda_proto::entry::{ConversationKind, CreatedBody, MessageBody, SettingsBody};
use suda_proto::{AccountId, ClientId, ConversationId, Kind, Limits, Raw};

fn main() {
    divan::main();
}

fn client_id(number: u64) -> ClientId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ClientId::from_bytes(bytes)
}

fn conversation(members: u8) -> Conversation {
    let kind = if members == 2 { ConversationKind::Direct } else { ConversationKind::Group };
    let members = (1..=members).map(|number| AccountId::from_bytes([number; 16])).collect();
    let act = Act::Create(CreatedBody { kind, members, settings: SettingsBody::default() });
    let author = AccountId::from_bytes([1; 16]);
    let command = Command { author, client_id: client_id(0), base: None, after: None, act };
    let id = ConversationId::from_bytes([9; 16]);
    Conversation::create(id, 1, &command, &Limits::default(), 1).expect("a conversation").0
}

#[divan::bench(args = [2, 100])]
fn step_message(bencher: Bencher<'_, '_>, members: u8) {
    let mut conversation = conversation(members);
    let text = "hello there ".repeat(17).trim().to_owned();
    let body = Raw::of(&MessageBody::Text { text, data: None });
    let (mut number, limits) = (0, Limits::default());
    bencher.bench_local(|| {
        number += 1;
        let act =
            Act::Post { kind: Kind::Message, target: None, mentions: Vec::new(), body: Some(body.clone()) };
        let author = AccountId::from_bytes([1; 16]);
        let command = Command { author, client_id: client_id(number), base: Some(number), after: None, act };
        let step = conversation.step(black_box(&command), &limits, 2);
        assert!(matches!(step, Step::Append { .. }));
        step
    });
}
