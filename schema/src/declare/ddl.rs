//! Parts of DDL that follow from declarations: defaults, foreign keys, indexes and their names.

use crate::declare::table::{Default, OnDelete, Table};
use crate::sql::quote::literal;

/// The current time in SQL: ISO 8601, UTC, milliseconds.
pub(crate) const NOW: &str = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

/// The columns of each index of a table, and whether it is unique. Indexes of `#[unique]` columns
/// come first.
pub(crate) fn indexes(table: &Table) -> impl Iterator<Item = (&[&'static str], bool)> {
    let unique = table.columns.iter().filter(|column| column.unique);
    let unique = unique.map(|column| (std::slice::from_ref(&column.name), true));
    unique.chain(table.indexes.iter().map(|index| (index.columns, index.unique)))
}

pub(crate) fn index_name(table: &str, columns: &[impl AsRef<str>], unique: bool) -> String {
    let columns: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    let suffix = if unique { "unique" } else { "idx" };
    format!("{table}_{}_{suffix}", columns.join("_"))
}

/// The `ON DELETE` clause of a foreign key, with a space before it; empty for the default action.
pub(crate) fn on_delete(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::NoAction => "",
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    }
}

/// A default as SQL that is valid both in DDL and as an expression.
pub(crate) fn default_sql(default: Default) -> String {
    match default {
        Default::Now => NOW.to_owned(),
        Default::Text(text) => literal(text),
        Default::Integer(integer) => integer.to_string(),
        Default::Real(real) => format!("{real:?}"),
        Default::Sql(expression) => format!("({expression})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_written_exactly() {
        assert_eq!(default_sql(Default::Real(2.0)), "2.0");
        assert_eq!(default_sql(Default::Sql("1 + 1")), "(1 + 1)");
    }
}
