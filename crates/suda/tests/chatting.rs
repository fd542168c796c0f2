//! What people do, black-box: groups, messages, receipts, settings in step, the three transports.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use serde_json::{Value, json};
use support::Server;
use support::wire::{Line, Person, message};
use uuid::Uuid;

async fn people<const N: usize>(server: &Server) -> [Person; N] {
    let mut people = Vec::new();
    for number in 0..N {
        people.push(Person::sign_up(server.url(), &format!("person{number}")).await);
    }
    people.try_into().unwrap_or_else(|_| unreachable!())
}

fn about(conversation: &str, kind: &str, target: u64, body: Value) -> Value {
    json!({
        "conversation": conversation, "client_id": Uuid::now_v7(), "base": 1, "kind": kind, "target": target,
        "body": body,
    })
}

fn row<'a>(welcome: &'a Value, conversation: &str) -> &'a Value {
    let rows = welcome["window"]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["conversation"] == conversation).unwrap()
}

#[tokio::test]
async fn messages_stand_as_edited_deleted_and_reacted_to() {
    let server = Server::spawn(&[]);
    let [mina, joon, sora] = people(&server).await;
    let group = mina.group(&[&joon, &sora]).await;
    let first = mina.say(&group, 1, "frist").await;
    let second = joon.say(&group, 1, "hello").await;
    let edited = about(&group, "edit", first, json!({ "type": "text", "text": "first" }));
    mina.request("send", edited).await.unwrap();
    for (person, emoji) in [(&joon, "👍"), (&sora, "👍"), (&mina, "❤️")] {
        person.request("send", about(&group, "reaction", first, json!({ "emoji": emoji }))).await.unwrap();
    }
    sora.request("send", about(&group, "reaction", first, json!({}))).await.unwrap();
    mina.request("send", about(&group, "delete", second, Value::Null)).await.unwrap();

    let entries = joon.history(&group).await.unwrap();
    let standing = &entries[first as usize - 1];
    assert_eq!(standing["body"]["text"], "first");
    let reactions = json!([
        { "emoji": "❤️", "count": 1, "mine": false },
        { "emoji": "👍", "count": 1, "mine": true },
    ]);
    assert_eq!(standing["standing"]["reactions"], reactions);
    assert_eq!(entries[second as usize - 1].get("body"), None);
    let reacted = joon.request("reactions", json!({ "conversation": group, "seq": first })).await.unwrap();
    assert_eq!(reacted["reactions"].as_array().unwrap().len(), 2);
    // The same after everything was read back from disk.
    let mut server = server;
    server.kill9();
    let server = server.restart();
    let joon = Person { url: server.url().to_owned(), ..joon };
    assert_eq!(joon.history(&group).await.unwrap(), entries);
    let around = json!({ "conversation": group, "range": { "around": { "seq": 3, "limit": 3 } } });
    let page = joon.request("history", around).await.unwrap();
    let numbers: Vec<u64> =
        page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 4]);
}

#[tokio::test]
async fn unread_mentions_and_marks_are_in_step() {
    let server = Server::spawn(&[]);
    let [mina, joon, sora] = people(&server).await;
    let group = mina.group(&[&joon, &sora]).await;
    let mut line = mina.connect().await;
    let mut other = mina.log_in().await.connect().await;
    let mut send = message(&group, Uuid::now_v7(), 1, "hi @person0");
    send["mentions"] = json!([{ "who": { "account": mina.id }, "start": 3, "length": 8 }]);
    joon.request("send", send).await.unwrap();
    let last = joon.say(&group, 1, "and hello").await;
    let welcome = mina.log_in().await.connect().await.welcome;
    let mine = row(&welcome, &group);
    assert_eq!((&mine["unread"], &mine["mentions"]), (&json!(2), &json!(1)));
    assert_eq!(mine["last"]["body"]["text"], "and hello");

    let marked = line.ask("mark", json!({ "conversation": group, "read": last })).await.unwrap();
    assert_eq!(marked, json!({ "read": last, "unread": 0, "mentions": 0 }));
    assert_eq!(other.event("read").await["read"], last, "the other device is told");
    let back = line.ask("mark", json!({ "conversation": group, "read": 1 })).await.unwrap();
    assert_eq!(back["read"], last, "marks never move back");
    let welcome = mina.log_in().await.connect().await.welcome;
    assert_eq!(row(&welcome, &group)["unread"], 0);

    // The author is told without having the conversation open, merged into one event.
    let mut author = joon.connect().await;
    let next = joon.say(&group, 1, "who reads this?").await;
    for person in [&mina, &sora] {
        person
            .request("mark", json!({ "conversation": group, "delivered": next, "read": next }))
            .await
            .unwrap();
    }
    let mut told = std::collections::BTreeMap::new();
    while told.len() < 2 {
        for mark in author.event("marks").await["marks"].as_array().unwrap() {
            if mark["read"] == next {
                told.insert(mark["account"].as_str().unwrap().to_owned(), mark["delivered"].clone());
            }
        }
    }
    assert!(told.values().all(|delivered| *delivered == next));
    let opened = author.ask("open", json!({ "conversation": group })).await.unwrap();
    assert_eq!(opened["members"].as_array().unwrap().len(), 3);
    line.ask("typing", json!({ "conversation": group, "typing": true })).await.unwrap();
    assert_eq!(author.event("typing").await["account"], mina.id.as_str());
}

