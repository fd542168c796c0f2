//! The web client, served from memory: built with npm by the build script, compressed, with a strict content policy.
//!
//! [`pages`] is what the binary mounts behind the API. A path without a file and without a dot is one of the client's own
//! views, and gets its page.

mod encoding;
mod policy;
mod site;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;

use site::{File, Site};

/// What the build script made.
static SITE: Site = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Whether the client could be built; otherwise its pages say what is missing.
pub const fn is_built() -> bool {
    SITE.is_built
}

/// The pages. Scripts of `allowed_origins` (such as `https://app.example`) may load the widget.
pub fn pages(allowed_origins: Vec<String>) -> Router {
    let allowed_origins: Arc<[String]> = allowed_origins.into();
    Router::new().fallback(move |request: Request| async move { SITE.answer(&request, &allowed_origins) })
}
