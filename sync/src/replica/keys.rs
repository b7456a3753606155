//! The columns by which rows refer to each other.

use fastest_schema::{Reference, Table, Value};

/// A column that refers to another table: its index in its own table, and its target.
pub(crate) type ForeignKey = (usize, &'static Reference);

/// Returns the columns of `child` that refer to `table`.
pub(crate) fn references(child: &'static Table, table: &Table) -> impl Iterator<Item = ForeignKey> {
    let name = table.name;
    foreign_keys(child).filter(move |(_, to)| to.table == name)
}

/// Returns the columns of a table that refer to any table.
pub(crate) fn foreign_keys(table: &'static Table) -> impl Iterator<Item = ForeignKey> {
    let columns = table.columns.iter().enumerate();
    columns.filter_map(|(at, column)| Some((at, column.references.as_ref()?)))
}

/// Returns the value of the column `name`; `None` if it is null, so that it cannot match a
/// reference.
pub(crate) fn referable<'a>(table: &Table, values: &'a [Value], name: &str) -> Option<&'a Value> {
    let at = table.columns.iter().position(|column| column.name == name)?;
    values.get(at).filter(|value| !value.is_null())
}
