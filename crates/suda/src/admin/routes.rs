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
    let backup = Router::new().route("/backup", post(backup)).with_state(store);
    server.admin_router().merge(backup)
}

/// Body of `POST /backup`.
#[derive(Deserialize, Serialize)]
pub struct BackupRequest {
    /// The folder to make: an absolute path.
    pub to: PathBuf,
}

async fn backup(State(store): State<Arc<Store>>, Json(request): Json<BackupRequest>) -> Response {
    match store.backup(&request.to).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => {
            tracing::error!("a backup failed: {error}");
            let error = json!({ "error": { "code": "backup_failed", "message": error.to_string() } });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
        }
    }
}
