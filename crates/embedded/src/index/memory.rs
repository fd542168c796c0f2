//! Rows that are not in the database yet: those that still change, and those that are being
//! written. A reader asks the active layer first, then the frozen one, then the database.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::tables::{Key, Value};
use crate::log::Position;

/// What a row takes in memory beside its key and value.
const ROW_OVERHEAD: usize = 64;

/// Rows by key; `None` stands for a row that was deleted.
pub type Rows = BTreeMap<Key, Option<Value>>;

/// Changed rows, and how far the log is applied with them.
pub struct Layer {
    /// The rows.
    pub rows: Rows,
    /// How far the log is applied.
    pub applied: Position,
    /// The highest time of an entry, milliseconds since 1970.
    pub latest: u64,
    /// About what the rows take in memory.
    bytes: usize,
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
    fn new(applied: Position, latest: u64) -> Self {
        Self { rows: Rows::new(), applied, latest, bytes: 0 }
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
    pub fn new(applied: Position, latest: u64) -> Self {
        Self { active: Layer::new(applied, latest), frozen: None, spilled: 0 }
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

    /// How far the log is applied.
    pub fn applied(&self) -> Position {
        self.active.applied
    }

    /// A row; `None` if only the database can know it, `Some(None)` if it was deleted.
    pub fn get(&self, key: &[u8]) -> Option<Option<&Value>> {
        let frozen = || self.frozen.as_ref()?.rows.get(key);
        let row = self.active.rows.get(key).or_else(frozen);
        row.map(Option::as_ref)
    }

    /// The rows from `from` to `to`, both included, up to the key by which `limit` of them are
    /// found that were not deleted.
    pub fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Rows {
        let mut rows = Rows::new();
        if let Some(frozen) = &self.frozen {
            take(&frozen.rows, from, to, limit, &mut rows);
        }
        take(&self.active.rows, from, to, limit, &mut rows);
        rows
    }

    /// Takes over changed rows, with which the log is applied up to `applied` if it is given.
    pub fn put(
        &mut self,
        rows: impl IntoIterator<Item = (Key, Option<Value>)>,
        applied: Option<Position>,
        latest: u64,
    ) {
        for (key, value) in rows {
            self.active.put(key, value);
        }
        self.active.applied = applied.unwrap_or(self.active.applied);
        self.active.latest = self.active.latest.max(latest);
    }

    /// The layer to write into the database next; `None` if there is nothing to write.
    pub fn freeze(&mut self) -> Option<Arc<Layer>> {
        if self.frozen.is_none() {
            if self.active.rows.is_empty() {
                return None;
            }
            let next = Layer::new(self.active.applied, self.active.latest);
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

fn take(from_rows: &Rows, from: &[u8], to: &[u8], limit: usize, into: &mut Rows) {
    let bounds = (Bound::Included(from), Bound::Included(to));
    let mut live = 0;
    for (key, value) in from_rows.range::<[u8], _>(bounds) {
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
        let bytes = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        (bytes(key), value.map(bytes))
    }

    fn layers() -> Layers {
        let mut layers = Layers::new(Position::START, 0);
        layers.put([row("a", Some("old")), row("b", Some("1")), row("d", Some("1"))], None, 1);
        assert!(layers.freeze().is_some());
        layers.put([row("a", Some("new")), row("b", None), row("c", Some("1"))], None, 2);
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
    }

    #[test]
    fn bytes_follow_the_rows() {
        let mut layers = layers();
        let before = layers.bytes();
        layers.put([row("a", Some("newer"))], None, 0);
        assert_eq!(layers.bytes(), before + 2);
        layers.thaw();
        assert_eq!(layers.bytes(), layers.active_bytes());
        assert!(layers.freeze().is_some() && layers.active_bytes() == 0);
        layers.thaw();
        assert_eq!((layers.bytes(), layers.freeze().is_none()), (0, true));
    }
}
