//! From a client's bytes to its messages, by the rules of RFC 6455; no I/O.
//!
//! Whoever breaks a rule that the standard closes a connection for is told which ([`Violation`]). What lies whole in
//! the bytes that came in is unmasked and read in place; only fragmented messages are copied together.

use std::borrow::Cow;

use crate::session::Opcode;

/// The longest payload of a control frame.
const CONTROL_MAX: usize = 125;

/// The lowest opcode of control frames.
const FIRST_CONTROL: u8 = 8;

const CONTINUATION: u8 = 0;
const TEXT: u8 = Opcode::Text as u8;
const BINARY: u8 = 2;
const CLOSE: u8 = Opcode::Close as u8;
const PING: u8 = Opcode::Ping as u8;
const PONG: u8 = Opcode::Pong as u8;

/// A whole message, or a control frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A binary message; what it says does not matter.
    Binary,
    /// A question for a sign of life.
    Ping(&'a [u8]),
    /// The answer to one.
    Pong,
    /// The client is done; its close code, if it gave one.
    Close(Option<u16>),
}

/// A broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// The standard closes with 1002.
    Protocol(&'static str),
    /// A text that is not UTF-8, which the standard closes with 1007.
    NotUtf8,
    /// A message that is longer than may be.
    TooLarge,
}

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A part of a frame.
    Incomplete,
    /// A fragment of so many bytes, not the last of its message.
    Fragment(usize),
    /// A message; its frame took so many bytes.
    Message(usize, Message<'a>),
}

/// Reads one client's frames.
#[derive(Debug)]
pub struct Decoder {
    /// The opcode of the message whose fragments are coming in, and its payload so far.
    fragments: Option<Box<(u8, Vec<u8>)>>,
    most_bytes: usize,
}

/// A frame's header.
struct Header {
    is_final: bool,
    opcode: u8,
    length: usize,
    mask: [u8; 4],
    /// How many bytes it takes.
    size: usize,
}

impl Decoder {
    /// For messages of at most so many bytes.
    pub const fn new(most_bytes: usize) -> Self {
        Self { fragments: None, most_bytes }
    }

    /// Reads the frame that `bytes` begin with; its payload is unmasked in place, so each frame is to be shown once.
    ///
    /// # Errors
    /// The first rule that is broken; the bytes after it make no sense.
    pub fn next<'a>(&'a mut self, bytes: &'a mut [u8]) -> Result<Decoded<'a>, Violation> {
        let Some(header) = self.header(bytes)? else {
            return Ok(Decoded::Incomplete);
        };
        let end = header.size + header.length;
        let Some(payload) = bytes.get_mut(header.size..end) else {
            return Ok(Decoded::Incomplete);
        };
        unmask(payload, header.mask);
        let whole = |message| Ok(Decoded::Message(end, message));
        match header.opcode {
            CLOSE => whole(Message::Close(close_code(payload)?)),
            PING => whole(Message::Ping(payload)),
            PONG => whole(Message::Pong),
            opcode if header.is_final && self.fragments.is_none() => whole(message(opcode, payload)?),
            opcode => {
                let fragments = self.fragments.get_or_insert_with(|| Box::new((opcode, Vec::new())));
                fragments.1.extend_from_slice(payload);
                if !header.is_final {
                    return Ok(Decoded::Fragment(end));
                }
                match self.fragments.take().map(|fragments| *fragments) {
                    Some((TEXT, joined)) => {
                        let text = String::from_utf8(joined).map_err(|_| Violation::NotUtf8)?;
                        whole(Message::Text(Cow::Owned(text)))
                    }
                    _ => whole(Message::Binary),
                }
            }
        }
    }

    /// The header that `bytes` begin with, once it is there; checked as far as it can be without its payload.
    fn header(&self, bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let (is_final, opcode, short) = (first & 0x80 != 0, first & 0x0F, usize::from(second & 0x7F));
        if first & 0x70 != 0 {
            return Err(Violation::Protocol("a reserved bit is set"));
        }
        if second & 0x80 == 0 {
            return Err(Violation::Protocol("a client's frames are masked"));
        }
        self.check_order(is_final, opcode, short)?;
        let Some((length, rest)) = length(short, rest)? else {
            return Ok(None);
        };
        let before = self.fragments.as_ref().map_or(0, |fragments| fragments.1.len());
        if opcode < FIRST_CONTROL && length.saturating_add(before as u64) > self.most_bytes as u64 {
            return Err(Violation::TooLarge);
        }
        let Some(mask) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        let size = bytes.len() - rest.len() + mask.len();
        Ok(Some(Header { is_final, opcode, length: length as usize, mask: *mask, size }))
    }

