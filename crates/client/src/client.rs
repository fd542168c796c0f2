//! The client: a cheap handle that an app holds; cloning shares it.
//!
//! Reading order: [`start`] (sign-up, login, offline start), [`conversations`], [`messages`], [`sending`],
//! [`own_state`], [`groups`], [`people`], [`presence`], [`account`].

mod account;
mod conversations;
mod groups;
mod messages;
mod own_state;
mod people;
mod presence;
mod sending;
mod start;

use std::sync::Arc;
use std::time::Duration;

use suda_proto::request::Request;
use suda_proto::{AccountId, DeviceId, Raw};
use tokio::sync::oneshot;
use tokio::time::timeout;

pub use self::start::SignedUp;
use crate::cache::Cache;
use crate::engine::{Command, Handle};
use crate::error::ClientError;
use crate::event::{ConnectionState, EventStream};
use crate::rest::Rest;

/// How long a call waits for the server.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// One account on one device.
///
/// What is read comes from the cache, and is brought there first where a connection allows. What is written is safe
/// on this device when the call returns, and reaches the server as soon as it can. The engine behind it ends when the
/// last clone is dropped.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    cache: Cache,
    rest: Rest,
    engine: Handle,
    me: AccountId,
    device: DeviceId,
}

impl Client {
    /// Whose account this is.
    pub fn account_id(&self) -> AccountId {
        self.inner.me
    }

    /// Which of its devices.
    pub fn device_id(&self) -> DeviceId {
        self.inner.device
    }

    /// Gets a connection and keeps it; progress is told by events. Returns at once. While the client waits before the
    /// next try, it tries now.
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn connect(&self) -> Result<(), ClientError> {
        self.command(Command::Connect).await
    }

    /// Gives the connection up until the next [`Self::connect`].
    ///
    /// # Errors
    /// `Stopped` after logging out.
    pub async fn disconnect(&self) -> Result<(), ClientError> {
        self.command(Command::Disconnect).await
    }

    /// Ends the client: closes the connection politely and the cache after everything is written. Every other clone
    /// stops as well.
    ///
    /// # Errors
    /// `Stopped` where it has ended already.
    pub async fn shut_down(&self) -> Result<(), ClientError> {
        self.answer(|done| Command::ShutDown { done }).await
    }

    /// How the connection stands.
    pub fn connection_state(&self) -> ConnectionState {
        self.inner.engine.state.borrow().clone()
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> EventStream {
        EventStream::new(self.inner.engine.events.subscribe())
    }

    /// One round of polling over HTTP: sends what waits, takes in what came. For apps that are woken for a moment; a
    /// connected client does so anyway.
    ///
    /// # Errors
    /// `Unreachable` where the server does not answer.
    pub async fn sync_once(&self) -> Result<(), ClientError> {
        self.answer(|done| Command::SyncOnce { done }).await
    }

    /// Sends any request and gives back its reply unread.
    ///
    /// # Errors
    /// `Offline` without a connection; `Server` where the server refuses.
    pub async fn request(&self, request: Request) -> Result<Raw, ClientError> {
        self.answer(|done| Command::Ask(request, done)).await
    }

    /// Sends a request and reads its reply.
    async fn ask<T: serde::de::DeserializeOwned>(&self, request: Request) -> Result<T, ClientError> {
        self.request(request).await?.parse().map_err(|_| ClientError::BadAnswer)
    }

    async fn command(&self, command: Command) -> Result<(), ClientError> {
        self.inner.engine.commands.send(command).await.map_err(|_| ClientError::Stopped)
    }

    /// Sends a command and waits for its answer.
    async fn answer<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, ClientError>>) -> Command,
    ) -> Result<T, ClientError> {
        let (done, answer) = oneshot::channel();
        self.command(command(done)).await?;
        match timeout(ANSWER_WITHIN, answer).await {
            Ok(answer) => answer.map_err(|_| ClientError::Stopped)?,
            Err(_) => Err(ClientError::TimedOut),
        }
    }
}
