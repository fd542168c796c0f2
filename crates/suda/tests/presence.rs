//! Who is online, as others are told: connects, closes, losses, logouts, privacy, groups, typing and polls.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use serde_json::{Value, json};
use support::wire::{Line, Person};
use support::{Server, output_of};

/// Connections are pinged after a second and given up one later.
const QUICK: [&str; 4] = ["--heartbeat-seconds", "1", "--answer-seconds", "1"];

async fn watch(line: &mut Line, people: &[&Person]) -> Vec<String> {
    let accounts: Vec<&str> = people.iter().map(|person| person.id.as_str()).collect();
    let reply = line.ask("watch", json!({ "accounts": accounts })).await.unwrap();
    states(&reply)
}

fn states(reply: &Value) -> Vec<String> {
    let accounts = reply["accounts"].as_array().unwrap().iter();
    accounts.map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

/// The next states that a device is told.
async fn told(line: &mut Line) -> Vec<String> {
    states(&line.event("presence").await)
}

/// Waits until silence means that somebody is offline: a server that was just started does not know.
async fn until_known(line: &mut Line, person: &Person) {
    if watch(line, &[person]).await == ["unknown"] {
        assert_eq!(told(line).await, ["offline"]);
    }
}

#[tokio::test]
async fn comings_and_goings_are_told_at_once() {
    let server = Server::spawn(&QUICK);
    let mina = Person::sign_up(server.url(), "mina").await;
    let jun = Person::sign_up(server.url(), "jun").await;
    let mut line = mina.connect().await;
    until_known(&mut line, &jun).await;
    let mut other = jun.connect().await;
    assert_eq!(told(&mut line).await, ["online"]);
    other.ask("foreground", json!({ "foreground": false })).await.unwrap();
    assert_eq!(told(&mut line).await, ["away"]);
    other.ask("foreground", json!({ "foreground": true })).await.unwrap();
    assert_eq!(told(&mut line).await, ["online"]);
    jun.ok("POST", "/v1/logout", json!({})).await;
    let event = line.event("presence").await;
    assert_eq!(states(&event), ["offline"]);
    assert!(event["accounts"][0]["last_active_at"].as_u64().is_some(), "{event}");
}

#[tokio::test]
async fn the_operator_sees_who_is_online_and_where() {
    let server = Server::spawn(&QUICK);
    let mina = Person::sign_up(server.url(), "mina").await;
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
