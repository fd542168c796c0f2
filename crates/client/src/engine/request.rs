//! Requests to the server and what their replies are for.

use std::collections::{BTreeMap, VecDeque};

use suda_proto::frame::{OutgoingRequest, ServerFrame};
use suda_proto::request::Request;
use suda_proto::{AccountId, ClientId, ConversationId, ErrorBody, Raw};
use tokio::sync::oneshot;

use super::link::MOST_UNANSWERED;
use super::{Engine, Step};
use crate::error::ClientError;

/// How many requests wait for room on the line before more are refused.
const MOST_WAITING: usize = 512;

/// Where an app's call waits for its outcome.
pub type Done<T> = oneshot::Sender<Result<T, ClientError>>;

/// What a reply is for.
#[derive(Debug)]
pub enum Purpose {
    /// Nobody needs it.
    Nothing,
    /// The app asked.
    App(Done<Raw>),
    /// Missing history of a cached conversation.
    Fill(ConversationId),
    /// History that the app wants to look at.
    Look(ConversationId, Done<()>),
    /// Whether the log really ends below what was received: the highest sequence received when asked.
    Verify(ConversationId, u64),
    /// A conversation's row and members, for the app or on the engine's own account.
    Detail(ConversationId, Option<Done<()>>),
    /// More rows: of a resume (then `since` is its token), or of the whole list; the new token counts at the end.
    Rows {
        /// The token that the session resumed from.
        since: Option<String>,
        /// The token that counts once all rows are applied; absent where the first window is still to tell it.
        token: Option<String>,
    },
    /// More of the list, because the app scrolled.
    MoreRows(Done<bool>),
    /// A conversation came on screen.
    Open(ConversationId),
    /// The accounts on screen.
    Watch,
    /// A read mark.
    Read(ConversationId, u64),
    /// A send.
    Send(ConversationId, ClientId),
    /// Looks for sends that were committed: absent for where the log ends, then from which entry on.
    Rebase(ConversationId, Option<u64>),
    /// How far this device has received.
    Delivered(ConversationId, u64),
    /// A value of the account's own state.
    Value(ClientId),
    /// The head of the account's own conversation, before its whole state is read.
    OwnHead,
    /// The account's whole own state, as of this head.
    OwnState(u64),
    /// The account's own entries since the last known.
    OwnEntries,
    /// Profiles of these accounts.
    Profiles(Vec<AccountId>),
    /// A new resume token.
    Token,
}

impl Purpose {
    /// Tells whoever waits that there will be no reply.
    fn abandon(self, error: ClientError) {
        // Whoever waits may have given up.
        match self {
            Self::App(done) => _ = done.send(Err(error)),
            Self::Look(_, done) | Self::Detail(_, Some(done)) => _ = done.send(Err(error)),
            Self::MoreRows(done) => _ = done.send(Err(error)),
            _ => {}
        }
    }
}

/// Requests on the line and before it.
#[derive(Debug, Default)]
pub struct Requests {
    last_id: u64,
    unanswered: BTreeMap<u64, Purpose>,
    waiting: VecDeque<(Request, Purpose)>,
}

impl Requests {
    /// Whether nothing is under way.
    pub fn is_empty(&self) -> bool {
        self.unanswered.is_empty() && self.waiting.is_empty()
    }

    /// Whether a request for such a purpose is under way.
    pub fn is_asking(&self, is_it: impl Fn(&Purpose) -> bool) -> bool {
        self.unanswered.values().chain(self.waiting.iter().map(|(_, purpose)| purpose)).any(is_it)
    }

    /// For how many more requests the line has room now.
    pub fn room(&self) -> usize {
        if self.waiting.is_empty() { MOST_UNANSWERED.saturating_sub(self.unanswered.len()) } else { 0 }
    }
}

impl Engine {
    /// Sends a request as soon as the line has room; without a line, whoever waits is told so.
    pub(super) fn ask(&mut self, request: Request, purpose: Purpose) {
        if self.contact.line.is_none() {
            return purpose.abandon(ClientError::Offline);
        }
        if self.requests.room() > 0 {
            return self.put_on_line(request, purpose);
        }
        if self.requests.waiting.len() < MOST_WAITING {
            self.requests.waiting.push_back((request, purpose));
        } else {
            purpose.abandon(ClientError::TimedOut);
        }
    }

