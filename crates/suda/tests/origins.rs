//! Pages of other origins: the allowed ones may use the API with tokens, all others nothing (CORS).

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::{Method, Response};
use serde_json::json;
use support::wire::Person;
use support::{Server, http};

const ALLOWED: &str = "https://app.example";
const FOREIGN: &str = "https://evil.example";

async fn preflight(server: &Server, origin: &str, path: &str) -> Response {
    let request = http(&[]).request(Method::OPTIONS, format!("{}{path}", server.url()));
    let request = request.header(header::ORIGIN, origin).header("access-control-request-method", "POST");
    request.header("access-control-request-headers", "authorization, suda-session").send().await.unwrap()
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn preflights_of_allowed_origins_are_answered_and_kept() {
    let server = Server::spawn(&["--allowed-origins", ALLOWED]);
    for path in ["/v1/requests", "/v1/sync", "/v1/accounts", "/v1/login/app"] {
        let answer = preflight(&server, ALLOWED, path).await;
        assert_eq!(answer.status(), 204, "{path}");
        let headers = answer.headers();
        assert_eq!(text(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN), ALLOWED);
        assert_eq!(text(headers, header::ACCESS_CONTROL_ALLOW_METHODS), "GET, POST, PUT, PATCH, DELETE");
        // The header of the cookie is not among them: that is for the server's own pages.
        assert_eq!(text(headers, header::ACCESS_CONTROL_ALLOW_HEADERS), "authorization, content-type");
        assert_eq!(text(headers, header::ACCESS_CONTROL_MAX_AGE), "600");
        assert_eq!(text(headers, header::VARY), "Origin");
        assert_eq!(text(headers, header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "");
    }
}

#[tokio::test]
async fn nobody_else_is_answered() {
    let server = Server::spawn(&["--allowed-origins", ALLOWED]);
    let mina = Person::sign_up(server.url(), "mina").await;
    for origin in [FOREIGN, "null", "https://app.example.evil.example", "http://app.example"] {
        let answer = preflight(&server, origin, "/v1/requests").await;
        assert_eq!(answer.status(), 403, "{origin}");
        assert_eq!(text(answer.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), "");
        for path in ["/v1/account", "/v1/sync", "/v1/health"] {
            let request = http(&[]).get(format!("{}{path}", server.url())).bearer_auth(&mina.token);
            let answer = request.header(header::ORIGIN, origin).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{origin} {path}");
            assert_eq!(text(answer.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), "");
        }
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_call_and_poll_with_a_token() {
    let server = Server::spawn(&["--allowed-origins", ALLOWED]);
    let mina = Person::sign_up(server.url(), "mina").await;
    for path in ["/v1/account", "/v1/sync", "/v1/health"] {
        let request = http(&[]).get(format!("{}{path}", server.url())).bearer_auth(&mina.token);
        let answer = request.header(header::ORIGIN, ALLOWED).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(text(answer.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), ALLOWED);
        assert_eq!(text(answer.headers(), header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "");
    }
    // Errors can be read as well.
    let request = http(&[]).get(format!("{}/v1/account", server.url())).header(header::ORIGIN, ALLOWED);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(text(answer.headers(), header::ACCESS_CONTROL_ALLOW_ORIGIN), ALLOWED);
}

#[tokio::test]
async fn the_own_pages_need_no_permission() {
    let server = Server::spawn(&[]);
    let mina = Person::sign_up(server.url(), "mina").await;
    let request = http(&[]).patch(format!("{}/v1/account", server.url())).bearer_auth(&mina.token);
    let request = request.json(&json!({ "about": "here" })).header(header::ORIGIN, server.url());
    assert_eq!(request.send().await.unwrap().status(), 200);
}
