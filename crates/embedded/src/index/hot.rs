//! Rows as values: those that were changed last, so that a message need not look for the rows of
//! its conversation and its author in layers and database, nor read their stored form.

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use suda_domain::receipts::Summary;
use suda_proto::{AccountId, ConversationId};

use super::tables::MemberRow;

/// Most values in each of the two generations of a table.
const GENERATION: usize = 32 * 1024;

/// The values; whoever changes rows keeps them as the rows are.
#[derive(Default)]
pub struct Hot {
    /// Summaries.
    pub summaries: Generations<ConversationId, Summary>,
    /// Members' rows; `None` where there is none.
    pub members: Generations<(AccountId, ConversationId), Option<MemberRow>>,
}

impl Hot {
    /// Forgets everything: rows were changed in another way, or a change failed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Values that were used lately: what is not used while a generation comes into being is forgotten.
pub struct Generations<K, V> {
    young: HashMap<K, V, RandomState>,
    old: HashMap<K, V, RandomState>,
}

impl<K, V> Default for Generations<K, V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default() }
    }
}

impl<K: Eq + Hash + Copy, V> Generations<K, V> {
    /// The value, if it is remembered.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        if !self.young.contains_key(key) {
            let value = self.old.remove(key)?;
            self.insert(*key, value);
        }
        self.young.get_mut(key)
    }

    /// Remembers a value.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut values = Generations::default();
        for number in 0..10 * GENERATION {
            values.insert(number, number);
            assert_eq!(values.get(&0), Some(&mut 0));
            assert!(values.young.len() <= GENERATION && values.old.len() <= GENERATION);
        }
        assert_eq!(values.get(&1), None);
        assert_eq!(values.get(&(10 * GENERATION - 1)), Some(&mut (10 * GENERATION - 1)));
    }
}
