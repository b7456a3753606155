//! Push: one INSERT into a view, whose trigger does all of it or nothing.
//!
//! The view `fastest_push_2` takes payload 2, a list of row operations. Its trigger checks the whole,
//! and hands the operations one by one, in their order, to the view `fastest_push_op`, which has a
//! trigger for each table. So no statement grows with the number of tables, but for a list of their
//! names, and a unique value can be freed and taken again. The view `fastest_push` takes payload 1, of
//! earlier builds, and turns it into payload 2.

mod payload;
mod replaced;

use serde_json::Value as Json;

pub(crate) use self::payload::seen_sql;
pub use self::payload::{
    Columns, Lock, Op, PAYLOAD_VERSION, PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL, PUSHES_KEPT, Payload,
    Seen, TRIAL_SQL, TRIED, unseen_sql,
};
use crate::ddl::{default_sql, literal, parents_first, quote};
use crate::{Column, Kind, Policy, Refusal, Table};

/// The views that pushes go into and their triggers, for the synced ones among the tables.
pub fn push_ddl(tables: &[&'static Table]) -> Vec<String> {
    let tables = parents_first(tables);
    let synced: Vec<&'static Table> =
        tables.into_iter().filter(|table| table.policy != Policy::Private).collect();
    let deletes: Vec<String> =
        synced.iter().filter_map(|table| delete_trigger(table, &synced)).collect();
    let mut ddl = vec![
        "CREATE VIEW fastest_push_op AS SELECT NULL AS tbl, NULL AS pk, NULL AS columns, NULL AS patch"
            .to_owned(),
    ];
    ddl.extend(synced.iter().map(|table| op_trigger(table)));
    let mut body = admission();
    body.extend(whole_checks(&synced));
    if !deletes.is_empty() {
        ddl.push(
            "CREATE VIEW fastest_push_delete AS SELECT NULL AS tbl, NULL AS keys, NULL AS locked"
                .to_owned(),
        );
        ddl.extend(deletes);
        body.push(CHILDREN_UNSEEN.to_owned());
    }
    body.push(OPERATIONS.to_owned());
    body.push(swallowed());
    body.extend(receipt());
    let view = |name: &str| {
        format!("CREATE VIEW {name} AS SELECT NULL AS id, NULL AS device, NULL AS payload")
    };
    ddl.extend([
        view("fastest_push_2"),
        format!(
            "CREATE TRIGGER fastest_push_2_apply INSTEAD OF INSERT ON fastest_push_2 BEGIN\n  {};\nEND",
            body.join(";\n  ")
        ),
        view("fastest_push"),
        first_door(&synced),
    ]);
    ddl
}

/// Hands deletes, table by table, to the triggers that look for children.
const CHILDREN_UNSEEN: &str = "INSERT INTO fastest_push_delete(tbl, keys, locked)
    SELECT value->>0, json_group_array(value->>1), NEW.payload->'locks'
    FROM json_each(NEW.payload->'ops') WHERE json_type(value, '$[2]') IS NULL GROUP BY value->>0";

/// Hands the operations on, in their order.
const OPERATIONS: &str = "INSERT INTO fastest_push_op(tbl, pk, columns, patch)
    SELECT value->>0, value->>1, value->2, value->>3
    FROM json_each(NEW.payload->'ops') ORDER BY key";

fn refuse(refusal: Refusal) -> String {
    format!("SELECT RAISE(ABORT, '{}')", refusal.name())
}

/// Whether the push may be looked at: a known version, not applied before, not from the past, and
/// meant for this primary as it is.
fn admission() -> Vec<String> {
    vec![
        format!(
            "{} WHERE NEW.payload->>'v' IS NOT {PAYLOAD_VERSION}",
            refuse(Refusal::PayloadVersion)
        ),
        "SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id".to_owned(),
        format!(
            "{} WHERE json_type(NEW.payload, '$.counter') IS NOT 'integer'",
            refuse(Refusal::PayloadInvalid)
        ),
        format!(
            "{} FROM fastest_pushes WHERE device = NEW.device AND counter >= NEW.payload->>'counter'",
            refuse(Refusal::DeviceCounter)
        ),
        format!(
            "{} FROM fastest_meta
    WHERE NEW.payload->>'epoch' IS NOT NULL AND epoch IS NOT NEW.payload->>'epoch'",
            refuse(Refusal::Restored)
        ),
        format!(
            "{} WHERE NEW.payload->>'after' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_pushes WHERE id = NEW.payload->>'after')",
            refuse(Refusal::Restored)
        ),
        format!(
            "{} WHERE NEW.payload->>'seen' IS NOT NULL
    AND NOT {}",
            refuse(Refusal::Restored),
            seen_sql("(NEW.payload->'seen')")
        ),
    ]
}

/// What holds of all operations at once: their form, tables and locks.
fn whole_checks(synced: &[&Table]) -> Vec<String> {
    let names = |policy: Option<Policy>| {
        let of = synced.iter().filter(|table| policy.is_none_or(|policy| table.policy == policy));
        of.map(|table| literal(table.name)).collect::<Vec<_>>().join(",")
    };
    let (all, versioned) = (names(None), names(Some(Policy::Versioned)));
    vec![
        format!(
            "{} WHERE coalesce(json_type(NEW.payload, '$.ops'), 'array') IS NOT 'array'",
            refuse(Refusal::PayloadInvalid)
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE type IS NOT 'array' OR json_type(value, '$[0]') IS NOT 'text'
      OR json_type(value, '$[1]') IS NOT 'text'
      OR coalesce(json_type(value, '$[2]'), 'object') IS NOT 'object'
      OR json_type(value, '$[3]') IS NOT NULL AND value->>3 IS NOT 1",
            refuse(Refusal::PayloadInvalid)
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE value->>0 NOT IN ({all}) OR value->>3 IS NOT NULL AND value->>0 NOT IN ({versioned})",
            refuse(Refusal::UnknownTable)
        ),
        format!(
            "{} FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2",
            refuse(Refusal::VersionConflict)
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ({versioned}) AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 IS NOT NULL AND value->>1 IS NOT NULL)",
            refuse(Refusal::LockMissing)
        ),
    ]
}

