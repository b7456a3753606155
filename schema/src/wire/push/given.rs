//! The columns of an operation, as SQL.

use crate::declare::table::Column;
use crate::value::kind::Kind;

/// Returns an SQL condition: whether the operation sets the column.
pub fn is_given(column: &Column) -> String {
    format!("json_type(NEW.columns,'$.{}') IS NOT NULL", column.name)
}

/// Returns SQL for the value that the operation sets the column to; null if it does not set it.
pub fn given(column: &Column) -> String {
    let name = column.name;
    match column.kind {
        Kind::Real => format!(
            "iif(json_type(NEW.columns,'$.{name}')='array',(NEW.columns->>'$.{name}[0]')*(SELECT power FROM fastest_powers WHERE exponent=NEW.columns->>'$.{name}[1]'),NEW.columns->>'{name}')"
        ),
        _ => format!("NEW.columns->>'{name}'"),
    }
}
