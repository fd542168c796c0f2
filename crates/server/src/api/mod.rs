//! The API: everything that is asked over HTTP.
//!
//! Stateless: accounts, devices, contacts and groups as REST, and the doors to the gateways. Each topic adds its routes
//! to one list ([`route`]), from which the OpenAPI document ([`openapi`]) is generated.

pub mod accounts;
pub mod admin;
pub mod app;
pub mod auth;
pub mod contacts;
pub mod devices;
pub mod error;
pub mod groups;
pub mod limit;
pub mod login;
pub mod openapi;
pub mod route;
pub mod transport;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use suda_proto::Code;

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

/// The public API as one service.
pub(crate) fn router(server: &Arc<Server>) -> axum::Router {
    let limit = server.settings.limits.frame_bytes as usize;
    routes()
        .router
        .fallback(|| async { ApiError::from(Code::NoSuchRoute) })
        .method_not_allowed_fallback(|| async { ApiError::from(Code::MethodNotAllowed) })
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(Arc::clone(server), cross_origin))
        .with_state(Arc::clone(server))
}

/// Lets pages of allowed origins call the API (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>).
async fn cross_origin(
    axum::extract::State(server): axum::extract::State<Arc<Server>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| {
        let text = origin.to_str().unwrap_or_default();
        server.settings.allowed_origins.iter().any(|one| one == text)
    });
    let Some(origin) = allowed else {
        return next.run(request).await;
    };
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if is_preflight {
        let methods = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let names = HeaderValue::from_static("authorization, content-type");
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}
