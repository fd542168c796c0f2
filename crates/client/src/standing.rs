//! How one cached entry stands: edits, deletions and reactions applied, in whatever order they become known.
//!
//! Edits and deletions commute because the highest number wins. Reactions commute because each is a difference that
//! is counted exactly once: those up to `reacted` by the page that brought the message, later ones when their entry
//! becomes known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suda_proto::entry::{ReactionBody, ReactionCount, Standing};
use suda_proto::{AccountId, Entry, Kind};

/// One entry of the cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CachedEntry {
    /// The entry with the body of its last known edit; never with a `standing`.
    pub entry: Entry,
    /// The number of that edit, 0 where there is none.
    #[serde(default)]
    pub edited: u64,
    /// The number of the entry that deleted it, 0 where there is none.
    #[serde(default)]
    pub deleted: u64,
    /// Reactions up to this number came counted.
    #[serde(default)]
    pub reacted: u64,
    /// Reactions by emoji.
    #[serde(default)]
    pub reactions: BTreeMap<String, Tally>,
}

/// The sum of differences for one emoji; negative only as long as an earlier entry is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Of all accounts.
    pub count: i64,
    /// Of this account.
    pub mine: i64,
}

impl CachedEntry {
    /// Takes an entry from an event (as it was sent) or a page (as it stands).
    pub fn new(mut entry: Entry) -> Self {
        let Standing { edited, deleted, reacted, reactions } = entry.standing.take().unwrap_or_default();
        if edited > 0 {
            // They belong to the first version; those of the edit come with its own entry.
            entry.mentions.clear();
        }
        let reactions = reactions
            .into_iter()
            .map(|one| (one.emoji, Tally { count: i64::from(one.count), mine: i64::from(one.mine) }))
            .collect();
        Self { entry, edited, deleted, reacted, reactions }
    }

    /// Whether it is a message whose text is gone.
    pub const fn is_deleted(&self) -> bool {
        self.deleted > 0 || (matches!(self.entry.kind, Kind::Message) && self.entry.body.is_none())
    }

    /// Removes what it says.
    pub fn erase(&mut self) {
        self.entry.body = None;
        self.entry.mentions.clear();
        self.reactions.clear();
    }

    /// Takes over what a page knows better; says whether the page's reactions were taken, so that those known since
    /// must be counted again.
    pub fn merge(&mut self, page: Self) -> bool {
        if page.edited > self.edited {
            self.edited = page.edited;
            self.entry.body = page.entry.body.clone();
            self.entry.mentions = page.entry.mentions.clone();
        }
        let recount = page.reacted > self.reacted;
        if recount {
            self.reacted = page.reacted;
            self.reactions = page.reactions.clone();
        }
        self.deleted = self.deleted.max(page.deleted);
        if self.deleted > 0 || page.entry.body.is_none() {
            self.erase();
        }
        recount
    }

    /// Applies an edit or a deletion that points at this entry.
    pub fn change(&mut self, act: &Entry) {
        match act.kind {
            Kind::Delete => {
                self.deleted = self.deleted.max(act.seq);
                self.erase();
            }
            // The edit that a page applied already still brings its mentions. An edit without a body was erased
            // itself: what erased it follows or was applied.
            Kind::Edit if act.seq >= self.edited && act.body.is_some() && !self.is_deleted() => {
                self.edited = act.seq;
                self.entry.body = act.body.clone();
                self.entry.mentions = act.mentions.clone();
            }
            _ => {}
        }
    }

    /// Counts a reaction that points at this entry; the caller counts each entry once.
    pub fn count(&mut self, act: &Entry, me: AccountId) {
        if act.kind != Kind::Reaction || act.seq <= self.reacted || self.is_deleted() {
            return;
        }
        let Some(body) = act.body.as_ref().and_then(|body| body.parse::<ReactionBody>().ok()) else {
            return;
        };
        let mine = i64::from(act.author == me);
        for (emoji, step) in [(body.was, -1), (body.emoji, 1)] {
            let Some(emoji) = emoji else { continue };
            let tally = self.reactions.entry(emoji.clone()).or_default();
            tally.count += step;
            tally.mine += step * mine;
            if *tally == Tally::default() {
                self.reactions.remove(&emoji);
            }
        }
    }

    /// The account's own reaction.
    pub fn own_reaction(&self) -> Option<String> {
        self.reactions.iter().find(|(_, tally)| tally.mine > 0).map(|(emoji, _)| emoji.clone())
    }

    /// The reactions as they are shown, most frequent first.
    pub fn reaction_counts(&self) -> Vec<ReactionCount> {
        let shown = self.reactions.iter().filter(|(_, tally)| tally.count > 0);
        let mut counts: Vec<_> = shown
            .map(|(emoji, tally)| ReactionCount {
                emoji: emoji.clone(),
                count: u32::try_from(tally.count).unwrap_or(u32::MAX),
                mine: tally.mine > 0,
            })
            .collect();
        counts.sort_by_key(|one| std::cmp::Reverse(one.count));
        counts
    }
}
