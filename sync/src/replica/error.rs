//! Errors of the replica.

use fastest_schema::RowKey;
use std::path::PathBuf;

use fastest_schema::value::sql_value::ValueError;

use crate::base::sqlite::words;

/// An error of the replica.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// SQLite failed.
    #[error("the replica {} failed: {}", path.display(), words(error))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's error. It is not a source, because its text contains the whole statement.
        error: rusqlite::Error,
    },
    /// A newer version made the file.
    #[error("the replica {} was made by a newer version (layout {found})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout of the file.
        found: i64,
    },
    /// The file holds the rows of another application.
    #[error("the replica {} holds the rows of {found:?}, not of {asked:?}: choose another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The owner of its tables.
        found: String,
        /// The owner of the schema that it was opened with.
        asked: &'static str,
    },
    /// A newer version has migrated the file.
    #[error("the replica {} was brought to {found} by a newer version, which this one does not know: upgrade", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The recorded migration. Without one, the unknown table or column, or "other tables".
        found: String,
    },
    /// The disk is full. Going on could kill the process (SIGBUS), because SQLite writes to mapped
    /// memory.
    #[error("the disk of {} is full: free 256 KiB at least", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// The file can be read, but not written.
    #[error("{} cannot be written: its disk is read-only, or it belongs to somebody else", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file can only be read, and its tables are not those of this version, so it would have to
    /// be migrated.
    #[error("{} was made by an earlier version, and cannot be written, so that it cannot be brought up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// The file can only be read, and the copy that is needed to read its log could not be made.
    #[error("cannot copy {} to read it with its log: {source}", path.display())]
    NotCopied {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A row of an append-only table cannot be deleted.
    #[error("row {key} of {table} cannot be deleted: the table is append-only")]
    AppendOnly {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
    },
    /// A row cannot be decoded.
    #[error("the replica's row {key} of {table} cannot be read: {source}")]
    Row {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// The error of the decoder.
        source: ValueError,
    },
}
