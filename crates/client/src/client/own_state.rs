//! What the account's devices agree on: mute, archive, pin, drafts, an app's own values. Set here at once, on the
//! other devices as soon as the server knows.

use serde::{Deserialize, Serialize};
use suda_proto::entry::SetKey;
use suda_proto::{ConversationId, Raw};

use super::Client;
use super::sending::checked;
use crate::engine::Command;
use crate::error::ClientError;
use crate::model::Mute;

/// The value of a draft.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub text: String,
}

impl Client {
    /// Mutes a conversation, or ends that.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn set_mute(
        &self,
        conversation: ConversationId,
        mute: Option<Mute>,
    ) -> Result<(), ClientError> {
        self.set(SetKey::Mute(conversation), Raw::of(&mute)).await
    }

    /// Archives a conversation, or ends that.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn set_archived(
        &self,
        conversation: ConversationId,
        archived: bool,
    ) -> Result<(), ClientError> {
        self.set(SetKey::Archive(conversation), Raw::of(&archived.then_some(true))).await
    }

    /// Pins a conversation at a place (pins stand in ascending order), or ends that.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn set_pin(&self, conversation: ConversationId, pin: Option<f64>) -> Result<(), ClientError> {
        self.set(SetKey::Pin(conversation), Raw::of(&pin.filter(|pin| pin.is_finite()))).await
    }

    /// Keeps an unsent text; nothing, or an empty one, removes it. Not for every keystroke.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn set_draft(
        &self,
        conversation: ConversationId,
        text: Option<String>,
    ) -> Result<(), ClientError> {
        let draft = text.filter(|text| !text.is_empty()).map(|text| Draft { text });
        self.set(SetKey::Draft(conversation), Raw::of(&draft)).await
    }

    /// Sets a value of the app's own, one JSON value, under a name of up to 64 bytes; nothing removes it.
    ///
    /// # Errors
    /// `Server` with `bad_request` where `json` is none; `Stopped`.
    pub async fn set_app_value(&self, name: String, json: Option<String>) -> Result<(), ClientError> {
        let value = json.map(checked).transpose()?.unwrap_or_else(|| Raw::of(&()));
        self.set(SetKey::App(name), value).await
    }

    /// A value of the app's own, as JSON.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn app_value(&self, name: String) -> Result<Option<String>, ClientError> {
        let value = self.inner.cache.own_value(&SetKey::App(name)).await?;
        Ok(value.map(|value| String::from_utf8_lossy(value.bytes()).into_owned()))
    }

    async fn set(&self, key: SetKey, value: Raw) -> Result<(), ClientError> {
        self.answer(|done| Command::SetValue(key.to_string(), value, done)).await
    }
}
