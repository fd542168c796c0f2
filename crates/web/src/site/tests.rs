//! Tests of a small site of its own: which file answers, in which form, and what browsers are told.

use super::*;

const PLAIN: &[u8] = b"plain";

const fn file(path: &'static str) -> File {
    File { path, version: "0123456789abcdef", plain: PLAIN, gzip: Some(b"gzip"), brotli: Some(b"brotli") }
}

static SITE: Site = Site {
    is_built: true,
    files: &[
        file("/index.html"),
        file("/assets/app-1a2b.js"),
        file("/sw.js"),
        file("/widget.js"),
        file("/assets/widget/element-1a2b.js"),
        File { gzip: None, brotli: None, ..file("/icon.png") },
    ],
};

fn ask(method: &str, path: &str, headers: &[(&'static str, &str)]) -> Response {
    let request = Request::builder().method(method).uri(path).header("host", "chat.example");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    SITE.answer(&request.body(Body::empty()).unwrap())
}

fn get(path: &str, headers: &[(&'static str, &str)]) -> Response {
    ask("GET", path, headers)
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), 1024).await.unwrap().to_vec()
}

#[tokio::test]
async fn files_come_in_the_form_that_is_taken() {
    for (accept, encoding, content) in
        [("br, gzip", "br", &b"brotli"[..]), ("gzip", "gzip", b"gzip"), ("identity", "", PLAIN)]
    {
        let response = get("/sw.js", &[("accept-encoding", accept)]);
        assert_eq!(header(&response, "content-encoding"), encoding);
        assert_eq!(header(&response, "vary"), "Accept-Encoding");
        assert_eq!(header(&response, "content-length"), content.len().to_string());
        assert_eq!(header(&response, "content-type"), "text/javascript; charset=utf-8");
        assert_eq!(body(response).await, content);
    }
    let picture = get("/icon.png", &[("accept-encoding", "br, gzip")]);
    assert_eq!((header(&picture, "content-encoding"), header(&picture, "content-type")), ("", "image/png"));
    let head = ask("HEAD", "/sw.js", &[]);
    assert_eq!(header(&head, "content-length"), "5");
    assert_eq!(body(head).await, b"");
}

#[test]
fn what_has_its_hash_in_the_name_is_kept_and_the_rest_asked_for() {
    assert_eq!(header(&get("/assets/app-1a2b.js", &[]), "cache-control"), FOR_EVER);
    for path in ["/", "/index.html", "/sw.js", "/widget.js"] {
        let response = get(path, &[]);
        assert_eq!(header(&response, "cache-control"), ASK, "{path}");
        let tag = header(&response, "etag").to_owned();
        let again = get(path, &[("if-none-match", &format!("\"other\", W/{tag}"))]);
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(header(&again, "etag"), tag);
        let compressed = get(path, &[("if-none-match", &tag), ("accept-encoding", "br")]);
        assert_eq!(compressed.status(), StatusCode::OK, "{path}");
    }
}

#[test]
fn paths_of_views_get_the_page_where_a_page_is_wanted() {
    let html = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    for path in ["/", "/c/01a20307-be3a-767e-b983-8258631e195e", "/settings/devices"] {
        let response = get(path, &html);
        assert_eq!(
            (response.status(), header(&response, "content-type")),
            (StatusCode::OK, "text/html; charset=utf-8")
        );
    }
    let absent =
        [get("/c/1", &[("accept", "*/*")]), get("/app.js", &html), get("/assets/old-3c4d.js", &html)];
    assert!(absent.iter().all(|response| response.status() == StatusCode::NOT_FOUND));
    let post = ask("POST", "/", &html);
    assert_eq!((post.status(), header(&post, "allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD"));
}

#[test]
fn browsers_are_told_to_trust_nothing_else() {
    for path in ["/", "/assets/app-1a2b.js", "/sw.js", "/widget.js", "/assets/widget/element-1a2b.js"] {
        let response = get(path, &[]);
        let policy = header(&response, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
        assert!(policy.ends_with("connect-src 'self' ws://chat.example wss://chat.example"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        assert_eq!(header(&response, "cross-origin-opener-policy"), "same-origin");
        let reach = if path.contains("widget") { "cross-origin" } else { "same-origin" };
        assert_eq!(header(&response, "cross-origin-resource-policy"), reach);
    }
}

#[test]
fn a_host_adds_nothing_to_the_policy() {
    for host in ["evil.example; script-src *", "a b", "a,b", "a'b"] {
        let request = Request::builder().uri("/").header("host", host).body(Body::empty()).unwrap();
        let response = SITE.answer(&request);
        let policy = header(&response, "content-security-policy");
        assert!(policy.ends_with("; connect-src 'self'"), "{policy}");
    }
}

#[test]
fn only_the_widget_is_for_other_origins() {
    let origin = |path: &str| {
        let response = get(path, &[("origin", "https://app.example")]);
        header(&response, "access-control-allow-origin").to_owned()
    };
    for path in ["/widget.js", "/assets/widget/element-1a2b.js"] {
        assert_eq!(origin(path), "*");
    }
    assert_eq!((origin("/assets/app-1a2b.js"), origin("/sw.js")), (String::new(), String::new()));
}

#[test]
fn where_there_is_no_client_its_page_says_so() {
    static MISSING: Site = Site { is_built: false, files: &[file("/index.html"), file("/missing.css")] };
    let answer =
        |path: &str| MISSING.answer(&Request::builder().uri(path).body(Body::empty()).unwrap()).status();
    assert_eq!((answer("/"), answer("/missing.css")), (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK));
}
