//! What is asked on the line, when, and what the app hears of it. The test is the server, and lets time pass.

use serde::Serialize;
use suda_proto::event::{Entries, Event};
use suda_proto::frame::{OutgoingRequest, ServerFrame};
use suda_proto::presence::PresenceState;
use suda_proto::reply::{Welcome, Window};
use suda_proto::{ClientId, Code, DeviceId, Limits, PROTOCOL, Raw};
use tokio::sync::{broadcast, mpsc};

use super::*;
use crate::cache::{Cache, Session};
use crate::engine::link::{Line, MOST_UNANSWERED};
use crate::engine::{Command, Composed, Handle};
use crate::error::ConnectionError;
use crate::model::CacheLocation;
use crate::rest::Rest;

const ME: AccountId = AccountId::from_bytes([1; 16]);
const JUN: AccountId = AccountId::from_bytes([2; 16]);
const SORA: AccountId = AccountId::from_bytes([3; 16]);
const GROUP: ConversationId = ConversationId::from_bytes([10; 16]);

/// An engine without a network, and the other end of its line.
struct Device {
    engine: Engine,
    handle: Handle,
    events: broadcast::Receiver<ClientEvent>,
    line: Option<mpsc::Receiver<OutgoingRequest>>,
}

impl Device {
    async fn new() -> Self {
        let account = serde_json::json!({
            "account": ME, "name": "a", "display_name": "A", "colour": 1, "who_may_message": "everyone",
            "who_may_add": "everyone", "language": "en", "created_at": 1, "recovery_codes_left": 0
        });
        let session = Session {
            server: "http://localhost".to_owned(),
            account: serde_json::from_value(account).expect("an account"),
            device: DeviceId::from_bytes([9; 16]),
            token: "token".to_owned(),
        };
        let cache = Cache::open(&CacheLocation::Memory).await.expect("a cache");
        let rest = Rest::new(&session.server, None).expect("a client");
        let (engine, handle) = Engine::new(cache, rest, &session).await.expect("an engine");
        let events = handle.events.subscribe();
        Self { engine, handle, events, line: None }
    }

    /// A new line, over a WebSocket.
    async fn connect(&mut self) {
        let (requests, line) = mpsc::channel(MOST_UNANSWERED);
        let (_, incoming) = mpsc::channel(1);
        self.line = Some(line);
        let welcome = Welcome {
            protocol: PROTOCOL,
            features: Vec::new(),
            limits: Limits::default(),
            heartbeat_seconds: 25,
            account: ME,
            device: DeviceId::from_bytes([9; 16]),
            now: 5,
            resumed: false,
            window: Window { rows: Vec::new(), next: None, resume: "r".to_owned() },
        };
        let line = Line { requests, incoming, polling: false };
        self.engine.on_welcome(line, welcome).await.expect("welcomed");
    }

    /// The same line polls from now on.
    fn poll(&mut self) {
        let line = self.engine.contact.line.as_mut();
        line.expect("a line").polling = true;
    }

    async fn lose(&mut self) {
        self.engine.on_lost(&ConnectionError::Silent).await.expect("lost");
    }

    async fn command(&mut self, command: Command) {
        self.engine.on_command(command).await.expect("done");
    }

    /// Lets a timer fire that has to be set.
    async fn pass(&mut self, timer: Timer) {
        assert!(self.engine.timers.is_set(timer), "{timer:?}");
        self.engine.timers.clear(timer);
        self.engine.on_timer(timer).await.expect("done");
    }

    /// What the server was asked since it was looked at last, of what matters here.
    fn asked(&mut self) -> Vec<OutgoingRequest> {
        self.asked_of(|request| {
            matches!(
                request,
                Request::Watch(_)
                    | Request::Open(_)
                    | Request::Close(_)
                    | Request::Foreground(_)
                    | Request::Typing(_)
            )
        })
    }

    /// What the server was asked since it was looked at last, of what matters to the caller.
    fn asked_of(&mut self, matters: impl Fn(&Request) -> bool) -> Vec<OutgoingRequest> {
        let line = &mut self.line;
        let all = std::iter::from_fn(|| line.as_mut()?.try_recv().ok());
        all.filter(|asked| matters(&asked.request)).collect()
    }

    /// The one request of the group's row since it was looked at last, and the one of its log.
    fn asked_of_group(&mut self) -> (Option<u64>, Option<u64>) {
        let asked = self.asked_of(|request| match request {
            Request::Conversation(query) => query.conversation == GROUP,
            Request::History(query) => query.conversation == GROUP,
            _ => false,
        });
        let (row, log): (Vec<_>, Vec<_>) =
            asked.into_iter().partition(|asked| matches!(asked.request, Request::Conversation(_)));
        (row.first().map(|asked| asked.id), log.first().map(|asked| asked.id))
    }

