//! The value of one column of a row, as SQLite stores it.
//!
//! Rows hold [`Value`] and not JSON: JSON has no infinities, and a JSON number does not say whether
//! it is an integer or a real. The module `wire` defines the form in which values are sent, and in
//! which lists of them are stored.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::value::hex::to_hex;

/// One value, of any of SQLite's storage classes.
///
/// Reals compare by their bits, but -0 equals 0: SQLite stores -0 as 0 in a column of reals.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// SQL's NULL.
    #[default]
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit float, including the infinities. NaN is refused before it is written, because
    /// SQLite would store it as null.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes. No declared column holds them yet.
    Blob(Vec<u8>),
}

/// A row's values do not match its Rust type. The message is serde's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(String);

impl From<serde_json::Error> for ValueError {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Value {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is a NaN.
    pub fn is_nan(&self) -> bool {
        matches!(self, Self::Real(real) if real.is_nan())
    }

    /// Returns the text, or `None` for any other storage class.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the integer, or `None` for any other storage class.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// Returns the storage class, as SQLite's `typeof` names it.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Integer(_) => "integer",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }

    /// Returns JSON for people and scripts: finite reals are numbers, infinities and NaN are
    /// strings, and a blob is `{"blob": "hex"}`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Integer(integer) => (*integer).into(),
            Self::Real(real) if real.is_finite() => (*real).into(),
            Self::Real(real) if *real > 0.0 => "Infinity".into(),
            Self::Real(real) if *real < 0.0 => "-Infinity".into(),
            Self::Real(_) => "NaN".into(),
            Self::Text(text) => text.as_str().into(),
            Self::Blob(bytes) => serde_json::json!({ "blob": to_hex(bytes) }),
        }
    }

    /// Returns the bits by which reals are compared: those of 0 for -0.
    fn bits(real: f64) -> u64 {
        if real == 0.0 { 0 } else { real.to_bits() }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Integer(one), Self::Integer(other)) => one == other,
            (Self::Real(one), Self::Real(other)) => Self::bits(*one) == Self::bits(*other),
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Blob(one), Self::Blob(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Integer(integer) => integer.hash(state),
            Self::Real(real) => Self::bits(*real).hash(state),
            Self::Text(text) => text.hash(state),
            Self::Blob(bytes) => bytes.hash(state),
        }
    }
}

/// The length, in characters, to which messages cut texts.
const SHOWN_CHARS_MAX: usize = 60;

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("null"),
            Self::Integer(integer) => write!(formatter, "{integer}"),
            Self::Real(real) => write!(formatter, "{real:?}"),
            Self::Text(text) if text.chars().nth(SHOWN_CHARS_MAX).is_some() => {
                let begin: String = text.chars().take(SHOWN_CHARS_MAX).collect();
                write!(formatter, "{begin:?}… ({} bytes)", text.len())
            }
            Self::Text(text) => write!(formatter, "{text:?}"),
            Self::Blob(bytes) => write!(formatter, "a blob of {} bytes", bytes.len()),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<i32> for Value {
    fn from(integer: i32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<f64> for Value {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(flag.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn reals_are_told_apart_by_bits_and_from_integers() {
        assert_eq!(Value::Real(-0.0), Value::Real(0.0));
        assert_eq!(Value::Real(f64::NAN), Value::Real(f64::NAN));
        assert_ne!(Value::Real(1.0), Value::Integer(1));
        let set: HashSet<Value> = [Value::Real(-0.0), Value::Real(0.0)].into();
        assert_eq!(set.len(), 1);
    }

    #[test]
    fn for_people_infinities_are_texts() {
        assert_eq!(Value::Real(f64::NEG_INFINITY).to_json(), "-Infinity");
        assert_eq!(Value::Real(0.1).to_json(), 0.1);
        assert_eq!(Value::from(None::<i64>).to_json(), serde_json::Value::Null);
    }
}
