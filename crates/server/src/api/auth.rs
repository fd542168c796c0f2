//! Who asks: tokens, the addresses behind proxies, bodies and the rates that go with them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use suda_domain::ports::accounts::Status;
use suda_domain::ports::devices::TokenHolder;
use suda_proto::{Code, ErrorBody};

use super::cookie;
use super::error::ApiError;
use crate::gateway::Caller;
use crate::secrets::hash_secret;
use crate::server::{Server, storage};

/// Whom a token belongs to.
///
/// # Errors
/// `unauthenticated` or `account_disabled`.
pub async fn authenticate(server: &Server, token: &str) -> Result<TokenHolder, ErrorBody> {
    let found = server.ports.devices.find_by_token(hash_secret(token)).await.map_err(storage)?;
    let holder = found.ok_or_else(|| Code::Unauthenticated.error())?;
    match holder.status {
        Status::Active => Ok(holder),
        Status::Disabled => Err(Code::AccountDisabled.error()),
        Status::Deleted => Err(Code::Unauthenticated.error()),
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The client's address, seen through trusted proxies.
    pub address: IpAddr,
    /// Whether it is this machine itself, not through a proxy: its rates are not counted.
    pub spared: bool,
}

impl FromRequestParts<Arc<Server>> for Peer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address =
            connected.map_or(IpAddr::from([127, 0, 0, 1]), |connected| connected.0.ip()).to_canonical();
        Ok(peer(address, &parts.headers, &server.settings.trusted_proxies))
    }
}

/// The peer at `address`, or the one that trusted proxies forward for: the rightmost address that is none of them.
fn peer(address: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Peer {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let is_forwarded = !forwarded.is_empty() || headers.contains_key(header::FORWARDED);
    if !trusted.contains(&address) {
        return Peer { address, spared: address.is_loopback() && !is_forwarded };
    }
    let addresses = forwarded.iter().rev().map_while(|text| text.parse::<IpAddr>().ok());
    let client = addresses.map(|address| address.to_canonical()).find(|address| !trusted.contains(address));
    Peer { address: client.unwrap_or(address), spared: false }
}

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// Takes a request only with a device's token, as bearer or in the cookie, within its address's and account's rates.
impl FromRequestParts<Arc<Server>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let peer = Peer::from_request_parts(parts, server).await?;
        if !peer.spared && !server.limiters.address(peer.address) {
            return Err(Code::RateLimited.into());
        }
        let connection = cookie::Connection::from_request_parts(parts, server).await?;
        let in_cookie = cookie::of_call(&parts.headers, connection)?;
        let token = bearer(&parts.headers).or(in_cookie).ok_or(Code::Unauthenticated)?;
        let TokenHolder { device, who_may_see, .. } = authenticate(server, token).await?;
        if !peer.spared && !server.limiters.account(device.account) {
            return Err(Code::RateLimited.into());
        }
        Ok(Self {
            account: device.account,
            device: device.id,
            session: None,
            spared: peer.spared,
            who_may_see,
        })
    }
}

/// Takes a request only with the application key.
pub struct AppCaller;

impl FromRequestParts<Arc<Server>> for AppCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let key = &server.settings.app_key;
        let given = bearer(&parts.headers).unwrap_or_default();
        // Compared by hash, so that the time taken says nothing of the key.
        if key.is_empty() || hash_secret(given) != hash_secret(key) {
            return Err(Code::Unauthenticated.into());
        }
        Ok(Self)
    }
}

/// Takes a stranger's request within its address's rate for logins.
pub struct Knocking;

impl FromRequestParts<Arc<Server>> for Knocking {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let peer = Peer::from_request_parts(parts, server).await?;
        if peer.spared || server.limiters.login(peer.address) {
            Ok(Self)
        } else {
            Err(Code::RateLimited.into())
        }
    }
}

/// A JSON body, its faults told by code.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<Server>> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, server: &Arc<Server>) -> Result<Self, ApiError> {
        let bytes = Bytes::from_request(request, server).await.map_err(|_| Code::FrameTooLarge)?;
        if std::str::from_utf8(&bytes).is_err() {
            return Err(Code::NotUtf8.into());
        }
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Code::BadRequest.because(&error.to_string()).into())
    }
}

/// The parts of a path, their faults told by code.
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Server>> for InPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, server).await;
        path.map(|Path(path)| Self(path)).map_err(|error| Code::BadRequest.because(&error.body_text()).into())
    }
}

/// The parameters of a query, their faults told by code.
pub struct InQuery<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Server>> for InQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, ApiError> {
        let query = Query::<T>::from_request_parts(parts, server).await;
        query
            .map(|Query(query)| Self(query))
            .map_err(|error| Code::BadRequest.because(&error.body_text()).into())
    }
}

/// Whether a page of this origin may connect: the server's own, an allowed one, or no page at all.
pub fn is_origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let own = origin_host(headers).is_some_and(|(place, host)| place.eq_ignore_ascii_case(host));
    own || allowed.iter().any(|one| one.as_bytes() == origin.as_bytes())
}

/// Where a request's page comes from and where it asks, both as host and port; `None` where either is not told.
pub fn origin_host(headers: &HeaderMap) -> Option<(&str, &str)> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (_, place) = text(header::ORIGIN)?.split_once("://")?;
    Some((place, text(header::HOST)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a header"));
        headers
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxy: IpAddr = [10, 0, 0, 1].into();
        let forged = headers("x-forwarded-for", "127.0.0.1, 203.0.113.9");
        let seen = peer(proxy, &forged, &[proxy]);
        assert_eq!((seen.address, seen.spared), ([203, 0, 113, 9].into(), false));
        assert_eq!(peer([192, 0, 2, 1].into(), &forged, &[proxy]).address, IpAddr::from([192, 0, 2, 1]));
    }

    #[test]
    fn loopback_is_spared_unless_something_was_forwarded() {
        let loopback: IpAddr = [127, 0, 0, 1].into();
        assert!(peer(loopback, &HeaderMap::new(), &[]).spared);
        assert!(!peer(loopback, &headers("x-forwarded-for", "203.0.113.9"), &[]).spared);
        assert!(!peer([192, 0, 2, 1].into(), &HeaderMap::new(), &[]).spared);
    }

    #[test]
    fn origins_are_the_own_or_allowed() {
        let mut own = headers("origin", "https://chat.example");
        own.insert("host", "chat.example".parse().expect("a header"));
        assert!(is_origin_allowed(&own, &[]));
        own.insert("host", "other.example".parse().expect("a header"));
        assert!(!is_origin_allowed(&own, &[]));
        assert!(is_origin_allowed(&own, &["https://chat.example".to_owned()]));
        assert!(is_origin_allowed(&HeaderMap::new(), &[]));
    }
}
