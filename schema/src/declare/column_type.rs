//! The Rust types of columns.

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::kind::Kind;

/// A type that a column may have. Its values serialise to a string, a number or null.
pub trait ColumnType {
    /// The storage class in SQLite.
    const KIND: Kind;
    /// Whether it may be null.
    const NULL: bool = false;
}

impl ColumnType for String {
    const KIND: Kind = Kind::Text;
}

impl ColumnType for i64 {
    const KIND: Kind = Kind::Integer;
}

impl ColumnType for f64 {
    const KIND: Kind = Kind::Real;
}

impl<T: ColumnType> ColumnType for Option<T> {
    const KIND: Kind = T::KIND;
    const NULL: bool = true;
}

/// A value stored as JSON text. It serialises to a string that contains the JSON, which is also the
/// form in SQL and on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Json<T>(pub T);

impl<T> ColumnType for Json<T> {
    const KIND: Kind = Kind::Text;
}

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(&self.0).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Json<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Json).map_err(D::Error::custom)
    }
}

/// A boolean, stored and sent as 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Flag(pub bool);

impl From<bool> for Flag {
    fn from(value: bool) -> Flag {
        Flag(value)
    }
}

impl ColumnType for Flag {
    const KIND: Kind = Kind::Integer;
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(i64::from(self.0))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Flag, D::Error> {
        match i64::deserialize(deserializer)? {
            0 => Ok(Flag(false)),
            1 => Ok(Flag(true)),
            other => Err(D::Error::custom(format_args!("a flag is 0 or 1, not {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_string_on_the_wire() {
        let list = Json(vec!["a\"b".to_owned()]);
        let wire = serde_json::to_string(&list).unwrap();
        assert_eq!(wire, r#""[\"a\\\"b\"]""#);
        assert_eq!(serde_json::from_str::<Json<Vec<String>>>(&wire).unwrap(), list);
        assert!(serde_json::from_str::<Json<Vec<String>>>(r#""{}""#).is_err());
    }

    #[test]
    fn a_flag_is_nought_or_one_on_the_wire() {
        for (flag, wire) in [(Flag(false), "0"), (Flag::from(true), "1")] {
            assert_eq!(serde_json::to_string(&flag).unwrap(), wire);
            assert_eq!(serde_json::from_str::<Flag>(wire).unwrap(), flag);
        }
        for wire in ["2", "-1", "true", "1.0", "\"1\"", "null"] {
            assert!(serde_json::from_str::<Flag>(wire).is_err(), "{wire}");
        }
    }
}
