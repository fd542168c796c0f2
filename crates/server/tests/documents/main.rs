//! The documents agree with the code: generated tables, the OpenAPI and AsyncAPI documents, the schema of the wire, and
//! every worked example of it.
//!
//! `BLESS=1 cargo test -p suda-server --test documents` writes what is generated. An example is a fenced block whose
//! first line says what it is, such as `json request:send`, `json reply:send`, `json event:entries`, `json error` or
//! `json rest:SignUp`. It must be read by the wire type of that name and be written back as it stands.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use suda_domain::rights;
use suda_proto::close::{AfterClose, Close};
use suda_proto::entry::{
    AccountsBody, CreatedBody, MessageBody, ReactionBody, RoleBody, SetBody, SettingsBody, Standing,
};
use suda_proto::event::{Event, Synced};
use suda_proto::frame::{OutgoingRequest, RequestFrame, ServerFrame};
use suda_proto::presence::Presences;
use suda_proto::{Code, Entry, Limits, Raw, reply, rest};
use suda_server::api::route::Access;
use suda_server::api::{openapi, routes};

mod asyncapi;
mod wire_schema;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn protocol() -> String {
    std::fs::read_to_string(docs().join("protocol.md")).expect("docs/protocol.md exists")
}

/// Whether to write what is generated instead of comparing it.
fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

#[test]
fn generated_sections_are_up_to_date() {
    let before = protocol();
    let mut after = before.clone();
    for (name, table) in [
        ("errors", errors()),
        ("closes", closes()),
        ("rights", rights::markdown()),
        ("seeing", rights::seeing_markdown()),
        ("limits", limits()),
        ("routes", rest_summary()),
    ] {
        after = with_section(&after, name, &table);
    }
    if blessing() {
        std::fs::write(docs().join("protocol.md"), after).expect("docs/protocol.md is writable");
    } else {
        assert!(before == after, "docs/protocol.md is out of date: run this test with BLESS=1");
    }
}

#[test]
fn the_openapi_document_is_up_to_date() {
    is_written("docs/openapi.json", &openapi::document());
}

/// `npm run types` in `web` writes the TypeScript types from it.
#[test]
fn the_schema_of_the_wire_is_up_to_date() {
    is_written("web/sdk/schema/wire.json", &wire_schema::document());
}

#[test]
fn the_asyncapi_document_is_up_to_date() {
    is_written("docs/asyncapi.json", &asyncapi::document(&wire_schema::document()));
}

/// Writes a generated document, or compares it with what is there.
fn is_written(name: &str, wanted: &Value) {
    let path = docs().join("..").join(name);
    if blessing() {
        std::fs::write(&path, format!("{wanted:#}\n")).expect("a generated document is writable");
    } else {
        // Compared as values: the order of fields depends on features that other crates of a build ask for.
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let found: Value = serde_json::from_str(&found).unwrap_or_default();
        assert!(found == *wanted, "{name} is out of date: run this test with BLESS=1");
    }
}

#[test]
fn every_example_is_what_it_says() {
    let protocol = protocol();
    let examples = examples(&protocol);
    let faults: Vec<String> = examples.iter().filter_map(|example| check(example).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every request has an example and an example of its reply; every event has one.
#[test]
fn nothing_lacks_an_example() {
    let requests = "hello send history window conversation open close mark typing set own_state reactions profiles \
                    watch foreground ping";
    let events = "entries marks read typing presence rows reset resync";
    let protocol = protocol();
    let examples = examples(&protocol);
    let has = |label: &str| examples.iter().any(|example| example.label == label);
    let of_requests =
        requests.split_whitespace().flat_map(|name| [format!("request:{name}"), format!("reply:{name}")]);
    let of_events = events.split_whitespace().map(|name| format!("event:{name}"));
    let lacking: Vec<String> = of_requests.chain(of_events).filter(|label| !has(label)).collect();
    assert_eq!(lacking, Vec::<String>::new());
}

/// A worked example.
struct Example<'a> {
    /// What it says it is: `request:send`.
    label: &'a str,
    text: &'a str,
    /// The line of its first brace.
    line: usize,
}

/// The labelled JSON blocks of a page.
fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples = Vec::new();
    let mut from = 0;
    while let Some(start) = page[from..].find("```json ").map(|at| from + at) {
        let (label, rest) = page[start + 8..].split_once('\n').expect("a fence ends its line");
        let length = rest.find("\n```").expect("a block is closed");
        let line = page[..start].lines().count() + 2;
        examples.push(Example { label: label.trim(), text: &rest[..length], line });
        from = page.len() - rest.len() + length + 4;
    }
    examples
}

