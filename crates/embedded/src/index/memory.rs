//! Rows that are not in the database yet: those that still change, and those that are being
//! written. A reader asks the active layer first, then the frozen one, then the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::Rows;
use super::tables::{Key, Value};
use crate::log::Position;

/// What a row takes in memory beside its key and value.
const ROW_OVERHEAD: usize = 128;

/// Rows that were found, ascending; `None` stands for one that was deleted.
pub type FoundRows = BTreeMap<Key, Option<Value>>;

/// Changed rows, and how far the log is applied with them.
pub struct Layer {
    /// The rows.
    pub rows: Rows,
    /// How far the log is applied.
    pub applied: Position,
    /// The highest time of an entry, milliseconds since 1970.
    pub latest: u64,
    /// The last segment of which all runs are known.
    pub merged: u32,
    /// Whether there is something to write.
    is_changed: bool,
    /// Bytes of the log that were applied since the layer began.
    log_bytes: u64,
    /// About what the rows take in memory.
    bytes: usize,
}

/// How far changed rows go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// How far the log is applied with them, if further.
    pub applied: Option<Position>,
    /// The last segment of which all runs are known with them, if further.
    pub merged: Option<u32>,
    /// The highest time of an entry among them.
    pub latest: u64,
    /// Bytes of the log that they come from.
    pub log_bytes: u64,
}

/// The two layers above the database.
pub struct Layers {
    active: Layer,
    frozen: Option<Arc<Layer>>,
    /// How many frozen layers went into the database: a transaction that is older than the last
    /// of them may miss rows.
    spilled: u64,
}

impl Layer {
    fn new(applied: Position, latest: u64, merged: u32) -> Self {
        Self { rows: Rows::default(), applied, latest, merged, is_changed: false, log_bytes: 0, bytes: 0 }
    }

    fn put(&mut self, key: Key, value: Option<Value>) {
        let length = |value: &Option<Value>| value.as_ref().map_or(0, |value| value.len());
        let key_length = key.len();
        let new_length = length(&value);
        match self.rows.insert(key, value) {
            Some(old) => self.bytes = self.bytes + new_length - length(&old),
            None => self.bytes += key_length + new_length + ROW_OVERHEAD,
        }
    }
}

impl Layers {
    /// No rows above a database in which the log is applied up to `applied`.
    pub fn new(applied: Position, latest: u64, merged: u32) -> Self {
        Self { active: Layer::new(applied, latest, merged), frozen: None, spilled: 0 }
    }

    /// How many frozen layers went into the database.
    pub fn spilled(&self) -> u64 {
        self.spilled
    }

    /// About what all rows take in memory.
    pub fn bytes(&self) -> usize {
        self.active.bytes + self.frozen.as_ref().map_or(0, |frozen| frozen.bytes)
    }

    /// About what the rows take in memory that still change.
    pub fn active_bytes(&self) -> usize {
        self.active.bytes
    }

    /// Bytes of the log that would be read again if the rows in memory were lost, save those that
    /// are being written.
    pub fn log_bytes(&self) -> u64 {
        self.active.log_bytes
    }

    /// How far the log is applied.
    pub fn applied(&self) -> Position {
        self.active.applied
    }

    /// The last segment of which all runs are known.
    pub fn merged(&self) -> u32 {
        self.active.merged
    }

    /// A row; `None` if only the database can know it, `Some(None)` if it was deleted.
    pub fn get(&self, key: &[u8]) -> Option<Option<&Value>> {
        let frozen = || self.frozen.as_ref()?.rows.get(key);
        let row = self.active.rows.get(key).or_else(frozen);
        row.map(Option::as_ref)
    }

    /// The row with the highest key from `lowest` to `key`, both included, that was not deleted.
    pub fn at_or_below(&self, lowest: &[u8], key: &[u8]) -> Option<(&Key, &Value)> {
        let frozen = self.frozen.as_ref().and_then(|frozen| newest(&frozen.rows, lowest, key));
        let active = newest(&self.active.rows, lowest, key);
        match (active, frozen) {
            (Some(active), Some(frozen)) if frozen.0 > active.0 => Some(frozen),
            (active, frozen) => active.or(frozen),
        }
    }

