//! Parts of DDL that are derived from declarations: defaults, foreign keys, indexes and their
//! names.

use crate::declare::table::{Default, OnDelete, Table};
use crate::sql::quote::literal;

/// The current time in SQL: ISO 8601, UTC, milliseconds.
pub(crate) const NOW: &str = "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))";

/// Returns the columns of each index of a table, and whether the index is unique. Indexes of
/// `#[unique]` columns come first.
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

/// Returns the `ON DELETE` clause of a foreign key, with a leading space; empty for `NO ACTION`,
/// the default.
pub(crate) fn on_delete(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::NoAction => "",
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    }
}

/// Returns a default as SQL that is valid both in DDL and as an expression.
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
