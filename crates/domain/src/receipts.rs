//! How far a conversation has come, how far each member has followed, and what is unread.

use serde::{Deserialize, Serialize};
use suda_proto::{AccountId, Kind};

use crate::entry::Envelope;
use crate::stored::{Stored, StoredError, read_postcard, write_postcard};

/// Most mentions remembered of one member; a count at this value means "at least".
pub const MENTIONS_MAX: usize = 100;

/// How far a conversation has come: the fold of its envelopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The highest sequence.
    pub head: u64,
    /// Countable entries so far.
    pub ordinal: u64,
    /// The newest entry's time.
    pub at: u64,
    /// The newest countable entry's sequence.
    pub last_message: u64,
}

impl Summary {
    /// Goes on to the next entry.
    pub fn apply(&mut self, envelope: &Envelope) {
        self.head = envelope.seq;
        self.at = envelope.at;
        self.ordinal = envelope.ordinal;
        if crate::entry::is_countable(envelope.kind) {
            self.last_message = envelope.seq;
        }
    }
}

/// How far one member has followed. Every number only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// Some device has stored everything up to here.
    pub delivered: u64,
    /// Everything up to here was seen.
    pub read: u64,
    /// The ordinal at `read`.
    pub read_ordinal: u64,
    /// The member's newest own message.
    pub sent: u64,
    /// Its ordinal.
    pub sent_ordinal: u64,
    /// Unread messages that mention the member, ascending, at most [`MENTIONS_MAX`].
    pub mentions: Vec<u64>,
    /// When a mark moved last, milliseconds since 1970.
    pub touched: u64,
}

impl Marks {
    /// Follows an entry: whoever writes has read what stands before.
    pub fn apply(&mut self, member: AccountId, envelope: &Envelope) {
        if envelope.kind != Kind::Message {
            return;
        }
        if envelope.author == member {
            self.sent = envelope.seq;
            self.sent_ordinal = envelope.ordinal;
            self.mentions.clear();
        } else if envelope.mentions(member) && self.mentions.len() < MENTIONS_MAX {
            self.mentions.push(envelope.seq);
        }
    }

    /// Takes over what is further in `other`.
    pub fn advance(&mut self, other: &Self) {
        self.delivered = self.delivered.max(other.delivered);
        if other.read > self.read {
            self.read = other.read;
            self.read_ordinal = other.read_ordinal;
        }
        self.touched = self.touched.max(other.touched);
        let read = self.read;
        self.mentions.retain(|seq| *seq > read);
    }

    /// Forgets what no longer concerns somebody who is no member any more.
    pub fn leave(&mut self) {
        self.mentions.clear();
    }

    /// How far the member has read, its own messages included.
    pub fn seen(&self) -> u64 {
        self.read.max(self.sent)
    }

    /// How many messages the member has not read. `joined_ordinal` is the ordinal when it joined.
    pub fn unread(&self, ordinal: u64, joined_ordinal: u64) -> u64 {
        ordinal.saturating_sub(self.read_ordinal.max(self.sent_ordinal).max(joined_ordinal))
    }
}

/// Version 1: postcard.
impl Stored for Marks {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        write_postcard(self, out);
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        read_postcard(bytes, "marks")
    }
}

/// Version 1: postcard.
impl Stored for Summary {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        write_postcard(self, out);
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        read_postcard(bytes, "summary")
    }
}
