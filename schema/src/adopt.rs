//! From a database that another tool makes to the records of its tables that are to be synced.
//!
//! Such a table stays as it is: the engine adds triggers, and nothing else. What a device could not
//! hold, or write without harm, is refused, for devices hold back a row that does not fit its
//! column.

mod changed;
mod column;
mod declarations;
mod error;
mod misfits;
mod notes;
mod rebuild;
mod scope;
mod unique;

pub use changed::changed;
pub use declarations::declarations;
pub use error::AdoptError;
pub use misfits::{misfits, misfits_sql};
pub use notes::notes;
pub use rebuild::{hold_sql, release_sql};

use std::collections::BTreeSet;

use crate::check::{RESERVED, TAKEN_TABLES};
use crate::live::{Live, LiveIndex, LiveKey, LiveTable};
use crate::record::{ColumnRecord, ReferenceRecord, TableRecord};
use crate::{OnDelete, Policy, Table, check, parents_first};

/// A table that is to be synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its name in the database.
    pub table: String,
    /// By what its rows are shared: `column`, or `column:table.column` for the column of the row
    /// that a foreign key leads to, such as `taskId:tasks.teamId`. The colon needs no quotes in a
    /// shell; ` -> `, as declarations have it, is understood as well.
    pub scope: String,
    /// How its rows travel.
    pub policy: Policy,
}

impl Chosen {
    /// A table whose rows any device may change.
    pub fn versioned(table: &str, scope: &str) -> Chosen {
        let (table, scope) = (table.to_owned(), scope.to_owned());
        Chosen { table, scope, policy: Policy::Versioned }
    }
}

/// The chosen tables as records, parents first; or everything that stands in the way. `held` are those
/// that were adopted before: foreign keys and scopes may lead to them.
///
/// All are external. The database says nothing of the values that are there already: ask for those
/// that do not fit with [`misfits_sql`]. What a person should know of the result is in [`notes()`].
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
    let watched = if is_checked_whole(found) { BTreeSet::new() } else { watched(live, name) };
    for column in &mut columns {
        column.watched = watched.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
        column.null &= column.name != pk;
        column.unique = column.name != pk && is_unique(found, &column.name);
        match reference(live, synced, name, found, &column.name) {
            Ok(reference) => column.references = reference,
            Err(error) => refused.push(error),
        }
    }
    refused.extend(unique::check_replacing(name, found, &columns).err());
    // Without its columns, a scope would be refused for what was refused already.
    if !refused.is_empty() {
        return Err(refused);
    }
    let unique::Unique { indexes, rules, .. } = unique::unique(found, &pk, &columns);
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
    let scope = scope::scope(live, synced, found, &record, &chosen.scope);
    record.scope = Some(scope.map_err(|error| vec![error])?);
    Ok(record)
}

/// The table in the database, if it is one that the engine can be put on.
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

/// Words that Rust allows for no name, however written.
const RUST_PATHS: [&str; 4] = ["crate", "self", "Self", "super"];

/// Whether it can name a field, and a part of a JSON path.
fn is_identifier(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    begins && plain && name != "_" && !RUST_PATHS.contains(&name)
}

/// Whether a table has a constraint over several columns. Were these set one after the other, it could
/// break half-way.
fn is_checked_whole(found: &LiveTable) -> bool {
    let names = |check: &&String| {
        let words = check.split(|c: char| !c.is_alphanumeric() && c != '_');
        let words: BTreeSet<String> = words.map(str::to_lowercase).collect();
        found.columns.keys().filter(|name| words.contains(&name.to_lowercase())).count()
    };
    let is_unique_together = |index: &LiveIndex| index.unique && index.columns.len() > 1;
    found.checks.iter().any(|check| names(&check) > 1)
        || found.indexes.values().any(is_unique_together)
}

/// The columns of a table that triggers of the application's own watch, in lower case: those that a
/// trigger `UPDATE OF` names.
fn watched(live: &Live, table: &str) -> BTreeSet<String> {
    let is_theirs = |name: &str| !RESERVED.iter().any(|prefix| name.starts_with(prefix));
    let triggers = live.triggers.iter();
    let triggers =
        triggers.filter(|(name, found)| is_theirs(name) && found.table.eq_ignore_ascii_case(table));
    let mut watched = BTreeSet::new();
    for (_, trigger) in triggers {
        let mut words = trigger.sql.split(' ').skip_while(|word| *word != "of");
        // Whatever stands before `ON` comes before the trigger's body.
        let head = trigger.sql.split(' ').take_while(|word| *word != "on");
        if head.into_iter().any(|word| word == "of") {
            words.next();
            watched.extend(words.take_while(|word| *word != "on").map(str::to_owned));
        }
    }
    watched.remove(",");
    watched
}

