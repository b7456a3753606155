//! Why a row that an application writes was not written.

use fastest_schema::Value;
use fastest_schema::check::cascade::GENERATIONS_MAX;
use fastest_schema::value::sql_value::ValueError;

use crate::replica::error::ReplicaError;
use crate::replica::scope::ScopeError;

/// Why a row was not written. Nothing was, then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The schema does not declare the table, or declares it otherwise.
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
    /// The row says nothing of where it belongs.
    #[error("row {key} of {table} has no scope: {why}")]
    NoScope {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What is missing.
        why: String,
    },
    /// The file holds the rows of one scope, and this is of another.
    #[error("row {key} of {table} belongs to {found:?}, and this file holds {held:?} only")]
    OtherScope {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// The scope of the row.
        found: String,
        /// The scope of the file.
        held: String,
    },
    /// A row of this key is there, and rows of the table are not written twice; or it was to be new.
    #[error("row {key} of {table} is there already")]
    Exists {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// Another row holds a value that no two rows may share.
    #[error("row {other} of {table} has the same {columns}")]
    Taken {
        /// The table.
        table: &'static str,
        /// The key of the other row.
        other: String,
        /// The columns, by comma.
        columns: String,
    },
    /// A foreign key names a row that was deleted.
    #[error("column {column} of {table} names {parent} {key}, which was deleted")]
    Deleted {
        /// The table.
        table: &'static str,
        /// Its column.
        column: &'static str,
        /// The table referred to.
        parent: &'static str,
        /// The key there.
        key: String,
    },
    /// A value that no column can hold: SQLite would store null for it.
    #[error(
        "row {key} of {table} cannot be written: {column} is {value}, which no column can hold"
    )]
    Unstorable {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// The column.
        column: &'static str,
        /// The value.
        value: Value,
    },
    /// The row is larger than every primary takes in one text.
    #[error(
        "row {key} of {table} is too large: as JSON it has {bytes} bytes, most of them in {column}; \
         {ROW_BYTES_MAX} is the limit: shorten it, or split it"
    )]
    TooLarge {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// The largest column.
        column: &'static str,
        /// Bytes of the row as JSON.
        bytes: usize,
    },
    /// What was written in one transaction is larger than every primary takes in one text.
    #[error(
        "the transaction is too large: as JSON it has up to {bytes} bytes, and \
         {TRANSACTION_BYTES_MAX} is the limit: write it in several"
    )]
    TransactionTooLarge {
        /// Bytes of all its rows as JSON.
        bytes: i64,
    },
    /// A new row came to no key: none was given, and its default is null.
    #[error("a new row of {table} has no key: give it one, or declare a default that does")]
    NoKey {
        /// The table.
        table: &'static str,
    },
    /// The row's own type cannot be written down, or read from what is there.
    #[error("a row of {table} cannot be written: {source}")]
    Unwritable {
        /// The table.
        table: &'static str,
        /// What serde says.
        source: ValueError,
    },
    /// Other rows refer to the row that was to be deleted.
    #[error("row {key} of {table} cannot be deleted: row {child_key} of {child} refers to it")]
    Referred {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// The table that refers to it.
        child: &'static str,
        /// A row there.
        child_key: String,
    },
    /// More would go with the row on the primary, of which devices cannot delete, than D1 takes.
    #[error(
        "row {key} of {table} cannot be deleted: rows of append-only tables hang on it in more than \
         {GENERATIONS_MAX} generations, which D1 does not delete in one go: delete the last of them on \
         the primary first"
    )]
    TooDeep {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// The replica failed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// Bytes that a row may have as JSON. D1 takes 2,000,000 in a text, and a push has more than the row.
pub const ROW_BYTES_MAX: usize = 1_990_000;

/// Bytes that a transaction may have as JSON, for the same reason as a row
/// ([`ROW_BYTES_MAX`]).
pub const TRANSACTION_BYTES_MAX: i64 = 1_990_000;

impl From<ScopeError> for WriteError {
    fn from(error: ScopeError) -> Self {
        match error {
            ScopeError::None { table, key, why } => Self::NoScope { table, key, why },
            ScopeError::Replica(error) => Self::Replica(error),
        }
    }
}
