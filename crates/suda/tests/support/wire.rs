//! A bare client for tests: REST and WebSocket as plain JSON, so that anything can be said, right or wrong.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A person with one logged-in device.
#[derive(Clone)]
pub struct Person {
    pub url: String,
    pub http: reqwest::Client,
    pub name: String,
    pub id: String,
    pub device: String,
    pub token: String,
}

impl Person {
    /// Signs up under `name`.
    pub async fn sign_up(url: &str, name: &str) -> Self {
        let body = json!({ "name": name, "password": "correct horse", "device": { "name": "first" } });
        Self::enter(url, name, "/v1/accounts", body).await
    }

    /// The same person on another device.
    pub async fn log_in(&self) -> Self {
        let body = json!({ "name": self.name, "password": "correct horse", "device": { "name": "another" } });
        Self::enter(&self.url, &self.name, "/v1/login", body).await
    }

    async fn enter(url: &str, name: &str, path: &str, body: Value) -> Self {
        // An error means that there is a provider already, which is as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        // No connection is kept: a server that was killed and started again must not meet an old one.
        let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let answer = http.post(format!("{url}{path}")).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self {
            url: url.to_owned(),
            http,
            name: name.to_owned(),
            id: text(&answer["account"]["account"]),
            device: text(&answer["device"]),
            token: text(&answer["token"]),
        }
    }

    /// Calls the REST API; answers status and body.
    pub async fn rest(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Calls the REST API, which must agree.
    pub async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.rest(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// One request over HTTP: its `ok`, or its error's code.
    pub async fn request(&self, name: &str, body: Value) -> Result<Value, String> {
        let frame = json!({ "id": 1, "type": name, "body": body });
        let (_, answer) = self.rest("POST", "/v1/requests", frame).await;
        outcome(&answer)
    }

    /// The direct conversation with somebody.
    pub async fn direct(&self, other: &Self) -> String {
        let answer = self.ok("POST", "/v1/direct", json!({ "account": other.id })).await;
        answer["conversation"].as_str().unwrap().to_owned()
    }

    /// A new group with these members.
    pub async fn group(&self, others: &[&Self]) -> String {
        let members: Vec<&str> = others.iter().map(|other| other.id.as_str()).collect();
        let body = json!({ "client_id": Uuid::now_v7(), "members": members, "title": "group" });
        let answer = self.ok("POST", "/v1/groups", body).await;
        answer["conversation"].as_str().unwrap().to_owned()
    }

    /// Sends a text over HTTP and answers its sequence.
    pub async fn say(&self, conversation: &str, base: u64, text: &str) -> u64 {
        let sent = self.request("send", message(conversation, Uuid::now_v7(), base, text)).await;
        sent.unwrap()["position"]["seq"].as_u64().unwrap()
    }

    /// Connects, and says hello.
    pub async fn connect(&self) -> Line {
        let mut line = Line::open(&self.url).await;
        line.hello(&self.token).await.unwrap();
        line
    }

    /// The whole of a conversation as this person sees it.
    pub async fn history(&self, conversation: &str) -> Result<Vec<Value>, String> {
        let mut entries = Vec::new();
        loop {
            let from = entries.last().map_or(1, |last: &Value| last["seq"].as_u64().unwrap() + 1);
            let range = json!({ "between": { "from": from, "to": u32::MAX } });
            let page =
                self.request("history", json!({ "conversation": conversation, "range": range })).await?;
            entries.extend(page["entries"].as_array().unwrap().iter().cloned());
            if page["to"].as_u64() >= page["head"].as_u64() {
                return Ok(entries);
            }
        }
    }
}

/// The body of a `send` of a text.
pub fn message(conversation: &str, client_id: Uuid, base: u64, text: &str) -> Value {
    json!({
        "conversation": conversation, "client_id": client_id, "base": base, "kind": "message",
        "body": { "type": "text", "text": text },
    })
}

/// A reply's `ok`, or its error's code.
pub fn outcome(frame: &Value) -> Result<Value, String> {
    match frame["error"]["code"].as_str() {
        Some(code) => Err(code.to_owned()),
        None => Ok(frame["ok"].clone()),
    }
}

/// A WebSocket.
pub struct Line {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    /// Events that came while a reply was waited for.
    pub events: Vec<Value>,
    /// The welcome.
    pub welcome: Value,
}

impl Line {
    /// Connects, and says nothing.
    pub async fn open(url: &str) -> Self {
        let (socket, _) = connect_async(format!("{}/v1/ws", url.replacen("http", "ws", 1))).await.unwrap();
        Self::on(socket)
    }

    /// On a WebSocket that is open already.
    pub const fn on(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, next: 0, events: Vec::new(), welcome: Value::Null }
    }

    /// Connects as if from far away, so that rates count; says nothing.
    pub async fn open_from_afar(url: &str) -> Self {
        let mut request = format!("{}/v1/ws", url.replacen("http", "ws", 1)).into_client_request().unwrap();
        request.headers_mut().insert("x-forwarded-for", "203.0.113.7".parse().unwrap());
        Self::on(connect_async(request).await.unwrap().0)
    }

    /// Says hello.
    pub async fn hello(&mut self, token: &str) -> Result<(), String> {
        let body = json!({ "protocol": 1, "token": token, "foreground": true });
        self.welcome = self.ask("hello", body).await?;
        Ok(())
    }

    /// Sends a request without waiting; answers its id.
    pub async fn send(&mut self, name: &str, body: Value) -> u64 {
        self.next += 1;
        self.say(&json!({ "id": self.next, "type": name, "body": body }).to_string()).await;
        self.next
    }

    /// Sends any text.
    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&mut self, name: &str, body: Value) -> Result<Value, String> {
        let id = self.send(name, body).await;
        self.answer(id).await
    }

    /// Waits for the answer to a request; events that come meanwhile are kept.
    pub async fn answer(&mut self, id: u64) -> Result<Value, String> {
        loop {
            match self.frame().await {
                Ok(frame) if frame["id"] == id => return outcome(&frame),
                Ok(frame) => self.events.push(frame),
                Err(code) => return Err(format!("closed {code}")),
            }
        }
    }

    /// The next event of this name.
    pub async fn event(&mut self, name: &str) -> Value {
        loop {
            if let Some(place) = self.events.iter().position(|event| event["event"] == name) {
                return self.events.remove(place)["body"].clone();
            }
            let frame = self.frame().await.unwrap_or_else(|code| panic!("closed {code} before {name}"));
            self.events.push(frame);
        }
    }

    /// The next new entries of this conversation; those of others are dropped.
    pub async fn entries(&mut self, conversation: &str) -> Vec<Value> {
        loop {
            let event = self.event("entries").await;
            if event["conversation"] == conversation {
                return event["entries"].as_array().unwrap().clone();
            }
        }
    }

    /// The next frame that is no event; events that come meanwhile are kept.
    pub async fn told(&mut self) -> Value {
        loop {
            let frame = self.frame().await.unwrap();
            if frame.get("event").is_none() {
                return frame;
            }
            self.events.push(frame);
        }
    }

    /// The next frame, or the close code; pings do not count as frames, however long they come.
    pub async fn frame(&mut self) -> Result<Value, u16> {
        tokio::time::timeout(PATIENCE, self.next_frame()).await.expect("a frame in time")
    }

    async fn next_frame(&mut self) -> Result<Value, u16> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Waits until the server closes; answers the close code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.frame().await {
                return code;
            }
        }
    }
}
