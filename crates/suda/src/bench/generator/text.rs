//! Requests put together from parts, and what of replies and events is looked at: a few bytes each.

use memchr::memmem;

/// Digits of a stamp: nanoseconds of the monotonic clock.
const STAMP_DIGITS: usize = 19;
/// Digits of a connection's number.
const LINE_DIGITS: usize = 6;
/// What every text of the generator begins with, the quotation mark in front.
const BEFORE_STAMP: &[u8] = b"\"~";
/// Bytes of a text before its filling.
pub const STAMPED: usize = 1 + STAMP_DIGITS + 1 + LINE_DIGITS + 1;
/// What texts are filled with.
const FILLING: &[u8] = b"the quick brown fox jumps over the lazy dog and goes on to the river ";

/// Who sent a text, and when it was meant to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Nanoseconds of the monotonic clock.
    pub at: u64,
    /// The sending connection.
    pub line: u32,
}

/// Appends a text of `bytes` bytes that bears `stamp`.
pub fn push_text(out: &mut Vec<u8>, stamp: Stamp, bytes: usize) {
    out.push(b'~');
    push_padded(out, stamp.at, STAMP_DIGITS);
    out.push(b' ');
    push_padded(out, u64::from(stamp.line), LINE_DIGITS);
    out.push(b' ');
    let mut left = bytes.saturating_sub(STAMPED);
    while left > 0 {
        let part = left.min(FILLING.len());
        out.extend_from_slice(&FILLING[..part]);
        left -= part;
    }
}

/// The stamp of the first stamped text in `bytes`, and what follows it.
pub fn next_stamp(bytes: &[u8]) -> Option<(Stamp, &[u8])> {
    let begin = memmem::find(bytes, BEFORE_STAMP)? + BEFORE_STAMP.len();
    let stamped = bytes.get(begin..begin + STAMPED - 1)?;
    let at = number(&stamped[..STAMP_DIGITS])?.0;
    let line = number(&stamped[STAMP_DIGITS + 1..])?.0 as u32;
    Some((Stamp { at, line }, &bytes[begin + STAMPED - 1..]))
}

/// The number at the front of `bytes`, and how many digits it has.
pub fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = bytes[..digits]
        .iter()
        .fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (digits > 0).then_some((value, digits))
}

/// The number behind the last occurrence of `key`, as in `"seq":`.
pub fn last_number(bytes: &[u8], key: &[u8]) -> Option<u64> {
    let at = memmem::rfind(bytes, key)? + key.len();
    number(&bytes[at..]).map(|(value, _)| value)
}

/// The number behind the first occurrence of `key`.
pub fn first_number(bytes: &[u8], key: &[u8]) -> Option<u64> {
    let at = memmem::find(bytes, key)? + key.len();
    number(&bytes[at..]).map(|(value, _)| value)
}

/// The text between the first `before` and the quotation mark after it.
pub fn word<'a>(bytes: &'a [u8], before: &[u8]) -> Option<&'a [u8]> {
    let begin = memmem::find(bytes, before)? + before.len();
    let length = memchr::memchr(b'"', &bytes[begin..])?;
    Some(&bytes[begin..begin + length])
}

/// Appends a number in decimal digits.
pub fn push_number(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a number in so many decimal digits.
pub fn push_padded(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Appends a number in so many hexadecimal digits.
pub fn push_hexadecimal(out: &mut Vec<u8>, mut value: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

/// What a reply answers: its id, and whether it is no error. `None` for events.
pub fn reply_id(text: &[u8]) -> Option<(u64, bool)> {
    let (id, digits) = number(text.strip_prefix(b"{\"id\":")?)?;
    Some((id, text[6 + digits..].starts_with(b",\"ok\"")))
}

/// Whose presence a reply or an event tells, and how each stands.
pub fn presences(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let account = word(rest, b"\"account\":\"")?;
        let after = memmem::find(rest, account)? + account.len();
        let state = word(&rest[after..], b"\"state\":\"")?;
        rest = &rest[after..];
        Some((account, state))
    })
}

/// The code of an error reply.
pub fn error_code(text: &[u8]) -> String {
    let code = word(text, b"\"code\":\"").unwrap_or(b"unreadable");
    String::from_utf8_lossy(code).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_again_wherever_it_stands() {
        let stamp = Stamp { at: 123_456_789_012, line: 4_711 };
        let mut event = b"{\"event\":\"entries\",\"body\":{\"text\":\"".to_vec();
        let before = event.len();
        push_text(&mut event, stamp, 200);
        assert_eq!(event.len() - before, 200);
        event.extend_from_slice(b"\"},{\"text\":\"");
        push_text(&mut event, Stamp { line: 1, ..stamp }, 40);
        let (found, rest) = next_stamp(&event).expect("the first one");
        assert_eq!(found, stamp);
        let (found, rest) = next_stamp(rest).expect("the second one");
        assert_eq!(found.line, 1);
        assert_eq!(next_stamp(rest), None);
    }

    #[test]
    fn replies_are_told_from_errors_and_events() {
        assert_eq!(reply_id(br#"{"id":1000000017,"ok":{}}"#), Some((1_000_000_017, true)));
        let error = br#"{"id":7,"error":{"code":"out_of_turn","message":"x"}}"#;
        assert_eq!(reply_id(error), Some((7, false)));
        assert_eq!(error_code(error), "out_of_turn");
        assert_eq!(reply_id(br#"{"event":"typing","body":{}}"#), None);
        assert_eq!(error_code(b"{}"), "unreadable");
    }

    #[test]
    fn everybody_in_an_event_is_found_with_the_state() {
        let event = br#"{"event":"presence","body":{"accounts":[{"account":"a1","state":"away",
            "last_active_at":7},{"account":"a2","state":"online"}]}}"#;
        let found: Vec<_> = presences(event).collect();
        assert_eq!(found, [(&b"a1"[..], &b"away"[..]), (b"a2", b"online")]);
        assert_eq!(presences(br#"{"id":1,"ok":{"accounts":[]}}"#).count(), 0);
    }

    #[test]
    fn numbers_are_written_and_read() {
        let mut out = Vec::new();
        push_number(&mut out, 0);
        push_number(&mut out, 1_234_567);
        push_padded(&mut out, 42, 5);
        push_hexadecimal(&mut out, 0xbeef, 6);
        assert_eq!(out, b"0123456700042".iter().chain(b"00beef").copied().collect::<Vec<u8>>());
        assert_eq!(last_number(br#"{"seq":12,"x":{"seq":99}}"#, b"\"seq\":"), Some(99));
        assert_eq!(first_number(br#"{"seq":12,"x":{"seq":99}}"#, b"\"seq\":"), Some(12));
        assert_eq!(number(b"x"), None);
    }
}
