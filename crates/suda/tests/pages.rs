//! The web client as the server serves it, whether npm could build it or a page stands in for it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]

mod support;

use reqwest::Response;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, ORIGIN};
use serde_json::Value;
use support::{Server, http};

async fn get(server: &Server, path: &str, headers: &[(HeaderName, &str)]) -> Response {
    let request = http(&[]).get(format!("{}{path}", server.url()));
    headers.iter().fold(request, |request, (name, value)| request.header(name, *value)).send().await.unwrap()
}

fn header(response: &Response, name: HeaderName) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

/// The addresses of what a page loads.
fn loaded(page: &str) -> Vec<&str> {
    let references = page.split(['"', '\'']).filter(|text| text.starts_with('/') && text.contains('.'));
    references.collect()
}

#[tokio::test]
async fn the_page_loads_only_what_the_server_has() {
    let server = Server::spawn(&[]);
    let page = get(&server, "/", &[]).await;
    assert!(matches!(page.status().as_u16(), 200 | 503), "{page:?}");
    assert_eq!(header(&page, CONTENT_TYPE), "text/html; charset=utf-8");
    let policy = header(&page, CONTENT_SECURITY_POLICY);
    assert!(
        policy.ends_with(&format!("connect-src 'self' ws://{0} wss://{0}", server.address())),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    assert!(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onload="), "{page}");
    let loaded = loaded(&page);
    assert!(!loaded.is_empty(), "{page}");
    for path in loaded {
        let file = get(&server, path, &[]).await;
        assert_eq!(file.status(), 200, "{path}");
        let keep = header(&file, CACHE_CONTROL);
        let expected = if path.starts_with("/assets/") { "immutable" } else { "no-cache" };
        assert!(keep.contains(expected), "{path}: {keep}");
    }
}

#[tokio::test]
async fn the_api_is_never_answered_with_a_page() {
    let server = Server::spawn(&[]);
    let html = [(ACCEPT, "text/html")];
    for path in ["/v1", "/v1/", "/v1/nothing"] {
        let answer = get(&server, path, &html).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "no_such_route", "{path}");
    }
    let view = get(&server, "/c/somewhere", &html).await;
    assert_eq!(header(&view, CONTENT_TYPE), "text/html; charset=utf-8");
    // A link from another site leads to the page, too: what it shows is asked for by the page itself.
    let linked = get(&server, "/", &[(ORIGIN, "https://other.example")]).await;
    assert_eq!(header(&linked, CONTENT_TYPE), "text/html; charset=utf-8");
}

#[tokio::test]
async fn the_client_can_be_left_out() {
    let server = Server::spawn(&["--web=false"]);
    let answer = get(&server, "/", &[(ACCEPT, "text/html")]).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "no_such_route");
    assert_eq!(get(&server, "/v1/health", &[]).await.status(), 200);
}
