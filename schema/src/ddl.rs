//! Tables and indexes as SQL. Names are quoted with backticks: SQLite takes a misspelt name in
//! double quotes for a text.

use crate::diff::replica_record;
use crate::engine::{CHANGES_DDL, NOW};
use crate::record::TableRecord;
use crate::{Default, Kind, OnDelete, Table};

/// The DDL of a replica: every synced table with its indexes, and `fastest_changes` as the replica
/// last saw it on the primary; no triggers, and nothing that the primary enforces for all but types
/// and nulls. Foreign keys are declared; whether a connection enforces them is its own setting.
pub fn replica_ddl(tables: &[&'static Table]) -> Vec<String> {
    let changes = CHANGES_DDL.into_iter().map(str::to_owned);
    let record = replica_record("", tables);
    changes.chain(record.tables.iter().flat_map(TableRecord::ddl)).collect()
}

/// The DDL of one table: `CREATE TABLE`, then its indexes.
pub fn create_table(table: &'static Table) -> Vec<String> {
    TableRecord::from(table).ddl()
}

/// The columns of every index of a table and whether it is unique, those of unique columns first.
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

/// What a foreign key says of deletes.
pub(crate) fn on_delete(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::NoAction => "",
        OnDelete::Restrict => " ON DELETE RESTRICT",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    }
}

/// A storage class as SQL.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Real => "real",
    }
}

/// A default as SQL, fit for DDL and for an expression.
pub(crate) fn default_sql(default: Default) -> String {
    match default {
        Default::Now => NOW.to_owned(),
        Default::Text(text) => literal(text),
        Default::Integer(integer) => integer.to_string(),
        Default::Real(real) => format!("{real:?}"),
        Default::Sql(expression) => format!("({expression})"),
    }
}

/// A name as SQL.
pub(crate) fn quote(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The tables with each one after those that it refers to, otherwise in the given order. Where
/// tables refer to each other in a circle, the given order stands.
pub fn parents_first(tables: &[&'static Table]) -> Vec<&'static Table> {
    let mut ordered: Vec<&'static Table> = Vec::with_capacity(tables.len());
    let mut left = tables.to_vec();
    while !left.is_empty() {
        let waits =
            |table: &&Table| {
                table.columns.iter().filter_map(|column| column.references.as_ref()).any(|to| {
                    to.table != table.name && left.iter().any(|other| other.name == to.table)
                })
            };
        let next = left.iter().position(|table| !waits(table)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TABLES;

    #[test]
    fn parents_come_first_from_any_order() {
        let backwards: Vec<_> = TABLES.iter().rev().copied().collect();
        let names: Vec<_> = parents_first(&backwards).iter().map(|table| table.name).collect();
        let at = |name| names.iter().position(|other| *other == name).unwrap();
        assert!(at("users") < at("projects"));
        assert!(at("snapshots") < at("workspaces"));
        assert!(at("workspaces") < at("drift_reports"));
        assert_eq!(names.len(), TABLES.len());
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!(quote("a`b"), "`a``b`");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(default_sql(Default::Real(2.0)), "2.0");
        assert_eq!(default_sql(Default::Sql("1 + 1")), "(1 + 1)");
    }
}
