//! Errors of an application's writes.

use fastest_schema::check::cascade::GENERATIONS_MAX;
use fastest_schema::value::sql_value::ValueError;
use fastest_schema::{RowKey, ScopeId, Value};

use crate::replica::error::ReplicaError;
use crate::replica::scope::ScopeError;

/// An error of a write. The whole write then has no effect.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The schema does not declare the table, or declares it differently.
    #[error("the schema of {owner} has no table {table} like this")]
    UnknownTable {
        /// The owner of the schema.
        owner: &'static str,
        /// The table of the row.
        table: &'static str,
    },
    /// Rows of the table never leave the primary.
    #[error("table {table} is private: its rows are on the primary alone, write them there")]
    Private {
        /// The table.
        table: &'static str,
    },
    /// The scope of the row cannot be determined.
    #[error("row {key} of {table} has no scope: {why}")]
    NoScope {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// What is missing.
        why: String,
    },
    /// The file holds the rows of one scope, and the row is of another.
    #[error("row {key} of {table} belongs to {found:?}, and this file holds {held:?} only")]
    OtherScope {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// The scope of the row.
        found: ScopeId,
        /// The scope of the file.
        held: ScopeId,
    },
    /// A row with this key exists already, and the write was an insert, or a change in an
    /// append-only table.
    #[error("row {key} of {table} is there already")]
    Exists {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
    },
    /// Another row has a value that must be unique.
    #[error("row {other} of {table} has the same {columns}")]
    Taken {
        /// The table.
        table: &'static str,
        /// The key of the other row.
        other: RowKey,
        /// The columns, separated by commas.
        columns: String,
    },
    /// A foreign key refers to a row that was deleted.
    #[error("column {column} of {table} names {parent} {key}, which was deleted")]
    Deleted {
        /// The table.
        table: &'static str,
        /// Its column.
        column: &'static str,
        /// The table of the deleted row.
        parent: &'static str,
        /// The key of the deleted row.
        key: RowKey,
    },
    /// No column can hold the value: SQLite would store it as null.
    #[error(
        "row {key} of {table} cannot be written: {column} is {value}, which no column can hold"
    )]
    Unstorable {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// The column.
        column: &'static str,
        /// The value.
        value: Value,
    },
    /// As JSON, the row has more than 1,990,000 bytes.
    #[error(
        "row {key} of {table} is too large: as JSON it has {bytes} bytes, most of them in {column}; \
         {ROW_BYTES_MAX} is the limit: shorten it, or split it"
    )]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// The largest column.
        column: &'static str,
        /// Bytes of the row as JSON.
        bytes: usize,
    },
    /// As JSON, the rows of one transaction have more than 1,990,000 bytes.
    #[error(
        "the transaction is too large: as JSON it has up to {bytes} bytes, and \
         {TRANSACTION_BYTES_MAX} is the limit: write it in several"
    )]
    TransactionTooLarge {
        /// An upper bound of the bytes of all its rows as JSON.
        bytes: i64,
    },
    /// A new row has no key: none was given, and the default is null.
    #[error("a new row of {table} has no key: give it one, or declare a default that does")]
    NoKey {
        /// The table.
        table: &'static str,
    },
    /// The row's Rust type cannot be serialised, or cannot be read back from what was stored.
    #[error("a row of {table} cannot be written: {source}")]
    Unwritable {
        /// The table.
        table: &'static str,
        /// The error of serde.
        source: ValueError,
    },
    /// Other rows refer to the row, and their foreign keys forbid the delete.
    #[error("row {key} of {table} cannot be deleted: row {child_key} of {child} refers to it")]
    Referred {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// The table that refers to it.
        child: &'static str,
        /// A row there.
        child_key: RowKey,
    },
    /// The primary would have to delete or change rows of append-only tables in more generations than
    /// D1 allows.
    #[error(
        "row {key} of {table} cannot be deleted: rows of append-only tables hang on it in more than \
         {GENERATIONS_MAX} generations, which D1 does not delete in one go: delete the last of them on \
         the primary first"
    )]
    TooDeep {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
    },
    /// The replica failed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// The most bytes that a row may have as JSON. D1 accepts 2,000,000 in a text, and a push contains
/// more than the row.
pub const ROW_BYTES_MAX: usize = 1_990_000;

/// The most bytes that a transaction may have as JSON, for the same reason as [`ROW_BYTES_MAX`].
pub const TRANSACTION_BYTES_MAX: i64 = 1_990_000;

impl From<ScopeError> for WriteError {
    fn from(error: ScopeError) -> Self {
        match error {
            ScopeError::None { table, key, why } => Self::NoScope { table, key, why },
            ScopeError::Replica(error) => Self::Replica(error),
        }
    }
}
