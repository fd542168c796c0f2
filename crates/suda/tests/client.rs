//! The Rust SDK against the real server: what apps rely on, also over lines that break.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use suda_client::proto::ConversationId;
use suda_client::proto::presence::PresenceState;
use suda_client::proto::rest::{AccountChange, Audience, LogIn, NewDevice, SignUp};
use suda_client::{
    Anchor, CacheLocation, Client, ClientError, ClientEvent, ConnectionState, Message, MessageContent,
    MessageState,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use support::Server;

/// What takes so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line between client and server that breaks when it is told to.
struct Proxy {
    url: String,
    /// About how many bytes a connection carries before it is cut; 0 for no end.
    budget: Arc<AtomicUsize>,
    /// Whether WebSockets are cut at once.
    refuses_sockets: Arc<AtomicBool>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    async fn before(server: &str) -> Self {
        let target = server.strip_prefix("http://").expect("a plain address").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let proxy =
            Self { url, budget: Arc::default(), refuses_sockets: Arc::default(), cuts: Arc::default() };
        let (budget, refuses, cuts) =
            (proxy.budget.clone(), proxy.refuses_sockets.clone(), proxy.cuts.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = Line {
                    client,
                    budget: budget.load(Ordering::SeqCst),
                    refuses: refuses.load(Ordering::SeqCst),
                };
                let (target, cuts) = (target.clone(), cuts.clone());
                tokio::spawn(async move {
                    if line.carry(&target).await == Some(Cut) {
                        cuts.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        proxy
    }

    /// From the next connection on.
    fn carry_about(&self, bytes: usize) {
        self.budget.store(bytes, Ordering::SeqCst);
    }

    fn refuse_sockets(&self, refuse: bool) {
        self.refuses_sockets.store(refuse, Ordering::SeqCst);
    }
}

#[derive(PartialEq)]
struct Cut;

struct Line {
    client: TcpStream,
    budget: usize,
    refuses: bool,
}

impl Line {
    /// Carries bytes both ways; the end is in the middle of a frame as often as not.
    async fn carry(mut self, target: &str) -> Option<Cut> {
        let mut head = vec![0; 8 * 1024];
        let length = self.client.read(&mut head).await.ok()?;
        if self.refuses && head[..length].starts_with(b"GET /v1/ws") {
            return Some(Cut);
        }
        let mut server = TcpStream::connect(target).await.ok()?;
        server.write_all(&head[..length]).await.ok()?;
        let end = match self.budget {
            0 => usize::MAX,
            budget => budget / 2 + rand::random::<u16>() as usize % budget,
        };
        let mut moved = 0;
        let (mut up, mut down) = ([0; 1024], [0; 1024]);
        while moved < end {
            let length = tokio::select! {
                length = self.client.read(&mut up) => {
                    let length = length.ok().filter(|length| *length > 0)?;
                    server.write_all(&up[..length]).await.ok()?;
                    length
                }
                length = server.read(&mut down) => {
                    let length = length.ok().filter(|length| *length > 0)?;
                    self.client.write_all(&down[..length]).await.ok()?;
                    length
                }
            };
            moved += length;
        }
        Some(Cut)
    }
}

async fn sign_up(url: &str, name: &str, cache: CacheLocation) -> Client {
    let request = SignUp {
        name: name.to_owned(),
        password: "correct horse".to_owned(),
        display_name: None,
        invite: None,
        device: NewDevice::default(),
    };
    Client::sign_up(url.to_owned(), cache, request).await.expect("signs up").client
}

async fn log_in(url: &str, name: &str) -> Client {
    let device = NewDevice::default();
    let request = LogIn { name: name.to_owned(), password: "correct horse".to_owned(), device };
    Client::log_in(url.to_owned(), CacheLocation::Memory, request).await.expect("logs in")
}

/// Looks again whenever something happens, until it is so.
async fn until(client: &Client, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let events = client.events();
    let waiting = async {
        while !is_so().await {
            // Not everything that is waited for is told by this client's events.
            let _ = timeout(Duration::from_millis(500), events.next()).await;
        }
    };
    let waited = timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "never: {what}; {:?}", client.connection_state());
}

async fn online(client: &Client) {
    client.connect().await.expect("starts");
    until(client, "online", async || matches!(client.connection_state(), ConnectionState::Online { .. }))
        .await;
}

/// Two accounts in a direct conversation, both online.
async fn pair(server: &str) -> (Client, Client, ConversationId) {
    let alice = sign_up(server, "alice", CacheLocation::Memory).await;
    let bob = sign_up(server, "bob", CacheLocation::Memory).await;
    online(&alice).await;
    online(&bob).await;
    let conversation = alice.open_direct(bob.account_id()).await.expect("opens");
    (alice, bob, conversation)
}

async fn say(client: &Client, conversation: ConversationId, text: &str) {
    loop {
        match client.send_text(conversation, text.to_owned(), None, Vec::new()).await {
            Ok(_) => return,
            Err(ClientError::OutboxFull) => {
                until(client, "room in the outbox", async || unsent(client, conversation).await < 900).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn unsent(client: &Client, conversation: ConversationId) -> u32 {
    client.conversation(conversation).await.expect("reads").expect("is listed").unsent
}

async fn newest(client: &Client, conversation: ConversationId) -> Vec<Message> {
    client.messages(conversation, Anchor::Newest, 500).await.expect("reads").messages
}

fn texts(messages: &[Message]) -> Vec<String> {
    let text = |message: &Message| match &message.content {
        MessageContent::Text { text, .. } => Some(text.clone()),
        _ => None,
    };
    messages.iter().filter_map(text).collect()
}

/// Everything ever said, by scrolling up.
async fn all_texts(client: &Client, conversation: ConversationId) -> Vec<String> {
    let mut all = Vec::new();
    let mut anchor = Anchor::Newest;
    loop {
        let list = client.messages(conversation, anchor, 100).await.expect("reads");
        let first = list.messages.iter().find_map(|message| message.seq);
        all.splice(0..0, texts(&list.messages));
        match first.filter(|_| list.has_earlier) {
            Some(first) => anchor = Anchor::Before(first),
            None => return all,
        }
    }
}

/// Waits until the newest messages say exactly this.
async fn says(client: &Client, conversation: ConversationId, wanted: &[String]) {
    until(client, "the same texts", async || texts(&newest(client, conversation).await) == wanted).await;
}

async fn all_sent(client: &Client, conversation: ConversationId) {
    let is_sent = |message: &Message| message.state == MessageState::Sent;
    until(client, "all sent", async || newest(client, conversation).await.iter().all(is_sent)).await;
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix} {number}")).collect()
}

async fn message(client: &Client, conversation: ConversationId, seq: u64) -> Message {
    let found = newest(client, conversation).await.into_iter().find(|message| message.seq == Some(seq));
    found.expect("the message is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_change_alike_on_both_sides() {
    let server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    say(&alice, conversation, "one").await;
    say(&alice, conversation, "two").await;
    says(&bob, conversation, &["one".to_owned(), "two".to_owned()]).await;
    let one = newest(&bob, conversation)
        .await
        .iter()
        .find_map(|message| message.seq.filter(|seq| *seq > 1))
        .expect("stored");
    bob.react(conversation, one, Some("👍".to_owned())).await.expect("composes");
    alice.react(conversation, one, Some("🎉".to_owned())).await.expect("composes");
    alice.react(conversation, one, Some("👍".to_owned())).await.expect("composes");
    alice.edit(conversation, one, "uno".to_owned(), Vec::new()).await.expect("composes");
    for client in [&alice, &bob] {
        until(client, "edited, two thumbs up", async || {
            let message = message(client, conversation, one).await;
            let is_thumb = message.reactions.iter().map(|one| (one.count, one.mine)).eq([(2, true)]);
            message.edited && is_thumb && !message.changing
        })
        .await;
    }
    alice.delete(conversation, one).await.expect("composes");
    says(&bob, conversation, &["two".to_owned()]).await;
    let events = bob.events();
    bob.edit(conversation, one + 1, "not mine".to_owned(), Vec::new()).await.expect("composes");
    let refused = async {
        loop {
            if let Some(ClientEvent::SendFailed { error, .. }) = events.next().await {
                return error;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, refused).await.expect("is told").code, "not_allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_told_and_counted() {
    let server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    alice.open_conversation(conversation).await.expect("opens");
    say(&alice, conversation, "one").await;
    let unread = async |client: &Client| {
        client.conversation(conversation).await.expect("reads").map_or(0, |summary| summary.unread)
    };
    until(&bob, "one unread", async || unread(&bob).await == 1).await;
    bob.mark_read(conversation, 2).await.expect("marks");
    until(&bob, "none unread", async || unread(&bob).await == 0).await;
    until(&alice, "read by bob", async || {
        let members = alice.members(conversation).await.expect("knows");
        members
            .iter()
            .any(|member| member.account == bob.account_id() && member.read == 2 && member.delivered == 2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_holds_nothing_up() {
    let server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    say(&alice, conversation, "before").await;
    say(&alice, conversation, &"x".repeat(20_000)).await;
    say(&alice, conversation, "after").await;
    says(&bob, conversation, &["before".to_owned(), "after".to_owned()]).await;
    let messages = newest(&alice, conversation).await;
    let is_failed = |message: &&Message| matches!(message.state, MessageState::Failed { .. });
    let failed = messages.iter().find(is_failed).expect("shown as failed");
    alice.discard(failed.client_id).await.expect("forgets");
    says(&alice, conversation, &["before".to_owned(), "after".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fits_into_no_frame_is_refused_before_it_is_kept() {
    let server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    let refused = alice.send_text(conversation, "x".repeat(300_000), None, Vec::new()).await;
    assert!(matches!(refused, Err(ClientError::Server(error)) if error.code == "frame_too_large"));
    say(&alice, conversation, "after").await;
    says(&bob, conversation, &["after".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_break_lose_and_repeat_nothing() {
    let server = Server::spawn(&[]);
    let (up, down) = (Proxy::before(server.url()).await, Proxy::before(server.url()).await);
    let alice = sign_up(&up.url, "alice", CacheLocation::Memory).await;
    let bob = sign_up(&down.url, "bob", CacheLocation::Memory).await;
    let conversation = alice.open_direct(bob.account_id()).await.expect("opens");
    up.carry_about(9_000);
    down.carry_about(12_000);
    online(&alice).await;
    online(&bob).await;
    let wanted = numbered("message", 300);
    for (number, text) in wanted.iter().enumerate() {
        say(&alice, conversation, text).await;
        if number % 10 == 0 {
            // Not faster than the line, so that it breaks in between as well.
            until(&alice, "mostly sent", async || unsent(&alice, conversation).await < 20).await;
        }
    }
    all_sent(&alice, conversation).await;
    assert!(up.cuts.load(Ordering::SeqCst) > 2, "the line did not break");
    up.carry_about(0);
    down.carry_about(0);
    says(&bob, conversation, &wanted).await;
    says(&alice, conversation, &wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_and_repeats_nothing() {
    let mut server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    let wanted = numbered("message", 200);
    for (number, text) in wanted.iter().enumerate() {
        say(&alice, conversation, text).await;
        if number % 60 == 50 {
            server.kill9();
            server = server.restart();
        }
    }
    says(&bob, conversation, &wanted).await;
    says(&alice, conversation, &wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_survives_a_restart_and_a_stale_base() {
    let server = Server::spawn(&["--limits-base-entries", "64", "--limits-page-entries", "20"]);
    let folder = tempfile::tempdir().expect("a folder");
    let cache = CacheLocation::File(folder.path().join("cache.db"));
    let alice = sign_up(server.url(), "alice", cache.clone()).await;
    let bob = sign_up(server.url(), "bob", CacheLocation::Memory).await;
    online(&alice).await;
    online(&bob).await;
    let conversation = alice.open_direct(bob.account_id()).await.expect("opens");
    say(&alice, conversation, "first").await;
    says(&bob, conversation, &["first".to_owned()]).await;
    alice.disconnect().await.expect("disconnects");
    let (late, meanwhile) = (numbered("late", 5), numbered("meanwhile", 140));
    for text in &late {
        say(&alice, conversation, text).await;
    }
    alice.shut_down().await.expect("ends");
    for text in &meanwhile {
        say(&bob, conversation, text).await;
    }
    all_sent(&bob, conversation).await;
    let alice = Client::open(cache).await.expect("opens");
    let pending = newest(&alice, conversation).await;
    assert_eq!(pending.iter().filter(|message| message.state == MessageState::Pending).count(), late.len());
    online(&alice).await;
    let wanted = [vec!["first".to_owned()], meanwhile, late].concat();
    says(&bob, conversation, &wanted).await;
    says(&alice, conversation, &wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn polling_takes_over_where_sockets_do_not_get_through() {
    let server = Server::spawn(&[]);
    let proxy = Proxy::before(server.url()).await;
    proxy.refuse_sockets(true);
    let alice = sign_up(&proxy.url, "alice", CacheLocation::Memory).await;
    let bob = sign_up(server.url(), "bob", CacheLocation::Memory).await;
    online(&bob).await;
    online(&alice).await;
    assert_eq!(alice.connection_state(), ConnectionState::Online { polling: true });
    let conversation = alice.open_direct(bob.account_id()).await.expect("opens");
    let mut wanted = Vec::new();
    for number in 0..10 {
        for (client, name) in [(&alice, "alice"), (&bob, "bob")] {
            wanted.push(format!("{name} {number}"));
            say(client, conversation, &format!("{name} {number}")).await;
            says(&alice, conversation, &wanted).await;
            says(&bob, conversation, &wanted).await;
        }
    }
    alice.disconnect().await.expect("disconnects");
    say(&bob, conversation, "one more").await;
    all_sent(&bob, conversation).await;
    say(&alice, conversation, "and mine").await;
    alice.sync_once().await.expect("looks once");
    wanted.extend(["one more".to_owned(), "and mine".to_owned()]);
    assert_eq!(texts(&newest(&alice, conversation).await), wanted);
    assert_eq!(alice.connection_state(), ConnectionState::Offline);
    says(&bob, conversation, &wanted).await;
    proxy.refuse_sockets(false);
    online(&alice).await;
    assert_eq!(alice.connection_state(), ConnectionState::Online { polling: false });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_absence_is_read_again_from_the_end() {
    let server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    say(&alice, conversation, "first").await;
    says(&bob, conversation, &["first".to_owned()]).await;
    bob.disconnect().await.expect("disconnects");
    let mut wanted = vec!["first".to_owned()];
    // Long enough that pages are cut by their bytes.
    wanted.extend((0..1_200).map(|number| format!("{number} {}", "long ".repeat(number % 700))));
    for text in &wanted[1..] {
        say(&alice, conversation, text).await;
    }
    until(&alice, "all sent", async || unsent(&alice, conversation).await == 0).await;
    online(&bob).await;
    let fresh = log_in(server.url(), "bob").await;
    online(&fresh).await;
    for client in [&bob, &fresh] {
        let around = client.messages(conversation, Anchor::Around(600), 40).await.expect("reads").messages;
        let numbers: Vec<u64> = around.iter().filter_map(|message| message.seq).collect();
        assert_eq!(numbers, (581..=620).collect::<Vec<_>>());
        until(client, "the newest", async || {
            texts(&newest(client, conversation).await).last() == wanted.last()
        })
        .await;
        assert!(all_texts(client, conversation).await == wanted, "not what was said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_agree_on_their_own_state() {
    let server = Server::spawn(&[]);
    let (alice, _bob, conversation) = pair(server.url()).await;
    let phone = log_in(server.url(), "alice").await;
    online(&phone).await;
    let summary = async |client: &Client| client.conversation(conversation).await.expect("reads");
    until(&phone, "the list", async || summary(&phone).await.is_some()).await;
    phone.set_pin(conversation, Some(1.0)).await.expect("pins");
    until(&alice, "pinned", async || summary(&alice).await.is_some_and(|summary| summary.pin == Some(1.0)))
        .await;
    alice.disconnect().await.expect("disconnects");
    phone.set_pin(conversation, None).await.expect("unpins");
    phone.set_draft(conversation, Some("later".to_owned())).await.expect("drafts");
    alice.set_archived(conversation, true).await.expect("archives");
    online(&alice).await;
    for client in [&alice, &phone] {
        until(client, "the same", async || {
            summary(client).await.is_some_and(|summary| {
                summary.pin.is_none() && summary.draft.as_deref() == Some("later") && summary.archived
            })
        })
        .await;
    }
    phone.log_out().await.expect("logs out");
    assert!(matches!(phone.connect().await, Err(ClientError::Stopped)));
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_come_and_go() {
    let server = Server::spawn(&[]);
    let (alice, bob, _) = pair(server.url()).await;
    let members = vec![bob.account_id()];
    let group =
        alice.create_group(Some("Lunch".to_owned()), members, Default::default()).await.expect("makes");
    until(&bob, "the group", async || {
        let summary = bob.conversation(group).await.expect("reads");
        summary.is_some_and(|summary| summary.title == "Lunch" && summary.members == 2)
    })
    .await;
    say(&bob, group, "hello").await;
    says(&alice, group, &["hello".to_owned()]).await;
    alice.remove_member(group, bob.account_id()).await.expect("removes");
    until(&bob, "out", async || {
        let summary = bob.conversation(group).await.expect("reads");
        summary.is_some_and(|summary| summary.role.is_none())
    })
    .await;
}

/// P4: a backup, twenty messages, the backup restored, twenty others: every cache ends with the others.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_every_cache_ends_with_the_new_history() {
    let mut server = Server::spawn(&[]);
    let (alice, bob, conversation) = pair(server.url()).await;
    let kept = numbered("kept", 3);
    for text in &kept {
        say(&alice, conversation, text).await;
    }
    says(&bob, conversation, &kept).await;
    let aside = tempfile::tempdir().expect("a folder");
    let data = server.data().to_owned();
    let path = |path: &std::path::Path| path.to_str().expect("plain").to_owned();
    let backup = aside.path().join("backup");
    support::output_of(["backup", "--data", &path(&data), "--to", &path(&backup)]);
    let lost = [kept.clone(), numbered("lost", 20)].concat();
    for text in &lost[kept.len()..] {
        say(&alice, conversation, text).await;
    }
    says(&bob, conversation, &lost).await;
    says(&alice, conversation, &lost).await;
    server.kill9();
    std::fs::rename(&data, aside.path().join("old")).expect("moves aside");
    support::output_of(["restore", "--from", &path(&backup), "--data", &path(&data)]);
    let _server = server.restart();
    let others = [kept.clone(), numbered("other", 20)].concat();
    for text in &others[kept.len()..] {
        say(&bob, conversation, text).await;
    }
    says(&alice, conversation, &others).await;
    says(&bob, conversation, &others).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presence_follows_the_other_and_is_unknown_without_a_line() {
    let server = Server::spawn(&[]);
    let alice = sign_up(server.url(), "alice", CacheLocation::Memory).await;
    let bob = sign_up(server.url(), "bob", CacheLocation::Memory).await;
    let them = bob.account_id();
    alice.watch(vec![them]).await.expect("watches");
    online(&alice).await;
    online(&bob).await;
    let is = async |state: PresenceState| {
        until(&alice, "another presence", async || alice.presence(them).state == state).await;
    };
    is(PresenceState::Online).await;
    bob.set_foreground(false).await.expect("is told");
    is(PresenceState::Away).await;

    // A new line asks again by itself.
    alice.disconnect().await.expect("is told");
    is(PresenceState::Unknown).await;
    bob.set_foreground(true).await.expect("is told");
    alice.connect().await.expect("is told");
    is(PresenceState::Online).await;

    // An open conversation needs no list.
    alice.watch(Vec::new()).await.expect("watches nobody");
    is(PresenceState::Unknown).await;
    let conversation = alice.open_direct(them).await.expect("opens");
    alice.open_conversation(conversation).await.expect("opens");
    bob.open_conversation(conversation).await.expect("opens");
    until(&alice, "bob is online and types", async || {
        bob.typing(conversation, true).await.expect("types");
        let there = alice.conversation_presence(conversation).await.expect("reads");
        there.peer.is_some_and(|peer| peer.state == PresenceState::Online)
            && there.online == Some(1)
            && there.typing == [them]
    })
    .await;

    let change = AccountChange { who_may_see: Some(Audience::Nobody), ..AccountChange::default() };
    let changed = bob.change_account(change).await.expect("changes");
    assert_eq!(changed.who_may_see, Audience::Nobody);
    is(PresenceState::Hidden).await;
    let there = alice.conversation_presence(conversation).await.expect("reads");
    assert_eq!(there.online, Some(0), "whoever hides is not counted");
}
