//! A person at a line of text: logs in, prints what is said in a conversation, and says what it reads.
//!
//! `companion SERVER NAME PASSWORD CONVERSATION`. Each line of standard input is said, or, where it begins with a brace,
//! is one of the [`Order`]s as JSON. Each line of standard output is a [`Report`] as JSON. It ends with its input.
//! End-to-end tests of the web client use it as the person on another SDK.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::thread;

use serde::{Deserialize, Serialize};
use suda_client::proto::ConversationId;
use suda_client::proto::rest::{LogIn, NewDevice};
use suda_client::{
    Anchor, CacheLocation, Client, ClientEvent, ConnectionState, Message, MessageContent, MessageState,
};
use tokio::sync::mpsc;

/// How many messages `list` shows.
const LISTED: u32 = 200;
/// How many lines wait to be obeyed.
const WAITING: usize = 64;

/// What a line that begins with a brace asks for.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// Says something, as an answer to the message with a sequence where one is given.
    Say { text: String, reply_to: Option<u64> },
    /// Gives a message a new text.
    Edit { seq: u64, text: String },
    /// Deletes a message for all.
    Delete { seq: u64 },
    /// Reacts to a message.
    React { seq: u64, emoji: String },
    /// Prints the newest messages as they stand on this device.
    List {},
}

/// What is printed.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Report {
    /// Connected: what is said from now on goes out at once.
    Online,
    /// Somebody said something, this person included.
    Message(Shown),
    /// The newest messages, ascending.
    Messages(Vec<Shown>),
    /// The server refused a send; the error's code.
    Failed(String),
}

/// A message, flat.
#[derive(Serialize)]
struct Shown {
    /// Its number; absent while it waits.
    seq: Option<u64>,
    /// Who said it: the account's id.
    author: String,
    /// The text; absent where it was deleted or is no text.
    text: Option<String>,
    /// The number of the message that it answers.
    reply_to: Option<u64>,
    /// Whether it was edited.
    edited: bool,
    /// Whether it was deleted.
    deleted: bool,
    /// Reactions, and how many accounts chose each.
    reactions: Vec<(String, u32)>,
}

impl Shown {
    fn of(message: Message) -> Self {
        let deleted = message.content == MessageContent::Deleted;
        let text = match message.content {
            MessageContent::Text { text, .. } => Some(text),
            _ => None,
        };
        Self {
            seq: message.seq.filter(|_| message.state == MessageState::Sent),
            author: message.author.to_string(),
            text,
            reply_to: message.reply_to,
            edited: message.edited,
            deleted,
            reactions: message.reactions.into_iter().map(|one| (one.emoji, one.count)).collect(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, name, password, conversation] = &arguments[..] else {
        return Err("companion SERVER NAME PASSWORD CONVERSATION".into());
    };
    let conversation: ConversationId = conversation.parse()?;
    let device = NewDevice { name: "companion".into(), platform: "terminal".into() };
    let request = LogIn { name: name.clone(), password: password.clone(), device };
    let client = Client::log_in(server.clone(), CacheLocation::Memory, request).await?;
    converse(&client, conversation, input()).await?;
    client.shut_down().await?;
    Ok(())
}

/// The lines of standard input. Reading it blocks, so a thread does.
fn input() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(WAITING);
    thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn converse(
    client: &Client,
    conversation: ConversationId,
    mut lines: mpsc::Receiver<String>,
) -> Result<(), Box<dyn Error>> {
    let events = client.events();
    client.connect().await?;
    client.open_conversation(conversation).await?;
    loop {
        tokio::select! {
            line = lines.recv() => match line {
                Some(line) => obey(client, conversation, &line).await?,
                None => return Ok(()),
            },
            event = events.next() => match event {
                Some(event) => tell(event, conversation)?,
                None => return Ok(()),
            },
        }
    }
}

async fn obey(client: &Client, conversation: ConversationId, line: &str) -> Result<(), Box<dyn Error>> {
    let order = if line.starts_with('{') {
        serde_json::from_str(line)?
    } else {
        Order::Say { text: line.to_owned(), reply_to: None }
    };
    match order {
        Order::Say { text, reply_to } => {
            client.send_text(conversation, text, reply_to, Vec::new()).await?;
        }
        Order::Edit { seq, text } => {
            client.edit(conversation, seq, text, Vec::new()).await?;
        }
        Order::Delete { seq } => {
            client.delete(conversation, seq).await?;
        }
        Order::React { seq, emoji } => {
            client.react(conversation, seq, Some(emoji)).await?;
        }
        Order::List {} => {
            let list = client.messages(conversation, Anchor::Newest, LISTED).await?;
            print(&Report::Messages(list.messages.into_iter().map(Shown::of).collect()))?;
        }
    }
    Ok(())
}

fn tell(event: ClientEvent, conversation: ConversationId) -> Result<(), Box<dyn Error>> {
    match event {
        ClientEvent::Connection { state: ConnectionState::Online { .. } } => print(&Report::Online),
        ClientEvent::MessagesAdded { conversation: of, messages } if of == conversation => {
            messages.into_iter().try_for_each(|message| print(&Report::Message(Shown::of(message))))
        }
        ClientEvent::SendFailed { error, .. } => print(&Report::Failed(error.code)),
        _ => Ok(()),
    }
}

/// One line, at once: whoever reads waits for it.
fn print(report: &Report) -> Result<(), Box<dyn Error>> {
    let mut line = serde_json::to_vec(report)?;
    line.push(b'\n');
    let mut output = std::io::stdout().lock();
    output.write_all(&line)?;
    Ok(output.flush()?)
}
