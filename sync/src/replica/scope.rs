//! The scope that a row belongs to.

use std::collections::BTreeSet;

use fastest_schema::{RowKey, Scope, ScopeId, Table, Value};

use crate::replica::error::ReplicaError;
use crate::replica::keys::referable;
use crate::replica::local::cursors::Cursors;
use crate::replica::local::known::Known;
use crate::replica::local::outbox::Outbox;
use crate::replica::session::Session;
use crate::replica::values::{Bound, column, key_of};

/// An error when finding the scope of a row.
#[derive(Debug)]
pub(crate) enum ScopeError {
    /// The scope of the row cannot be found from its values.
    None {
        /// The table.
        table: &'static str,
        /// The key.
        key: RowKey,
        /// What is missing.
        why: String,
    },
    /// The replica failed.
    Replica(ReplicaError),
}

impl From<ReplicaError> for ScopeError {
    fn from(error: ReplicaError) -> Self {
        Self::Replica(error)
    }
}

/// The scopes of rows. In Fastest's own tables, each scope is a project; an application declares
/// its own.
#[derive(Clone, Copy)]
pub(crate) struct Scopes<'a>(pub(crate) Session<'a>);

impl Scopes<'_> {
    /// Returns the scope of a row: its own value in the scope column, or that of the row to which
    /// it refers, as the table declares.
    pub(crate) fn of(
        &self,
        table: &'static Table,
        values: &[Value],
    ) -> Result<ScopeId, ScopeError> {
        let why = match table.scope {
            None => "its table declares none".to_owned(),
            Some(Scope::Column(name)) => match column(table, values, name) {
                Some(scope) => return Ok(scope.into()),
                None => format!("its column {name} holds no text"),
            },
            Some(Scope::Path { column: name, table: parent, key, target }) => {
                match referable(table, values, name) {
                    None => format!("its column {name} is null"),
                    Some(value) => {
                        let sql = format!("SELECT `{target}` FROM `{parent}` WHERE `{key}` = ?1");
                        match self.0.get::<Option<ScopeId>>(&sql, [Bound(value)])?.flatten() {
                            Some(scope) => return Ok(scope),
                            None => format!(
                                "it follows row {} of {parent}, which is not here or has none",
                                value
                                    .as_str()
                                    .map_or_else(|| value.to_json().to_string(), str::to_owned)
                            ),
                        }
                    }
                }
            }
        };
        Err(ScopeError::None { table: table.name, key: key_of(table, values), why })
    }

    /// Returns the scopes that the replica holds.
    pub(crate) fn held(&self) -> Result<Vec<ScopeId>, ReplicaError> {
        if self.0.rules.scopes_are_projects {
            return self.0.all("SELECT id FROM projects", [], |row| row.get(0));
        }
        let mut scopes = BTreeSet::from_iter(Known(self.0).scopes()?);
        scopes.extend(Cursors(self.0).scopes()?);
        scopes.extend(Outbox(self.0).scopes()?);
        Ok(scopes.into_iter().collect())
    }
}
