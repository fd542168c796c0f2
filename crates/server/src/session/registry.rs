//! The sessions of this node, by account: where fan-out looks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use suda_proto::close::Close;
use suda_proto::{AccountId, DeviceId};
use tokio::sync::Notify;

use super::{QueueLimits, Session};
use crate::presence::{Parting, Presence};

const SHARDS: usize = 64;

type ByAccount = HashMap<AccountId, Vec<Arc<Session>>, RandomState>;

type Shard = Mutex<ByAccount>;

/// A session that is forgotten when its connection ends, however it ends.
pub struct Opened {
    registry: Arc<Registry>,
    /// The session.
    pub session: Arc<Session>,
    /// How its connection ends; until that is known, as one that breaks now.
    pub parting: Parting,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.session.close(Close::Silent);
        self.registry.forget(&self.session);
        self.registry.presence.ended(&self.session, self.parting);
    }
}

/// Every session of this node.
pub struct Registry {
    shards: Vec<Shard>,
    next: AtomicU64,
    count: AtomicUsize,
    revocations: AtomicU64,
    emptied: Notify,
    queue: QueueLimits,
    most: usize,
    most_of_device: usize,
    presence: Presence,
}

impl Registry {
    /// A registry of at most `most` sessions, `most_of_device` of them of one device; `presence` hears of them.
    pub fn new(queue: QueueLimits, most: usize, most_of_device: usize, presence: Presence) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            next: AtomicU64::new(1),
            count: AtomicUsize::new(0),
            revocations: AtomicU64::new(0),
            emptied: Notify::new(),
            queue,
            most,
            most_of_device,
            presence,
        }
    }

    /// Opens a session; `None` where there is no room. The device's oldest session makes room for its newest.
    pub fn open(self: &Arc<Self>, account: AccountId, device: DeviceId, foreground: bool) -> Option<Opened> {
        if self.presence.is_behind() {
            return None;
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(Session::new(id, account, device, foreground, self.queue));
        let mut shard = self.shard(account);
        let sessions = shard.entry(account).or_default();
        let mut of_device = sessions.iter().filter(|session| session.device == device);
        if of_device.clone().count() >= self.most_of_device
            && let Some(oldest) = of_device.next()
        {
            oldest.close(Close::Replaced);
        }
        sessions.push(Arc::clone(&session));
        drop(shard);
        self.presence.opened(&session);
        Some(Opened { registry: Arc::clone(self), session, parting: Parting::Lost { silent_ms: 0 } })
    }

    fn forget(&self, session: &Session) {
        let mut shard = self.shard(session.account);
        if let Some(sessions) = shard.get_mut(&session.account) {
            let before = sessions.len();
            sessions.retain(|other| other.id != session.id);
            let gone = before - sessions.len();
            if sessions.is_empty() {
                shard.remove(&session.account);
            }
            drop(shard);
            if gone > 0 && self.count.fetch_sub(gone, Ordering::Relaxed) == gone {
                self.emptied.notify_waiters();
            }
        }
    }

    /// Calls `each` with every session of the account.
    pub fn each(&self, account: AccountId, mut each: impl FnMut(&Arc<Session>)) {
        if let Some(sessions) = self.shard(account).get(&account) {
            sessions.iter().for_each(&mut each);
        }
    }

    /// Closes the sessions of one device of the account, or of all where `device` is absent.
    ///
    /// To be called once the revocation is stored. It is counted before sessions are looked for: a token that was
    /// checked earlier belongs to a session that is found, or to one that sees another count.
    pub fn close(&self, account: AccountId, device: Option<DeviceId>, why: Close) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        self.presence.logged_out(account, device);
        self.each(account, |session| {
            if device.is_none_or(|device| session.device == device) {
                session.close(why);
            }
        });
    }

    /// How often access was revoked so far.
    pub fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::SeqCst)
    }

    /// Closes every session.
    pub fn close_all(&self, why: Close) {
        for shard in &self.shards {
            lock(shard).values().flatten().for_each(|session| session.close(why));
        }
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until there is none.
    pub async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.count() == 0 {
                return;
            }
            emptied.await;
        }
    }

    fn shard(&self, account: AccountId) -> MutexGuard<'_, ByAccount> {
        lock(&self.shards[usize::from(account.bytes()[15]) % SHARDS])
    }
}

fn lock(shard: &Shard) -> MutexGuard<'_, ByAccount> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
