//! What rows refer to each other by.

use fastest_schema::{Reference, Table, Value};

/// A column of a table, by its place, and what it refers to.
pub(crate) type ForeignKey = (usize, &'static Reference);

/// The columns of `child` that refer to `table`.
pub(crate) fn references(child: &'static Table, table: &Table) -> impl Iterator<Item = ForeignKey> {
    let name = table.name;
    foreign_keys(child).filter(move |(_, to)| to.table == name)
}

/// The columns of a table that refer to others.
pub(crate) fn foreign_keys(table: &'static Table) -> impl Iterator<Item = ForeignKey> {
    let columns = table.columns.iter().enumerate();
    columns.filter_map(|(at, column)| Some((at, column.references.as_ref()?)))
}

/// The value of a column of a row that others may refer to by it; `None` where it is null.
pub(crate) fn referable<'a>(table: &Table, values: &'a [Value], name: &str) -> Option<&'a Value> {
    let at = table.columns.iter().position(|column| column.name == name)?;
    values.get(at).filter(|value| !value.is_null())
}
