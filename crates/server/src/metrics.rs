//! Counts for monitoring, in the text format of Prometheus (exposition format 0.0.4). No text, token or address is among
//! them.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use crate::server::Server;

/// Whether a count only goes up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

/// A count.
pub(crate) struct Count {
    /// Its name, without the product's in front.
    pub name: &'static str,
    kind: Kind,
    help: &'static str,
    /// What it is now.
    pub value: u64,
}

/// All counts of this node.
pub(crate) fn counts(server: &Server) -> [Count; 7] {
    use Kind::{Counter, Gauge};
    let presence = server.presence.counts();
    let count = |name, kind, help, value| Count { name, kind, help, value };
    [
        count("sessions", Gauge, "Live sessions.", server.sessions() as u64),
        count(
            "presence_accounts",
            Gauge,
            "Accounts with a session here, or with one that was lost a moment ago.",
            presence.accounts.load(Relaxed) as u64,
        ),
        count(
            "presence_watched",
            Gauge,
            "Accounts that a session here watches.",
            presence.watched.load(Relaxed) as u64,
        ),
        count(
            "presence_delayed",
            Gauge,
            "Changes that wait because as many were told as may be in a second.",
            presence.delayed.load(Relaxed) as u64,
        ),
        count("presence_bytes", Gauge, "Memory of presence.", presence.bytes.load(Relaxed) as u64),
        count(
            "presence_told_total",
            Counter,
            "Changes told, each to one session.",
            presence.told.load(Relaxed),
        ),
        count("presence_frames_total", Counter, "Frames that told them.", presence.frames.load(Relaxed)),
    ]
}

/// All of them as text.
pub(crate) fn text(server: &Server) -> String {
    let mut text = String::new();
    for Count { name, kind, help, value } in counts(server) {
        let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
        let name = format!("suda_{name}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}
