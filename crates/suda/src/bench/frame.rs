//! WebSocket frames (RFC 6455, 5.2) as the generator and the bare relay need them: whole, unfragmented ones.

use suda_server::gateway::websocket::decoder::unmask;
use suda_server::session::Opcode;
use suda_server::session::frame::{HEADER_MAX, header};

/// A text frame.
pub const TEXT: u8 = Opcode::Text as u8;
/// Ends the connection.
pub const CLOSE: u8 = Opcode::Close as u8;
/// Asks for a pong.
pub const PING: u8 = Opcode::Ping as u8;
/// Answers a ping.
pub const PONG: u8 = Opcode::Pong as u8;

/// The bit that says that a frame is the last of its message.
const FINAL: u8 = 0x80;
/// The bit that says that the payload is masked.
const MASKED: u8 = 0x80;
/// What a frame says before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is.
    pub opcode: u8,
    /// Whether it is a whole message.
    pub is_whole: bool,
    /// The key of the payload's mask; from clients only.
    pub mask: Option<[u8; 4]>,
    /// Bytes before the payload.
    pub length: usize,
    /// Bytes of the payload.
    pub payload: usize,
}

impl Head {
    /// Bytes of the whole frame.
    pub const fn frame(&self) -> usize {
        self.length + self.payload
    }
}

/// The head at the front of `bytes`; `None` while it is not all there.
pub fn read(bytes: &[u8]) -> Option<Head> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (payload, mut length) = match second & !MASKED {
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        short => (u64::from(short), 2),
    };
    let mut mask = None;
    if second & MASKED != 0 {
        mask = Some(bytes.get(length..length + 4)?.try_into().ok()?);
        length += 4;
    }
    let payload = usize::try_from(payload).ok()?;
    Some(Head { opcode: first & 0x0f, is_whole: first & FINAL != 0, mask, length, payload })
}

/// Appends a frame. `render` appends the payload, which is masked with `mask` afterwards.
pub fn write(out: &mut Vec<u8>, opcode: Opcode, mask: Option<[u8; 4]>, render: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    // Most payloads are of medium length: their head's place is left open, and moved only for others.
    let key = if mask.is_some() { 4 } else { 0 };
    let reserved = 4 + key;
    out.resize(start + reserved, 0);
    render(out);
    let payload = out.len() - start - reserved;
    if let Some(mask) = mask {
        unmask(&mut out[start + reserved..], mask);
    }
    let (head, length) = head(opcode, payload, mask);
    if length < reserved {
        out.copy_within(start + reserved.., start + length);
        out.truncate(start + length + payload);
    } else if length > reserved {
        out.resize(start + length + payload, 0);
        out.copy_within(start + reserved..start + reserved + payload, start + length);
    }
    out[start..start + length].copy_from_slice(&head[..length]);
}

/// The bytes of a head, and how many of them there are.
fn head(opcode: Opcode, payload: usize, mask: Option<[u8; 4]>) -> ([u8; HEADER_MAX + 4], usize) {
    let (header, length) = header(opcode, payload);
    let mut bytes = [0; HEADER_MAX + 4];
    bytes[..length].copy_from_slice(&header[..length]);
    let Some(mask) = mask else {
        return (bytes, length);
    };
    bytes[1] |= MASKED;
    bytes[length..length + 4].copy_from_slice(&mask);
    (bytes, length + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    #[test]
    fn the_examples_of_the_rfc() {
        let mut hello = Vec::new();
        write(&mut hello, Opcode::Text, None, |out| out.extend_from_slice(b"Hello"));
        assert_eq!(hello, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        let mut masked = Vec::new();
        write(&mut masked, Opcode::Text, Some(KEY), |out| out.extend_from_slice(b"Hello"));
        assert_eq!(masked, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        let mut medium = Vec::new();
        write(&mut medium, Opcode::Text, None, |out| out.resize(out.len() + 256, 0));
        assert_eq!(medium[..4], [0x81, 0x7e, 0x01, 0x00]);
        let mut long = Vec::new();
        write(&mut long, Opcode::Text, None, |out| out.resize(out.len() + 65_536, 0));
        assert_eq!(long[..10], [0x81, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn what_is_written_is_read_at_every_length() {
        for mask in [None, Some(KEY)] {
            for length in [0, 1, 7, 125, 126, 127, 200, 65_535, 65_536, 70_000] {
                let payload: Vec<u8> = (0..length).map(|byte: usize| byte as u8).collect();
                let mut bytes = b"before".to_vec();
                write(&mut bytes, Opcode::Text, mask, |out| out.extend_from_slice(&payload));
                let frame = &mut bytes[6..];
                let head = read(frame).expect("the head is there");
                assert_eq!((head.opcode, head.is_whole, head.mask), (TEXT, true, mask));
                assert_eq!(head.frame(), frame.len());
                unmask(&mut frame[head.length..], mask.unwrap_or_default());
                assert_eq!(frame[head.length..], payload);
            }
        }
    }

    #[test]
    fn a_head_that_is_cut_is_waited_for() {
        let mut bytes = Vec::new();
        write(&mut bytes, Opcode::Text, Some(KEY), |out| out.resize(out.len() + 300, 1));
        for length in 0..8 {
            assert_eq!(read(&bytes[..length]), None, "{length}");
        }
        assert!(read(&bytes[..8]).is_some());
    }
}
