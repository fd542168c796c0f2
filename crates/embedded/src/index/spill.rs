//! The thread that writes changed rows into the database.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use suda_domain::stored::Stored;
use uuid::Uuid;

use super::bell::Woken;
use super::memory::Layer;
use super::tables::{FORM, META_KEY, Meta};
use super::{Index, IndexError};
use crate::log::fault;

/// What to do with an error after which the process must end.
pub type Fatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Starts the thread. It writes rows once a batch is full, or has waited for `age`; it ends, with
/// everything written, after [`Index::stop`].
pub fn start(index: Arc<Index>, age: Duration, fatal: Fatal) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("index-writer".to_owned()).spawn(move || {
        while index.spill_bell.listen(Some(age)) == Woken::Look {
            index.try_spill(&fatal);
        }
        index.try_spill(&fatal);
    })
}

impl Index {
    /// Lets the thread that writes rows end.
    pub fn stop(&self) {
        self.spill_bell.stop();
    }

    /// Writes rows if there are any. A full disk is retried later; the rows stay in memory.
    pub(super) fn try_spill(&self, fatal: &Fatal) {
        match self.spill() {
            Ok(()) => {
                if self.disk_is_full.swap(false, Ordering::Relaxed) {
                    tracing::info!("the index has room again");
                }
            }
            Err(error) if error.is_full() => {
                if !self.disk_is_full.swap(true, Ordering::Relaxed) {
                    tracing::error!(%error, "the index has no room: free space on its disk");
                }
            }
            Err(error) => fatal(&format!("the index could not be written: {error}")),
        }
    }

    /// Writes all rows that are in memory at the time of the call.
    pub fn flush(&self) -> Result<(), IndexError> {
        // The first may find a layer that was frozen earlier.
        self.spill()?;
        self.spill()
    }

    /// Writes a batch if more than enough rows are in memory: for replays, which nobody waits for.
    pub fn spill_if_full(&self) -> Result<(), IndexError> {
        let is_full = {
            let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
            self.is_full(&layers)
        };
        if is_full {
            self.spill()?;
        }
        Ok(())
    }

    /// Freezes what is in memory and writes it, or what was frozen before.
    fn spill(&self) -> Result<(), IndexError> {
        let _one_at_a_time = self.spilling.lock().unwrap_or_else(PoisonError::into_inner);
        let frozen = {
            let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
            layers.freeze()
        };
        let Some(frozen) = frozen else {
            return Ok(());
        };
        fault::point("index.before_apply");
        self.write(&frozen)?;
        fault::point("index.after_apply");
        let thawed = {
            let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
            layers.thaw()
        };
        drop(thawed);
        Ok(())
    }

    /// Writes rows in one transaction, together with how far the log is applied.
    fn write(&self, layer: &Layer) -> Result<(), IndexError> {
        let mut transaction = self.environment.write_txn()?;
        for (number, (key, value)) in layer.rows.iter().enumerate() {
            if number == layer.rows.len() / 2 {
                fault::point("index.mid_apply");
            }
            match value {
                Some(value) => self.rows.put(&mut transaction, key, value)?,
                None => {
                    self.rows.delete(&mut transaction, key)?;
                }
            }
        }
        let meta = Meta {
            form: FORM,
            log_id: self.log_id.get().copied().unwrap_or(Uuid::nil()).into_bytes(),
            applied: layer.applied.to_u64(),
            latest: layer.latest,
            merged: layer.merged,
        };
        self.rows.put(&mut transaction, META_KEY, &meta.encode())?;
        transaction.commit()?;
        Ok(())
    }
}
