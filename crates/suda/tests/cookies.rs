//! Log-in by cookie, seen from a browser's side: what sets it, what takes it, and what must not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use reqwest::header::{CACHE_CONTROL, COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use support::wire::{Line, Person};
use support::{Server, http};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const PASSWORD: &str = "correct horse";
const FOREIGN: &str = "https://evil.example";

/// A request as the server's own page makes it.
fn by_page(server: &Server, method: Method, path: &str) -> RequestBuilder {
    let request = http(&[]).request(method, format!("{}{path}", server.url()));
    request.header("suda-session", "cookie").header(ORIGIN, server.url())
}

/// The `suda` cookie that an answer sets, with its attributes.
fn set_cookie(answer: &Response) -> String {
    let cookies: Vec<&str> =
        answer.headers().get_all(SET_COOKIE).iter().map(|one| one.to_str().unwrap()).collect();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    cookies[0].to_owned()
}

/// The pair that a browser sends back.
fn pair(cookie: &str) -> String {
    cookie.split(';').next().unwrap().to_owned()
}

/// Signs up on the server's page; answers the cookie and the reply.
async fn sign_up(server: &Server, name: &str) -> (String, Value) {
    let body =
        json!({ "name": name, "password": PASSWORD, "device": { "name": "browser", "platform": "web" } });
    let answer = by_page(server, Method::POST, "/v1/accounts").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    (set_cookie(&answer), answer.json().await.unwrap())
}

/// Status and error code of an answer.
async fn told(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    (status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
}

/// Opens a WebSocket with these headers; the HTTP status where it is refused.
async fn open(server: &Server, headers: &[(&'static str, &str)]) -> Result<(Line, Option<String>), u16> {
    let mut request =
        format!("{}/v1/ws", server.url().replacen("http", "ws", 1)).into_client_request().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, answer)) => {
            let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
            Ok((Line::on(socket), cookie))
        }
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn hello_without_token(line: &mut Line) -> Result<Value, String> {
    line.ask("hello", json!({ "protocol": 1, "foreground": true })).await
}

#[tokio::test]
async fn every_log_in_of_a_page_sets_a_cookie_and_shows_no_token() {
    let server = Server::spawn(&[]);
    let (cookie, signed_up) = sign_up(&server, "mina").await;
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=34560000");
    assert!(value.len() > "suda=".len() + 40, "{value}");
    let code = signed_up["recovery_codes"][0].as_str().unwrap();
    let log_in = json!({ "name": "mina", "password": PASSWORD });
    let recover = json!({ "name": "mina", "recovery_code": code, "new_password": "another horse" });
    let mut cookies = vec![cookie.clone()];
    for (path, body) in [("/v1/login", log_in), ("/v1/login/recovery", recover)] {
        let answer = by_page(&server, Method::POST, path).json(&body).send().await.unwrap();
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-store");
        cookies.push(set_cookie(&answer));
        let body = answer.text().await.unwrap();
        assert!(!body.contains("\"token\""), "{path}: {body}");
        let token = pair(cookies.last().unwrap()).replace("suda=", "");
        assert!(!body.contains(&token), "{path}: {body}");
    }
    assert!(!signed_up.to_string().contains("\"token\""), "{signed_up}");
    cookies.dedup();
    assert_eq!(cookies.len(), 3, "each log-in has a token of its own");
}

#[tokio::test]
async fn programs_get_their_token_and_no_cookie() {
    let server = Server::spawn(&[]);
    let body = json!({ "name": "mina", "password": PASSWORD });
    let answer = http(&[]).post(format!("{}/v1/accounts", server.url())).json(&body).send().await.unwrap();
    assert!(answer.headers().get(SET_COOKIE).is_none());
    assert!(answer.json::<Value>().await.unwrap()["token"].is_string());
}

#[tokio::test]
async fn the_cookie_counts_only_beside_the_header_and_on_own_pages() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let cookie = pair(&cookie);
    let call = |headers: &'static [(&'static str, &'static str)]| {
        let request = http(&[]).get(format!("{}/v1/account", server.url())).header(COOKIE, &cookie);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        async move { told(request.send().await.unwrap()).await }
    };
    assert_eq!(call(&[("suda-session", "cookie")]).await.0, 200);
    assert_eq!(call(&[]).await, (401, "unauthenticated".to_owned()));
    assert_eq!(call(&[("suda-session", "token")]).await, (401, "unauthenticated".to_owned()));
    let refused = (403, "origin_refused".to_owned());
    assert_eq!(call(&[("suda-session", "cookie"), ("origin", FOREIGN)]).await, refused);
    assert_eq!(call(&[("suda-session", "cookie"), ("origin", "null")]).await, refused);
    assert_eq!(call(&[("origin", FOREIGN)]).await, refused);
    let own =
        by_page(&server, Method::GET, "/v1/account").header(COOKIE, format!("other=1; {cookie}; last=2"));
    assert_eq!(own.send().await.unwrap().status(), 200);
}

