//! What browsers are told about the pages: where scripts come from, what they may do, and who may load what.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// The file that app teams load into their own sites.
const WIDGET: &str = "/widget.js";

/// The folder of what it loads itself.
const PARTS: &str = "/assets/widget/";

/// Nothing from elsewhere, nothing inline, no HTML made from texts except by the one policy of the framework; the other two
/// start workers: the SDK's shared one, and the one that lets the client start without a network.
const CONTENT: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types svelte-trusted-html suda-client suda-scripts";

/// What the client has no use of.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
    fullscreen=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), midi=(), \
    payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), \
    xr-spatial-tracking=()";

/// Sets the headers of the file at `path`.
pub fn apply(headers: &mut HeaderMap, path: &str, asked: &HeaderMap) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, content(asked));
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    let is_widget = path == WIDGET || path.starts_with(PARTS);
    let reach = if is_widget { "cross-origin" } else { "same-origin" };
    headers.insert(resource, HeaderValue::from_static(reach));
    if is_widget {
        // Anybody may read these scripts. On pages of origins that the API refuses they say so.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

/// The content policy. Old versions of Safari do not count WebSockets of the own host as `'self'`.
fn content(asked: &HeaderMap) -> HeaderValue {
    let host = asked.get(header::HOST).and_then(|host| host.to_str().ok()).filter(|host| is_host(host));
    let sockets = host.map_or_else(String::new, |host| format!(" ws://{host} wss://{host}"));
    HeaderValue::try_from(format!("{CONTENT}; connect-src 'self'{sockets}"))
        .unwrap_or_else(|_| HeaderValue::from_static(CONTENT))
}

/// Whether a text can be nothing but a host and a port: it must not add anything to the policy.
fn is_host(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    (1..=255).contains(&text.len()) && text.bytes().all(is_part)
}