    /// Whether such a frame may come now.
    fn check_order(&self, is_final: bool, opcode: u8, short: usize) -> Result<(), Violation> {
        let what = match opcode {
            CONTINUATION if self.fragments.is_none() => "a continuation of nothing",
            TEXT | BINARY if self.fragments.is_some() => "a message within another one's fragments",
            CONTINUATION | TEXT | BINARY => return Ok(()),
            CLOSE | PING | PONG if !is_final => "a control frame in fragments",
            CLOSE | PING | PONG if short > CONTROL_MAX => "a control frame that is too long",
            CLOSE | PING | PONG => return Ok(()),
            _ => "an unknown opcode",
        };
        Err(Violation::Protocol(what))
    }
}

/// The payload's length, and what stands behind it.
fn length(short: usize, rest: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (length, least, rest) = match short {
        126 => match rest.split_first_chunk::<2>() {
            Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), 126, rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk::<8>() {
            Some((length, rest)) => (u64::from_be_bytes(*length), 65_536, rest),
            None => return Ok(None),
        },
        short => (short as u64, 0, rest),
    };
    match length < least || length > i64::MAX as u64 {
        true => Err(Violation::Protocol("a length that is not in its shortest form")),
        false => Ok(Some((length, rest))),
    }
}

/// A message by its opcode.
fn message(opcode: u8, payload: &[u8]) -> Result<Message<'_>, Violation> {
    match opcode {
        TEXT => match std::str::from_utf8(payload) {
            Ok(text) => Ok(Message::Text(Cow::Borrowed(text))),
            Err(_) => Err(Violation::NotUtf8),
        },
        _ => Ok(Message::Binary),
    }
}

/// The code in the payload of a close frame.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return match payload.is_empty() {
            true => Ok(None),
            false => Err(Violation::Protocol("half a close code")),
        };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::Protocol("a close code that is not to be sent"));
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(Some(code)),
        Err(_) => Err(Violation::NotUtf8),
    }
}

