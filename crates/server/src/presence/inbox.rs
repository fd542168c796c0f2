//! What the presence task is told, in the order in which it happened.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use suda_domain::presence::locator::Place;
use suda_domain::presence::observer::View;
use suda_proto::{AccountId, DeviceId};
use tokio::sync::{Notify, oneshot};

use super::Parting;
use crate::session::Session;

/// As soon as so many messages wait, no session is opened and nothing is asked. Each open session may still end, so
/// never more wait than this and two for every session.
const FULL: usize = 256 * 1024;

/// Everything that the task is told.
pub enum Message {
    Opened {
        account: AccountId,
        device: DeviceId,
        foreground: bool,
    },
    Moved {
        account: AccountId,
        device: DeviceId,
        foreground: bool,
    },
    Ended {
        session: u64,
        account: AccountId,
        device: DeviceId,
        foreground: bool,
        parting: Parting,
    },
    LoggedOut {
        account: AccountId,
        device: Option<DeviceId>,
    },
    Watch {
        session: Arc<Session>,
        list: u8,
        accounts: Vec<(AccountId, bool)>,
        reply: oneshot::Sender<Vec<View>>,
    },
    Stop {
        session: u64,
        list: u8,
    },
    Look {
        accounts: Vec<(AccountId, bool)>,
        reply: oneshot::Sender<Vec<View>>,
    },
    Locate {
        accounts: Vec<AccountId>,
        reply: oneshot::Sender<Vec<(AccountId, Place)>>,
    },
    Watchers {
        account: AccountId,
        reply: oneshot::Sender<Vec<(u64, AccountId)>>,
    },
    Watched {
        session: u64,
        reply: oneshot::Sender<Vec<AccountId>>,
    },
    Learn {
        times: Vec<(AccountId, u64)>,
    },
    Permit {
        session: u64,
        account: AccountId,
        is_permitted: bool,
    },
}

/// What the task did so far and what it has, for metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Accounts with a session here, or one that lingers.
    pub accounts: AtomicUsize,
    /// Accounts that somebody here watches.
    pub watched: AtomicUsize,
    /// Changes told, each time to one session.
    pub told: AtomicU64,
    /// Frames that told them.
    pub frames: AtomicU64,
    /// Changes that are due and wait because the node has told as much as it may.
    pub delayed: AtomicUsize,
    /// Bytes that all of it takes in memory.
    pub bytes: AtomicUsize,
}

/// How often accounts' relations changed on this node; several accounts share a number.
pub struct Relations([AtomicU32; 1024]);

impl Default for Relations {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; 1024])
    }
}

impl Relations {
    /// The account's number.
    pub fn of(&self, account: AccountId) -> &AtomicU32 {
        let [.., high, low] = account.bytes();
        &self.0[usize::from(u16::from_be_bytes([*high, *low])) % self.0.len()]
    }
}

/// Messages that wait for the task.
#[derive(Default)]
pub struct Inbox {
    waiting: Mutex<Vec<Message>>,
    bell: Notify,
    /// How often it changed who may see whom.
    pub changes: AtomicU64,
    pub relations: Relations,
    pub counts: Counts,
}

impl Inbox {
    /// Adds a message.
    pub fn put(&self, message: Message) {
        self.lock().push(message);
        self.bell.notify_one();
    }

    /// Whether no more should come than must.
    pub fn is_full(&self) -> bool {
        self.lock().len() >= FULL
    }

    /// Takes everything.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.lock())
    }

    /// Waits until a message was put since the last call.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Message>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    pub(super) fn set(count: &AtomicUsize, value: usize) {
        count.store(value, Ordering::Relaxed);
    }

    pub(super) fn add(count: &AtomicU64, more: usize) {
        count.fetch_add(more as u64, Ordering::Relaxed);
    }
}
