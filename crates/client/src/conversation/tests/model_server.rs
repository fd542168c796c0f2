//! A tiny server: one conversation's log, and how its messages stand.

use std::collections::BTreeMap;

use suda_proto::entry::{ReactionBody, ReactionCount, Standing};
use suda_proto::request::Range;
use suda_proto::{AccountId, ClientId, Entry, Kind, Mention, Mentioned, Raw};

use crate::conversation::{Batch, PAGE};

/// Pages are cut at their end, as by the real server's limit of bytes.
const LARGEST_PAGE: u64 = 73;

/// What accounts react with.
pub const EMOJI: [&str; 3] = ["👍", "🎉", "❤"];

pub fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

/// Whose cache is tested.
pub fn me() -> AccountId {
    account(1)
}

/// Mentions that tell entries apart.
pub fn mentions(seq: u64) -> Vec<Mention> {
    let length = u32::try_from(seq).expect("small");
    vec![Mention { who: Mentioned::All, start: 0, length }]
}

/// What somebody does next in the conversation; numbers choose among what is possible.
#[derive(Clone, Debug)]
pub enum Act {
    Say { author: u8 },
    Edit { pick: u64 },
    Delete { pick: u64 },
    React { author: u8, pick: u64, emoji: Option<u8> },
    EraseAuthor { author: u8 },
}

/// The log and how its messages stand.
#[derive(Clone, Debug, Default)]
pub struct Server {
    pub epoch: u32,
    pub log: Vec<Entry>,
    standing: BTreeMap<u64, Standing>,
    chosen: BTreeMap<(u64, AccountId), String>,
}

impl Server {
    /// A server with an empty log.
    pub fn new(epoch: u32) -> Self {
        Self { epoch, ..Self::default() }
    }

    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn entry(&mut self, seq: u64) -> &mut Entry {
        &mut self.log[usize::try_from(seq - 1).expect("small")]
    }

    fn append(&mut self, kind: Kind, author: u8, target: Option<u64>, body: Option<Raw>) -> Entry {
        let seq = self.head() + 1;
        let client_id = ClientId::caused_by("test", &[&seq.to_be_bytes(), &self.epoch.to_be_bytes()]);
        let ordinal = self.log.last().map_or(0, |last| last.ordinal) + u64::from(kind == Kind::Message);
        let mentions = match kind {
            Kind::Message | Kind::Edit => mentions(seq),
            _ => Vec::new(),
        };
        let author = account(author);
        let entry =
            Entry { seq, at: seq, kind, author, client_id, ordinal, target, mentions, body, standing: None };
        self.log.push(entry.clone());
        entry
    }

    /// A message that can still be edited, deleted or reacted to.
    fn pick(&self, pick: u64) -> Option<u64> {
        let stands = |entry: &&Entry| entry.kind == Kind::Message && entry.body.is_some();
        let seqs: Vec<u64> = self.log.iter().filter(stands).map(|entry| entry.seq).collect();
        let index = usize::try_from(pick).expect("small") % seqs.len().max(1);
        seqs.get(index).copied()
    }

    fn text(&self, text: &str) -> Option<Raw> {
        Some(Raw::of(&format!("{text} {} {}", self.epoch, self.head() + 1)))
    }

    /// Commits an act and gives back its entry as live devices get it.
    pub fn act(&mut self, act: &Act) -> Option<Entry> {
        match *act {
            Act::Say { author } => {
                let text = self.text("said");
                Some(self.append(Kind::Message, author, None, text))
            }
            Act::Edit { pick } => {
                let target = self.pick(pick)?;
                let text = self.text("edited");
                let author = self.entry(target).author.bytes()[0];
                let entry = self.append(Kind::Edit, author, Some(target), text);
                self.entry(target).body = entry.body.clone();
                self.standing.entry(target).or_default().edited = entry.seq;
                Some(entry)
            }
            Act::Delete { pick } => {
                let target = self.pick(pick)?;
                let entry = self.append(Kind::Delete, 2, Some(target), None);
                self.erase(target);
                let standing = self.standing.entry(target).or_default();
                (standing.deleted, standing.reactions) = (entry.seq, Vec::new());
                Some(entry)
            }
            Act::React { author, pick, emoji } => self.react(author, pick, emoji),
            Act::EraseAuthor { author } => {
                let (entry, author) = (self.append(Kind::AuthorErased, author, None, None), account(author));
                self.erase_author(author, entry.seq);
                Some(entry)
            }
        }
    }