/// Applies a mask, a word at a time; applied twice it is gone.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// A masked frame: first byte, then the payload with its length in the shortest form.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            length @ 0..126 => bytes.push(0x80 | length as u8),
            length @ 126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend((length as u16).to_be_bytes());
            }
            length => {
                bytes.push(0x80 | 127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        bytes
    }

    /// What comes of the bytes, however they are cut: messages in words, then how it ended.
    fn read(bytes: &[u8], piece: usize) -> (Vec<String>, Option<Violation>) {
        let mut decoder = Decoder::new(100_000);
        let (mut rest, mut messages) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(piece) {
            rest.extend_from_slice(piece);
            loop {
                let used = match decoder.next(&mut rest) {
                    Err(violation) => return (messages, Some(violation)),
                    Ok(Decoded::Incomplete) => break,
                    Ok(Decoded::Fragment(used)) => used,
                    Ok(Decoded::Message(used, message)) => {
                        messages.push(match message {
                            Message::Text(text) if text.len() > 100 => format!("text of {}", text.len()),
                            other => format!("{other:?}"),
                        });
                        used
                    }
                };
                rest.drain(..used);
            }
        }
        (messages, None)
    }

    fn check(bytes: &[u8], messages: &[&str], violation: Option<Violation>) {
        for piece in [1, 7, 4_096, bytes.len().max(1)] {
            let expected = messages.iter().map(|message| (*message).to_owned()).collect();
            assert_eq!(read(bytes, piece), (expected, violation), "in pieces of {piece}");
        }
    }

    #[test]
    fn whole_messages_of_every_length_form() {
        // The masked "Hello" of RFC 6455, section 5.7.
        let hello = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
        assert_eq!(frame(0x81, b"Hello"), hello);
        check(&hello, &["Text(\"Hello\")"], None);
        for length in [126, 65_535, 65_536, 100_000] {
            check(&frame(0x81, &vec![b'x'; length]), &[&format!("text of {length}")], None);
        }
        check(&frame(0x82, b"\xFF"), &["Binary"], None);
        check(&[frame(0x89, b"?"), frame(0x8A, b"")].concat(), &["Ping([63])", "Pong"], None);
    }

    #[test]
    fn fragments_are_joined_and_control_frames_pass_between() {
        let text = "수다".as_bytes();
        // Cut within a character: only the whole has to be UTF-8.
        let frames =
            [frame(0x01, &text[..2]), frame(0x89, b""), frame(0x00, &text[2..4]), frame(0x80, &text[4..])];
        check(&frames.concat(), &["Ping([])", "Text(\"수다\")"], None);
        let binary = [frame(0x02, b"a"), frame(0x80, b"b"), frame(0x81, b"c")];
        check(&binary.concat(), &["Binary", "Text(\"c\")"], None);
    }

    #[test]
    fn closing_says_why_or_not() {
        check(&frame(0x88, b""), &["Close(None)"], None);
        check(&frame(0x88, &[0x03, 0xE8, b'b', b'y', b'e']), &["Close(Some(1000))"], None);
        for code in [0u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            let broken = Violation::Protocol("a close code that is not to be sent");
            check(&frame(0x88, &code.to_be_bytes()), &[], Some(broken));
        }
        check(&frame(0x88, &[0x03]), &[], Some(Violation::Protocol("half a close code")));
        check(&frame(0x88, &[0x03, 0xE8, 0xFF]), &[], Some(Violation::NotUtf8));
    }

    #[test]
    fn broken_rules_are_named() {
        let long = |first: u8, form: &[u8]| [&[first][..], form, &MASK].concat();
        let shortest = "a length that is not in its shortest form";
        let cases = [
            (frame(0xC1, b""), "a reserved bit is set"),
            (frame(0xA1, b""), "a reserved bit is set"),
            (frame(0x91, b""), "a reserved bit is set"),
            (vec![0x81, 0x01, b'x'], "a client's frames are masked"),
            (frame(0x83, b""), "an unknown opcode"),
            (frame(0x8B, b""), "an unknown opcode"),
            (frame(0x80, b""), "a continuation of nothing"),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), "a message within another one's fragments"),
            ([frame(0x01, b"a"), frame(0x02, b"b")].concat(), "a message within another one's fragments"),
            (frame(0x09, b""), "a control frame in fragments"),
            (frame(0x89, &[0; 126]), "a control frame that is too long"),
            (long(0x81, &[0xFE, 0, 125]), shortest),
            (long(0x81, &[0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), shortest),
            (long(0x81, &[0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0]), shortest),
        ];
        for (bytes, what) in cases {
            check(&bytes, &[], Some(Violation::Protocol(what)));
        }
        check(&frame(0x81, b"\xC3\x28"), &[], Some(Violation::NotUtf8));
        check(&[frame(0x01, b"\xC3"), frame(0x80, b"")].concat(), &[], Some(Violation::NotUtf8));
    }

    #[test]
    fn too_large_is_known_from_the_header() {
        let announced = [&[0x81, 0xFF][..], &100_001u64.to_be_bytes()].concat();
        check(&announced, &[], Some(Violation::TooLarge));
        let announced = [&[0x81, 0xFF][..], &(i64::MAX as u64).to_be_bytes()].concat();
        check(&announced, &[], Some(Violation::TooLarge));
        let fragments = [frame(0x01, &[b'x'; 60_000]), frame(0x80, &[b'x'; 60_000])].concat();
        check(&fragments, &[], Some(Violation::TooLarge));
    }

    proptest::proptest! {
        /// Whatever comes, in whatever pieces: the same messages, the same end, and never a panic.
        #[test]
        fn any_bytes_in_any_pieces_are_the_same(
            frames in proptest::collection::vec((proptest::num::u8::ANY, 0..200_usize, 0..12_u8), 0..8),
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..12),
            piece in 1..40_usize,
        ) {
            let mut bytes = Vec::new();
            for (byte, length, kind) in frames {
                // Mostly frames that may come, so that the walk gets somewhere.
                let first = match kind {
                    0..5 => 0x81,
                    5 => 0x01,
                    6 => 0x80,
                    7 => 0x89,
                    8 => 0x82,
                    _ => byte,
                };
                bytes.extend(frame(first, &vec![byte % 128; length]));
            }
            bytes.extend(noise);
            proptest::prop_assert_eq!(read(&bytes, piece), read(&bytes, bytes.len().max(1)));
        }
    }
}
