//! Columns of a PostgreSQL row as the domain's types. What does not fit is damage, never a panic.

use bytes::Bytes;
use sqlx::postgres::PgRow;
use sqlx::{Postgres, Row};
use uuid::Uuid;

use crate::calls::Trouble;

/// A row whose columns are read by name.
pub(crate) struct Columns<'r>(pub(crate) &'r PgRow);

impl Columns<'_> {
    /// An id.
    pub(crate) fn id(&self, column: &str) -> Result<Uuid, Trouble> {
        self.get(column)
    }

    /// An id, if there is one.
    pub(crate) fn optional_id(&self, column: &str) -> Result<Option<Uuid>, Trouble> {
        self.get(column)
    }

    /// A hash.
    pub(crate) fn hash(&self, column: &str) -> Result<[u8; 32], Trouble> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .try_into()
            .map_err(|_| Trouble::Damaged(format!("{column} has {} bytes instead of 32", bytes.len())))
    }

    /// Bytes, if there are any.
    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Bytes>, Trouble> {
        Ok(self.get::<Option<&[u8]>>(column)?.map(Bytes::copy_from_slice))
    }

    /// A text.
    pub(crate) fn text(&self, column: &str) -> Result<String, Trouble> {
        self.get(column)
    }

    /// A text, if there is one.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, Trouble> {
        self.get(column)
    }

    /// Whether something holds.
    pub(crate) fn truth(&self, column: &str) -> Result<bool, Trouble> {
        self.get(column)
    }

    /// Whether something holds, if that is known.
    pub(crate) fn optional_truth(&self, column: &str) -> Result<Option<bool>, Trouble> {
        self.get(column)
    }

    /// A number that fits `T`.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, Trouble> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| Trouble::Damaged(format!("{column} is {number}")))
    }

    /// A word that `read` knows.
    pub(crate) fn word<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Trouble> {
        let word: &str = self.get(column)?;
        read(word).ok_or_else(|| Trouble::Damaged(format!("{column} is of no known kind")))
    }

    fn get<'a, T>(&'a self, column: &str) -> Result<T, Trouble>
    where
        T: sqlx::Decode<'a, Postgres> + sqlx::Type<Postgres>,
    {
        self.0.try_get(column).map_err(|error| Trouble::Damaged(error.to_string()))
    }
}

/// A time as it is stored; one that does not fit is as late as can be.
pub(crate) fn stored_time(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}
