//! Stored forms: every value that storage keeps starts with a version byte.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why stored bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// Written by a newer version of Suda.
    #[error("stored form {0} is newer than this program; run the newer version")]
    Newer(u8),
    /// Not what any version wrote.
    #[error("stored {0} is malformed")]
    Malformed(&'static str),
}

/// A value with a versioned stored form.
pub trait Stored: Sized {
    /// The version that [`Stored::write`] writes. A change of form raises it and teaches `read` the old form.
    const VERSION: u8;

    /// Appends the value, without its version byte.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// If the bytes are anything else.
    fn read(bytes: &[u8]) -> Result<Self, StoredError>;

    /// The version byte and the value.
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![Self::VERSION];
        self.write(&mut out);
        out
    }

    /// Reads what `encode` wrote.
    ///
    /// # Errors
    /// If the version is newer, or the bytes are malformed.
    fn decode(bytes: &[u8]) -> Result<Self, StoredError> {
        match bytes.split_first() {
            Some((version, rest)) if *version == Self::VERSION => Self::read(rest),
            Some((version, _)) if *version > Self::VERSION => Err(StoredError::Newer(*version)),
            _ => Err(StoredError::Malformed("version")),
        }
    }
}

/// Appends `value` in postcard form (<https://postcard.jamesmunns.com/wire-format>).
pub fn write_postcard<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    let bytes = postcard::to_stdvec(value).expect("plain values serialise");
    out.extend_from_slice(&bytes);
}

/// Reads one value in postcard form from the front of `bytes`; what follows it is ignored.
///
/// # Errors
/// If the bytes are no such value.
pub fn read_postcard<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, StoredError> {
    postcard::take_from_bytes(bytes).map(|(value, _)| value).map_err(|_| StoredError::Malformed(what))
}
