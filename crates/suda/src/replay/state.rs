//! What one device knows and has to ask next: frames in, requests out, no network.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use suda_proto::entry::MessageBody;
use suda_proto::event::{Entries, Event};
use suda_proto::frame::{OutgoingRequest, ServerFrame};
use suda_proto::reply::{Page, Sent, Welcome, Window};
use suda_proto::request::{Hello, HistoryQuery, Range, Request, Send, WindowQuery};
use suda_proto::{Code, ConversationId, Entry, ErrorBody, Kind, PROTOCOL, Position, Raw};
use tokio::time::Instant;

use super::copy::{Copy, Held};
use super::ledger::Ledger;
use super::outbox::{OUTBOX_MAX, Outbox, Pending};
use super::script::Script;

/// Most pages that are asked for at once.
const PAGES_AT_ONCE: usize = 4;

/// Most requests without an answer; a server takes at least 64.
const UNANSWERED_MAX: usize = OUTBOX_MAX + PAGES_AT_ONCE + 8;

/// Rows of a window.
const WINDOW_ROWS: u32 = 200;

/// Pause after a page that brought nothing new although there should be something.
const IDLE_PAGE_PAUSE: Duration = Duration::from_millis(500);

/// One device.
pub struct State {
    script: Arc<Script>,
    ledger: Arc<Ledger>,
    copies: HashMap<ConversationId, Copy>,
    outbox: Outbox,
    resume: Option<String>,
    session: Session,
}

/// What ends with the connection.
#[derive(Default)]
struct Session {
    requests: u64,
    unanswered: HashMap<u64, Question>,
    /// Conversations to read on in, and those of which a page is under way.
    wanted: BTreeSet<ConversationId>,
    fetching: BTreeSet<ConversationId>,
    /// The rest of the list of conversations, still to be asked for.
    list: Option<List>,
    page_entries: u64,
    paused_until: Option<Instant>,
}

/// A list of conversations that is read in several windows.
#[derive(Clone)]
struct List {
    since: Option<String>,
    after: String,
    /// The device may resume from here once it has read the whole list.
    resume: String,
    is_asked: bool,
}

enum Question {
    Send(usize),
    Page(ConversationId),
    Window,
}

/// The connection is of no use any more: connect again.
pub struct Lost;

impl State {
    /// A device of the account at place `account` that knows nothing yet.
    pub fn new(script: Arc<Script>, ledger: Arc<Ledger>, account: usize) -> Self {
        let copies = script.conversations_of(account).map(|id| (id, Copy::default())).collect();
        let (outbox, session) = (Outbox::default(), Session::default());
        Self { script, ledger, copies, outbox, resume: None, session }
    }

    /// The copies as they are.
    pub fn into_copies(self) -> HashMap<ConversationId, Copy> {
        self.copies
    }

    /// Whether another message can be composed.
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether everything sent is settled and every copy reaches up to its conversation's head.
    pub fn has_reached(&self, heads: &HashMap<ConversationId, u64>) -> bool {
        let reaches =
            |(id, copy): (&ConversationId, &Copy)| heads.get(id).is_none_or(|head| copy.have() >= *head);
        self.outbox.is_empty() && self.copies.iter().all(reaches)
    }

    /// The first frame of a new connection.
    pub fn hello(&self, token: &str) -> Hello {
        Hello {
            protocol: PROTOCOL,
            features: Vec::new(),
            token: Some(token.to_owned()),
            foreground: true,
            resume: self.resume.clone(),
            window: Some(WINDOW_ROWS),
        }
    }

    /// A connection stands: what was under way on the last one is asked again.
    pub fn welcome(&mut self, welcome: Welcome) {
        self.session = Session { page_entries: u64::from(welcome.limits.page_entries), ..Session::default() };
        self.outbox.repeat_all();
        let since = self.resume.clone().filter(|_| welcome.resumed);
        let resume = welcome.window.resume.clone();
        self.learn_window(welcome.window, since, resume);
        // What the last connection announced may lie before the point of resumption.
        let behind = self.copies.iter().filter(|(_, copy)| copy.is_behind());
        self.session.wanted.extend(behind.map(|(id, _)| *id));
        self.ledger.advance();
    }

    /// Composes a message: from now on it is in the outbox.
    pub fn compose(&mut self, message: usize) {
        let conversation = self.script.conversation_of(message);
        let base = self.copies.get(&conversation).map_or(0, Copy::have);
        self.outbox.push(message, conversation, self.ledger.client_id(message), base);
    }

