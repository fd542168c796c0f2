//! Orders: what a host can be asked, as one closed set, and how it answers.

use serde::Serialize;
use suda_domain::conversation::Command;
use suda_domain::membership::{Member, Membership};
use suda_domain::receipts::{Marks, Summary};
use suda_proto::reply::{Marked, Sent};
use suda_proto::rest::Audience;
use suda_proto::{AccountId, ConversationId, ErrorBody};
use tokio::sync::oneshot;

use crate::session::{Answer, Frame};

/// One thing to do for one conversation.
pub struct Order {
    /// Which conversation.
    pub conversation: ConversationId,
    pub(super) what: What,
}

pub(super) enum What {
    /// Step the conversation and commit what comes of it.
    Act { command: Box<Command>, reply: Reply<Sent>, origin: Option<u64> },
    /// Move watermarks.
    Mark {
        account: AccountId,
        who_may_see: Audience,
        delivered: Option<u64>,
        read: Option<u64>,
        reply: Reply<Marked>,
        origin: Option<u64>,
    },
    /// Tell who looks at the conversation that somebody types.
    Typing {
        account: AccountId,
        who_may_see: Audience,
        typing: bool,
        reply: oneshot::Sender<Result<(), ErrorBody>>,
    },
    /// Tell a member how the conversation stands.
    View { account: AccountId, reply: oneshot::Sender<Result<View, ErrorBody>> },
    /// How a direct conversation's two stand to each other has changed; read it again.
    RelationChanged,
}

impl Order {
    /// Carries out a command; `origin` is the session that needs no event of it, because it gets the reply.
    pub fn act(
        conversation: ConversationId,
        command: Command,
        reply: Reply<Sent>,
        origin: Option<u64>,
    ) -> Self {
        Self { conversation, what: What::Act { command: Box::new(command), reply, origin } }
    }

    /// Moves the account's watermarks; its setting says who is told how far it has read.
    pub fn mark(
        mark: suda_proto::request::Mark,
        (account, who_may_see): (AccountId, Audience),
        reply: Reply<Marked>,
        origin: Option<u64>,
    ) -> Self {
        let suda_proto::request::Mark { conversation, delivered, read } = mark;
        Self { conversation, what: What::Mark { account, who_may_see, delivered, read, reply, origin } }
    }

    /// Passes on that the account types, to whom its setting allows.
    pub const fn typing(
        typing: suda_proto::request::Typing,
        (account, who_may_see): (AccountId, Audience),
        reply: oneshot::Sender<Result<(), ErrorBody>>,
    ) -> Self {
        let suda_proto::request::Typing { conversation, typing } = typing;
        Self { conversation, what: What::Typing { account, who_may_see, typing, reply } }
    }

    /// Asks how the conversation stands for a member.
    pub const fn view(
        conversation: ConversationId,
        account: AccountId,
        reply: oneshot::Sender<Result<View, ErrorBody>>,
    ) -> Self {
        Self { conversation, what: What::View { account, reply } }
    }

    /// Tells the host that a block between a direct conversation's two was set or lifted.
    pub const fn relation_changed(conversation: ConversationId) -> Self {
        Self { conversation, what: What::RelationChanged }
    }
}

impl What {
    /// Answers with an error whoever waits.
    pub(super) fn refuse(self, error: ErrorBody) {
        match self {
            Self::Act { reply, .. } => reply.send(Err(error)),
            Self::Mark { reply, .. } => reply.send(Err(error)),
            Self::View { reply, .. } => drop(reply.send(Err(error))),
            Self::Typing { reply, .. } => drop(reply.send(Err(error))),
            Self::RelationChanged => {}
        }
    }
}

/// Who waits for an answer.
pub enum Reply<T> {
    /// A session: the answer goes into its queue.
    Session(Answer),
    /// A task of this process.
    Waiting(oneshot::Sender<Result<T, ErrorBody>>),
}

impl<T: Serialize> Reply<T> {
    /// Answers.
    pub fn send(self, answer: Result<T, ErrorBody>) {
        match self {
            Self::Session(claim) => {
                let frame = match answer {
                    Ok(ok) => Frame::reply(claim.id(), &ok),
                    Err(error) => Frame::error(Some(claim.id()), &error),
                };
                claim.give(frame);
            }
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
