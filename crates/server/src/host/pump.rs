//! How one conversation goes on: orders are stepped into a batch, the batch is committed, whoever waits is told.

use suda_domain::conversation::{Command, Conversation, Step};
use suda_domain::ports::Failure;
use suda_domain::ports::log::{Append, AppendError};
use suda_proto::reply::{Marked, Sent};
use suda_proto::{AccountId, Code, ConversationId};
use tokio::sync::oneshot;

use super::hot::{Batch, Hot, Lack, Read, Slot, State};
use super::order::{Reply, View, What};
use super::shard::{Shard, code_of};
use super::showing::{Moved, Shown};

/// Most entries of one commit.
const BATCH_ENTRIES: usize = 64;

/// Most bytes of bodies in one commit.
const BATCH_BYTES: usize = 128 * 1024;

/// How an order fared.
enum Taken {
    /// It is answered, or will be with the batch.
    Yes,
    /// Something must be learnt first; here it is back.
    Needs(Lack, What),
    /// It must not see what is not durable yet; here it is back.
    AfterCommit(What),
}

impl Shard {
    /// Takes waiting orders of a conversation until something must be waited for.
    pub(super) fn pump(&mut self, id: ConversationId) {
        let Some(mut slot) = self.slots.remove(&id) else {
            return;
        };
        let mut batch = Batch::default();
        self.take_due_marks(id, &mut slot, &mut batch);
        let mut need = None;
        while let Some(order) = self.next_order(&mut slot, &batch) {
            match self.take_order(id, &mut slot, &mut batch, order) {
                Taken::Yes => {}
                Taken::Needs(what_for, order) => {
                    slot.waiting.push_front(order);
                    need = Some(what_for);
                    break;
                }
                Taken::AfterCommit(order) => {
                    slot.waiting.push_front(order);
                    break;
                }
            }
        }
        let mut lacking = None;
        if let State::Hot(hot) = &mut slot.state {
            if !batch.is_empty() {
                self.append(Append {
                    conversation: id,
                    after: hot.committed.head,
                    entries: batch.entries.clone(),
                    marks: batch.marks.clone(),
                });
                hot.batch = Some(batch);
            } else if let Some(need) = need {
                hot.learning = Some(need);
                lacking = Some((need, hot.conversation.known_from()));
            }
        }
        self.slots.insert(id, slot);
        // Only now: what is lacking may depend on the conversation.
        if let Some((need, known_from)) = lacking {
            self.find(id, need, known_from);
        }
    }

    fn next_order(&self, slot: &mut Slot, batch: &Batch) -> Option<What> {
        let is_free = match &slot.state {
            State::Loading => false,
            State::Missing => true,
            State::Hot(hot) => hot.is_free(),
        };
        let has_room = batch.entries.len() < BATCH_ENTRIES && batch.bytes < BATCH_BYTES;
        if is_free && has_room { slot.waiting.pop_front() } else { None }
    }

    fn take_order(&mut self, id: ConversationId, slot: &mut Slot, batch: &mut Batch, order: What) -> Taken {
        let State::Hot(hot) = &mut slot.state else {
            return self.take_order_of_missing(id, slot, batch, order);
        };
        let now = || self.surroundings.clock.now();
        if let Some(lack) = hot.lack(&order, now, &self.surroundings.presence) {
            return Taken::Needs(lack, order);
        }
        match order {
            What::Act { command, reply, origin } => self.take_act(hot, batch, command, reply, origin),
            What::Mark { account, who_may_see, delivered, read, reply, origin } => {
                let shown = Shown { account, who_may_see };
                self.take_mark(id, hot, batch, (shown, delivered, read, reply, origin))
            }
            What::Typing { account, who_may_see, typing, reply } => {
                let passed = self.pass_typing(id, hot, Shown { account, who_may_see }, typing);
                // Whoever asked may have gone away meanwhile.
                drop(reply.send(passed));
                Taken::Yes
            }
            order @ What::View { .. } if !batch.is_empty() => Taken::AfterCommit(order),
            What::View { account, reply } => {
                self.answer_view(hot, account, reply);
                Taken::Yes
            }
            What::RelationChanged => {
                hot.knows_relation = false;
                hot.contacts.clear();
                Taken::Yes
            }
        }
    }

    fn take_act(
        &self,
        hot: &mut Hot,
        batch: &mut Batch,
        command: Box<Command>,
        reply: Reply<Sent>,
        origin: Option<u64>,
    ) -> Taken {
        let now = self.surroundings.clock.now();
        let limits = &self.surroundings.settings.limits;
        match hot.conversation.step(&command, limits, now) {
            Step::Append { entries, sent } => {
                batch.take(entries, origin);
                batch.sent.push((reply, sent));
            }
            Step::Repeat(sent) if sent.position.seq > hot.committed.head => {
                batch.sent.push((reply, sent));
            }
            Step::Repeat(sent) => reply.send(Ok(sent)),
            Step::Refuse(error) => reply.send(Err(error)),
            Step::Need(need) => {
                let order = What::Act { command, reply, origin };
                return Taken::Needs(Lack::Of(need), order);
            }
        }
        Taken::Yes
    }

