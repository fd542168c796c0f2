//! Who is there and who types: what the server is asked, what it says, and what the app is told of it.

use std::collections::BTreeSet;

use suda_proto::event::TypingMember;
use suda_proto::presence::{Presence, Presences};
use suda_proto::reply::{Member, Opened};
use suda_proto::request::{ConversationQuery, Foreground, Request, Typing, Watch};
use suda_proto::{AccountId, ConversationId, Entry, ErrorBody, Kind};
use tokio::time::Instant;

use super::request::Purpose;
use super::{Engine, Timer};
use crate::attendance::{Attendance, Changed};
use crate::event::ClientEvent;

/// The accounts on screen are gathered for so long.
const GATHER_MS: u64 = 100;

/// What the server tells only when it is asked is asked for again after so long, while somebody is looking.
const ASK_EVERY_MS: u64 = 30_000;

/// After this pause a list that the server could not take is told again.
const WATCH_AGAIN_MS: u64 = 1_000;

impl Engine {
    /// The app has these accounts on screen; told in a moment, together with what else changes.
    pub(super) fn watch(&mut self, accounts: Vec<AccountId>) {
        self.attendance.send_modify(|attendance| attendance.want(accounts));
        self.after(GATHER_MS, Timer::Watch);
    }

    /// Tells the server who is on screen, where it does not know.
    pub(super) fn send_watch(&mut self) {
        let nobody_looks = self.polls() && !self.foreground;
        if self.contact.line.is_none() || nobody_looks || !self.attendance.borrow().has_to_tell() {
            return;
        }
        let mut accounts = Vec::new();
        self.change_attendance(|attendance| {
            let (told, changed) = attendance.tell();
            accounts = told;
            changed
        });
        self.ask(Request::Watch(Watch { accounts }), Purpose::Watch);
    }

    pub(super) fn on_watched(&mut self, answer: Result<Presences, ErrorBody>) {
        let again = match answer {
            Ok(presences) => {
                self.on_presence(&presences.accounts);
                self.polls().then_some(ASK_EVERY_MS)
            }
            Err(error) => {
                tracing::debug!(code = %error.code, "who is there is not told");
                error.retry_after_ms.map(|pause| pause.max(WATCH_AGAIN_MS))
            }
        };
        if let Some(pause) = again {
            self.attendance.send_modify(Attendance::tell_again);
            self.after(pause, Timer::Watch);
        }
    }

    /// The server says how accounts stand.
    pub(super) fn on_presence(&mut self, presences: &[Presence]) {
        self.change_attendance(|attendance| attendance.hear(presences));
    }

    /// Tells the server that a conversation is on screen.
    pub(super) fn ask_open(&mut self, conversation: ConversationId) {
        let is_this = |purpose: &Purpose| matches!(purpose, Purpose::Open(asked) if *asked == conversation);
        if !self.requests.is_asking(is_this) {
            self.ask(Request::Open(ConversationQuery { conversation }), Purpose::Open(conversation));
        }
    }

    /// The server says who is in an open conversation.
    pub(super) fn on_crowd(&mut self, conversation: ConversationId, opened: &Opened) {
        if !self.on_screen.borrow().contains(&conversation) {
            return;
        }
        let me = self.me;
        self.change_attendance(|attendance| attendance.enter(conversation, me, opened));
        if self.is_asked_for(conversation) {
            self.after(ASK_EVERY_MS, Timer::Presence(conversation));
        }
    }

    /// Members came or went: the server is asked again who is there.
    pub(super) fn check_crowd(&mut self, conversation: ConversationId, members: &[Member]) {
        let accounts = members.iter().map(|member| member.account);
        let others: BTreeSet<AccountId> = accounts.filter(|account| *account != self.me).collect();
        if self.attendance.borrow().is_outdated(conversation, &others) {
            self.ask_open(conversation);
        }
    }

    /// Asks again who is there, while somebody is looking; afterwards whoever comes back asks.
    pub(super) fn refresh_presence(&mut self, conversation: ConversationId) {
        if self.foreground && self.is_asked_for(conversation) {
            self.ask_open(conversation);
        }
    }

    /// Nothing more is heard of who is there in a conversation.
    pub(super) fn leave_crowd(&mut self, conversation: ConversationId) {
        self.timers.clear(Timer::Presence(conversation));
        self.change_attendance(|attendance| attendance.leave(conversation));
        self.forget_typists(Some(conversation));
    }