fn check(example: &Example<'_>) -> Result<(), String> {
    let (what, name) = example.label.split_once(':').unwrap_or((example.label, ""));
    let outcome = match what {
        "request" => check_request(name, example.text),
        "reply" => check_reply(name, example.text),
        "event" => check_event(name, example.text),
        "error" => check_error(example.text),
        "rest" => check_rest(name, example.text),
        _ => Err("the label is none of request, reply, event, error, rest".to_owned()),
    };
    outcome.map_err(|fault| format!("docs/protocol.md:{}: {}: {fault}", example.line, example.label))
}

fn check_request(name: &str, text: &str) -> Result<(), String> {
    let frame = RequestFrame::read(text).map_err(|error| error.to_string())?;
    if frame.name != name {
        return Err(format!("it is a {}", frame.name));
    }
    let request = frame.request().map_err(|error| error.to_string())?;
    same(text, &OutgoingRequest { id: frame.id, request })
}

fn check_reply(name: &str, text: &str) -> Result<(), String> {
    let ServerFrame::Ok { id, ok } = ServerFrame::read(text).map_err(|error| error.to_string())? else {
        return Err("it is no reply".to_owned());
    };
    let written = match name {
        "hello" => written::<reply::Welcome>(&ok),
        "send" | "set" => written::<reply::Sent>(&ok),
        "history" => written::<reply::Page>(&ok),
        "window" => written::<reply::Window>(&ok),
        "conversation" => written::<reply::Detail>(&ok),
        "open" => written::<reply::Opened>(&ok),
        "mark" => written::<reply::Marked>(&ok),
        "own_state" => written::<reply::OwnState>(&ok),
        "reactions" => written::<reply::Reactions>(&ok),
        "profiles" => written::<reply::Profiles>(&ok),
        "watch" => written::<Presences>(&ok),
        "ping" => written::<reply::Pong>(&ok),
        "close" | "typing" | "foreground" => written::<reply::Done>(&ok),
        _ => Err("there is no such request".to_owned()),
    };
    same(text, &json!({ "id": id, "ok": written? }))
}

fn check_event(name: &str, text: &str) -> Result<(), String> {
    let event: Event = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(&event).map_err(|error| error.to_string())?;
    if written["event"] != name {
        return Err(format!("it is a {}", written["event"]));
    }
    same(text, &written)
}

fn check_error(text: &str) -> Result<(), String> {
    let ServerFrame::Error { id, error } = ServerFrame::read(text).map_err(|error| error.to_string())? else {
        return Err("it is no error".to_owned());
    };
    let code = error.known().ok_or("there is no such code")?;
    if !error.message.starts_with(code.english()) || error.retry_after_ms != code.retry_after_ms() {
        return Err("it is not the code's error".to_owned());
    }
    same(text, &json!({ "id": id, "error": error }))
}