#[tokio::test]
async fn a_group_lives_by_its_rights() {
    let server = Server::spawn(&[]);
    let [mina, joon, sora, hana] = people(&server).await;
    let group = mina.group(&[&joon]).await;
    mina.say(&group, 1, "before sora").await;
    let members = format!("/v1/groups/{group}/members");
    mina.ok("POST", &members, json!({ "accounts": [sora.id] })).await;
    mina.say(&group, 1, "after sora").await;
    let seen = sora.history(&group).await.unwrap();
    assert!(seen.iter().all(|entry| entry["body"]["text"] != "before sora"));
    assert_eq!(seen.iter().filter(|entry| entry["kind"] == "message").count(), 1);

    mina.ok("PUT", &format!("{members}/{}/role", joon.id), json!({ "role": "admin" })).await;
    joon.ok("PATCH", &format!("/v1/groups/{group}"), json!({ "title": "새 이름", "history": "all" })).await;
    joon.ok("POST", &members, json!({ "accounts": [hana.id] })).await;
    let seen = hana.history(&group).await.unwrap();
    assert_eq!(seen.len() as u64, row(&hana.connect().await.welcome, &group)["head"].as_u64().unwrap());
    assert_eq!(
        joon.rest("DELETE", &format!("{members}/{}", mina.id), json!({})).await.0,
        403,
        "an owner stays"
    );
    assert_eq!(
        mina.rest("DELETE", &format!("{members}/{}", mina.id), json!({})).await.0,
        403,
        "and hands over first"
    );
    mina.ok("PUT", &format!("{members}/{}/role", joon.id), json!({ "role": "owner" })).await;
    mina.ok("DELETE", &format!("{members}/{}", mina.id), json!({})).await;
    let detail = joon.request("conversation", json!({ "conversation": group })).await.unwrap();
    assert_eq!((&detail["row"]["role"], &detail["row"]["title"]), (&json!("owner"), &json!("새 이름")));
    joon.ok("DELETE", &format!("/v1/groups/{group}"), json!({})).await;
    let send = message(&group, Uuid::now_v7(), 1, "anybody?");
    assert_eq!(sora.request("send", send).await, Err("dissolved".to_owned()));

    let again = json!({
        "client_id": Uuid::now_v7(), "members": [joon.id], "title": "twice", "data": { "of": ["the", "app"] },
    });
    let one = mina.ok("POST", "/v1/groups", again.clone()).await;
    assert_eq!(mina.ok("POST", "/v1/groups", again).await, one, "asking twice makes one group");
}

