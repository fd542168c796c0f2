//! The REST requests of a replay, repeated while the server is away.

use std::time::Duration;

use rand::Rng as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use suda_proto::ErrorBody;
use suda_proto::rest::Health;
use tokio::time::Instant;

/// How long the server may be away.
pub const AWAY_MAX: Duration = Duration::from_secs(60);

/// How long one answer may take; hashing a password is slow, and many wait for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(400);

/// Asks one server.
pub struct Rest {
    http: reqwest::Client,
    base: String,
}

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The server refused.
    #[error("the server refused: {0}")]
    Refused(ErrorBody),
    /// There is no answer.
    #[error("no Suda server answers at {url}: {source}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server's answer is none of ours.
    #[error("what answers at {url} is no Suda server of this version")]
    Strange {
        /// Where.
        url: String,
    },
}

#[derive(serde::Deserialize)]
struct Refusal {
    error: ErrorBody,
}

impl Rest {
    /// A client of the server at `url`, such as `http://127.0.0.1:7878`.
    ///
    /// # Errors
    /// Where the system offers nothing to check certificates by.
    pub fn new(url: &str) -> Result<Self, RestError> {
        let base = url.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build();
        let http = http.map_err(|source| RestError::Unreachable { url: base.clone(), source })?;
        Ok(Self { http, base })
    }

    /// The address of the server's WebSocket.
    pub fn websocket(&self) -> String {
        let (scheme, rest) = self.base.split_once("://").unwrap_or(("http", &self.base));
        let scheme = if scheme == "https" { "wss" } else { "ws" };
        format!("{scheme}://{rest}/v1/ws")
    }

    /// Asks once whether the server is there.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn health(&self) -> Result<Health, RestError> {
        self.answer(self.http.get(format!("{}/v1/health", self.base))).await
    }

    /// Posts `body` as JSON until there is an answer. What is posted must do no harm when it is carried out twice.
    ///
    /// # Errors
    /// The refusal, or what was wrong with the last try after [`AWAY_MAX`] without an answer.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, RestError> {
        let give_up = Instant::now() + AWAY_MAX;
        loop {
            let request = self.http.post(format!("{}{path}", self.base)).json(body);
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let error = match self.answer(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let pause = match &error {
                RestError::Refused(refusal) => refusal.retry_after_ms.map(Duration::from_millis),
                RestError::Unreachable { .. } => Some(PAUSE),
                RestError::Strange { .. } => None,
            };
            match pause {
                Some(pause) if Instant::now() + pause < give_up => {
                    // Jittered, so that those who failed together do not come back together.
                    let jitter = rand::rng().random_range(0.5..1.5);
                    tokio::time::sleep(pause.mul_f64(jitter)).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn answer<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, RestError> {
        let unreachable = |source: reqwest::Error| RestError::Unreachable { url: self.base.clone(), source };
        let response = request.send().await.map_err(unreachable)?;
        let is_success = response.status().is_success();
        let bytes = response.bytes().await.map_err(unreachable)?;
        let strange = |_| RestError::Strange { url: self.base.clone() };
        if is_success {
            return serde_json::from_slice(&bytes).map_err(strange);
        }
        let refusal: Refusal = serde_json::from_slice(&bytes).map_err(strange)?;
        Err(RestError::Refused(refusal.error))
    }
}