    /// The rows from `from` to `to`, both included, up to the key by which `limit` of them are
    /// found that were not deleted.
    pub fn range(&self, from: &[u8], to: &[u8], limit: usize) -> FoundRows {
        let mut rows = FoundRows::new();
        if let Some(frozen) = &self.frozen {
            take(&frozen.rows, from, to, limit, &mut rows);
        }
        take(&self.active.rows, from, to, limit, &mut rows);
        rows
    }

    /// Takes over changed rows, and how far they go.
    pub fn put(&mut self, rows: impl IntoIterator<Item = (Key, Option<Value>)>, progress: &Progress) {
        for (key, value) in rows {
            self.active.put(key, value);
            self.active.is_changed = true;
        }
        let active = &mut self.active;
        active.is_changed |= progress.applied.is_some() || progress.merged.is_some();
        active.applied = progress.applied.unwrap_or(active.applied);
        active.merged = progress.merged.unwrap_or(active.merged);
        active.latest = active.latest.max(progress.latest);
        active.log_bytes += progress.log_bytes;
    }

    /// The layer to write into the database next; `None` if there is nothing to write.
    pub fn freeze(&mut self) -> Option<Arc<Layer>> {
        if self.frozen.is_none() {
            if !self.active.is_changed {
                return None;
            }
            let next = Layer::new(self.active.applied, self.active.latest, self.active.merged);
            let frozen = std::mem::replace(&mut self.active, next);
            self.frozen = Some(Arc::new(frozen));
        }
        self.frozen.clone()
    }

    /// Forgets the frozen layer: it is in the database now. Whoever holds the answer frees it.
    pub fn thaw(&mut self) -> Option<Arc<Layer>> {
        self.spilled += 1;
        self.frozen.take()
    }
}

/// The last row between the keys that was not deleted.
fn newest<'r>(rows: &'r Rows, lowest: &[u8], key: &[u8]) -> Option<(&'r Key, &'r Value)> {
    rows.range(lowest, key).rev().find_map(|(key, value)| Some((key, value.as_ref()?)))
}

fn take(from_rows: &Rows, from: &[u8], to: &[u8], limit: usize, into: &mut FoundRows) {
    let mut live = 0;
    for (key, value) in from_rows.range(from, to) {
        live += usize::from(value.is_some());
        into.insert(key.clone(), value.clone());
        if live == limit {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, value: Option<&str>) -> (Key, Option<Value>) {
        let bytes = |text: &str| Key::from(text.as_bytes());
        (bytes(key), value.map(bytes))
    }

    fn layers() -> Layers {
        let mut layers = Layers::new(Position::START, 0, 0);
        let progress = Progress::default();
        layers.put([row("a", Some("old")), row("b", Some("1")), row("d", Some("1"))], &progress);
        assert!(layers.freeze().is_some());
        layers.put([row("a", Some("new")), row("b", None), row("c", Some("1"))], &progress);
        layers
    }

    #[test]
    fn the_active_layer_hides_the_frozen_one() {
        let layers = layers();
        let text = |key: &str| {
            let value = layers.get(key.as_bytes())?;
            Some(value.map(|value| value.to_vec()))
        };
        assert_eq!(text("a"), Some(Some(b"new".to_vec())));
        assert_eq!(text("b"), Some(None));
        assert_eq!(text("d"), Some(Some(b"1".to_vec())));
        assert_eq!(text("e"), None);
        let keys: Vec<_> = layers.range(b"a", b"d", 9).into_keys().collect();
        assert_eq!(keys.len(), 4);
        let below = |key: &str| layers.at_or_below(b"a", key.as_bytes()).map(|(key, _)| key.to_vec());
        assert_eq!([below("e"), below("c")], ["d", "c"].map(|key| Some(key.as_bytes().to_vec())));
    }

    #[test]
    fn bytes_follow_the_rows() {
        let mut layers = layers();
        let before = layers.bytes();
        layers.put([row("a", Some("newer"))], &Progress::default());
        assert_eq!(layers.bytes(), before + 2);
        layers.thaw();
        assert_eq!(layers.bytes(), layers.active_bytes());
        assert!(layers.freeze().is_some() && layers.active_bytes() == 0);
        layers.thaw();
        assert_eq!((layers.bytes(), layers.freeze().is_none()), (0, true));
    }
}
