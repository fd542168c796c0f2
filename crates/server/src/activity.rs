//! When devices were seen last: noted in memory, stored together now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use suda_proto::DeviceId;

use crate::server::Server;

/// How often it is stored.
const EVERY: Duration = Duration::from_secs(20);

/// Most devices stored in one transaction.
const AT_ONCE: usize = 500;

/// Devices that were seen since it was stored last; no more than had sessions meanwhile.
#[derive(Default)]
pub(crate) struct Activity {
    seen: Mutex<HashMap<DeviceId, u64>>,
}

impl Activity {
    /// Notes that a device was seen at `now`, milliseconds since 1970.
    pub fn note(&self, device: DeviceId, now: u64) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(device, now);
    }

    fn take(&self) -> Vec<(DeviceId, u64)> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen).into_iter().collect()
    }
}

/// Stores what was noted, until the server goes down and once more then. A failure costs only an older "last active".
pub(crate) async fn store(server: Arc<Server>) {
    let mut is_last = false;
    while !is_last {
        is_last = tokio::time::timeout(EVERY, server.drained()).await.is_ok();
        for seen in server.activity.take().chunks(AT_ONCE) {
            if let Err(failure) = server.ports.devices.touch(seen).await {
                tracing::warn!(%failure, "noting when devices were seen failed");
            }
        }
    }
}
