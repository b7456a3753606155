//! The storage classes that a column may have.

use serde::{Deserialize, Serialize};

/// A storage class of SQLite. There are no blob columns yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit float.
    Real,
}

impl Kind {
    /// Returns the name of the type in `CREATE TABLE` and `CAST`.
    pub(crate) fn sql_type(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Integer => "integer",
            Kind::Real => "real",
        }
    }
}
