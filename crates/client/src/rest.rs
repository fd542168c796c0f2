//! The REST API over HTTP, and polling over the same requests and events as the WebSocket.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use suda_proto::event::Synced;
use suda_proto::frame::{OutgoingRequest, ServerFrame};
use suda_proto::{ConversationId, ErrorBody};

use crate::connection::install_cryptography;
use crate::error::ClientError;

/// How long an ordinary request may take.
const WITHIN: Duration = Duration::from_secs(30);

/// How long reaching the server may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How much longer than asked a long poll may take.
const POLL_GRACE: Duration = Duration::from_secs(15);

/// The server's HTTP side, with the device's token once there is one.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest").field("is_authenticated", &self.token.is_some()).finish_non_exhaustive()
    }
}

/// A body or reply of nothing.
pub const NOTHING: Option<&()> = None;

impl Rest {
    /// The server at `base`, such as `https://chat.example`.
    ///
    /// # Errors
    /// `Unreachable` where no HTTP client can be made on this machine.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, ClientError> {
        install_cryptography();
        let http = reqwest::Client::builder()
            .timeout(WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .user_agent(concat!("suda-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(unreachable)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), token })
    }

    /// The same server, as the device with `token`.
    pub fn with_token(self, token: String) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The address of the server's WebSocket.
    pub fn socket_url(&self) -> String {
        let (scheme, rest) = match self.base.split_once("://") {
            Some(("http", rest)) => ("ws", rest),
            Some((_, rest)) => ("wss", rest),
            None => ("wss", self.base.as_str()),
        };
        format!("{scheme}://{rest}/v1/ws")
    }

    fn build(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// One call with a JSON body, or none.
    pub async fn call<B: Serialize, R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<R, ClientError> {
        let request = self.build(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        answer(request.send().await.map_err(unreachable)?).await
    }

    /// A `GET` with query parameters.
    pub async fn get<R: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<R, ClientError> {
        answer(self.build(Method::GET, path).query(query).send().await.map_err(unreachable)?).await
    }

    /// What happened since `cursor`; waits up to `wait_seconds` for something to happen.
    pub async fn sync(
        &self,
        cursor: Option<&str>,
        wait_seconds: u64,
        open: Option<ConversationId>,
    ) -> Result<Synced, ClientError> {
        let mut query = vec![("wait", wait_seconds.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor.to_owned())));
        query.extend(open.map(|open| ("open", open.to_string())));
        let patience = Duration::from_secs(wait_seconds) + POLL_GRACE;
        let request = self.build(Method::GET, "/v1/sync").query(&query).timeout(patience);
        answer(request.send().await.map_err(unreachable)?).await
    }

    /// One request frame over HTTP; its reply frame.
    pub async fn request(&self, request: &OutgoingRequest) -> Result<ServerFrame, ClientError> {
        let response =
            self.build(Method::POST, "/v1/requests").json(request).send().await.map_err(unreachable)?;
        let text = response.text().await.map_err(unreachable)?;
        ServerFrame::read(&text).map_err(|_| ClientError::BadAnswer)
    }
}

async fn answer<R: DeserializeOwned>(response: reqwest::Response) -> Result<R, ClientError> {
    #[derive(serde::Deserialize)]
    struct Failure {
        error: ErrorBody,
    }
    let status = response.status();
    let bytes = response.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        let bytes = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
        return serde_json::from_slice(bytes).map_err(|_| ClientError::BadAnswer);
    }
    match serde_json::from_slice::<Failure>(&bytes) {
        Ok(failure) => Err(failure.error.into()),
        Err(_) => Err(strange(status)),
    }
}

/// A proxy or another server answered.
fn strange(status: StatusCode) -> ClientError {
    ClientError::Unreachable(format!("HTTP status {}", status.as_u16()))
}

/// What went wrong on the way, without the address.
fn unreachable(error: reqwest::Error) -> ClientError {
    if error.is_timeout() && !error.is_connect() {
        return ClientError::TimedOut;
    }
    ClientError::Unreachable(error.without_url().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_stands_beside_the_rest() {
        let url = |base| Rest::new(base, None).expect("a client").socket_url();
        assert_eq!(url("http://127.0.0.1:8080/"), "ws://127.0.0.1:8080/v1/ws");
        assert_eq!(url("https://chat.example/suda"), "wss://chat.example/suda/v1/ws");
    }
}
