//! Constraints that are `ON CONFLICT REPLACE`. SQLite deletes the conflicting row and fires no
//! trigger, so devices would not learn of the delete.

use crate::declare::ddl::{default_sql, indexes};
use crate::declare::table::{Column, Policy, Table};
use crate::sql::quote::{literal, quote};
use crate::wire::push::given::{given, is_given};

/// Returns statements that refuse an operation that would replace another row: one for each unique
/// index of a table with such a constraint. The error text is SQLite's own for a violated
/// constraint.
pub fn replaced(table: &Table) -> Vec<String> {
    let sets = indexes(table).filter(|(_, unique)| *unique && table.replaces);
    let (name, pk) = (quote(table.name), quote(table.pk));
    let new_value = |column: &Column| {
        if column.name == table.pk {
            "NEW.pk".to_owned()
        } else {
            let default = column.default.map_or_else(|| "NULL".to_owned(), default_sql);
            let old = format!("iif(was.{pk} IS NULL,{default},was.{})", quote(column.name));
            format!("iif({},{},{old})", is_given(column), given(column))
        }
    };
    // An operation does not write an existing row of an append-only table, and a patch does not
    // write a missing row.
    let is_done = match table.policy {
        Policy::Versioned => format!("(was.{pk} IS NOT NULL OR NEW.patch IS NULL)"),
        _ => format!("was.{pk} IS NULL"),
    };
    let refusal = |(columns, _): (&[&str], bool)| {
        let names: Vec<String> = columns.iter().map(|c| format!("{}.{c}", table.name)).collect();
        let held = table.columns.iter().filter(|column| columns.contains(&column.name));
        let same = held.map(|column| format!("o.{} = {}", quote(column.name), new_value(column)));
        format!(
            "SELECT RAISE(ABORT, {})
    FROM (SELECT 1) LEFT JOIN {name} AS was ON was.{pk} = NEW.pk JOIN {name} AS o ON {}
    WHERE NEW.columns IS NOT NULL AND {is_done} AND o.{pk} IS NOT NEW.pk",
            literal(&format!("UNIQUE constraint failed: {}", names.join(", "))),
            same.collect::<Vec<_>>().join(" AND ")
        )
    };
    sets.map(refusal).collect()
}
