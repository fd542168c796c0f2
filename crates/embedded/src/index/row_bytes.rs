//! The bytes of a row's key or value: short ones, which nearly all are, need no allocation and
//! stand where they are compared.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// What fits without an allocation: every key that ends with an id or a number does.
const SHORT: usize = 38;

/// Some bytes.
#[derive(Clone)]
pub struct RowBytes(Form);

#[derive(Clone)]
enum Form {
    Short { length: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

impl From<&[u8]> for RowBytes {
    fn from(content: &[u8]) -> Self {
        if content.len() > SHORT {
            return Self(Form::Long(content.into()));
        }
        let mut bytes = [0; SHORT];
        bytes[..content.len()].copy_from_slice(content);
        Self(Form::Short { length: content.len() as u8, bytes })
    }
}

impl Default for RowBytes {
    fn default() -> Self {
        Self(Form::Short { length: 0, bytes: [0; SHORT] })
    }
}

impl Deref for RowBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Form::Short { length, bytes } => &bytes[..usize::from(*length)],
            Form::Long(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for RowBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for RowBytes {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq for RowBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for RowBytes {}

impl PartialOrd for RowBytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RowBytes {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for RowBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl std::fmt::Debug for RowBytes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_bytes_are_alike() {
        let all: Vec<Vec<u8>> = (0..100).map(|length| (0..length).collect()).collect();
        for one in &all {
            let bytes = RowBytes::from(one.as_slice());
            assert_eq!(*bytes, **one);
            for other in &all {
                let others = RowBytes::from(other.as_slice());
                assert_eq!(bytes.cmp(&others), one.cmp(other));
                assert_eq!(bytes == others, one == other);
            }
        }
        assert!(size_of::<RowBytes>() <= 40 && RowBytes::default().is_empty());
    }
}
