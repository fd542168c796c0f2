//! The list of conversations and what is chosen in it.

use suda_client::model::ConversationSummary;
use suda_proto::ConversationId;

use super::freshness::Freshness;

/// The list.
#[derive(Clone, Debug, Default)]
pub struct ConversationList {
    /// All conversations, in the order in which they are shown.
    pub conversations: Vec<ConversationSummary>,
    /// The chosen one.
    pub selected: Option<ConversationId>,
    /// Whether the archive is shown instead of the rest.
    pub shows_archive: bool,
    /// Reads of the list.
    pub freshness: Freshness,
    /// Whether older conversations may exist on the server.
    pub may_have_more: bool,
    /// Whether the list was read at least once.
    pub is_loaded: bool,
}

impl ConversationList {
    /// The conversations shown now.
    pub fn shown(&self) -> impl Iterator<Item = &ConversationSummary> {
        let archive = self.shows_archive;
        self.conversations.iter().filter(move |summary| summary.archived == archive)
    }

    /// One conversation.
    pub fn find(&self, conversation: ConversationId) -> Option<&ConversationSummary> {
        self.conversations.iter().find(|summary| summary.conversation == conversation)
    }

    /// The chosen conversation, where it is shown.
    pub fn selected(&self) -> Option<&ConversationSummary> {
        self.shown().find(|summary| Some(summary.conversation) == self.selected)
    }

    /// Where the chosen conversation stands among those shown.
    pub fn selected_index(&self) -> Option<usize> {
        self.shown().position(|summary| Some(summary.conversation) == self.selected)
    }

    /// Takes a new list over; what is chosen stays chosen while it is there.
    pub fn replace(&mut self, conversations: Vec<ConversationSummary>) {
        let index = self.selected_index().unwrap_or_default();
        self.conversations = conversations;
        self.is_loaded = true;
        if self.selected().is_none() {
            self.select(index);
        }
    }

    /// Chooses the one at `index` among those shown, or the last. True at the end of the list.
    pub fn select(&mut self, index: usize) -> bool {
        let count = self.shown().count();
        let index = index.min(count.saturating_sub(1));
        let selected = self.shown().nth(index).map(|summary| summary.conversation);
        self.selected = selected;
        index + 1 >= count
    }

    /// How many messages are unread in conversations that are neither muted nor archived.
    pub fn unread(&self) -> u64 {
        let loud = self.conversations.iter().filter(|summary| summary.mute.is_none() && !summary.archived);
        loud.map(|summary| summary.unread).sum()
    }
}