    /// Until when nothing may be asked, because the server said so.
    pub const fn paused_until(&self) -> Option<Instant> {
        self.session.paused_until
    }

    /// The next request, if there is something to ask.
    pub fn next_request(&mut self) -> Option<OutgoingRequest> {
        if self.session.paused_until.is_some_and(|until| until > Instant::now()) {
            return None;
        }
        self.session.paused_until = None;
        if self.session.unanswered.len() >= UNANSWERED_MAX {
            return None;
        }
        let id = self.session.requests + 1;
        let (question, request) =
            self.next_send(id).or_else(|| self.next_page()).or_else(|| self.next_window())?;
        self.session.requests = id;
        self.session.unanswered.insert(id, question);
        Some(OutgoingRequest { id, request })
    }

    fn next_send(&mut self, id: u64) -> Option<(Question, Request)> {
        let (Pending { message, conversation, client_id, base, .. }, after) = self.outbox.next_due(id)?;
        self.ledger.sending(message);
        let body = MessageBody::Text { text: self.script.text(message).to_owned(), data: None };
        let send = Send {
            conversation,
            client_id,
            base,
            after,
            kind: Kind::Message,
            target: None,
            mentions: Vec::new(),
            body: Some(Raw::of(&body)),
        };
        Some((Question::Send(message), Request::Send(send)))
    }

    fn next_page(&mut self) -> Option<(Question, Request)> {
        if self.session.fetching.len() >= PAGES_AT_ONCE {
            return None;
        }
        let conversation = self.session.wanted.pop_first()?;
        self.session.fetching.insert(conversation);
        let from = self.copies.get(&conversation).map_or(0, Copy::have) + 1;
        let range = Range::Between { from, to: from + self.session.page_entries.max(1) - 1 };
        Some((Question::Page(conversation), Request::History(HistoryQuery { conversation, range })))
    }

    fn next_window(&mut self) -> Option<(Question, Request)> {
        let list = self.session.list.as_mut().filter(|list| !list.is_asked)?;
        list.is_asked = true;
        let (since, after) = (list.since.clone(), Some(list.after.clone()));
        Some((Question::Window, Request::Window(WindowQuery { since, after, limit: Some(WINDOW_ROWS) })))
    }

    /// Takes a frame of the server.
    ///
    /// # Errors
    /// Where the connection is to be given up: the server lost track, or broke the protocol.
    pub fn take(&mut self, frame: ServerFrame) -> Result<(), Lost> {
        match frame {
            ServerFrame::Event(Event::Entries(entries)) => self.take_entries(&entries),
            ServerFrame::Event(Event::Reset(reset)) => {
                if let Some(copy) = self.copies.get_mut(&reset.conversation) {
                    copy.reset(reset.epoch);
                    self.want(reset.conversation);
                }
            }
            ServerFrame::Event(Event::Resync {}) => return Err(Lost),
            ServerFrame::Event(_) => {}
            ServerFrame::Ok { id, ok } => self.take_answer(id, &ok)?,
            ServerFrame::Error { id, error } => self.take_error(id, &error),
        }
        Ok(())
    }

    fn take_entries(&mut self, entries: &Entries) {
        let Some(copy) = self.copies.get_mut(&entries.conversation) else {
            return;
        };
        for entry in &entries.entries {
            let is_news = copy.take(entries.epoch, Held::of(entry));
            let is_own = settle(&mut self.outbox, &self.ledger, entries.epoch, entry);
            if is_news && !is_own {
                self.ledger.deliver(entry.client_id);
            }
        }
        if copy.is_behind() {
            self.want(entries.conversation);
        }
    }

    fn take_answer(&mut self, id: u64, ok: &Raw) -> Result<(), Lost> {
        match self.session.unanswered.remove(&id) {
            Some(Question::Send(message)) => self.take_sent(id, message, ok.parse().map_err(|_| Lost)?),
            Some(Question::Page(_)) => self.take_page(ok.parse().map_err(|_| Lost)?),
            Some(Question::Window) => {
                let window: Window = ok.parse().map_err(|_| Lost)?;
                if let Some(list) = self.session.list.take() {
                    self.learn_window(window, list.since, list.resume);
                }
            }
            None => self.ledger.note_error("unexpected_reply"),
        }
        Ok(())
    }