/// The primary key: one column of text, by its bytes.
fn key(table: &str, found: &LiveTable) -> Result<String, AdoptError> {
    let table = table.to_owned();
    let mut keys: Vec<_> = found.columns.iter().filter(|(_, column)| column.pk > 0).collect();
    keys.sort_by_key(|(_, column)| column.pk);
    let (name, column) = match keys[..] {
        [] => return Err(AdoptError::NoKey { table }),
        [one] => one,
        _ => {
            let columns = keys.into_iter().map(|(name, _)| name.clone()).collect();
            return Err(AdoptError::KeyColumns { table, columns });
        }
    };
    let (name, kind) = (name.clone(), column.kind.clone());
    match column::has_text_affinity(&kind) {
        _ if kind.contains("int") => Err(AdoptError::IntegerKey { table, column: name }),
        false => Err(AdoptError::KeyKind { table, column: name, kind }),
        true => column::compared_by_bytes(&table, &name, column).map(|()| name),
    }
}

/// Whether an index keeps the values of a column apart by itself.
fn is_unique(table: &LiveTable, column: &str) -> bool {
    table.indexes.values().any(|index| {
        let is_alone = matches!(&index.columns[..], [(Some(name), ..)] if name == column);
        index.unique && index.sql.is_none() && is_alone
    })
}

/// The foreign key of a column to a table that devices hold as well, whose values are of its own kind:
/// devices compare them as they are. Others stay the primary's matter: what a delete there does to the
/// rows here, the triggers hear of.
fn reference(
    live: &Live,
    synced: &BTreeSet<&str>,
    table: &str,
    found: &LiveTable,
    column: &str,
) -> Result<Option<ReferenceRecord>, AdoptError> {
    let Some((to, target, key)) = found
        .keys
        .iter()
        .filter(|key| key.columns == [column])
        .find_map(|key| resolved(live, key).filter(|(to, ..)| synced.contains(to)))
        .filter(|(to, target, _)| is_of_one_kind(found, column, &live.tables[*to], target))
    else {
        return Ok(None);
    };
    let on_delete = match key.on_delete.to_ascii_uppercase().as_str() {
        "NO ACTION" => OnDelete::NoAction,
        "RESTRICT" => OnDelete::Restrict,
        "CASCADE" => OnDelete::Cascade,
        "SET NULL" => OnDelete::SetNull,
        _ => {
            let (table, column) = (table.to_owned(), column.to_owned());
            return Err(AdoptError::OnDelete { table, column, action: key.on_delete.clone() });
        }
    };
    Ok(Some(ReferenceRecord { table: to.to_owned(), column: target, on_delete }))
}

fn is_of_one_kind(child: &LiveTable, column: &str, parent: &LiveTable, target: &str) -> bool {
    let kind = |table: &LiveTable, name: &str| column::kind(&table.columns.get(name)?.kind).ok();
    kind(child, column) == kind(parent, target)
}

/// What a foreign key of one column refers to, by the names that are there: SQLite takes them in
/// either case, and a key that names no column means the primary key.
fn resolved<'a>(live: &'a Live, key: &'a LiveKey) -> Option<(&'a str, String, &'a LiveKey)> {
    let [target] = &key.targets[..] else { return None };
    let (name, to) = live.tables.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.table))?;
    let is_meant = |(name, column): &(&String, &crate::live::LiveColumn)| match target.as_str() {
        "" => column.pk > 0,
        target => name.eq_ignore_ascii_case(target),
    };
    let (column, _) = to.columns.iter().find(is_meant)?;
    Some((name, column.clone(), key))
}

/// The column of a record, which scopes ask for by name.
fn column_of<'a>(record: &'a TableRecord, name: &str) -> Result<&'a ColumnRecord, AdoptError> {
    record.column(name).ok_or_else(|| AdoptError::ScopeColumn {
        table: record.name.clone(),
        column: name.to_owned(),
        there: record.columns.iter().map(|column| column.name.clone()).collect(),
    })
}
