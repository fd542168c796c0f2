//! Reading rows: from memory where they are not in the database yet, else from the database.

use std::ops::Bound;
use std::sync::PoisonError;

use heed::{RoTxn, WithoutTls};
use suda_domain::stored::Stored;

use super::memory::FoundRows;
use super::tables::{Key, Value};
use super::{Index, IndexError};

/// A reader. Each call sees all rows as they are at the time of the call; rows read by different
/// calls may have changed in between.
pub struct View<'i> {
    index: &'i Index,
    transaction: RoTxn<'i, WithoutTls>,
    spilled: u64,
}

impl<'i> View<'i> {
    pub(super) fn new(index: &'i Index) -> Result<Self, IndexError> {
        let layers = index.layers.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { index, transaction: index.environment.read_txn()?, spilled: layers.spilled() })
    }

    /// One row.
    pub fn get<T: Stored>(&mut self, key: &[u8]) -> Result<Option<T>, IndexError> {
        self.with(key, |bytes| T::decode(bytes).map_err(IndexError::Stored))
    }

    /// What `read` makes of one row.
    pub fn with<T>(
        &mut self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, IndexError>,
    ) -> Result<Option<T>, IndexError> {
        {
            let layers = self.index.layers.read();
            let layers = layers.unwrap_or_else(PoisonError::into_inner);
            if let Some(value) = layers.get(key) {
                return value.map(|value| read(value)).transpose();
            }
            refresh(self.index, layers.spilled(), &mut self.spilled, &mut self.transaction)?;
        }
        let value = self.index.rows.get(&self.transaction, key)?;
        value.map(read).transpose()
    }

    /// The row with the highest key from `lowest` to `key`, both included. Only for tables of which
    /// no row is ever deleted.
    pub fn at_or_below(&mut self, lowest: &[u8], key: &[u8]) -> Result<Option<(Key, Value)>, IndexError> {
        let newer = {
            let layers = self.index.layers.read();
            let layers = layers.unwrap_or_else(PoisonError::into_inner);
            refresh(self.index, layers.spilled(), &mut self.spilled, &mut self.transaction)?;
            layers.at_or_below(lowest, key).map(|(key, value)| (key.clone(), value.clone()))
        };
        let stored = self.index.rows.get_lower_than_or_equal_to(&self.transaction, key)?;
        let stored = stored.filter(|(stored, _)| *stored >= lowest);
        match (newer, stored) {
            (Some((newer, value)), Some((stored, _))) if newer.as_ref() >= stored => Ok(Some((newer, value))),
            (_, Some((key, value))) => Ok(Some((key.into(), value.into()))),
            (newer, None) => Ok(newer),
        }
    }

    /// The first `limit` rows from `from` to `to`, both included, ascending.
    pub fn range(&mut self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Key, Value)>, IndexError> {
        if from > to || limit == 0 {
            return Ok(Vec::new());
        }
        let newer = {
            let layers = self.index.layers.read();
            let layers = layers.unwrap_or_else(PoisonError::into_inner);
            refresh(self.index, layers.spilled(), &mut self.spilled, &mut self.transaction)?;
            layers.range(from, to, limit)
        };
        let mut rows = Vec::new();
        self.merge(from, to, newer, |key, value| {
            rows.push((key.into(), value.into()));
            Ok(rows.len() < limit)
        })?;
        Ok(rows)
    }

    /// Calls `visit` with every row from `from` to `to`, both included, ascending.
    pub fn each(
        &mut self,
        from: &[u8],
        to: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let newer = {
            let layers = self.index.layers.read();
            let layers = layers.unwrap_or_else(PoisonError::into_inner);
            refresh(self.index, layers.spilled(), &mut self.spilled, &mut self.transaction)?;
            layers.range(from, to, usize::MAX)
        };
        self.merge(from, to, newer, |key, value| visit(key, value).map(|()| true))
    }

    /// Calls `visit` with the rows of the database and, in their places, with `newer` ones, until it answers `false`.
    fn merge(
        &self,
        from: &[u8],
        to: &[u8],
        newer: FoundRows,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, IndexError>,
    ) -> Result<(), IndexError> {
        let bounds = (Bound::Included(from), Bound::Included(to));
        let mut stored = self.index.rows.range(&self.transaction, &bounds)?;
        let mut next_stored = stored.next().transpose()?;
        let mut newer = newer.into_iter().peekable();
        loop {
            let from_memory = match (newer.peek(), next_stored) {
                (None, None) => return Ok(()),
                (Some((key, _)), Some((stored, _))) => key.as_ref() <= stored,
                (newer, _) => newer.is_some(),
            };
            let goes_on = if !from_memory {
                let goes_on = next_stored.map_or(Ok(true), |(key, value)| visit(key, value))?;
                next_stored = stored.next().transpose()?;
                goes_on
            } else if let Some((key, value)) = newer.next() {
                if next_stored.is_some_and(|(stored, _)| *stored == *key) {
                    next_stored = stored.next().transpose()?;
                }
                value.map_or(Ok(true), |value| visit(&key, &value))?
            } else {
                true
            };
            if !goes_on {
                return Ok(());
            }
        }
    }
}

/// Opens a new transaction if rows went from memory into the database since the old one began.
/// To be called while the layers are locked: then every row is in them or in the transaction.
fn refresh<'i>(
    index: &'i Index,
    spilled: u64,
    seen: &mut u64,
    transaction: &mut RoTxn<'i, WithoutTls>,
) -> Result<(), IndexError> {
    if *seen != spilled {
        *transaction = index.environment.read_txn()?;
        *seen = spilled;
    }
    Ok(())
}
