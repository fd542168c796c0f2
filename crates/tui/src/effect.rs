//! What an update asks the world to do.

use suda_client::model::Mute;
use suda_proto::entry::Role;
use suda_proto::{AccountId, ClientId, ConversationId, Mention};

/// Something to do outside the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// One of the account's own acts: done one after the other, in this order, without waiting for the server.
    Act(Act),
    /// A question, answered by an [`crate::input::Answer`] whenever it comes.
    Ask(Ask),
}

/// An act of the account. It is kept on this device and reaches the server when that can be reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A conversation is on screen.
    Show(ConversationId),
    /// A conversation is no longer on screen.
    Hide(ConversationId),
    /// Send a message.
    Send {
        /// Where.
        conversation: ConversationId,
        /// What.
        text: String,
        /// What it answers.
        reply_to: Option<u64>,
        /// Who is mentioned.
        mentions: Vec<Mention>,
    },
    /// Give a message another text.
    Edit {
        /// Where.
        conversation: ConversationId,
        /// Which.
        seq: u64,
        /// The text.
        text: String,
        /// Who is mentioned.
        mentions: Vec<Mention>,
    },
    /// Delete a message.
    Delete(ConversationId, u64),
    /// React to a message, or take the reaction back.
    React(ConversationId, u64, Option<String>),
    /// Send a refused message again.
    Retry(ClientId),
    /// Give a refused message up.
    Discard(ClientId),
    /// Everything up to a message was seen.
    MarkRead(ConversationId, u64),
    /// The account types, or stopped.
    Typing(ConversationId, bool),
    /// Keep an unsent text, or forget it.
    SaveDraft(ConversationId, Option<String>),
    /// Mute a conversation, or no longer.
    SetMute(ConversationId, Option<Mute>),
    /// Pin a conversation, or no longer.
    SetPin(ConversationId, Option<f64>),
    /// Archive a conversation, or no longer.
    SetArchived(ConversationId, bool),
    /// These accounts' presence is shown.
    Watch(Vec<AccountId>),
    /// Somebody looks at the client, or no longer.
    Foreground(bool),
}

/// A question to the client or, through it, to the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Enter with a name and a password.
    LogIn {
        /// The name.
        name: String,
        /// The password.
        password: Secret,
    },
    /// Make an account.
    SignUp {
        /// The name.
        name: String,
        /// The display name.
        display_name: Option<String>,
        /// The password.
        password: Secret,
        /// The invitation.
        invite: Option<String>,
    },
    /// Enter with a recovery code.
    Recover {
        /// The name.
        name: String,
        /// The code.
        code: Secret,
        /// The new password.
        password: Secret,
    },
    /// Log this device out.
    LogOut,
    /// The account's own profile.
    Account,
    /// The list of conversations.
    Conversations,
    /// Older conversations than those in the list.
    MoreConversations,
    /// Messages of the open conversation.
    Messages(Reading),
    /// Members with their watermarks.
    Members(ConversationId),
    /// Who is there.
    Presence {
        /// Of whom.
        accounts: Vec<AccountId>,
        /// Where it is to be counted.
        conversation: Option<ConversationId>,
    },
    /// Profiles.
    People(Vec<AccountId>),
    /// Accounts whose names begin so.
    Search(String),
    /// Who reacted to a message.
    Reactions(ConversationId, u64),
    /// The direct conversation with somebody.
    OpenDirect(AccountId),
    /// A new group.
    CreateGroup {
        /// Its title.
        title: Option<String>,
        /// Its other members.
        members: Vec<AccountId>,
    },
    /// Add members.
    AddMembers(ConversationId, Vec<AccountId>),
    /// Find somebody by the exact name and add it.
    AddNamed(ConversationId, String),
    /// Remove a member.
    RemoveMember(ConversationId, AccountId),
    /// Give a member another role.
    ChangeRole(ConversationId, AccountId, Role),
    /// Name a group.
    SetTitle(ConversationId, String),
    /// Leave a group.
    Leave(ConversationId),
    /// Close a group for good.
    Dissolve(ConversationId),
    /// Block somebody, or no longer.
    Block(AccountId, bool),
}

/// Which messages to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which stretch.
    pub stretch: Stretch,
}

/// A stretch of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// The newest, as far back as the given message where there is one.
    Newest(Option<u64>),
    /// Those before a message.
    Before(u64),
    /// Those after a message.
    After(u64),
    /// Those from one message to another.
    Between(u64, u64),
}

/// A password or code. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}
