//! Everything that the client shows, as plain state: no terminal, no network, no clock.

pub mod conversation;
pub mod dialog;
pub mod entrance;
pub mod freshness;
pub mod list;
pub mod people;
pub mod presence;

use std::collections::HashMap;

use suda_client::event::ConnectionState;
use suda_client::model::ConversationSummary;
use suda_proto::{AccountId, ConversationId};

use crate::text::editor::Editor;
use crate::words::Language;
use crate::zone::Zone;

use conversation::OpenConversation;
use dialog::Dialog;
use entrance::Entrance;
use list::ConversationList;
use people::People;
use presence::Attendance;

/// How many milliseconds a notice stays.
const NOTICE_MS: u64 = 6_000;
/// Terminals narrower than this show one pane at a time.
const TWO_PANES_CELLS: u16 = 60;

/// The state of the whole client.
#[derive(Clone, Debug)]
pub struct Model {
    /// The language of the interface.
    pub language: Language,
    /// Whether the language was asked for; otherwise the account's own is taken once it is known.
    pub language_is_chosen: bool,
    /// The local time zone.
    pub zone: Zone,
    /// Now, milliseconds since 1970.
    pub now: u64,
    /// The terminal's width and height in cells.
    pub size: (u16, u16),
    /// Whether the terminal has the focus.
    pub focused: bool,
    /// The server's address, for the entrance.
    pub server: String,
    /// How the client stands with the server.
    pub connection: ConnectionState,
    /// When a lost connection is tried again.
    pub retry_at: u64,
    /// The account that is logged in.
    pub me: Option<AccountId>,
    /// Which screen is shown.
    pub screen: Screen,
    /// Names and colours.
    pub people: People,
    /// Who is there.
    pub attendance: Attendance,
    /// The list of conversations.
    pub list: ConversationList,
    /// The open conversation.
    pub open: Option<OpenConversation>,
    /// Unsent texts of conversations that are not open, where they differ from what the list says.
    pub drafts: HashMap<ConversationId, String>,
    /// Which pane takes the keys.
    pub pane: Pane,
    /// What lies over everything.
    pub dialog: Option<Dialog>,
    /// A sentence for the status line.
    pub notice: Option<Notice>,
    /// Whether the client is to end.
    pub quitting: bool,
}

/// The screens.
#[derive(Clone, Debug)]
pub enum Screen {
    /// Log in, sign up or recover.
    Entrance(Entrance),
    /// The codes of a new account, until their keeper says that they are kept.
    RecoveryCodes {
        /// The codes.
        codes: Vec<String>,
        /// Where the keeper says so.
        answer: Editor,
    },
    /// The conversations.
    Chat,
}

/// The two panes of the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The list of conversations.
    List,
    /// The open conversation.
    Conversation,
}

/// A sentence that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The sentence.
    pub text: String,
    /// When it goes away.
    pub until: u64,
}

impl Model {
    /// A client that knows nothing yet.
    pub fn new(language: Option<Language>, server: String, zone: Zone, screen: Screen) -> Self {
        Self {
            language: language.unwrap_or_default(),
            language_is_chosen: language.is_some(),
            zone,
            now: 0,
            size: (80, 24),
            focused: true,
            server,
            connection: ConnectionState::Offline,
            retry_at: 0,
            me: None,
            screen,
            people: People::default(),
            attendance: Attendance::default(),
            list: ConversationList::default(),
            open: None,
            drafts: HashMap::new(),
            pane: Pane::List,
            dialog: None,
            notice: None,
            quitting: false,
        }
    }

    /// Whether only one pane fits.
    pub fn is_narrow(&self) -> bool {
        self.size.0 < TWO_PANES_CELLS
    }

    /// Whether somebody who looks at the terminal sees the open conversation.
    pub fn sees_conversation(&self) -> bool {
        self.focused
            && self.open.is_some()
            && matches!(self.screen, Screen::Chat)
            && (!self.is_narrow() || self.pane == Pane::Conversation)
    }

    /// The open conversation as the list has it.
    pub fn open_summary(&self) -> Option<&ConversationSummary> {
        self.list.find(self.open.as_ref()?.id)
    }

    /// The unsent text of a conversation.
    pub fn draft<'a>(&'a self, summary: &'a ConversationSummary) -> &'a str {
        match self.drafts.get(&summary.conversation) {
            Some(draft) => draft,
            None => summary.draft.as_deref().unwrap_or_default(),
        }
    }

    /// Shows a sentence for a while.
    pub fn notify(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), until: self.now + NOTICE_MS });
    }

    /// Forgets everything of the account.
    pub fn forget_account(&mut self, screen: Screen) {
        let kept = (self.now, self.size, self.focused);
        let language = self.language_is_chosen.then_some(self.language);
        *self = Self::new(language, self.server.clone(), self.zone.clone(), screen);
        (self.now, self.size, self.focused) = kept;
    }
}
