//! The promises, black-box: a real server, killed, cut and flooded.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use std::path::Path;
use std::time::Duration;

use futures::SinkExt;
use serde_json::{Value, json};
use support::Server;
use support::wire::{Line, Person, message};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

async fn two(server: &Server) -> (Person, Person, String) {
    let mina = Person::sign_up(server.url(), "mina").await;
    let joon = Person::sign_up(server.url(), "joon").await;
    let conversation = mina.direct(&joon).await;
    (mina, joon, conversation)
}

fn texts(entries: &[Value]) -> Vec<String> {
    let messages = entries.iter().filter(|entry| entry["kind"] == "message");
    messages.map(|entry| entry["body"]["text"].as_str().unwrap_or("(gone)").to_owned()).collect()
}

/// P1, P2: whatever was acknowledged when the server is killed is there, in order, without holes, for everybody.
#[tokio::test]
async fn acknowledged_means_kept() {
    let mut server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let mut line = mina.connect().await;
        let base = mina.history(&conversation).await.unwrap().len() as u64;
        let mut sent = Vec::new();
        for number in 0..60 {
            let text = format!("{round}-{number}");
            let id = line.send("send", message(&conversation, Uuid::now_v7(), base, &text)).await;
            sent.push((id, text));
        }
        // Killed while most of them are under way.
        for (id, text) in sent.into_iter().take(20 + round) {
            let reply = line.answer(id).await.unwrap();
            acknowledged.push((reply["position"]["seq"].as_u64().unwrap(), text));
        }
        server.kill9();
        server = server.restart();
    }
    for person in [&mina, &joon] {
        let entries = person.history(&conversation).await.unwrap();
        let numbers: Vec<u64> = entries.iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
        assert_eq!(numbers, (1..=entries.len() as u64).collect::<Vec<_>>());
        for (seq, text) in &acknowledged {
            assert_eq!(entries[*seq as usize - 1]["body"]["text"], text.as_str());
        }
        assert!(entries.windows(2).all(|pair| pair[0]["at"].as_u64() <= pair[1]["at"].as_u64()));
    }
}

/// P3: the same client id, again, before and after a restart, from another device and over another transport.
#[tokio::test]
async fn a_repeated_send_is_one_entry() {
    let mut server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let send = message(&conversation, Uuid::now_v7(), 1, "once");
    let mut line = mina.connect().await;
    let first = line.ask("send", send.clone()).await.unwrap();
    for _ in 0..40 {
        joon.say(&conversation, 1, "between").await;
    }
    assert_eq!(line.ask("send", send.clone()).await.unwrap(), first);
    assert_eq!(mina.log_in().await.connect().await.ask("send", send.clone()).await.unwrap(), first);
    server.kill9();
    server = server.restart();
    assert_eq!(mina.request("send", send.clone()).await.unwrap(), first);
    assert_eq!(server.terminate().code(), Some(0));
    let _server = server.restart();
    assert_eq!(mina.connect().await.ask("send", send).await.unwrap(), first);
    let entries = joon.history(&conversation).await.unwrap();
    assert_eq!(texts(&entries).iter().filter(|text| *text == "once").count(), 1);
}

/// P2: of pipelined sends with one lost on the way, none overtakes it.
#[tokio::test]
async fn pipelined_sends_do_not_swap() {
    let server = Server::spawn(&[]);
    let (mina, _, conversation) = two(&server).await;
    let mut line = mina.connect().await;
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::now_v7()).collect();
    let send = |place: usize| {
        let mut body = message(&conversation, ids[place], 1, &place.to_string());
        if place > 0 {
            body["after"] = json!(ids[place - 1]);
        }
        body
    };
    line.ask("send", send(0)).await.unwrap();
    // The second is lost; the third and fourth arrive.
    assert_eq!(line.ask("send", send(2)).await, Err("out_of_turn".to_owned()));
    assert_eq!(line.ask("send", send(3)).await, Err("out_of_turn".to_owned()));
    for place in 1..4 {
        line.ask("send", send(place)).await.unwrap();
    }
    assert_eq!(texts(&mina.history(&conversation).await.unwrap()), ["0", "1", "2", "3"]);
}

