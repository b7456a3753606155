//! The foreign keys of an adopted table.

use std::collections::BTreeSet;

use crate::adopt::column;
use crate::adopt::error::AdoptError;
use crate::declare::table::OnDelete;
use crate::live::database::{Live, LiveColumn, LiveKey, LiveTable};
use crate::record::model::ReferenceRecord;

/// Returns the foreign key of a column, if it refers to a synced table and to a column of the same
/// kind: devices compare both values as they are. Other foreign keys are enforced only by the
/// primary, and the triggers record what their actions do to rows of this table.
pub fn reference(
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

/// Returns the table and column that a single-column foreign key refers to, as the parent table
/// spells them, and the key itself. SQLite ignores the case of names, and a key that names no
/// column refers to the primary key.
pub fn resolved<'a>(live: &'a Live, key: &'a LiveKey) -> Option<(&'a str, String, &'a LiveKey)> {
    let [target] = &key.targets[..] else { return None };
    let (name, to) = live.tables.iter().find(|(name, _)| name.eq_ignore_ascii_case(&key.table))?;
    let is_meant = |(name, column): &(&String, &LiveColumn)| match target.as_str() {
        "" => column.pk > 0,
        target => name.eq_ignore_ascii_case(target),
    };
    let (column, _) = to.columns.iter().find(is_meant)?;
    Some((name, column.clone(), key))
}
