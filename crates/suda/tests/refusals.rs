//! Wrong identities and bad input: every request refused with its documented code, and nothing closed that need not be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use futures::SinkExt;
use serde_json::{Value, json};
use support::Server;
use support::wire::{Line, Person, message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// Every request that names a conversation, as a member could send it.
fn requests(conversation: &str) -> Vec<(&'static str, Value)> {
    let send = |kind: &str, body: Value| {
        json!({
            "conversation": conversation, "client_id": Uuid::now_v7(), "base": 1, "kind": kind, "target": 2, "body": body,
        })
    };
    let text = json!({ "type": "text", "text": "hello" });
    let range = json!({ "newest": { "limit": 10 } });
    vec![
        ("send", message(conversation, Uuid::now_v7(), 1, "hello")),
        ("send", send("edit", text)),
        ("send", send("delete", Value::Null)),
        ("send", send("reaction", json!({ "emoji": "👍" }))),
        ("history", json!({ "conversation": conversation, "range": range })),
        ("conversation", json!({ "conversation": conversation })),
        ("open", json!({ "conversation": conversation })),
        ("mark", json!({ "conversation": conversation, "read": 1 })),
        ("typing", json!({ "conversation": conversation, "typing": true })),
        ("reactions", json!({ "conversation": conversation, "seq": 2 })),
        ("set", json!({ "client_id": Uuid::now_v7(), "key": format!("mute/{conversation}"), "value": {} })),
    ]
}

/// Every REST call about a group, as its owner could make it.
fn calls(group: &str, somebody: &str) -> Vec<(&'static str, String, Value)> {
    let path = |rest: &str| format!("/v1/groups/{group}{rest}");
    vec![
        ("PATCH", path(""), json!({ "title": "mine now" })),
        ("POST", path("/members"), json!({ "accounts": [somebody] })),
        ("DELETE", path(&format!("/members/{somebody}")), json!({})),
        ("PUT", path(&format!("/members/{somebody}/role")), json!({ "role": "admin" })),
        ("DELETE", path(""), json!({})),
    ]
}

#[tokio::test]
async fn every_request_is_refused_to_every_wrong_identity() {
    let server = Server::spawn(&[]);
    let url = server.url();
    let owner = Person::sign_up(url, "owner").await;
    let member = Person::sign_up(url, "member").await;
    let removed = Person::sign_up(url, "removed").await;
    let stranger = Person::sign_up(url, "stranger").await;
    let group = owner.group(&[&member, &removed]).await;
    owner.say(&group, 1, "hello").await;
    owner.ok("DELETE", &format!("/v1/groups/{group}/members/{}", removed.id), json!({})).await;
    let nobody = Person { token: "A".repeat(43), ..owner.clone() };
    let refusals =
        [(&nobody, "unauthenticated"), (&stranger, "no_such_conversation"), (&removed, "not_member")];
    for (person, code) in refusals {
        for (name, body) in requests(&group) {
            let refused = person.request(name, body.clone()).await;
            // A former member may still mute or archive what is left in its list.
            if name == "set" && code == "not_member" {
                assert!(refused.is_ok(), "{refused:?}");
                continue;
            }
            assert_eq!(refused, Err(code.to_owned()), "{name} {body} of {}", person.name);
        }
        for (method, path, body) in calls(&group, &member.id) {
            let (status, answer) = person.rest(method, &path, body).await;
            assert_eq!(answer["error"]["code"], code, "{method} {path} of {}", person.name);
            assert!((400..500).contains(&status));
        }
    }
    for (method, path, body) in calls(&group, &stranger.id) {
        let (status, answer) = member.rest(method, &path, body).await;
        assert_eq!((status, &answer["error"]["code"]), (403, &json!("not_allowed")), "{method} {path}");
    }
    for (name, body) in [("edit", json!({ "type": "text", "text": "x" })), ("delete", Value::Null)] {
        let send = json!({
            "conversation": group, "client_id": Uuid::now_v7(), "base": 1, "kind": name, "target": 2, "body": body,
        });
        assert_eq!(member.request("send", send).await, Err("not_allowed".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_blocked_account_reaches_nobody() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let joon = Person::sign_up(server.url(), "joon").await;
    let direct = mina.direct(&joon).await;
    let said = joon.say(&direct, 1, "hello").await;
    mina.ok("PUT", &format!("/v1/blocks/{}", joon.id), json!({})).await;
    let about = |kind: &str, body: Value| {
        json!({
            "conversation": direct, "client_id": Uuid::now_v7(), "base": 1, "kind": kind, "target": said, "body": body,
        })
    };
    let refused = [
        ("send", message(&direct, Uuid::now_v7(), 1, "hello?")),
        ("send", about("edit", json!({ "type": "text", "text": "hello?" }))),
        ("send", about("reaction", json!({ "emoji": "👍" }))),
        ("typing", json!({ "conversation": direct, "typing": true })),
    ];
    for (name, body) in refused {
        assert_eq!(joon.request(name, body.clone()).await, Err("blocked".to_owned()), "{body}");
    }
    joon.request("send", about("delete", Value::Null)).await.expect("one's own words can be taken back");
    let group = json!({ "client_id": Uuid::now_v7(), "members": [mina.id] });
    let calls =
        [("POST", "/v1/groups".to_owned(), group), ("PUT", format!("/v1/contacts/{}", mina.id), json!({}))];
    for (method, path, body) in calls {
        assert_eq!(joon.rest(method, &path, body).await.1["error"]["code"], "blocked", "{path}");
    }
}

/// The rules of RFC 6455 on a live connection; the decoder's own tests have all of them.
#[tokio::test]
async fn what_breaks_a_rule_of_websocket_is_closed_by_its_code() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let mask = [0; 4];
    let masked = |head: &[u8], payload: &[u8]| [head, &mask, payload].concat();
    let cases = [
        (masked(&[0x81, 0x82], &[0xFF, 0xFE]), 1007),
        (vec![0x81, 0x02, b'{', b'}'], 1002),
        (masked(&[0xC1, 0x82], b"{}"), 1002),
        (masked(&[0x80, 0x82], b"{}"), 1002),
        // A mebibyte is announced; that it never comes makes no difference.
        (masked(&[0x81, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 0], &[]), 4303),
        (masked(&[0x88, 0x82], &3000_u16.to_be_bytes()), 3000),
    ];
    for (bytes, code) in cases {
        let mut line = mina.connect().await;
        let MaybeTlsStream::Plain(stream) = line.socket.get_mut() else { panic!("plain") };
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(line.closed().await, code, "{bytes:x?}");
    }
}

/// A session that answers no ping is closed; one that answers stays.
#[tokio::test]
async fn silence_is_pinged_and_then_closed() {
    let server = Server::spawn(&["--heartbeat-seconds", "1"]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let mut answering = mina.connect().await;
    let mut silent = mina.connect().await;
    let MaybeTlsStream::Plain(stream) = silent.socket.get_mut() else { panic!("plain") };
    let close = [&[0x88, 8][..], &4002_u16.to_be_bytes(), b"silent"].concat();
    let mut heard = Vec::new();
    // Read past the library, which would answer the ping.
    let listen = async {
        while !heard.ends_with(&close) {
            assert!(stream.read_buf(&mut heard).await.unwrap() > 0, "it ended without a word: {heard:x?}");
        }
    };
    // Whoever is waiting for something answers pings meanwhile.
    tokio::select! {
        () = listen => {}
        code = answering.closed() => panic!("an answering session was closed with {code}"),
    }
    assert!(heard.ends_with(&[&[0x89, 0][..], &close].concat()), "one ping, then the close: {heard:x?}");
    answering.ask("ping", json!({})).await.expect("it is still there");
}

#[tokio::test]
async fn every_route_asks_for_a_token() {
    let server = Server::spawn(&[]);
    let http = reqwest::Client::builder().build();
    let person = Person::sign_up(server.url(), "mina").await;
    drop(http);
    let (_, document) = person.rest("GET", "/v1/openapi.json", json!({})).await;
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if operation["security"].as_array().unwrap().is_empty() {
                continue;
            }
            let path = path.replace("{conversation}", &person.id).replace("{account}", &person.id);
            let path = path.replace("{device}", &person.device);
            for token in ["", "A", &"A".repeat(43)] {
                let nobody = Person { token: token.to_owned(), ..person.clone() };
                let (status, answer) = nobody.rest(&method.to_uppercase(), &path, json!({})).await;
                assert_eq!(
                    (status, &answer["error"]["code"]),
                    (401, &json!("unauthenticated")),
                    "{method} {path}"
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 60, "{asked}");
}

#[tokio::test]
async fn the_operators_and_the_apps_doors_are_closed() {
    let server = Server::spawn(&[]);
    let person = Person::sign_up(server.url(), "mina").await;
    for path in ["/accounts", "/status", "/invites"] {
        assert_eq!(person.rest("GET", path, json!({})).await.0, 404, "{path}");
    }
    let (status, _) = person.rest("POST", "/v1/app/accounts", json!({ "external_id": "x" })).await;
    assert_eq!(status, 401, "without an application key nothing is the key");
}

#[tokio::test]
async fn bad_frames_are_told_and_close_nothing() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let mut line = mina.connect().await;
    let frames = [
        ("", "bad_frame"),
        ("{", "bad_frame"),
        ("[]", "bad_frame"),
        ("null", "bad_frame"),
        (r#"{"id":"seven","type":"ping"}"#, "bad_frame"),
        (r#"{"id":-1,"type":"ping"}"#, "bad_frame"),
        (r#"{"type":"ping"}"#, "bad_frame"),
        (r#"{"id":7,"type":"dance"}"#, "unknown_request"),
        (r#"{"id":7,"type":"hello","body":{"protocol":1}}"#, "hello_first"),
        (r#"{"id":7,"type":"send","body":{}}"#, "bad_request"),
        (r#"{"id":7,"type":"send","body":7}"#, "bad_request"),
        (
            r#"{"id":7,"type":"history","body":{"conversation":"x","range":{"newest":{"limit":1}}}}"#,
            "bad_request",
        ),
        (r#"{"id":7,"type":"window","body":{"since":"x"}}"#, "bad_request"),
    ];
    for (frame, code) in frames {
        line.say(frame).await;
        let answer = line.told().await;
        assert_eq!(answer["error"]["code"], code, "{frame}");
    }
    line.socket.send(Message::binary(vec![0; 16])).await.unwrap();
    assert_eq!(line.told().await["error"]["code"], "binary_frame");
    line.say(&format!(r#"{{"id":7,"type":"ping","x":"{}"}}"#, "x".repeat(64 * 1024))).await;
    assert_eq!(line.told().await["error"]["code"], "frame_too_large");
    let deep = format!(r#"{{"id":7,"type":"send","body":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    line.say(&deep).await;
    assert!(line.told().await["error"]["code"].is_string(), "deep nesting is told, not crashed on");
}

#[tokio::test]
async fn bad_sends_are_told_and_unknown_bodies_kept() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let joon = Person::sign_up(server.url(), "joon").await;
    let conversation = mina.direct(&joon).await;
    let mut line = mina.connect().await;
    let say = |body: Value| {
        json!({
            "conversation": conversation, "client_id": Uuid::now_v7(), "base": 1, "kind": "message", "body": body,
        })
    };
    let mut mentioning = say(json!({ "type": "text", "text": "hi" }));
    mentioning["mentions"] = json!([{ "who": { "account": joon.id }, "start": 0, "length": 3 }]);
    let mut reacting = say(json!({ "emoji": "not an emoji" }));
    (reacting["kind"], reacting["target"]) = (json!("reaction"), json!(1));
    let mut unknown = say(json!({ "type": "text", "text": "hi" }));
    unknown["kind"] = json!("dance");
    let mut member_added = say(json!({ "accounts": [mina.id] }));
    member_added["kind"] = json!("members_added");
    let mut beyond = say(json!({ "type": "text", "text": "hi" }));
    beyond["base"] = json!(1_000_000);
    let sends = [
        (say(json!({ "type": "text", "text": "x".repeat(16 * 1024 + 1) })), "text_too_long"),
        (say(json!({ "type": "text", "text": "  \n" })), "empty_text"),
        (say(json!({ "type": "text" })), "bad_request"),
        (say(json!({ "text": "hi" })), "bad_request"),
        (say(json!({ "type": "text", "text": "hi", "data": "x".repeat(2_100) })), "data_too_large"),
        (say(json!({ "type": "media", "blob": 1 })), "unsupported_body"),
        (say(json!({ "type": "encrypted", "bytes": "" })), "unsupported_body"),
        (say(Value::Null), "bad_request"),
        (mentioning, "bad_mention"),
        (reacting, "bad_request"),
        (unknown, "unknown_kind"),
        (member_added, "unknown_kind"),
        (beyond, "beyond_head"),
    ];
    for (send, code) in sends {
        let told = line.ask("send", send.clone()).await;
        assert_eq!(told, Err(code.to_owned()), "{send}");
    }
    let newer = say(json!({ "type": "from_the_future", "shape": [1, 2] }));
    line.ask("send", newer).await.expect("unknown bodies are kept");
    let entries = joon.history(&conversation).await.unwrap();
    assert_eq!(entries[1]["body"], json!({ "type": "from_the_future", "shape": [1, 2] }));
}

#[tokio::test]
async fn what_cannot_go_on_is_closed_with_its_code() {
    let server = Server::spawn(&["--session-hello-seconds", "1"]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let mut early = Line::open(server.url()).await;
    assert_eq!(early.ask("ping", json!({})).await, Err("hello_first".to_owned()));
    assert_eq!(early.closed().await, 4301);
    let mut old = Line::open(server.url()).await;
    assert_eq!(
        old.ask("hello", json!({ "protocol": 99, "token": mina.token })).await,
        Err("unsupported_protocol".to_owned())
    );
    assert_eq!(old.closed().await, 4302);
    let mut large = mina.connect().await;
    // The server takes no more of it, but reads on: TCP does not take the close frame back.
    drop(large.socket.send(Message::text("x".repeat(1024 * 1024))).await);
    assert_eq!(large.closed().await, 4303);
    let silent = &mut Line::open(server.url()).await;
    assert_eq!(silent.closed().await, 4002);
}

#[tokio::test]
async fn bad_bodies_over_http_are_told() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let post = |path: &'static str, body: Vec<u8>| {
        let request = mina.http.post(format!("{}{path}", mina.url)).bearer_auth(&mina.token).body(body);
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap()["error"]["code"].as_str().unwrap().to_owned())
        }
    };
    let cases: [(&str, Vec<u8>, u16, &str); 8] = [
        ("/v1/requests", b"{".to_vec(), 400, "bad_frame"),
        ("/v1/requests", vec![0xFF, 0xFE], 400, "not_utf8"),
        ("/v1/requests", vec![b' '; 1024 * 1024], 413, "frame_too_large"),
        ("/v1/accounts", b"{\"name\": 7}".to_vec(), 400, "bad_request"),
        ("/v1/accounts", b"{\"name\":\"Mina\",\"password\":\"correct horse\"}".to_vec(), 400, "bad_name"),
        ("/v1/accounts", b"{\"name\":\"mina\",\"password\":\"correct horse\"}".to_vec(), 409, "name_taken"),
        ("/v1/accounts", b"{\"name\":\"other\",\"password\":\"short\"}".to_vec(), 400, "weak_password"),
        ("/v1/nowhere", Vec::new(), 404, "no_such_route"),
    ];
    for (path, body, status, code) in cases {
        assert_eq!(post(path, body.clone()).await, (status, code.to_owned()), "{path} {body:?}");
    }
    for (method, path, status) in [
        ("GET", "/v1/accounts/not-an-id", 400),
        ("DELETE", "/v1/devices/not-an-id", 400),
        ("GET", "/v1/sync?cursor=strange", 400),
        ("GET", "/v1/sync?wait=x", 400),
        ("PUT", "/v1/login", 405),
    ] {
        let (told, answer) = mina.rest(method, path, json!({})).await;
        assert_eq!(told, status, "{method} {path}: {answer}");
        assert!(answer["error"]["code"].is_string(), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn the_hundred_and_first_member_is_refused() {
    let server = Server::spawn(&["--limits-members", "4"]);
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(Person::sign_up(server.url(), &format!("person{number}")).await);
    }
    let owner = &people[0];
    let group = owner.group(&[&people[1], &people[2], &people[3]]).await;
    let add = json!({ "accounts": [people[4].id] });
    let (status, answer) = owner.rest("POST", &format!("/v1/groups/{group}/members"), add).await;
    assert_eq!((status, &answer["error"]["code"]), (409, &json!("group_full")));
    let everybody: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let body = json!({ "client_id": Uuid::now_v7(), "members": everybody });
    assert_eq!(owner.rest("POST", "/v1/groups", body).await.0, 409);
    let strangers = json!({ "accounts": [Uuid::now_v7()] });
    let (_, answer) = owner.rest("POST", &format!("/v1/groups/{group}/members"), strangers).await;
    assert_eq!(answer["error"]["code"], "no_such_account");
}
