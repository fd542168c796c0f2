//! The engine: one task that owns the line, the outbox and every write to the cache.
//!
//! It takes three kinds of happenings, one at a time: commands of the app, frames of the server, timers. Calls of the
//! app that only read go to the cache directly.

mod command;
mod history;
mod line;
pub mod link;
mod list;
mod marks;
mod own;
mod people;
mod presence;
pub mod reconnect;
mod request;
mod sending;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use suda_proto::event::Event;
use suda_proto::reply::Welcome;
use suda_proto::{AccountId, ConversationId, Limits};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use self::command::{Command, Composed};
use self::link::{Incoming, Line};
use self::reconnect::{Failure, Reconnect};
use self::request::{Done, Requests};
use self::timers::{Timer, Timers};
use crate::attendance::Attendance;
use crate::backoff::Backoff;
use crate::cache::{Cache, Held, Progress, Session, Write};
use crate::error::{CacheError, ClientError, ConnectionError};
use crate::event::{ClientEvent, ConnectionState};
use crate::outbox::Outbox;
use crate::rest::Rest;
use crate::typing::{OwnTyping, Typists};

/// What became of a happening.
type Step = Result<(), CacheError>;

/// Owns everything that changes.
pub struct Engine {
    cache: Cache,
    rest: Rest,
    token: String,
    me: AccountId,
    commands: mpsc::Receiver<Command>,
    events: broadcast::Sender<ClientEvent>,
    state: watch::Sender<ConnectionState>,
    on_screen: watch::Sender<Vec<ConversationId>>,

    contact: Contact,
    reconnect: Reconnect,
    requests: Requests,
    timers: Timers,
    /// The longest frame that the server takes, as it said last.
    frame_bytes: usize,
    foreground: bool,
    /// What the server was told of it last.
    foreground_told: bool,
    /// Whether the app wants a line.
    is_wanted: bool,
    /// Whether anything came since the last resume token.
    is_stirred: bool,
    /// Who waits for one round of polling to end.
    once: Option<Done<()>>,

    held: BTreeMap<ConversationId, Held>,
    progress: Progress,
    /// A polling cursor that counts once all rows are applied.
    next_cursor: Option<String>,
    outbox: Outbox,
    pauses: BTreeMap<ConversationId, Backoff>,
    fills: Fills,
    /// How far conversations were received, to be told to the server.
    delivered: BTreeMap<ConversationId, u64>,
    known_people: BTreeSet<AccountId>,
    strangers: BTreeSet<AccountId>,
    attendance: watch::Sender<Attendance>,
    typists: watch::Sender<Typists>,
    own_typing: OwnTyping,
}

/// A try to get a line over a WebSocket.
type Tried = Result<(Line, Welcome), Failure>;

/// How the engine stands with the server: while a line polls, a WebSocket may be tried beside it.
#[derive(Default)]
struct Contact {
    line: Option<Line>,
    trying: Option<JoinHandle<Tried>>,
}

/// Which conversations are being filled.
#[derive(Default)]
struct Fills {
    waiting: VecDeque<ConversationId>,
    running: BTreeSet<ConversationId>,
}

/// What the contact brings.
enum News {
    Tried(Tried),
    Incoming(Incoming),
}

/// The app's side of a running engine.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Where commands go in.
    pub commands: mpsc::Sender<Command>,
    /// Where events come out.
    pub events: broadcast::Sender<ClientEvent>,
    /// How the connection stands.
    pub state: watch::Receiver<ConnectionState>,
    /// Who is there.
    pub attendance: watch::Receiver<Attendance>,
    /// Who types.
    pub typists: watch::Receiver<Typists>,
}

/// How many commands wait for the engine before callers wait.
const COMMANDS: usize = 64;

impl Engine {
    /// Starts the engine of a login. It ends when every handle is gone, or when the account logs out.
    ///
    /// # Errors
    /// Where the cache cannot be read.
    pub async fn start(cache: Cache, rest: Rest, session: &Session) -> Result<Handle, CacheError> {
        let (engine, handle) = Self::new(cache, rest, session).await?;
        tokio::spawn(engine.run());
        Ok(handle)
    }

    /// An engine that does nothing yet, and the app's side of it.
    async fn new(cache: Cache, rest: Rest, session: &Session) -> Result<(Self, Handle), CacheError> {
        let (commands, receiver) = mpsc::channel(COMMANDS);
        let (events, _) = broadcast::channel(crate::event::EVENT_CAPACITY);
        let (state, state_receiver) = watch::channel(ConnectionState::Offline);
        let (attendance, attendance_receiver) = watch::channel(Attendance::default());
        let (typists, typists_receiver) = watch::channel(Typists::default());
        let engine = Self {
            rest,
            token: session.token.clone(),
            me: session.account.profile.account,
            commands: receiver,
            events: events.clone(),
            state,
            on_screen: watch::Sender::new(Vec::new()),
            contact: Contact::default(),
            reconnect: Reconnect::default(),
            requests: Requests::default(),
            timers: Timers::default(),
            frame_bytes: Limits::default().frame_bytes as usize,
            foreground: true,
            foreground_told: true,
            is_wanted: false,
            is_stirred: false,
            once: None,
            held: cache.conversations().await?.into_iter().collect(),
            progress: cache.progress().await?,
            next_cursor: None,
            outbox: Outbox::restore(cache.outbox().await?),
            pauses: BTreeMap::new(),
            fills: Fills::default(),
            delivered: BTreeMap::new(),
            known_people: cache.known_profiles().await?.into_iter().collect(),
            strangers: BTreeSet::new(),
            attendance,
            typists,
            own_typing: OwnTyping::default(),
            cache,
        };
        let handle = Handle {
            commands,
            events,
            state: state_receiver,
            attendance: attendance_receiver,
            typists: typists_receiver,
        };
        Ok((engine, handle))
    }

