//! The Rust SDK of Suda.
#![allow(dead_code)]

pub mod connection;
pub mod error;
pub mod event;
pub mod model;
mod backoff;
mod cache;
mod rest;
mod conversation;
mod outbox;
mod ranges;
mod standing;
mod sync;
pub use suda_proto as proto;
