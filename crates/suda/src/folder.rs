//! The data folder: opens it, says what was found, gives it to a server, closes it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use suda_embedded::log::{self, Position, RealDisk, Tail};
use suda_embedded::store::{OpenError, Store, StoreOptions, StoreReport};
use suda_server::Server;
use suda_server::settings::Settings;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::stop::{STORAGE_FAILED, Stop, while_trying};
use crate::storage;

/// How often the database is rewritten if deleted text may linger in it.
const ERASE_INTERVAL: Duration = Duration::from_secs(3_600);

/// An open data folder.
pub struct Folder {
    store: Arc<Store>,
    erasing: JoinHandle<()>,
}

impl Folder {
    /// Opens the configured folder, making it where there is none.
    pub async fn open(config: &Config) -> Result<Self, Stop> {
        Self::open_with(config, false).await
    }

    /// Opens the configured folder and derives the index anew from the log.
    pub async fn rebuild(config: &Config) -> Result<Self, Stop> {
        Self::open_with(config, true).await
    }

    /// Gives up everything in the log from `at` on. Devices reload their conversations: they may have seen more.
    pub async fn cut(config: &Config, at: Position) -> Result<(), Stop> {
        let disk = RealDisk::open(&config.data.join("log")).map_err(while_trying("open the log"))?;
        log::cut_at(&disk, at).map_err(Stop::Cut)?;
        drop(disk);
        let folder = Self::rebuild(config).await?;
        folder.store.raise_epoch().map_err(OpenError::from)?;
        folder.close().await
    }

    async fn open_with(config: &Config, rebuild_index: bool) -> Result<Self, Stop> {
        let mut options = StoreOptions { rebuild_index, ..StoreOptions::default() };
        options.conversations.log.segment_bytes = config.segment_mib << 20;
        options.conversations.fatal = Arc::new(end_process);
        let store = Store::open(&config.data, options).await?;
        say_what_was_found(store.report());
        let store = Arc::new(store);
        let erasing = tokio::spawn(erase(Arc::clone(&store)));
        Ok(Self { store, erasing })
    }

    /// Opens the configured folder; a missing one is an error, since commands other than `serve` want what is in it.
    pub async fn open_existing(config: &Config) -> Result<Self, Stop> {
        if config.cluster.is_on {
            return Err(Stop::Refused(
                "this is for one data folder, or for a node that runs: a cluster keeps nothing in it"
                    .to_owned(),
            ));
        }
        require(&config.data)?;
        Self::open(config).await
    }

    /// Starts a server on it.
    pub fn serve(&self, settings: Settings) -> Result<Arc<Server>, Stop> {
        storage::serve(self.store.ports(), settings)
    }

    /// A time not before any stored message, milliseconds since 1970.
    pub fn latest(&self) -> u64 {
        self.store.ports().log.latest()
    }

    /// The store itself.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Writes what a restart would have to catch up on, and lets go of the folder. Whoever else held the store must
    /// have let go of it.
    pub async fn close(self) -> Result<(), Stop> {
        self.erasing.abort();
        // It was aborted, or has panicked, which was reported then.
        let _ = self.erasing.await;
        match Arc::into_inner(self.store) {
            Some(store) => Ok(store.close().await?),
            None => {
                tracing::debug!("the store is still in use; the next start catches up");
                Ok(())
            }
        }
    }
}

/// Refuses a folder that is not there.
pub fn require(data: &Path) -> Result<(), Stop> {
    if data.is_dir() {
        return Ok(());
    }
    Err(Stop::NoFolder(data.to_owned()))
}

/// Storage failed: nothing may be claimed until a new start has read what is on the disk. Ends the process at once.
fn end_process(what: &str) {
    tracing::error!("storage failed: {what}");
    eprintln!(
        "suda: storage failed: {what}\n\
         Everything that was acknowledged is kept. Look at the disk, then start again; `suda check` verifies the folder."
    );
    std::process::exit(STORAGE_FAILED);
}

fn say_what_was_found(report: &StoreReport) {
    let log = &report.log;
    if let Tail::Torn { bytes, .. } = log.tail {
        tracing::info!(
            "the last process ended in the middle of a write: {bytes} unacknowledged bytes were cut"
        );
    }
    if log.damaged_bodies > 0 {
        let damaged = log.damaged_bodies;
        tracing::error!("{damaged} messages are damaged on the disk; run `suda check`, or restore a backup");
    }
    if report.index_was_rebuilt && log.records > 0 {
        tracing::info!("the index was rebuilt from {} records of the log", log.records);
    }
}

/// Rewrites the database now and then, so that deleted text leaves the disk.
async fn erase(store: Arc<Store>) {
    let mut interval = tokio::time::interval(ERASE_INTERVAL);
    loop {
        interval.tick().await;
        if let Err(failure) = store.database().erase_free_space().await {
            tracing::warn!("deleted text stays in the database until the next attempt: {failure}");
        }
    }
}
