//! Who may see when somebody is there or types, and how far somebody has read: by every way in which it can be told.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use serde_json::{Value, json};
use support::Server;
use support::presence::{changes, is_told, look, patient, people, states, watch};
use support::wire::{Line, Person};

/// How two people stand to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Strangers,
    Contacts,
    /// The one who looks has blocked the other.
    Blocks,
    /// The one who looks is blocked by the other.
    IsBlocked,
}

use Relation::{Blocks, Contacts, IsBlocked, Strangers};

/// Somebody who looks, somebody who is looked at, and a conversation of theirs.
struct Stage {
    server: Server,
    mina: Person,
    jun: Person,
    of_mina: Line,
    of_jun: Line,
    conversation: String,
    /// How far jun has read.
    read: u64,
}

impl Stage {
    async fn set() -> Self {
        let server = patient(&["--session-receipts-milliseconds", "20"]);
        let [mina, jun] = people(&server, ["mina", "jun"]).await;
        let conversation = mina.direct(&jun).await;
        let (of_mina, of_jun) = (mina.connect().await, jun.connect().await);
        let mut stage = Self { server, mina, jun, of_mina, of_jun, conversation, read: 1 };
        stage.fill().await;
        stage
    }

    /// Goes on in a group of the two.
    async fn group(&mut self) {
        let old = json!({ "conversation": self.conversation });
        self.of_mina.ask("close", old).await.unwrap();
        self.conversation = self.mina.group(&[&self.jun]).await;
        self.read = 1;
        self.fill().await;
    }

    /// Messages that can be read one by one.
    async fn fill(&mut self) {
        for number in 0..60 {
            self.mina.say(&self.conversation, 1, &number.to_string()).await;
        }
    }

    async fn relate(&self, from: Relation, to: Relation) {
        let (mina, jun) = (&self.mina, &self.jun);
        let change = async |person: &Person, method: &str, kind: &str, other: &Person| {
            person.ok(method, &format!("/v1/{kind}/{}", other.id), json!({})).await;
        };
        match from {
            Strangers => {}
            Contacts => change(mina, "DELETE", "contacts", jun).await,
            Blocks => change(mina, "DELETE", "blocks", jun).await,
            IsBlocked => change(jun, "DELETE", "blocks", mina).await,
        }
        match to {
            Strangers => {}
            Contacts => {
                change(mina, "PUT", "contacts", jun).await;
                change(jun, "PUT", "contacts", mina).await;
            }
            Blocks => change(mina, "PUT", "blocks", jun).await,
            IsBlocked => change(jun, "PUT", "blocks", mina).await,
        }
    }

    /// Everything that tells whether jun is there.
    async fn presence_is(&mut self, is_seen: bool, case: &str) {
        let state = if is_seen { "online" } else { "hidden" };
        let query = json!({ "accounts": [self.jun.id] });
        assert_eq!(watch(&mut self.of_mina, &[&self.jun]).await, [state], "watch, {case}");
        let reply = self.mina.request("watch", query).await.unwrap();
        assert_eq!(states(&reply["accounts"]), [state], "watch over HTTP, {case}");
        assert!(is_seen || reply["accounts"][0].get("last_active_at").is_none(), "{reply}");
        let conversation = json!({ "conversation": self.conversation });
        let over_http = self.mina.request("open", conversation.clone()).await.unwrap();
        let opened = self.of_mina.ask("open", conversation).await.unwrap();
        for opened in [opened, over_http] {
            assert_eq!(states(&opened["presences"]), [state], "open, {case}");
            assert_eq!(opened["online"], u32::from(is_seen), "open, {case}");
        }
        let events = self.poll("presence").await;
        assert_eq!(
            events.iter().flat_map(changes).collect::<Vec<_>>(),
            [[self.jun.id.clone(), state.to_owned()]]
        );
    }

