//! Turns chosen tables of a database that another tool manages into records.
//!
//! The engine adds triggers to such a table, and changes nothing else. A table is refused if
//! devices could not hold its rows, or could not write them without harm.

use std::collections::BTreeSet;

use crate::adopt::column;
use crate::adopt::error::AdoptError;
use crate::adopt::key::key;
use crate::adopt::name::is_identifier;
use crate::adopt::reference::reference;
use crate::adopt::scope::scope;
use crate::adopt::unique::{Unique, check_replacing, is_unique, unique};
use crate::adopt::watched::{has_multi_column_constraint, watched};
use crate::check::declarations::{RESERVED, TAKEN_TABLES, check};
use crate::declare::order::parents_first;
use crate::declare::table::{Policy, Table};
use crate::live::database::{Live, LiveTable};
use crate::record::model::TableRecord;

/// A table to adopt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name in the database.
    pub table: String,
    /// Where the scope of its rows is found: `column`, or `column:table.column` for a column of the
    /// row that a foreign key refers to, such as `taskId:tasks.teamId`. The colon needs no quotes
    /// in a shell; ` -> ` is accepted as well, as in declarations.
    pub scope: String,
    /// How its rows are synced.
    pub policy: Policy,
}

impl Chosen {
    /// Chooses a table with [`Policy::Versioned`]: any device may change its rows.
    pub fn versioned(table: &str, scope: &str) -> Chosen {
        let (table, scope) = (table.to_owned(), scope.to_owned());
        Chosen { table, scope, policy: Policy::Versioned }
    }
}

/// Returns the chosen tables as records, parents first, or all the reasons why that is not
/// possible. `held` are tables that were adopted before: foreign keys and scopes may refer to them.
///
/// All records are external. Existing values are not checked here:
/// [`misfits_sql`](crate::adopt::misfits::misfits_sql) counts those that do not fit.
/// [`notes`](crate::adopt::notes::notes) explains the result to the user.
pub fn adopt(
    live: &Live,
    chosen: &[Chosen],
    held: &[TableRecord],
) -> Result<Vec<TableRecord>, AdoptError> {
    let synced = chosen.iter().map(|chosen| &*chosen.table);
    let synced: BTreeSet<&str> = synced.chain(held.iter().map(|table| &*table.name)).collect();
    let mut records = Vec::with_capacity(chosen.len());
    let mut refused = Vec::new();
    for chosen_table in chosen {
        match table(live, &synced, chosen_table) {
            Ok(record) => records.push(record),
            Err(errors) => refused.extend(errors),
        }
    }
    if !refused.is_empty() {
        return Err(AdoptError::all(refused));
    }
    let all = records.iter().chain(held);
    let tables: Vec<&'static Table> = all.map(TableRecord::leak).collect();
    check(&tables)?;
    let is_new = |table: &&&Table| records.iter().any(|record| record.name == table.name);
    let ordered = parents_first(&tables);
    Ok(ordered.iter().filter(is_new).map(|table| TableRecord::from(*table)).collect())
}

fn table(
    live: &Live,
    synced: &BTreeSet<&str>,
    chosen: &Chosen,
) -> Result<TableRecord, Vec<AdoptError>> {
    let found = find(live, chosen).map_err(|error| vec![error])?;
    let name = &chosen.table;
    let mut refused = Vec::new();
    let pk = key(name, found).map_err(|error| refused.push(error)).unwrap_or_default();
    let mut columns = Vec::new();
    for (column, default) in found.written.columns.values() {
        let Some(known) = found.columns.get(column).filter(|known| !known.hidden) else { continue };
        match column::record(name, column, known, default.as_deref()) {
            Ok(record) => columns.push(record),
            Err(error) => refused.push(error),
        }
    }
    let watched =
        if has_multi_column_constraint(found) { BTreeSet::new() } else { watched(live, name) };
    for column in &mut columns {
        column.watched = watched.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        column.null &= column.name != pk;
        column.unique = column.name != pk && is_unique(found, &column.name);
        match reference(live, synced, name, found, &column.name) {
            Ok(reference) => column.references = reference,
            Err(error) => refused.push(error),
        }
    }
    refused.extend(check_replacing(name, found, &columns).err());
    // If a column was refused, the scope could be refused for the same reason again.
    if !refused.is_empty() {
        return Err(refused);
    }
    let Unique { indexes, rules, .. } = unique(found, &pk, &columns);
    let mut record = TableRecord {
        name: name.clone(),
        pk,
        columns,
        indexes,
        unique_rules: rules,
        policy: chosen.policy,
        scope: None,
        external: true,
        replaces: !found.replacing.is_empty(),
        renamed_from: None,
    };
    let scope = scope(live, synced, found, &record, &chosen.scope);
    record.scope = Some(scope.map_err(|error| vec![error])?);
    Ok(record)
}

/// Finds the chosen table in the database. Checks its name, that it is an ordinary table and not
/// synced yet, and that the chosen policy is not private.
fn find<'a>(live: &'a Live, chosen: &Chosen) -> Result<&'a LiveTable, AdoptError> {
    let table = chosen.table.clone();
    let is_reserved = |prefix: &&str| table.to_ascii_lowercase().starts_with(*prefix);
    if RESERVED.iter().any(is_reserved) {
        return Err(AdoptError::Reserved { table });
    }
    if live.views.contains_key(&table) {
        return Err(AdoptError::View { table });
    }
    let Some(found) = live.tables.get(&table) else {
        let is_theirs = |name: &&String| !RESERVED.iter().any(|prefix| name.starts_with(*prefix));
        let there = live.tables.keys().filter(is_theirs).cloned().collect();
        return Err(AdoptError::NoTable { table, there });
    };
    if found.options.contains("VIRTUAL") {
        return Err(AdoptError::Virtual { table });
    }
    if live.triggers.contains_key(&format!("fastest_{table}_insert")) {
        return Err(AdoptError::Synced { table });
    }
    if chosen.policy == Policy::Private {
        return Err(AdoptError::Private { table });
    }
    if !is_identifier(&table) || TAKEN_TABLES.contains(&table.to_ascii_lowercase().as_str()) {
        let name = table.clone();
        return Err(AdoptError::Name { table, name });
    }
    Ok(found)
}
