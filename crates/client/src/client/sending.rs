//! Saying, editing, deleting, reacting; reading and typing.

use suda_proto::entry::{MessageBody, ReactionBody};
use suda_proto::reply::{Reacted, Reactions};
use suda_proto::request::{ReactionsQuery, Request};
use suda_proto::{ClientId, Code, ConversationId, Kind, Mention, Raw};

use super::Client;
use crate::engine::{Command, Composed};
use crate::error::ClientError;

impl Client {
    /// Says something. It is safe on this device when this returns, shown as pending, and sent as soon as possible, in
    /// order, once.
    ///
    /// # Errors
    /// `OutboxFull` where a thousand acts wait already.
    pub async fn send_text(
        &self,
        conversation: ConversationId,
        text: String,
        reply_to: Option<u64>,
        mentions: Vec<Mention>,
    ) -> Result<ClientId, ClientError> {
        let body = Some(Raw::of(&MessageBody::Text { text, data: None }));
        self.compose(Composed { conversation, kind: Kind::Message, target: reply_to, mentions, body }).await
    }

    /// Sends an app's own content: one JSON value.
    ///
    /// # Errors
    /// `Server` with `bad_request` where `json` is none; `OutboxFull`.
    pub async fn send_custom(
        &self,
        conversation: ConversationId,
        json: String,
        reply_to: Option<u64>,
    ) -> Result<ClientId, ClientError> {
        let body = Some(Raw::of(&MessageBody::Custom { data: checked(json)? }));
        let mentions = Vec::new();
        self.compose(Composed { conversation, kind: Kind::Message, target: reply_to, mentions, body }).await
    }

    /// Gives the message `seq` a new text.
    ///
    /// # Errors
    /// `OutboxFull`. That the server refuses is told by [`crate::event::ClientEvent::SendFailed`].
    pub async fn edit(
        &self,
        conversation: ConversationId,
        seq: u64,
        text: String,
        mentions: Vec<Mention>,
    ) -> Result<ClientId, ClientError> {
        let body = Some(Raw::of(&MessageBody::Text { text, data: None }));
        self.compose(Composed { conversation, kind: Kind::Edit, target: Some(seq), mentions, body }).await
    }

    /// Deletes the message `seq` for all.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn delete(&self, conversation: ConversationId, seq: u64) -> Result<ClientId, ClientError> {
        let (mentions, body) = (Vec::new(), None);
        self.compose(Composed { conversation, kind: Kind::Delete, target: Some(seq), mentions, body }).await
    }

    /// Reacts to the message `seq`, in place of an earlier reaction; `None` takes it back.
    ///
    /// # Errors
    /// As [`Self::edit`].
    pub async fn react(
        &self,
        conversation: ConversationId,
        seq: u64,
        emoji: Option<String>,
    ) -> Result<ClientId, ClientError> {
        let body = Some(Raw::of(&ReactionBody { emoji, was: None }));
        let mentions = Vec::new();
        self.compose(Composed { conversation, kind: Kind::Reaction, target: Some(seq), mentions, body }).await
    }

    async fn compose(&self, composed: Composed) -> Result<ClientId, ClientError> {
        self.answer(|done| Command::Compose(composed, done)).await
    }

    /// Sends a failed message again, after everything that was composed since.
    ///
    /// # Errors
    /// `NoSuchSend` where none with this id has failed.
    pub async fn retry(&self, client_id: ClientId) -> Result<(), ClientError> {
        self.answer(|done| Command::Retry(client_id, done)).await
    }

    /// Forgets a failed message.
    ///
    /// # Errors
    /// `NoSuchSend` where none with this id has failed.
    pub async fn discard(&self, client_id: ClientId) -> Result<(), ClientError> {
        self.answer(|done| Command::Discard(client_id, done)).await
    }

    /// Everything up to `seq` was read. Kept until the server knows.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn mark_read(&self, conversation: ConversationId, seq: u64) -> Result<(), ClientError> {
        self.command(Command::MarkRead(conversation, seq)).await
    }

    /// The user types, or stopped. Say so with every change of the text: the others are told at most once a second, and
    /// are told by themselves that it stopped when a message is sent or the conversation is closed. Without a connection
    /// it is lost.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn typing(&self, conversation: ConversationId, typing: bool) -> Result<(), ClientError> {
        self.command(Command::Typing(conversation, typing)).await
    }

    /// Who reacted to the message `seq`, and with what.
    ///
    /// # Errors
    /// `Offline` without a connection; `Server`.
    pub async fn reactions(
        &self,
        conversation: ConversationId,
        seq: u64,
    ) -> Result<Vec<Reacted>, ClientError> {
        let request = Request::Reactions(ReactionsQuery { conversation, seq });
        Ok(self.ask::<Reactions>(request).await?.reactions)
    }
}

/// One JSON value.
pub(super) fn checked(json: String) -> Result<Raw, ClientError> {
    Raw::checked(json.into()).map_err(|_| ClientError::Server(Code::BadRequest.because("not JSON")))
}