/// Whether a trigger or a constraint of the application's took a write away without an error: each
/// row that was to be written has moved on, and each that was to be deleted is gone.
fn swallowed() -> String {
    // A join of two lists would be quadratic; `IN` makes an index of its own.
    format!(
        "{} FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) <= l.value->>2 AND (l.value->>0, l.value->>1) IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'ops')
      WHERE value->>3 IS NULL AND json_type(value, '$[2]') IS NOT NULL)
    OR c.deleted = 0 AND (l.value->>0, l.value->>1) IN (
      SELECT tbl, pk FROM (
        SELECT value->>0 AS tbl, value->>1 AS pk, max(key), json_type(value, '$[2]') IS NULL AS gone
        FROM json_each(NEW.payload->'ops') WHERE value->>3 IS NULL GROUP BY 1, 2)
      WHERE gone)",
        refuse(Refusal::Swallowed)
    )
}

/// The last statements: remembers the push, and forgets the device's old ones.
fn receipt() -> [String; 2] {
    [
        "INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter')"
            .to_owned(),
        format!(
            "DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - {PUSHES_KEPT}"
        ),
    ]
}

/// Does one operation to a row of one table.
fn op_trigger(table: &Table) -> String {
    let mut body = vec![unknown_column(table), malformed(table)];
    body.extend(replaced::replaced(table));
    if table.policy == Policy::Versioned {
        body.extend([struck(table), update(table)]);
        body.extend(watched(table).map(|column| update_watched(table, column)));
    }
    body.push(insert(table));
    if table.policy == Policy::AppendOnly {
        body.push(lost(table));
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
        refuse(Refusal::UnknownColumn),
        known.join(",")
    )
}

/// Refuses another key than that of the operation, and values that are none: blobs have their place
/// in the form, and no column that holds them. An array or an object in a column of texts stands for
/// its own text.
fn malformed(table: &Table) -> String {
    let names = |kind: Kind| {
        let of = table.columns.iter().filter(|column| column.kind == kind);
        of.map(|column| literal(column.name)).collect::<Vec<_>>().join(",")
    };
    let (texts, reals) = (names(Kind::Text), names(Kind::Real));
    let pair = match reals.is_empty() {
        true => String::new(),
        false => format!(
            "
      AND NOT (type = 'array' AND key IN ({reals}) AND json_array_length(value) = 2
      AND json_type(value, '$[0]') IS 'integer'
      AND EXISTS (SELECT 1 FROM fastest_powers WHERE exponent = value->>1)
      AND NOT (value->>0 = 0 AND value->>1 = 1024))"
        ),
    };
    format!(
        "{} FROM json_each(NEW.columns)
    WHERE type IN ('array', 'object')
      AND NOT (key IN ({texts}) AND json_type(value, '$.blob') IS NULL){pair}
      OR key = {} AND atom IS NOT NEW.pk",
        refuse(Refusal::PayloadInvalid),
        literal(table.pk)
    )
}

