//! Devices that are gone without a word, and servers that are: when watchers are told, and when they are not.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};
use support::presence::{
    Kept, LATE, QUICK, TICKS, TIMEOUT, break_off, changes, is_told, look, people, quick, states, told,
    until_known, watch,
};
use support::wire::{Line, Person};
use support::{CHEAP_PASSWORDS, Server, suda};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::{MaybeTlsStream, client_async};

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

/// A connection that breaks and comes back in time is not seen; one that stays away is, after the timeout.
#[tokio::test]
async fn a_short_interruption_is_not_told() {
    let server = quick(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let (mut of_jun, mut of_ora) = (jun.connect().await, ora.connect().await);
    assert_eq!(watch(&mut line, &[&jun, &ora]).await, ["online", "online"]);
    line.events.clear();
    for line in [&mut of_jun, &mut of_ora] {
        line.ask("ping", json!({})).await.unwrap();
    }
    let began = Instant::now();
    break_off(of_ora);
    break_off(of_jun);
    let of_jun = Kept::connect(&jun).await;
    // It would have been told of the other one before, or together with it.
    is_told(&mut line, &ora, "offline").await;
    let took = began.elapsed();
    assert!((TIMEOUT - TICKS..TIMEOUT + LATE).contains(&took), "told after {took:?}");
    assert_eq!(watch(&mut line, &[&jun]).await, ["online"]);
    drop(of_jun);
}

/// A process that holds connections, to be stopped by the system.
struct Peers {
    child: Child,
    answers: BufReader<ChildStdout>,
    count: usize,
}

impl Peers {
    fn start(server: &Server, people: &[&Person]) -> Self {
        let mut command = suda(["bench", "generate"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let tokens: Vec<&str> = people.iter().map(|person| person.token.as_str()).collect();
        let mut peers = Self { child, answers, count: people.len() };
        peers.say(&json!({
            "address": server.address(), "tokens": tokens, "first": 0, "source": 1, "window": 1,
            "foreground": true, "load": "Idle",
        }));
        peers
    }

    fn say(&mut self, value: &Value) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{value}").unwrap();
    }

    /// Connects all that are not connected.
    fn connect(&mut self) {
        self.say(&json!({ "Connect": self.count }));
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), json!({ "Connected": self.count }));
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a watcher was told this, and nothing else, of each of them; when that began and ended.
async fn all_are_told(line: &mut Line, people: &[&Person], state: &str) -> [Instant; 2] {
    let mut missing: BTreeSet<String> = people.iter().map(|person| person.id.clone()).collect();
    let mut times = Vec::new();
    while !missing.is_empty() {
        for [account, told] in told(line).await {
            assert!(told == state && missing.remove(&account), "{account} is told to be {told}");
        }
        times.push(Instant::now());
    }
    [times[0], times[times.len() - 1]]
}

#[tokio::test]
async fn frozen_devices_are_told_to_be_gone_after_the_timeout() {
    let server = quick(&[]);
    let [mina, jun, ora, bo] = people(&server, ["mina", "jun", "ora", "bo"]).await;
    let frozen = [&jun, &ora, &bo];
    let second = mina.log_in().await;
    let mut lines = [mina.connect().await, second.connect().await, mina.connect().await];
    until_known(&mut lines[0], &jun).await;
    let mut peers = Peers::start(&server, &frozen);
    let began = Instant::now();
    peers.connect();
    peers.signal(Signal::STOP);
    let stopped = Instant::now();
    for line in &mut lines {
        assert_eq!(watch(line, &frozen).await, ["online"; 3]);
        line.events.clear();
    }
    let told = lines.iter_mut().map(|line| all_are_told(line, &frozen, "offline"));
    for [first, last] in futures::future::join_all(told).await {
        let (earliest, latest) = (first - began, last - stopped);
        assert!(earliest >= TIMEOUT - TICKS, "told after {earliest:?}");
        assert!(latest <= TIMEOUT + LATE, "told after {latest:?}");
    }
    peers.signal(Signal::CONT);
    // They find out that they were closed, and may come back.
    let again = futures::future::join_all(lines.iter_mut().map(|line| all_are_told(line, &frozen, "online")));
    let connect = async {
        tokio::task::spawn_blocking(move || {
            while peers.child.try_wait().unwrap().is_none() {
                peers.say(&json!({ "Connect": peers.count }));
                let mut answer = String::new();
                peers.answers.read_line(&mut answer).unwrap();
                if serde_json::from_str::<Value>(&answer).unwrap() == json!({ "Connected": peers.count }) {
                    return peers;
                }
            }
            panic!("the peers ended");
        })
        .await
        .unwrap()
    };
    let (_, _peers) = futures::join!(again, connect);
    assert_eq!(watch(&mut lines[0], &frozen).await, ["online"; 3]);
}

/// A network that can swallow everything: packets of a namespace of its own or, where that is not permitted, what goes
/// through a proxy.
enum Network {
    Namespace { name: String, link: String },
    Proxy { address: SocketAddr, swallow: Arc<Notify> },
}

impl Network {
    /// A namespace behind a pair of virtual links; the server's end has this address.
    fn namespace(address: &str, inside: &str) -> Option<Self> {
        let (name, link) = (format!("suda-{}", std::process::id()), format!("sd{}", std::process::id()));
        let network = Self::Namespace { name: name.clone(), link: link.clone() };
        let peer = format!("{link}p");
        ip(&["netns", "add", &name])?;
        ip(&["link", "add", &link, "type", "veth", "peer", "name", &peer, "netns", &name])?;
        ip(&["addr", "add", &format!("{address}/30"), "dev", &link])?;
        ip(&["link", "set", &link, "up"])?;
        ip(&["-n", &name, "addr", "add", &format!("{inside}/30"), "dev", &peer])?;
        ip(&["-n", &name, "link", "set", &peer, "up"])?;
        Some(network)
    }

    /// A proxy in front of this server.
    async fn proxy(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallow = Arc::new(Notify::new());
        let swallowing = Arc::clone(&swallow);
        tokio::spawn(async move {
            let (mut outside, _) = listener.accept().await.unwrap();
            let mut inside = TcpStream::connect(server).await.unwrap();
            tokio::select! {
                ended = tokio::io::copy_bidirectional(&mut outside, &mut inside) => drop(ended),
                // Both stay open, and nobody reads or writes.
                () = swallowing.notified() => std::future::pending().await,
            }
        });
        Self::Proxy { address, swallow }
    }

    async fn connect(&self, person: &Person, server: SocketAddr) -> Line {
        let stream = match self {
            Self::Proxy { address, .. } => TcpStream::connect(address).await.unwrap(),
            Self::Namespace { name, .. } => {
                let path = format!("/run/netns/{name}");
                // A thread of its own, which ends inside; the socket stays there.
                let connect = move || {
                    let namespace = std::fs::File::open(path).unwrap();
                    let kind = Some(LinkNameSpaceType::Network);
                    move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), kind).unwrap();
                    std::net::TcpStream::connect(server).unwrap()
                };
                let stream = std::thread::spawn(connect).join().unwrap();
                stream.set_nonblocking(true).unwrap();
                TcpStream::from_std(stream).unwrap()
            }
        };
        let url = format!("ws://{server}/v1/ws");
        let mut line = Line::on(client_async(url, MaybeTlsStream::Plain(stream)).await.unwrap().0);
        line.hello(&person.token).await.unwrap();
        line
    }

    /// From now on nothing arrives, in either direction, and nobody is told.
    fn swallow(&self) {
        match self {
            Self::Proxy { swallow, .. } => swallow.notify_one(),
            Self::Namespace { name, link } => {
                ip(&["-n", name, "link", "set", &format!("{link}p"), "down"]).unwrap();
            }
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Self::Namespace { name, link } = self {
            // What was not made cannot be removed.
            ip(&["link", "del", link]);
            ip(&["netns", "del", name]);
        }
    }
}

fn ip(arguments: &[&str]) -> Option<()> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then_some(())
}

