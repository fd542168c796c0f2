//! The doors to the gateways: WebSocket, long polling, single requests, service discovery, health.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use suda_proto::event::Synced;
use suda_proto::frame::{OutgoingRequest, RequestFrame, error_text, reply_text};
use suda_proto::rest::{Gateway, Gateways, Health};
use suda_proto::{Code, ErrorBody};

use super::auth::{InQuery, Peer};
use super::cookie;
use super::error::{ApiError, ApiResult};
use super::route::{Access, Route, Routes};
use crate::gateway::polling::{self, SyncQuery};
use crate::gateway::{Caller, requests, websocket};
use crate::server::Server;

pub(super) fn routes(routes: Routes) -> Routes {
    let device = |method, path, summary| Route::new(method, path, Access::Device, summary);
    let anybody = |path, summary| Route::new(Method::GET, path, Access::Anybody, summary);
    routes
        .add(anybody("/v1/ws", "The WebSocket; the first frame is `hello`."), upgrade)
        .add(
            device(Method::GET, "/v1/sync", "Events since a cursor: long polling and polling.")
                .asks::<SyncQuery>()
                .gives::<Synced>(),
            sync,
        )
        .add(
            device(
                Method::POST,
                "/v1/requests",
                "One request as over the WebSocket; the reply is its reply frame.",
            )
            .takes::<OutgoingRequest>(),
            request,
        )
        .add(anybody("/v1/gateways", "Where to connect, best first.").gives::<Gateways>(), gateways)
        .add(anybody("/v1/health", "Whether the server serves.").gives::<Health>(), health)
        .add(anybody("/v1/openapi.json", "This document."), super::openapi::serve)
}

async fn upgrade(
    State(server): State<Arc<Server>>,
    peer: Peer,
    connection: cookie::Connection,
    mut request: Request,
) -> Result<Response, ApiError> {
    if server.is_draining() {
        return Err(Code::Draining.into());
    }
    if !peer.spared && !server.limiters.address(peer.address) {
        return Err(Code::RateLimited.into());
    }
    let (mut response, upgraded) = websocket::handshake::accept(&mut request)?;
    let token = cookie::of_handshake(request.headers(), connection).map(str::to_owned);
    if token.is_some() {
        response.headers_mut().insert(header::SET_COOKIE, connection.set_cookie(token.as_deref()));
    }
    let origin = websocket::Origin { spared: peer.spared, token };
    tokio::spawn(websocket::serve(server, upgraded, origin));
    Ok(response)
}

async fn sync(
    State(server): State<Arc<Server>>,
    caller: Caller,
    InQuery(query): InQuery<SyncQuery>,
) -> ApiResult<Synced> {
    Ok(Json(polling::sync(&server, &caller, query).await?))
}

async fn request(
    State(server): State<Arc<Server>>,
    caller: Caller,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let answer = |id: Option<u64>, error: &ErrorBody| {
        let status = error.known().map_or(500, Code::status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/json")], error_text(id, error)).into_response()
    };
    let Ok(body) = body else {
        return answer(None, &Code::FrameTooLarge.error());
    };
    let Ok(text) = std::str::from_utf8(&body) else {
        return answer(None, &Code::NotUtf8.error());
    };
    let frame = match RequestFrame::read(text) {
        Ok(frame) => frame,
        Err(error) => return answer(None, &error),
    };
    let request = match frame.request() {
        Ok(request) => request,
        Err(error) => return answer(Some(frame.id), &error),
    };
    match requests::answer(&server, &caller, request).await {
        Ok(reply) => {
            ([(header::CONTENT_TYPE, "application/json")], reply_text(frame.id, &reply)).into_response()
        }
        Err(error) => answer(Some(frame.id), &error),
    }
}

async fn gateways() -> ApiResult<Gateways> {
    // One process: wherever the client asked is where it connects.
    let here = Gateway { url: String::new(), zone: String::new() };
    Ok(Json(Gateways { gateways: vec![here] }))
}

async fn health(State(server): State<Arc<Server>>) -> Response {
    let draining = server.is_draining();
    let status = if draining { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let health = Health {
        status: if draining { "draining" } else { "ok" }.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (status, Json(health)).into_response()
}
