//! A page: entries as they stand, for one reader.

use std::collections::HashMap;

use suda_proto::entry::{ReactionCount, Standing};
use suda_proto::{AccountId, Kind, Raw};

use crate::entry::Entry;
use crate::membership::{Interval, erased_at};
use crate::message::MessageState;

/// An entry as it was committed, for the wire.
pub fn entry(entry: &Entry) -> suda_proto::Entry {
    let envelope = &entry.envelope;
    suda_proto::Entry {
        seq: envelope.seq,
        at: envelope.at,
        kind: envelope.kind,
        author: envelope.author,
        client_id: envelope.client_id,
        ordinal: envelope.ordinal,
        target: envelope.target,
        mentions: envelope.mentions.clone(),
        body: entry.body.clone().map(Raw::trusted),
        standing: None,
    }
}

/// The edits that a page needs: the last one of every edited message among `states`.
pub fn wanted_edits(states: &[(u64, MessageState)]) -> impl Iterator<Item = u64> + '_ {
    states.iter().filter(|(_, state)| state.deleted == 0).filter_map(|(_, state)| state.edits.last().copied())
}

/// What a page is put together from.
pub struct Sources<'a> {
    /// The conversation's erased authors, each with the number of the erasing entry.
    pub erased: &'a [(AccountId, u64)],
    /// What the reader may see.
    pub visible: &'a [Interval],
    /// The states of the messages among the entries.
    pub states: &'a [(u64, MessageState)],
    /// The wanted edits.
    pub edits: &'a HashMap<u64, Entry>,
    /// Who reads.
    pub reader: AccountId,
}

impl Sources<'_> {
    /// The entries that the reader may see, as they stand.
    pub fn compose(&self, entries: &[Entry]) -> Vec<suda_proto::Entry> {
        let seen = |entry: &&Entry| self.visible.iter().any(|interval| interval.contains(entry.envelope.seq));
        entries.iter().filter(seen).map(|entry| self.standing(entry)).collect()
    }

    fn standing(&self, stored: &Entry) -> suda_proto::Entry {
        let mut wire = entry(stored);
        let erased = erased_at(self.erased, wire.author, wire.seq);
        if erased > 0 && matches!(wire.kind, Kind::Message | Kind::Edit | Kind::Reaction) {
            wire.body = None;
            wire.mentions.clear();
        }
        if wire.kind != Kind::Message {
            return wire;
        }
        let state = self
            .states
            .binary_search_by_key(&wire.seq, |(seq, _)| *seq)
            .ok()
            .map(|place| &self.states[place].1);
        let deleted = if erased > 0 { erased } else { state.map_or(0, |state| state.deleted) };
        if deleted > 0 {
            wire.body = None;
            wire.mentions.clear();
            wire.standing = Some(Standing { deleted, ..Standing::default() });
        } else if let Some(state) = state {
            if let Some(last) = state.edits.last() {
                let edit = self.edits.get(last);
                wire.body = edit.and_then(|edit| edit.body.clone()).map(Raw::trusted);
                wire.mentions = edit.map_or_else(Vec::new, |edit| edit.envelope.mentions.clone());
            }
            wire.standing = Some(Standing {
                edited: state.edits.last().copied().unwrap_or(0),
                deleted: 0,
                reacted: state.reacted,
                reactions: self.count(state),
            });
        }
        wire
    }

    fn count(&self, state: &MessageState) -> Vec<ReactionCount> {
        let mut counts: Vec<ReactionCount> = Vec::new();
        for (account, emoji) in &state.reactions {
            let mine = *account == self.reader;
            match counts.iter_mut().find(|count| count.emoji == *emoji) {
                Some(count) => {
                    count.count += 1;
                    count.mine |= mine;
                }
                None => counts.push(ReactionCount { emoji: emoji.clone(), count: 1, mine }),
            }
        }
        counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.emoji.cmp(&b.emoji)));
        counts
    }
}