    /// As [`Self::asked`], the requests alone.
    fn requests(&mut self) -> Vec<Request> {
        self.asked().into_iter().map(|asked| asked.request).collect()
    }

    async fn answer<T: Serialize>(&mut self, id: u64, reply: &T) {
        self.engine.on_frame(ServerFrame::Ok { id, ok: Raw::of(reply) }).await.expect("taken");
    }

    async fn happen(&mut self, event: Event) {
        self.engine.on_frame(ServerFrame::Event(event)).await.expect("taken");
    }

    /// What the app was told since it was looked at last, of what matters here.
    fn told(&mut self) -> Vec<ClientEvent> {
        let mut told = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            let matters = matches!(
                event,
                ClientEvent::PresenceChanged { .. }
                    | ClientEvent::OnlineChanged { .. }
                    | ClientEvent::Typing { .. }
            );
            if matters {
                told.push(event);
            }
        }
        told
    }

    fn state(&self, account: AccountId) -> PresenceState {
        self.handle.attendance.borrow().of(account).state
    }
}

fn presence(account: AccountId, state: PresenceState) -> Presence {
    Presence { account, state, last_active_at: None }
}

fn presences(account: AccountId, state: PresenceState) -> Presences {
    Presences { accounts: vec![presence(account, state)] }
}

fn watch(accounts: &[AccountId]) -> Request {
    Request::Watch(Watch { accounts: accounts.to_vec() })
}

fn open() -> Request {
    Request::Open(ConversationQuery { conversation: GROUP })
}

/// A reply to `open` with Jun and Sora; large groups have no states.
fn opened(online: u32, presences: Vec<Presence>) -> Opened {
    let member = |account| Member { account, role: suda_proto::entry::Role::Member, delivered: 0, read: 0 };
    let members = [ME, JUN, SORA].map(member).to_vec();
    Opened { epoch: 1, head: 1, members, online: Some(online), presences }
}

fn typing(account: AccountId, typing: bool) -> Event {
    Event::Typing(TypingMember { conversation: GROUP, account, typing })
}

fn said(seq: u64, author: AccountId) -> Event {
    let entry = Entry {
        seq,
        at: 1,
        kind: Kind::Message,
        author,
        client_id: ClientId::caused_by("test", &[&seq.to_be_bytes()]),
        ordinal: seq,
        target: None,
        mentions: Vec::new(),
        body: None,
        standing: None,
    };
    Event::Entries(Entries { conversation: GROUP, epoch: 1, entries: vec![entry] })
}

fn changed(accounts: &[AccountId]) -> ClientEvent {
    ClientEvent::PresenceChanged { accounts: accounts.to_vec() }
}

#[tokio::test]
async fn lists_are_gathered_told_once_and_told_again_on_a_new_line() {
    let mut device = Device::new().await;
    device.command(Command::Watch(vec![JUN])).await;
    device.connect().await;
    assert_eq!(device.requests(), [watch(&[JUN])], "without a pause");
    for accounts in [vec![SORA], Vec::new(), vec![SORA, JUN]] {
        device.command(Command::Watch(accounts)).await;
    }
    assert_eq!(device.requests(), []);
    device.pass(Timer::Watch).await;
    assert_eq!(device.requests(), [watch(&[JUN, SORA])]);
    device.command(Command::Watch(vec![JUN, SORA])).await;
    device.pass(Timer::Watch).await;
    assert_eq!(device.requests(), [], "the server knows");
    device.lose().await;
    device.connect().await;
    assert_eq!(device.requests(), [watch(&[JUN, SORA])]);
    device.command(Command::Watch(Vec::new())).await;
    device.pass(Timer::Watch).await;
    assert_eq!(device.requests(), [watch(&[])], "the server is told that it ended");
}

#[tokio::test]
async fn what_is_told_is_known_until_the_line_is_lost() {
    let mut device = Device::new().await;
    device.connect().await;
    device.command(Command::Watch(vec![JUN])).await;
    device.pass(Timer::Watch).await;
    let id = device.asked()[0].id;
    device.answer(id, &presences(JUN, PresenceState::Away)).await;
    assert_eq!(device.told(), [changed(&[JUN])]);
    device.happen(Event::Presence(presences(JUN, PresenceState::Online))).await;
    device.happen(Event::Presence(presences(JUN, PresenceState::Online))).await;
    device.happen(Event::Presence(presences(SORA, PresenceState::Online))).await;
    assert_eq!(device.told(), [changed(&[JUN])], "once, and nobody else");
    assert_eq!(device.state(JUN), PresenceState::Online);
    device.lose().await;
    assert_eq!(device.told(), [changed(&[JUN])]);
    assert_eq!(device.state(JUN), PresenceState::Unknown, "not offline");
}

