//! Resume tokens and list cursors: opaque to clients, a version and a few numbers to us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use suda_domain::ports::inbox::InboxCursor;
use suda_proto::ConversationId;

/// Clocks and lists may lag: a device is told again what was touched this long before its token, in milliseconds.
pub const OVERLAP_MS: u64 = 60_000;

/// From where a device resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The log's epoch then.
    pub epoch: u32,
    /// The server's clock then.
    pub now: u64,
}

impl Resume {
    /// The token.
    pub fn token(self) -> String {
        URL_SAFE_NO_PAD.encode([&[1], self.epoch.to_be_bytes().as_slice(), &self.now.to_be_bytes()].concat())
    }

    /// Reads a token; `None` if it is none of ours.
    pub fn read(token: &str) -> Option<Self> {
        let bytes: [u8; 13] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
        let ([1], rest) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (epoch, now) = rest.split_first_chunk::<4>()?;
        Some(Self { epoch: u32::from_be_bytes(*epoch), now: u64::from_be_bytes(now.try_into().ok()?) })
    }

    /// The time from which on things may be news to the device.
    pub const fn since(self) -> u64 {
        // A list since 0 would leave out the conversations that the account has left.
        let since = self.now.saturating_sub(OVERLAP_MS);
        if since == 0 { 1 } else { since }
    }
}

/// The text of a list cursor.
pub fn cursor_text(cursor: InboxCursor) -> String {
    URL_SAFE_NO_PAD
        .encode([&[1], cursor.touched.to_be_bytes().as_slice(), cursor.conversation.bytes()].concat())
}

/// Reads a list cursor; `None` if it is none of ours.
pub fn read_cursor(text: &str) -> Option<InboxCursor> {
    let bytes: [u8; 25] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let ([1], rest) = bytes.split_first_chunk::<1>()? else {
        return None;
    };
    let (touched, conversation) = rest.split_first_chunk::<8>()?;
    let conversation = ConversationId::from_bytes(conversation.try_into().ok()?);
    Some(InboxCursor { touched: u64::from_be_bytes(*touched), conversation })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_survive_the_trip_and_strangers_are_refused() {
        let resume = Resume { epoch: 3, now: 1_700_000_000_000 };
        assert_eq!(Resume::read(&resume.token()), Some(resume));
        for strange in ["", "AA", "not base64!", &"A".repeat(18)] {
            assert_eq!(Resume::read(strange), None, "{strange}");
        }
        let cursor = InboxCursor { touched: 5, conversation: ConversationId::from_bytes([9; 16]) };
        assert_eq!(read_cursor(&cursor_text(cursor)), Some(cursor));
        assert_eq!(read_cursor(&resume.token()), None);
    }
}
