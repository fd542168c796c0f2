//! Asks the admin API: of the server that runs on the data folder, or, when none runs, of one started for this question.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::Value;
use suda_proto::ErrorBody;
use suda_server::Server;
use tower::ServiceExt as _;

use super::routes::routes;
use super::socket::SocketPath;
use crate::config::Config;
use crate::folder::Folder;
use crate::stop::{Stop, while_trying};

/// A backup of a large folder takes long; everything else is quick.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);
/// More than any answer has.
const ANSWER_BYTES: usize = 64 << 20;
/// How long a server that was started for a question may take to finish what came of it.
const FINISHING: Duration = Duration::from_secs(30);

/// Whoever answers.
pub enum Operator {
    /// A server runs on the folder.
    Running(Running),
    /// No server runs; this process answers.
    Stopped(Box<Stopped>),
}

/// A way to the running server.
pub struct Running {
    client: Client,
    data: PathBuf,
    /// What the client's path may go through.
    _path: SocketPath,
}

/// A server in this process that nobody else can reach.
pub struct Stopped {
    folder: Folder,
    server: Arc<Server>,
    routes: Router,
}

/// One question.
pub struct Question {
    method: Method,
    url: Url,
    body: Option<Value>,
}

impl Question {
    /// `path` is the route's segments.
    pub fn new(method: Method, path: &[&str]) -> Self {
        let mut url = Url::parse("http://suda").expect("a constant that is a URL");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        Self { method, url, body: None }
    }

    /// With a parameter in the query.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.url.query_pairs_mut().append_pair(name, value);
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

impl Operator {
    /// Finds whoever answers for the data folder.
    pub async fn find(config: &Config) -> Result<Self, Stop> {
        if let Some(running) = Running::find(config).await? {
            return Ok(Self::Running(running));
        }
        let folder = Folder::open_existing(config).await?;
        let server = folder.serve(config.settings()?)?;
        let routes = routes(&server, folder.store());
        Ok(Self::Stopped(Box::new(Stopped { folder, server, routes })))
    }

    /// Asks, and answers the JSON of the reply; `null` for an empty one.
    pub async fn ask(&self, question: Question) -> Result<Value, Stop> {
        match self {
            Self::Running(running) => running.ask(question).await,
            Self::Stopped(stopped) => stopped.ask(question).await,
        }
    }

    /// Has no more questions.
    pub async fn done(self) -> Result<(), Stop> {
        let Self::Stopped(stopped) = self else {
            return Ok(());
        };
        let Stopped { folder, server, routes } = *stopped;
        server.drain(FINISHING).await;
        drop((server, routes));
        folder.close().await
    }
}

impl Running {
    /// The way to the server that runs on the data folder, if one does.
    pub async fn find(config: &Config) -> Result<Option<Self>, Stop> {
        let Ok(path) = SocketPath::of(&config.data) else {
            return Ok(None);
        };
        if !path.is_answered().await {
            return Ok(None);
        }
        let client = Client::builder().unix_socket(path.path()).timeout(PATIENCE).build();
        let no_answer = |error: reqwest::Error| no_answer(&config.data, error.to_string());
        Ok(Some(Self { client: client.map_err(no_answer)?, data: config.data.clone(), _path: path }))
    }

    /// Asks the running server.
    pub async fn ask(&self, question: Question) -> Result<Value, Stop> {
        let failed = |error: reqwest::Error| no_answer(&self.data, error.without_url().to_string());
        let request = self.client.request(question.method, question.url);
        let request = match &question.body {
            Some(body) => request.json(body),
            None => request,
        };
        let reply = request.send().await.map_err(failed)?;
        let status = reply.status();
        let bytes = reply.bytes().await.map_err(failed)?;
        answer(status, &bytes).map_err(|reason| self.refused(reason))
    }

    fn refused(&self, reason: Unanswered) -> Stop {
        match reason {
            Unanswered::Refused(reason) => Stop::Refused(reason),
            Unanswered::Unreadable => no_answer(&self.data, "its reply makes no sense".to_owned()),
        }
    }
}

impl Stopped {
    async fn ask(&self, question: Question) -> Result<Value, Stop> {
        let request = Request::builder().method(question.method).uri(question.url.as_str());
        let request = match &question.body {
            Some(body) => {
                request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
            }
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|error| Stop::Refused(error.to_string()))?;
        let reply = self.routes.clone().oneshot(request).await;
        let reply = reply.unwrap_or_else(|never| match never {});
        let status = reply.status();
        let bytes = to_bytes(reply.into_body(), ANSWER_BYTES).await;
        let bytes = bytes.map_err(std::io::Error::other).map_err(while_trying("read the answer"))?;
        answer(status, &bytes).map_err(|reason| match reason {
            Unanswered::Refused(reason) => Stop::Refused(reason),
            Unanswered::Unreadable => Stop::Refused(format!("refused with status {status}")),
        })
    }
}

/// The body of an answer that is a refusal.
#[derive(Deserialize)]
struct Refusal {
    error: ErrorBody,
}

enum Unanswered {
    Refused(String),
    Unreadable,
}

fn answer(status: StatusCode, bytes: &[u8]) -> Result<Value, Unanswered> {
    if status.is_success() && bytes.is_empty() {
        return Ok(Value::Null);
    }
    if status.is_success() {
        return serde_json::from_slice(bytes).map_err(|_| Unanswered::Unreadable);
    }
    let refusal: Result<Refusal, _> = serde_json::from_slice(bytes);
    Err(refusal.map_or(Unanswered::Unreadable, |refusal| Unanswered::Refused(refusal.error.message)))
}

fn no_answer(data: &std::path::Path, reason: String) -> Stop {
    Stop::NoAnswer { data: data.to_owned(), reason }
}