    /// Everything that tells how far jun has read.
    async fn reading_is(&mut self, is_seen: bool, case: &str) {
        let conversation = json!({ "conversation": self.conversation });
        self.of_mina.ask("open", conversation.clone()).await.unwrap();
        self.read += 1;
        let mark = json!({ "conversation": self.conversation, "delivered": self.read, "read": self.read });
        self.of_jun.ask("mark", mark).await.unwrap();
        let shown = if is_seen { self.read } else { 0 };
        let jun = self.jun.id.clone();
        let mark_of = |members: &Value| {
            let members = members.as_array().unwrap().iter();
            members.clone().find(|member| member["account"] == jun.as_str()).cloned()
        };
        let live = loop {
            let mark = mark_of(&self.of_mina.event("marks").await["marks"]);
            if let Some(mark) = mark.filter(|mark| mark["delivered"] == self.read) {
                break mark;
            }
        };
        assert_eq!(live["read"], shown, "live, {case}");
        let opened = self.of_mina.ask("open", conversation.clone()).await.unwrap();
        let detail = self.of_mina.ask("conversation", conversation).await.unwrap();
        let polled = self.poll("marks").await.pop().unwrap();
        for members in [&opened["members"], &detail["members"], &polled["marks"]] {
            let mark = mark_of(members).unwrap();
            assert_eq!(mark["read"], shown, "{mark}, {case}");
        }
    }

    /// Whether it is told that jun types; that it stopped is told without delay.
    async fn typing_is(&mut self, is_seen: bool, case: &str) {
        let conversation = json!({ "conversation": self.conversation });
        self.of_mina.ask("open", conversation).await.unwrap();
        self.of_mina.events.clear();
        let typing = json!({ "conversation": self.conversation, "typing": false });
        // Between people who block each other it is refused.
        let _ = self.of_jun.ask("typing", typing).await;
        self.of_mina.ask("ping", json!({})).await.unwrap();
        let events = self.of_mina.events.iter().filter(|event| event["event"] == "typing").count();
        assert_eq!(events, usize::from(is_seen), "typing, {case}");
    }

    /// The events of this name that a poll brings.
    async fn poll(&self, name: &str) -> Vec<Value> {
        let path = format!("/v1/sync?open={}", self.conversation);
        let answer = self.mina.ok("GET", &path, json!({})).await;
        let events = answer["events"].as_array().unwrap().iter();
        events.filter(|event| event["event"] == name).map(|event| event["body"].clone()).collect()
    }
}

async fn choose(person: &Person, who_may_see: &str) {
    person.ok("PATCH", "/v1/account", json!({ "who_may_see": who_may_see })).await;
}

/// Whether one with this setting is seen by one with that setting.
fn is_seen(target: &str, viewer: &str, relation: Relation) -> bool {
    match (target, viewer) {
        ("nobody", _) | (_, "nobody") => false,
        ("contacts", _) => relation == Contacts,
        _ => !matches!(relation, Blocks | IsBlocked),
    }
}

#[tokio::test]
async fn settings_and_relations_decide_what_is_seen() {
    let mut stage = Stage::set().await;
    for is_group in [false, true] {
        let mut before = Strangers;
        if is_group {
            stage.group().await;
        }
        for relation in [Contacts, Strangers, Blocks, Contacts, IsBlocked, Strangers] {
            stage.relate(before, relation).await;
            before = relation;
            for (target, viewer) in [
                ("everyone", "everyone"),
                ("contacts", "everyone"),
                ("nobody", "everyone"),
                ("everyone", "nobody"),
            ] {
                choose(&stage.jun, target).await;
                choose(&stage.mina, viewer).await;
                let case = format!("{target} seen by {viewer}, {relation:?}, group: {is_group}");
                eprintln!("{case}");
                let seen = is_seen(target, viewer, relation);
                stage.presence_is(seen, &case).await;
                // In a group that two share they see each other's messages, so a block hides no reading and typing.
                let shares = is_group && matches!(relation, Blocks | IsBlocked);
                let seen = if shares { is_seen(target, viewer, Strangers) } else { seen };
                stage.reading_is(seen, &case).await;
                stage.typing_is(seen, &case).await;
            }
        }
    }
    drop(stage.server);
}

