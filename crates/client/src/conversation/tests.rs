//! Whatever the order, loss and duplication of events and pages: once gaps are fetched, the cache equals the log as
//! it stands. A tiny server keeps the log; a tiny network loses, repeats, reorders and delays.

use std::collections::BTreeMap;

use proptest::prelude::*;
use suda_proto::entry::{ReactionBody, ReactionCount, Standing};
use suda_proto::{ClientId, Raw};

use super::*;

const EMOJI: [&str; 3] = ["👍", "🎉", "❤"];

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn me() -> AccountId {
    account(1)
}

/// What somebody does next in the conversation; numbers choose among what is possible.
#[derive(Clone, Debug)]
enum Act {
    Say { author: u8 },
    Edit { pick: u64 },
    Delete { pick: u64 },
    React { author: u8, pick: u64, emoji: Option<u8> },
    EraseAuthor { author: u8 },
}

/// The log and how its messages stand.
#[derive(Clone, Debug, Default)]
struct Server {
    epoch: u32,
    log: Vec<Entry>,
    standing: BTreeMap<u64, Standing>,
    chosen: BTreeMap<(u64, AccountId), String>,
}

impl Server {
    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    fn entry(&mut self, seq: u64) -> &mut Entry {
        &mut self.log[usize::try_from(seq - 1).expect("small")]
    }