#[tokio::test]
async fn half_open_connections_behind_a_proxy_are_told_to_be_gone() {
    let server = quick(&[]);
    let network = Network::proxy(server.address().parse().unwrap()).await;
    half_open_connections_are_told_to_be_gone(&server, &network).await;
}

#[tokio::test]
async fn half_open_connections_on_a_dead_link_are_told_to_be_gone() {
    let id = std::process::id();
    let [third, last] = [id / 60 % 250, id % 60 * 4];
    let [address, inside] = [1, 2].map(|host| format!("10.213.{third}.{}", last + host));
    let Some(network) = Network::namespace(&address, &inside) else {
        eprintln!(
            "skipped: this system does not permit a network of one's own; a proxy stands for it elsewhere"
        );
        return;
    };
    let folder: TempDir = tempfile::tempdir().unwrap();
    let listen = format!("{address}:0");
    let flags = ["--listen", &listen, "--insecure"];
    let server = Server::spawn_anywhere(folder.path(), &[&QUICK, &CHEAP_PASSWORDS[..], &flags].concat());
    half_open_connections_are_told_to_be_gone(&server, &network).await;
}

async fn half_open_connections_are_told_to_be_gone(server: &Server, network: &Network) {
    let [mina, jun] = people(server, ["mina", "jun"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let mut lost = network.connect(&jun, server.address().parse().unwrap()).await;
    is_told(&mut line, &jun, "online").await;
    let began = Instant::now();
    lost.ask("ping", json!({})).await.unwrap();
    network.swallow();
    let swallowed = Instant::now();
    let lost = Kept::of(lost);
    is_told(&mut line, &jun, "offline").await;
    let (earliest, latest) = (began.elapsed(), swallowed.elapsed());
    assert!(earliest >= TIMEOUT - TICKS, "told after {earliest:?}");
    assert!(latest <= TIMEOUT + LATE, "told after {latest:?}");
    let back = Kept::connect(&jun).await;
    is_told(&mut line, &jun, "online").await;
    drop((lost, back));
}

/// Polls; the events of this name, and the cursor.
async fn poll(person: &Person, name: &str, query: &str) -> (Vec<Value>, String) {
    let answer = person.ok("GET", &format!("/v1/sync?{query}"), json!({})).await;
    let events = answer["events"].as_array().unwrap().iter();
    let events = events.filter(|event| event["event"] == name).map(|event| event["body"].clone());
    (events.collect(), answer["cursor"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn whoever_polls_counts_by_the_last_poll() {
    let server = quick(&[]);
    let [mina, jun] = people(&server, ["mina", "jun"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let (_, mut cursor) = poll(&jun, "rows", "").await;
    is_told(&mut line, &jun, "online").await;
    let began = Instant::now();
    // Longer than it would count by the first.
    let mut last = Instant::now();
    let mut wait = 0;
    while began.elapsed() < 2 * TIMEOUT {
        last = Instant::now();
        (_, cursor) = poll(&jun, "rows", &format!("wait={wait}&cursor={cursor}")).await;
        wait = 1 - wait;
        // Whoever watches stays alive, too.
        assert_eq!(watch(&mut line, &[&jun]).await, ["online"]);
        assert!(line.events.iter().all(|event| event["event"] != "presence"), "{:?}", line.events);
    }
    is_told(&mut line, &jun, "offline").await;
    let took = last.elapsed();
    assert!(
        (TIMEOUT - TICKS..TIMEOUT + LATE + Duration::from_secs(1)).contains(&took),
        "told after {took:?}"
    );
}

#[tokio::test]
async fn whoever_polls_is_told_each_change_once() {
    let server = Server::spawn(&CHEAP_PASSWORDS);
    let [mina, jun] = people(&server, ["mina", "jun"]).await;
    let direct = mina.direct(&jun).await;
    let mut of_jun = jun.connect().await;
    let (_, cursor) = poll(&mina, "presence", "").await;
    let (events, mut cursor) = poll(&mina, "presence", &format!("open={direct}&cursor={cursor}")).await;
    assert_eq!(events.iter().flat_map(changes).collect::<Vec<_>>(), [[jun.id.clone(), "online".to_owned()]]);
    // A change between two polls is told by the next, and then no more.
    look(&mut of_jun, false).await;
    for expected in [&["away"][..], &[]] {
        let (events, next) = poll(&mina, "presence", &format!("open={direct}&cursor={cursor}")).await;
        let told: Vec<String> = events.iter().flat_map(|event| states(&event["accounts"])).collect();
        assert_eq!(told, expected);
        cursor = next;
    }
    // A change while it waits is told by that poll, and then no more.
    let url = format!("open={direct}&cursor={cursor}&wait=30");
    let waiting = poll(&mina, "presence", &url);
    let change = async {
        support::presence::until_metric(server.data(), "suda_presence_watched", 1).await;
        look(&mut of_jun, true).await;
    };
    let ((events, cursor), ()) = futures::join!(waiting, change);
    assert_eq!(events.iter().flat_map(changes).collect::<Vec<_>>(), [[jun.id.clone(), "online".to_owned()]]);
    let (events, _) = poll(&mina, "presence", &format!("open={direct}&cursor={cursor}")).await;
    assert!(events.is_empty(), "told again: {events:?}");
}

/// A server that died and comes back tells nobody offline who was online and comes back, too.
#[tokio::test]
async fn a_server_that_died_tells_the_truth_when_it_is_back() {
    let flags = ["--heartbeat-seconds", "2", "--answer-seconds", "2"];
    let mut server = Server::spawn(&[&flags, &CHEAP_PASSWORDS[..]].concat());
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let began = now();
    let there = [Kept::connect(&jun).await, Kept::connect(&ora).await];
    // What is stored of them nobody can see while they are there.
    tokio::time::sleep(Duration::from_secs(5)).await; // tidy: sleep because nothing tells that a write is on disk
    server.kill9();
    let died = now();
    let _server = server.restart();
    drop(there);
    let mut line = mina.connect().await;
    let states = watch(&mut line, &[&jun, &ora]).await;
    assert_eq!(states, ["unknown", "unknown"]);
    let _back = Kept::connect(&jun).await;
    is_told(&mut line, &jun, "online").await;
    let event = line.event("presence").await;
    assert_eq!(changes(&event), [[ora.id.clone(), "offline".to_owned()]]);
    let last_active_at = event["accounts"][0]["last_active_at"].as_u64();
    let plausible = began.max(died.saturating_sub(62_000))..=died;
    assert!(last_active_at.is_some_and(|at| plausible.contains(&at)), "{event}, but it died at {died}");
    let reply = line.ask("watch", json!({ "accounts": [jun.id, ora.id] })).await.unwrap();
    assert_eq!(support::presence::states(&reply["accounts"]), ["online", "offline"]);
    assert_eq!(reply["accounts"][1]["last_active_at"], event["accounts"][0]["last_active_at"]);
}
