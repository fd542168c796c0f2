//! Orders: what a host can be asked, as one closed set, and how it answers.

use std::sync::Arc;

use serde::Serialize;
use suda_domain::conversation::Command;
use suda_domain::membership::{Member, Membership};
use suda_domain::receipts::{Marks, Summary};
use suda_proto::frame::{error_text, reply_text};
use suda_proto::reply::{Marked, Sent};
use suda_proto::{AccountId, ConversationId, ErrorBody};
use tokio::sync::oneshot;

use crate::session::Session;

/// One thing to do for one conversation.
pub struct Order {
    /// Which conversation.
    pub conversation: ConversationId,
    pub(super) what: What,
}

pub(super) enum What {
    /// Step the conversation and commit what comes of it.
    Act {
        command: Box<Command>,
        reply: Reply<Sent>,
        origin: Option<u64>,
    },
    /// Move watermarks.
    Mark {
        account: AccountId,
        delivered: Option<u64>,
        read: Option<u64>,
        reply: Reply<Marked>,
        origin: Option<u64>,
    },
    /// Tell who looks at the conversation that somebody types.
    Typing { account: AccountId, typing: bool },
    /// Tell a member how the conversation stands.
    View {
        account: AccountId,
        reply: oneshot::Sender<Result<View, ErrorBody>>,
    },
    /// One of a direct conversation's two blocked the other, or neither does any more.
    Blocked(bool),
}

impl Order {
    /// Carries out a command; `origin` is the session that needs no event of it, because it gets the reply.
    pub fn act(
        conversation: ConversationId,
        command: Command,
        reply: Reply<Sent>,
        origin: Option<u64>,
    ) -> Self {
        Self {
            conversation,
            what: What::Act {
                command: Box::new(command),
                reply,
                origin,
            },
        }
    }

    /// Moves the account's watermarks.
    pub fn mark(
        mark: suda_proto::request::Mark,
        account: AccountId,
        reply: Reply<Marked>,
        origin: Option<u64>,
    ) -> Self {
        let suda_proto::request::Mark {
            conversation,
            delivered,
            read,
        } = mark;
        Self {
            conversation,
            what: What::Mark {
                account,
                delivered,
                read,
                reply,
                origin,
            },
        }
    }

    /// Passes on that the account types.
    pub const fn typing(conversation: ConversationId, account: AccountId, typing: bool) -> Self {
        Self {
            conversation,
            what: What::Typing { account, typing },
        }
    }

    /// Asks how the conversation stands for a member.
    pub const fn view(
        conversation: ConversationId,
        account: AccountId,
        reply: oneshot::Sender<Result<View, ErrorBody>>,
    ) -> Self {
        Self {
            conversation,
            what: What::View { account, reply },
        }
    }

    /// Tells the host whether a direct conversation is blocked now.
    pub const fn blocked(conversation: ConversationId, blocked: bool) -> Self {
        Self {
            conversation,
            what: What::Blocked(blocked),
        }
    }
}

impl What {
    /// Answers with an error whoever waits.
    pub(super) fn refuse(self, error: ErrorBody) {
        match self {
            Self::Act { reply, .. } => reply.send(Err(error)),
            Self::Mark { reply, .. } => reply.send(Err(error)),
            Self::View { reply, .. } => drop(reply.send(Err(error))),
            Self::Typing { .. } | Self::Blocked(_) => {}
        }
    }
}

/// Who waits for an answer.
pub enum Reply<T> {
    /// A session, by its request's id: the answer goes into its queue.
    Session {
        /// Which session.
        session: Arc<Session>,
        /// The request's id.
        id: u64,
    },
    /// A task of this process.
    Waiting(oneshot::Sender<Result<T, ErrorBody>>),
}

impl<T: Serialize> Reply<T> {
    /// Answers.
    pub fn send(self, answer: Result<T, ErrorBody>) {
        match self {
            Self::Session { session, id } => session.push(match answer {
                Ok(ok) => reply_text(id, &ok).into(),
                Err(error) => error_text(Some(id), &error).into(),
            }),
            Self::Waiting(waiting) => drop(waiting.send(answer)),
        }
    }
}

/// A conversation as one member may know it, at one moment.
#[derive(Clone, Debug)]
pub struct View {
    /// The log's epoch.
    pub epoch: u32,
    /// How far the conversation has durably come.
    pub summary: Summary,
    /// Who belongs to it.
    pub membership: Membership,
    /// The asking member.
    pub member: Member,
    /// Its marks.
    pub marks: Marks,
    /// Every member with its watermarks.
    pub members: Vec<suda_proto::reply::Member>,
    /// How many messages the asking member has not read, and how many of them mention it.
    pub unread: (u64, u32),
}
