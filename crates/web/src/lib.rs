//! The web client, served from memory: built with npm by the build script, compressed, with a strict content policy.
//!
//! [`pages`] is what the binary mounts behind the API. A path without a file and without a dot is one of the client's own
//! views, and gets its page.

mod encoding;
mod policy;
mod site;

use axum::Router;
use axum::extract::Request;

use site::{File, Site};

/// What the build script made.
static SITE: Site = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Whether the client could be built; otherwise its pages say what is missing.
pub const fn is_built() -> bool {
    SITE.is_built
}

/// The pages. The widget's scripts may be loaded by pages of any origin; what they may do there, the API says.
pub fn pages() -> Router {
    Router::new().fallback(|request: Request| async move { SITE.answer(&request) })
}
