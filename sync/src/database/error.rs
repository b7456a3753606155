//! Errors of an application's database.

use std::path::PathBuf;

use fastest_schema::{SchemaError, ScopeId};

use crate::base::own_thread::NoThread;
use crate::error::SyncError;
use crate::replica::error::ReplicaError;
use crate::rows::write_error::WriteError;

/// An error of an application's database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The row cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file was made for another scope, or for rows of any scope.
    #[error("{} was made for {}, not for {}: choose another file", path.display(), named(held.as_ref()), named(asked.as_ref()))]
    OtherScope {
        /// The file.
        path: PathBuf,
        /// The scope that it holds; `None` for any.
        held: Option<ScopeId>,
        /// The scope that was asked for.
        asked: Option<ScopeId>,
    },
    /// The file cannot be read as an application's rows.
    #[error("{} cannot be read as the rows of an application: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The table has no such column.
    #[error("table {table} has no column {column:?}")]
    NoColumn {
        /// The table.
        table: &'static str,
        /// The name given.
        column: String,
    },
    /// A push, a pull or the resolution of a conflict failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

fn named(scope: Option<&ScopeId>) -> String {
    scope.map_or_else(|| "any scope".to_owned(), |scope| format!("scope {scope:?}"))
}

impl From<NoThread> for DatabaseError {
    fn from(error: NoThread) -> Self {
        Self::Sync(error.into())
    }
}

impl From<ReplicaError> for DatabaseError {
    fn from(error: ReplicaError) -> Self {
        Self::Sync(error.into())
    }
}
