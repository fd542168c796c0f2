//! What lies over the panes: help, a picker of people, members, a message's readers, reactions, a question.

use suda_client::model::Message;
use suda_proto::reply::Reacted;
use suda_proto::rest::Profile;
use suda_proto::{AccountId, ConversationId};

use crate::text::editor::Editor;

/// The most bytes of a dialog's field.
const FIELD_BYTES: usize = 256;

/// A dialog.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// Keys and commands, scrolled by some lines.
    Help {
        /// How many lines are above the window.
        skipped: usize,
    },
    /// A search for people.
    Picker(Box<Picker>),
    /// The open conversation's members.
    Members {
        /// Which one is chosen.
        selected: usize,
    },
    /// Who read a message, and who reacted to it.
    Info {
        /// The message.
        message: Box<Message>,
        /// Who reacted, once it is known.
        reactions: Option<Vec<Reacted>>,
    },
    /// A choice of reactions.
    React {
        /// To which message.
        seq: u64,
        /// A reaction of one's own.
        editor: Editor,
    },
    /// A question.
    Confirm(Question),
}

/// What is asked before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Delete a message.
    Delete {
        /// Where.
        conversation: ConversationId,
        /// Which.
        seq: u64,
    },
    /// Leave the group.
    Leave(ConversationId),
    /// Close the group for good.
    Dissolve(ConversationId),
    /// Remove a member.
    Remove {
        /// From which group.
        conversation: ConversationId,
        /// Whom.
        account: AccountId,
    },
    /// Log this device out.
    LogOut,
}

/// What people are picked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickFor {
    /// A direct conversation with one of them.
    Direct,
    /// A new group.
    Group,
    /// An existing group.
    Add(ConversationId),
}

/// A search for people by the beginning of their names.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What for.
    pub purpose: PickFor,
    /// The new group's title.
    pub title: Editor,
    /// Whether the title takes the keys instead of the search.
    pub is_in_title: bool,
    /// What is searched.
    pub query: Editor,
    /// What was found, for which query.
    pub found: Option<(String, Vec<Profile>)>,
    /// Which one of them is chosen.
    pub selected: usize,
    /// Whether Enter was pressed before the answer came: then the first who is found is meant.
    pub takes_first: bool,
    /// Who is taken into the group.
    pub chosen: Vec<Profile>,
    /// Whether the server is being asked for names.
    pub is_asking: bool,
    /// Whether the server is being asked to make what people are picked for.
    pub is_finishing: bool,
}

impl Picker {
    /// An empty search.
    pub fn new(purpose: PickFor) -> Self {
        Self {
            purpose,
            title: Editor::line(FIELD_BYTES),
            is_in_title: purpose == PickFor::Group,
            query: Editor::line(FIELD_BYTES),
            found: None,
            selected: 0,
            takes_first: false,
            chosen: Vec::new(),
            is_asking: false,
            is_finishing: false,
        }
    }

    /// The beginning of a name that is searched: names are lower-case and people type `@`.
    pub fn prefix(&self) -> String {
        let query = self.query.text().trim().trim_start_matches('@');
        query.to_lowercase()
    }

    /// What was found.
    pub fn results(&self) -> &[Profile] {
        self.found.as_ref().map_or(&[][..], |(_, profiles)| profiles)
    }

    /// Whether what was found is what is searched.
    pub fn is_up_to_date(&self) -> bool {
        let found = self.found.as_ref();
        found.is_some_and(|(prefix, _)| *prefix == self.prefix())
    }

    /// Takes somebody in, or out again.
    pub fn toggle(&mut self, profile: Profile) {
        let before = self.chosen.len();
        self.chosen.retain(|chosen| chosen.account != profile.account);
        if self.chosen.len() == before {
            self.chosen.push(profile);
        }
    }
}

/// An empty field for a reaction.
pub fn reaction_editor() -> Editor {
    Editor::line(FIELD_BYTES)
}

/// The reactions that need one key.
pub const PALETTE: [&str; 6] = ["👍", "❤️", "😂", "😮", "😢", "🎉"];