    /// Marks that waited for a free moment of a busy conversation ride along with its next commit.
    fn take_due_marks(&mut self, id: ConversationId, slot: &mut Slot, batch: &mut Batch) {
        if let State::Hot(hot) = &mut slot.state
            && hot.marks_due
            && hot.is_free()
        {
            batch.marks = self.tell_moved(id, hot);
        }
    }

    /// A conversation without entries can only be created.
    fn take_order_of_missing(
        &self,
        id: ConversationId,
        slot: &mut Slot,
        batch: &mut Batch,
        order: What,
    ) -> Taken {
        let What::Act { command, reply, origin } = order else {
            order.refuse(Code::NoSuchConversation.error());
            return Taken::Yes;
        };
        let epoch = self.surroundings.ports.log.epoch();
        let now = self.surroundings.clock.now();
        match Conversation::create(id, epoch, &command, &self.surroundings.settings.limits, now) {
            Ok((conversation, Step::Append { entries, sent })) => {
                let mut hot = Hot::new(conversation, None);
                hot.committed = Default::default();
                slot.state = State::Hot(Box::new(hot));
                batch.take(entries, origin);
                batch.sent.push((reply, sent));
            }
            Ok(_) => reply.send(Err(Code::Internal.error())),
            Err(error) => reply.send(Err(error)),
        }
        Taken::Yes
    }

    #[allow(clippy::type_complexity, reason = "the fields of one order, taken apart once")]
    fn take_mark(
        &mut self,
        id: ConversationId,
        hot: &mut Hot,
        batch: &mut Batch,
        mark: (Shown, Option<u64>, Option<u64>, Reply<Marked>, Option<u64>),
    ) -> Taken {
        let (Shown { account, who_may_see }, delivered, read, reply, origin) = mark;
        let before = hot.conversation.member_marks(account);
        match hot.conversation.mark(account, delivered, read, self.surroundings.clock.now()) {
            Ok(moved) => {
                if let Some(marks) = moved {
                    if hot.moved.is_empty() {
                        self.moved.push(id);
                    }
                    let moved = hot.moved.entry(account).or_insert(Moved { before, who_may_see });
                    moved.who_may_see = who_may_see;
                    if marks.read > before.read {
                        batch.marks.push((account, marks));
                        batch.marked.push(Read { account, reply, origin });
                        return Taken::Yes;
                    }
                }
                reply.send(Ok(marked(&hot.conversation, account)));
            }
            Err(Step::Need(need)) => {
                let order = What::Mark { account, who_may_see, delivered, read, reply, origin };
                return Taken::Needs(Lack::Of(need), order);
            }
            Err(Step::Refuse(error)) => reply.send(Err(error)),
            Err(_) => reply.send(Err(Code::Internal.error())),
        }
        Taken::Yes
    }

    fn answer_view(
        &self,
        hot: &Hot,
        account: AccountId,
        reply: oneshot::Sender<Result<View, suda_proto::ErrorBody>>,
    ) {
        let conversation = &hot.conversation;
        let view = conversation.member(account).map(|member| View {
            epoch: conversation.epoch(),
            summary: hot.committed,
            membership: conversation.membership().clone(),
            member: member.clone(),
            marks: conversation.marks(account),
            members: conversation.members(),
            unread: conversation.unread(member),
        });
        // Whoever asked may have gone away meanwhile.
        drop(reply.send(view));
    }

    /// A commit ended.
    pub(super) fn appended(&mut self, id: ConversationId, outcome: Result<(), AppendError>) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        let State::Hot(hot) = &mut slot.state else {
            return;
        };
        let Some(batch) = hot.batch.take() else {
            return;
        };
        match outcome {
            Ok(()) => {
                if let Some(last) = batch.entries.last() {
                    hot.committed = summary_at(hot, last.envelope.seq);
                }
                self.deliver(id, batch);
            }
            Err(error) => {
                // What was stepped is not so; read again how the conversation stands.
                let code = code_of_append(&error);
                if !matches!(error, AppendError::Overloaded) {
                    tracing::error!(%error, "a commit failed");
                }
                let blocked = hot.knows_relation.then_some(hot.conversation.blocked);
                slot.state = State::Loading;
                batch.refuse(code);
                self.load(id, blocked);
            }
        }
    }
}

/// How far the conversation has durably come once `head` is: nothing else is under way then.
fn summary_at(hot: &Hot, head: u64) -> suda_domain::receipts::Summary {
    debug_assert_eq!(hot.conversation.summary().head, head, "one batch at a time");
    *hot.conversation.summary()
}

/// The answer to a mark.
pub(super) fn marked(conversation: &Conversation, account: AccountId) -> Marked {
    let (unread, mentions) =
        conversation.member(account).map_or((0, 0), |member| conversation.unread(member));
    Marked { read: conversation.marks(account).seen(), unread, mentions }
}

const fn code_of_append(error: &AppendError) -> Code {
    match error {
        AppendError::Conflict { .. } => Code::TimedOut,
        AppendError::Overloaded => Code::Overloaded,
        AppendError::Failure(Failure::Full) => Code::StorageFull,
        AppendError::Failure(failure) => code_of(failure),
    }
}
