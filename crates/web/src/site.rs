//! The files of the client, and which of them answers a request.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use crate::encoding::{Encoding, preferred};
use crate::policy;

/// The client's page.
const INDEX: &str = "/index.html";

/// The folder of files whose name changes with their content.
const HASHED: &str = "/assets/";

/// For a year, and never asked for again.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Kept, but asked for before each use.
const ASK: &str = "no-cache";

/// A file, as the build script embeds it.
pub struct File {
    /// Its path on the server: `/assets/app-1a2b.js`.
    pub path: &'static str,
    /// Tells its versions apart.
    pub version: &'static str,
    /// Its content.
    pub plain: &'static [u8],
    /// The same, compressed with gzip.
    pub gzip: Option<&'static [u8]>,
    /// The same, compressed with brotli.
    pub brotli: Option<&'static [u8]>,
}

/// All files.
pub struct Site {
    /// Whether they are the client, not a page that says why there is none.
    pub is_built: bool,
    /// The files.
    pub files: &'static [File],
}

impl Site {
    /// Answers a request.
    pub fn answer(&self, request: &Request) -> Response {
        let (method, headers) = (request.method(), request.headers());
        if method != Method::GET && method != Method::HEAD {
            let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD"))];
            return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
        }
        let Some(file) = self.find(request.uri().path(), headers) else {
            return (StatusCode::NOT_FOUND, "There is nothing at this path.\n").into_response();
        };
        let mut response = self.serve(file, headers);
        policy::apply(response.headers_mut(), file.path, headers);
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    /// The file at a path; the page for the paths of the client's own views, where a page is wanted.
    fn find(&self, path: &str, headers: &HeaderMap) -> Option<&'static File> {
        let at = |path: &str| self.files.iter().find(|file| file.path == path);
        let wants_page = || headers.get_all(header::ACCEPT).iter().any(names_html);
        match path {
            "/" => at(INDEX),
            _ => at(path).or_else(|| at(INDEX).filter(|_| !path.contains('.') && wants_page())),
        }
    }

    fn serve(&self, file: &'static File, asked: &HeaderMap) -> Response {
        let (content, encoding) = match preferred(asked, file.brotli.is_some(), file.gzip.is_some()) {
            Encoding::Brotli => (file.brotli, Some("br")),
            Encoding::Gzip => (file.gzip, Some("gzip")),
            Encoding::Plain => (None, None),
        };
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        let keep = if file.path.starts_with(HASHED) { FOR_EVER } else { ASK };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        // Each encoding is a representation of its own (RFC 9110, section 8.8.3.3).
        let tag = format!("\"{}-{}\"", file.version, encoding.unwrap_or("plain"));
        let is_known = asked.get_all(header::IF_NONE_MATCH).iter().any(|known| lists(known, &tag));
        headers.insert(header::ETAG, HeaderValue::try_from(tag).expect("versions are hexadecimal"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(file.path)));
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let content = content.unwrap_or(file.plain);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
        *response.body_mut() = Body::from(content);
        if !self.is_built && file.path == INDEX {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        response
    }
}

fn names_html(accept: &HeaderValue) -> bool {
    accept.to_str().is_ok_and(|accept| accept.contains("text/html"))
}

/// Whether an `If-None-Match` names this version; how strong the match is does not matter there.
fn lists(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else {
        return false;
    };
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
