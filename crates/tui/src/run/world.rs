//! What is outside the model: the client, its events, and the tasks that do what updates ask for.

use std::time::Duration;

use suda_client::Client;
use suda_client::error::ClientError;
use suda_client::event::{ClientEvent, EventStream};
use suda_client::model::CacheLocation;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::asking;
use crate::effect::{Act, Ask, Effect};
use crate::input::Answer;
use crate::words::{Language, Word};

/// How many acts wait to be written down; further ones make the loop wait.
const WAITING_ACTS: usize = 256;
/// How many answers wait for the loop.
const WAITING_REPLIES: usize = 256;
/// How many questions of one person may be under way.
const QUESTIONS: usize = 64;
/// How long the end waits for acts that are not written down yet.
const ENDING: Duration = Duration::from_secs(3);

/// What comes back.
pub enum Reply {
    /// An answer for the model.
    Answer(Answer),
    /// An event of the client.
    Event(ClientEvent),
    /// Somebody got in.
    Entered {
        /// The client.
        client: Box<Client>,
        /// Of a new account: its recovery codes.
        recovery_codes: Vec<String>,
    },
}

/// The world.
pub struct World {
    server: String,
    location: CacheLocation,
    session: Option<Session>,
    questions: JoinSet<()>,
    sender: mpsc::Sender<Reply>,
    receiver: mpsc::Receiver<Reply>,
}

/// What lives as long as somebody is logged in.
struct Session {
    client: Client,
    events: EventStream,
    acts: mpsc::Sender<(Act, Language)>,
    actor: JoinHandle<()>,
}

impl World {
    /// A world in which nobody is logged in.
    pub fn new(server: String, location: CacheLocation) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_REPLIES);
        Self { server, location, session: None, questions: JoinSet::new(), sender, receiver }
    }

    /// Somebody is logged in: connects and listens.
    pub async fn adopt(&mut self, client: Client) {
        self.release().await;
        let (acts, inbox) = mpsc::channel(WAITING_ACTS);
        let actor = tokio::spawn(act(client.clone(), inbox, self.sender.clone()));
        let events = client.events();
        // The only failure is that the client has stopped, and then nothing comes from it.
        let _ = client.set_foreground(true).await;
        let _ = client.connect().await;
        self.session = Some(Session { client, events, acts, actor });
    }

    /// Nobody is logged in any more: lets go of the client, after what it was told.
    pub async fn release(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        drop(session.acts);
        // An act that takes longer than this waits for a disk that does not answer.
        let _ = tokio::time::timeout(ENDING, session.actor).await;
        // A client that has stopped already has nothing left to do.
        let _ = session.client.shut_down().await;
    }

    /// The end: everything that was typed is kept.
    pub async fn end(mut self) {
        self.questions.abort_all();
        self.release().await;
    }

    /// Does what an update asks for.
    pub async fn perform(&mut self, effect: Effect, language: Language) {
        match (effect, &self.session) {
            (Effect::Act(act), Some(session)) => {
                // It fails only where the actor panicked, and then the panic is what is reported.
                let _ = session.acts.send((act, language)).await;
            }
            (Effect::Act(_), None) => {}
            (Effect::Ask(ask), _) => self.ask(ask, language),
        }
    }

    fn ask(&mut self, ask: Ask, language: Language) {
        while self.questions.try_join_next().is_some() {}
        if self.questions.len() >= QUESTIONS && !asking::is_reading(&ask) {
            let busy = language.say(Word::Busy).to_owned();
            self.tell(Reply::Answer(Answer::Failed(busy)));
            return;
        }
        let sender = self.sender.clone();
        let client = self.session.as_ref().map(|session| session.client.clone());
        let (server, location) = (self.server.clone(), self.location.clone());
        self.questions.spawn(async move {
            let reply = match client {
                Some(client) => asking::answer(&client, ask, language).await,
                None => asking::enter(server, location, ask, language).await,
            };
            // The loop has ended where nobody takes the answer.
            let _ = sender.send(reply).await;
        });
    }

    /// What comes next. May be dropped while it waits.
    pub async fn reply(&mut self) -> Reply {
        let event = async {
            match &self.session {
                Some(session) => match session.events.next().await {
                    Some(event) => event,
                    None => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        };
        let answer = async {
            match self.receiver.recv().await {
                Some(reply) => reply,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            reply = answer => reply,
            event = event => Reply::Event(event),
        }
    }

    /// Notes are not worth waiting for.
    fn tell(&self, reply: Reply) {
        let _ = self.sender.try_send(reply);
    }
}

/// Does acts one after the other, until there are no more.
async fn act(client: Client, mut inbox: mpsc::Receiver<(Act, Language)>, sender: mpsc::Sender<Reply>) {
    while let Some((act, language)) = inbox.recv().await {
        if let Err(error) = do_act(&client, act).await {
            let failed = Answer::Failed(language.problem(&error));
            // The loop may wait for room in the inbox, so this must not wait for the loop.
            let _ = sender.try_send(Reply::Answer(failed));
        }
    }
}

async fn do_act(client: &Client, act: Act) -> Result<(), ClientError> {
    match act {
        Act::Show(conversation) => client.open_conversation(conversation).await,
        Act::Hide(conversation) => client.close_conversation(conversation).await,
        Act::Send { conversation, text, reply_to, mentions } => {
            client.send_text(conversation, text, reply_to, mentions).await.map(drop)
        }
        Act::Edit { conversation, seq, text, mentions } => {
            client.edit(conversation, seq, text, mentions).await.map(drop)
        }
        Act::Delete(conversation, seq) => client.delete(conversation, seq).await.map(drop),
        Act::React(conversation, seq, emoji) => client.react(conversation, seq, emoji).await.map(drop),
        Act::Retry(client_id) => client.retry(client_id).await,
        Act::Discard(client_id) => client.discard(client_id).await,
        Act::MarkRead(conversation, seq) => client.mark_read(conversation, seq).await,
        Act::Typing(conversation, typing) => client.typing(conversation, typing).await,
        Act::SaveDraft(conversation, draft) => client.set_draft(conversation, draft).await,
        Act::SetMute(conversation, mute) => client.set_mute(conversation, mute).await,
        Act::SetPin(conversation, pin) => client.set_pin(conversation, pin).await,
        Act::SetArchived(conversation, archived) => client.set_archived(conversation, archived).await,
        Act::Watch(accounts) => client.watch(accounts).await,
        Act::Foreground(foreground) => client.set_foreground(foreground).await,
    }
}
