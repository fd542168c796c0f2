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

use suda_proto::rest::Audience;
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
    /// Who might see the account when its token was checked.
    pub who_may_see: Audience,
}

impl Caller {
    /// Who may see when the account is there or types, and how far it has read.
    pub fn who_may_see(&self) -> Audience {
        self.session.as_ref().map_or(self.who_may_see, |session| session.who_may_see())
    }
}