/// P4: connections cut in the middle of a frame lose nothing, and leave nothing half done.
#[tokio::test]
async fn a_cut_in_the_middle_of_a_frame_is_resumed() {
    let server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let mut resume: Option<Value> = None;
    let mut known = 1;
    for cut in [1usize, 3, 7, 50, 200] {
        let mut line = Line::open(server.url()).await;
        let hello = json!({ "protocol": 1, "token": joon.token, "resume": resume });
        let welcome = line.ask("hello", hello).await.unwrap();
        assert_eq!(welcome["resumed"], resume.is_some());
        let rows = welcome["window"]["rows"].as_array().unwrap();
        assert_eq!(rows[0]["head"], known, "the window tells what was missed");
        resume = Some(welcome["window"]["resume"].clone());
        // A whole frame is on its way, and only its beginning arrives.
        let send =
            json!({ "id": 9, "type": "send", "body": message(&conversation, Uuid::now_v7(), 1, "torn") });
        let payload = send.to_string().into_bytes();
        let mut bytes = vec![0x81, 0x80 | 126];
        bytes.extend((payload.len() as u16).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(payload);
        let MaybeTlsStream::Plain(stream) = line.socket.get_mut() else { panic!("plain") };
        stream.write_all(&bytes[..cut.min(bytes.len() - 1)]).await.unwrap();
        stream.flush().await.unwrap();
        drop(line);
        known = mina.say(&conversation, known, "while away").await;
    }
    let entries = joon.history(&conversation).await.unwrap();
    assert!(texts(&entries).iter().all(|text| text == "while away"));
    assert_eq!(entries.len(), 6);
}

/// P4: an older backup is restored: whoever saw more is told to reset, and everybody ends with the new history.
#[tokio::test]
async fn a_restored_backup_raises_the_epoch() {
    let mut server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    mina.say(&conversation, 1, "before").await;
    let welcome = joon.connect().await.welcome;
    let folder = tempfile::tempdir().unwrap();
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    support::output_of(["backup", "--data", &path(server.data()), "--to", &path(&backup)]);
    for number in 0..20 {
        mina.say(&conversation, 1, &format!("lost {number}")).await;
    }
    server.kill9();
    support::output_of(["restore", "--from", &path(&backup), "--data", &path(&restored)]);
    let server = Server::spawn_on(&restored, &[]);
    let (mina, joon) = (at(&mina, &server), at(&joon, &server));
    for number in 0..20 {
        mina.say(&conversation, 1, &format!("kept {number}")).await;
    }
    let mut line = Line::open(server.url()).await;
    let hello = json!({ "protocol": 1, "token": joon.token, "resume": welcome["window"]["resume"] });
    let again = line.ask("hello", hello).await.unwrap();
    assert_eq!(again["resumed"], false, "another epoch is a new boot");
    let epoch = |welcome: &Value| welcome["window"]["rows"][0]["epoch"].as_u64();
    assert!(epoch(&again) > epoch(&welcome));
    let kept: Vec<String> = (0..20).map(|number| format!("kept {number}")).collect();
    assert_eq!(texts(&joon.history(&conversation).await.unwrap())[1..], kept);
}

fn at(person: &Person, server: &Server) -> Person {
    Person { url: server.url().to_owned(), ..person.clone() }
}

/// P5: a reader that stops costs a bounded queue, and nobody else notices.
#[tokio::test]
async fn a_reader_that_stops_costs_nobody_else() {
    let server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let mut stopped = joon.connect().await;
    let mut awake = joon.log_in().await.connect().await;
    let mut line = mina.connect().await;
    let before = resident_kib(server.pid());
    let padding = "x".repeat(2_000);
    let writer = async {
        let mut waiting = std::collections::VecDeque::new();
        for number in 0..10_000u64 {
            let text = format!("{number} {padding}");
            waiting.push_back(
                line.send(
                    "send",
                    message(&conversation, Uuid::now_v7(), number.saturating_sub(250).max(1), &text),
                )
                .await,
            );
            if waiting.len() > 200 {
                line.answer(waiting.pop_front().unwrap()).await.unwrap();
                line.events.clear();
            }
        }
        for id in waiting {
            line.answer(id).await.unwrap();
        }
    };
    let reader = async {
        let mut next = 2;
        while next <= 10_001 {
            for entry in awake.entries(&conversation).await {
                assert_eq!(entry["seq"], next);
                next += 1;
            }
        }
    };
    futures::join!(writer, reader);
    let grown = resident_kib(server.pid()).saturating_sub(before);
    assert!(grown < 150 * 1024, "the server grew by {grown} KiB for 20 MB that nobody reads");
    // It was cut loose instead of being kept for: what it still finds is what the network had taken.
    let mut found = 0;
    while let Ok(frame) = stopped.frame().await {
        found += usize::from(frame["event"] == "entries");
    }
    assert!(found < 10_000, "all {found} were kept for a reader that had stopped");
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// P8: a logged-out device is gone at once, on a live connection too, however it was logged out.
#[tokio::test]
async fn a_logged_out_device_is_gone() {
    let server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let other = joon.log_in().await;
    let mut line = other.connect().await;
    joon.ok("DELETE", &format!("/v1/devices/{}", other.device), json!({})).await;
    mina.say(&conversation, 1, "secret").await;
    assert_eq!(line.closed().await, 4200);
    assert!(line.events.is_empty(), "nothing came after the logout: {:?}", line.events);
    assert_eq!(other.request("ping", json!({})).await, Err("unauthenticated".to_owned()));
    assert_eq!(Line::open(server.url()).await.hello(&other.token).await, Err("unauthenticated".to_owned()));

    let mut line = joon.connect().await;
    support::output_of(["admin", "--data", server.data().to_str().unwrap(), "account", "disable", "joon"]);
    assert_eq!(line.closed().await, 4201);
    assert_eq!(joon.rest("GET", "/v1/account", json!({})).await.0, 401);
}

/// P8: a removed member gets nothing more and reads nothing more; a blocked account sends nothing more.
#[tokio::test]
async fn a_removed_or_blocked_one_is_out() {
    let server = Server::spawn(&[]);
    let (mina, joon, direct) = two(&server).await;
    let group = mina.group(&[&joon]).await;
    let mut line = joon.connect().await;
    mina.ok("DELETE", &format!("/v1/groups/{group}/members/{}", joon.id), json!({})).await;
    mina.say(&group, 1, "without joon").await;
    for (name, body) in [
        ("history", json!({ "conversation": group, "range": { "newest": { "limit": 10 } } })),
        ("send", message(&group, Uuid::now_v7(), 1, "let me in")),
        ("conversation", json!({ "conversation": group })),
        ("open", json!({ "conversation": group })),
        ("mark", json!({ "conversation": group, "read": 1 })),
    ] {
        assert_eq!(line.ask(name, body).await, Err("not_member".to_owned()), "{name}");
    }
    let told: Vec<String> = line.events.iter().map(Value::to_string).collect();
    assert!(told.iter().any(|event| event.contains("member_removed")), "it is told of its removal");
    assert!(told.iter().all(|event| !event.contains("without joon")), "and of nothing after");

    mina.ok("PUT", &format!("/v1/blocks/{}", joon.id), json!({})).await;
    let send = message(&direct, Uuid::now_v7(), 1, "hello?");
    assert_eq!(line.ask("send", send).await, Err("blocked".to_owned()));
    mina.ok("DELETE", &format!("/v1/blocks/{}", joon.id), json!({})).await;
    line.ask("send", message(&direct, Uuid::now_v7(), 1, "hello!")).await.unwrap();
}

/// P10: what was deleted is in no file of the data folder; its number, author and time remain.
#[tokio::test]
async fn deleted_means_erased() {
    let mut server = Server::spawn(&[]);
    let (mina, joon, conversation) = two(&server).await;
    let secret = "quetzalcoatlus";
    let kept = "pterodactylus";
    let first = mina.say(&conversation, 1, secret).await;
    let edit = json!({
        "conversation": conversation, "client_id": Uuid::now_v7(), "base": 2, "kind": "edit", "target": first,
        "body": { "type": "text", "text": format!("{secret} corrected") },
    });
    mina.request("send", edit).await.unwrap();
    joon.say(&conversation, 1, kept).await;
    let draft = |text: Value| json!({ "client_id": Uuid::now_v7(), "key": format!("draft/{conversation}"), "value": text });
    mina.request("set", draft(json!({ "text": format!("{secret} draft") }))).await.unwrap();
    assert!(is_stored(server.data(), secret));
    let delete = json!({
        "conversation": conversation, "client_id": Uuid::now_v7(), "base": 2, "kind": "delete", "target": first,
    });
    mina.request("send", delete).await.unwrap();
    mina.request("set", draft(Value::Null)).await.unwrap();
    wait_until("the text is erased", || !is_stored(server.data(), secret)).await;
    let entries = joon.history(&conversation).await.unwrap();
    let gone = &entries[first as usize - 1];
    assert_eq!((&gone["author"], gone.get("body")), (&json!(mina.id), None));
    assert!(gone["standing"]["deleted"].as_u64() > Some(0));

    let draft_left = json!({ "text": format!("{secret} draft, never sent") });
    mina.request("set", draft(draft_left)).await.unwrap();
    let mina_said = mina.say(&conversation, 1, &format!("{secret} again")).await;
    mina.ok("DELETE", "/v1/account", json!({ "password": "correct horse" })).await;
    wait_until("the account's texts are erased", || !is_stored(server.data(), secret)).await;
    server.kill9();
    let server = server.restart();
    assert!(is_stored(server.data(), kept), "what others wrote stays");
    assert!(!is_stored(server.data(), secret));
    let entries = at(&joon, &server).history(&conversation).await.unwrap();
    assert_eq!(entries[mina_said as usize - 1].get("body"), None);
    assert_eq!(at(&mina, &server).rest("GET", "/v1/account", json!({})).await.0, 401);
}

/// Whether any file below the folder holds the text.
fn is_stored(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return is_stored(&path, text);
        }
        // A file may go away while it is looked at, and a socket cannot be read.
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

async fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await; // tidy: sleep because files tell nobody when they change
    }
    panic!("{what}: not within a minute");
}

/// No text, token, password or address is logged, whatever happens.
#[tokio::test]
async fn nothing_private_is_logged() {
    let mut server = Server::spawn(&["--log-level", "debug"]);
    let (mina, _, conversation) = two(&server).await;
    let mut line = mina.connect().await;
    line.ask("send", message(&conversation, Uuid::now_v7(), 1, "quetzalcoatlus")).await.unwrap();
    line.say("quetzalcoatlus {").await;
    line.socket.send(Message::binary(b"quetzalcoatlus".to_vec())).await.unwrap();
    drop(line.ask("no_such_request", json!({ "quetzalcoatlus": 1 })).await);
    mina.rest("POST", "/v1/login", json!({ "name": "mina", "password": "quetzalcoatlus" })).await;
    server.terminate();
    let log = server.log();
    assert!(!log.is_empty(), "there is a log");
    for private in ["quetzalcoatlus", mina.token.as_str(), "correct horse"] {
        assert!(!log.contains(private), "{private} is in the log");
    }
}
