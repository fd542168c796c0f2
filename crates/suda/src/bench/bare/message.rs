//! The frames of the bare relay: made from parts of the generator's request, as long as the server's own.

use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memmem;

use suda_server::session::Opcode;

use super::super::frame;
use super::super::generator::text;

/// The answer to every upgrade. Its key belongs to the one that the generator sends (the RFC's example).
pub const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What stands before the filling of the answer to hello.
const WELCOME: &[u8] = br#"{"id":1,"ok":{"protocol":1,"heartbeat_seconds":25,"window":""#;

/// Bytes of the server's record of a message beside its body: 24 of prefix, 1 + 16 + 1 before the envelope, and an
/// envelope of 60 without target and mentions. The record is padded to eight.
pub const RECORD_BYTES: usize = 24 + 18 + 60;
/// Bytes of the mark that ends each group in the server's log: 24 of prefix and 24 of header.
pub const MARK_BYTES: usize = 48;
/// Bytes of the server's record of one member's watermarks, padding included.
const WATERMARKS_BYTES: usize = 96;

/// What records are made of beside bodies: anything but zero.
const FILLING: [u8; 128] = [0xa5; 128];
/// An author's id, of which the last digits are replaced by the sender's number.
const AUTHOR: &[u8; 24] = b"01a20307-be3a-767e-b983-";

/// The parts of a send that come again in its acknowledgement and event.
pub struct Request<'a> {
    id: &'a [u8],
    conversation: &'a [u8],
    client_id: &'a [u8],
    /// The kind in its quotation marks, and the target where there is one.
    kind: &'a [u8],
    body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Reads a send of the generator; `None` if it is another request.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let rest = text.strip_prefix(b"{\"id\":")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (id, rest) = rest.split_at(digits);
        let rest = rest.strip_prefix(b",\"type\":\"send\",\"body\":{\"conversation\":\"")?;
        let (conversation, rest) = rest.split_at_checked(36)?;
        let rest = rest.strip_prefix(b"\",\"client_id\":\"")?;
        let (client_id, rest) = rest.split_at_checked(36)?;
        let kind = memmem::find(rest, b"\"kind\":")? + b"\"kind\":".len();
        let body = memmem::find(rest, b",\"body\":")?;
        let kind = rest.get(kind..body)?;
        let body = rest[body + b",\"body\":".len()..].strip_suffix(b"}}")?;
        Some(Self { id, conversation, client_id, kind, body })
    }

    /// Which conversation it goes to.
    pub const fn conversation(&self) -> &'a [u8] {
        self.conversation
    }
}

/// Which number a greeting's token is.
pub fn number_of_hello(text: &[u8]) -> Option<u32> {
    let token = text::word(text, b"\"token\":\"")?;
    text::number(token).map(|(number, _)| number as u32)
}

/// The id of whatever is asked.
pub fn id_of(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"{\"id\":")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then_some(&rest[..digits])
}

/// Appends the answer to hello, of at least so many bytes.
pub fn welcome(out: &mut Vec<u8>, bytes: usize) {
    frame::write(out, Opcode::Text, None, |out| {
        out.extend_from_slice(WELCOME);
        out.resize(out.len() + bytes.saturating_sub(WELCOME.len() + 3), b'~');
        out.extend_from_slice(b"\"}}");
    });
}

/// Appends an answer that says nothing in at least so many bytes.
pub fn answer(out: &mut Vec<u8>, id: &[u8], bytes: usize) {
    frame::write(out, Opcode::Text, None, |out| {
        out.extend_from_slice(b"{\"id\":");
        out.extend_from_slice(id);
        out.extend_from_slice(b",\"ok\":\"");
        out.resize(out.len() + bytes.saturating_sub(id.len() + 15), b'~');
        out.extend_from_slice(b"\"}");
    });
}

/// A message that waits for its sync, or the answer to a mark that does.
pub struct Item {
    /// The number of whoever sent it.
    pub sender: u32,
    /// Its conversation.
    pub circle: u32,
    /// Where its frames begin, where the second does, and where that ends.
    start: usize,
    event: usize,
    end: usize,
}

