//! Frames on their way to a session: WebSocket frames of a server (RFC 6455, section 5), complete with their header, so
//! that a text that goes to many sessions is put together once.

use bytes::Bytes;
use serde::Serialize;
use suda_proto::entries_text::write_entries;
use suda_proto::event::Event;
use suda_proto::frame::{write_error, write_event, write_reply};
use suda_proto::{ConversationId, Entry, ErrorBody, Raw};

/// The longest header of a frame without a mask.
pub const HEADER_MAX: usize = 10;

/// What most frames fit into.
const USUAL: usize = 512;

/// The only frame of a message.
const FINAL: u8 = 0x80;

/// What a frame carries, as the number in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// UTF-8 text.
    Text = 1,
    /// The end of the connection.
    Close = 8,
    /// A question for a sign of life.
    Ping = 9,
    /// The answer to it.
    Pong = 10,
}

/// One frame as it goes over the wire; cloning shares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
    payload_at: u8,
}

impl Frame {
    /// The reply to a request.
    pub fn reply<T: Serialize>(id: u64, ok: &T) -> Self {
        Self::write(Opcode::Text, |out| write_reply(out, id, ok))
    }

    /// The reply to a request, as the JSON that it is already.
    pub fn raw_reply(id: u64, ok: &Raw) -> Self {
        Self::write(Opcode::Text, |out| {
            out.extend_from_slice(format!(r#"{{"id":{id},"ok":"#).as_bytes());
            out.extend_from_slice(ok.bytes());
            out.push(b'}');
        })
    }

    /// The refusal of a request; of a frame that could not be read that far, where there is no id.
    pub fn error(id: Option<u64>, error: &ErrorBody) -> Self {
        Self::write(Opcode::Text, |out| write_error(out, id, error))
    }

    /// An event.
    pub fn event(event: &Event) -> Self {
        Self::write(Opcode::Text, |out| write_event(out, event))
    }

    /// The event that tells of new entries, ascending and without gaps.
    pub fn entries(conversation: ConversationId, epoch: u32, entries: impl Iterator<Item = Entry>) -> Self {
        Self::write(Opcode::Text, |out| write_entries(out, conversation, epoch, entries))
    }

    /// A text.
    pub fn text(text: &str) -> Self {
        Self::write(Opcode::Text, |out| out.extend_from_slice(text.as_bytes()))
    }

    /// A ping without a payload.
    pub fn ping() -> Self {
        Self::write(Opcode::Ping, |_| {})
    }

    /// The answer to a ping, with its payload of at most 125 bytes.
    pub fn pong(payload: &[u8]) -> Self {
        Self::write(Opcode::Pong, |out| out.extend_from_slice(payload))
    }

    /// The last frame of a connection: a close code and a reason of at most 123 bytes, or neither.
    pub fn close(code: Option<u16>, reason: &str) -> Self {
        Self::write(Opcode::Close, |out| {
            if let Some(code) = code {
                out.extend_from_slice(&code.to_be_bytes());
                out.extend_from_slice(reason.as_bytes());
            }
        })
    }

    /// Header and payload.
    pub const fn wire(&self) -> &Bytes {
        &self.bytes
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[usize::from(self.payload_at)..]
    }

    /// Writes the payload behind room for the longest header, then the header right in front of it: one buffer, no copy.
    fn write(opcode: Opcode, payload: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = Vec::with_capacity(USUAL);
        bytes.resize(HEADER_MAX, 0);
        payload(&mut bytes);
        let length = bytes.len() - HEADER_MAX;
        let (header, used) = header(opcode, length);
        let start = HEADER_MAX - used;
        bytes[start..HEADER_MAX].copy_from_slice(&header[..used]);
        Self { bytes: Bytes::from(bytes).slice(start..), payload_at: used as u8 }
    }
}

/// The header of an unmasked frame with a payload of so many bytes, and how much of it is used.
pub fn header(opcode: Opcode, length: usize) -> ([u8; HEADER_MAX], usize) {
    let mut header = [0; HEADER_MAX];
    header[0] = FINAL | opcode as u8;
    if length < 126 {
        header[1] = length as u8;
        return (header, 2);
    }
    if let Ok(length) = u16::try_from(length) {
        header[1] = 126;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        return (header, 4);
    }
    header[1] = 127;
    header[2..].copy_from_slice(&(length as u64).to_be_bytes());
    (header, HEADER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_shortest_one() {
        let cases: [(usize, &[u8]); 6] = [
            (0, &[0x81, 0]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xFF, 0xFF]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
            (70_000, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
        ];
        for (length, header) in cases {
            let frame = Frame::text(&"x".repeat(length));
            assert_eq!(frame.wire().len(), header.len() + length);
            assert!(frame.wire().starts_with(header), "{length}");
            assert!(frame.payload().len() == length && frame.payload().iter().all(|byte| *byte == b'x'));
        }
    }

    #[test]
    fn a_reply_that_is_json_already_is_the_same_reply() {
        let sent = suda_proto::reply::Done {};
        assert_eq!(Frame::raw_reply(7, &Raw::of(&sent)), Frame::reply(7, &sent));
    }

    #[test]
    fn control_frames_are_as_the_standard_shows_them() {
        assert_eq!(Frame::ping().wire().as_ref(), [0x89, 0]);
        assert_eq!(Frame::pong(b"Hello").wire().as_ref(), [0x8A, 5, b'H', b'e', b'l', b'l', b'o']);
        assert_eq!(Frame::close(None, "").wire().as_ref(), [0x88, 0]);
        assert_eq!(Frame::close(Some(1002), "no").wire().as_ref(), [0x88, 4, 0x03, 0xEA, b'n', b'o']);
    }
}
