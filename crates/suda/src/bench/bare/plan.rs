//! What the bare relay is told first: one line of JSON.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BarePlan {
    /// The folder for its file; without one nothing is stored or acknowledged, and frames are passed on as they are.
    pub folder: Option<PathBuf>,
    /// Who hears whom.
    pub circles: Circles,
    /// Bytes of the answer to hello; at least as many as it needs.
    pub greeting_bytes: usize,
    /// Bytes of the answer to whatever is asked beside sends, marks and typing.
    pub reply_bytes: usize,
    /// Every connection is pinged once in so many seconds; 0: never.
    pub heartbeat_seconds: u32,
}

/// Which connections, by their numbers, are one conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Circles {
    /// So many neighbours each.
    Even(u32),
    /// Those that are named; a connection may be in several.
    Named(Vec<Circle>),
}

/// One conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Circle {
    /// The id that sends name.
    pub conversation: String,
    /// The numbers of its connections.
    pub numbers: Vec<u32>,
}

impl BarePlan {
    /// A relay for as many neighbours each that stores in a folder.
    pub const fn even(folder: Option<PathBuf>, members: u32) -> Self {
        let circles = Circles::Even(members);
        Self { folder, circles, greeting_bytes: 0, reply_bytes: 0, heartbeat_seconds: 0 }
    }

    /// The token of the connection with this number, as long as the server's.
    pub fn token(number: u32) -> String {
        format!("{number:043}")
    }
}