/// What was said while somebody was no member stays unseen: in history, in lists, and by numbers.
#[tokio::test]
async fn an_absence_leaves_a_gap() {
    let server = Server::spawn(&[]);
    let [mina, joon] = people(&server).await;
    let group = mina.group(&[&joon]).await;
    let members = format!("/v1/groups/{group}/members");
    mina.ok("DELETE", &format!("{members}/{}", joon.id), json!({})).await;
    let unseen = mina.say(&group, 1, "behind the back").await;
    mina.ok("POST", &members, json!({ "accounts": [joon.id] })).await;
    let welcome = joon.connect().await.welcome;
    let synced = joon.ok("GET", "/v1/sync", json!({})).await;
    let detail = joon.request("conversation", json!({ "conversation": group })).await.unwrap();
    let entries = json!(joon.history(&group).await.unwrap());
    for seen in [&welcome, &synced, &detail, &entries] {
        assert!(!seen.to_string().contains("behind the back"), "{seen}");
    }
    assert_eq!(row(&welcome, &group)["unread"], 0);
    let reactions = joon.request("reactions", json!({ "conversation": group, "seq": unseen })).await;
    assert_eq!(reactions, Err("no_such_message".to_owned()));
    let reply = about(&group, "message", unseen, json!({ "type": "text", "text": "what?" }));
    assert_eq!(joon.request("send", reply).await, Err("no_such_message".to_owned()));
}

#[tokio::test]
async fn settings_contacts_and_devices_are_in_step() {
    let server = Server::spawn(&[]);
    let [mina, joon] = people(&server).await;
    let direct = mina.direct(&joon).await;
    let mut line = mina.connect().await;
    let key = format!("draft/{direct}");
    let set = json!({ "client_id": Uuid::now_v7(), "key": key, "value": { "text": "안녕하" } });
    mina.log_in().await.request("set", set).await.unwrap();
    joon.ok("PUT", &format!("/v1/contacts/{}", mina.id), json!({})).await;
    let mut wanted = vec![key.clone(), format!("contact/{}", joon.id)];
    while !wanted.is_empty() {
        for entry in line.event("entries").await["entries"].as_array().unwrap() {
            wanted.retain(|key| entry["body"]["key"] != key.as_str());
        }
    }
    let accepted = mina.ok("PUT", &format!("/v1/contacts/{}", joon.id), json!({})).await;
    assert_eq!(accepted["relation"], "contact");
    let state = mina.request("own_state", json!({})).await.unwrap();
    let items = state["items"].as_array().unwrap();
    let draft = items.iter().find(|item| item["key"] == key.as_str()).unwrap();
    assert_eq!(draft["value"]["text"], "안녕하");
    assert!(items.iter().any(|item| item["key"].as_str().unwrap().starts_with("device/")));
    let clear = json!({ "client_id": Uuid::now_v7(), "key": key, "value": null });
    mina.request("set", clear).await.unwrap();
    let state = mina.request("own_state", json!({})).await.unwrap().to_string();
    assert!(!state.contains("안녕하"));
    let forged =
        json!({ "client_id": Uuid::now_v7(), "key": format!("contact/{}", joon.id), "value": "blocked" });
    assert_eq!(mina.request("set", forged).await, Err("not_allowed".to_owned()));
}

#[tokio::test]
async fn people_choose_who_reaches_them() {
    let server = Server::spawn(&[]);
    let [mina, joon] = people(&server).await;
    let change = json!({ "who_may_message": "contacts", "who_may_add": "nobody", "who_may_see": "contacts" });
    let changed = mina.ok("PATCH", "/v1/account", change).await;
    assert_eq!(changed["who_may_see"], "contacts");
    let (status, answer) = joon.rest("POST", "/v1/direct", json!({ "account": mina.id })).await;
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("not_accepting")));
    joon.ok("PUT", &format!("/v1/contacts/{}", mina.id), json!({})).await;
    mina.ok("PUT", &format!("/v1/contacts/{}", joon.id), json!({})).await;
    joon.direct(&mina).await;
    let group = json!({ "client_id": Uuid::now_v7(), "members": [mina.id] });
    assert_eq!(joon.rest("POST", "/v1/groups", group).await.1["error"]["code"], "not_accepting");
    let found = joon.ok("GET", "/v1/accounts?prefix=person0", json!({})).await;
    assert_eq!(found["accounts"][0]["account"], mina.id.as_str());
}

