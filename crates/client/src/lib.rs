//! The Rust SDK of Suda: a [`Client`] with cache, outbox and reconnection, and a bare [`connection`] for tools.
//!
//! Reading order: [`model`] and [`event`] for what an app sees, [`Client`] for what it can do; inside, `ranges`,
//! `standing`, `conversation`, `outbox`, `sync`, `attendance` and `typing` decide without clock or I/O, `cache` keeps, `rest` and
//! [`connection`] carry, and `engine` is the one task that ties them together.
//!
//! The API is fit for bindings: owned types, no lifetimes, no generics.

pub mod connection;
pub mod error;
pub mod event;
pub mod model;

mod attendance;
mod backoff;
mod cache;
mod client;
mod conversation;
#[cfg(test)]
mod corpus;
mod engine;
mod outbox;
mod ranges;
mod rest;
mod standing;
mod sync;
mod typing;
mod view;

pub use client::{Client, SignedUp};
pub use error::{CacheError, ClientError, ConnectionError};
pub use event::{ClientEvent, ConnectionState, EventStream};
pub use model::{
    Anchor, CacheLocation, ConversationPresence, ConversationSummary, Message, MessageContent, MessageList,
    MessageState, Mute,
};
pub use suda_proto as proto;
