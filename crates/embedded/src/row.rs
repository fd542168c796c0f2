//! Columns of an SQLite row as the domain's types. What does not fit is damage, never a panic.

use bytes::Bytes;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use suda_domain::ports::Failure;

/// A row whose columns are read by name.
pub(crate) struct Columns<'r>(pub(crate) &'r SqliteRow);

impl Columns<'_> {
    /// A blob of exactly `N` bytes: an id (16) or a hash (32).
    pub(crate) fn array<const N: usize>(&self, column: &str) -> Result<[u8; N], Failure> {
        let bytes: &[u8] = self.get(column)?;
        bytes
            .try_into()
            .map_err(|_| Failure::Damaged(format!("{column} has {} bytes instead of {N}", bytes.len())))
    }

    /// A blob, if there is one.
    pub(crate) fn optional_bytes(&self, column: &str) -> Result<Option<Bytes>, Failure> {
        Ok(self.get::<Option<&[u8]>>(column)?.map(Bytes::copy_from_slice))
    }

    /// A text.
    pub(crate) fn text(&self, column: &str) -> Result<String, Failure> {
        self.get(column)
    }

    /// A text, if there is one.
    pub(crate) fn optional_text(&self, column: &str) -> Result<Option<String>, Failure> {
        self.get(column)
    }

    /// A number that fits `T`.
    pub(crate) fn number<T: TryFrom<i64>>(&self, column: &str) -> Result<T, Failure> {
        let number: i64 = self.get(column)?;
        T::try_from(number).map_err(|_| Failure::Damaged(format!("{column} is {number}")))
    }

    /// A word that `read` knows.
    pub(crate) fn word<T>(&self, column: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
        let word: &str = self.get(column)?;
        read(word).ok_or_else(|| Failure::Damaged(format!("{column} is of no known kind")))
    }

    fn get<'a, T>(&'a self, column: &str) -> Result<T, Failure>
    where
        T: sqlx::Decode<'a, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.0.try_get(column).map_err(|error| Failure::Damaged(error.to_string()))
    }
}

/// A time as it is stored; one that does not fit is as late as can be.
pub(crate) fn stored_time(milliseconds: u64) -> i64 {
    i64::try_from(milliseconds).unwrap_or(i64::MAX)
}

/// Several ids as one parameter: a JSON array of hexadecimal texts, for `unhex(value) … FROM json_each(?)`.
pub(crate) fn stored_ids<'i>(ids: impl IntoIterator<Item = &'i [u8; 16]>) -> String {
    let texts: Vec<String> = ids.into_iter().map(stored_id).collect();
    serde_json::json!(texts).to_string()
}

/// An id as a hexadecimal text, for `unhex`.
pub(crate) fn stored_id(id: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}