#[tokio::test]
async fn accounts_recover_and_change_their_password() {
    let server = Server::spawn(&[]);
    let body = json!({ "name": "mina", "password": "correct horse" });
    let http = Person::sign_up(server.url(), "other").await;
    let made = http.ok("POST", "/v1/accounts", body).await;
    let code = made["recovery_codes"][0].as_str().unwrap();
    let first = Person { token: made["token"].as_str().unwrap().to_owned(), ..http.clone() };
    let recover = json!({ "name": "mina", "recovery_code": code, "new_password": "battery staple" });
    let recovered = http.ok("POST", "/v1/login/recovery", recover.clone()).await;
    assert_eq!(recovered["account"]["recovery_codes_left"], 9);
    assert_eq!(first.rest("GET", "/v1/account", json!({})).await.0, 401, "the others are logged out");
    assert_eq!(http.rest("POST", "/v1/login/recovery", recover).await.0, 401, "a code serves once");
    let old = json!({ "name": "mina", "password": "correct horse" });
    assert_eq!(http.rest("POST", "/v1/login", old).await.0, 401);
    let second = Person { token: recovered["token"].as_str().unwrap().to_owned(), ..http.clone() };
    let change = json!({ "old_password": "battery staple", "new_password": "third password" });
    second.ok("POST", "/v1/account/password", change).await;
    second.ok("GET", "/v1/account", json!({})).await;
    http.ok("POST", "/v1/login", json!({ "name": "mina", "password": "third password" })).await;
}

#[tokio::test]
async fn polling_tells_the_same_as_a_session() {
    let server = Server::spawn(&[]);
    let [mina, joon] = people(&server).await;
    let direct = mina.direct(&joon).await;
    let poll = |cursor: String, wait: u32| {
        let joon = joon.clone();
        async move { joon.ok("GET", &format!("/v1/sync?wait={wait}&cursor={cursor}"), json!({})).await }
    };
    let first = joon.ok("GET", "/v1/sync", json!({})).await;
    assert_eq!(first["events"][0]["body"]["rows"][0]["conversation"], direct.as_str());
    let cursor = |answer: &Value| answer["cursor"].as_str().unwrap().to_owned();
    let quiet = poll(cursor(&first), 0).await;
    assert_eq!(quiet["events"], json!([]), "nothing is told twice");

    // A long poll is answered by what happens while it waits.
    let waiting = tokio::spawn(poll(cursor(&quiet), 50));
    let mut line = mina.connect().await;
    let mut told = Value::Null;
    let mut base = 1;
    while !waiting.is_finished() {
        let sent = line.ask("send", message(&direct, Uuid::now_v7(), base, "knock")).await.unwrap();
        base = sent["position"]["seq"].as_u64().unwrap();
        tokio::task::yield_now().await;
    }
    let answer = waiting.await.unwrap();
    for event in answer["events"].as_array().unwrap() {
        if event["event"] == "entries" && event["body"]["conversation"] == direct.as_str() {
            told = event["body"]["entries"][0]["body"]["text"].clone();
        }
    }
    assert!(told == "knock" || answer["events"][0]["event"] == "rows", "{answer}");

    // What came between two polls is told by the next, on whichever server.
    let last = mina.say(&direct, 1, "missed").await;
    let next = poll(cursor(&answer), 50).await;
    let rows = next["events"][0]["body"]["rows"].as_array().unwrap();
    assert_eq!(rows[0]["head"], last);
    joon.request("send", message(&direct, Uuid::now_v7(), last, "by http")).await.unwrap();
    while line.entries(&direct).await[0]["body"]["text"] != "by http" {}
}

#[tokio::test]
async fn draining_tells_sessions_to_come_back() {
    let mut server = Server::spawn(&[]);
    let [mina, joon] = people(&server).await;
    let direct = mina.direct(&joon).await;
    let mut line = mina.connect().await;
    line.ask("send", message(&direct, Uuid::now_v7(), 1, "before")).await.unwrap();
    let status = std::thread::scope(|scope| {
        let ended = scope.spawn(|| server.terminate());
        ended.join().unwrap()
    });
    assert_eq!(status.code(), Some(0));
    assert_eq!(line.closed().await, 4001);
    let server = server.restart();
    let mina = Person { url: server.url().to_owned(), ..mina };
    let mut line = Line::open(server.url()).await;
    line.hello(&mina.token).await.unwrap();
    assert_eq!(row(&line.welcome, &direct)["head"], 2);
}

