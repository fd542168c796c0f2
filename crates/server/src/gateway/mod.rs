//! Gateways: requests in, replies and events out, the same over every transport.
//!
//! [`requests`] answers a request; [`websocket`] and [`polling`] carry requests and events; [`window`] and [`history`]
//! put together what a device reads.

pub mod history;
pub mod polling;
pub mod requests;
pub mod resume;
pub mod websocket;
pub mod window;

use std::sync::Arc;

use suda_proto::{AccountId, DeviceId};

use crate::session::Session;

/// Who asks.
#[derive(Clone)]
pub struct Caller {
    /// The account.
    pub account: AccountId,
    /// The device.
    pub device: DeviceId,
    /// The session that asked; absent for single HTTP requests.
    pub session: Option<Arc<Session>>,
    /// Whether rates are not counted: it comes from this machine and not through a proxy.
    pub spared: bool,
}
