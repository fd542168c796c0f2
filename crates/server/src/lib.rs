//! Chat running, over ports only: hosts, sessions, gateways and the API.
//!
//! Reading order: [`session`], [`host`], then [`gateway`] and [`api`], which are put together in [`server`].

mod activity;
pub mod api;
pub mod clock;
pub mod gateway;
pub mod host;
mod jobs;
mod metrics;
pub mod presence;
pub mod secrets;
pub mod server;
pub mod session;
pub mod settings;

pub use server::{Server, Setup, SetupError};
