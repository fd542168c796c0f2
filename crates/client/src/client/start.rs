//! Ways to a client: sign-up, login, and starting from the cache alone.

use std::sync::Arc;

use reqwest::Method;
use serde::Serialize;
use suda_proto::rest::{AppLogIn, LogIn, LoggedIn, Recover, SignUp};

use super::{Client, Inner};
use crate::cache::{Cache, Session, Write};
use crate::engine::Engine;
use crate::error::ClientError;
use crate::model::CacheLocation;
use crate::rest::Rest;

/// A new account.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// Its first client.
    pub client: Client,
    /// Codes that each replace the password once; shown only now.
    pub recovery_codes: Vec<String>,
}

impl Client {
    /// Makes an account at `server`, such as `https://chat.example`.
    ///
    /// # Errors
    /// `Server` where the server refuses, `Unreachable`, or `Cache`.
    pub async fn sign_up(
        server: String,
        cache: CacheLocation,
        request: SignUp,
    ) -> Result<SignedUp, ClientError> {
        let (client, recovery_codes) = begin(server, cache, "/v1/accounts", &request).await?;
        Ok(SignedUp { client, recovery_codes })
    }

    /// Logs in. The cache of the same account is kept, with what waits to be sent; another account's is emptied.
    ///
    /// # Errors
    /// `Server` where the server refuses, `Unreachable`, or `Cache`.
    pub async fn log_in(server: String, cache: CacheLocation, request: LogIn) -> Result<Self, ClientError> {
        Ok(begin(server, cache, "/v1/login", &request).await?.0)
    }

    /// Logs in with a recovery code and sets a new password; every other device is logged out.
    ///
    /// # Errors
    /// As [`Self::log_in`].
    pub async fn recover(
        server: String,
        cache: CacheLocation,
        request: Recover,
    ) -> Result<Self, ClientError> {
        Ok(begin(server, cache, "/v1/login/recovery", &request).await?.0)
    }

    /// Logs in with a token that the app's own backend signed.
    ///
    /// # Errors
    /// As [`Self::log_in`].
    pub async fn log_in_app(
        server: String,
        cache: CacheLocation,
        request: AppLogIn,
    ) -> Result<Self, ClientError> {
        Ok(begin(server, cache, "/v1/login/app", &request).await?.0)
    }

    /// Starts from the cache, without the network.
    ///
    /// # Errors
    /// `NoSession` where nobody is logged in; `Cache` where it cannot be read.
    pub async fn open(cache: CacheLocation) -> Result<Self, ClientError> {
        let cache = Cache::open(&cache).await?;
        let session = cache.session().await?.ok_or(ClientError::NoSession)?;
        let rest = Rest::new(&session.server, Some(session.token.clone()))?;
        start(cache, rest, &session).await
    }
}

async fn begin<B: Serialize>(
    server: String,
    location: CacheLocation,
    path: &str,
    request: &B,
) -> Result<(Client, Vec<String>), ClientError> {
    // The cache first: a login that cannot be kept would only use up a device.
    let cache = Cache::open(&location).await?;
    let rest = Rest::new(&server, None)?;
    let logged_in: LoggedIn = rest.call(Method::POST, path, Some(request)).await?;
    let LoggedIn { account, device, token, recovery_codes } = logged_in;
    let token = token.ok_or(ClientError::BadAnswer)?;
    let session = Session { server, account, device, token };
    cache.write(vec![Write::LogIn(session.clone())]).await?;
    let rest = rest.with_token(session.token.clone());
    Ok((start(cache, rest, &session).await?, recovery_codes))
}

async fn start(cache: Cache, rest: Rest, session: &Session) -> Result<Client, ClientError> {
    let engine = Engine::start(cache.clone(), rest.clone(), session).await?;
    let (me, device) = (session.account.profile.account, session.device);
    Ok(Client { inner: Arc::new(Inner { cache, rest, engine, me, device }) })
}
