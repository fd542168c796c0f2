//! Log-in by cookie, for the server's own pages: a token that no script can read.
//!
//! A cookie travels with requests that other sites cause, too. So it counts only beside the header `Suda-Session: cookie`,
//! which pages of other origins cannot send, and never for a page of another origin; a WebSocket, which has no such header,
//! needs the own origin.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use suda_proto::Code;
use suda_proto::rest::LoggedIn;

use super::auth::origin_host;
use super::error::ApiError;
use crate::server::Server;

/// The header by which a page says that it uses the cookie; its value is [`BY_COOKIE`].
pub const SESSION: HeaderName = HeaderName::from_static("suda-session");

/// The value of [`SESSION`].
pub const BY_COOKIE: &str = "cookie";

/// The cookie's name where the connection is not known to be secure.
const NAME: &str = "suda";

/// Its name over TLS. Browsers take this prefix only from the host itself, so that a page of a sibling host cannot plant a
/// login of its own for a whole domain.
const SECURE_NAME: &str = "__Host-suda";

/// For how long a browser keeps the cookie, in seconds: 400 days, the most that browsers grant. Each WebSocket renews it.
const KEEP_SECONDS: u32 = 400 * 24 * 60 * 60;

/// Whether a request's page asks for the cookie or brings it.
pub fn is_asked(headers: &HeaderMap) -> bool {
    headers.get(&SESSION).is_some_and(|value| value == BY_COOKIE)
}

/// Tokens are base64 without padding; nothing else is taken from a cookie, or written into one.
fn is_token(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The token that a REST call brings in its cookie; `None` where it does not ask for that.
///
/// # Errors
/// `origin_refused` for a page that is not the server's own.
pub fn of_call(headers: &HeaderMap, connection: Connection) -> Result<Option<&str>, Code> {
    if !is_asked(headers) {
        return Ok(None);
    }
    match connection.is_own_page(headers) {
        Some(false) => Err(Code::OriginRefused),
        Some(true) | None => Ok(connection.token(headers)),
    }
}

/// The token that a WebSocket's handshake brings in its cookie; only from the server's own pages.
pub fn of_handshake(headers: &HeaderMap, connection: Connection) -> Option<&str> {
    connection.token(headers).filter(|_| connection.is_own_page(headers) == Some(true))
}

/// How a request reached the server.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Whether it is known to have come over TLS, here or at a trusted proxy.
    is_secure: bool,
}

impl Connection {
    /// What the cookie is called here; no other name counts.
    fn cookie_name(self) -> &'static str {
        if self.is_secure { SECURE_NAME } else { NAME }
    }

    /// The token in the cookie, if there is one.
    fn token(self, headers: &HeaderMap) -> Option<&str> {
        let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let cookie = pairs.find(|(name, _)| *name == self.cookie_name());
        cookie.map(|(_, token)| token).filter(|token| is_token(token))
    }

    /// Whether the request's page is the server's own; `None` where it names no origin.
    fn is_own_page(self, headers: &HeaderMap) -> Option<bool> {
        let origin = headers.get(header::ORIGIN)?;
        let scheme =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(scheme, _)| scheme);
        let fits = !self.is_secure || scheme == Some("https");
        Some(fits && origin_host(headers).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host)))
    }

    /// The header that hands a token to the browser, or takes it back (`None`).
    pub fn set_cookie(self, token: Option<&str>) -> HeaderValue {
        let (token, seconds) = token.map_or(("", 0), |token| (token, KEEP_SECONDS));
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = self.cookie_name();
        let cookie = format!("{name}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}");
        HeaderValue::try_from(cookie).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl FromRequestParts<Arc<Server>> for Connection {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = connected.map(|connected| connected.0.ip().to_canonical());
        let is_trusted =
            address.is_some_and(|address: IpAddr| server.settings.trusted_proxies.contains(&address));
        let forwarded = parts.headers.get("x-forwarded-proto").filter(|_| is_trusted);
        Ok(Self { is_secure: server.settings.tls || forwarded.is_some_and(|scheme| scheme == "https") })
    }
}

/// Where a log-in's token goes: into the reply, or into a cookie.
pub struct Handover(Option<Connection>);

impl FromRequestParts<Arc<Server>> for Handover {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let connection = Connection::from_request_parts(parts, server).await?;
        of_call(&parts.headers, connection)?;
        Ok(Self(is_asked(&parts.headers).then_some(connection)))
    }
}

impl Handover {
    /// The reply to a log-in.
    pub fn reply(&self, logged_in: LoggedIn) -> Response {
        let Some(connection) = self.0 else {
            return Json(logged_in).into_response();
        };
        let cookie = connection.set_cookie(logged_in.token.as_deref());
        ([(header::SET_COOKIE, cookie)], Json(LoggedIn { token: None, ..logged_in })).into_response()
    }

    /// The reply to whatever ends the device's log-in; the cookie goes also where the token was void already.
    pub fn farewell(&self, reply: impl IntoResponse) -> Response {
        let mut response = reply.into_response();
        if let Some(connection) = self.0 {
            response.headers_mut().insert(header::SET_COOKIE, connection.set_cookie(None));
        }
        response
    }
}
