//! The opening handshake of RFC 6455, section 4.2: from an HTTP request to a connection that speaks frames.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::upgrade::OnUpgrade;
use sha1::{Digest, Sha1};
use suda_proto::{Code, ErrorBody};

/// What the standard has every server put behind the client's key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The only version of the protocol.
const VERSION: &str = "13";

/// Bytes of a client's key, behind its base64.
const KEY_BYTES: usize = 16;

/// The response that accepts the request, and the connection to come once it is written.
///
/// # Errors
/// `bad_request` for what is no handshake of a version that is spoken here.
pub fn accept(request: &mut Request) -> Result<(Response<Body>, OnUpgrade), ErrorBody> {
    let key = check(request)?;
    let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
    let on_upgrade =
        on_upgrade.ok_or_else(|| Code::BadRequest.because("the connection cannot be upgraded"))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, answer(&key)?);
    Ok((response, on_upgrade))
}

/// The client's key, where everything else is as it must be.
fn check(request: &Request) -> Result<HeaderValue, ErrorBody> {
    let headers = request.headers();
    let bad = |what: &str| Code::BadRequest.because(what);
    if request.method() != Method::GET {
        return Err(bad("a WebSocket begins with GET"));
    }
    if !lists(headers, &header::CONNECTION, "upgrade") || !lists(headers, &header::UPGRADE, "websocket") {
        return Err(bad("a WebSocket begins with `Connection: upgrade` and `Upgrade: websocket`"));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(bad("the WebSocket version spoken here is 13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let fits = |key: &&HeaderValue| STANDARD.decode(key).is_ok_and(|key| key.len() == KEY_BYTES);
    key.filter(fits).cloned().ok_or_else(|| bad("Sec-WebSocket-Key must be 16 bytes in base64"))
}

/// Whether the comma-separated header lists the token, in whatever case.
fn lists(headers: &HeaderMap, name: &header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(token))
}

/// What proves to the client that its handshake was understood.
fn answer(key: &HeaderValue) -> Result<HeaderValue, ErrorBody> {
    let hash = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(STANDARD.encode(hash)).map_err(|_| Code::Internal.error())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(changes: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::new(Body::empty());
        let usual = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        for (name, value) in usual.iter().chain(changes) {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        request
    }

    #[test]
    fn answers_as_the_standard_shows() {
        let key = check(&request(&[])).expect("a handshake");
        assert_eq!(answer(&key).expect("an answer"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn refuses_what_is_no_handshake() {
        let wrong = [
            ("connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("sec-websocket-version", "8"),
            ("sec-websocket-key", "short"),
            ("sec-websocket-key", "c2hvcnQ="),
        ];
        for change in wrong {
            assert!(check(&request(&[change])).is_err(), "{change:?}");
        }
        let mut post = request(&[]);
        *post.method_mut() = Method::POST;
        assert!(check(&post).is_err());
    }
}
