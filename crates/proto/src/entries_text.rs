//! The texts that entries travel in most, the event `entries` and the pages of history, written by hand: a body that was
//! checked when it came in need not be read again. The same texts as serde writes.

use std::borrow::Borrow;

use bytes::Bytes;
use uuid::Uuid;

use crate::entry::{Entry, Kind};
use crate::ids::ConversationId;
use crate::raw::Raw;
use crate::reply::Page;

/// About what an entry takes beside its body.
const USUAL: usize = 256;

/// Appends the text of the event to `out`: new entries of one conversation, ascending and without gaps.
pub fn write_entries(
    out: &mut Vec<u8>,
    conversation: ConversationId,
    epoch: u32,
    entries: impl Iterator<Item = Entry>,
) {
    out.extend_from_slice(br#"{"event":"entries","body":{"conversation":"#);
    id(out, conversation.0);
    out.extend_from_slice(br#","epoch":"#);
    number(out, u64::from(epoch));
    out.extend_from_slice(br#","entries":"#);
    list(out, entries);
    out.extend_from_slice(b"}}");
}

/// The JSON of a page.
pub fn page_text(page: &Page) -> Raw {
    let bodies = page.entries.iter().filter_map(|entry| entry.body.as_ref());
    let length: usize = bodies.map(|body| body.bytes().len()).sum();
    let mut out = Vec::with_capacity(length + USUAL * (page.entries.len() + 1));
    out.extend_from_slice(br#"{"conversation":"#);
    id(&mut out, page.conversation.0);
    let numbers: [(&[u8], u64); 4] = [
        (br#","epoch":"#, u64::from(page.epoch)),
        (br#","head":"#, page.head),
        (br#","from":"#, page.from),
        (br#","to":"#, page.to),
    ];
    for (name, value) in numbers {
        out.extend_from_slice(name);
        number(&mut out, value);
    }
    out.extend_from_slice(br#","entries":"#);
    list(&mut out, page.entries.iter());
    out.push(b'}');
    Raw::trusted(Bytes::from(out))
}

fn list(out: &mut Vec<u8>, entries: impl Iterator<Item = impl Borrow<Entry>>) {
    out.push(b'[');
    for (place, one) in entries.enumerate() {
        if place > 0 {
            out.push(b',');
        }
        entry(out, one.borrow());
    }
    out.push(b']');
}

fn entry(out: &mut Vec<u8>, entry: &Entry) {
    out.extend_from_slice(br#"{"seq":"#);
    number(out, entry.seq);
    out.extend_from_slice(br#","at":"#);
    number(out, entry.at);
    out.extend_from_slice(br#","kind":"#);
    match entry.kind {
        Kind::Message => out.extend_from_slice(br#""message""#),
        ref other => rare(out, other),
    }
    out.extend_from_slice(br#","author":"#);
    id(out, entry.author.0);
    out.extend_from_slice(br#","client_id":"#);
    id(out, entry.client_id.0);
    out.extend_from_slice(br#","ordinal":"#);
    number(out, entry.ordinal);
    if let Some(target) = entry.target {
        out.extend_from_slice(br#","target":"#);
        number(out, target);
    }
    if !entry.mentions.is_empty() {
        out.extend_from_slice(br#","mentions":"#);
        rare(out, &entry.mentions);
    }
    if let Some(body) = &entry.body {
        out.extend_from_slice(br#","body":"#);
        out.extend_from_slice(body.bytes());
    }
    if let Some(standing) = &entry.standing {
        out.extend_from_slice(br#","standing":"#);
        rare(out, standing);
    }
    out.push(b'}');
}

fn id(out: &mut Vec<u8>, id: Uuid) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    let text = id.hyphenated().encode_lower(&mut text);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// What few entries have is written by its own rules.
fn rare<T: serde::Serialize>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("wire types serialise");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Mention, Mentioned, ReactionCount, Standing};
    use crate::event::{Entries, Event};
    use crate::frame::event_text;
    use crate::ids::{AccountId, ClientId};

    fn entries() -> Vec<Entry> {
        let plain = Entry {
            seq: 1,
            at: 1_800_000_000_000,
            kind: Kind::Message,
            author: AccountId::from_bytes([0xAB; 16]),
            client_id: ClientId::from_bytes([7; 16]),
            ordinal: u64::MAX,
            target: None,
            mentions: Vec::new(),
            body: Some(Raw::trusted(Bytes::from_static(
                "{\"type\":\"text\",\"text\":\"수\\\"다\"}".as_bytes(),
            ))),
            standing: None,
        };
        let mention = |who| Mention { who, start: 1, length: 2 };
        let reactions = vec![ReactionCount { emoji: "❤️".to_owned(), count: 3, mine: true }];
        let standing = Standing { edited: 4, deleted: 0, reacted: 5, reactions };
        let full = Entry {
            seq: 2,
            kind: Kind::Edit,
            target: Some(1),
            mentions: vec![mention(Mentioned::All), mention(Mentioned::Account(plain.author))],
            standing: Some(standing),
            ..plain.clone()
        };
        let erased = Entry { seq: 3, kind: Kind::MembersAdded, body: None, ..plain.clone() };
        vec![plain, full, erased]
    }

    #[test]
    fn the_text_is_what_serde_writes() {
        let conversation = ConversationId::from_bytes([1; 16]);
        for count in 0..=3 {
            let entries: Vec<_> = entries().into_iter().take(count).collect();
            let mut out = Vec::new();
            write_entries(&mut out, conversation, 9, entries.iter().cloned());
            let page = Page { conversation, epoch: 9, head: 8, from: 1, to: 3, entries: entries.clone() };
            assert_eq!(page_text(&page), Raw::of(&page));
            let event = Event::Entries(Entries { conversation, epoch: 9, entries });
            assert_eq!(String::from_utf8(out), Ok(event_text(&event)));
        }
    }
}