/// A form needs no preflight, and browsers of old send the cookie along.
#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let form = |origin: Option<&str>| {
        let request = http(&[]).post(format!("{}/v1/account/recovery-codes", server.url()));
        let request = request.header(COOKIE, pair(&cookie)).header("content-type", "text/plain");
        let request = origin.into_iter().fold(request, |request, origin| request.header(ORIGIN, origin));
        request.body(json!({ "password": PASSWORD, "=": "" }).to_string()).send()
    };
    assert_eq!(told(form(Some(FOREIGN)).await.unwrap()).await, (403, "origin_refused".to_owned()));
    assert_eq!(told(form(Some("null")).await.unwrap()).await, (403, "origin_refused".to_owned()));
    assert_eq!(told(form(None).await.unwrap()).await, (401, "unauthenticated".to_owned()));
    let log_in = http(&[]).post(format!("{}/v1/login", server.url())).header(ORIGIN, FOREIGN);
    let log_in = log_in.json(&json!({ "name": "mina", "password": PASSWORD })).send().await.unwrap();
    assert!(log_in.headers().get(SET_COOKIE).is_none());
    assert_eq!(told(log_in).await, (403, "origin_refused".to_owned()));
}

/// An allowed origin may use tokens, but the cookie is the own pages' alone.
#[tokio::test]
async fn allowed_origins_have_no_use_of_the_cookie() {
    let allowed = "https://app.example";
    let server = Server::spawn(&["--allowed-origins", allowed]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let cookie = pair(&cookie);
    let call = http(&[]).get(format!("{}/v1/account", server.url())).header(COOKIE, &cookie);
    let call = call.header("suda-session", "cookie").header(ORIGIN, allowed);
    assert_eq!(told(call.send().await.unwrap()).await, (403, "origin_refused".to_owned()));
    let (mut line, renewed) = open(&server, &[("cookie", &cookie), ("origin", allowed)]).await.ok().unwrap();
    assert_eq!(renewed, None);
    assert_eq!(hello_without_token(&mut line).await, Err("unauthenticated".to_owned()));
}

#[tokio::test]
async fn a_websocket_takes_the_cookie_from_own_pages_only() {
    let server = Server::spawn(&[]);
    let (cookie, signed_up) = sign_up(&server, "mina").await;
    let value = pair(&cookie);
    let (mut line, renewed) =
        open(&server, &[("cookie", &value), ("origin", server.url())]).await.ok().unwrap();
    let welcome = hello_without_token(&mut line).await.unwrap();
    assert_eq!(welcome["account"], signed_up["account"]["account"]);
    assert_eq!(renewed.as_deref(), Some(cookie.as_str()), "the cookie lives on while it is used");

    assert_eq!(open(&server, &[("cookie", &value), ("origin", FOREIGN)]).await.err(), Some(403));
    let (mut nameless, renewed) = open(&server, &[("cookie", &value)]).await.ok().unwrap();
    assert_eq!(renewed, None);
    assert_eq!(hello_without_token(&mut nameless).await, Err("unauthenticated".to_owned()));
    assert_eq!(nameless.closed().await, 4200);
}

/// A token in `hello` is what its sender means, whatever the browser adds.
#[tokio::test]
async fn a_token_in_hello_goes_before_the_cookie() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let joon = Person::sign_up(server.url(), "joon").await;
    let headers = [("cookie", pair(&cookie)), ("origin", server.url().to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (mut line, _) = open(&server, &headers).await.ok().unwrap();
    line.hello(&joon.token).await.unwrap();
    assert_eq!(line.welcome["account"], joon.id.as_str());
}

#[tokio::test]
async fn logging_out_takes_the_cookie_back_and_closes_the_connection() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let value = pair(&cookie);
    let (mut line, _) = open(&server, &[("cookie", &value), ("origin", server.url())]).await.ok().unwrap();
    hello_without_token(&mut line).await.unwrap();
    let log_out = || by_page(&server, Method::POST, "/v1/logout").header(COOKIE, &value).send();
    let answer = log_out().await.unwrap();
    let gone = "suda=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0";
    assert_eq!((answer.status().as_u16(), set_cookie(&answer).as_str()), (200, gone));
    assert_eq!(line.closed().await, 4200);
    // Whoever was logged out from elsewhere gets rid of the cookie, too.
    let again = log_out().await.unwrap();
    assert_eq!((again.status().as_u16(), set_cookie(&again).as_str()), (401, gone));
}

#[tokio::test]
async fn deleting_the_account_takes_the_cookie_back() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let delete = |password: &str| {
        let request = by_page(&server, Method::DELETE, "/v1/account").header(COOKIE, pair(&cookie));
        request.json(&json!({ "password": password })).send()
    };
    let wrong = delete("wrong horse").await.unwrap();
    assert!(wrong.headers().get(SET_COOKIE).is_none());
    let right = delete(PASSWORD).await.unwrap();
    assert!(set_cookie(&right).starts_with("suda=; "), "{right:?}");
}