#[tokio::test]
async fn a_list_that_is_refused_for_now_is_told_again() {
    let mut device = Device::new().await;
    device.command(Command::Watch(vec![JUN])).await;
    device.connect().await;
    for code in [Code::Overloaded, Code::BadRequest] {
        let id = device.asked()[0].id;
        let error = ErrorBody { retry_after_ms: (code == Code::Overloaded).then_some(5), ..code.error() };
        device.engine.on_frame(ServerFrame::Error { id: Some(id), error }).await.expect("taken");
        if code == Code::Overloaded {
            device.pass(Timer::Watch).await;
        }
    }
    assert!(!device.engine.timers.is_set(Timer::Watch), "asking again would not help");
}

#[tokio::test]
async fn members_of_an_open_group_are_followed_and_those_of_a_large_one_counted_while_somebody_looks() {
    let mut device = Device::new().await;
    device.connect().await;
    device.command(Command::Open(GROUP)).await;
    let id = device.asked()[0].id;
    let states = vec![presence(JUN, PresenceState::Online), presence(SORA, PresenceState::Hidden)];
    device.answer(id, &opened(1, states)).await;
    assert_eq!(device.told(), [changed(&[JUN, SORA]), ClientEvent::OnlineChanged { conversation: GROUP }]);
    assert!(!device.engine.timers.is_set(Timer::Presence(GROUP)), "changes are told");
    device.lose().await;
    device.connect().await;

    let id = device.asked()[0].id;
    device.answer(id, &opened(70, Vec::new())).await;
    device.pass(Timer::Presence(GROUP)).await;
    let asked = device.asked();
    assert_eq!(asked[0].request, open());
    device.answer(asked[0].id, &opened(71, Vec::new())).await;
    assert_eq!(device.handle.attendance.borrow().online(GROUP), Some(71));
    device.command(Command::Foreground(false)).await;
    device.pass(Timer::Presence(GROUP)).await;
    let background = Request::Foreground(Foreground { foreground: false });
    assert_eq!(device.requests(), [background], "nobody looks");
    device.command(Command::Foreground(true)).await;
    let foreground = Request::Foreground(Foreground { foreground: true });
    assert_eq!(device.requests(), [foreground, open()]);
    device.command(Command::Close(GROUP)).await;
    assert_eq!(device.requests(), [Request::Close(ConversationQuery { conversation: GROUP })]);
    assert_eq!(device.handle.attendance.borrow().online(GROUP), None);
    device.command(Command::Foreground(true)).await;
    assert_eq!(device.requests(), [], "the server knows");
}

#[tokio::test]
async fn where_nothing_follows_everything_is_asked_for_again_while_somebody_looks() {
    let mut device = Device::new().await;
    device.connect().await;
    device.poll();
    device.command(Command::Watch(vec![JUN])).await;
    device.pass(Timer::Watch).await;
    device.command(Command::Open(GROUP)).await;
    for looks in [true, false] {
        device.command(Command::Foreground(looks)).await;
        for asked in device.asked() {
            match asked.request {
                Request::Watch(_) => device.answer(asked.id, &presences(JUN, PresenceState::Away)).await,
                Request::Open(_) => {
                    device.answer(asked.id, &opened(0, vec![presence(JUN, PresenceState::Away)])).await;
                }
                request => panic!("{request:?} means nothing here"),
            }
        }
        device.pass(Timer::Presence(GROUP)).await;
        device.pass(Timer::Watch).await;
    }
    assert_eq!(device.requests(), []);
    assert_eq!(device.state(JUN), PresenceState::Away);
    device.command(Command::Foreground(true)).await;
    device.pass(Timer::Watch).await;
    assert_eq!(device.requests(), [open(), watch(&[JUN])]);
}

#[tokio::test]
async fn a_reply_that_comes_after_closing_counts_no_more() {
    let mut device = Device::new().await;
    device.connect().await;
    device.command(Command::Open(GROUP)).await;
    let id = device.asked()[0].id;
    device.command(Command::Close(GROUP)).await;
    device.answer(id, &opened(70, Vec::new())).await;
    assert_eq!(device.handle.attendance.borrow().online(GROUP), None);
    assert!(!device.engine.timers.is_set(Timer::Presence(GROUP)));
}

