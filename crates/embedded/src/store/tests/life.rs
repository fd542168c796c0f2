//! Made-up lives of conversations: which entries come, and what must be known after any of them.
//!
//! A life follows from a seed, so whoever knows how far it has come knows everything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use suda_domain::entry::Entry;
use suda_domain::membership::Membership;
use suda_domain::message::MessageState;
use suda_domain::ports::contract::chat::Chat;
use suda_domain::ports::log::Append;
use suda_domain::ports::{Inbox, Log};
use suda_domain::receipts::{Marks, Summary};
use suda_proto::{AccountId, ConversationId, Kind, Mentioned};

use crate::records;

const NAMES: [&str; 5] = ["ada", "bob", "cleo", "dan", "eve"];

/// Numbers that follow from a seed (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % end
    }
}

/// One append of a life.
#[derive(Clone)]
pub struct Act {
    /// The entries.
    pub entries: Vec<Entry>,
    /// The watermarks.
    pub marks: Vec<(AccountId, Marks)>,
}

/// The life of a conversation.
pub struct Life {
    /// Which conversation.
    pub conversation: ConversationId,
    /// What is appended to it.
    pub acts: Vec<Act>,
}

/// What must be known of a conversation.
#[derive(Default)]
pub struct Known {
    entries: Vec<Entry>,
    summary: Summary,
    membership: Option<Membership>,
    marks: BTreeMap<AccountId, Marks>,
    was_member: BTreeSet<AccountId>,
    states: BTreeMap<u64, MessageState>,
    values: BTreeMap<String, u64>,
    hidden: BTreeSet<u64>,
}

impl Life {
    /// The life of the group `label`.
    pub fn of_group(label: &str, seed: u64, acts: usize) -> Self {
        let mut random = Random(seed);
        let mut chat = Chat::new(label);
        let created = chat.created("ada", &NAMES[..4], json!({"title": label}));
        let mut life =
            Self { conversation: chat.id, acts: vec![Act { entries: vec![created], marks: Vec::new() }] };
        let mut open = Vec::new();
        let mut names = NAMES[..4].to_vec();
        while life.acts.len() < acts {
            let act = next_act(&mut chat, &mut random, &mut open, &mut names);
            life.acts.push(act);
        }
        life
    }

    /// The life of an account's own conversation.
    pub fn of_own(name: &str, seed: u64, acts: usize) -> Self {
        let mut random = Random(seed);
        let account = account(name);
        let mut chat = Chat::with_id(ConversationId::own(account));
        let body = json!({"kind": "self", "members": [account]});
        let mut entries = vec![chat.entry(name, Kind::Created, None, Some(body))];
        while entries.len() < acts {
            let key = format!("app/{}", random.below(5));
            let value = match random.below(4) {
                0 => json!(null),
                _ => json!(secret(&chat)),
            };
            entries.push(chat.set(name, &key, value));
        }
        let marks = Vec::new;
        let acts = entries.into_iter().map(|entry| Act { entries: vec![entry], marks: marks() });
        Self { conversation: chat.id, acts: acts.collect() }
    }

    /// The life of a group with texts of 50 KB, of which the last act deletes the first.
    pub fn of_long_texts(label: &str, seed: u64, acts: usize) -> Self {
        let mut random = Random(seed);
        let mut chat = Chat::new(label);
        let mut entries = vec![chat.created("ada", &NAMES[..4], json!({"title": label}))];
        let author = NAMES[random.below(4) as usize];
        while entries.len() + 1 < acts {
            let text = secret(&chat) + &"long ".repeat(10_000);
            entries.push(chat.message(author, &text));
        }
        entries.push(chat.delete(author, 2));
        let acts = entries.into_iter().map(|entry| Act { entries: vec![entry], marks: Vec::new() });
        Self { conversation: chat.id, acts: acts.collect() }
    }

    /// The append of the act `number`.
    pub fn append(&self, number: usize) -> Append {
        let Act { entries, marks } = self.acts[number].clone();
        Append { conversation: self.conversation, after: entries[0].envelope.seq - 1, entries, marks }
    }

