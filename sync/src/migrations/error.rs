//! Errors of migrations.

use std::path::PathBuf;

use fastest_schema::SchemaError;
use fastest_schema::adopt::error::AdoptError;
use fastest_schema::migrate::diff::DiffError;
use fastest_schema::migrate::folder::FolderError;

use crate::base::sqlite::words;
use crate::remote::primary::PrimaryError;

/// An error of a folder of migrations, or of a migration that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationsError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The action that failed.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file is not text.
    #[error("{}, line {line}: the file is not UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line of the first byte that is not UTF-8.
        line: usize,
    },
    /// The folder is not as it was generated.
    #[error("{}: {source}", dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it.
        source: FolderError,
    },
    /// There is no migration in a folder that should have some.
    #[error("{} holds no migrations: `fastest schema generate` makes the first", dir.display())]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// Tables of another tool cannot be synced.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The declarations cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// There is no way from the recorded schema to the declared one.
    #[error("no migration was written: {0}")]
    Diff(#[from] DiffError),
    /// The migration would lose data, or may fail because of existing rows.
    #[error("no migration was written, for it is destructive: {}", .0.join("; "))]
    Destructive(Vec<String>),
    /// A statement fails.
    #[error("{file}, line {line}: {message}")]
    Statement {
        /// The migration.
        file: String,
        /// The line at which the statement begins.
        line: usize,
        /// SQLite's message.
        message: String,
    },
    /// The migrations do not result in the declared schema.
    #[error("no migration was written: with it, the schema would not be the declared one: {}", .0.join("; "))]
    NotDeclared(Vec<String>),
    /// There is no table of this name.
    #[error("there is no table `{name}`; there are: {}", known.join(", "))]
    UnknownTable {
        /// The name.
        name: String,
        /// The tables that exist.
        known: Vec<String>,
    },
    /// SQLite failed in memory. The error has no source, because its text would contain the whole
    /// statement.
    #[error("SQLite failed in memory: {}", words(.0))]
    Memory(rusqlite::Error),
    /// The primary failed or refused the request.
    #[error(transparent)]
    Primary(#[from] PrimaryError),
}

impl MigrationsError {
    pub(super) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

impl From<rusqlite::Error> for MigrationsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Memory(error)
    }
}