    async fn run(mut self) {
        loop {
            let step = tokio::select! {
                command = self.commands.recv() => match command {
                    None => break,
                    Some(Command::LogOut { done }) => break self.log_out(done).await,
                    Some(Command::ShutDown { done }) => break self.shut_down(done).await,
                    Some(command) => self.on_command(command).await,
                },
                news = self.contact.next() => self.on_news(news).await,
                timer = self.timers.next() => self.on_timer(timer).await,
            };
            self.finish_step();
            if let Err(error) = step {
                tracing::error!(%error, "the cache failed; the client stops");
                self.announce_state(ConnectionState::Stopped { reason: "cache_failed".to_owned() });
                break;
            }
        }
    }

    async fn log_out(&mut self, done: Done<()>) {
        // Whoever calls after this is told that the client has stopped.
        self.commands.close();
        let wiped = self.cache.write(vec![Write::Wipe]).await;
        self.announce_state(ConnectionState::LoggedOut);
        // The caller may have given up waiting.
        let _ = done.send(wiped.map_err(ClientError::from));
    }

    async fn shut_down(&mut self, done: Done<()>) {
        self.commands.close();
        self.disconnect();
        self.cache.close().await;
        let _ = done.send(Ok(()));
    }

    /// What every step may leave to do.
    fn finish_step(&mut self) {
        self.ask_about_strangers();
        self.start_fills();
        if self.once.is_some() {
            self.send_delivered();
            if self.is_idle() {
                self.finish_once(Ok(()));
            }
        }
    }

    async fn on_news(&mut self, news: News) -> Step {
        match news {
            News::Tried(Ok((line, welcome))) => self.on_welcome(line, welcome).await,
            News::Tried(Err(failure)) => self.on_failure(&failure).await,
            News::Incoming(Incoming::Frame(frame)) => self.on_frame(frame).await,
            News::Incoming(Incoming::Cursor(cursor)) => self.on_cursor(cursor).await,
            News::Incoming(Incoming::Lost(error)) => self.on_lost(&error).await,
        }
    }

    async fn on_event(&mut self, event: Event) -> Step {
        // Only what a resume would tell again is worth a new resume token.
        self.is_stirred |= !matches!(event, Event::Presence(_) | Event::Typing(_));
        match event {
            Event::Entries(entries) => self.on_entries(entries).await,
            Event::Marks(marks) => self.on_marks(marks).await,
            Event::Read(read) => self.on_read(read).await,
            Event::Typing(typing) => {
                self.on_typing(typing);
                Ok(())
            }
            Event::Rows(rows) => self.on_polled_rows(rows.rows).await,
            Event::Reset(reset) => self.on_reset(reset).await,
            Event::Resync {} => self.on_resync().await,
            Event::Presence(presences) => {
                self.on_presence(&presences.accounts);
                Ok(())
            }
            Event::Unknown => Ok(()),
        }
    }

    async fn on_timer(&mut self, timer: Timer) -> Step {
        match timer {
            Timer::Connect => self.try_socket(),
            Timer::Release(conversation) => {
                self.outbox.release(conversation);
                self.pump(conversation);
            }
            Timer::Fill(conversation) => self.want_fill(conversation),
            Timer::Marks => self.send_delivered(),
            Timer::Token => self.ask_token(),
            Timer::Values => return self.send_values().await,
            Timer::Reads => self.send_reads(),
            Timer::Own => self.catch_up_own(),
            Timer::Refresh(conversation) => self.refresh(conversation),
            Timer::Watch => self.send_watch(),
            Timer::Presence(conversation) => self.refresh_presence(conversation),
            Timer::Typing => self.expire_typists(),
        }
        Ok(())
    }

    fn announce(&self, event: ClientEvent) {
        // Nobody may be listening; events are hints.
        let _ = self.events.send(event);
    }

    fn announce_state(&self, state: ConnectionState) {
        if *self.state.borrow() != state {
            self.state.send_replace(state.clone());
            self.announce(ClientEvent::Connection { state });
        }
    }

    /// Whether nothing is under way and nothing can be sent.
    fn is_idle(&self) -> bool {
        self.requests.is_empty() && self.fills.waiting.is_empty() && !self.is_stirred
    }

    /// This device's clock, milliseconds since 1970.
    fn now() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn after(&mut self, milliseconds: u64, timer: Timer) {
        self.timers.set(Instant::now() + std::time::Duration::from_millis(milliseconds), timer);
    }
}

impl Contact {
    /// The next news; waits for ever where there is no contact. May be dropped while it waits.
    async fn next(&mut self) -> News {
        let Self { line, trying } = self;
        let tried = async {
            match trying {
                Some(task) => task.await.unwrap_or_else(|_| Err(Failure::interrupted())),
                None => std::future::pending().await,
            }
        };
        let incoming = async {
            match line {
                Some(line) => line.incoming.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            tried = tried => News::Tried(tried),
            incoming = incoming => {
                News::Incoming(incoming.unwrap_or(Incoming::Lost(ConnectionError::Closed { code: None })))
            }
        }
    }
}
