//! Checks that adopted tables still match their records. The engine's triggers name their columns,
//! and SQLite notices a missing one only when a row is written: the write then fails for the
//! application too.

use crate::adopt::column;
use crate::adopt::error::AdoptError;
use crate::adopt::key::key;
use crate::adopt::unique::unique;
use crate::live::database::{Live, LiveTable};
use crate::record::model::{ColumnRecord, TableRecord};

/// Returns an error for each difference between the adopted tables and their records that would
/// make writes fail or devices hold back rows. Columns that are not recorded are allowed, as long
/// as a row can be inserted without them.
pub fn changed(live: &Live, tables: &[TableRecord]) -> Vec<AdoptError> {
    let adopted = tables.iter().filter(|table| table.external && table.is_synced());
    adopted.flat_map(|table| changed_table(live, table)).collect()
}

fn changed_table(live: &Live, table: &TableRecord) -> Vec<AdoptError> {
    let name = &table.name;
    let Some(found) = live.tables.get(name) else {
        return vec![AdoptError::Gone { table: name.clone() }];
    };
    let mut refused = Vec::new();
    match key(name, found) {
        Ok(pk) if pk.eq_ignore_ascii_case(&table.pk) => {}
        Ok(pk) => refused.push(AdoptError::KeyMoved { table: name.clone(), column: pk }),
        Err(error) => refused.push(error),
    }
    refused.extend(table.columns.iter().filter_map(|column| changed_column(found, table, column)));
    refused.extend(found.written.columns.values().filter_map(|(column, default)| {
        let known = found.columns.get(column)?;
        let is_needed = !known.null && !known.hidden && default.is_none();
        let is_it = |declared: &ColumnRecord| declared.name.eq_ignore_ascii_case(column);
        (is_needed && !table.columns.iter().any(is_it))
            .then(|| AdoptError::Needed { table: name.clone(), column: column.clone() })
    }));
    refused.extend(shared(found, table));
    refused
}

/// Returns an error for each recorded unique index that was dropped or changed, because devices
/// would still enforce it, and for a new `ON CONFLICT REPLACE`. The unique indexes of single
/// columns ([`ColumnRecord::unique`]) are not compared.
fn shared(found: &LiveTable, table: &TableRecord) -> Vec<AdoptError> {
    let changed = |column: String, how: &str| {
        let (table, how) = (table.name.clone(), how.to_owned());
        AdoptError::Changed { table, column, how }
    };
    let now = unique(found, &table.pk, &table.columns);
    let mut refused = Vec::new();
    for index in table.indexes.iter().filter(|index| index.unique && !now.indexes.contains(index)) {
        refused.push(changed(index.columns.join("`, `"), "is not unique any more"));
    }
    for rule in table.unique_rules.iter().filter(|rule| !now.rules.contains(rule)) {
        refused.push(changed(
            rule.terms.join(", ").replace('`', ""),
            "is not unique any more, or by another rule",
        ));
    }
    if !found.replacing.is_empty() && !table.replaces {
        refused.push(changed(table.pk.clone(), "may be struck by an ON CONFLICT REPLACE now"));
    }
    refused
}

fn changed_column(
    found: &LiveTable,
    table: &TableRecord,
    column: &ColumnRecord,
) -> Option<AdoptError> {
    let changed = |how: String| {
        let (table, column) = (table.name.clone(), column.name.clone());
        Some(AdoptError::Changed { table, column, how })
    };
    // SQLite ignores the case of names.
    let is_it = |name: &&String| name.eq_ignore_ascii_case(&column.name);
    let known = found.columns.iter().find(|(name, _)| is_it(name)).map(|(_, known)| known);
    let Some(known) = known.filter(|known| !known.hidden) else {
        return changed("is not there any more, or is generated".to_owned());
    };
    match column::kind(&known.kind) {
        Ok(kind) if kind == column.kind => {}
        _ if known.kind.is_empty() => return changed("has no type now".to_owned()),
        _ => return changed(format!("is declared `{}` now", known.kind)),
    }
    match (column.null, known.null) {
        // Records do not say whether a text key may be null.
        _ if column.name == table.pk => None,
        // The opposite change is harmless: devices hold back a row with a null, and no write fails.
        (true, false) => changed("may not be null any more".to_owned()),
        _ => None,
    }
}