    fn react(&mut self, author: u8, pick: u64, emoji: Option<u8>) -> Option<Entry> {
        let target = self.pick(pick)?;
        let key = (target, account(author));
        let emoji = emoji.map(|index| EMOJI[usize::from(index)].to_owned());
        let was = match &emoji {
            Some(emoji) => self.chosen.insert(key, emoji.clone()),
            None => self.chosen.remove(&key),
        };
        let entry =
            self.append(Kind::Reaction, author, Some(target), Some(Raw::of(&ReactionBody { emoji, was })));
        let reactions = self.count(target);
        let standing = self.standing.entry(target).or_default();
        (standing.reacted, standing.reactions) = (entry.seq, reactions);
        Some(entry)
    }

    fn count(&self, target: u64) -> Vec<ReactionCount> {
        let mut counts: BTreeMap<String, ReactionCount> = BTreeMap::new();
        for ((_, who), emoji) in self.chosen.iter().filter(|((seq, _), _)| *seq == target) {
            let new = || ReactionCount { emoji: emoji.clone(), count: 0, mine: false };
            let one = counts.entry(emoji.clone()).or_insert_with(new);
            one.count += 1;
            one.mine |= *who == me();
        }
        counts.into_values().collect()
    }

    fn erase_author(&mut self, author: AccountId, seq: u64) {
        let is_own = |entry: &&Entry| entry.author == author && entry.body.is_some();
        let own: Vec<(u64, Kind)> =
            self.log.iter().filter(is_own).map(|entry| (entry.seq, entry.kind)).collect();
        for (own, kind) in own {
            self.entry(own).body = None;
            self.entry(own).mentions.clear();
            if kind == Kind::Message {
                self.standing.insert(own, Standing { deleted: seq, ..Standing::default() });
            }
        }
        self.chosen.retain(|(_, who), _| *who != author);
        for target in self.standing.keys().copied().collect::<Vec<_>>() {
            let reactions = self.count(target);
            let standing = self.standing.entry(target).or_default();
            if standing.deleted == 0 {
                standing.reactions = reactions;
            }
        }
    }

    fn erase(&mut self, target: u64) {
        for entry in &mut self.log {
            if entry.seq == target || (entry.kind == Kind::Edit && entry.target == Some(target)) {
                entry.body = None;
                entry.mentions.clear();
            }
        }
    }

    pub fn page(&self, range: Range) -> Batch {
        let head = self.head();
        let (from, to) = match range {
            Range::Between { from, to } => (from, to.min(from + u64::from(PAGE) - 1)),
            Range::Newest { limit } => ((head + 1).saturating_sub(u64::from(limit)), head),
            Range::Before { before, limit } => {
                (before.saturating_sub(u64::from(limit)), before.saturating_sub(1))
            }
            Range::Around { seq, limit } => {
                (seq.saturating_sub(u64::from(limit) / 2), seq.saturating_add(u64::from(limit) / 2))
            }
        };
        let (from, to) = (from.max(1), to.min(head).min(from.max(1) + LARGEST_PAGE - 1));
        let standing =
            |entry: &Entry| Entry { standing: self.standing.get(&entry.seq).cloned(), ..entry.clone() };
        let entries =
            self.log.iter().filter(|entry| (from..=to).contains(&entry.seq)).map(standing).collect();
        Batch { epoch: self.epoch, from, to, head, entries }
    }
}
