//! The trigger that applies one operation to a row of one table.

use crate::declare::ddl::default_sql;
use crate::declare::table::{Column, Policy, Table};
use crate::sql::quote::{literal, quote};
use crate::value::kind::Kind;
use crate::wire::push::given::{given, is_given};
use crate::wire::push::replaced::replaced;
use crate::wire::refusal::Refusal;

/// Returns the trigger that applies one operation to a row of the table.
pub fn op_trigger(table: &Table) -> String {
    let mut body = vec![unknown_column(table), malformed(table)];
    body.extend(replaced(table));
    if table.policy == Policy::Versioned {
        body.extend([missing_row(table), update(table)]);
        body.extend(watched(table).map(|column| update_watched(table, column)));
    }
    body.push(insert(table));
    if table.policy == Policy::AppendOnly {
        body.push(lost_insert(table));
    }
    let (name, pk) = (quote(table.name), quote(table.pk));
    body.push(format!("DELETE FROM {name} WHERE {pk} = NEW.pk AND NEW.columns IS NULL"));
    format!(
        "CREATE TRIGGER {} INSTEAD OF INSERT ON fastest_push_op WHEN NEW.tbl = {} BEGIN\n  {};\nEND",
        quote(&format!("fastest_push_op_{}", table.name)),
        literal(table.name),
        body.join(";\n  ")
    )
}

fn unknown_column(table: &Table) -> String {
    let known: Vec<String> = table.columns.iter().map(|column| literal(column.name)).collect();
    format!(
        "{} FROM json_each(NEW.columns) WHERE key NOT IN ({})",
        Refusal::UnknownColumn.raise_sql(),
        known.join(",")
    )
}

/// Refuses a key column that differs from the operation's key, and arrays and objects that are not
/// a value of their column. The wire form has blobs, but no column holds them. Any other array or
/// object in a text column is stored as its JSON text.
fn malformed(table: &Table) -> String {
    let names = |kind: Kind| {
        let of = table.columns.iter().filter(|column| column.kind == kind);
        of.map(|column| literal(column.name)).collect::<Vec<_>>().join(",")
    };
    let (texts, reals) = (names(Kind::Text), names(Kind::Real));
    let pair = if reals.is_empty() {
        String::new()
    } else {
        format!(
            "
      AND NOT (type = 'array' AND key IN ({reals}) AND json_array_length(value) = 2
      AND json_type(value, '$[0]') IS 'integer'
      AND EXISTS (SELECT 1 FROM fastest_powers WHERE exponent = value->>1)
      AND NOT (value->>0 = 0 AND value->>1 = 1024))"
        )
    };
    format!(
        "{} FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ({texts}) AND json_type(value, '$.blob') IS NULL){pair}
      OR key = {} AND atom IS NOT NEW.pk",
        Refusal::PayloadInvalid.raise_sql(),
        literal(table.pk)
    )
}

/// Refuses an operation on a row that does not exist, although its entry in `fastest_changes` says
/// that it does: a REPLACE on another row deleted it without firing a trigger. A write of some
/// columns would create a row of these columns alone.
fn missing_row(table: &Table) -> String {
    let (name, pk, text) = (quote(table.name), quote(table.pk), literal(table.name));
    format!(
        "{} FROM fastest_changes WHERE tbl={text} AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = NEW.pk)",
        Refusal::VersionConflict.raise_sql()
    )
}

/// Returns the columns that are set with an UPDATE of their own.
fn watched(table: &Table) -> impl Iterator<Item = &Column> {
    table.writable().filter(|column| column.watched)
}

fn lock_step(table: &Table) -> Option<String> {
    let column = quote(table.lock_version()?.name);
    Some(format!("{column}={column}+1"))
}

/// Updates an existing row in the columns that the operation sets, except for watched ones. The
/// update also runs if it changes no value, so that the version rises in any case. It is skipped
/// only if an update of a watched column follows and nothing else is set.
fn update(table: &Table) -> String {
    let (name, pk) = (quote(table.name), quote(table.pk));
    let plain = table.writable().filter(|column| !column.watched);
    let set = plain.map(|column| {
        let quoted = quote(column.name);
        format!("{quoted}=iif({},{},{quoted})", is_given(column), given(column))
    });
    let set: Vec<String> =
        [format!("{pk}={pk}")].into_iter().chain(set).chain(lock_step(table)).collect();
    let names: Vec<String> = watched(table).map(|column| literal(column.name)).collect();
    let changes: Vec<String> = watched(table)
        .map(|column| {
            format!("{} AND {} IS NOT {}", is_given(column), quote(column.name), given(column))
        })
        .collect();
    let unless = if names.is_empty() {
        String::new()
    } else {
        format!(
            "\n    AND (EXISTS (SELECT 1 FROM json_each(NEW.columns) WHERE key NOT IN ({},{}))\n      OR NOT ({}))",
            literal(table.pk),
            names.join(","),
            changes.join(" OR ")
        )
    };
    format!(
        "UPDATE {name} SET {}\n    WHERE {pk} = NEW.pk AND NEW.columns IS NOT NULL{unless}",
        set.join(",")
    )
}

/// Updates a watched column, if its value changes.
fn update_watched(table: &Table, column: &Column) -> String {
    let (name, pk, quoted) = (quote(table.name), quote(table.pk), quote(column.name));
    let value = given(column);
    let set: Vec<String> =
        [format!("{quoted}={value}")].into_iter().chain(lock_step(table)).collect();
    format!(
        "UPDATE {name} SET {}\n    WHERE {pk} = NEW.pk AND {} AND {quoted} IS NOT {value}",
        set.join(","),
        is_given(column)
    )
}

/// Inserts the row if it does not exist. Only a conflict of keys is tolerated; any other violated
/// constraint fails the push. In a versioned table, an operation may set only some columns of an
/// existing row. So the statement for such a table has no `ON CONFLICT`: SQLite would report
/// missing NOT NULL columns before it found the key.
fn insert(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quote(column.name)).collect();
    let values: Vec<String> = table.columns.iter().map(|column| value(table, column)).collect();
    let (name, pk) = (quote(table.name), quote(table.pk));
    let absent = match table.policy {
        Policy::Versioned => {
            format!("NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = NEW.pk)")
        }
        _ => format!("true ON CONFLICT({pk}) DO NOTHING"),
    };
    format!(
        "INSERT INTO {name}({})\n    SELECT {}\n    WHERE NEW.columns IS NOT NULL AND {absent}",
        columns.join(","),
        values.join(",")
    )
}

/// Returns SQL for the value of a column in a new row.
fn value(table: &Table, column: &Column) -> String {
    if column.name == table.pk {
        return "NEW.pk".to_owned();
    }
    if column.lock_version {
        let table = literal(table.name);
        return format!(
            "coalesce((SELECT version FROM fastest_changes WHERE tbl={table} AND pk=NEW.pk),0)+1"
        );
    }
    match column.default.map(default_sql) {
        None => given(column),
        Some(default) if column.null => {
            format!("iif({},{},{default})", is_given(column), given(column))
        }
        Some(default) => format!("coalesce({},{default})", given(column)),
    }
}

/// Refuses the push if a row of an append-only table does not exist after its insert, and has no
/// entry in `fastest_changes` either.
fn lost_insert(table: &Table) -> String {
    let (name, pk, text) = (quote(table.name), quote(table.pk), literal(table.name));
    format!(
        "{} WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = {text} AND pk = NEW.pk)",
        Refusal::Swallowed.raise_sql()
    )
}
