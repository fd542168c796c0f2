//! Messages: what a body may hold, and how a message stands after edits, deletion and reactions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suda_proto::entry::ReactionBody;
use suda_proto::{AccountId, Code, ErrorBody, Kind, Limits, Mention, Raw};

use crate::entry::Entry;
use crate::stored::{Stored, StoredError, read_postcard, write_postcard};

/// Most mentions that an envelope can hold, whatever the setting.
const MENTIONS_STORED: usize = 255;

/// Largest emoji, in bytes; the longest sequences that Unicode recommends fit.
const EMOJI_BYTES: usize = 64;

/// How a message stands: the fold of the entries that point at it. Kept only for messages that something points at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageState {
    /// Edits, ascending; the last one's body is the message's.
    pub edits: Vec<u64>,
    /// The entry that deleted it, 0 if it stands.
    pub deleted: u64,
    /// The newest reaction entry.
    pub reacted: u64,
    /// Every account's reaction.
    pub reactions: BTreeMap<AccountId, String>,
}

impl MessageState {
    /// Applies an entry that points at the message; answers whether it does.
    pub fn apply(&mut self, entry: &Entry) -> bool {
        let envelope = &entry.envelope;
        match envelope.kind {
            Kind::Edit => self.edits.push(envelope.seq),
            Kind::Delete => {
                self.deleted = envelope.seq;
                self.reactions.clear();
            }
            Kind::Reaction => {
                self.reacted = envelope.seq;
                let body =
                    entry.body.as_deref().and_then(|body| serde_json::from_slice::<ReactionBody>(body).ok());
                match body.and_then(|body| body.emoji) {
                    Some(emoji) => self.reactions.insert(envelope.author, emoji),
                    None => self.reactions.remove(&envelope.author),
                };
            }
            _ => return false,
        }
        true
    }
}

/// Version 1: postcard.
impl Stored for MessageState {
    const VERSION: u8 = 1;

    fn write(&self, out: &mut Vec<u8>) {
        write_postcard(self, out);
    }

    fn read(bytes: &[u8]) -> Result<Self, StoredError> {
        read_postcard(bytes, "message state")
    }
}

/// What of a body the server looks at; everything else passes.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    text: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a serde_json::value::RawValue>,
}

/// Checks the body of a message or an edit, and its mentions' places.
///
/// # Errors
/// The code that says what is wrong with it.
pub fn check_body(body: Option<&Raw>, mentions: &[Mention], limits: &Limits) -> Result<(), ErrorBody> {
    let body = body.ok_or_else(|| Code::BadRequest.because("a message needs a body"))?;
    let shape: Shape<'_> =
        serde_json::from_slice(body.bytes()).map_err(|error| Code::BadRequest.because(&error.to_string()))?;
    let characters = match shape.kind.as_ref() {
        "text" => check_text(&shape, limits)?,
        "media" | "encrypted" | "handshake" => return Err(Code::UnsupportedBody.error()),
        _ if body.bytes().len() > limits.text_bytes as usize => {
            return Err(Code::TextTooLong.error());
        }
        _ => 0,
    };
    if mentions.len() > (limits.mentions as usize).min(MENTIONS_STORED) {
        return Err(Code::BadMention.because("too many"));
    }
    let outside =
        |mention: &Mention| mention.start.checked_add(mention.length).is_none_or(|end| end > characters);
    if mentions.iter().any(outside) {
        return Err(Code::BadMention.because("outside the text"));
    }
    Ok(())
}

fn check_text(shape: &Shape<'_>, limits: &Limits) -> Result<u32, ErrorBody> {
    let text = shape.text.as_deref().ok_or_else(|| Code::BadRequest.because("a text body needs text"))?;
    if text.len() > limits.text_bytes as usize {
        return Err(Code::TextTooLong.error());
    }
    if text.trim().is_empty() {
        return Err(Code::EmptyText.error());
    }
    if shape.data.is_some_and(|data| data.get().len() > limits.data_bytes as usize) {
        return Err(Code::DataTooLarge.error());
    }
    Ok(text.chars().count() as u32)
}

/// Reads and checks the emoji of a reaction.
///
/// # Errors
/// The code that says what is wrong with it.
pub fn check_reaction(body: Option<&Raw>) -> Result<Option<String>, ErrorBody> {
    let body = body.ok_or_else(|| Code::BadRequest.because("a reaction needs a body"))?;
    let ReactionBody { emoji, .. } =
        body.parse().map_err(|error| Code::BadRequest.because(&error.to_string()))?;
    let bad = |emoji: &String| {
        emoji.is_empty()
            || emoji.len() > EMOJI_BYTES
            || emoji.chars().any(|c| c.is_control() || c.is_whitespace())
    };
    match emoji {
        Some(emoji) if bad(&emoji) => Err(Code::BadRequest.because("not an emoji")),
        emoji => Ok(emoji),
    }
}
