//! What tests of presence share: a server on which devices die quickly, connections that stay alive, and what watchers
//! are told.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::MaybeTlsStream;

use super::wire::{Line, Person};
use super::{CHEAP_PASSWORDS, Server, output_of};

/// Connections are pinged after a second and given up one later.
pub const QUICK: [&str; 4] = ["--heartbeat-seconds", "1", "--answer-seconds", "1"];

/// With [`QUICK`] a device is gone so long after its last sign of life.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// What the server's clocks may be wrong by: they tick.
pub const TICKS: Duration = Duration::from_millis(200);

/// How late watchers may be told.
pub const LATE: Duration = Duration::from_secs(2);

/// A server on which devices die quickly, with these flags besides.
pub fn quick(flags: &[&str]) -> Server {
    Server::spawn(&[&QUICK, &CHEAP_PASSWORDS[..], flags].concat())
}

/// A server on which nobody dies soon, with these flags besides.
pub fn patient(flags: &[&str]) -> Server {
    Server::spawn(&[&CHEAP_PASSWORDS[..], flags].concat())
}

/// Signs up all of them.
pub async fn people<const N: usize>(server: &Server, names: [&str; N]) -> [Person; N] {
    let mut people = Vec::new();
    for name in names {
        people.push(Person::sign_up(server.url(), name).await);
    }
    people.try_into().ok().unwrap()
}

/// Watches these people; how they stand.
pub async fn watch(line: &mut Line, people: &[&Person]) -> Vec<String> {
    let accounts: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let reply = line.ask("watch", json!({ "accounts": accounts })).await.unwrap();
    states(&reply["accounts"])
}

/// The states of a list.
pub fn states(accounts: &Value) -> Vec<String> {
    let accounts = accounts.as_array().unwrap().iter();
    accounts.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

/// The next changes that a device is told, each as `[account, state]`.
pub async fn told(line: &mut Line) -> Vec<[String; 2]> {
    changes(&line.event("presence").await)
}

/// What an event tells, each as `[account, state]`.
pub fn changes(event: &Value) -> Vec<[String; 2]> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts = event["accounts"].as_array().unwrap().iter();
    accounts.map(|one| [text(&one["account"]), text(&one["state"])]).collect()
}

/// The next thing that a device is told must be this, of this person, and nothing else with it.
pub async fn is_told(line: &mut Line, person: &Person, state: &str) {
    assert_eq!(told(line).await, [[person.id.clone(), state.to_owned()]], "{}", person.name);
}

/// Whether somebody looks at the device.
pub async fn look(line: &mut Line, foreground: bool) {
    line.ask("foreground", json!({ "foreground": foreground })).await.unwrap();
}

/// Waits until silence means that somebody is offline: a server that was just started does not know.
pub async fn until_known(line: &mut Line, person: &Person) {
    if watch(line, &[person]).await == ["unknown"] {
        is_told(line, person, "offline").await;
    }
}

/// A connection whose pings are answered while nobody asks anything of it.
pub struct Kept {
    stop: oneshot::Sender<()>,
    /// Gives it back, with the code where the server closed it.
    task: JoinHandle<(Line, Option<u16>)>,
}

impl Kept {
    /// Connects, and stays.
    pub async fn connect(person: &Person) -> Self {
        Self::of(person.connect().await)
    }

    /// Stays alive.
    pub fn of(mut line: Line) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = &mut stopped => return (line, None),
                    frame = line.frame() => match frame {
                        Ok(frame) => line.events.push(frame),
                        Err(code) => return (line, Some(code)),
                    },
                }
            }
        });
        Self { stop, task }
    }

    /// The connection, to ask something of.
    pub async fn back(self) -> Line {
        // It may have ended by itself.
        let _ = self.stop.send(());
        self.task.await.unwrap().0
    }

    /// Waits until the server closes it; the code.
    pub async fn closed(self) -> u16 {
        self.task.await.unwrap().1.expect("nobody asks for it")
    }

    /// Asks something, and stays.
    pub async fn ask(self, name: &str, body: Value) -> Self {
        let mut line = self.back().await;
        line.ask(name, body).await.unwrap();
        Self::of(line)
    }

    /// Comes to the foreground or leaves it.
    pub async fn look(self, foreground: bool) -> Self {
        self.ask("foreground", json!({ "foreground": foreground })).await
    }

    /// Closes it properly.
    pub async fn close(self) {
        let mut line = self.back().await;
        line.socket.close(None).await.unwrap();
        line.closed().await;
    }
}

/// Ends a connection without a word: the server is told by TCP alone.
pub fn break_off(line: Line) {
    let MaybeTlsStream::Plain(stream) = line.socket.get_ref() else { panic!("no TLS here") };
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap();
}

/// Runs an operator's command.
pub async fn admin(server: &Server, arguments: &[&str]) -> String {
    let data = server.data().to_str().unwrap().to_owned();
    let mut line = vec!["admin".to_owned(), "--data".to_owned(), data, "--log-level=warn".to_owned()];
    line.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    tokio::task::spawn_blocking(|| output_of(line)).await.unwrap()
}

/// One of the counts for monitoring.
pub async fn metric(data: &Path, name: &str) -> u64 {
    let mut stream = UnixStream::connect(data.join("admin.sock")).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: suda\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().parse().unwrap()
}

/// Waits until a count is that.
pub async fn until_metric(data: &Path, name: &str, wanted: u64) {
    let reached = async { while metric(data, name).await != wanted {} };
    let in_time = tokio::time::timeout(Duration::from_secs(60), reached).await;
    assert!(in_time.is_ok(), "{name} is never {wanted}");
}