#[tokio::test]
async fn polling_and_single_requests_take_the_cookie() {
    let server = Server::spawn(&[]);
    let (cookie, _) = sign_up(&server, "mina").await;
    let value = pair(&cookie);
    let sync = by_page(&server, Method::GET, "/v1/sync").header(COOKIE, &value).send().await.unwrap();
    let synced: Value = sync.json().await.unwrap();
    assert!(synced["cursor"].is_string(), "{synced}");
    let ping = json!({ "id": 1, "type": "ping" });
    let request = by_page(&server, Method::POST, "/v1/requests").header(COOKIE, &value).json(&ping);
    assert!(request.send().await.unwrap().json::<Value>().await.unwrap()["ok"]["now"].is_u64());
    let without = http(&[]).get(format!("{}/v1/sync", server.url())).header(COOKIE, &value);
    assert_eq!(told(without.send().await.unwrap()).await, (401, "unauthenticated".to_owned()));
}

/// Browsers keep such a cookie off connections without TLS, and let nobody but the host itself set it.
#[tokio::test]
async fn behind_tls_the_cookie_is_secure_and_the_origin_too() {
    let server = Server::spawn(&["--trusted-proxies", "127.0.0.1"]);
    let forwarded = |scheme: &'static str, origin: &str| {
        let body = json!({ "name": "mina", "password": PASSWORD });
        let request = http(&[]).post(format!("{}/v1/login", server.url())).json(&body);
        let request = request.header("x-forwarded-proto", scheme).header("x-forwarded-for", "203.0.113.9");
        request.header("suda-session", "cookie").header(ORIGIN, origin).send()
    };
    sign_up(&server, "mina").await;
    let secure_page = format!("https://{}", server.address());
    let over_tls = forwarded("https", &secure_page).await.unwrap();
    let cookie = set_cookie(&over_tls);
    assert!(cookie.starts_with("__Host-suda="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=34560000; Secure"), "{cookie}");
    let plain = forwarded("http", server.url()).await.unwrap();
    assert!(!set_cookie(&plain).contains("Secure"));
    let mixed = forwarded("https", server.url()).await.unwrap();
    assert_eq!(told(mixed).await, (403, "origin_refused".to_owned()));
}

/// A page of a sibling host can set `suda` for the whole domain, and the browser may send that one first.
#[tokio::test]
async fn behind_tls_a_planted_cookie_does_not_count() {
    let server = Server::spawn(&["--trusted-proxies", "127.0.0.1"]);
    let (planted, _) = sign_up(&server, "eve").await;
    let origin = format!("https://{}", server.address());
    let over_tls = |request: RequestBuilder| {
        let request = request.header("x-forwarded-proto", "https").header("x-forwarded-for", "203.0.113.9");
        request.header("suda-session", "cookie").header(ORIGIN, &origin)
    };
    let body = json!({ "name": "mina", "password": PASSWORD });
    let sign_up = http(&[]).post(format!("{}/v1/accounts", server.url())).json(&body);
    let own = set_cookie(&over_tls(sign_up).send().await.unwrap());
    let account = |cookies: String| {
        let request = http(&[]).get(format!("{}/v1/account", server.url()));
        over_tls(request).header(COOKIE, cookies).send()
    };
    let alone = account(pair(&planted)).await.unwrap();
    assert_eq!(told(alone).await, (401, "unauthenticated".to_owned()));
    let both = account(format!("{}; {}", pair(&planted), pair(&own))).await.unwrap();
    assert_eq!(both.json::<Value>().await.unwrap()["name"], "mina");
}
