//! Conflicts: rows that this device and the primary changed differently.
//!
//! The primary's row is used, and both versions are kept until the user has chosen one. A choice is
//! a write like any other: it is queued, and sent with the next push.

use std::collections::BTreeMap;

use fastest_schema::tables::projects::Project;
use fastest_schema::{Kind, RowKey, ScopeId, Table, Value};
use serde::Serialize;

use crate::replica::error::ReplicaError;
use crate::replica::local::conflicts::{ConflictId, Conflicts, KeptConflict};
use crate::replica::local::outbox::Outbox;
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::session::Session;
use crate::replica::values::Values;
use crate::rows::write::Writer;
use crate::rows::write_error::WriteError;

/// A row that this device and the primary changed differently.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RowConflict {
    /// Its id, which `fastest resolve` takes.
    pub id: ConflictId,
    /// The name of the project; null for an application's row.
    pub project: Option<String>,
    /// The row's table.
    pub table: String,
    /// The row's key.
    pub key: RowKey,
    /// Whether the primary deleted the row that was changed here.
    pub deleted: bool,
    /// Whether the row was deleted here and changed on the primary. Omitted if it was not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted_here: bool,
    /// When the conflict was found. RFC 3339, UTC.
    pub at: String,
    /// The columns that both sides changed; all columns, if one side deleted the row.
    pub columns: Vec<ColumnConflict>,
}

/// The values of one column in a conflict. A value is also null if there is no row.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ColumnConflict {
    /// Its name.
    pub column: String,
    /// The value before both sides changed it.
    pub base: Option<serde_json::Value>,
    /// The value that was written here; null if the row was deleted here.
    pub ours: serde_json::Value,
    /// The value that the primary had.
    pub theirs: Option<serde_json::Value>,
    /// The value that is stored now.
    pub now: Option<serde_json::Value>,
}

/// The outcome of `fastest resolve`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ResolveReport {
    /// The conflict that was resolved.
    pub conflict: RowConflict,
    /// Whether a change of the row waits for the next push.
    pub written: bool,
}

/// An error in resolving a conflict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// No conflict has this id.
    #[error("there is no conflict {name:?}")]
    Unknown {
        /// The id given.
        name: String,
    },
    /// Several conflicts have an id that begins with this.
    #[error("{name:?} may be any of the conflicts {}", candidates.join("; "))]
    Ambiguous {
        /// The id given.
        name: String,
        /// The ids of the matching conflicts.
        candidates: Vec<String>,
    },
    /// The row cannot hold the value.
    #[error("column {column:?} of {table}: {why}")]
    BadValue {
        /// The table.
        table: &'static str,
        /// The column given.
        column: String,
        /// What is wrong with the value.
        why: &'static str,
    },
    /// The row that was chosen cannot be written.
    #[error(transparent)]
    Write(WriteError),
    /// The replica failed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

impl From<WriteError> for ResolveError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Replica(error) => Self::Replica(error),
            error => Self::Write(error),
        }
    }
}

/// How a conflict is resolved.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Resolution {
    /// Use this device's version. The row is deleted if it was deleted here.
    Ours,
    /// Keep the primary's version.
    Theirs,
    /// Use these values, and the present ones in all other columns.
    Value(BTreeMap<String, Value>),
}

/// The effect of a resolution.
enum Wanted {
    /// The row stays as it is.
    Nothing,
    /// The row is deleted.
    Gone,
    /// This row is written.
    Row(Values),
}

/// Shows and resolves conflicts.
#[derive(Clone, Copy)]
pub(crate) struct Resolver<'a>(pub(crate) Session<'a>);

