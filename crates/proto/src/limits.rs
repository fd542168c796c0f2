//! The limits that a server states in its `hello` reply.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every limit is a setting of the server; beyond it a request is refused with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Largest text of a message, in bytes of UTF-8.
    pub text_bytes: u32,
    /// Largest frame or request body, in bytes.
    pub frame_bytes: u32,
    /// Largest opaque `data`, in bytes of JSON.
    pub data_bytes: u32,
    /// Most members of a group.
    pub members: u32,
    /// Most conversations of an account.
    pub conversations: u32,
    /// Most devices of an account.
    pub devices: u32,
    /// Most mentions in a message.
    pub mentions: u32,
    /// Most entries of a page.
    pub page_entries: u32,
    /// Most rows of a window.
    pub window_rows: u32,
    /// How far back a send's `base` may lie before `stale_base`.
    pub base_entries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            frame_bytes: 64 * 1024,
            data_bytes: 2 * 1024,
            members: 100,
            conversations: 4_000,
            devices: 20,
            mentions: 100,
            page_entries: 200,
            window_rows: 200,
            base_entries: 4_096,
        }
    }
}