    fn take_sent(&mut self, id: u64, message: usize, sent: Sent) {
        self.outbox.settle(id);
        let Sent { conversation, position, at, .. } = sent;
        self.ledger.acknowledge(message, position);
        let Some(copy) = self.copies.get_mut(&conversation) else {
            return;
        };
        let client_id = self.ledger.client_id(message);
        let message = Some(self.script.fingerprint(message));
        copy.take(position.epoch, Held { seq: position.seq, at, client_id, message });
        if copy.is_behind() {
            self.want(conversation);
        }
    }

    fn take_page(&mut self, page: Page) {
        let Page { conversation, epoch, head, from, to, entries } = page;
        self.session.fetching.remove(&conversation);
        let Some(copy) = self.copies.get_mut(&conversation) else {
            return;
        };
        let before = copy.have();
        copy.take_page(epoch, (from, to), head, &entries);
        let (have, is_behind) = (copy.have(), copy.is_behind());
        for entry in &entries {
            settle(&mut self.outbox, &self.ledger, epoch, entry);
        }
        if have >= head {
            self.outbox.renew(conversation, have);
        }
        if have > before {
            self.ledger.advance();
        } else if is_behind {
            self.pause(IDLE_PAGE_PAUSE);
        }
        if is_behind {
            self.want(conversation);
        }
    }

    fn take_error(&mut self, id: Option<u64>, error: &ErrorBody) {
        let question = id.and_then(|id| self.session.unanswered.remove(&id));
        let retry = error.retry_after_ms.map(Duration::from_millis);
        match (question, id) {
            (Some(Question::Send(_)), Some(id)) => self.take_send_error(id, error, retry),
            (Some(Question::Page(conversation)), _) => {
                self.session.fetching.remove(&conversation);
                self.ledger.note_error(&error.code);
                self.pause(retry.unwrap_or(IDLE_PAGE_PAUSE));
                self.want(conversation);
            }
            (Some(Question::Window), _) => {
                self.ledger.note_error(&error.code);
                self.pause(retry.unwrap_or(IDLE_PAGE_PAUSE));
                self.session.list.iter_mut().for_each(|list| list.is_asked = false);
            }
            _ => self.ledger.note_error(&error.code),
        }
    }

    fn take_send_error(&mut self, id: u64, error: &ErrorBody, retry: Option<Duration>) {
        if !self.outbox.awaits(id) {
            // It was sent again meanwhile; that answer counts.
            return;
        }
        if error.known() == Some(Code::StaleBase) {
            self.ledger.note_error(&error.code);
            if let Some(conversation) = self.outbox.hold_from(id) {
                self.want(conversation);
            }
        } else if let Some(retry) = retry {
            self.ledger.note_error(&error.code);
            self.outbox.repeat_from(id);
            self.pause(retry);
        } else if self.outbox.settle(id).is_some() {
            self.ledger.refuse(error);
        }
    }

    /// Learns from a window; where the list goes on, the rest is asked for before the device may resume from it.
    fn learn_window(&mut self, window: Window, since: Option<String>, resume: String) {
        for row in &window.rows {
            let Some(copy) = self.copies.get_mut(&row.conversation) else {
                continue;
            };
            copy.learn_head(row.epoch, row.head);
            if copy.is_behind() {
                self.want(row.conversation);
            }
        }
        match window.next {
            Some(after) => self.session.list = Some(List { since, after, resume, is_asked: false }),
            None => self.resume = Some(resume),
        }
    }

    /// Reads on in a conversation, unless a page of it is under way: that one tells whether more is wanted.
    fn want(&mut self, conversation: ConversationId) {
        if !self.session.fetching.contains(&conversation) {
            self.session.wanted.insert(conversation);
        }
    }

    fn pause(&mut self, pause: Duration) {
        let until = Instant::now() + pause.mul_f64(rand::Rng::random_range(&mut rand::rng(), 0.5..1.5));
        self.session.paused_until =
            Some(self.session.paused_until.map_or(until, |earlier| earlier.max(until)));
    }
}

/// An entry of a message in the outbox is as good as its acknowledgement.
fn settle(outbox: &mut Outbox, ledger: &Ledger, epoch: u32, entry: &Entry) -> bool {
    let settled = outbox.settle_client_id(entry.client_id);
    if let Some(pending) = &settled {
        ledger.acknowledge(pending.message, Position { epoch, seq: entry.seq });
    }
    settled.is_some()
}
