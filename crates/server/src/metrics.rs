//! Counts for monitoring, in the text format of Prometheus (exposition format 0.0.4). No text, token or address is among
//! them.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use crate::server::Server;

/// What a count is.
#[derive(Clone, Copy)]
enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up.
    Counter,
}

/// All counts of this node.
pub(crate) fn text(server: &Server) -> String {
    use Kind::{Counter, Gauge};
    let presence = server.presence.counts();
    let counts = [
        ("suda_sessions", Gauge, "Live sessions.", server.sessions() as u64),
        (
            "suda_presence_accounts",
            Gauge,
            "Accounts with a session here, or with one that was lost a moment ago.",
            presence.accounts.load(Relaxed) as u64,
        ),
        (
            "suda_presence_watched",
            Gauge,
            "Accounts that a session here watches.",
            presence.watched.load(Relaxed) as u64,
        ),
        (
            "suda_presence_delayed",
            Gauge,
            "Changes that wait because as many were told as may be in a second.",
            presence.delayed.load(Relaxed) as u64,
        ),
        ("suda_presence_bytes", Gauge, "Memory of presence.", presence.bytes.load(Relaxed) as u64),
        (
            "suda_presence_told_total",
            Counter,
            "Changes told, each to one session.",
            presence.told.load(Relaxed),
        ),
        ("suda_presence_frames_total", Counter, "Frames that told them.", presence.frames.load(Relaxed)),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in counts {
        let kind = match kind {
            Gauge => "gauge",
            Counter => "counter",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}
