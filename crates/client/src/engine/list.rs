//! The list of conversations: rows, windows of rows, and single conversations.

use suda_proto::entry::ConversationKind;
use suda_proto::reply::{Detail, Row, Window};
use suda_proto::request::{ConversationQuery, Request, WindowQuery};
use suda_proto::{Code, ConversationId, ErrorBody};

use super::request::{Done, Purpose};
use super::{Engine, Step, Timer};
use crate::cache::{Held, Write};
use crate::conversation::Conversation;
use crate::error::ConnectionError;
use crate::event::ClientEvent;
use crate::sync;

/// How many rows are asked for at a time.
const ROWS: u32 = 200;

/// After this pause a conversation that could not be told is asked for again.
const DETAIL_AGAIN_MS: u64 = 1_000;

impl Engine {
    /// Applies the window that came with the welcome.
    pub(super) async fn apply_first_window(&mut self, since: Option<String>, window: Window) -> Step {
        self.apply_window(since, None, window).await
    }

    /// Where no welcome tells: asks for the rows touched since the resume token, or for the newest.
    pub(super) fn ask_first_window(&mut self) {
        let since = self.progress.resume.clone();
        let query = WindowQuery { since: since.clone(), after: None, limit: Some(ROWS) };
        self.ask(Request::Window(query), Purpose::Rows { since, token: None });
    }

    pub(super) async fn on_rows(
        &mut self,
        since: Option<String>,
        token: Option<String>,
        answer: Result<Window, ErrorBody>,
    ) -> Step {
        match answer {
            Ok(window) => self.apply_window(since, token, window).await,
            // The server does not know the token any more: begin like a new device.
            Err(error) if since.is_some() && error.known() == Some(Code::BadRequest) => {
                self.progress.resume = None;
                self.ask_first_window();
                Ok(())
            }
            // Without these rows something could be missed: begin again from the last token.
            Err(error) => {
                tracing::warn!(code = %error.code, "the list of conversations cannot be read");
                self.on_lost(&ConnectionError::Closed { code: None }).await
            }
        }
    }

    /// Applies a window. The resume token of the first one counts once every row it speaks for is applied: all those
    /// touched `since`, or, where the server could not resume, all there are if the cache holds any that may be behind.
    async fn apply_window(&mut self, since: Option<String>, token: Option<String>, window: Window) -> Step {
        let must_end = since.is_some() || token.is_some() || !self.held.is_empty();
        let Window { rows, next, resume } = window;
        let token = token.unwrap_or(resume);
        if must_end && next.is_some() {
            self.apply_rows(rows, Vec::new()).await?;
            let query = WindowQuery { since: since.clone(), after: next, limit: Some(ROWS) };
            self.ask(Request::Window(query), Purpose::Rows { since, token: Some(token) });
            return Ok(());
        }
        let mut writes = vec![Write::Resume(token.clone())];
        self.progress.resume = Some(token);
        if since.is_none() {
            self.progress.next_window = next.clone();
            writes.push(Write::NextWindow(next));
        }
        self.progress.cursor = self.next_cursor.take();
        writes.extend(self.progress.cursor.clone().map(Write::Cursor));
        self.apply_rows(rows, writes).await
    }

    /// Rows of a poll. A full answer may leave some out: then the whole list is read once.
    pub(super) async fn on_polled_rows(&mut self, rows: Vec<Row>) -> Step {
        let is_full = rows.len() >= ROWS as usize;
        self.apply_rows(rows, Vec::new()).await?;
        if is_full && !self.is_paging() {
            let query = WindowQuery { since: None, after: None, limit: Some(ROWS) };
            self.ask(Request::Window(query), Purpose::Rows { since: None, token: None });
        }
        Ok(())
    }

    /// Whether rows are still to come before the resume token counts.
    pub(super) fn is_paging(&self) -> bool {
        self.requests.is_asking(|purpose| matches!(purpose, Purpose::Rows { .. }))
    }

    /// Takes the server's word for rows; `writes` are committed with them.
    pub(super) async fn apply_rows(&mut self, rows: Vec<Row>, writes: Vec<Write>) -> Step {
        let mut writes = writes;
        let (mut voided, mut doubtful, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            let conversation = row.conversation;
            // The own conversation is in no list of this server.
            if row.kind == ConversationKind::Own {
                continue;
            }
            self.meet_row(&row);
            let unheard = || Held { state: Conversation::new(row.epoch, row.head), ..Held::default() };
            let mut held = self.held.get(&conversation).cloned().unwrap_or_else(unheard);
            if held.state.is_doubtful(row.epoch, row.head) {
                doubtful.push(conversation);
                continue;
            }
            let is_void = held.state.hear(row.epoch, row.head);
            take_row(&mut held, row);
            if is_void {
                voided.push((conversation, held));
                continue;
            }
            writes.push(Write::Conversation(conversation, held.clone()));
            changed.push(conversation);
            self.held.insert(conversation, held);
        }
        self.cache.write(writes).await?;
        for (conversation, held) in voided {
            self.void(conversation, held).await?;
        }
        doubtful.into_iter().for_each(|conversation| self.verify(conversation));
        for conversation in changed {
            self.announce(ClientEvent::ConversationChanged { conversation });
            self.want_unseen(conversation);
        }
        Ok(())
    }