#[tokio::test]
async fn whoever_joins_an_open_group_is_asked_for() {
    let mut device = Device::new().await;
    device.connect().await;
    device.command(Command::Open(GROUP)).await;
    let id = device.asked()[0].id;
    let reply = opened(0, vec![presence(JUN, PresenceState::Away), presence(SORA, PresenceState::Away)]);
    let members = reply.members.clone();
    device.answer(id, &reply).await;
    device.engine.check_crowd(GROUP, &members);
    assert_eq!(device.requests(), []);
    device.engine.check_crowd(GROUP, &members[..2]);
    device.engine.check_crowd(GROUP, &members[..2]);
    assert_eq!(device.requests(), [open()]);
}

#[tokio::test]
async fn what_changed_while_a_line_was_sought_is_told_on_it() {
    let mut device = Device::new().await;
    device.command(Command::Foreground(false)).await;
    device.connect().await;
    let background = Request::Foreground(Foreground { foreground: false });
    assert_eq!(device.requests(), [background], "its hello said otherwise");
}

#[tokio::test]
async fn typing_of_others_ends_by_itself_with_a_message_and_with_the_line() {
    let mut device = Device::new().await;
    device.connect().await;
    let told = |account, typing| ClientEvent::Typing { conversation: GROUP, account, typing };
    device.happen(typing(ME, true)).await;
    device.happen(typing(JUN, true)).await;
    device.happen(typing(JUN, true)).await;
    device.happen(typing(SORA, true)).await;
    assert_eq!(device.told(), [told(JUN, true), told(SORA, true)]);
    assert_eq!(device.handle.typists.borrow().of(GROUP), [JUN, SORA]);
    device.happen(typing(SORA, false)).await;
    assert_eq!(device.told(), [told(SORA, false)]);
    device.happen(typing(SORA, true)).await;
    device.happen(said(1, SORA)).await;
    assert_eq!(device.told(), [told(SORA, true), told(SORA, false)]);
    device.pass(Timer::Typing).await;
    assert_eq!(device.told(), [], "not yet");
    assert!(device.engine.timers.is_set(Timer::Typing));
    device.lose().await;
    assert_eq!(device.told(), [told(JUN, false)]);
}

#[tokio::test]
async fn own_typing_is_told_now_and_then_and_ends_with_the_message_or_the_conversation() {
    let mut device = Device::new().await;
    device.connect().await;
    let told = |typing| Request::Typing(Typing { conversation: GROUP, typing });
    for _ in 0..3 {
        device.command(Command::Typing(GROUP, true)).await;
    }
    assert_eq!(device.requests(), [told(true)]);
    let (done, _) = tokio::sync::oneshot::channel();
    let composed =
        Composed { conversation: GROUP, kind: Kind::Message, target: None, mentions: Vec::new(), body: None };
    device.command(Command::Compose(composed, done)).await;
    device.command(Command::Typing(GROUP, false)).await;
    device.command(Command::Close(GROUP)).await;
    assert!(!device.requests().contains(&told(false)), "the message says so itself");
    device.lose().await;
    device.connect().await;
    device.command(Command::Typing(GROUP, true)).await;
    device.command(Command::Close(GROUP)).await;
    let close = Request::Close(ConversationQuery { conversation: GROUP });
    assert_eq!(device.requests(), [told(true), told(false), close]);
}

#[tokio::test]
async fn a_new_group_appears_although_its_row_was_read_before_a_message_that_came_first() {
    let mut device = Device::new().await;
    device.connect().await;
    let detail = |head: u64| {
        let row = serde_json::json!({
            "conversation": GROUP, "kind": "group", "epoch": 1, "head": head, "floor": 1, "ordinal": head, "at": 1,
            "members": 3, "role": "member", "read": 0, "unread": 0, "mentions": 0
        });
        serde_json::json!({
            "row": row, "members": [], "history": "all", "edit_seconds": 0, "dissolved": false
        })
    };
    device.happen(said(1, JUN)).await;
    let (row, _) = device.asked_of_group();
    device.happen(said(2, JUN)).await;
    device.answer(row.expect("asked for the row"), &detail(1)).await;
    let (_, log) = device.asked_of_group();
    let page = serde_json::json!({ "conversation": GROUP, "epoch": 1, "head": 2, "from": 2, "to": 2, "entries": [] });
    device.answer(log.expect("asked for the log"), &page).await;
    let (row, _) = device.asked_of_group();
    device.answer(row.expect("asked for the row again"), &detail(2)).await;
    let held = device.engine.held.get(&GROUP).and_then(|held| held.row.as_ref());
    assert_eq!(held.map(|row| row.head), Some(2));
}