    fn append(&mut self, kind: Kind, author: u8, target: Option<u64>, body: Option<Raw>) -> Entry {
        let seq = self.head() + 1;
        let client_id = ClientId::caused_by("test", &[&seq.to_be_bytes(), &self.epoch.to_be_bytes()]);
        let ordinal = self.log.last().map_or(0, |last| last.ordinal) + u64::from(kind == Kind::Message);
        let entry = Entry {
            seq,
            at: seq,
            kind,
            author: account(author),
            client_id,
            ordinal,
            target,
            mentions: Vec::new(),
            body,
            standing: None,
        };
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
    fn act(&mut self, act: &Act) -> Option<Entry> {
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
                let is_own = |entry: &&Entry| entry.kind == Kind::Message && entry.author == account(author);
                let targets: Vec<u64> = self.log.iter().filter(is_own).map(|entry| entry.seq).collect();
                targets.into_iter().for_each(|target| self.erase(target));
                Some(self.append(Kind::AuthorErased, author, None, None))
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
        let entry = self.append(Kind::Reaction, author, Some(target), Some(Raw::of(&ReactionBody { emoji, was })));
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

    fn erase(&mut self, target: u64) {
        for entry in &mut self.log {
            if entry.seq == target || (entry.kind == Kind::Edit && entry.target == Some(target)) {
                entry.body = None;
            }
        }
    }

    fn page(&self, range: Range) -> Batch {
        let head = self.head();
        let (from, to) = match range {
            Range::Between { from, to } => (from, to.min(from + u64::from(PAGE) - 1)),
            Range::Newest { limit } => ((head + 1).saturating_sub(u64::from(limit)), head),
            Range::Before { before, limit } => (before.saturating_sub(u64::from(limit)), before.saturating_sub(1)),
            Range::Around { seq, limit } => {
                (seq.saturating_sub(u64::from(limit) / 2), seq.saturating_add(u64::from(limit) / 2))
            }
        };
        let (from, to) = (from.max(1), to.min(head));
        let standing = |entry: &Entry| Entry { standing: self.standing.get(&entry.seq).cloned(), ..entry.clone() };
        let entries = self.log.iter().filter(|entry| (from..=to).contains(&entry.seq)).map(standing).collect();
        Batch { epoch: self.epoch, from, to, head, entries }
    }
}

/// The cache as the database keeps it.
#[derive(Debug)]
struct Device {
    conversation: Conversation,
    entries: BTreeMap<u64, CachedEntry>,
}

impl Device {
    fn absorb(&mut self, batch: Batch) -> Outcome {
        let wanted = batch.wanted();
        let is_wanted = |seq: &u64, cached: &CachedEntry| {
            let is_act = matches!(cached.entry.kind, Kind::Edit | Kind::Delete | Kind::Reaction);
            wanted.seqs.contains(seq)
                || (is_act && cached.entry.target.is_some_and(|target| wanted.acts_on.contains(&target)))
        };
        let entries = self.entries.iter().filter(|(seq, cached)| is_wanted(seq, cached));
        let entries = entries.map(|(seq, cached)| (*seq, cached.clone())).collect();
        let mut slice = Slice { entries, ..Slice::default() };
        let outcome = self.conversation.absorb(&mut slice, batch, me());
        if outcome.reset {
            self.entries.clear();
        }
        for seq in &slice.dirty {
            self.entries.insert(*seq, slice.entries[seq].clone());
        }
        if let Some(first) = outcome.dropped_below {
            self.entries.retain(|seq, _| *seq >= first);
        }
        for (author, until) in &outcome.erase {
            for cached in self.entries.values_mut() {
                let is_text = matches!(cached.entry.kind, Kind::Message | Kind::Edit);
                if is_text && cached.entry.author == *author && cached.entry.seq < *until {
                    cached.erase();
                }
            }
        }
        outcome
    }

    fn hear(&mut self, epoch: u32, head: u64) {
        if self.conversation.hear(epoch, head) {
            self.entries.clear();
        }
    }

    fn catch_up(&mut self, server: &Server) {
        self.hear(server.epoch, server.head());
        for _ in 0..1_000 {
            let Some(range) = self.conversation.missing() else { return };
            self.absorb(server.page(range));
        }
        panic!("never caught up: {:?}", self.conversation);
    }

    fn check(&self, server: &Server) {
        let conversation = &self.conversation;
        assert_eq!(conversation.epoch, server.epoch);
        assert_eq!(conversation.head, server.head());
        for (seq, cached) in &self.entries {
            assert!(conversation.known.contains(*seq), "entry {seq} lies outside {:?}", conversation.known);
            let mut cached = cached.clone();
            let mut truth =
                CachedEntry::new(server.page(Range::Between { from: *seq, to: *seq }).entries.remove(0));
            assert_eq!(cached.is_deleted(), truth.is_deleted(), "deleted {seq}");
            if truth.is_deleted() {
                assert!(cached.entry.body.is_none(), "text left behind at {seq}");
                continue;
            }
            assert_eq!(cached.edited, truth.edited, "edited {seq}");
            // How far reactions came counted is the cache's own affair; that they agree is what matters.
            (cached.reacted, truth.reacted) = (0, 0);
            assert_eq!(cached, truth, "entry {seq}");
        }
        let cached: Vec<u64> = self.entries.keys().copied().collect();
        let known: Vec<u64> = (1..=server.head()).filter(|seq| conversation.known.contains(*seq)).collect();
        assert_eq!(cached, known);
    }
}

/// What happens to the device next.
#[derive(Clone, Debug)]
enum Step {
    Act(Act),
    /// Many messages of which no event arrives.
    Absence(u16),
    /// One of the events on their way arrives; `keep` leaves a second copy.
    Event { pick: usize, keep: bool },
    LoseEvent { pick: usize },
    Ask(Range),
    Page { pick: usize, keep: bool },
    /// A list tells the head, as it is now or lagging.
    Row { lag: u64 },
    /// An older backup is restored: a new epoch begins.
    Restore { keep: u8 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1u8..5).prop_map(|author| Act::Say { author }),
        2 => (0u64..100).prop_map(|pick| Act::Edit { pick }),
        1 => (0u64..100).prop_map(|pick| Act::Delete { pick }),
        4 => (1u8..5, 0u64..100, prop::option::of(0u8..3))
            .prop_map(|(author, pick, emoji)| Act::React { author, pick, emoji }),
        1 => (3u8..5).prop_map(|author| Act::EraseAuthor { author }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let range = prop_oneof![
        (1u32..20).prop_map(|limit| Range::Newest { limit }),
        (1u64..80, 1u32..20).prop_map(|(before, limit)| Range::Before { before, limit }),
        (1u64..80, 1u32..20).prop_map(|(seq, limit)| Range::Around { seq, limit }),
        (1u64..80, 0u64..20).prop_map(|(from, length)| Range::Between { from, to: from + length }),
    ];
    prop_oneof![
        12 => act().prop_map(Step::Act),
        1 => (1u16..900).prop_map(Step::Absence),
        10 => (any::<usize>(), any::<bool>()).prop_map(|(pick, keep)| Step::Event { pick, keep }),
        3 => any::<usize>().prop_map(|pick| Step::LoseEvent { pick }),
        4 => range.prop_map(Step::Ask),
        5 => (any::<usize>(), any::<bool>()).prop_map(|(pick, keep)| Step::Page { pick, keep }),
        2 => (0u64..4).prop_map(|lag| Step::Row { lag }),
        1 => (0u8..3).prop_map(|keep| Step::Restore { keep }),
    ]
}

fn take<T: Clone>(queue: &mut Vec<T>, pick: usize, keep: bool) -> Option<T> {
    let index = pick.checked_rem(queue.len())?;
    Some(if keep { queue[index].clone() } else { queue.remove(index) })
}

fn run(steps: Vec<Step>) {
    let mut server = Server { epoch: 1, ..Server::default() };
    let mut device = Device { conversation: Conversation::new(1, 0), entries: BTreeMap::new() };
    let mut events: Vec<Batch> = Vec::new();
    let mut pages: Vec<Batch> = Vec::new();
    for step in steps {
        match step {
            Step::Act(act) => {
                let entry = server.act(&act);
                events.extend(entry.and_then(|entry| Batch::of_entries(server.epoch, vec![entry])));
            }
            Step::Absence(count) => (0..count).for_each(|_| _ = server.act(&Act::Say { author: 2 })),
            Step::Event { pick, keep } => {
                take(&mut events, pick, keep).map(|batch| device.absorb(batch));
            }
            Step::LoseEvent { pick } => _ = take(&mut events, pick, false),
            Step::Ask(range) => pages.push(server.page(range)),
            Step::Page { pick, keep } => {
                take(&mut pages, pick, keep).map(|batch| device.absorb(batch));
            }
            Step::Row { lag } => device.hear(server.epoch, server.head().saturating_sub(lag)),
            Step::Restore { keep } => {
                let backup = server.clone();
                server = Server { epoch: backup.epoch + 1, ..Server::default() };
                let kept = backup.log.len() * usize::from(keep) / 3;
                (0..kept).for_each(|_| _ = server.act(&Act::Say { author: 3 }));
                // What was on its way belonged to sessions that the restore ended.
                events.clear();
                pages.clear();
            }
        }
    }
    device.catch_up(&server);
    device.check(&server);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_equals_the_log_once_gaps_are_fetched(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}

#[test]
fn a_reaction_overtaken_by_the_next_is_counted_once_each() {
    let mut server = Server { epoch: 1, ..Server::default() };
    let mut device = Device { conversation: Conversation::new(1, 0), entries: BTreeMap::new() };
    let said = server.act(&Act::Say { author: 2 }).expect("said");
    let first = server.act(&Act::React { author: 1, pick: 0, emoji: Some(0) }).expect("reacted");
    let second = server.act(&Act::React { author: 2, pick: 0, emoji: Some(0) }).expect("reacted");
    for entry in [said, second.clone(), first, second] {
        device.absorb(Batch::of_entries(1, vec![entry]).expect("one entry"));
    }
    let counts = device.entries[&1].reaction_counts();
    assert_eq!(counts, [ReactionCount { emoji: EMOJI[0].to_owned(), count: 2, mine: true }]);
}

#[test]
fn a_page_older_than_an_edit_does_not_undo_it() {
    let mut server = Server { epoch: 1, ..Server::default() };
    let mut device = Device { conversation: Conversation::new(1, 0), entries: BTreeMap::new() };
    (0..3).for_each(|_| _ = server.act(&Act::Say { author: 2 }));
    let page = server.page(Range::Between { from: 1, to: 2 });
    let edit = server.act(&Act::Edit { pick: 0 }).expect("edited");
    device.absorb(Batch::of_entries(1, vec![edit]).expect("one entry"));
    device.absorb(page);
    device.catch_up(&server);
    device.check(&server);
}

#[test]
fn a_wide_gap_drops_what_may_be_behind() {
    let mut server = Server { epoch: 1, ..Server::default() };
    let mut device = Device { conversation: Conversation::new(1, 0), entries: BTreeMap::new() };
    let said = server.act(&Act::Say { author: 2 }).expect("said");
    device.absorb(Batch::of_entries(1, vec![said]).expect("one entry"));
    (0..WIDEST_GAP + u64::from(PAGE) + 1).for_each(|_| _ = server.act(&Act::Say { author: 2 }));
    device.hear(1, server.head());
    assert_eq!(device.conversation.missing(), Some(Range::Newest { limit: PAGE }));
    device.catch_up(&server);
    assert_eq!(device.conversation.known.count(), 1);
    assert_eq!(device.conversation.known.first(), Some(server.head() + 1 - u64::from(PAGE)));
    device.check(&server);
}

#[test]
fn a_lists_head_below_what_was_received_is_doubted_not_believed() {
    let mut conversation = Conversation::new(1, 9);
    conversation.known.insert(5, 9);
    assert!(!conversation.hear(1, 7));
    assert!(conversation.is_doubtful(1, 7));
    assert!(!conversation.confirm(1, 9, 9), "the log has it");
    assert!(conversation.confirm(1, 7, 9), "the log lacks it");
    assert!(conversation.known.is_empty());
}
