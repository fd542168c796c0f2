//! The API: everything that is asked over HTTP.
//!
//! Stateless: accounts, devices, contacts and groups as REST, and the doors to the gateways. Each topic adds its routes
//! to one list ([`route`]), from which the OpenAPI document ([`openapi`]) is generated.

pub mod accounts;
pub mod admin;
pub mod app;
pub mod auth;
pub mod contacts;
pub mod cookie;
pub mod devices;
pub mod error;
pub mod groups;
pub mod limit;
pub mod login;
pub mod openapi;
pub mod route;
pub mod transport;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use suda_proto::Code;
use tower::ServiceExt;

use crate::server::Server;
use error::ApiError;
use route::Routes;

/// Every route of the public API.
pub fn routes() -> Routes {
    let routes = login::routes(Routes::default());
    let routes = accounts::routes(routes);
    let routes = devices::routes(routes);
    let routes = contacts::routes(routes);
    let routes = groups::routes(routes);
    let routes = app::routes(routes);
    transport::routes(routes)
}

/// The public API as one service. Whatever is not under `/v1` is left to `pages`.
pub(crate) fn router(server: &Arc<Server>, pages: Option<axum::Router>) -> axum::Router {
    let limit = server.settings.limits.frame_bytes as usize;
    let api = routes()
        .router
        .method_not_allowed_fallback(|| async { ApiError::from(Code::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(Arc::clone(server), cross_origin))
        .with_state(Arc::clone(server));
    // Behind the layers: pages have an origin policy of their own.
    api.fallback(move |request: Request| elsewhere(pages.clone(), request))
}

/// Answers what no route of the API does.
async fn elsewhere(pages: Option<axum::Router>, request: Request) -> Response {
    let path = request.uri().path();
    let is_api = path == "/v1" || path.starts_with("/v1/");
    match pages.filter(|_| !is_api) {
        Some(pages) => pages.oneshot(request).await.into_response(),
        None => ApiError::from(Code::NoSuchRoute).into_response(),
    }
}

/// Lets pages of the server's own and of allowed origins call the API, and no others (CORS,
/// <https://fetch.spec.whatwg.org/#http-cors-protocol>). Allowed origins send tokens, never cookies.
async fn cross_origin(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    if !auth::is_origin_allowed(request.headers(), &server.settings.allowed_origins) {
        return ApiError::from(Code::OriginRefused).into_response();
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_allowed = |origin: &HeaderValue| {
        server.settings.allowed_origins.iter().any(|one| one.as_bytes() == origin.as_bytes())
    };
    let foreign = origin.filter(is_allowed);
    let is_preflight = foreign.is_some() && request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    // What the API says is about now and about one account.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(origin) = foreign {
        permit(headers, origin, is_preflight);
    }
    response
}

/// Tells a browser what pages of an allowed origin may do.
fn permit(headers: &mut HeaderMap, origin: HeaderValue, is_preflight: bool) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}