/// Messages that are synced together.
#[derive(Default)]
pub struct Batch {
    /// Them.
    pub items: Vec<Item>,
    /// What is to be written.
    pub records: Vec<u8>,
    frames: Vec<u8>,
}

impl Batch {
    /// Adds a message, which is entry `seq` of its conversation.
    pub fn push(&mut self, sender: u32, circle: u32, seq: u64, request: &Request<'_>) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
        let start = self.frames.len();
        acknowledge(&mut self.frames, request, seq, at);
        let event = self.frames.len();
        tell(&mut self.frames, sender, request, seq, at);
        self.items.push(Item { sender, circle, start, event, end: self.frames.len() });
        let record = self.records.len() + (RECORD_BYTES + request.body.len()).next_multiple_of(8);
        self.records.extend_from_slice(&FILLING[..RECORD_BYTES]);
        self.records.extend_from_slice(request.body);
        self.records.resize(record, 0);
    }

    /// Adds watermarks of so many members.
    pub fn push_marks(&mut self, count: usize) {
        for _ in 0..count {
            self.records.extend_from_slice(&FILLING[..WATERMARKS_BYTES]);
        }
    }

    /// Adds an answer to a mark, which waits for its sync as an acknowledgement does; nobody else is told.
    pub fn push_answer(&mut self, sender: u32, circle: u32, render: impl FnOnce(&mut Vec<u8>)) {
        let start = self.frames.len();
        render(&mut self.frames);
        let end = self.frames.len();
        self.items.push(Item { sender, circle, start, event: end, end });
        self.push_marks(1);
    }

    /// Whether nothing is to be written.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// A message's two frames: the acknowledgement and the event, which is empty for an answer.
    pub fn frames(&self, item: &Item) -> (&[u8], &[u8]) {
        (&self.frames[item.start..item.event], &self.frames[item.event..item.end])
    }

    /// Takes what is to be written, the mark of the group at its end.
    pub fn take_records(&mut self) -> Vec<u8> {
        self.records.extend_from_slice(&FILLING[..MARK_BYTES]);
        std::mem::take(&mut self.records)
    }

    /// Forgets everything and keeps its memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.records.clear();
        self.frames.clear();
    }
}

fn acknowledge(out: &mut Vec<u8>, request: &Request<'_>, seq: u64, at: u64) {
    frame::write(out, Opcode::Text, None, |out| {
        out.extend_from_slice(b"{\"id\":");
        out.extend_from_slice(request.id);
        out.extend_from_slice(b",\"ok\":{\"conversation\":\"");
        out.extend_from_slice(request.conversation);
        out.extend_from_slice(b"\",\"position\":{\"epoch\":1,\"seq\":");
        text::push_number(out, seq + 1);
        out.extend_from_slice(b"},\"at\":");
        text::push_number(out, at);
        out.extend_from_slice(b",\"ordinal\":");
        text::push_number(out, seq);
        out.extend_from_slice(b"}}");
    });
}

fn tell(out: &mut Vec<u8>, sender: u32, request: &Request<'_>, seq: u64, at: u64) {
    frame::write(out, Opcode::Text, None, |out| {
        out.extend_from_slice(b"{\"event\":\"entries\",\"body\":{\"conversation\":\"");
        out.extend_from_slice(request.conversation);
        out.extend_from_slice(b"\",\"epoch\":1,\"entries\":[{\"seq\":");
        text::push_number(out, seq + 1);
        out.extend_from_slice(b",\"at\":");
        text::push_number(out, at);
        out.extend_from_slice(b",\"kind\":");
        out.extend_from_slice(request.kind);
        out.extend_from_slice(b",\"author\":\"");
        push_author(out, sender);
        out.extend_from_slice(b"\",\"client_id\":\"");
        out.extend_from_slice(request.client_id);
        out.extend_from_slice(b"\",\"ordinal\":");
        text::push_number(out, seq);
        out.extend_from_slice(b",\"body\":");
        out.extend_from_slice(request.body);
        out.extend_from_slice(b"}]}}");
    });
}

