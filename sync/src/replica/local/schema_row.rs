//! The table `fastest_local_schema`: the application, the schema and the scope that a file belongs to.

use fastest_schema::ScopeId;
use rusqlite::{Connection, params};

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The only row of that table. It has the owner of the file's tables, their schema when the file was
/// last opened, and the scope, if the file is for a single one.
#[derive(Clone, Copy)]
pub(crate) struct SchemaRow<'a>(pub(crate) Session<'a>);

impl SchemaRow<'_> {
    /// Returns the file's scope; `None` if the file may hold rows of any scope.
    pub(crate) fn scope(&self) -> Result<Option<ScopeId>, ReplicaError> {
        Ok(self.0.get::<Option<ScopeId>>("SELECT scope FROM fastest_local_schema", [])?.flatten())
    }

    /// Returns [`ReplicaError::Foreign`] if the file belongs to another application.
    pub(crate) fn check_owner(&self) -> Result<(), ReplicaError> {
        let owner: Option<String> = self.0.get("SELECT owner FROM fastest_local_schema", [])?;
        match owner {
            Some(found) if found != self.0.schema.owner => {
                let (path, asked) = (self.0.path.to_owned(), self.0.schema.owner);
                Err(ReplicaError::Foreign { path, found, asked })
            }
            _ => Ok(()),
        }
    }

    /// Sets the file's scope; `None` for rows of any scope.
    pub(crate) fn set_scope(&self, scope: Option<&ScopeId>) -> Result<(), ReplicaError> {
        self.0.run("UPDATE fastest_local_schema SET scope = ?1", [scope]).map(drop)
    }

    /// Inserts the row: the owner, the last migration, and the schema as a record in JSON.
    pub(crate) fn put(
        &self,
        owner: &str,
        migration: Option<&str>,
        record: &str,
    ) -> Result<(), ReplicaError> {
        let sql = "INSERT INTO fastest_local_schema(one, owner, migration, record)
                   VALUES (1, ?1, ?2, ?3)";
        self.0.run(sql, params![owner, migration, record]).map(drop)
    }

    /// Returns the recorded schema and the last migration; `None` if there is no row yet.
    pub(crate) fn record(&self) -> Result<Option<(String, Option<String>)>, ReplicaError> {
        let sql = "SELECT record, migration FROM fastest_local_schema";
        Ok(self.0.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?.pop())
    }

    /// Updates the recorded schema and the last migration.
    pub(crate) fn set_record(
        &self,
        migration: Option<&str>,
        record: &str,
    ) -> Result<(), ReplicaError> {
        let sql = "UPDATE fastest_local_schema SET record = ?1, migration = ?2";
        self.0.run(sql, params![record, migration]).map(drop)
    }

    /// Whether the recorded schema and migration are these.
    pub(crate) fn is_at(
        &self,
        migration: Option<&str>,
        record: &str,
    ) -> Result<bool, ReplicaError> {
        let sql = "SELECT record = ?1 AND migration IS ?2 FROM fastest_local_schema";
        Ok(self.0.get(sql, params![record, migration])?.unwrap_or(false))
    }
}

/// Whether a SQLite file has the table `fastest_local_schema`, which makes it a replica.
pub(crate) fn is_there(file: &Connection) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE name = 'fastest_local_schema'";
    file.query_row(sql, [], |row| row.get(0))
}

/// Reads the recorded schema, the last migration and the scope without opening the file as a replica.
pub(crate) fn read(
    file: &Connection,
) -> Result<(String, Option<String>, Option<ScopeId>), rusqlite::Error> {
    let sql = "SELECT record, migration, scope FROM fastest_local_schema";
    file.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
