//! Why the replica could not do what was asked.

use std::path::PathBuf;

use fastest_schema::value::sql_value::ValueError;

use crate::base::sqlite::words;

/// Why the replica could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// SQLite failed.
    #[error("the replica {} failed: {}", path.display(), words(error))]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says; no source of this one, since its text holds the whole statement.
        error: rusqlite::Error,
    },
    /// The file is of a newer version.
    #[error("the replica {} was made by a newer version (layout {found})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The layout found.
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
    /// A newer version has brought the file further.
    #[error("the replica {} was brought to {found} by a newer version, which this one does not know: upgrade", path.display())]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// The migration, or what else is not known.
        found: String,
    },
    /// The disk is full, and to go on could kill the process.
    #[error("the disk of {} is full: free 256 KiB at least", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// It can be read, and not written.
    #[error("{} cannot be written: its disk is read-only, or it belongs to somebody else", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It can only be read, and an earlier version made it.
    #[error("{} was made by an earlier version, and cannot be written, so that it cannot be brought up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// It can only be read, and its log only in a copy.
    #[error("cannot copy {} to read it with its log: {source}", path.display())]
    NotCopied {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A row of an append-only table was to be deleted.
    #[error("row {key} of {table} cannot be deleted: the table is append-only")]
    AppendOnly {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
    },
    /// A row does not hold what its table promises.
    #[error("the replica's row {key} of {table} cannot be read: {source}")]
    Row {
        /// The table.
        table: &'static str,
        /// The key.
        key: String,
        /// What the decoder says.
        source: ValueError,
    },
}
