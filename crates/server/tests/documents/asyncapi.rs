//! The WebSocket as an AsyncAPI 3 document, made of the schema of the wire: for people and tools that know that form.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// Where types stand in the schema of the wire, and where they stand here.
const FROM: &str = "#/$defs/";
const TO: &str = "#/components/schemas/";

/// The document, of the schema of the wire. It is written from the server's side, which receives requests.
pub fn document(wire: &Value) -> Value {
    let (mut messages, mut operations) = (Map::new(), Map::new());
    for (name, request) in object(&wire["requests"]) {
        let (asked, answered) = (format!("request.{name}"), format!("reply.{name}"));
        messages.insert(asked.clone(), request_message(name, request));
        messages.insert(answered.clone(), reply_message(name, request));
        operations.insert(asked.clone(), request_operation(request, &asked, &answered));
    }
    messages.insert("error".to_owned(), error_message());
    for (name, event) in object(&wire["events"]) {
        let told = format!("event.{name}");
        messages.insert(told.clone(), event_message(name, event));
        operations.insert(told.clone(), event_operation(event, &told));
    }
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Suda",
            "version": wire["protocol"].to_string(),
            "description": "The WebSocket of Suda; docs/protocol.md says what it means, docs/openapi.json has the rest of \
                            the API. Written by: BLESS=1 cargo test -p suda-server --test documents",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": { "session": channel(&messages) },
        "operations": operations,
        "components": { "messages": messages },
        "x-entry-bodies": wire["bodies"],
        "x-close-codes": wire["closes"],
    });
    point_here(&mut document);
    document["components"]["schemas"] = schemas(&document, wire);
    document
}

fn channel(messages: &Map<String, Value>) -> Value {
    let refer = |name: &String| (name.clone(), reference(&format!("#/components/messages/{name}")));
    let messages: Map<String, Value> = messages.keys().map(refer).collect();
    json!({
        "address": "/v1/ws",
        "title": "A session",
        "description": "Text frames with one JSON object in each. The first one is the request `hello`.",
        "messages": messages,
        "bindings": { "ws": { "method": "GET", "bindingVersion": "0.1.0" } },
    })
}

fn request_message(name: &str, request: &Value) -> Value {
    let properties = json!({ "id": id(), "type": { "const": name }, "body": request["body"] });
    message(&format!("`{name}`"), &request["description"], &["id", "type"], &properties)
}

fn reply_message(name: &str, request: &Value) -> Value {
    let properties = json!({ "id": id(), "ok": request["reply"] });
    message(&format!("Reply to `{name}`"), &"The request succeeded.".into(), &["id", "ok"], &properties)
}

fn error_message() -> Value {
    let properties = json!({ "id": id(), "error": reference(&format!("{FROM}ErrorBody")) });
    let about = "A request failed; without `id` where the frame could not be read far enough to tell which.";
    message("Error", &about.into(), &["error"], &properties)
}

fn event_message(name: &str, event: &Value) -> Value {
    let properties = json!({ "event": { "const": name }, "body": event["body"] });
    let mut message =
        message(&format!("Event `{name}`"), &event["description"], &["event", "body"], &properties);
    message.as_object_mut().expect("a message is an object").remove("correlationId");
    message
}

fn message(title: &str, about: &Value, required: &[&str], properties: &Value) -> Value {
    json!({
        "title": title,
        "summary": about,
        "correlationId": { "location": "$message.payload#/id" },
        "payload": { "type": "object", "required": required, "properties": properties },
    })
}

fn id() -> Value {
    json!({
        "type": "integer",
        "minimum": 0,
        "description": "Chosen by the client; unique among its unanswered requests.",
    })
}

fn request_operation(request: &Value, asked: &str, answered: &str) -> Value {
    let replies = [of_channel(answered), of_channel("error")];
    json!({
        "action": "receive",
        "channel": reference("#/channels/session"),
        "summary": request["description"],
        "messages": [of_channel(asked)],
        "reply": { "channel": reference("#/channels/session"), "messages": replies },
    })
}

fn event_operation(event: &Value, told: &str) -> Value {
    json!({
        "action": "send",
        "channel": reference("#/channels/session"),
        "summary": event["description"],
        "messages": [of_channel(told)],
    })
}

fn of_channel(message: &str) -> Value {
    reference(&format!("#/channels/session/messages/{message}"))
}

fn reference(to: &str) -> Value {
    json!({ "$ref": to })
}

/// The types that the document needs, those of the REST API left out.
fn schemas(document: &Value, wire: &Value) -> Value {
    let (mut found, mut wanted) = (Map::new(), BTreeSet::new());
    collect(document, &mut wanted);
    while let Some(name) = wanted.pop_first() {
        let mut schema = wire["$defs"][&name].clone();
        assert!(!schema.is_null(), "there is no type {name}");
        point_here(&mut schema);
        let mut more = BTreeSet::new();
        collect(&schema, &mut more);
        found.insert(name, schema);
        wanted.extend(more.into_iter().filter(|one| !found.contains_key(one)));
    }
    Value::Object(found)
}

/// The names of the types that a value refers to.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|field| collect(field, names)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::String(text) => names.extend(text.strip_prefix(TO).map(str::to_owned)),
        _ => {}
    }
}

/// Lets references lead to where types stand here; links within the code are plain names.
fn point_here(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(point_here),
        Value::Array(items) => items.iter_mut().for_each(point_here),
        Value::String(text) => {
            *text = match text.strip_prefix(FROM) {
                Some(name) => format!("{TO}{name}"),
                None => plain(text),
            };
        }
        _ => {}
    }
}

/// Without the links and paths of the code's own documentation.
fn plain(text: &str) -> String {
    let without = |text: String, path: &str| text.replace(&format!("`{path}::"), "`");
    let text = text.replace("[`", "`").replace("`]", "`");
    ["crate", "reply", "presence", "entry"].into_iter().fold(text, without)
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("the schema of the wire is made of objects")
}
