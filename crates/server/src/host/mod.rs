//! Hosts: the one place that numbers and commits a conversation's entries, then fans them out.
//!
//! Conversations are spread over a few tasks ([`shard`]); each task owns its conversations ([`hot`]) and has one bounded
//! inbox of [`Order`]s. Nobody else touches a conversation's state.

mod delivery;
mod hot;
mod order;
mod pump;
mod shard;
mod showing;

use std::sync::Arc;

use suda_domain::conversation::Command;
use suda_domain::ports::Ports;
use suda_proto::reply::{Marked, Sent};
use suda_proto::rest::Audience;
use suda_proto::{AccountId, Code, ConversationId, ErrorBody};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::gateway::Caller;
use crate::presence::Presence;
use crate::session::Registry;
use crate::settings::Settings;

pub use order::{Order, Reply, View};

/// Most tasks that share the conversations.
const SHARDS_MAX: usize = 64;

/// Most orders that wait for one task.
const INBOX: usize = 16 * 1024;

/// What a host works with.
pub(crate) struct Surroundings {
    pub ports: Ports,
    pub registry: Arc<Registry>,
    pub presence: Presence,
    pub settings: Arc<Settings>,
    pub clock: Arc<dyn Clock>,
}

/// A handle to the hosts of this node.
#[derive(Clone)]
pub struct Hosts {
    shards: Arc<[mpsc::Sender<Order>]>,
}

impl Hosts {
    /// Starts the hosts' tasks. They end when every handle is gone and everything is stored.
    pub(crate) fn start(surroundings: &Arc<Surroundings>) -> (Self, Vec<tokio::task::JoinHandle<()>>) {
        let mut tasks = Vec::new();
        // One for each thread that can run them.
        let shards = tokio::runtime::Handle::current().metrics().num_workers().clamp(1, SHARDS_MAX);
        let shards = (0..shards)
            .map(|_| {
                let (sender, inbox) = mpsc::channel(INBOX);
                tasks.push(tokio::spawn(shard::Shard::new(Arc::clone(surroundings)).run(inbox)));
                sender
            })
            .collect();
        (Self { shards }, tasks)
    }

    /// Hands an order to the conversation's host.
    ///
    /// # Errors
    /// `overloaded` with the order, where too much waits already.
    pub fn submit(&self, order: Order) -> Result<(), ErrorBody> {
        let shard = usize::from(order.conversation.bytes()[15]) % self.shards.len();
        self.shards[shard].try_send(order).map_err(|_| Code::Overloaded.error())
    }

    /// Carries out an act and waits until it is durable.
    ///
    /// # Errors
    /// What the conversation or the storage has against it.
    pub async fn act(&self, conversation: ConversationId, command: Command) -> Result<Sent, ErrorBody> {
        let (reply, answer) = oneshot::channel();
        self.submit(Order::act(conversation, command, Reply::Waiting(reply), None))?;
        answer.await.unwrap_or_else(|_| Err(Code::TimedOut.error()))
    }

    /// Moves watermarks; a read mark is durable afterwards.
    ///
    /// # Errors
    /// What the conversation or the storage has against it.
    pub async fn mark(&self, mark: suda_proto::request::Mark, caller: &Caller) -> Result<Marked, ErrorBody> {
        let (reply, answer) = oneshot::channel();
        let origin = caller.session.as_ref().map(|session| session.id);
        let who = (caller.account, caller.who_may_see());
        self.submit(Order::mark(mark, who, Reply::Waiting(reply), origin))?;
        answer.await.unwrap_or_else(|_| Err(Code::TimedOut.error()))
    }

    /// Tells those who look at the conversation that the account types.
    ///
    /// # Errors
    /// `not_member`, `no_such_conversation` or `blocked`.
    pub async fn typing(
        &self,
        typing: suda_proto::request::Typing,
        account: AccountId,
        who_may_see: Audience,
    ) -> Result<(), ErrorBody> {
        let (reply, answer) = oneshot::channel();
        self.submit(Order::typing(typing, (account, who_may_see), reply))?;
        answer.await.unwrap_or_else(|_| Err(Code::TimedOut.error()))
    }

    /// What a member may know of the conversation; refuses everybody else.
    ///
    /// # Errors
    /// `not_member`, `no_such_conversation`, or the storage's failure.
    pub async fn view(&self, conversation: ConversationId, account: AccountId) -> Result<View, ErrorBody> {
        let (reply, answer) = oneshot::channel();
        self.submit(Order::view(conversation, account, reply))?;
        answer.await.unwrap_or_else(|_| Err(Code::TimedOut.error()))
    }
}
