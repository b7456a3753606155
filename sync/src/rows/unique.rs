//! Unique values in the tables of a replica, as far as a device can check them.
//!
//! Sets of columns are compared directly. A partial index or an index over expressions is given as
//! SQL ([`UniqueRule`]), and SQLite computes its terms for a row. If that fails, because the
//! primary has a function that is missing here, the row is assumed to conflict with no other. The
//! primary decides.

use std::cell::OnceCell;

use fastest_schema::{Kind, RowKey, Table, UniqueRule, Value};
use rusqlite::{Connection, params_from_iter};

use crate::replica::error::ReplicaError;
use crate::replica::session::Session;
use crate::replica::values::{Bound, key_of, value_of};
use crate::rows::write_error::WriteError;

/// Returns the sets of columns in which no two rows of the table may be equal.
fn unique_sets(table: &Table) -> impl Iterator<Item = Vec<&'static str>> {
    let single = table.columns.iter().filter(|column| column.unique).map(|c| vec![c.name]);
    let indexes = table.indexes.iter().filter(|index| index.unique);
    single.chain(indexes.map(|index| index.columns.to_vec()))
}

/// Checks unique values against the rows that are here.
#[derive(Clone, Copy)]
pub(crate) struct Unique<'a>(pub(crate) Session<'a>);

impl Unique<'_> {
    /// Refuses a row if another row here has the same unique values.
    pub(crate) fn check(&self, table: &'static Table, values: &[Value]) -> Result<(), WriteError> {
        for columns in unique_sets(table) {
            let Some(wanted) = shared(table, &columns, values) else { continue };
            let same: Vec<String> = columns.iter().map(|name| format!("`{name}` = ?")).collect();
            if let Some(other) = self.other(table, &same.join(" AND "), &wanted, values)? {
                let columns = columns.join(", ");
                return Err(WriteError::Taken { table: table.name, other, columns });
            }
        }
        for rule in table.unique_rules {
            let Some(wanted) = rule_values(self.0.connection, table, rule, values) else {
                continue;
            };
            let same = rule.terms.iter().map(|term| format!("({term}) = ?"));
            let filter = rule.filter.map(|filter| format!("({filter})"));
            let condition: Vec<String> = same.chain(filter).collect();
            // The query may fail on another row. Such a row is assumed not to conflict.
            let other = self.other(table, &condition.join(" AND "), &wanted, values);
            if let Some(other) = other.unwrap_or_default() {
                let columns = rule.terms.join(", ");
                return Err(WriteError::Taken { table: table.name, other, columns });
            }
        }
        Ok(())
    }

    /// Returns the key of a row, other than the one with the key in `values`, for which the
    /// condition holds.
    fn other(
        &self,
        table: &Table,
        condition: &str,
        wanted: &[Value],
        values: &[Value],
    ) -> Result<Option<RowKey>, ReplicaError> {
        let (name, pk) = (table.name, table.pk);
        let sql = format!("SELECT `{pk}` FROM `{name}` WHERE {condition} AND `{pk}` <> ? LIMIT 1");
        let key = Value::from(key_of(table, values).as_str());
        self.0.get(&sql, params_from_iter(wanted.iter().chain([&key]).map(Bound)))
    }
}

/// Returns the values of some columns of a row; `None` if one is null, because any number of rows may
/// have a null in common.
fn shared(table: &Table, columns: &[&str], row: &[Value]) -> Option<Vec<Value>> {
    let at = |name: &&str| table.columns.iter().position(|column| column.name == *name);
    let values: Vec<Value> = columns.iter().filter_map(at).map(|at| row[at].clone()).collect();
    values.iter().all(|value| !value.is_null()).then_some(values)
}

/// Returns the values of a rule's terms for a row; `None` if the rule does not cover the row.
fn rule_values(
    connection: &Connection,
    table: &Table,
    rule: &UniqueRule,
    row: &[Value],
) -> Option<Vec<Value>> {
    // Cast to the columns' types, because comparisons depend on the type.
    let column = |(at, column): (usize, &fastest_schema::Column)| {
        let kind = match column.kind {
            Kind::Text => "text",
            Kind::Integer => "integer",
            Kind::Real => "real",
        };
        format!("CAST(?{} AS {kind}) AS `{}`", at + 1, column.name)
    };
    let columns: Vec<String> = table.columns.iter().enumerate().map(column).collect();
    let sql = format!(
        "SELECT {} FROM (SELECT {}) AS `{}` WHERE {}",
        rule.terms.join(", "),
        columns.join(", "),
        table.name,
        rule.filter.unwrap_or("true")
    );
    let mut statement = connection.prepare_cached(&sql).ok()?;
    let read = |found: &rusqlite::Row<'_>| {
        (0..rule.terms.len()).map(|at| Ok(value_of(found.get_ref(at)?))).collect()
    };
    let values = statement.query_row(params_from_iter(row.iter().map(Bound)), read);
    let values: Vec<Value> = values.ok()?;
    values.iter().all(|value| !value.is_null()).then_some(values)
}

/// Computes the unique values of rows. Terms in SQL are computed by an in-memory database without
/// tables, which is opened when it is first needed.
#[derive(Default)]
pub(crate) struct UniqueValues {
    scratch: OnceCell<Option<Connection>>,
}

impl UniqueValues {
    /// Returns the sets of unique values of a row, each with the number of its column set or rule.
    pub(crate) fn of(&self, table: &Table, row: &[Value]) -> Vec<(usize, Vec<Value>)> {
        let sets = unique_sets(table).map(|columns| shared(table, &columns, row));
        let rules = table.unique_rules.iter().map(|rule| {
            let scratch = self.scratch.get_or_init(|| Connection::open_in_memory().ok());
            rule_values(scratch.as_ref()?, table, rule, row)
        });
        let all = sets.chain(rules).enumerate();
        all.filter_map(|(at, values)| Some((at, values?))).collect()
    }
}
