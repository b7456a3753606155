//! Rows as lists of values, and how SQLite stores them.

use fastest_schema::value::serialize::named_values;
use fastest_schema::value::sql_value::ValueError;
use fastest_schema::{Kind, Row, RowKey, Table, Value};
use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, Value as Cell, ValueRef};

use crate::replica::error::ReplicaError;

/// The values of a row, in the order of its table's columns.
pub type Values = Vec<Value>;

/// Returns the values of one of Fastest's own rows.
pub fn values_of<R: Row>(row: &R) -> Values {
    try_values_of(row).expect("the columns of Fastest's own rows are texts and numbers")
}

/// Returns the values of a row of any application. Serialising its type may fail.
pub(crate) fn try_values_of<R: Row>(row: &R) -> Result<Values, ValueError> {
    let mut named = named_values(row)?;
    let values = R::TABLE.columns.iter().enumerate().map(|(at, column)| {
        // The fields of a declared row are its columns, in the same order, so that position is
        // tried first.
        let is_it = |(name, _): &(&str, Value)| *name == column.name;
        let at =
            if named.get(at).is_some_and(is_it) { Some(at) } else { named.iter().position(is_it) };
        match (column.kind, at.map_or(Value::Null, |at| std::mem::take(&mut named[at].1))) {
            (Kind::Real, Value::Integer(integer)) => Value::Real(integer as f64),
            (_, value) => value,
        }
    });
    Ok(values.collect())
}

/// Returns the key among a row's values.
pub fn key_of(table: &Table, values: &[Value]) -> RowKey {
    let at = table.columns.iter().position(|column| column.name == table.pk);
    let at = at.expect("a table has its key column");
    RowKey::from(values[at].as_str().expect("a key is text"))
}

/// Converts the values of a row to its Rust type.
pub(crate) fn decode<R: Row>(values: Values) -> Result<R, ReplicaError> {
    let key = key_of(R::TABLE, &values);
    let table = R::TABLE.name;
    R::from_values(values).map_err(|source| ReplicaError::Row { table, key, source })
}

pub(super) fn select(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|c| format!("`{}`", c.name)).collect();
    format!("SELECT {} FROM `{}`", names.join(","), table.name)
}

pub(super) fn read_values(
    table: &Table,
    row: &rusqlite::Row<'_>,
) -> Result<Values, rusqlite::Error> {
    (0..table.columns.len()).map(|at| Ok(value_of(row.get_ref(at)?))).collect()
}

/// Converts a cell of SQLite to a value. Bytes of a text that are not UTF-8 are replaced.
pub(crate) fn value_of(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::from(number),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Text(bytes) => Value::from(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// A value as a parameter of a statement. It keeps its storage class.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        Ok(match self.0 {
            Value::Null => ToSqlOutput::Owned(Cell::Null),
            Value::Integer(integer) => ToSqlOutput::Owned(Cell::Integer(*integer)),
            Value::Real(real) => ToSqlOutput::Owned(Cell::Real(*real)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// Returns the text in a column of a row; `None` if the value is not text.
pub(crate) fn column(table: &Table, values: &[Value], name: &str) -> Option<String> {
    let at = table.columns.iter().position(|column| column.name == name)?;
    values.get(at)?.as_str().map(str::to_owned)
}
