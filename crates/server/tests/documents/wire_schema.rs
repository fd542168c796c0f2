//! The whole wire as one JSON Schema document, from which the types of other languages are written.
//!
//! Beside `$defs` it names what JSON Schema has no word for: requests with their replies, events, the bodies of entries,
//! REST calls, error codes, close codes and limits.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use suda_proto::close::{AfterClose, Close};
use suda_proto::entry::{
    AccountsBody, CreatedBody, MessageBody, ReactionBody, RoleBody, SetBody, SettingsBody,
};
use suda_proto::event::Event;
use suda_proto::presence::Presences;
use suda_proto::request::Request;
use suda_proto::{Code, Entry, ErrorBody, Limits, PROTOCOL, Position, reply};
use suda_server::api::routes;

/// Collects types as clients write them, and as the server writes them: a field that may be left out in the one is always
/// there in the other.
struct Types {
    written_by_clients: SchemaGenerator,
    written_by_server: SchemaGenerator,
}

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12();
    let mut types = Types {
        written_by_clients: settings.clone().for_deserialize().into_generator(),
        written_by_server: settings.for_serialize().into_generator(),
    };
    let server = &mut types.written_by_server;
    server.subschema_for::<Entry>();
    server.subschema_for::<Position>();
    server.subschema_for::<ErrorBody>();
    server.subschema_for::<Limits>();
    let bodies = bodies(server);
    let events = tagged(&Event::json_schema(server).to_value(), "event");
    let requests = requests(&mut types);
    let rest = rest(&mut types);
    json!({
        "$comment": "Written by: BLESS=1 cargo test -p suda-server --test documents",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The wire of Suda",
        "protocol": PROTOCOL,
        "requests": requests,
        "events": events,
        "bodies": bodies,
        "rest": rest,
        "errors": errors(),
        "closes": closes(),
        "close_ranges": close_ranges(),
        "limits": Limits::default(),
        "$defs": definitions(types),
    })
}

/// All named types. One that both sides write has one form only.
fn definitions(mut types: Types) -> Map<String, Value> {
    let mut all = types.written_by_clients.take_definitions(true);
    for (name, schema) in types.written_by_server.take_definitions(true) {
        if let Some(other) = all.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "{name}: clients may leave out what the server always writes");
        }
    }
    all
}

/// The variants of an enum with a tag: name, what it is for, and its body.
fn tagged(schema: &Value, tag: &str) -> Map<String, Value> {
    let variants = schema["oneOf"].as_array().expect("an enum has variants");
    let describe = |variant: &Value| {
        let name = variant["properties"][tag]["const"].as_str().expect("a variant has a name");
        let about = json!({ "description": variant["description"], "body": variant["properties"]["body"] });
        (name.to_owned(), about)
    };
    variants.iter().map(describe).collect()
}

fn requests(types: &mut Types) -> Map<String, Value> {
    let mut requests = tagged(&Request::json_schema(&mut types.written_by_clients).to_value(), "type");
    for (name, request) in &mut requests {
        request["reply"] = reply_schema(name, &mut types.written_by_server);
    }
    requests
}

/// What a request is answered with.
fn reply_schema(request: &str, generator: &mut SchemaGenerator) -> Value {
    let schema = match request {
        "hello" => generator.subschema_for::<reply::Welcome>(),
        "send" | "set" => generator.subschema_for::<reply::Sent>(),
        "history" => generator.subschema_for::<reply::Page>(),
        "window" => generator.subschema_for::<reply::Window>(),
        "conversation" => generator.subschema_for::<reply::Detail>(),
        "open" => generator.subschema_for::<reply::Opened>(),
        "mark" => generator.subschema_for::<reply::Marked>(),
        "own_state" => generator.subschema_for::<reply::OwnState>(),
        "reactions" => generator.subschema_for::<reply::Reactions>(),
        "profiles" => generator.subschema_for::<reply::Profiles>(),
        "watch" => generator.subschema_for::<Presences>(),
        "ping" => generator.subschema_for::<reply::Pong>(),
        "close" | "typing" | "foreground" => generator.subschema_for::<reply::Done>(),
        other => panic!("name the reply of {other} here"),
    };
    schema.to_value()
}

/// The body that goes with each kind of entry; kinds that are missing have none.
fn bodies(generator: &mut SchemaGenerator) -> Value {
    let message = generator.subschema_for::<MessageBody>();
    let accounts = generator.subschema_for::<AccountsBody>();
    json!({
        "message": message,
        "edit": message,
        "reaction": generator.subschema_for::<ReactionBody>(),
        "created": generator.subschema_for::<CreatedBody>(),
        "members_added": accounts,
        "member_removed": accounts,
        "role_changed": generator.subschema_for::<RoleBody>(),
        "settings_changed": generator.subschema_for::<SettingsBody>(),
        "set": generator.subschema_for::<SetBody>(),
    })
}

fn rest(types: &mut Types) -> Map<String, Value> {
    let mut calls = Map::new();
    for route in routes().list {
        let mut call = json!({ "description": route.summary });
        for (part, schema) in [
            ("body", route.body(&mut types.written_by_clients)),
            ("query", route.query(&mut types.written_by_clients)),
            ("reply", route.reply(&mut types.written_by_server)),
        ] {
            if let Some(schema) = schema {
                call[part] = schema.to_value();
            }
        }
        calls.insert(format!("{} {}", route.method, route.path), call);
    }
    calls
}

fn errors() -> Map<String, Value> {
    let describe = |code: &Code| {
        let mut about =
            json!({ "status": code.status(), "english": code.english(), "korean": code.korean() });
        if let Some(after) = code.retry_after_ms() {
            about["retry_after_ms"] = after.into();
        }
        if let Some(close) = Close::after_hello(*code) {
            about["closes"] = close.wire().0.into();
        }
        (code.name().to_owned(), about)
    };
    Code::ALL.iter().map(describe).collect()
}

/// What a client does after a close, in one word.
const fn then(after: AfterClose) -> &'static str {
    match after {
        AfterClose::Resume => "resume",
        AfterClose::Pause => "pause",
        AfterClose::LogIn => "log_in",
        AfterClose::Stop => "stop",
    }
}

fn closes() -> Map<String, Value> {
    let describe = |close: &Close| {
        let (code, reason) = close.wire();
        (code.to_string(), json!({ "reason": reason, "then": then(Close::advice(code)) }))
    };
    Close::ALL.iter().map(describe).collect()
}

/// The hundreds of private close codes that mean something, so that codes of later versions are understood too.
fn close_ranges() -> Vec<Value> {
    let range = |from: u16| json!({ "from": from, "to": from + 99, "then": then(Close::advice(from)) });
    [4000, 4100, 4200, 4300].map(range).to_vec()
}
