//! Changed rows by key. Most changes are of rows that were changed before: those are found by
//! hash; the order of the keys is kept beside.

use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;

use foldhash::fast::RandomState;

use super::tables::{Key, Value};

/// Rows by key; `None` stands for a row that was deleted.
#[derive(Default)]
pub struct Rows {
    values: HashMap<Key, Option<Value>, RandomState>,
    order: BTreeSet<Key>,
}

impl Rows {
    /// Sets a row; answers what it was.
    pub fn insert(&mut self, key: Key, value: Option<Value>) -> Option<Option<Value>> {
        if let Some(slot) = self.values.get_mut(&key) {
            return Some(std::mem::replace(slot, value));
        }
        self.order.insert(key.clone());
        self.values.insert(key, value);
        None
    }

    /// A row.
    pub fn get(&self, key: &[u8]) -> Option<&Option<Value>> {
        self.values.get(key)
    }

    /// The rows from `from` to `to`, both included, ascending. `from` is not above `to`.
    pub fn range(&self, from: &[u8], to: &[u8]) -> impl DoubleEndedIterator<Item = (&Key, &Option<Value>)> {
        let keys = self.order.range::<[u8], _>((Bound::Included(from), Bound::Included(to)));
        keys.filter_map(|key| Some((key, self.values.get(key)?)))
    }

    /// All rows, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Option<Value>)> {
        self.order.iter().filter_map(|key| Some((key, self.values.get(key)?)))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }
}
