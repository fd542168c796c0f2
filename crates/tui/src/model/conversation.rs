//! The open conversation: its loaded messages, what is selected, and what is being written.

use suda_client::model::{Message, MessageContent, MessageState};
use suda_proto::reply::Member;
use suda_proto::{AccountId, ClientId, ConversationId};

use super::freshness::Freshness;
use crate::text::editor::Editor;

/// The most messages that are held; scrolling further drops those at the other end.
pub const HELD_MESSAGES: usize = 600;
/// The most bytes of a message.
const TEXT_BYTES: usize = 16 * 1024;
/// After how many milliseconds somebody who types is forgotten.
const TYPING_MS: u64 = 6_000;

/// The open conversation.
#[derive(Clone, Debug)]
pub struct OpenConversation {
    /// Which.
    pub id: ConversationId,
    /// A stretch of its messages without holes.
    pub messages: Vec<Message>,
    /// Whether earlier messages exist.
    pub has_earlier: bool,
    /// Whether later messages exist.
    pub has_later: bool,
    /// Whether messages were read at least once.
    pub is_loaded: bool,
    /// Reads of messages.
    pub freshness: Freshness,
    /// The members with their watermarks.
    pub members: Vec<Member>,
    /// Reads of members.
    pub members_freshness: Freshness,
    /// Who types, and until when that is shown.
    pub typing: Vec<(AccountId, u64)>,
    /// What stands at the bottom.
    pub scroll: Scroll,
    /// The selected message.
    pub selected: Option<ClientId>,
    /// Messages after this one were unread when the conversation was opened.
    pub unread_after: Option<u64>,
    /// Up to where it was marked as read.
    pub marked: u64,
    /// The message box.
    pub editor: Editor,
    /// What the message box is for.
    pub intent: Intent,
    /// Which completion is chosen.
    pub completion: usize,
    /// Whether completions were sent away, until the text changes.
    pub completion_dismissed: bool,
    /// When the others were told last that the account types.
    pub typing_told_at: u64,
}

/// What stands at the bottom of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// The newest message, also when newer ones come.
    Newest,
    /// Some line of some message, also when newer ones come.
    At {
        /// The message.
        message: ClientId,
        /// Its line, from 0.
        line: usize,
    },
}

/// What the message box is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// A message of its own.
    New,
    /// An answer.
    Reply {
        /// To what.
        seq: u64,
    },
    /// Another text for a message.
    Edit {
        /// Which.
        seq: u64,
        /// What stood in the message box before.
        draft: String,
    },
}

impl OpenConversation {
    /// A conversation about which nothing is loaded yet. `read` is how far the account has read.
    pub fn new(id: ConversationId, read: u64, has_unread: bool, draft: &str) -> Self {
        let mut editor = Editor::lines(TEXT_BYTES);
        editor.set(draft);
        Self {
            id,
            messages: Vec::new(),
            has_earlier: false,
            has_later: false,
            is_loaded: false,
            freshness: Freshness::default(),
            members: Vec::new(),
            members_freshness: Freshness::default(),
            typing: Vec::new(),
            scroll: Scroll::Newest,
            selected: None,
            unread_after: has_unread.then_some(read),
            marked: read,
            editor,
            intent: Intent::New,
            completion: 0,
            completion_dismissed: false,
            typing_told_at: 0,
        }
    }

    /// The lowest sequence that is loaded.
    pub fn first_seq(&self) -> Option<u64> {
        self.messages.iter().find_map(|message| message.seq)
    }

    /// The highest sequence that is loaded.
    pub fn last_seq(&self) -> Option<u64> {
        self.messages.iter().rev().find_map(|message| message.seq)
    }

    /// A message by its sequence, where it is loaded.
    pub fn by_seq(&self, seq: u64) -> Option<&Message> {
        self.messages.iter().find(|message| message.seq == Some(seq))
    }

    /// The selected message, while it is loaded.
    pub fn selected(&self) -> Option<&Message> {
        let selected = self.selected?;
        self.messages.iter().find(|message| message.client_id == selected)
    }

    /// The text that is to be kept as a draft: not that of an edit, but what it interrupted.
    pub fn draft(&self) -> &str {
        match &self.intent {
            Intent::Edit { draft, .. } => draft,
            _ => self.editor.text(),
        }
    }

    /// Notes that somebody types or stopped.
    pub fn note_typing(&mut self, account: AccountId, typing: bool, now: u64) {
        self.typing.retain(|(typist, _)| *typist != account);
        if typing {
            self.typing.push((account, now + TYPING_MS));
        }
    }

    /// Forgets whom nobody has heard of for a while.
    pub fn forget_typing(&mut self, now: u64) {
        self.typing.retain(|(_, until)| *until > now);
    }

    /// How many other members have received and read a message: `(delivered, read)`.
    pub fn receipts(&self, seq: u64, me: Option<AccountId>) -> (usize, usize) {
        let others = || self.members.iter().filter(move |member| Some(member.account) != me);
        let delivered = others().filter(|member| member.delivered.max(member.read) >= seq);
        let read = others().filter(|member| member.read >= seq);
        (delivered.count(), read.count())
    }

    /// How many other members there are.
    pub fn others(&self, me: Option<AccountId>) -> usize {
        let others = self.members.iter();
        others.filter(|member| Some(member.account) != me).count()
    }
}

/// Whether a message can be selected: notes about members and settings cannot.
pub fn is_selectable(message: &Message) -> bool {
    matches!(
        message.content,
        MessageContent::Text { .. } | MessageContent::Custom { .. } | MessageContent::Unsupported
    )
}

/// Whether sending it failed for good.
pub fn has_failed(message: &Message) -> bool {
    matches!(message.state, MessageState::Failed { .. })
}