/// Refuses an operation on a row that is gone although its entry says that it is there: a REPLACE on
/// another row struck it, and no trigger fired. A write of some of its columns would make it anew from
/// these alone.
fn struck(table: &Table) -> String {
    let (name, pk, text) = (quote(table.name), quote(table.pk), literal(table.name));
    format!(
        "{} FROM fastest_changes WHERE tbl={text} AND pk=NEW.pk AND deleted=0
    AND NEW.patch IS NULL AND NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = NEW.pk)",
        refuse(Refusal::VersionConflict)
    )
}

/// The columns that each have an UPDATE of their own.
fn watched(table: &Table) -> impl Iterator<Item = &Column> {
    table.writable().filter(|column| column.watched)
}

/// Whether the operation gives a column.
fn is_given(column: &Column) -> String {
    format!("json_type(NEW.columns,'$.{}') IS NOT NULL", column.name)
}

/// The value that the operation gives a column.
fn given(column: &Column) -> String {
    let name = column.name;
    match column.kind {
        Kind::Real => format!(
            "iif(json_type(NEW.columns,'$.{name}')='array',(NEW.columns->>'$.{name}[0]')*(SELECT power FROM fastest_powers WHERE exponent=NEW.columns->>'$.{name}[1]'),NEW.columns->>'{name}')"
        ),
        _ => format!("NEW.columns->>'{name}'"),
    }
}

fn lock_step(table: &Table) -> Option<String> {
    let column = quote(table.lock_version()?.name);
    Some(format!("{column}={column}+1"))
}

/// Changes the row, if it is there, in the columns that the operation has. Where that is none, or
/// none but watched ones that stay as they are, the row's version still counts.
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
    let unless = match names.is_empty() {
        true => String::new(),
        false => format!(
            "\n    AND (EXISTS (SELECT 1 FROM json_each(NEW.columns) WHERE key NOT IN ({},{}))\n      OR NOT ({}))",
            literal(table.pk),
            names.join(","),
            changes.join(" OR ")
        ),
    };
    format!(
        "UPDATE {name} SET {}\n    WHERE {pk} = NEW.pk AND NEW.columns IS NOT NULL{unless}",
        set.join(",")
    )
}

/// Changes a column that a trigger watches, where its value changes.
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

/// Inserts the row, if it is not there. Only the key may be taken: any other broken constraint fails
/// the push. A row of a versioned table may come with some of its columns only, when it is there;
/// `ON CONFLICT` would look at what it lacks before it looks at the key.
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

/// The value of a column in a new row.
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

/// Refuses the push where a row of an append-only table was taken away as it came.
fn lost(table: &Table) -> String {
    let (name, pk, text) = (quote(table.name), quote(table.pk), literal(table.name));
    format!(
        "{} WHERE NEW.columns IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = NEW.pk)
    AND NOT EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = {text} AND pk = NEW.pk)",
        refuse(Refusal::Swallowed)
    )
}

