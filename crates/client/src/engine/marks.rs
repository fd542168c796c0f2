//! Watermarks: how far this device has received and the account has read, and how far the others are.

use suda_proto::event::{Marks, ReadMark};
use suda_proto::reply::{Marked, Member, Opened};
use suda_proto::request::{ConversationQuery, Mark, Request};
use suda_proto::{ConversationId, ErrorBody};

use super::request::Purpose;
use super::{Engine, Step, Timer};
use crate::cache::Write;
use crate::event::ClientEvent;
use crate::sync;

/// Receipts are gathered for so long.
const GATHER_MS: u64 = 300;

/// After this pause a read mark that could not be told is told again.
const READ_AGAIN_MS: u64 = 1_000;

/// How many conversations may be on screen at a time.
const MOST_OPEN: usize = 8;

impl Engine {
    /// A conversation came on screen.
    pub(super) fn open(&mut self, conversation: ConversationId) {
        let mut given_up = Vec::new();
        self.on_screen.send_modify(|open| {
            open.retain(|one| *one != conversation);
            open.push(conversation);
            // The one opened first gives way.
            given_up.extend(open.drain(..open.len().saturating_sub(MOST_OPEN)));
        });
        given_up.into_iter().for_each(|conversation| self.close(conversation));
        self.ask_open(conversation);
        self.refresh(conversation);
        self.want_fill(conversation);
    }

    /// A conversation left the screen.
    pub(super) fn close(&mut self, conversation: ConversationId) {
        self.on_screen.send_modify(|open| open.retain(|one| *one != conversation));
        self.tell_typing(conversation, false);
        self.ask(Request::Close(ConversationQuery { conversation }), Purpose::Nothing);
        self.leave_crowd(conversation);
    }

    pub(super) async fn on_opened(
        &mut self,
        conversation: ConversationId,
        answer: Result<Opened, ErrorBody>,
    ) -> Step {
        let Ok(opened) = answer else { return Ok(()) };
        self.on_crowd(conversation, &opened);
        self.hear_head(conversation, opened.epoch, opened.head).await?;
        if let Some(mut detail) = self.cache.detail(conversation).await? {
            detail.members = opened.members;
            self.cache.write(vec![Write::Detail(conversation, detail)]).await?;
            self.announce(ClientEvent::MarksChanged { conversation });
        }
        Ok(())
    }

    /// The host told the head of a conversation.
    async fn hear_head(&mut self, conversation: ConversationId, epoch: u32, head: u64) -> Step {
        let Some(mut held) = self.held.get(&conversation).cloned() else {
            return Ok(());
        };
        if held.state.is_doubtful(epoch, head) {
            self.verify(conversation);
            return Ok(());
        }
        if held.state.hear(epoch, head) {
            return self.void(conversation, held).await;
        }
        self.cache.write(vec![Write::Conversation(conversation, held.clone())]).await?;
        self.held.insert(conversation, held);
        self.want_missing(conversation);
        Ok(())
    }

    pub(super) async fn on_marks(&mut self, marks: Marks) -> Step {
        let conversation = marks.conversation;
        let Some(mut detail) = self.cache.detail(conversation).await? else {
            self.refresh(conversation);
            return Ok(());
        };
        for moved in marks.marks {
            let is_it = |member: &&mut Member| member.account == moved.account;
            if let Some(member) = detail.members.iter_mut().find(is_it) {
                member.delivered = member.delivered.max(moved.delivered);
                member.read = member.read.max(moved.read);
            }
        }
        self.cache.write(vec![Write::Detail(conversation, detail)]).await?;
        self.announce(ClientEvent::MarksChanged { conversation });
        Ok(())
    }

    /// The account read on some device.
    pub(super) async fn on_read(&mut self, read: ReadMark) -> Step {
        let marked = Marked { read: read.read, unread: read.unread, mentions: read.mentions };
        self.apply_marked(read.conversation, marked).await
    }

    /// The app has shown everything up to `seq`.
    pub(super) async fn mark_read(&mut self, conversation: ConversationId, seq: u64) -> Step {
        let Some(held) = self.held.get_mut(&conversation) else {
            return Ok(());
        };
        let Some(row) = held.row.as_mut().filter(|row| row.read < seq) else {
            return Ok(());
        };
        sync::read_locally(row, seq);
        held.read_wanted = held.read_wanted.max(Some(seq.min(row.head)));
        let write = Write::Conversation(conversation, held.clone());
        self.cache.write(vec![write]).await?;
        self.announce(ClientEvent::ConversationChanged { conversation });
        self.send_read(conversation);
        Ok(())
    }

    /// Tells every read mark that the server does not know yet.
    pub(super) fn send_reads(&mut self) {
        let unsent = self.held.iter().filter(|(_, held)| held.read_wanted.is_some());
        let unsent: Vec<ConversationId> = unsent.map(|(conversation, _)| *conversation).collect();
        for conversation in unsent {
            self.send_read(conversation);
        }
    }

    fn send_read(&mut self, conversation: ConversationId) {
        if let Some(seq) = self.held.get(&conversation).and_then(|held| held.read_wanted) {
            let mark = Mark { conversation, delivered: None, read: Some(seq) };
            self.ask(Request::Mark(mark), Purpose::Read(conversation, seq));
        }
    }

    pub(super) async fn on_marked(
        &mut self,
        conversation: ConversationId,
        seq: u64,
        answer: Result<Marked, ErrorBody>,
    ) -> Step {
        match answer {
            Ok(marked) => self.apply_marked(conversation, marked).await,
            Err(ErrorBody { retry_after_ms: Some(pause), .. }) => {
                self.after(pause.max(READ_AGAIN_MS), Timer::Reads);
                Ok(())
            }
            Err(_) => self.forget_read(conversation, seq).await,
        }
    }

    async fn apply_marked(&mut self, conversation: ConversationId, marked: Marked) -> Step {
        let Some(held) = self.held.get_mut(&conversation) else {
            return Ok(());
        };
        let Some(row) = held.row.as_mut().filter(|row| row.read <= marked.read) else {
            return Ok(());
        };
        (row.read, row.unread, row.mentions) = (marked.read, marked.unread, marked.mentions);
        held.read_wanted = held.read_wanted.filter(|wanted| *wanted > marked.read);
        let write = Write::Conversation(conversation, held.clone());
        self.cache.write(vec![write]).await?;
        self.announce(ClientEvent::ConversationChanged { conversation });
        Ok(())
    }

    async fn forget_read(&mut self, conversation: ConversationId, seq: u64) -> Step {
        let Some(held) = self.held.get_mut(&conversation) else {
            return Ok(());
        };
        held.read_wanted = held.read_wanted.filter(|wanted| *wanted > seq);
        let write = Write::Conversation(conversation, held.clone());
        self.cache.write(vec![write]).await
    }

    /// Everything up to `seq` is stored on this device; told in a moment, together with what else comes.
    pub(super) fn was_delivered(&mut self, conversation: ConversationId, seq: u64) {
        let furthest = self.delivered.entry(conversation).or_default();
        *furthest = seq.max(*furthest);
        self.after(GATHER_MS, Timer::Marks);
    }

    pub(super) fn send_delivered(&mut self) {
        if self.contact.line.is_none() {
            return;
        }
        for (conversation, seq) in std::mem::take(&mut self.delivered) {
            let mark = Mark { conversation, delivered: Some(seq), read: None };
            self.ask(Request::Mark(mark), Purpose::Delivered(conversation, seq));
        }
    }
}