/// Appends the account that a connection's number stands for.
pub fn push_author(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(AUTHOR);
    text::push_padded(out, u64::from(number), 12);
}

#[cfg(test)]
mod tests {
    use suda_proto::event::Event;
    use suda_proto::frame::{RequestFrame, ServerFrame};
    use suda_proto::reply::Sent;
    use suda_proto::request::Request as ProtoRequest;

    use super::*;

    const SEND: &str = r#"{"id":1000000007,"type":"send","body":{"conversation":"e507be39-fa9f-8268-856b-b29a8e996e27","client_id":"01a20307-bf77-7d26-ac6f-9a64b75ed2ce","base":3,"after":"01a20307-bf70-78be-aa90-c403162896f7","kind":"message","body":{"type":"text","text":"hello"}}}"#;

    fn text_of(frame: &[u8]) -> &str {
        let head = frame::read(frame).expect("a frame");
        assert_eq!(head.frame(), frame.len());
        std::str::from_utf8(&frame[head.length..]).expect("text")
    }

    /// The server's own types write the same bytes.
    #[test]
    fn frames_are_the_servers() {
        let asked = RequestFrame::read(SEND).expect("a request").request().expect("a send");
        assert!(matches!(asked, ProtoRequest::Send(_)));
        let request = Request::read(SEND.as_bytes()).expect("a send");
        let mut batch = Batch::default();
        batch.push(4_711, 0, 8, &request);
        let (acknowledgement, event) = batch.frames(&batch.items[0]);
        let (acknowledgement, event) = (text_of(acknowledgement), text_of(event));
        let ServerFrame::Ok { id, ok } = ServerFrame::read(acknowledgement).expect("a reply") else {
            panic!("not a reply: {acknowledgement}");
        };
        let sent: Sent = ok.parse().expect("an acknowledgement");
        assert_eq!((id, sent.position.seq, sent.ordinal), (1_000_000_007, 9, 8));
        assert_eq!(suda_proto::frame::reply_text(id, &sent), acknowledgement);
        let ServerFrame::Event(told @ Event::Entries(_)) = ServerFrame::read(event).expect("an event") else {
            panic!("not entries: {event}");
        };
        assert_eq!(suda_proto::frame::event_text(&told), event);
    }

    #[test]
    fn a_record_has_the_servers_length() {
        let request = Request::read(SEND.as_bytes()).expect("a send");
        let body = br#"{"type":"text","text":"hello"}"#.len();
        let mut batch = Batch::default();
        batch.push(1, 0, 1, &request);
        assert_eq!(batch.records.len(), (102 + body).next_multiple_of(8));
        assert_eq!(batch.take_records().len(), (102 + body).next_multiple_of(8) + 48);
    }

    #[test]
    fn edits_keep_their_kind_and_target() {
        let edit = SEND.replace(r#""kind":"message""#, r#""kind":"edit","target":7"#);
        let request = Request::read(edit.as_bytes()).expect("a send");
        let mut batch = Batch::default();
        batch.push(1, 0, 1, &request);
        assert!(text_of(batch.frames(&batch.items[0]).1).contains(r#""kind":"edit","target":7,"author""#));
    }

    #[test]
    fn answers_are_as_long_as_they_are_to_be() {
        for bytes in [100, 3_000, 70_000] {
            for what in
                [|out: &mut _, bytes| welcome(out, bytes), |out: &mut _, bytes| answer(out, b"17", bytes)]
            {
                let mut out = Vec::new();
                what(&mut out, bytes);
                let text = text_of(&out);
                assert_eq!(text.len(), bytes);
                assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text:.60}");
            }
        }
        assert_eq!(id_of(br#"{"id":17,"type":"window"}"#), Some(b"17".as_slice()));
    }

    #[test]
    fn only_sends_are_taken() {
        assert!(Request::read(br#"{"id":1,"type":"ping","body":{}}"#).is_none());
        assert!(Request::read(&SEND.as_bytes()[..90]).is_none());
        let hello = br#"{"id":1,"type":"hello","body":{"protocol":1,"token":"0000012","foreground":true}}"#;
        assert_eq!(number_of_hello(hello), Some(12));
    }
}
