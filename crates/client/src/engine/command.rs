//! What the app asks of the engine.

use suda_proto::request::{HistoryQuery, Range, Request};
use suda_proto::{AccountId, ClientId, ConversationId, Kind, Mention, Raw};

use super::request::{Done, Purpose};
use super::{Engine, Step};
use crate::cache::Write;
use crate::error::ClientError;

/// One command; those with `done` are answered.
#[derive(Debug)]
pub enum Command {
    /// Get and keep a line.
    Connect,
    /// Give the line up.
    Disconnect,
    /// One round of polling.
    SyncOnce {
        /// Told when it is over.
        done: Done<()>,
    },
    /// Somebody looks, or stopped looking.
    Foreground(bool),
    /// A conversation came on screen.
    Open(ConversationId),
    /// A conversation left the screen.
    Close(ConversationId),
    /// Put an act into the outbox.
    Compose(Composed, Done<ClientId>),
    /// Send a failed act again.
    Retry(ClientId, Done<()>),
    /// Forget a failed act.
    Discard(ClientId, Done<()>),
    /// Everything up to here was read.
    MarkRead(ConversationId, u64),
    /// These accounts are on screen.
    Watch(Vec<AccountId>),
    /// The user types, or stopped.
    Typing(ConversationId, bool),
    /// Set a value of the account's own state.
    SetValue(String, Raw, Done<()>),
    /// Bring history into the cache.
    Look(ConversationId, Range, Done<()>),
    /// Bring a conversation's row and members into the cache.
    Refresh(ConversationId, Done<()>),
    /// Bring more of the list into the cache.
    MoreRows(Done<bool>),
    /// Get these profiles if they are not known.
    Meet(Vec<AccountId>),
    /// Keep what REST has told.
    Keep(Vec<Write>),
    /// Send any request.
    Ask(Request, Done<Raw>),
    /// Forget everything and end.
    LogOut {
        /// Told when everything is gone.
        done: Done<()>,
    },
    /// Close the line and the cache, and end.
    ShutDown {
        /// Told when everything is written.
        done: Done<()>,
    },
}

/// An act as the app composed it.
#[derive(Clone, Debug)]
pub struct Composed {
    /// Where.
    pub conversation: ConversationId,
    /// `message`, `edit`, `delete` or `reaction`.
    pub kind: Kind,
    /// What it answers, changes or deletes.
    pub target: Option<u64>,
    /// Mentions in its text.
    pub mentions: Vec<Mention>,
    /// What it says.
    pub body: Option<Raw>,
}

impl Engine {
    pub(super) async fn on_command(&mut self, command: Command) -> Step {
        match command {
            Command::Connect => self.connect(),
            Command::Disconnect => self.disconnect(),
            Command::SyncOnce { done } => return self.sync_once(done).await,
            Command::Foreground(foreground) => self.set_foreground(foreground),
            Command::Open(conversation) => self.open(conversation),
            Command::Close(conversation) => self.close(conversation),
            Command::Compose(composed, done) => {
                let composed = self.compose(composed).await;
                return answer(done, composed);
            }
            Command::Retry(client_id, done) => {
                let retried = self.retry(client_id).await;
                return answer(done, retried);
            }
            Command::Discard(client_id, done) => {
                let discarded = self.discard(client_id).await;
                return answer(done, discarded);
            }
            Command::MarkRead(conversation, seq) => return self.mark_read(conversation, seq).await,
            Command::Watch(accounts) => self.watch(accounts),
            Command::Typing(conversation, typing) => self.tell_typing(conversation, typing),
            Command::SetValue(key, value, done) => {
                let set = self.set_value(key, value).await.map_err(ClientError::from);
                return answer(done, set);
            }
            Command::Look(conversation, range, done) => {
                let request = Request::History(HistoryQuery { conversation, range });
                self.ask(request, Purpose::Look(conversation, done));
            }
            Command::Refresh(conversation, done) => self.ask_detail(conversation, Some(done)),
            Command::MoreRows(done) => self.more_rows(done),
            Command::Meet(accounts) => accounts.into_iter().for_each(|account| self.meet(account)),
            Command::Keep(writes) => return self.cache.write(writes).await,
            Command::Ask(request, done) => self.ask(request, Purpose::App(done)),
            // Handled by the loop, which they end.
            Command::LogOut { .. } | Command::ShutDown { .. } => {}
        }
        Ok(())
    }
}

/// Tells the caller; a broken cache ends the engine as well.
fn answer<T>(done: Done<T>, outcome: Result<T, ClientError>) -> Step {
    let (outcome, step) = match outcome {
        Err(ClientError::Cache(error)) => (Err(ClientError::Stopped), Err(error)),
        outcome => (outcome, Ok(())),
    };
    // The caller may have given up waiting.
    let _ = done.send(outcome);
    step
}
