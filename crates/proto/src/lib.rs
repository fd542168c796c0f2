//! What travels between clients and servers: ids, requests, replies, events, errors and close codes.
//!
//! Pure data without I/O. Wire types are not stored types: what the server keeps is defined beside the ports in
//! `suda-domain`. The prose reference is `docs/protocol.md`; a checksum of this crate is pinned there, so that the
//! wire cannot change without touching the page that describes it.
//!
//! Reading order: [`ids`], [`entry`], [`request`], [`reply`], [`event`], [`presence`], [`frame`],
//! [`error`], [`close`], [`rest`].

pub mod close;
pub mod entries_text;
pub mod entry;
pub mod error;
pub mod event;
pub mod frame;
pub mod ids;
pub mod limits;
pub mod presence;
pub mod raw;
pub mod reply;
pub mod request;
pub mod rest;

pub use entry::{Entry, Kind, Mention, Mentioned};
pub use error::{Code, ErrorBody};
pub use ids::{AccountId, ClientId, ConversationId, DeviceId, Position};
pub use limits::Limits;
pub use raw::Raw;

/// The version of the wire that this crate speaks; `hello` refuses any other.
pub const PROTOCOL: u32 = 1;
