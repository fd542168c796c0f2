//! Who is online, as others are told: comings and goings, several devices, lists that are watched, open conversations.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use support::presence::{
    Kept, LATE, TICKS, admin, changes, is_told, look, patient, people, quick, states, told, until_known,
    until_metric, watch,
};
use support::wire::{Line, Person};
use support::{Server, output_of};
use uuid::Uuid;

/// For how long a device that closed its connection is still shown as it was.
const CLEAN: Duration = Duration::from_secs(5);

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

#[tokio::test]
async fn comings_and_goings_are_told_at_once() {
    let server = quick(&[]);
    let [mina, jun] = people(&server, ["mina", "jun"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let mut other = jun.connect().await;
    is_told(&mut line, &jun, "online").await;
    look(&mut other, false).await;
    is_told(&mut line, &jun, "away").await;
    look(&mut other, true).await;
    is_told(&mut line, &jun, "online").await;
    let before = now();
    jun.ok("POST", "/v1/logout", json!({})).await;
    let event = line.event("presence").await;
    assert_eq!(states(&event["accounts"]), ["offline"]);
    let last_active_at = event["accounts"][0]["last_active_at"].as_u64();
    assert!(last_active_at.is_some_and(|at| (before - 1_000..=now()).contains(&at)), "{event}");
}

/// A page that is loaded again is not seen at all; one that is closed is seen after five seconds.
#[tokio::test]
async fn a_clean_close_is_told_after_a_while() {
    let server = quick(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let (loaded, closed) = (Kept::connect(&jun).await, Kept::connect(&ora).await);
    assert_eq!(watch(&mut line, &[&jun, &ora]).await, ["online", "online"]);
    line.events.clear();
    loaded.close().await;
    let loaded = Kept::connect(&jun).await;
    let (began, before) = (Instant::now(), now());
    closed.close().await;
    let after = now();
    // It would have been told of the other one before.
    let event = line.event("presence").await;
    assert_eq!(changes(&event), [[ora.id.clone(), "offline".to_owned()]]);
    let took = began.elapsed();
    assert!((CLEAN - TICKS..CLEAN + LATE).contains(&took), "told after {took:?}");
    let last_active_at = event["accounts"][0]["last_active_at"].as_u64();
    assert!(last_active_at.is_some_and(|at| (before..=after + 1_000).contains(&at)), "{event}");
    assert_eq!(watch(&mut line, &[&jun]).await, ["online"]);
    drop(loaded);
}

/// The best state of an account's devices counts, and one that is logged out takes the others nothing.
#[tokio::test]
async fn the_best_of_several_devices_counts() {
    let server = quick(&[]);
    let [mina, jun] = people(&server, ["mina", "jun"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let (tablet, laptop) = (jun.log_in().await, jun.log_in().await);
    let on_phone = Kept::connect(&jun).await;
    is_told(&mut line, &jun, "online").await;
    let on_laptop = Kept::connect(&laptop).await.look(false).await;
    // The laptop changes nothing as long as somebody looks at the phone.
    let on_phone = on_phone.look(false).await;
    is_told(&mut line, &jun, "away").await;
    let on_laptop = on_laptop.look(true).await;
    is_told(&mut line, &jun, "online").await;
    jun.ok("POST", "/v1/logout", json!({})).await;
    assert_eq!(on_phone.closed().await, 4200);
    assert_eq!(watch(&mut line, &[&jun]).await, ["online"], "the laptop is still there");
    let on_laptop = on_laptop.look(false).await;
    is_told(&mut line, &jun, "away").await;
    let began = Instant::now();
    let on_tablet = Kept::connect(&tablet).await;
    is_told(&mut line, &jun, "online").await;
    laptop.ok("POST", "/v1/logout", json!({})).await;
    assert_eq!(on_laptop.closed().await, 4200);
    // It lingers, but a device that is logged out does not.
    on_tablet.close().await;
    assert_eq!(watch(&mut line, &[&jun]).await, ["online"], "it lingers");
    tablet.ok("POST", "/v1/logout", json!({})).await;
    is_told(&mut line, &jun, "offline").await;
    assert!(began.elapsed() < CLEAN, "that may have been the end of its lingering");
}

/// However an account loses all its devices, it is offline at once, whatever of it lingers.
#[tokio::test]
async fn whoever_loses_access_is_offline_at_once() {
    let server = quick(&[]);
    let [mina, jun, ora, bo, kim] = people(&server, ["mina", "jun", "ora", "bo", "kim"]).await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    watch(&mut line, &[&jun, &ora, &bo, &kim]).await;
    for person in [&jun, &ora, &bo, &kim] {
        let other = person.log_in().await;
        let there = Kept::connect(person).await;
        is_told(&mut line, person, "online").await;
        Kept::connect(&other).await.close().await;
        let began = Instant::now();
        lose_access(&server, person, &other).await;
        is_told(&mut line, person, "offline").await;
        assert!(began.elapsed() < CLEAN, "{} lingered", person.name);
        assert!([4200, 4201].contains(&there.closed().await), "{}", person.name);
    }
    // Whoever is deleted might never have been.
    assert_eq!(watch(&mut line, &[&kim, &bo]).await, ["hidden", "offline"]);
}

/// Each in another way.
async fn lose_access(server: &Server, person: &Person, other: &Person) {
    match person.name.as_str() {
        "jun" => {
            other.ok("DELETE", &format!("/v1/devices/{}", person.device), json!({})).await;
            other.ok("DELETE", &format!("/v1/devices/{}", other.device), json!({})).await;
        }
        "ora" => drop(admin(server, &["account", "reset-password", "ora"]).await),
        "bo" => drop(admin(server, &["account", "disable", "bo"]).await),
        _ => drop(person.ok("DELETE", "/v1/account", json!({ "password": "correct horse" })).await),
    }
}

#[tokio::test]
async fn a_list_replaces_the_one_before_and_ends_with_its_connection() {
    let server = patient(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let (mut line, mut of_jun, mut of_ora) = (mina.connect().await, jun.connect().await, ora.connect().await);
    assert_eq!(watch(&mut line, &[&jun]).await, ["online"]);
    assert_eq!(watch(&mut line, &[&ora, &ora]).await, ["online", "online"], "each time it is asked for");
    look(&mut of_jun, false).await;
    look(&mut of_ora, false).await;
    is_told(&mut line, &ora, "away").await;
    let many: Vec<Uuid> = (0..201).map(|_| Uuid::now_v7()).collect();
    assert_eq!(line.ask("watch", json!({ "accounts": many })).await, Err("bad_request".to_owned()));
    look(&mut of_ora, true).await;
    is_told(&mut line, &ora, "online").await;
    let strangers = line.ask("watch", json!({ "accounts": many[1..] })).await.unwrap();
    assert!(states(&strangers["accounts"]).iter().all(|state| state == "hidden"), "{strangers}");
    assert_eq!(watch(&mut line, &[]).await, [""; 0]);
    look(&mut of_ora, false).await;
    assert_eq!(watch(&mut line, &[&jun, &mina]).await, ["away", "online"], "oneself, too");
    assert!(line.events.is_empty(), "{:?}", line.events);
    until_metric(server.data(), "suda_presence_watched", 2).await;
    drop(line);
    until_metric(server.data(), "suda_presence_watched", 0).await;
    let over_http = mina.request("watch", json!({ "accounts": [jun.id] })).await.unwrap();
    assert_eq!(states(&over_http["accounts"]), ["away"]);
    until_metric(server.data(), "suda_presence_watched", 0).await;
}

#[tokio::test]
async fn whoever_is_in_an_open_conversation_is_watched() {
    let server = patient(&["--watch-members", "3"]);
    let [mina, jun, ora, bo, kim] = people(&server, ["mina", "jun", "ora", "bo", "kim"]).await;
    let (direct, group) = (mina.direct(&jun).await, mina.group(&[&jun, &ora]).await);
    let (mut line, mut of_jun, mut of_ora) = (mina.connect().await, jun.connect().await, ora.connect().await);
    for conversation in [&direct, &group] {
        let opened = line.ask("open", json!({ "conversation": conversation })).await.unwrap();
        assert!(states(&opened["presences"]).iter().all(|state| state == "online"), "{opened}");
        assert_eq!(opened["online"], opened["presences"].as_array().unwrap().len(), "{opened}");
        look(&mut of_jun, false).await;
        is_told(&mut line, &jun, "away").await;
        line.ask("close", json!({ "conversation": conversation })).await.unwrap();
        look(&mut of_jun, true).await;
    }
    until_metric(server.data(), "suda_presence_watched", 0).await;
    line.ask("open", json!({ "conversation": group })).await.unwrap();
    let accounts = json!({ "accounts": [bo.id, kim.id] });
    mina.ok("POST", &format!("/v1/groups/{group}/members"), accounts).await;
    // There are too many of them now: a count, each time, and nothing else.
    for count in [2, 1] {
        let opened = line.ask("open", json!({ "conversation": group })).await.unwrap();
        assert_eq!(
            (&opened["online"], opened["presences"].as_array().map_or(0, Vec::len)),
            (&json!(count), 0)
        );
        look(&mut of_ora, false).await;
    }
    let own = json!({ "conversation": own(&mina).await });
    let opened = line.ask("open", own).await.unwrap();
    assert_eq!((opened.get("online"), opened["presences"].as_array().map_or(0, Vec::len)), (None, 0));
    until_metric(server.data(), "suda_presence_watched", 0).await;
    line.ask("ping", json!({})).await.unwrap();
    assert!(line.events.iter().all(|event| event["event"] != "presence"), "{:?}", line.events);
}

/// The account's own conversation, which appears with its first value.
async fn own(person: &Person) -> String {
    let set = json!({ "client_id": Uuid::now_v7(), "key": "app/x", "value": 1 });
    let sent = person.request("set", set).await.unwrap();
    sent["conversation"].as_str().unwrap().to_owned()
}

/// What a device says one after the other without waiting counts in that order.
#[tokio::test]
async fn the_last_word_counts() {
    let server = patient(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let direct = mina.direct(&ora).await;
    let (mut line, mut of_jun, _of_ora) = (mina.connect().await, jun.connect().await, ora.connect().await);
    for round in 0..50 {
        let foreground = round % 2 == 0;
        let last = foreground_quickly(&mut of_jun, foreground).await;
        of_jun.answer(last).await.unwrap();
        let state = if foreground { "online" } else { "away" };
        let accounts = json!({ "accounts": [jun.id] });
        let mut last = 0;
        for _ in 0..5 {
            line.send("watch", json!({ "accounts": [] })).await;
            line.send("open", json!({ "conversation": direct })).await;
            line.send("close", json!({ "conversation": direct })).await;
            last = line.send("watch", accounts.clone()).await;
        }
        // Whichever is answered last.
        line.answer(last).await.unwrap();
        let reply = line.ask("watch", accounts).await.unwrap();
        assert_eq!(states(&reply["accounts"]), [state], "round {round}");
        until_metric(server.data(), "suda_presence_watched", 1).await;
    }
}

/// Sends many changes at once, the last of them that; answers its id.
async fn foreground_quickly(line: &mut Line, foreground: bool) -> u64 {
    let mut last = 0;
    for change in (0..8).rev() {
        let foreground = foreground == (change % 2 == 0);
        last = line.send("foreground", json!({ "foreground": foreground })).await;
    }
    last
}

/// Many changes in a short time are told as few, and the last of them is the truth.
#[tokio::test]
async fn changes_are_told_at_a_pleasant_pace() {
    let server = patient(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let (mut line, mut of_jun, mut of_ora) = (mina.connect().await, jun.connect().await, ora.connect().await);
    watch(&mut line, &[&jun, &ora]).await;
    let began = Instant::now();
    let mut change = 0;
    while change < 200 || began.elapsed() < Duration::from_secs(1) {
        look(&mut of_jun, change % 2 == 1).await;
        look(&mut of_ora, change % 2 == 0).await;
        change += 1;
    }
    look(&mut of_jun, false).await;
    look(&mut of_ora, false).await;
    assert_eq!(watch(&mut line, &[&jun, &ora]).await, ["away", "away"]);
    let most = began.elapsed().as_millis() as usize / 250 + 1;
    let told = line.events.len();
    assert!(1 < told && told <= most, "{told} events instead of at most {most}");
    line.events.clear();
    look(&mut of_ora, true).await;
    is_told(&mut line, &ora, "online").await;
}

/// Whoever asks without end is refused by code, and costs others nothing.
#[tokio::test]
async fn a_flood_is_refused_and_costs_others_nothing() {
    let server = patient(&[]);
    let [mina, jun, ora] = people(&server, ["mina", "jun", "ora"]).await;
    let many: Vec<Uuid> = (0..200).map(|_| Uuid::now_v7()).collect();
    let floods = [
        ("foreground", json!({ "foreground": false }), json!({ "foreground": true })),
        ("watch", json!({ "accounts": many }), json!({ "accounts": [jun.id] })),
    ];
    let (mut line, mut of_jun) = (mina.connect().await, jun.connect().await);
    watch(&mut line, &[&jun, &ora]).await;
    for (name, first, second) in floods {
        let mut flooder = Line::open_from_afar(server.url()).await;
        flooder.hello(&ora.token).await.unwrap();
        let flood = tokio::spawn(async move { flood(&mut flooder, name, [first, second]).await });
        let mut slowest = Duration::ZERO;
        for change in 0..10 {
            let began = Instant::now();
            look(&mut of_jun, change % 2 == 1).await;
            let state = if change % 2 == 1 { "online" } else { "away" };
            while !told(&mut line).await.contains(&[jun.id.clone(), state.to_owned()]) {}
            slowest = slowest.max(began.elapsed());
        }
        assert!(slowest < Duration::from_secs(1), "{slowest:?}");
        let refused = flood.await.unwrap();
        assert!(refused > 2_000, "{refused} of {name} were refused");
    }
}

/// Sends thousands of requests as fast as they are answered; how many were refused, all of them for being too many.
async fn flood(line: &mut Line, name: &str, bodies: [Value; 2]) -> usize {
    let mut refused = 0;
    for _ in 0..100 {
        let mut ids = Vec::new();
        for body in bodies.iter().cycle().take(50) {
            ids.push(line.send(name, body.clone()).await);
        }
        for _ in ids {
            let answer = line.told().await;
            if let Some(code) = answer["error"]["code"].as_str() {
                assert_eq!(code, "rate_limited");
                refused += 1;
            }
        }
    }
    refused
}

#[tokio::test]
async fn the_operator_sees_who_is_online_and_where() {
    let server = quick(&[]);
    let [mina] = people(&server, ["mina"]).await;
    let mut line = mina.connect().await;
    watch(&mut line, &[&mina]).await;
    let data = server.data().to_str().unwrap();
    let presence = output_of(["admin", "--data", data, "--json", "account", "presence", "mina"]);
    let presence: Value = serde_json::from_str(&presence).unwrap();
    assert_eq!((&presence["state"], &presence["nodes"]), (&json!("online"), &json!([1])), "{presence}");
    let status: Value =
        serde_json::from_str(&output_of(["admin", "--data", data, "--json", "status"])).unwrap();
    assert_eq!(
        (&status["presence_accounts"], &status["presence_watched"]),
        (&json!(1), &json!(1)),
        "{status}"
    );
}

/// A server that was just started does not know who is still on the way back, but whoever came back and left is gone.
#[tokio::test]
async fn a_logout_soon_after_the_start_is_told_at_once() {
    let server = patient(&[]);
    let [mina, jun] = people(&server, ["mina", "jun"]).await;
    let mut line = mina.connect().await;
    assert_eq!(watch(&mut line, &[&jun]).await, ["unknown"]);
    let other = jun.connect().await;
    is_told(&mut line, &jun, "online").await;
    let began = Instant::now();
    jun.ok("POST", "/v1/logout", json!({})).await;
    is_told(&mut line, &jun, "offline").await;
    assert!(began.elapsed() < CLEAN, "told after {:?}", began.elapsed());
    drop(other);
}
