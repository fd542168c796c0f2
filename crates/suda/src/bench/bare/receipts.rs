//! Receipts of the bare relay: each is answered, what moved is gathered as the server gathers it and told to whoever
//! wrote meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;
use memchr::memmem;
use suda_server::session::Opcode;

use super::super::frame;
use super::super::generator::text;
use super::super::poll::SECOND;
use super::message::push_author;

/// How long the server gathers receipts, in nanoseconds.
const GATHER: u64 = SECOND / 2;

/// The parts of a mark that its answer and event are made of.
pub struct Mark<'a> {
    /// The request's id.
    pub id: &'a [u8],
    /// The conversation's.
    pub conversation: &'a [u8],
    /// How far it was received.
    pub delivered: u64,
    /// How far it was read, if that moved.
    pub read: Option<u64>,
}

impl<'a> Mark<'a> {
    /// Reads a mark of the generator; `None` if it is another request.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let rest = text.strip_prefix(b"{\"id\":")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (id, rest) = rest.split_at(digits);
        let rest = rest.strip_prefix(b",\"type\":\"mark\",\"body\":{\"conversation\":\"")?;
        let (conversation, rest) = rest.split_at_checked(36)?;
        let number = |key: &[u8]| {
            let at = memmem::find(rest, key)? + key.len();
            text::number(&rest[at..]).map(|(number, _)| number)
        };
        Some(Self { id, conversation, delivered: number(b"\"delivered\":")?, read: number(b"\"read\":") })
    }

    /// Appends the answer.
    pub fn answer(&self, out: &mut Vec<u8>) {
        frame::write(out, Opcode::Text, None, |out| {
            out.extend_from_slice(b"{\"id\":");
            out.extend_from_slice(self.id);
            out.extend_from_slice(b",\"ok\":{\"read\":");
            text::push_number(out, self.read.unwrap_or_default());
            out.extend_from_slice(b",\"unread\":0,\"mentions\":0}}");
        });
    }
}

/// What moved in one conversation.
#[derive(Default)]
pub struct Moved {
    conversation: Vec<u8>,
    /// Delivered and read of each.
    marks: BTreeMap<u32, [u64; 2]>,
    /// Who wrote since it was told last.
    pub authors: BTreeSet<u32>,
}

/// What moved in all of them.
#[derive(Default)]
pub struct Receipts {
    conversations: HashMap<u32, Moved, RandomState>,
    /// When it is told.
    pub due: Option<u64>,
}

impl Receipts {
    /// Somebody wrote. Where nobody ever marked anything, nobody is told anything.
    pub fn wrote(&mut self, circle: u32, number: u32) {
        if !self.conversations.is_empty()
            && let Some(moved) = self.conversations.get_mut(&circle)
        {
            moved.authors.insert(number);
        }
    }

    /// A mark moved.
    pub fn moved(&mut self, circle: u32, number: u32, mark: &Mark<'_>, now: u64) {
        let moved = self.conversations.entry(circle).or_default();
        if moved.conversation.is_empty() {
            moved.conversation = mark.conversation.to_vec();
        }
        moved.marks.insert(number, [mark.delivered, mark.read.unwrap_or_default()]);
        self.due.get_or_insert(now + GATHER);
    }

    /// Calls `tell` with every conversation in which something moved, the number of marks and the event's frame.
    pub fn tell(&mut self, mut tell: impl FnMut(&Moved, usize, &[u8])) {
        self.due = None;
        let mut out = Vec::new();
        for moved in self.conversations.values_mut().filter(|moved| !moved.marks.is_empty()) {
            out.clear();
            moved.event(&mut out);
            tell(moved, moved.marks.len(), &out);
            moved.marks.clear();
            moved.authors.clear();
        }
    }
}

impl Moved {
    fn event(&self, out: &mut Vec<u8>) {
        frame::write(out, Opcode::Text, None, |out| {
            out.extend_from_slice(b"{\"event\":\"marks\",\"body\":{\"conversation\":\"");
            out.extend_from_slice(&self.conversation);
            out.extend_from_slice(b"\",\"epoch\":1,\"marks\":[");
            for (place, (number, [delivered, read])) in self.marks.iter().enumerate() {
                out.extend_from_slice(if place == 0 { b"{\"account\":\"" } else { b",{\"account\":\"" });
                push_author(out, *number);
                out.extend_from_slice(b"\",\"delivered\":");
                text::push_number(out, *delivered);
                out.extend_from_slice(b",\"read\":");
                text::push_number(out, *read);
                out.push(b'}');
            }
            out.extend_from_slice(b"]}}");
        });
    }
}

#[cfg(test)]
mod tests {
    use suda_proto::event::Event;
    use suda_proto::frame::{RequestFrame, ServerFrame};
    use suda_proto::reply::Marked;

    use super::*;

    const MARK: &str = r#"{"id":2000000007,"type":"mark","body":{"conversation":"e507be39-fa9f-8268-856b-b29a8e996e27","delivered":12,"read":11}}"#;

    fn text_of(frame: &[u8]) -> &str {
        let head = frame::read(frame).expect("a frame");
        std::str::from_utf8(&frame[head.length..]).expect("text")
    }

    /// The server's own types write the same bytes.
    #[test]
    fn answers_and_events_are_the_servers() {
        RequestFrame::read(MARK).expect("a request").request().expect("a mark");
        let mark = Mark::read(MARK.as_bytes()).expect("a mark");
        let mut out = Vec::new();
        mark.answer(&mut out);
        let ServerFrame::Ok { id, ok } = ServerFrame::read(text_of(&out)).expect("a reply") else {
            panic!("not a reply");
        };
        let marked: Marked = ok.parse().expect("an answer");
        assert_eq!(suda_proto::frame::reply_text(id, &marked), text_of(&out));
        let mut receipts = Receipts::default();
        receipts.wrote(3, 6);
        receipts.moved(3, 7, &mark, 100);
        receipts.wrote(3, 6);
        assert_eq!(receipts.due, Some(100 + GATHER));
        let mut told = Vec::new();
        receipts.tell(|moved, count, frame| told.push((moved.authors.clone(), count, frame.to_vec())));
        let (authors, count, frame) = told.first().expect("something moved");
        assert_eq!((told.len(), authors, *count), (1, &BTreeSet::from([6]), 1));
        let ServerFrame::Event(event @ Event::Marks(_)) =
            ServerFrame::read(text_of(frame)).expect("an event")
        else {
            panic!("not marks");
        };
        assert_eq!(suda_proto::frame::event_text(&event), text_of(frame));
        receipts.tell(|_, _, _| panic!("nothing moved since"));
    }
}
