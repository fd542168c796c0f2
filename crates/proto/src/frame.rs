//! Frames: the envelope of requests, replies, errors and events on the wire.
//!
//! A request is `{"id": 7, "type": "send", "body": {…}}`; its one reply `{"id": 7, "ok": {…}}` or
//! `{"id": 7, "error": {…}}`; an event `{"event": "entries", "body": {…}}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Code, ErrorBody};
use crate::event::Event;
use crate::raw::Raw;
use crate::request::{Request, Send};

/// A request as it arrives, its body not yet read, so that a bad body can still be answered by id.
#[derive(Debug, Deserialize)]
pub struct RequestFrame<'a> {
    /// Chosen by the client; unique among its unanswered requests.
    pub id: u64,
    /// The request's name.
    #[serde(rename = "type", borrow)]
    pub name: std::borrow::Cow<'a, str>,
    /// The request's body; absent means `{}`.
    #[serde(default, borrow)]
    pub body: Option<&'a RawValue>,
}

impl<'a> RequestFrame<'a> {
    /// Reads a frame's outer shape.
    ///
    /// # Errors
    /// `bad_frame` where the text is not such an object; the second value is the request id as far as it can be told.
    pub fn read(text: &'a str) -> Result<Self, ErrorBody> {
        serde_json::from_str(text).map_err(|error| Code::BadFrame.because(&error.to_string()))
    }

    /// Reads the request.
    ///
    /// # Errors
    /// `unknown_request` for a name that is none, `bad_request` for a body that does not fit.
    pub fn request(&self) -> Result<Request, ErrorBody> {
        macro_rules! read {
            ($($name:literal => $variant:ident),* $(,)?) => {
                match self.name.as_ref() {
                    $($name => self.body().map(Request::$variant),)*
                    _ => Err(Code::UnknownRequest.error()),
                }
            };
        }
        read! {
            "hello" => Hello, "send" => Send, "history" => History, "window" => Window,
            "conversation" => Conversation, "open" => Open, "close" => Close, "mark" => Mark, "typing" => Typing,
            "set" => Set, "own_state" => OwnState, "reactions" => Reactions, "profiles" => Profiles,
            "watch" => Watch, "foreground" => Foreground, "ping" => Ping,
        }
    }

    fn body<T: Deserialize<'a>>(&self) -> Result<T, ErrorBody> {
        let text = self.body.map_or("{}", RawValue::get);
        serde_json::from_str(text).map_err(|error| Code::BadRequest.because(&error.to_string()))
    }
}

/// Reads a frame that asks to send in one go; `None` for every other frame and for what is wrong with it, which
/// [`RequestFrame`] tells. Most requests are sends, and this is half of what reading one costs otherwise.
pub fn read_send(text: &str) -> Option<(u64, Send)> {
    #[derive(Deserialize)]
    enum Name {
        #[serde(rename = "send")]
        Send,
    }
    #[derive(Deserialize)]
    struct Frame {
        id: u64,
        #[serde(rename = "type")]
        name: Name,
        body: Send,
    }
    let Frame { id, name: Name::Send, body } = serde_json::from_str(text).ok()?;
    Some((id, body))
}

/// A request as a client writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutgoingRequest {
    /// Unique among the session's unanswered requests.
    pub id: u64,
    /// What is asked.
    #[serde(flatten)]
    pub request: Request,
}

/// A reply as a server writes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ReplyFrame<'a, T> {
    /// The request succeeded.
    Ok {
        /// The request's id.
        id: u64,
        /// The reply.
        ok: &'a T,
    },
    /// The request failed.
    Error {
        /// The request's id; absent when the frame could not be read far enough to tell.
        id: Option<u64>,
        /// Why.
        error: &'a ErrorBody,
    },
}

/// The text of a successful reply.
pub fn reply_text<T: Serialize>(id: u64, ok: &T) -> String {
    text(&ReplyFrame::Ok { id, ok })
}

/// The text of an error.
pub fn error_text(id: Option<u64>, error: &ErrorBody) -> String {
    let frame: ReplyFrame<'_, ()> = ReplyFrame::Error { id, error };
    text(&frame)
}

/// The text of an event.
pub fn event_text(event: &Event) -> String {
    text(event)
}

/// Appends the text of a successful reply to `out`.
pub fn write_reply<T: Serialize>(out: &mut Vec<u8>, id: u64, ok: &T) {
    write(out, &ReplyFrame::Ok { id, ok });
}

/// Appends the text of an error to `out`.
pub fn write_error(out: &mut Vec<u8>, id: Option<u64>, error: &ErrorBody) {
    let frame: ReplyFrame<'_, ()> = ReplyFrame::Error { id, error };
    write(out, &frame);
}

/// Appends the text of an event to `out`.
pub fn write_event(out: &mut Vec<u8>, event: &Event) {
    write(out, event);
}

fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire types serialise")
}

fn write<T: Serialize>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("wire types serialise");
}

/// What a client receives: a reply, an error or an event.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerFrame {
    /// The answer to the request with this id.
    Ok {
        /// The request's id.
        id: u64,
        /// The reply, to be read as the request's reply type.
        ok: Raw,
    },
    /// A failure.
    Error {
        /// The request's id, if it could be told.
        id: Option<u64>,
        /// Why.
        error: ErrorBody,
    },
    /// Something happened.
    Event(Event),
}

impl ServerFrame {
    /// Reads a frame of the server.
    ///
    /// # Errors
    /// Where it is of none of the three shapes.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Shape {
            id: Option<u64>,
            ok: Option<Raw>,
            error: Option<ErrorBody>,
            event: Option<String>,
        }
        let shape: Shape = serde_json::from_str(text)?;
        match shape {
            Shape { event: Some(_), .. } => {
                Ok(Self::Event(serde_json::from_str(text).unwrap_or(Event::Unknown)))
            }
            Shape { id, error: Some(error), .. } => Ok(Self::Error { id, error }),
            Shape { id: Some(id), ok: Some(ok), .. } => Ok(Self::Ok { id, ok }),
            _ => Err(serde::de::Error::custom("neither reply, error nor event")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a20304-9555-7898-bf01-e4a98f7bab1f";

    #[test]
    fn a_send_is_read_in_one_go_as_it_is_in_two() {
        let body = format!(
            r#"{{"kind":"message","base":4,"client_id":"{ID}","conversation":"{ID}","body":{{"a":1}}}}"#
        );
        let sends = [
            format!(r#"{{"id":7,"type":"send","body":{body}}}"#),
            format!(r#"{{"new":[1],"body":{body},"type":"send","id":7}}"#),
        ];
        for text in &sends {
            let frame = RequestFrame::read(text).expect("a frame");
            let (id, send) = read_send(text).expect("a send");
            assert_eq!((id, Request::Send(send)), (frame.id, frame.request().expect("a request")));
        }
        let others = [
            r#"{"id":7,"type":"ping","body":{}}"#.to_owned(),
            format!(r#"{{"id":7,"type":"mark","body":{body}}}"#),
            format!(r#"{{"id":-7,"type":"send","body":{body}}}"#),
            r#"{"id":7,"type":"send","body":{}}"#.to_owned(),
            r#"{"id":7,"type":"send"}"#.to_owned(),
        ];
        for text in &others {
            assert_eq!(read_send(text), None, "{text}");
        }
    }
}