    /// The line is gone, and with it all that was known.
    pub(super) fn forget_presence(&mut self) {
        self.own_typing.lose();
        self.change_attendance(Attendance::lose);
        self.forget_typists(None);
    }

    /// Somebody looks, or stopped looking.
    pub(super) fn set_foreground(&mut self, foreground: bool) {
        self.foreground = foreground;
        self.tell_foreground();
        if foreground {
            self.look_again();
        }
    }

    /// Tells the server whether somebody looks, where it does not know. Polling has nothing that could be told.
    pub(super) fn tell_foreground(&mut self) {
        let foreground = self.foreground;
        if self.contact.line.is_some() && !self.polls() && self.foreground_told != foreground {
            self.foreground_told = foreground;
            self.ask(Request::Foreground(Foreground { foreground }), Purpose::Nothing);
        }
    }

    /// Asks for what was not asked for while nobody looked.
    fn look_again(&mut self) {
        self.after(GATHER_MS, Timer::Watch);
        let on_screen = self.on_screen.borrow().clone();
        for conversation in on_screen {
            if !self.timers.is_set(Timer::Presence(conversation)) {
                self.refresh_presence(conversation);
            }
        }
    }

    /// Others type or stopped.
    pub(super) fn on_typing(&mut self, typing: TypingMember) {
        let TypingMember { conversation, account, typing } = typing;
        let now = Instant::now();
        if account == self.me {
            return;
        }
        let mut is_news = false;
        self.typists.send_modify(|typists| is_news = typists.note(conversation, account, typing, now));
        self.wait_for_typists();
        if is_news {
            self.announce(ClientEvent::Typing { conversation, account, typing });
        }
    }

    /// Whoever has said something does not type it any more.
    pub(super) fn stop_typing(&mut self, conversation: ConversationId, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| entry.kind == Kind::Message) {
            self.on_typing(TypingMember { conversation, account: entry.author, typing: false });
        }
    }

    /// Whoever was not heard of for a while types no more.
    pub(super) fn expire_typists(&mut self) {
        let mut gone = Vec::new();
        self.typists.send_modify(|typists| gone = typists.expire(Instant::now()));
        self.announce_stopped(gone);
        self.wait_for_typists();
    }

    fn forget_typists(&mut self, conversation: Option<ConversationId>) {
        let mut gone = Vec::new();
        self.typists.send_modify(|typists| gone = typists.leave(conversation));
        self.announce_stopped(gone);
    }

    fn announce_stopped(&self, gone: Vec<(ConversationId, AccountId)>) {
        for (conversation, account) in gone {
            self.announce(ClientEvent::Typing { conversation, account, typing: false });
        }
    }

    fn wait_for_typists(&mut self) {
        if let Some(at) = self.typists.borrow().next_expiry() {
            self.timers.set(at, Timer::Typing);
        }
    }

    /// The account types or stopped; the others are told at most once a second.
    pub(super) fn tell_typing(&mut self, conversation: ConversationId, typing: bool) {
        let is_told =
            self.contact.line.is_some() && self.own_typing.is_to_tell(conversation, typing, Instant::now());
        if is_told {
            self.ask(Request::Typing(Typing { conversation, typing }), Purpose::Nothing);
        }
    }

    /// The account has said something, and types it no more.
    pub(super) fn end_own_typing(&mut self, conversation: ConversationId) {
        self.own_typing.sent(conversation);
    }

    /// Changes what is known of who is there, and tells the app what is another than before.
    fn change_attendance(&mut self, change: impl FnOnce(&mut Attendance) -> Changed) {
        let mut changed = Changed::default();
        self.attendance.send_modify(|attendance| changed = change(attendance));
        if !changed.accounts.is_empty() {
            let accounts = changed.accounts.into_iter().collect();
            self.announce(ClientEvent::PresenceChanged { accounts });
        }
        for conversation in changed.conversations {
            self.announce(ClientEvent::OnlineChanged { conversation });
        }
    }

    /// Whether the server tells who is in this open conversation only when it is asked.
    fn is_asked_for(&self, conversation: ConversationId) -> bool {
        let attendance = self.attendance.borrow();
        attendance.is_counted(conversation) || (self.polls() && attendance.is_open(conversation))
    }

    /// Whether the line polls: then replies tell how things stand, and nothing follows.
    fn polls(&self) -> bool {
        self.contact.line.as_ref().is_some_and(|line| line.polling)
    }
}

#[cfg(test)]
mod tests;
