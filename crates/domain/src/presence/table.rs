//! Records by their key, each with a small number of its own, in as little memory as hashing allows.
//!
//! The index holds only the numbers (five bytes a place); the records lie in pages that never move, so that growth
//! neither doubles the memory nor stalls.

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hash};

/// Records of a page.
const PAGE: usize = 512;

/// A record that knows its key.
pub trait Keyed {
    /// What it is found by. Made by servers, so that nobody can choose keys that collide.
    type Key: Hash + Eq + Copy;

    /// Its key, which never changes.
    fn key(&self) -> Self::Key;
}

/// Records by key and by number.
#[derive(Debug)]
pub struct Table<T> {
    index: HashTable<u32>,
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    hasher: FixedState,
}

impl<T: Keyed> Table<T> {
    /// An empty table.
    pub fn new() -> Self {
        Self { index: HashTable::new(), pages: Vec::new(), free: Vec::new(), hasher: FixedState::default() }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// One more than the greatest number that was ever given out.
    pub fn end(&self) -> u32 {
        let last = self.pages.last().map_or(0, Vec::len);
        (self.pages.len().saturating_sub(1) * PAGE + last) as u32
    }

    /// The number of the record with this key.
    pub fn find(&self, key: T::Key) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.index.find(hash, |number| key_of(&self.pages, *number) == Some(key)).copied()
    }

    /// The record with this number.
    pub fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.pages.get(number / PAGE)?.get(number % PAGE)?.as_ref()
    }

    /// The record with this number, to be changed.
    pub fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let number = number as usize;
        self.pages.get_mut(number / PAGE)?.get_mut(number % PAGE)?.as_mut()
    }

    /// The record with this key.
    pub fn by_key(&self, key: T::Key) -> Option<&T> {
        self.get(self.find(key)?)
    }

    /// The number of the record with this key, which is made where there is none.
    pub fn find_or_insert(&mut self, key: T::Key, make: impl FnOnce() -> T) -> u32 {
        if let Some(number) = self.find(key) {
            return number;
        }
        let number = self.place(make());
        let Self { index, pages, hasher, .. } = self;
        let rehash = |number: &u32| key_of(pages, *number).map_or(0, |key| hasher.hash_one(key));
        index.insert_unique(hasher.hash_one(key), number, rehash);
        number
    }

    /// Takes the record out. Its number will be given to another.
    pub fn remove(&mut self, number: u32) -> Option<T> {
        let hash = self.hasher.hash_one(self.get(number)?.key());
        if let Ok(found) = self.index.find_entry(hash, |other| *other == number) {
            found.remove();
        }
        self.free.push(number);
        let number = number as usize;
        self.pages[number / PAGE][number % PAGE].take()
    }

    /// Bytes of heap that it holds, without what records hold themselves.
    pub fn heap_bytes(&self) -> usize {
        let slots: usize = self.pages.iter().map(Vec::capacity).sum();
        self.index.allocation_size()
            + slots * size_of::<Option<T>>()
            + self.pages.capacity() * size_of::<Vec<Option<T>>>()
            + self.free.capacity() * size_of::<u32>()
    }

    fn place(&mut self, record: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.pages[number as usize / PAGE][number as usize % PAGE] = Some(record);
            return number;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        let page = self.pages.len() - 1;
        self.pages[page].push(Some(record));
        (page * PAGE + self.pages[page].len() - 1) as u32
    }
}

fn key_of<T: Keyed>(pages: &[Vec<Option<T>>], number: u32) -> Option<T::Key> {
    pages[number as usize / PAGE][number as usize % PAGE].as_ref().map(Keyed::key)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Record(u64);

    impl Keyed for Record {
        type Key = u64;

        fn key(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn records_are_found_until_removed_and_numbers_are_used_again() {
        let mut table = Table::new();
        let numbers: Vec<u32> = (0..2_000).map(|key| table.find_or_insert(key, || Record(key))).collect();
        assert_eq!((table.len(), table.end()), (2_000, 2_000));
        for key in (0..2_000).step_by(2) {
            assert_eq!(table.remove(numbers[key]).map(|record| record.0), Some(key as u64));
        }
        for key in 0..2_000 {
            assert_eq!(table.find(key).is_some(), key % 2 == 1, "{key}");
        }
        for key in 5_000..6_000 {
            table.find_or_insert(key, || Record(key));
        }
        assert_eq!((table.len(), table.end()), (2_000, 2_000));
        assert_eq!(table.by_key(5_500).map(|record| record.0), Some(5_500));
    }
}
