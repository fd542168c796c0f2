//! The form of everything that nodes send each other: a header with a check over the whole frame, then the payload.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version |
//! | 1 | kind |
//! | 2–5 | check of all that follows, and of the two bytes before |
//! | 6–7, 8–9 | the sender's and the receiver's node; the latter is 0 in what is for all |
//! | 10–17, 18–25 | the sender's and the receiver's incarnation; likewise |
//! | 26–33 | number |
//! | 34– | payload |
//!
//! Numbers are big-endian. The check finds damage and whatever else arrives on the bus; it is no protection against
//! somebody who forges frames: the bus keeps those out.

use bytes::{BufMut, Bytes, BytesMut};

use crate::placement::{NodeId, mixed};

/// Bytes before the payload.
pub const HEADER: usize = 34;

/// Longest payload in bytes: with its header it fits into what a bus carries by default.
pub const PAYLOAD_MAX: usize = (1 << 20) - 256;

/// The form that is written.
const VERSION: u8 = 1;

/// No number is greater: counting on from it does not overflow.
pub const NUMBER_MAX: u64 = 1 << 62;

/// Why a frame was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Written by a newer version of Suda.
    #[error("frame form {0} is newer than this program")]
    Newer(u8),
    /// Damaged, or nothing of ours.
    #[error("frame is malformed: {0}")]
    Malformed(&'static str),
    /// For another node, or for what this node was before it was started anew.
    #[error("frame is for somebody else")]
    Elsewhere,
    /// From what its sender was before it was started anew.
    #[error("frame is from a former incarnation")]
    Former,
    /// From an incarnation of which no heartbeat has come yet.
    #[error("frame is from a node that was not heard yet")]
    Unheard,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet for one node, numbered for it.
    One,
    /// A packet for all nodes, numbered by its sender.
    All,
    /// Numbers that have not arrived; the frame's own number counts the questions.
    Missing,
    /// The sender has nothing below the frame's number any more.
    Gone,
    /// A heartbeat.
    Beat,
}

impl Kind {
    const ALL: [(Self, u8); 5] =
        [(Self::One, 1), (Self::All, 2), (Self::Missing, 3), (Self::Gone, 4), (Self::Beat, 5)];

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == byte).map(|(kind, _)| *kind)
    }

    fn byte(self) -> u8 {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, byte)| *byte)
    }
}

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub kind: Kind,
    /// Who sent it.
    pub from: NodeId,
    /// For whom, where it is not for all.
    pub to: NodeId,
    /// The sender's start; later ones have greater numbers.
    pub from_incarnation: u64,
    /// The receiver's start, where it is not for all.
    pub to_incarnation: u64,
    /// By its kind.
    pub number: u64,
}

/// Writes a frame.
pub fn write(header: &Header, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(HEADER + payload.len());
    frame.put_u8(VERSION);
    frame.put_u8(header.kind.byte());
    frame.put_u32(0);
    frame.put_u16(header.from.0);
    frame.put_u16(header.to.0);
    frame.put_u64(header.from_incarnation);
    frame.put_u64(header.to_incarnation);
    frame.put_u64(header.number);
    frame.put_slice(payload);
    let check = check(&frame);
    frame[2..6].copy_from_slice(&check.to_be_bytes());
    frame.freeze()
}

/// Reads a frame. The payload is a part of it, not a copy.
///
/// # Errors
/// If it is damaged, foreign or of a newer form.
pub fn read(frame: &Bytes) -> Result<(Header, Bytes), FrameError> {
    let (fixed, _) = frame.split_first_chunk::<HEADER>().ok_or(FrameError::Malformed("length"))?;
    if frame.len() > HEADER + PAYLOAD_MAX {
        return Err(FrameError::Malformed("length"));
    }
    if fixed[2..6] != check(frame).to_be_bytes() {
        return Err(FrameError::Malformed("check"));
    }
    match fixed[0] {
        VERSION => {}
        0 => return Err(FrameError::Malformed("version")),
        newer => return Err(FrameError::Newer(newer)),
    }
    let header = Header {
        kind: Kind::of(fixed[1]).ok_or(FrameError::Malformed("kind"))?,
        from: NodeId(u16_at(fixed, 6)),
        to: NodeId(u16_at(fixed, 8)),
        from_incarnation: u64_at(fixed, 10),
        to_incarnation: u64_at(fixed, 18),
        number: u64_at(fixed, 26),
    };
    if header.number == 0 || header.number > NUMBER_MAX {
        return Err(FrameError::Malformed("number"));
    }
    Ok((header, frame.slice(HEADER..)))
}

fn u16_at(bytes: &[u8; HEADER], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u64_at(bytes: &[u8; HEADER], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_be_bytes(number)
}

/// A hash of the frame without the bytes that hold it, of which every single damaged bit changes about half.
fn check(frame: &[u8]) -> u32 {
    let begin = u64::from(frame[0]) << 8 | u64::from(frame[1]);
    let (words, rest) = frame[6..].as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let stir = |hash: u64, word: &[u8; 8]| {
        (hash.rotate_left(5) ^ u64::from_be_bytes(*word)).wrapping_mul(0x517c_c1b7_2722_0a95)
    };
    let hash = words.iter().chain([&last]).fold(mixed(begin << 32 ^ frame.len() as u64), stir);
    (mixed(hash) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(kind: Kind, number: u64) -> Header {
        Header { kind, from: NodeId(3), to: NodeId(7), from_incarnation: 5, to_incarnation: 9, number }
    }

    /// Changing the form splits a cluster while it is upgraded: it takes a new version.
    #[test]
    fn the_form_never_changes() {
        let frame = write(&header(Kind::One, 258), b"payload!?");
        assert_eq!(frame[..2], [1, 1]);
        assert_eq!(frame[2..6], GOLDEN_CHECK);
        assert_eq!(frame[6..10], [0, 3, 0, 7]);
        assert_eq!(frame[10..34], [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(frame[34..], *b"payload!?");
    }

    const GOLDEN_CHECK: [u8; 4] = [151, 54, 226, 10];

    #[test]
    fn newer_forms_are_told_from_damage() {
        let mut frame = write(&header(Kind::All, 1), b"x").to_vec();
        frame[0] = 2;
        assert_eq!(read(&Bytes::from(frame.clone())), Err(FrameError::Malformed("check")));
        let check = check(&frame);
        frame[2..6].copy_from_slice(&check.to_be_bytes());
        assert_eq!(read(&Bytes::from(frame)), Err(FrameError::Newer(2)));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_without_a_copy(
            kind in 0_usize..5, number in 1_u64..1000, payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let header = header(Kind::ALL[kind].0, number);
            let frame = write(&header, &payload);
            let (read_header, read_payload) = read(&frame).expect("is whole");
            prop_assert_eq!(read_header, header);
            prop_assert_eq!(&read_payload[..], &payload[..]);
            prop_assert_eq!(read_payload.as_ptr(), frame[HEADER..].as_ptr());
        }

        #[test]
        fn damage_is_found(
            payload in proptest::collection::vec(any::<u8>(), 0..80), at in any::<usize>(), bit in 0..8, cut in any::<bool>(),
        ) {
            let mut frame = write(&header(Kind::One, 1), &payload).to_vec();
            let at = at % frame.len();
            if cut { frame.truncate(at) } else { frame[at] ^= 1_u8 << bit }
            prop_assert!(matches!(read(&Bytes::from(frame)), Err(FrameError::Malformed(_))));
        }

        #[test]
        fn foreign_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&Bytes::from(bytes)).is_err());
        }
    }
}