/// Calls with an `X-Forwarded-For` are a stranger's: their rates count.
#[tokio::test]
async fn rates_count_for_strangers_only() {
    let server = Server::spawn(&["--rate-login-per-minute", "1", "--rate-login-burst", "2"]);
    let [mina] = people(&server).await;
    let log_in = |forwarded: bool| {
        let request = mina.http.post(format!("{}/v1/login", mina.url));
        let request = if forwarded { request.header("x-forwarded-for", "203.0.113.7") } else { request };
        async move {
            let answer = request.json(&json!({ "name": "nobody", "password": "x" })).send().await.unwrap();
            (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
        }
    };
    for _ in 0..6 {
        assert_eq!(log_in(false).await, (401, false), "this machine is spared");
    }
    let strangers = [log_in(true).await, log_in(true).await, log_in(true).await];
    assert_eq!(strangers, [(401, false), (401, false), (429, true)]);
}

#[tokio::test]
async fn sign_up_by_invitation_takes_one_each() {
    let server = Server::spawn(&["--signup", "invite"]);
    let data = server.data().to_str().unwrap();
    let invite = support::output_of(["admin", "--data", data, "invite"]);
    let invite = invite.split_whitespace().find(|word| word.matches('-').count() == 3).expect("a code");
    let http = reqwest_client();
    let sign_up = |name: &'static str, invite: Option<&str>| {
        let body = json!({ "name": name, "password": "correct horse", "invite": invite });
        let request = http.post(format!("{}/v1/accounts", server.url())).json(&body);
        async move { request.send().await.unwrap().status().as_u16() }
    };
    assert_eq!(sign_up("mina", None).await, 403);
    assert_eq!(sign_up("mina", Some("wrong-wrong-wrong-wrong")).await, 403);
    assert_eq!(sign_up("mina", Some(invite)).await, 200);
    assert_eq!(sign_up("joon", Some(invite)).await, 403, "an invitation serves once");
}

fn reqwest_client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test]
async fn an_apps_backend_brings_its_own_people() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.json");
    let secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IHNlY3JldCE";
    let set = json!({ "keys": [{ "kty": "oct", "kid": "one", "alg": "HS256", "k": secret }] });
    std::fs::write(&keys, set.to_string()).unwrap();
    let keys = keys.to_str().unwrap();
    let server =
        Server::spawn(&["--signup", "closed", "--app-keys-file", keys, "--app-key", "the application key"]);
    let http = reqwest_client();
    let call = |path: &'static str, key: Option<&str>, body: Value| {
        let request = http.post(format!("{}{path}", server.url())).json(&body);
        let request = if let Some(key) = key { request.bearer_auth(key) } else { request };
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let token = |sub: &str, aud: &str, exp: u64, kid: &str| {
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        header.kid = Some(kid.to_owned());
        let claims = json!({ "sub": sub, "aud": aud, "exp": exp });
        let key = jsonwebtoken::EncodingKey::from_secret(b"secret secret secret secret secret!");
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let far = 4_000_000_000;
    let bad = [
        token("user-1", "other", far, "one"),
        token("user-1", "suda", 1_000, "one"),
        token("user-1", "suda", far, "two"),
        token("", "suda", far, "one"),
        format!("{}x", token("user-1", "suda", far, "one")),
        "nonsense".to_owned(),
    ];
    for jwt in bad {
        let (status, answer) = call("/v1/login/app", None, json!({ "jwt": jwt })).await;
        assert!((400..500).contains(&status), "{answer}");
    }
    let jwt = token("user-1", "suda", far, "one");
    let (_, first) = call("/v1/login/app", None, json!({ "jwt": jwt })).await;
    let (_, again) = call("/v1/login/app", None, json!({ "jwt": jwt })).await;
    let account = first["account"]["account"].clone();
    assert_eq!(again["account"]["account"], account, "made at first sight, then the same");
    assert_ne!(again["token"], first["token"], "each device has its own token");
    let key = Some("the application key");
    let (_, other) = call("/v1/app/accounts", key, json!({ "external_id": "user-2", "name": "bob" })).await;
    let group = json!({ "owner": other["account"], "client_id": Uuid::now_v7(), "members": [account] });
    let (_, group) = call("/v1/app/groups", key, group).await;
    let mut send = message(group["conversation"].as_str().unwrap(), Uuid::now_v7(), 1, "welcome");
    send["author"] = other["account"].clone();
    let (status, sent) = call("/v1/app/messages", key, send.clone()).await;
    assert_eq!((status, &sent["position"]["seq"]), (200, &json!(2)));
    assert_eq!(call("/v1/app/messages", Some("wrong"), send).await.0, 401);
}
