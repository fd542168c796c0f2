//! Messages, edits, deletions and reactions: who may, and what is stored.

use suda_proto::entry::{ConversationKind, ReactionBody};
use suda_proto::{AccountId, Code, Kind, Limits, Mentioned, Raw};

use super::Conversation;
use super::step::{Checked, Draft, Step};
use crate::message::{check_body, check_reaction};
use crate::rights::Right;

/// Most edits of one message; each is kept until the message is deleted.
const EDITS_MAX: usize = 200;

impl Conversation {
    /// Checks a post and completes its draft.
    pub(super) fn post(
        &mut self,
        author: AccountId,
        draft: Draft,
        body: Option<&Raw>,
        limits: &Limits,
        now: u64,
    ) -> Checked<Draft> {
        let right = match draft.kind {
            Kind::Message => Right::Send,
            Kind::Edit => Right::EditOwn,
            Kind::Delete => Right::DeleteOwn,
            Kind::Reaction => Right::React,
            _ => return Err(Code::UnknownKind.into()),
        };
        if draft.kind == Kind::Delete {
            // What one wrote can be taken back even where nothing more can be said.
            self.require(author, right)?;
        } else {
            self.require_open(author, right)?;
        }
        match draft.kind {
            Kind::Message => self.post_message(author, draft, body, limits),
            Kind::Edit => self.post_edit(author, draft, body, limits, now),
            Kind::Delete => self.post_deletion(author, draft),
            _ => self.post_reaction(author, draft, body),
        }
    }

    /// Whether the member has the right.
    fn require(&self, author: AccountId, right: Right) -> Checked {
        if right.is_given(self.kind(), self.role(author)?) { Ok(()) } else { Err(Code::NotAllowed.into()) }
    }

    /// Whether the member has the right, and the conversation still takes entries from it.
    pub(super) fn require_open(&self, author: AccountId, right: Right) -> Checked {
        self.member(author)?;
        if self.membership.header.dissolved {
            return Err(Code::Dissolved.into());
        }
        self.require(author, right)?;
        if self.kind() == ConversationKind::Direct {
            if self.blocked {
                return Err(Code::Blocked.into());
            }
            if self.membership.members.len() < 2 {
                return Err(Code::NoSuchAccount.into());
            }
        }
        Ok(())
    }

    fn post_message(
        &mut self,
        author: AccountId,
        draft: Draft,
        body: Option<&Raw>,
        limits: &Limits,
    ) -> Checked<Draft> {
        check_body(body, &draft.mentions, limits)?;
        self.check_mentioned(&draft)?;
        if draft.target.is_some() {
            self.message(author, draft.target)?;
        }
        Ok(Draft { body: body.map(|body| body.bytes().clone()), ..draft })
    }

    fn post_edit(
        &mut self,
        author: AccountId,
        draft: Draft,
        body: Option<&Raw>,
        limits: &Limits,
        now: u64,
    ) -> Checked<Draft> {
        check_body(body, &draft.mentions, limits)?;
        self.check_mentioned(&draft)?;
        let message = self.message(author, draft.target)?;
        if message.author != author {
            return Err(Code::NotAllowed.into());
        }
        let until = message.at.saturating_add(u64::from(self.membership.edit_seconds) * 1_000);
        if now > until || message.state.edits.len() >= EDITS_MAX {
            return Err(Code::EditTooLate.into());
        }
        Ok(Draft { body: body.map(|body| body.bytes().clone()), ..draft })
    }

    fn post_deletion(&mut self, author: AccountId, draft: Draft) -> Checked<Draft> {
        let message = self.message(author, draft.target)?;
        if message.author != author && !Right::DeleteAny.is_given(self.kind(), self.role(author)?) {
            return Err(Code::NotAllowed.into());
        }
        Ok(Draft { mentions: Vec::new(), ..draft })
    }

    fn post_reaction(&mut self, author: AccountId, draft: Draft, body: Option<&Raw>) -> Checked<Draft> {
        let emoji = check_reaction(body)?;
        let message = self.message(author, draft.target)?;
        let was = message.state.reactions.get(&author).cloned();
        let draft = Draft { mentions: Vec::new(), ..draft };
        Ok(draft.body(&ReactionBody { emoji, was }))
    }

    fn check_mentioned(&self, draft: &Draft) -> Checked {
        let is_stranger = |who: &Mentioned| match who {
            Mentioned::Account(account) => self.membership.member(*account).is_none(),
            Mentioned::All => false,
        };
        if draft.mentions.iter().any(|mention| is_stranger(&mention.who)) {
            return Err(Step::Refuse(Code::BadMention.because("not a member")));
        }
        Ok(())
    }
}