    /// Fetches what a row promises: the gap of a cached conversation, or what is unread of another.
    fn want_unseen(&mut self, conversation: ConversationId) {
        let Some(held) = self.held.get(&conversation) else {
            return;
        };
        // A former member gets nothing more.
        let Some(row) = held.row.as_ref().filter(|row| row.role.is_some()) else {
            return;
        };
        if held.state.missing().is_some() || (row.unread > 0 && held.state.known.is_empty()) {
            self.want_fill(conversation);
        }
    }

    /// Asks for one conversation's row and members, unless that is under way.
    pub(super) fn refresh(&mut self, conversation: ConversationId) {
        let is_this =
            |purpose: &Purpose| matches!(purpose, Purpose::Detail(asked, _) if *asked == conversation);
        if !self.requests.is_asking(is_this) {
            self.ask_detail(conversation, None);
        }
    }

    pub(super) fn ask_detail(&mut self, conversation: ConversationId, done: Option<Done<()>>) {
        let request = Request::Conversation(ConversationQuery { conversation });
        self.ask(request, Purpose::Detail(conversation, done));
    }

    pub(super) async fn on_detail(
        &mut self,
        conversation: ConversationId,
        answer: Result<Detail, ErrorBody>,
        done: Option<Done<()>>,
    ) -> Step {
        let outcome = match answer {
            Ok(detail) => {
                self.apply_rows(vec![detail.row.clone()], Vec::new()).await?;
                detail.members.iter().for_each(|member| self.meet(member.account));
                self.check_crowd(conversation, &detail.members);
                self.cache.write(vec![Write::Detail(conversation, detail)]).await?;
                self.announce(ClientEvent::MarksChanged { conversation });
                Ok(())
            }
            Err(error) => {
                match (error.known(), error.retry_after_ms) {
                    (Some(Code::NotMember | Code::NoSuchConversation), _) => self.left(conversation).await?,
                    (_, Some(pause)) => self.after(pause.max(DETAIL_AGAIN_MS), Timer::Refresh(conversation)),
                    (_, None) => {}
                }
                Err(error.into())
            }
        };
        if let Some(done) = done {
            let _ = done.send(outcome);
        }
        Ok(())
    }

    /// The account is no member any more; what it saw stays.
    async fn left(&mut self, conversation: ConversationId) -> Step {
        let Some(held) = self.held.get_mut(&conversation) else {
            return Ok(());
        };
        let Some(row) = held.row.as_mut().filter(|row| row.role.is_some()) else {
            return Ok(());
        };
        row.role = None;
        let write = Write::Conversation(conversation, held.clone());
        self.cache.write(vec![write]).await?;
        self.leave_crowd(conversation);
        self.announce(ClientEvent::ConversationChanged { conversation });
        Ok(())
    }

    /// Asks for more of the list than the first window held.
    pub(super) fn more_rows(&mut self, done: Done<bool>) {
        let Some(after) = self.progress.next_window.clone() else {
            let _ = done.send(Ok(false));
            return;
        };
        let query = WindowQuery { since: None, after: Some(after), limit: Some(ROWS) };
        self.ask(Request::Window(query), Purpose::MoreRows(done));
    }

    pub(super) async fn on_more_rows(&mut self, answer: Result<Window, ErrorBody>, done: Done<bool>) -> Step {
        let outcome = match answer {
            Ok(window) => {
                let more = window.next.is_some();
                self.progress.next_window = window.next.clone();
                self.apply_rows(window.rows, vec![Write::NextWindow(window.next)]).await?;
                Ok(more)
            }
            Err(error) => Err(error.into()),
        };
        let _ = done.send(outcome);
        Ok(())
    }
}

/// Replaces a row, but keeps what this device has read and not yet told.
fn take_row(held: &mut Held, mut row: Row) {
    match held.read_wanted {
        Some(wanted) if wanted > row.read => sync::read_locally(&mut row, wanted),
        _ => held.read_wanted = None,
    }
    held.row = Some(row);
}
