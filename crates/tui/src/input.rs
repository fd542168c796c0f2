//! What comes in: keys, the passing of time, events of the client, and answers to what was asked.

use crossterm::event::KeyEvent;
use suda_client::event::ClientEvent;
use suda_client::model::{ConversationSummary, MessageList};
use suda_proto::presence::Presence;
use suda_proto::reply::{Member, Reacted};
use suda_proto::rest::Profile;
use suda_proto::{AccountId, ConversationId};

use crate::effect::Reading;
use crate::words::Word;

/// Something that changes the model.
#[derive(Clone, Debug)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// Pasted text.
    Paste(String),
    /// The terminal has another size now: width and height in cells.
    Resize(u16, u16),
    /// The terminal got or lost the focus.
    Focus(bool),
    /// Time passes: now, milliseconds since 1970.
    Tick(u64),
    /// An event of the client.
    Client(ClientEvent),
    /// An answer.
    Answer(Answer),
}

/// What an effect led to.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Somebody is logged in.
    Entered {
        /// Who.
        account: AccountId,
        /// Of a new account: its recovery codes.
        recovery_codes: Vec<String>,
    },
    /// The entrance stays closed, and why.
    EntranceRefused(String),
    /// This device is logged out.
    LoggedOut,
    /// The account's own profile and its language.
    Account(Profile, String),
    /// The list of conversations.
    Conversations(Vec<ConversationSummary>),
    /// Older conversations were asked for; whether there may be more.
    MoreConversations(bool),
    /// Messages.
    Messages {
        /// What was read.
        reading: Reading,
        /// What was found; `None` where it could not be read now.
        list: Option<MessageList>,
    },
    /// Members.
    Members {
        /// Of which conversation.
        conversation: ConversationId,
        /// Who; `None` where they could not be read now.
        members: Option<Vec<Member>>,
    },
    /// Who is there.
    Presence {
        /// How accounts stand.
        presences: Vec<Presence>,
        /// How many others are online in a conversation, where that is known.
        online: Option<(ConversationId, u32)>,
    },
    /// Profiles.
    People(Vec<Profile>),
    /// Accounts whose names begin with something.
    Found {
        /// With what.
        prefix: String,
        /// Who; `None` where the server could not be asked.
        profiles: Option<Vec<Profile>>,
    },
    /// Who reacted to a message.
    Reactions {
        /// Where.
        conversation: ConversationId,
        /// To which message.
        seq: u64,
        /// Who, and with what.
        reactions: Vec<Reacted>,
    },
    /// A conversation was found or made: open it.
    Opened(ConversationId),
    /// Something was done.
    Done(Word),
    /// Something could not be done, and why.
    Failed(String),
}