/// Who watches is told at once when it may not see somebody any more, and when it may again.
#[tokio::test]
async fn changes_of_what_may_be_seen_are_told() {
    let mut stage = Stage::set().await;
    let Stage { mina, jun, of_mina, of_jun, .. } = &mut stage;
    assert_eq!(watch(of_mina, &[jun]).await, ["online"]);
    let second = mina.log_in().await;
    let mut of_second = second.connect().await;
    assert_eq!(watch(&mut of_second, &[jun]).await, ["online"]);
    choose(jun, "nobody").await;
    is_told(of_mina, jun, "hidden").await;
    is_told(&mut of_second, jun, "hidden").await;
    // What happens meanwhile is none of its business.
    look(of_jun, false).await;
    choose(jun, "everyone").await;
    is_told(of_mina, jun, "away").await;
    choose(mina, "nobody").await;
    is_told(of_mina, jun, "hidden").await;
    choose(mina, "everyone").await;
    is_told(of_mina, jun, "away").await;
    look(of_jun, true).await;
    is_told(of_mina, jun, "online").await;
    mina.ok("PUT", &format!("/v1/blocks/{}", jun.id), json!({})).await;
    is_told(of_mina, jun, "hidden").await;
    mina.ok("DELETE", &format!("/v1/blocks/{}", jun.id), json!({})).await;
    is_told(of_mina, jun, "online").await;
    jun.ok("PUT", &format!("/v1/blocks/{}", mina.id), json!({})).await;
    is_told(of_mina, jun, "hidden").await;
    jun.ok("DELETE", &format!("/v1/blocks/{}", mina.id), json!({})).await;
    is_told(of_mina, jun, "online").await;
    choose(jun, "contacts").await;
    is_told(of_mina, jun, "hidden").await;
    mina.ok("PUT", &format!("/v1/contacts/{}", jun.id), json!({})).await;
    jun.ok("PUT", &format!("/v1/contacts/{}", mina.id), json!({})).await;
    is_told(of_mina, jun, "online").await;
    jun.ok("DELETE", &format!("/v1/contacts/{}", mina.id), json!({})).await;
    is_told(of_mina, jun, "hidden").await;
}

/// The same in an open conversation, and to whoever waits with a long poll.
#[tokio::test]
async fn changes_of_what_may_be_seen_are_told_in_open_conversations() {
    let mut stage = Stage::set().await;
    let conversation = json!({ "conversation": stage.conversation });
    let opened = stage.of_mina.ask("open", conversation).await.unwrap();
    assert_eq!(states(&opened["presences"]), ["online"]);
    choose(&stage.jun, "nobody").await;
    is_told(&mut stage.of_mina, &stage.jun, "hidden").await;
    choose(&stage.jun, "everyone").await;
    is_told(&mut stage.of_mina, &stage.jun, "online").await;
    drop(stage.of_mina);
    support::presence::until_metric(stage.server.data(), "suda_presence_watched", 0).await;
    let first = stage.mina.ok("GET", &format!("/v1/sync?open={}", stage.conversation), json!({})).await;
    let cursor = first["cursor"].as_str().unwrap();
    let path = format!("/v1/sync?wait=30&open={}&cursor={cursor}", stage.conversation);
    let change = async {
        support::presence::until_metric(stage.server.data(), "suda_presence_watched", 1).await;
        choose(&stage.jun, "nobody").await;
    };
    let (answer, ()) = futures::join!(stage.mina.ok("GET", &path, json!({})), change);
    let events = answer["events"].as_array().unwrap().iter();
    let told: Vec<_> = events.filter(|event| event["event"] == "presence").collect();
    assert_eq!(told.len(), 1, "{answer}");
    assert_eq!(changes(&told[0]["body"]), [[stage.jun.id.clone(), "hidden".to_owned()]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_after_a_restart_does_not_show_how_far_a_blocked_one_has_read() {
    let mut stage = Stage::set().await;
    let read = json!({ "conversation": stage.conversation, "read": 5 });
    stage.of_jun.ask("mark", read).await.unwrap();
    stage.relate(Strangers, Blocks).await;
    let Stage { mut server, mina, jun, conversation, .. } = stage;
    server.terminate();
    let _server = server.restart();
    let (mut of_mina, mut of_jun) = (mina.connect().await, jun.connect().await);
    of_mina.ask("open", json!({ "conversation": conversation })).await.unwrap();
    of_jun.ask("mark", json!({ "conversation": conversation, "delivered": 9 })).await.unwrap();
    let told = of_mina.event("marks").await["marks"][0].clone();
    assert_eq!((&told["delivered"], &told["read"]), (&json!(9), &json!(0)), "{told}");
}