    /// What must be known after the first `acts` acts.
    pub fn known(&self, acts: usize) -> Known {
        let mut known = Known::default();
        for act in &self.acts[..acts] {
            for entry in &act.entries {
                known.follow(entry);
            }
            for (account, marks) in &act.marks {
                if !known.was_member.contains(account) {
                    continue;
                }
                known.marks.entry(*account).or_default().advance(marks);
            }
        }
        known
    }

    /// How many acts there were if this is the head; panics if the head splits an act.
    pub fn acts_at(&self, head: u64) -> usize {
        let last = |act: &Act| act.entries.last().map_or(0, |entry| entry.envelope.seq);
        let acts = self.acts.iter().take_while(|act| last(act) <= head).count();
        let end = self.acts[..acts].last().map_or(0, last);
        assert_eq!(end, head, "an append is stored as a whole or not at all");
        acts
    }
}

/// The account with this name.
pub fn account(name: &str) -> AccountId {
    Chat::new("").message(name, "").envelope.author
}

/// A text that stands in one entry only.
fn secret(chat: &Chat) -> String {
    format!("secret {} of {};", chat.head + 1, chat.id)
}

/// `open` has the messages that may be changed, `names` those who may act.
fn next_act(
    chat: &mut Chat,
    random: &mut Random,
    open: &mut Vec<(u64, &'static str)>,
    names: &mut Vec<&'static str>,
) -> Act {
    let who = names[random.below(names.len() as u64) as usize];
    let text = secret(chat);
    let mut marks = Vec::new();
    let chosen = match open.len() {
        0 => None,
        length => Some(random.below(length as u64) as usize),
    };
    let entries = match (random.below(20), chosen) {
        (0..=3, Some(place)) => vec![chat.edit(open[place].1, open[place].0, &text)],
        (4..=6, Some(place)) => {
            let (target, author) = open.swap_remove(place);
            vec![chat.delete(author, target)]
        }
        (7..=9, Some(place)) => {
            let emoji = ["\u{1F44D}", "\u{1F389}"].get(random.below(3) as usize);
            vec![chat.react(who, open[place].0, emoji.copied())]
        }
        (10, _) => vec![chat.accounts("ada", Kind::MemberRemoved, &["eve"])],
        (11, _) => vec![chat.accounts("ada", Kind::MembersAdded, &["eve"])],
        (12, _) if names.len() == 4 && random.below(5) == 0 => {
            names.retain(|name| *name != "dan");
            open.retain(|(_, author)| *author != "dan");
            let left = chat.entry("dan", Kind::MemberLeft, None, None);
            vec![left, chat.entry("dan", Kind::AuthorErased, None, None)]
        }
        (13, _) => vec![chat.mentioning(who, Mentioned::All)],
        (14, _) => {
            let first = chat.message(who, &text);
            let text = secret(chat);
            vec![first, chat.message(who, &text)]
        }
        _ => {
            let message = chat.message(who, &text);
            open.push((message.envelope.seq, who));
            vec![message]
        }
    };
    if random.below(3) == 0 {
        let moved = Marks {
            delivered: chat.head,
            read: random.below(chat.head),
            touched: 7_000 + chat.head,
            ..Marks::default()
        };
        marks.push((account(NAMES[random.below(5) as usize]), moved));
    }
    Act { entries, marks }
}

impl Known {
    fn follow(&mut self, entry: &Entry) {
        let envelope = &entry.envelope;
        self.summary.apply(envelope);
        self.entries.push(entry.clone());
        match &mut self.membership {
            Some(membership) => drop(membership.apply(entry)),
            none => *none = Membership::created(entry),
        }
        let Some(membership) = &self.membership else {
            return;
        };
        for (account, marks) in &mut self.marks {
            if membership.member(*account).is_none() {
                marks.leave();
            }
        }
        for member in &membership.members {
            self.was_member.insert(member.account);
            if envelope.author == member.account || envelope.mentions(member.account) {
                let marks = self.marks.entry(member.account).or_default();
                marks.apply(member.account, envelope);
            }
        }
        match envelope.kind {
            Kind::Edit | Kind::Delete | Kind::Reaction => self.follow_pointer(entry),
            Kind::Set => self.follow_value(entry),
            Kind::AuthorErased => self.erase(envelope.author),
            _ => {}
        }
    }

    fn follow_pointer(&mut self, entry: &Entry) {
        let target = entry.envelope.target.expect("a target");
        let state = self.states.entry(target).or_default();
        state.apply(entry);
        if state.deleted > 0 {
            self.hidden.insert(target);
            self.hidden.extend(&state.edits);
        }
    }

    fn follow_value(&mut self, entry: &Entry) {
        let record = records::entry_record(ConversationId::from_bytes([0; 16]), entry);
        let record = record.expect("a storable value");
        let header = records::decode(record.kind, &record.header).expect("a record");
        let records::Header::Entry { set: Some(set), .. } = header else {
            panic!("a value has a key");
        };
        let before = match set.is_null {
            true => self.values.remove(&set.key),
            false => self.values.insert(set.key, entry.envelope.seq),
        };
        self.hidden.extend(before);
    }

    fn erase(&mut self, author: AccountId) {
        for Entry { envelope, .. } in &self.entries {
            let is_text = matches!(envelope.kind, Kind::Message | Kind::Edit | Kind::Reaction);
            if envelope.author == author && is_text {
                self.hidden.insert(envelope.seq);
            }
        }
        for state in self.states.values_mut() {
            state.reactions.remove(&author);
        }
    }

    /// Whether storage knows exactly this of the conversation.
    pub async fn check<S: Log + Inbox>(&self, conversation: ConversationId, storage: &S) {
        let Some(membership) = &self.membership else {
            let loaded = storage.load(conversation, 9).await.expect("load");
            assert_eq!(loaded, None);
            return;
        };
        let loaded = storage.load(conversation, 9).await.expect("load");
        let loaded = loaded.expect("a conversation");
        assert_eq!(loaded.summary, self.summary);
        assert_eq!(loaded.membership, *membership);
        let of_member = |member: &suda_domain::membership::Member| {
            let marks = self.marks.get(&member.account).cloned().unwrap_or_default();
            Some((member.account, marks)).filter(|(_, marks)| *marks != Marks::default())
        };
        let marks: Vec<_> = membership.members.iter().filter_map(of_member).collect();
        assert_eq!(loaded.marks, marks);
        let entries = storage.read(conversation, 1, u64::MAX, usize::MAX).await;
        let expected = self.entries.iter().map(|entry| match entry.envelope.seq {
            seq if self.hidden.contains(&seq) => Entry { body: None, ..entry.clone() },
            _ => entry.clone(),
        });
        assert_eq!(entries.expect("read"), expected.collect::<Vec<_>>());
        let states = storage.message_states(conversation, 0, u64::MAX).await;
        let expected: Vec<_> = self.states.clone().into_iter().collect();
        assert_eq!(states.expect("read states"), expected);
        let values = storage.own_values(conversation, None, 99).await;
        let expected: Vec<_> = self.values.clone().into_iter().collect();
        assert_eq!(values.expect("read values"), expected);
        for name in NAMES {
            let row = storage.row(account(name), conversation).await;
            let role = row.expect("read a row").and_then(|row| row.role);
            let member = membership.member(account(name)).map(|member| member.role);
            let is_own = conversation == ConversationId::own(account(name));
            assert_eq!(role, member.filter(|_| !is_own), "{name}");
        }
    }

    /// The texts that must be in no file once everything is erased.
    pub fn deleted_texts(&self) -> impl Iterator<Item = String> + '_ {
        self.texts(true)
    }

    /// The texts that must be kept.
    pub fn kept_texts(&self) -> impl Iterator<Item = String> + '_ {
        self.texts(false)
    }

    fn texts(&self, hidden: bool) -> impl Iterator<Item = String> + '_ {
        let wanted = move |entry: &&Entry| self.hidden.contains(&entry.envelope.seq) == hidden;
        self.entries.iter().filter(wanted).filter_map(|entry| {
            let body = std::str::from_utf8(entry.body.as_deref()?).ok()?;
            let start = body.find("secret")?;
            let end = start + body[start..].find(';')? + 1;
            Some(body[start..end].to_owned())
        })
    }
}
