//! `conflicts` and `resolve`: rows that this device and the primary changed, each in its own way.
//!
//! The primary's row stands, and both versions are kept until the user has chosen. A choice is a
//! write like any other: it is queued, and goes out with the next push.

use fastest_schema::projects::Project;
use fastest_schema::{Kind, Table};
use rusqlite::params;
use serde_json::{Map, Value};

use crate::device::Device;
use crate::error::SyncError;
use crate::outbox::synced_table;
use crate::replica::{ReplicaError, Session, Values};
use crate::report::{ColumnConflict, ConflictsReport, ResolveReport, RowConflict};

/// What stands after a conflict.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// What was written here.
    Ours,
    /// What the primary has.
    Theirs,
    /// These columns, and the primary's otherwise.
    Value(Map<String, Value>),
}

/// A conflict as it is kept.
struct Kept {
    id: String,
    scope: String,
    table: &'static Table,
    key: String,
    columns: Vec<String>,
    base: Option<Values>,
    ours: Values,
    /// `None` where the row was deleted on the primary.
    theirs: Option<Values>,
    at: String,
}

impl Device {
    /// The conflicts of a project, or of all.
    pub fn conflicts(&mut self, project_id: Option<&str>) -> Result<ConflictsReport, SyncError> {
        let kept = self.replica.read().kept_conflicts()?;
        let ours = |kept: &Kept| project_id.is_none_or(|id| id == kept.scope);
        let conflicts = kept.iter().filter(|kept| ours(kept)).map(|kept| self.show(kept));
        Ok(ConflictsReport { conflicts: conflicts.collect::<Result<_, _>>()? })
    }

    /// Settles a conflict, which is named by its id or the beginning of one.
    pub fn resolve(
        &mut self,
        name: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, SyncError> {
        let all = self.replica.read().kept_conflicts()?;
        // The empty text begins them all, and names none.
        let named = |kept: &Kept| !name.is_empty() && kept.id.starts_with(name);
        let mut found: Vec<Kept> = all.into_iter().filter(named).collect();
        let kept = match found.len() {
            1 => found.remove(0),
            0 => {
                let (what, name) = ("conflict", name.to_owned());
                return Err(SyncError::Unknown { what, name, nearest: None });
            }
            _ => {
                let candidates = found.into_iter().map(|kept| kept.id).collect();
                let (what, name) = ("conflict", name.to_owned());
                return Err(SyncError::Ambiguous { what, name, candidates });
            }
        };
        let written = self.replica.write(|session| {
            let current = session.values(kept.table, &kept.key)?;
            let wanted = wanted(&kept, current.as_ref(), resolution)?;
            session.run("DELETE FROM fastest_local_conflict WHERE id = ?1", [&kept.id])?;
            match wanted {
                Some(row) if current.as_ref() != Some(&row) => {
                    session.save_values(&kept.scope, kept.table, &row)?;
                    Ok::<_, SyncError>(true)
                }
                _ => Ok(false),
            }
        })?;
        Ok(ResolveReport { conflict: self.show(&kept)?, written })
    }

    fn show(&self, kept: &Kept) -> Result<RowConflict, SyncError> {
        let session = self.replica.read();
        let now = session.values(kept.table, &kept.key)?;
        let value = |values: Option<&Values>, at: usize| values.map(|values| values[at].clone());
        let columns = kept.table.columns.iter().enumerate();
        let columns = columns.filter(|(_, column)| {
            kept.theirs.is_none() || kept.columns.iter().any(|name| name == column.name)
        });
        Ok(RowConflict {
            id: kept.id.clone(),
            project: session.row::<Project>(&kept.scope)?.map(|project| project.name),
            table: kept.table.name.to_owned(),
            key: kept.key.clone(),
            deleted: kept.theirs.is_none(),
            at: kept.at.clone(),
            columns: columns
                .map(|(at, column)| ColumnConflict {
                    column: column.name.to_owned(),
                    base: value(kept.base.as_ref(), at),
                    ours: kept.ours[at].clone(),
                    theirs: value(kept.theirs.as_ref(), at),
                    now: value(now.as_ref(), at),
                })
                .collect(),
        })
    }
}

/// The row that a resolution asks for; `None` where the primary's is to stand as it is.
fn wanted(
    kept: &Kept,
    current: Option<&Values>,
    resolution: &Resolution,
) -> Result<Option<Values>, SyncError> {
    let mut row = current.unwrap_or(&kept.ours).clone();
    let columns = kept.table.columns.iter().enumerate();
    match resolution {
        Resolution::Theirs => return Ok(None),
        Resolution::Ours => {
            for (at, column) in columns {
                if kept.columns.iter().any(|name| name == column.name) {
                    row[at] = kept.ours[at].clone();
                }
            }
        }
        Resolution::Value(given) => {
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
                row[at] = value.clone();
            }
        }
    }
    Ok(Some(row))
}

fn fits(column: &fastest_schema::Column, value: &Value) -> bool {
    match column.kind {
        _ if value.is_null() => column.null,
        Kind::Text => value.is_string(),
        Kind::Integer => value.is_i64(),
        Kind::Real => value.is_number(),
    }
}

fn bad_value(table: &Table, column: &str, why: &'static str) -> SyncError {
    SyncError::BadValue { table: table.name, column: column.to_owned(), why }
}

impl Session<'_> {
    /// Every conflict, oldest first.
    fn kept_conflicts(&self) -> Result<Vec<Kept>, ReplicaError> {
        let sql = "SELECT id, scope, tbl, pk, columns, base, ours, theirs, at
                   FROM fastest_local_conflict ORDER BY id";
        let found = self.all(sql, params![], |row| {
            let cell = |at: usize| row.get::<_, String>(at);
            let maybe = |at: usize| row.get::<_, Option<String>>(at);
            Ok((
                [cell(0)?, cell(1)?, cell(2)?, cell(3)?, cell(4)?, cell(6)?, cell(8)?],
                [maybe(5)?, maybe(7)?],
            ))
        })?;
        let mut all = Vec::with_capacity(found.len());
        for ([id, scope, table, key, columns, ours, at], [base, theirs]) in found {
            // A table that this build does not know: the one that knows it shows the conflict.
            let Some(table) = synced_table(&table) else { continue };
            let values = |text: &str| parse(table, &key, text);
            all.push(Kept {
                base: base.as_deref().map(values).transpose()?,
                ours: values(&ours)?,
                theirs: theirs.as_deref().map(values).transpose()?,
                columns: columns.split(',').filter(|c| !c.is_empty()).map(Into::into).collect(),
                id,
                scope,
                table,
                key,
                at,
            });
        }
        Ok(all)
    }
}

fn parse(table: &'static Table, key: &str, text: &str) -> Result<Values, ReplicaError> {
    let broken = |source| ReplicaError::Row { table: table.name, key: key.to_owned(), source };
    let values: Values = serde_json::from_str(text).map_err(broken)?;
    match values.len() == table.columns.len() {
        true => Ok(values),
        false => Err(broken(serde::de::Error::invalid_length(
            values.len(),
            &"as many values as the table has columns",
        ))),
    }
}
