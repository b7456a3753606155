//! The scope of an adopted table.

use std::collections::BTreeSet;

use crate::adopt::column;
use crate::adopt::error::AdoptError;
use crate::live::database::{Live, LiveTable};
use crate::record::model::{ColumnRecord, ScopePath, ScopeRecord, TableRecord};

/// Parses a scope that the user wrote, and finds the columns that it names.
pub fn scope(
    live: &Live,
    synced: &BTreeSet<&str>,
    found: &LiveTable,
    record: &TableRecord,
    written: &str,
) -> Result<ScopeRecord, AdoptError> {
    let table = record.name.clone();
    if written.trim().is_empty() {
        return Err(AdoptError::NoScope { table });
    }
    let (name, path) = match written.split_once("->").or_else(|| written.split_once(':')) {
        None => (written.trim(), None),
        Some((column, path)) => (column.trim(), Some(path)),
    };
    let Some(path) = path else {
        check_generated(&table, found, name)?;
        column_of(record, name)?;
        check_column(&table, found, name)?;
        return Ok(ScopeRecord { column: name.to_owned(), by: None });
    };
    let Some((to, target)) = path.trim().split_once('.') else {
        return Err(AdoptError::ScopeForm { table, scope: written.to_owned() });
    };
    let column = column_of(record, name)?;
    if live.tables.contains_key(to) && !synced.contains(to) {
        return Err(AdoptError::ParentNotChosen { table, to: to.to_owned() });
    }
    let reference = column.references.as_ref().filter(|reference| reference.table == to);
    let (Some(reference), Some(parent)) = (reference, live.tables.get(to)) else {
        let (column, to) = (name.to_owned(), to.to_owned());
        return Err(AdoptError::NotForeignKey { table, column, to });
    };
    check_generated(to, parent, target)?;
    check_column(to, parent, target)?;
    let (table, key) = (to.to_owned(), reference.column.clone());
    let by = Some(ScopePath { table, key, target: target.to_owned() });
    Ok(ScopeRecord { column: name.to_owned(), by })
}

/// Finds the column of a record that a scope names.
fn column_of<'a>(record: &'a TableRecord, name: &str) -> Result<&'a ColumnRecord, AdoptError> {
    record.column(name).ok_or_else(|| AdoptError::ScopeColumn {
        table: record.name.clone(),
        column: name.to_owned(),
        there: record.columns.iter().map(|column| column.name.clone()).collect(),
    })
}

/// Returns an error for a generated column: devices do not hold it.
fn check_generated(table: &str, found: &LiveTable, name: &str) -> Result<(), AdoptError> {
    match found.columns.get(name) {
        Some(column) if column.hidden => {
            Err(AdoptError::Generated { table: table.to_owned(), column: name.to_owned() })
        }
        _ => Ok(()),
    }
}

/// Checks that a column can hold a scope. It must be text: `1` and `01` are the same number but two
/// scopes.
fn check_column(table: &str, found: &LiveTable, name: &str) -> Result<(), AdoptError> {
    let (owned, column_name) = (table.to_owned(), name.to_owned());
    let Some(column) = found.columns.get(name) else {
        let there = found.written.columns.values().map(|(name, _)| name.clone()).collect();
        return Err(AdoptError::ScopeColumn { table: owned, column: column_name, there });
    };
    if !column::has_text_affinity(&column.kind) {
        let kind = column.kind.clone();
        return Err(AdoptError::ScopeKind { table: owned, column: column_name, kind });
    }
    column::compared_by_bytes(table, name, column)
}