/// Refuses to delete a row as long as others refer to it that would go with it, or lose their
/// reference, without a lock: the writer does not know of them, or not of what they hold now. One
/// statement for each foreign key of a child.
fn delete_trigger(table: &Table, synced: &[&'static Table]) -> Option<String> {
    let children = synced.iter().filter(|child| child.policy == Policy::Versioned);
    let body: Vec<String> = children.flat_map(|child| children_unseen(table, child)).collect();
    if body.is_empty() {
        return None;
    }
    Some(format!(
        "CREATE TRIGGER {} INSTEAD OF INSERT ON fastest_push_delete WHEN NEW.tbl = {} BEGIN\n  {};\nEND",
        quote(&format!("fastest_push_delete_{}", table.name)),
        literal(table.name),
        body.join(";\n  ")
    ))
}

fn children_unseen(table: &Table, child: &Table) -> Vec<String> {
    let to = child.columns.iter().filter_map(|column| Some((column, column.references.as_ref()?)));
    let struck = to.filter(|(_, to)| to.table == table.name && to.on_delete.changes_children());
    let unseen = struck.map(|(column, to)| {
        let (join, held) = match to.column == table.pk {
            true => (String::new(), "d.value".to_owned()),
            false => {
                let (name, pk) = (quote(table.name), quote(table.pk));
                let join = format!("CROSS JOIN {name} AS p ON p.{pk} = d.value\n    ");
                (join, format!("p.{}", quote(to.column)))
            }
        };
        format!(
            "{} FROM json_each(NEW.keys) AS d\n    {join}CROSS JOIN {} AS c ON c.{} = {held}
    WHERE c.{} NOT IN (SELECT value->>1 FROM json_each(NEW.locked)
      WHERE value->>0 = {} AND value->>1 IS NOT NULL)",
            refuse(Refusal::VersionConflict),
            quote(child.name),
            quote(column.name),
            quote(child.pk),
            literal(child.name),
        )
    });
    unseen.collect()
}

/// The trigger of the view `fastest_push`: payload 1 as payload 2. Its parts know no order among the
/// rows: rows and patches go first, parents before children, then deletes, the other way round.
fn first_door(synced: &[&Table]) -> String {
    let list: Vec<Json> = synced
        .iter()
        .map(|table| serde_json::json!([table.name, table.pk, table.policy == Policy::Versioned]))
        .collect();
    let list = literal(&Json::Array(list).to_string());
    let part = |part: &str| {
        format!(
            "json_each({list}) AS t\n      JOIN json_each(NEW.payload->'{part}'->(t.value->>0)) AS r"
        )
    };
    let known = format!("SELECT value->>0 FROM json_each({list})");
    let versioned = format!("{known} WHERE value->>2");
    let unknown = |part: &str, known: &str| {
        format!(
            "{} FROM json_each(NEW.payload->'{part}') WHERE key NOT IN ({known})",
            refuse(Refusal::UnknownTable)
        )
    };
    let body = [
        format!("{} WHERE NEW.payload->>'v' IS NOT 1", refuse(Refusal::PayloadVersion)),
        "SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id".to_owned(),
        unknown("rows", &known),
        unknown("patch", &versioned),
        unknown("delete", &known),
        format!(
            "INSERT INTO fastest_push_2(id, device, payload)
    SELECT NEW.id, NEW.device, json_set(json_remove(NEW.payload, '$.rows', '$.patch', '$.delete'),
      '$.v', {PAYLOAD_VERSION}, '$.ops', json((SELECT json_group_array(json(op)) FROM (
      SELECT json_array(t.value->>0, iif(t.value->>2, coalesce(r.value->>(t.value->>1), ''),
        r.value->>(t.value->>1)), json(r.value)) AS op, 0 AS part, t.key AS place, r.key AS at
      FROM {}
      UNION ALL
      SELECT json_array(t.value->>0, r.value->>(t.value->>1), json(r.value), 1), 0, t.key, r.key
      FROM {}
      UNION ALL
      SELECT json_array(t.value->>0, r.value), 1, -t.key, r.key
      FROM {}
      ORDER BY part, place, at))))",
            part("rows"),
            part("patch"),
            part("delete")
        ),
    ];
    format!(
        "CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN\n  {};\nEND",
        body.join(";\n  ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspaces::Workspace;
    use crate::{Row, TABLES};

    fn longest(tables: &[&'static Table]) -> usize {
        push_ddl(tables).iter().map(String::len).max().unwrap()
    }

    #[test]
    fn every_statement_fits_d1() {
        let pull = crate::pull_sql(&crate::FASTEST);
        println!("the longest push trigger has {} bytes, a pull {}", longest(TABLES), pull.len());
        assert!(longest(TABLES) < 20_000 && pull.len() < 10_000);
    }

    /// No statement grows with the tables, but for a list of names.
    #[test]
    fn three_hundred_wide_tables_fit() {
        let names = (0..300).map(|at| format!("a_long_table_name_{at:04}").leak() as &'static str);
        let tables: Vec<&'static Table> =
            names.map(|name| &*Box::leak(Box::new(Table { name, ..*Workspace::TABLE }))).collect();
        let schema = crate::Schema { owner: "wide", tables: tables.leak(), migrations: &[] };
        let (push, pull) = (longest(schema.tables), crate::pull_sql(&schema).len());
        println!("300 wide tables: push {push} bytes, pull {pull} bytes");
        assert!(push < 100_000 && pull < 100_000);
    }

    #[test]
    fn an_empty_payload_is_short() {
        let json = serde_json::to_string(&Payload::new(7)).unwrap();
        assert_eq!(json, r#"{"v":2,"counter":7}"#);
    }

    #[test]
    fn operations_are_lists() {
        let (table, key) = ("t".to_owned(), "k".to_owned());
        let columns = Columns::from_iter([("a".to_owned(), Json::from(1))]);
        let ops = [
            Op::Write(table.clone(), key.clone(), columns.clone()),
            Op::Patch(table.clone(), key.clone(), columns, 1),
            Op::Delete(table, key),
        ];
        let json = serde_json::to_string(&ops).unwrap();
        assert_eq!(json, r#"[["t","k",{"a":1}],["t","k",{"a":1},1],["t","k"]]"#);
    }
}
