//! Errors as HTTP answers: the code's status, and the same body as on the other transports.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use suda_proto::{Code, ErrorBody};

/// An error that a handler answers with.
#[derive(Debug)]
pub struct ApiError(pub ErrorBody);

/// What a handler answers.
pub type ApiResult<T> = Result<Json<T>, ApiError>;

impl<T: Into<ErrorBody>> From<T> for ApiError {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a ErrorBody,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.0.known().map_or(500, Code::status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(Body { error: &self.0 })).into_response();
        if let Some(after) = self.0.retry_after_ms {
            let seconds = after.div_ceil(1_000);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
