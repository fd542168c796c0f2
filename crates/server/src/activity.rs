//! When devices and accounts were seen last: noted in memory, stored together now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use suda_domain::ports::activity::Activity;
use suda_proto::{AccountId, DeviceId};
use tokio::time::MissedTickBehavior;

use crate::server::Server;

/// How often it is stored who came and who went.
const EVERY: Duration = Duration::from_secs(2);

/// After so many times it is also stored when devices were seen.
const TIMES_PER_DEVICES: u32 = 10;

/// After so many times the gateway says that it is alive.
const TIMES_PER_SIGN: u32 = 30;

/// Gateways that have not been alive for so long are forgotten, in milliseconds.
const FORGOTTEN_MS: u64 = 3_600_000;

/// Most rows stored in one transaction.
const AT_ONCE: usize = 500;

/// What was noted since it was stored last: no more devices and accounts than had sessions meanwhile.
#[derive(Default)]
pub(crate) struct Noted {
    devices: Mutex<HashMap<DeviceId, u64>>,
    accounts: Mutex<HashMap<AccountId, Activity>>,
}

impl Noted {
    /// Notes that a device was seen at `now`, milliseconds since 1970.
    pub fn seen(&self, device: DeviceId, now: u64) {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner).insert(device, now);
    }

    /// Notes who came and who went.
    pub fn note(&self, changes: Vec<(AccountId, Activity)>) {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner).extend(changes);
    }

    /// When somebody was last looking, of an account of which that is not stored yet.
    pub fn last_active(&self, account: AccountId) -> Option<u64> {
        match self.accounts.lock().unwrap_or_else(PoisonError::into_inner).get(&account)? {
            Activity::Offline { at } => Some(*at),
            Activity::Online { .. } => None,
        }
    }

    fn take_devices(&self) -> Vec<(DeviceId, u64)> {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *devices).into_iter().collect()
    }

    fn take_accounts(&self) -> Vec<(AccountId, Activity)> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *accounts).into_iter().collect()
    }
}

/// Stores what was noted, until the server goes down and once more then. A failure costs only an older "last active".
pub(crate) async fn store(server: Arc<Server>) {
    let mut times = 0;
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_last = tokio::select! {
            () = server.drained() => true,
            _ = ticks.tick() => false,
        };
        store_accounts(&server).await;
        if is_last || times % TIMES_PER_DEVICES == 0 {
            store_devices(&server).await;
        }
        if is_last || times % TIMES_PER_SIGN == 0 {
            give_sign(&server).await;
        }
        if is_last {
            return;
        }
        times += 1;
    }
}

async fn store_accounts(server: &Server) {
    for changes in server.noted.take_accounts().chunks(AT_ONCE) {
        if let Err(failure) = server.ports.activity.store(changes).await {
            tracing::warn!(%failure, "noting when accounts were active failed");
        }
    }
}

async fn store_devices(server: &Server) {
    for seen in server.noted.take_devices().chunks(AT_ONCE) {
        if let Err(failure) = server.ports.devices.touch(seen).await {
            tracing::warn!(%failure, "noting when devices were seen failed");
        }
    }
}

/// Says that this gateway is alive, and forgets those that have not been for long.
async fn give_sign(server: &Server) {
    let now = server.clock.now();
    let activities = &server.ports.activity;
    let given = activities.alive(server.gateway, now).await;
    let forgotten = activities.forget(now.saturating_sub(FORGOTTEN_MS)).await;
    if let Err(failure) = given.and(forgotten) {
        tracing::warn!(%failure, "noting that this gateway is alive failed");
    }
}