fn check_rest(name: &str, text: &str) -> Result<(), String> {
    let raw: Raw = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let written = match name {
        "SignUp" => written::<rest::SignUp>(&raw),
        "LoggedIn" => written::<rest::LoggedIn>(&raw),
        "AppLogIn" => written::<rest::AppLogIn>(&raw),
        "AppMessage" => written::<rest::AppMessage>(&raw),
        "NewGroup" => written::<rest::NewGroup>(&raw),
        "ConversationRef" => written::<rest::ConversationRef>(&raw),
        "Contact" => written::<rest::Contact>(&raw),
        "Synced" => written::<Synced>(&raw),
        "Entry" => written::<Entry>(&raw),
        "Standing" => written::<Standing>(&raw),
        "MessageBody" => written::<MessageBody>(&raw),
        "ReactionBody" => written::<ReactionBody>(&raw),
        "CreatedBody" => written::<CreatedBody>(&raw),
        "AccountsBody" => written::<AccountsBody>(&raw),
        "RoleBody" => written::<RoleBody>(&raw),
        "SettingsBody" => written::<SettingsBody>(&raw),
        "SetBody" => written::<SetBody>(&raw),
        _ => Err("there is no such type".to_owned()),
    };
    same(text, &written?)
}

/// What the wire type makes of a value, as it writes it.
fn written<T: DeserializeOwned + Serialize>(value: &Raw) -> Result<Value, String> {
    let read: T = value.parse().map_err(|error| error.to_string())?;
    serde_json::to_value(read).map_err(|error| error.to_string())
}

/// Refuses an example that has fields which the wire type does not have, or lacks some that it always writes.
fn same(text: &str, written: &impl Serialize) -> Result<(), String> {
    let example: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let written = serde_json::to_value(written).map_err(|error| error.to_string())?;
    if example == written { Ok(()) } else { Err(format!("the wire writes {written}")) }
}

/// The page with the text between a section's markers replaced.
fn with_section(page: &str, name: &str, table: &str) -> String {
    let start = format!("<!-- generated: {name} -->\n");
    let before =
        page.find(&start).unwrap_or_else(|| panic!("docs/protocol.md has a section {name}")) + start.len();
    let length = page[before..].find("<!-- /generated -->").expect("a generated section ends");
    format!("{}{table}{}", &page[..before], &page[before + length..])
}

fn errors() -> String {
    let mut table = String::from(
        "| code | HTTP | again after | closes | English | Korean |\n|---|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let again = code.retry_after_ms().map_or_else(String::new, |after| format!("{after} ms"));
        let closes = if suda_proto::close::Close::after_hello(*code).is_some() { "may" } else { "" };
        let (name, status) = (code.name(), code.status());
        let (english, korean) = (code.english(), code.korean());
        table.push_str(&format!("| `{name}` | {status} | {again} | {closes} | {english} | {korean} |\n"));
    }
    table
}

fn closes() -> String {
    let mut rows: Vec<(u16, String)> = Close::ALL
        .iter()
        .map(|close| {
            let (code, reason) = close.wire();
            let advice = match Close::advice(code) {
                AfterClose::Resume => "resume at once, with jitter",
                AfterClose::Pause => "resume after a growing, jittered pause",
                AfterClose::LogIn => "log in again",
                AfterClose::Stop => "stop",
            };
            (code, format!("| {code} | `{reason}` | {advice} |\n"))
        })
        .collect();
    rows.sort();
    let head = String::from("| code | reason | then |\n|---|---|---|\n");
    rows.into_iter().fold(head, |table, (_, row)| table + &row)
}

fn limits() -> String {
    let limits = serde_json::to_value(Limits::default()).expect("limits serialise");
    let schema = schemars::schema_for!(Limits);
    let mut table = String::from("| limit | default | what |\n|---|---|---|\n");
    let properties = schema.get("properties").and_then(Value::as_object).expect("limits are an object");
    for (name, property) in properties {
        let what = property["description"].as_str().expect("limits are described").replace('\n', " ");
        table.push_str(&format!("| `{name}` | {} | {what} |\n", limits[name]));
    }
    table
}

fn rest_summary() -> String {
    let mut table = String::from("| call | with | what |\n|---|---|---|\n");
    for route in routes().list {
        let access = match route.access {
            Access::Anybody => "nothing",
            Access::Device => "device token",
            Access::App => "application key",
        };
        table.push_str(&format!("| `{} {}` | {access} | {} |\n", route.method, route.path, route.summary));
    }
    table
}
