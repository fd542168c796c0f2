//! Whatever the order, loss and duplication of events and pages: once gaps are fetched, the cache equals the log as
//! it stands. A tiny server keeps the log; a tiny network loses, repeats, reorders and delays.

mod model_server;

use std::collections::BTreeMap;

use proptest::prelude::*;
use suda_proto::entry::ReactionCount;

use self::model_server::{Act, EMOJI, Server, me, mentions};
use super::*;

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
            let Some(range) = self.conversation.missing() else {
                return;
            };
            self.absorb(server.page(range));
        }
        panic!("never caught up: {:?}", self.conversation);
    }

    fn check(&self, server: &Server) {
        let conversation = &self.conversation;
        assert_eq!(conversation.epoch, server.epoch);
        assert_eq!(conversation.head, server.head());
        assert!(conversation.known.is_empty() || conversation.known.last() == Some(server.head()));
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
            if truth.edited > 0 && conversation.known.contains(truth.edited) {
                // Pages leave the mentions of an edit to its own entry.
                truth.entry.mentions = mentions(truth.edited);
            }
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
    Event {
        pick: usize,
        keep: bool,
    },
    LoseEvent {
        pick: usize,
    },
    Ask(Range),
    Page {
        pick: usize,
        keep: bool,
    },
    /// A list tells the head, as it is now or lagging.
    Row {
        lag: u64,
    },
    /// An older backup is restored: a new epoch begins.
    Restore {
        keep: u8,
    },
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
    let mut server = Server::new(1);
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
                server = Server::new(backup.epoch + 1);
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
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_cache_equals_the_log_once_gaps_are_fetched(steps in prop::collection::vec(step(), 1..120)) {
        run(steps);
    }
}

#[test]
fn a_reaction_overtaken_by_the_next_is_counted_once_each() {
    let mut server = Server::new(1);
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
    let mut server = Server::new(1);
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
    let mut server = Server::new(1);
    let mut device = Device { conversation: Conversation::new(1, 0), entries: BTreeMap::new() };
    let said = server.act(&Act::Say { author: 2 }).expect("said");
    device.absorb(Batch::of_entries(1, vec![said]).expect("one entry"));
    (0..WIDEST_GAP + u64::from(PAGE) + 1).for_each(|_| _ = server.act(&Act::Say { author: 2 }));
    device.hear(1, server.head());
    assert_eq!(device.conversation.missing(), Some(Range::Newest { limit: PAGE }));
    device.catch_up(&server);
    let newest = (server.head() + 1 - u64::from(PAGE), server.head());
    assert_eq!(device.conversation.known.around(server.head()), Some(newest));
    assert!(!device.conversation.known.contains(1));
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