impl Resolver<'_> {
    /// Returns the conflicts of a scope, or of all, oldest first.
    pub(crate) fn conflicts(
        &self,
        scope: Option<&ScopeId>,
    ) -> Result<Vec<RowConflict>, ReplicaError> {
        let kept = Conflicts(self.0).all()?.into_iter();
        let kept = kept.filter(|kept| scope.is_none_or(|scope| *scope == kept.scope));
        kept.map(|kept| self.show(&kept)).collect()
    }

    /// Resolves a conflict, given by its id or a prefix of it.
    pub(crate) fn resolve(
        &self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, ResolveError> {
        let kept = self.named_conflict(name)?;
        let current = self.0.values(kept.table, &kept.key)?;
        let wanted = wanted(&kept, current.as_ref(), resolution)?;
        Conflicts(self.0).remove(&kept.id)?;
        let written = match wanted {
            Wanted::Row(row) if current.as_ref() != Some(&row) => {
                self.settle(&kept, &row)?;
                true
            }
            Wanted::Gone if !self.0.rules.choices_are_checked => {
                Outbox(self.0).remove(&kept.scope, kept.table, &kept.key)?
            }
            Wanted::Gone => {
                Writer(self.0).delete(SchemaRow(self.0).scope()?.as_ref(), kept.table, &kept.key)?
            }
            Wanted::Row(_) | Wanted::Nothing => false,
        };
        Ok(ResolveReport { conflict: self.show(&kept)?, written })
    }

    /// Writes the chosen row. An application's row is checked like any other write.
    fn settle(&self, kept: &KeptConflict, row: &[Value]) -> Result<(), ResolveError> {
        if self.0.rules.choices_are_checked {
            Ok(Writer(self.0).write(SchemaRow(self.0).scope()?.as_ref(), kept.table, row)?)
        } else {
            Ok(Outbox(self.0).save_values(&kept.scope, kept.table, row)?)
        }
    }

    fn named_conflict(&self, name: &str) -> Result<KeptConflict, ResolveError> {
        // Every id begins with the empty string, so that must not match.
        let named = |kept: &KeptConflict| !name.is_empty() && kept.id.as_str().starts_with(name);
        let mut found: Vec<KeptConflict> =
            Conflicts(self.0).all()?.into_iter().filter(named).collect();
        let name = name.to_owned();
        match found.len() {
            1 => Ok(found.remove(0)),
            0 => Err(ResolveError::Unknown { name }),
            _ => {
                let candidates = found.into_iter().map(|kept| kept.id.into()).collect();
                Err(ResolveError::Ambiguous { name, candidates })
            }
        }
    }

    fn show(&self, kept: &KeptConflict) -> Result<RowConflict, ReplicaError> {
        let now = self.0.values(kept.table, &kept.key)?;
        let value = |values: Option<&Values>, at: usize| values.map(|values| values[at].to_json());
        let (deleted, deleted_here) = (kept.theirs.is_none(), kept.ours.is_none());
        let columns = kept.table.columns.iter().enumerate();
        let columns = columns.filter(|(_, column)| {
            deleted || deleted_here || kept.columns.iter().any(|name| name == column.name)
        });
        let project = if self.0.rules.scopes_are_projects {
            self.0.row::<Project>(&kept.scope.project())?.map(|project| project.name)
        } else {
            None
        };
        Ok(RowConflict {
            id: kept.id.clone(),
            project,
            table: kept.table.name.to_owned(),
            key: kept.key.clone(),
            deleted,
            deleted_here,
            at: kept.at.clone(),
            columns: columns
                .map(|(at, column)| ColumnConflict {
                    column: column.name.to_owned(),
                    base: value(kept.base.as_ref(), at),
                    ours: value(kept.ours.as_ref(), at).unwrap_or_default(),
                    theirs: value(kept.theirs.as_ref(), at),
                    now: value(now.as_ref(), at),
                })
                .collect(),
        })
    }
}

/// Decides what a resolution does.
fn wanted(
    kept: &KeptConflict,
    current: Option<&Values>,
    resolution: &Resolution,
) -> Result<Wanted, ResolveError> {
    let row = current.or(kept.ours.as_ref()).cloned();
    let columns = kept.table.columns.iter().enumerate();
    match (resolution, &kept.ours, row) {
        (Resolution::Theirs, ..) => Ok(Wanted::Nothing),
        (Resolution::Ours, None, _) => Ok(Wanted::Gone),
        (Resolution::Ours, Some(ours), row) => {
            let mut row = row.unwrap_or_else(|| ours.clone());
            for (at, column) in columns {
                if kept.columns.iter().any(|name| name == column.name) {
                    row[at] = ours[at].clone();
                }
            }
            Ok(Wanted::Row(row))
        }
        (Resolution::Value(_), _, None) => {
            Err(bad_value(kept.table, kept.table.pk, "the row is gone on both sides"))
        }
        (Resolution::Value(given), _, Some(mut row)) => {
            for name in given.keys() {
                let known = |column: &fastest_schema::Column| column.name == name;
                if !kept.table.columns.iter().any(known) {
                    return Err(bad_value(kept.table, name, "there is no such column"));
                }
            }
            for (at, column) in columns {
                let Some(value) = given.get(column.name) else { continue };
                if column.name == kept.table.pk || column.lock_version {
                    return Err(bad_value(kept.table, column.name, "it cannot be chosen"));
                }
                if !fits(column, value) {
                    return Err(bad_value(kept.table, column.name, "it cannot hold this value"));
                }
                row[at] = match (column.kind, value) {
                    (Kind::Real, Value::Integer(integer)) => Value::Real(*integer as f64),
                    (_, value) => value.clone(),
                };
            }
            Ok(Wanted::Row(row))
        }
    }
}

fn fits(column: &fastest_schema::Column, value: &Value) -> bool {
    match (column.kind, value) {
        (_, Value::Null) => column.null,
        (_, value) if value.is_nan() => false,
        (Kind::Text, Value::Text(_))
        | (Kind::Integer, Value::Integer(_))
        | (Kind::Real, Value::Real(_) | Value::Integer(_)) => true,
        _ => false,
    }
}

fn bad_value(table: &Table, column: &str, why: &'static str) -> ResolveError {
    ResolveError::BadValue { table: table.name, column: column.to_owned(), why }
}
