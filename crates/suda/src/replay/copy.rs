//! One device's copy of one conversation: entries in order, what lies ahead of a gap, and how far the log is known.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use suda_proto::entry::MessageBody;
use suda_proto::{AccountId, ClientId, Entry, Kind};

/// How many entries are kept that came ahead of a gap; what lies beyond is fetched with the gap.
const AHEAD_MAX: usize = 512;

/// What a device keeps of an entry: enough to tell whether it is the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub seq: u64,
    /// When it was committed, milliseconds since 1970.
    pub at: u64,
    /// The act's name.
    pub client_id: ClientId,
    /// Of a text message: the fingerprint of author and text.
    pub message: Option<u64>,
}

impl Held {
    /// What is kept of `entry`.
    pub fn of(entry: &Entry) -> Self {
        let message = (entry.kind == Kind::Message).then(|| {
            let body = entry.body.as_ref().and_then(|body| body.parse().ok());
            match body {
                Some(MessageBody::Text { text, .. }) => fingerprint(entry.author, &text),
                _ => fingerprint(entry.author, ""),
            }
        });
        Self { seq: entry.seq, at: entry.at, client_id: entry.client_id, message }
    }
}

/// Tells messages apart without keeping their texts a thousand times.
pub fn fingerprint(author: AccountId, text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (author, text).hash(&mut hasher);
    hasher.finish()
}

/// A copy under construction.
#[derive(Debug, Default)]
pub struct Copy {
    epoch: u32,
    entries: Vec<Held>,
    ahead: BTreeMap<u64, Held>,
    head: u64,
    contradictions: u64,
}

impl Copy {
    /// The highest number up to which the copy has no gap.
    pub fn have(&self) -> u64 {
        self.entries.last().map_or(0, |last| last.seq)
    }

    /// Whether the log is known to go on beyond the copy.
    pub fn is_behind(&self) -> bool {
        self.have() < self.head
    }

    /// The entries, in the order in which they joined the copy.
    pub fn entries(&self) -> &[Held] {
        &self.entries
    }

    /// How many numbers came with two different entries.
    pub const fn contradictions(&self) -> u64 {
        self.contradictions
    }

    /// Learns that the log reaches up to `head` in `epoch`. Another epoch than the copy's drops the copy.
    pub fn learn_head(&mut self, epoch: u32, head: u64) {
        if self.enter(epoch) {
            self.head = self.head.max(head);
        }
    }

    /// Takes an entry that came by itself or as an acknowledgement. Whatever does not follow what is there waits for
    /// the gap to be filled. Returns whether it is kept and was not there before.
    pub fn take(&mut self, epoch: u32, held: Held) -> bool {
        if !self.enter(epoch) {
            return false;
        }
        self.head = self.head.max(held.seq);
        if held.seq <= self.have() {
            self.compare(held);
            return false;
        }
        if held.seq == self.have() + 1 {
            self.entries.push(held);
            self.close_gap();
            return true;
        }
        let has_room = self.ahead.len() < AHEAD_MAX || self.ahead.contains_key(&held.seq);
        let earlier = if has_room { self.ahead.insert(held.seq, held) } else { None };
        self.contradictions += u64::from(earlier.is_some_and(|earlier| earlier != held));
        has_room && earlier.is_none()
    }

    /// Takes a page that covers `from..=to` of a log that reaches up to `head`: numbers missing in it are not for this
    /// device to see.
    pub fn take_page(&mut self, epoch: u32, (from, to): (u64, u64), head: u64, page: &[Entry]) {
        if !self.enter(epoch) {
            return;
        }
        self.head = self.head.max(head);
        let follows = from <= self.have() + 1 || self.entries.is_empty();
        for held in page.iter().map(Held::of).filter(|held| (from..=to).contains(&held.seq)) {
            if held.seq <= self.have() {
                self.compare(held);
            } else if follows {
                self.entries.push(held);
            }
        }
        self.close_gap();
    }

    /// Drops everything: the history may differ from what was seen.
    pub fn reset(&mut self, epoch: u32) {
        let contradictions = self.contradictions;
        *self = Self { epoch, contradictions, ..Self::default() };
    }

    /// Whether something of `epoch` concerns the copy as it is now.
    fn enter(&mut self, epoch: u32) -> bool {
        if epoch > self.epoch {
            self.reset(epoch);
        }
        epoch == self.epoch
    }

    fn close_gap(&mut self) {
        while let Some(held) = self.ahead.first_entry() {
            match held.key().cmp(&(self.entries.last().map_or(0, |last| last.seq) + 1)) {
                std::cmp::Ordering::Greater => return,
                std::cmp::Ordering::Equal => self.entries.push(held.remove()),
                std::cmp::Ordering::Less => {
                    let held = held.remove();
                    self.compare(held);
                }
            }
        }
    }

    /// An entry that came again must be the one that came before.
    fn compare(&mut self, held: Held) {
        let place = self.entries.binary_search_by_key(&held.seq, |entry| entry.seq);
        let is_same = place.is_ok_and(|place| self.entries[place] == held);
        self.contradictions += u64::from(!is_same);
    }
}

#[cfg(test)]
mod tests {
    use suda_proto::Raw;

    use super::*;

    fn entry(seq: u64, text: &str) -> Entry {
        Entry {
            seq,
            at: 1_000 + seq,
            kind: Kind::Message,
            author: AccountId::from_bytes([1; 16]),
            client_id: ClientId::from_bytes([seq as u8; 16]),
            ordinal: seq,
            target: None,
            mentions: Vec::new(),
            body: Some(Raw::of(&MessageBody::Text { text: text.to_owned(), data: None })),
            standing: None,
        }
    }

    fn numbers(copy: &Copy) -> Vec<u64> {
        copy.entries().iter().map(|held| held.seq).collect()
    }

    #[test]
    fn what_comes_ahead_waits_for_the_gap() {
        let mut copy = Copy::default();
        for seq in [1, 4, 3] {
            copy.take(1, Held::of(&entry(seq, "x")));
        }
        assert_eq!(numbers(&copy), [1]);
        assert!(copy.is_behind());
        copy.take_page(1, (2, 3), 4, &[entry(2, "x"), entry(3, "x")]);
        assert_eq!(numbers(&copy), [1, 2, 3, 4]);
        assert!(!copy.is_behind());
        assert_eq!(copy.contradictions(), 0);
    }

    #[test]
    fn the_same_entry_again_is_ignored_and_another_one_is_noted() {
        let mut copy = Copy::default();
        copy.take(1, Held::of(&entry(1, "x")));
        copy.take(1, Held::of(&entry(1, "x")));
        assert_eq!(copy.contradictions(), 0);
        copy.take(1, Held::of(&entry(1, "y")));
        copy.take_page(1, (1, 1), 1, &[entry(1, "z")]);
        assert_eq!((numbers(&copy), copy.contradictions()), (vec![1], 2));
    }

    #[test]
    fn another_epoch_starts_the_copy_again() {
        let mut copy = Copy::default();
        copy.learn_head(1, 9);
        copy.take(1, Held::of(&entry(1, "x")));
        copy.learn_head(2, 1);
        assert_eq!((copy.have(), copy.is_behind()), (0, true));
        copy.take(1, Held::of(&entry(2, "late")));
        copy.take(2, Held::of(&entry(1, "y")));
        assert_eq!((numbers(&copy), copy.is_behind()), (vec![1], false));
    }
}
