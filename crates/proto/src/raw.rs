//! JSON that passes through: checked once, never taken apart, its unknown fields kept.

use std::borrow::Cow;

use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// One JSON value as the bytes that its author sent; cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw(Bytes);

impl Raw {
    /// The JSON of `value`. Panics only if a type's own `Serialize` fails, which none of this crate's does.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self(Bytes::from(serde_json::to_vec(value).expect("wire types serialise")))
    }

    /// Takes `bytes` if they are one JSON value.
    ///
    /// # Errors
    /// What makes them anything else.
    pub fn checked(bytes: Bytes) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<&RawValue>(&bytes)?;
        Ok(Self(bytes))
    }

    /// Takes bytes that were checked before they were stored.
    pub const fn trusted(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes of the JSON text.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Reads the value as `T`.
    ///
    /// # Errors
    /// Where it does not fit `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0)
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self(Bytes::from(String::from(Box::<str>::from(raw)))))
    }
}

impl JsonSchema for Raw {
    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Any JSON value; passed through unchanged." })
    }
}

/// Reads one JSON object as two types, each ignoring the other's fields. It is what `flatten` does, which cannot be used
/// for reading: serde takes flattened objects apart first, and a value that passes through must not be.
pub(crate) fn read_as_both<'de, D, A, B>(deserializer: D) -> Result<(A, B), D::Error>
where
    D: Deserializer<'de>,
    A: DeserializeOwned,
    B: DeserializeOwned,
{
    let whole = Raw::deserialize(deserializer)?;
    let both = || Ok::<_, serde_json::Error>((whole.parse()?, whole.parse()?));
    both().map_err(serde::de::Error::custom)
}

/// Reads a type whose last field is flattened, with [`read_as_both`]. A field that writers of earlier versions lack says
/// how it is read then: `#[serde(default)]`.
macro_rules! reads_flattened {
    ($name:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* } and $inner:ident) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(serde::Deserialize)]
                struct Own {
                    $($(#[$meta])* $field: $type,)*
                }
                let (Own { $($field),* }, $inner) = crate::raw::read_as_both(deserializer)?;
                Ok(Self { $($field,)* $inner })
            }
        }
    };
}
pub(crate) use reads_flattened;
