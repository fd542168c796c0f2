//! What can be asked on the admin socket: the server's routes, and those that need storage itself.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::json;
use suda_embedded::store::Store;
use suda_server::Server;

/// All of it. Asks for no credentials.
pub fn routes(server: &Arc<Server>, store: Arc<Store>) -> Router {
    let _=store;
    server.admin_router()
}