    fn put_on_line(&mut self, request: Request, purpose: Purpose) {
        let Some(line) = &self.contact.line else {
            return purpose.abandon(ClientError::Offline);
        };
        self.requests.last_id += 1;
        let id = self.requests.last_id;
        // The channel holds as many as may be unanswered, so it is full only after it is closed; that the line is
        // lost then comes out of it next.
        if line.requests.try_send(OutgoingRequest { id, request }).is_ok() {
            self.requests.unanswered.insert(id, purpose);
        } else {
            purpose.abandon(ClientError::Offline);
        }
    }

    pub(super) async fn on_frame(&mut self, frame: ServerFrame) -> Step {
        let (id, answer) = match frame {
            ServerFrame::Event(event) => return self.on_event(event).await,
            ServerFrame::Ok { id, ok } => (Some(id), Ok(ok)),
            ServerFrame::Error { id, error } => (id, Err(error)),
        };
        let purpose = id.and_then(|id| self.requests.unanswered.remove(&id));
        if let Some(purpose) = purpose {
            self.on_reply(purpose, answer).await?;
        }
        while self.requests.unanswered.len() < MOST_UNANSWERED {
            let Some((request, purpose)) = self.requests.waiting.pop_front() else {
                break;
            };
            self.put_on_line(request, purpose);
        }
        self.pump_all();
        Ok(())
    }

    async fn on_reply(&mut self, purpose: Purpose, answer: Result<Raw, ErrorBody>) -> Step {
        match purpose {
            Purpose::Nothing | Purpose::Delivered(..) => Ok(()),
            Purpose::App(done) => {
                let _ = done.send(answer.map_err(ClientError::from));
                Ok(())
            }
            Purpose::Fill(conversation) => self.on_filled(conversation, read(answer)).await,
            Purpose::Look(conversation, done) => self.on_looked(conversation, read(answer), done).await,
            Purpose::Verify(conversation, received) => {
                self.on_verified(conversation, received, read(answer)).await
            }
            Purpose::Detail(conversation, done) => self.on_detail(conversation, read(answer), done).await,
            Purpose::Rows { since, token } => self.on_rows(since, token, read(answer)).await,
            Purpose::MoreRows(done) => self.on_more_rows(read(answer), done).await,
            Purpose::Open(conversation) => self.on_opened(conversation, read(answer)).await,
            Purpose::Watch => {
                self.on_watched(read(answer));
                Ok(())
            }
            Purpose::Read(conversation, seq) => self.on_marked(conversation, seq, read(answer)).await,
            Purpose::Send(conversation, client_id) => {
                self.on_sent(conversation, client_id, read(answer)).await
            }
            Purpose::Rebase(conversation, from) => {
                self.on_rebase_page(conversation, from, read(answer)).await
            }
            Purpose::Value(client_id) => self.on_value_sent(client_id, read(answer)).await,
            Purpose::OwnHead => self.on_own_head(read(answer)).await,
            Purpose::OwnState(head) => self.on_own_state(head, read(answer)).await,
            Purpose::OwnEntries => self.on_own_page(read(answer)).await,
            Purpose::Profiles(accounts) => self.on_profiles(accounts, read(answer)).await,
            Purpose::Token => self.on_token(read(answer)).await,
        }
    }

    /// The line is gone: nothing on it will be answered.
    pub(super) fn abandon_requests(&mut self) {
        let requests = std::mem::take(&mut self.requests);
        // Ids go on, so that a late reply can never be taken for another's.
        self.requests.last_id = requests.last_id;
        let waiting = requests.waiting.into_iter().map(|(_, purpose)| purpose);
        for purpose in requests.unanswered.into_values().chain(waiting) {
            if let Purpose::Delivered(conversation, seq) = purpose {
                let furthest = self.delivered.entry(conversation).or_default();
                *furthest = seq.max(*furthest);
            }
            purpose.abandon(ClientError::Offline);
        }
        self.fills = super::Fills::default();
    }
}

/// Reads a reply as its type; one that cannot be read counts as an error of the server that trying again may cure.
fn read<T: serde::de::DeserializeOwned>(answer: Result<Raw, ErrorBody>) -> Result<T, ErrorBody> {
    answer?.parse().map_err(|_| suda_proto::Code::Internal.because("the reply cannot be read"))
}
