//! The wire: any text is a frame or an error, and what is read is the same when it was written and read again.
#![no_main]

use std::fmt::Debug;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use suda_domain::message::check_body;
use suda_proto::entry::{MessageBody, SetKey};
use suda_proto::frame::{OutgoingRequest, RequestFrame, ServerFrame, error_text, event_text, reply_text};
use suda_proto::request::Request;
use suda_proto::{Limits, Mention, Raw, reply};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        request_survives(text);
        server_frame_survives(text);
        key_survives(text);
    }
    if let Ok(body) = Raw::checked(Bytes::copy_from_slice(bytes)) {
        accepted_body_can_be_shown(&body, &[]);
    }
});

fn request_survives(text: &str) {
    let Ok(frame) = RequestFrame::read(text) else {
        return;
    };
    let Ok(request) = frame.request() else {
        return;
    };
    let written = serde_json::to_string(&OutgoingRequest { id: frame.id, request: request.clone() })
        .expect("requests serialise");
    let again = RequestFrame::read(&written).expect("a written frame is read");
    assert_eq!(again.id, frame.id);
    assert_eq!(again.request().as_ref(), Ok(&request));
    match &request {
        Request::Send(send) => {
            if let Some(body) = &send.body {
                accepted_body_can_be_shown(body, &send.mentions);
            }
        }
        Request::Set(set) => key_survives(&set.key),
        _ => {}
    }
}

fn server_frame_survives(text: &str) {
    let Ok(frame) = ServerFrame::read(text) else {
        return;
    };
    let written = match &frame {
        ServerFrame::Ok { id, ok } => {
            reply_survives(ok);
            reply_text(*id, ok)
        }
        ServerFrame::Error { id, error } => error_text(*id, error),
        ServerFrame::Event(event) => event_text(event),
    };
    let again = ServerFrame::read(&written).expect("a written frame is read");
    assert_eq!(again, frame, "{written}");
}

fn reply_survives(ok: &Raw) {
    json_survives::<reply::Welcome>(ok);
    json_survives::<reply::Sent>(ok);
    json_survives::<reply::Page>(ok);
    json_survives::<reply::Window>(ok);
    json_survives::<reply::Detail>(ok);
    json_survives::<reply::Opened>(ok);
    json_survives::<reply::Marked>(ok);
    json_survives::<reply::OwnState>(ok);
    json_survives::<reply::Reactions>(ok);
    json_survives::<reply::Profiles>(ok);
    json_survives::<reply::Pong>(ok);
}

fn json_survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &Raw) {
    if let Ok(value) = json.parse::<T>() {
        let again = Raw::of(&value).parse::<T>();
        assert_eq!(again.expect("a written reply is read"), value);
    }
}

fn key_survives(text: &str) {
    if let Some(key) = SetKey::parse(text) {
        assert_eq!(SetKey::parse(&key.to_string()), Some(key));
    }
}

/// A client must be able to read what the server let through, and find every mention in its text.
fn accepted_body_can_be_shown(body: &Raw, mentions: &[Mention]) {
    #[derive(Deserialize)]
    struct Shape {
        r#type: String,
    }
    if check_body(Some(body), mentions, &Limits::default()).is_err() {
        return;
    }
    let Shape { r#type } = body.parse().expect("an accepted body has a type");
    if !matches!(r#type.as_str(), "text" | "custom") {
        return;
    }
    let shown: MessageBody = body.parse().expect("an accepted body is read");
    assert_eq!(Raw::of(&shown).parse::<MessageBody>().ok(), Some(shown.clone()));
    if let MessageBody::Text { text, .. } = shown {
        let characters = text.chars().count() as u64;
        for mention in mentions {
            assert!(u64::from(mention.start) + u64::from(mention.length) <= characters);
        }
    }
}
