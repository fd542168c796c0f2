//! The list of conversations and their members.

use std::collections::{BTreeMap, BTreeSet};

use suda_proto::entry::SetKey;
use suda_proto::reply::{Member, Row};
use suda_proto::rest::{ConversationRef, OpenDirect, Profile};
use suda_proto::{AccountId, ConversationId, Raw};

use reqwest::Method;

use super::Client;
use crate::cache::Held;
use crate::engine::Command;
use crate::error::ClientError;
use crate::model::ConversationSummary;
use crate::standing::CachedEntry;
use crate::view;

/// Everything beside its row that a summary is made of.
struct Beside {
    own: BTreeMap<String, Raw>,
    profiles: BTreeMap<AccountId, Profile>,
    unsent: BTreeMap<ConversationId, u32>,
}

impl Client {
    /// The conversations as far as the cache knows them: pinned ones first, then the one in which
    /// something was said last.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn conversations(&self) -> Result<Vec<ConversationSummary>, ClientError> {
        let rows: Vec<Row> =
            self.inner.cache.conversations().await?.into_iter().filter_map(|(_, held)| held.row).collect();
        let beside = self.beside(&rows).await?;
        let mut summaries: Vec<_> = rows.into_iter().map(|row| summary(row, &beside)).collect();
        let rank = |pin: Option<f64>| pin.unwrap_or(f64::INFINITY);
        // Reading must not move what is read, which counts as touching it.
        let said_at =
            |summary: &ConversationSummary| summary.last.as_ref().map_or(summary.at, |last| last.at);
        summaries.sort_by(|a, b| rank(a.pin).total_cmp(&rank(b.pin)).then(said_at(b).cmp(&said_at(a))));
        Ok(summaries)
    }

    /// One conversation of the list; absent where the cache does not know it.
    ///
    /// # Errors
    /// `Cache` where it cannot be read.
    pub async fn conversation(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<ConversationSummary>, ClientError> {
        let Some(Held { row: Some(row), .. }) = self.inner.cache.conversation(conversation).await? else {
            return Ok(None);
        };
        let beside = self.beside(std::slice::from_ref(&row)).await?;
        Ok(Some(summary(row, &beside)))
    }

    async fn beside(&self, rows: &[Row]) -> Result<Beside, ClientError> {
        let cache = &self.inner.cache;
        let peers: BTreeSet<AccountId> = rows.iter().filter_map(|row| row.peer).collect();
        let profiles =
            cache.profiles(&peers).await?.into_iter().map(|profile| (profile.account, profile)).collect();
        let mut unsent = BTreeMap::new();
        for item in cache.outbox().await? {
            *unsent.entry(item.conversation).or_default() += 1;
        }
        Ok(Beside { own: cache.own_values().await?, profiles, unsent })
    }

    /// Asks for conversations beyond the first window; true while there may be more.
    ///
    /// # Errors
    /// `Offline` without a connection.
    pub async fn load_more_conversations(&self) -> Result<bool, ClientError> {
        self.answer(Command::MoreRows).await
    }

    /// The conversation is on screen: who is there, typing and watermarks are wanted. Up to eight at a time.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn open_conversation(&self, conversation: ConversationId) -> Result<(), ClientError> {
        self.command(Command::Open(conversation)).await
    }

    /// The conversation is no longer on screen.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn close_conversation(&self, conversation: ConversationId) -> Result<(), ClientError> {
        self.command(Command::Close(conversation)).await
    }

    /// The members with how far each has received and read; asks the server where the cache does not know them.
    ///
    /// # Errors
    /// `Offline` where neither does; `Server` where the account may not know.
    pub async fn members(&self, conversation: ConversationId) -> Result<Vec<Member>, ClientError> {
        if let Some(detail) = self.inner.cache.detail(conversation).await? {
            return Ok(detail.members);
        }
        self.refresh(conversation).await?;
        Ok(self.inner.cache.detail(conversation).await?.map(|detail| detail.members).unwrap_or_default())
    }

    /// The direct conversation with somebody; made where it does not exist yet.
    ///
    /// # Errors
    /// `Server` where the other does not take messages; `Unreachable`.
    pub async fn open_direct(&self, account: AccountId) -> Result<ConversationId, ClientError> {
        let body = OpenDirect { account };
        let made: ConversationRef = self.inner.rest.call(Method::POST, "/v1/direct", Some(&body)).await?;
        self.refresh_if_online(made.conversation).await?;
        Ok(made.conversation)
    }

    /// Brings a conversation's row and members into the cache.
    async fn refresh(&self, conversation: ConversationId) -> Result<(), ClientError> {
        self.answer(|done| Command::Refresh(conversation, done)).await
    }

    /// As [`Self::refresh`]; without a connection the next one brings them.
    pub(super) async fn refresh_if_online(&self, conversation: ConversationId) -> Result<(), ClientError> {
        match self.refresh(conversation).await {
            Err(ClientError::Offline | ClientError::TimedOut) => Ok(()),
            other => other,
        }
    }
}

fn summary(row: Row, beside: &Beside) -> ConversationSummary {
    let conversation = row.conversation;
    let value = |key: SetKey| beside.own.get(&key.to_string());
    let draft =
        value(SetKey::Draft(conversation)).and_then(|draft| draft.parse::<super::own_state::Draft>().ok());
    let title = match row.peer {
        Some(peer) => beside.profiles.get(&peer).map(|profile| profile.display_name.clone()),
        None => row.title,
    };
    ConversationSummary {
        conversation,
        kind: row.kind,
        title: title.unwrap_or_default(),
        peer: row.peer,
        members: row.members,
        role: row.role,
        at: row.at,
        head: row.head,
        read: row.read,
        unread: row.unread,
        mentions: row.mentions,
        last: row.last.map(|last| view::stored(conversation, &CachedEntry::new(last))),
        mute: value(SetKey::Mute(conversation)).and_then(|mute| mute.parse().ok()),
        archived: value(SetKey::Archive(conversation)).is_some_and(|value| value.parse().unwrap_or(false)),
        pin: value(SetKey::Pin(conversation)).and_then(|pin| pin.parse().ok()),
        draft: draft.map(|draft| draft.text),
        unsent: beside.unsent.get(&conversation).copied().unwrap_or(0),
    }
}
