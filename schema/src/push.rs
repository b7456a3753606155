//! Push: one INSERT into the view `fastest_push`, whose trigger does all of it or nothing.
//!
//! The trigger's text grows with the tables, and a statement on D1 may have 100 KB. The 20 synced
//! tables of Fastest take 49 KB; 31 versioned ones of 12 columns take 96 KB. So an application has
//! room for 16 such tables beside ours. Should they not fit one day, nested views are the way: a view
//! and trigger for each table, into which the trigger of `fastest_push` inserts; it stays one
//! statement for the client, and atomic.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::ddl::{default_sql, literal, parents_first, quote};
use crate::{Column, Policy, Refusal, Table};

/// The version of the payload that this crate writes and whose trigger it generates.
pub const PAYLOAD_VERSION: i64 = 1;

/// How many of its newest pushes the primary remembers for each device.
pub const PUSHES_KEPT: i64 = 1000;

/// The push statement. Its parameters are texts: push id, device id, payload.
///
/// It answers with the push id, so that no other answer can pass for its own; or with nothing, where
/// the push was applied before: [`PUSH_KNOWN_SQL`] tells then.
pub const PUSH_SQL: &str =
    "INSERT INTO fastest_push(id, device, payload) VALUES (?1, ?2, ?3) RETURNING id";

/// Whether a push was applied. Its parameter is the push id; it answers with that id, or nothing.
pub const PUSH_KNOWN_SQL: &str = "SELECT id FROM fastest_pushes WHERE id = ?1";

/// What one push carries. A row belongs in `rows` or in `patch`, not in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Payload {
    /// Always [`PAYLOAD_VERSION`].
    pub v: i64,
    /// Grows with each push of the device.
    pub counter: i64,
    /// The epoch of the primary that the push is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The last push of the device that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// A change that the device has seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What the writer saw of the rows that it changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<Lock>,
    /// Rows to write, by table. Absent columns take their default, or stay as they are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Columns to change in rows of versioned tables, by table, without a lock. Each has its key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub patch: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Keys of rows to delete, by table.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub delete: BTreeMap<String, Vec<String>>,
}

impl Payload {
    /// A payload that carries nothing yet.
    pub fn new(counter: i64) -> Payload {
        Payload {
            v: PAYLOAD_VERSION,
            counter,
            epoch: None,
            after: None,
            seen: None,
            locks: Vec::new(),
            rows: BTreeMap::new(),
            patch: BTreeMap::new(),
            delete: BTreeMap::new(),
        }
    }
}

/// The table, key and version of a row as the writer last saw it; version 0 for one that never was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock(pub String, pub String, pub i64);

/// A change as a device has seen it: table, key, version, sequence number. Where the primary has
/// neither it nor a later version of its row, it is not the primary that the device knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen(pub String, pub String, pub i64, pub i64);

/// Whether the primary has the change in the JSON array `seen`, or a later one of its row.
pub(crate) fn seen_sql(seen: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM fastest_changes WHERE tbl = {seen}->>0 AND pk = {seen}->>1
      AND (version > {seen}->>2 OR version = {seen}->>2 AND seq = {seen}->>3))"
    )
}

/// The view `fastest_push` and its trigger, for the synced ones among the tables.
pub fn push_ddl(tables: &[&'static Table]) -> [String; 2] {
    let tables = parents_first(tables);
    let synced: Vec<&Table> =
        tables.into_iter().filter(|table| table.policy != Policy::Private).collect();
    let versioned: Vec<&Table> =
        synced.iter().copied().filter(|table| table.policy == Policy::Versioned).collect();
    let mut body = admission();
    body.push(unknown_table("rows", &synced));
    body.push(unknown_table("patch", &versioned));
    body.push(unknown_table("delete", &synced));
    body.extend(synced.iter().copied().map(unknown_column));
    body.push(conflict());
    body.extend(versioned.iter().copied().map(lock_missing));
    for table in &synced {
        body.extend((table.policy == Policy::Versioned).then(|| update(table)));
        body.push(insert(table));
    }
    for table in synced.iter().rev() {
        body.extend(versioned.iter().flat_map(|child| children_unseen(table, child)));
        body.push(delete(table));
    }
    body.extend(receipt());
    [
        "CREATE VIEW fastest_push AS SELECT NULL AS id, NULL AS device, NULL AS payload".to_owned(),
        format!(
            "CREATE TRIGGER fastest_push_apply INSTEAD OF INSERT ON fastest_push BEGIN\n  {};\nEND",
            body.join(";\n  ")
        ),
    ]
}

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

fn unknown_table(part: &str, known: &[&Table]) -> String {
    let known: Vec<String> = known.iter().map(|table| literal(table.name)).collect();
    format!(
        "{} FROM json_each(NEW.payload->'{part}') WHERE key NOT IN ({})",
        refuse(Refusal::UnknownTable),
        known.join(",")
    )
}

fn unknown_column(table: &Table) -> String {
    let known: Vec<String> = table.columns.iter().map(|column| literal(column.name)).collect();
    format!(
        "{} FROM {} AS o, json_each(o._j) AS c WHERE c.key NOT IN ({})",
        refuse(Refusal::UnknownColumn),
        objects(table),
        known.join(",")
    )
}

fn conflict() -> String {
    format!(
        "{} FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2",
        refuse(Refusal::VersionConflict)
    )
}

fn lock_missing(table: &Table) -> String {
    format!(
        "{} FROM (
      SELECT value->>'{pk}' AS k FROM {rows} UNION ALL SELECT value FROM {deletes})
    WHERE coalesce(k, '') NOT IN {locked}",
        refuse(Refusal::LockMissing),
        pk = table.pk,
        rows = part("rows", table),
        deletes = part("delete", table),
        locked = locked(table),
    )
}

/// Changes the rows that are there, in the columns that the payload has.
fn update(table: &Table) -> String {
    let changed = table.writable().map(|Column { name, .. }| {
        let column = quote(name);
        format!("{column}=iif(json_type(_j,'$.{name}') IS NULL,{column},_j->>'{name}')")
    });
    let lock = table.lock_version().map(|column| {
        let column = quote(column.name);
        format!("{column}={column}+1")
    });
    let set: Vec<String> = changed.chain(lock).collect();
    let (name, pk) = (quote(table.name), quote(table.pk));
    format!(
        "UPDATE {name} SET {}\n    FROM {} WHERE {pk} = _j->>'{}'",
        set.join(","),
        objects(table),
        table.pk
    )
}

/// Inserts the rows that are not there. Only the key may be taken: any other broken constraint
/// fails the push. A row of a versioned table may come with some of its columns only, when it is
/// there; `ON CONFLICT` would look at what it lacks before it looks at the key.
fn insert(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| quote(column.name)).collect();
    let values: Vec<String> = table.columns.iter().map(|column| value(table, column)).collect();
    let (name, pk) = (quote(table.name), quote(table.pk));
    let absent = match table.policy {
        Policy::Versioned => {
            format!("NOT EXISTS (SELECT 1 FROM {name} WHERE {pk} = _j->>'{}')", table.pk)
        }
        _ => format!("true ON CONFLICT({pk}) DO NOTHING"),
    };
    format!(
        "INSERT INTO {name}({})\n    SELECT {}\n    FROM (SELECT value AS _j FROM {}) WHERE {absent}",
        columns.join(","),
        values.join(","),
        part("rows", table),
    )
}

/// The value of a column in a new row.
fn value(table: &Table, column: &Column) -> String {
    let name = column.name;
    if column.lock_version {
        let (table, pk) = (literal(table.name), table.pk);
        return format!(
            "coalesce((SELECT version FROM fastest_changes WHERE tbl={table} AND pk=_j->>'{pk}'),0)+1"
        );
    }
    match column.default.map(default_sql) {
        None => format!("_j->>'{name}'"),
        Some(default) if column.null => {
            format!("iif(json_type(_j,'$.{name}') IS NULL,{default},_j->>'{name}')")
        }
        Some(default) => format!("coalesce(_j->>'{name}',{default})"),
    }
}

/// Refuses to delete a row as long as others refer to it that would go with it, or lose their
/// reference, without a lock: the writer does not know of them, or not of what they hold now. Its
/// own are gone by then, or refer elsewhere. One statement for each foreign key of the child.
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
        // Always in this order: without deletes, the child's table is never looked at.
        format!(
            "{} FROM {} AS d\n    {join}CROSS JOIN {} AS c ON c.{} = {held}
    WHERE c.{} NOT IN {}",
            refuse(Refusal::VersionConflict),
            part("delete", table),
            quote(child.name),
            quote(column.name),
            quote(child.pk),
            locked(child),
        )
    });
    unseen.collect()
}

/// The keys of one table that the payload has locks for.
fn locked(table: &Table) -> String {
    format!(
        "(SELECT value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 = {} AND value->>1 IS NOT NULL)",
        literal(table.name)
    )
}

fn delete(table: &Table) -> String {
    format!(
        "DELETE FROM {} WHERE {} IN (SELECT value FROM {})",
        quote(table.name),
        quote(table.pk),
        part("delete", table)
    )
}

/// The elements of one table in one part of the payload. `->` cuts them out by way of SQLite's
/// JSON cache, where a path given to `json_each` would parse the whole payload for each table.
fn part(part: &str, table: &Table) -> String {
    format!("json_each(NEW.payload->'$.{part}.{}')", table.name)
}

/// The objects of one table, as `_j`: rows, and for a versioned table patches.
fn objects(table: &Table) -> String {
    let rows = part("rows", table);
    match table.policy {
        Policy::Versioned => {
            let patches = part("patch", table);
            format!("(SELECT value AS _j FROM {rows} UNION ALL SELECT value FROM {patches})")
        }
        _ => format!("(SELECT value AS _j FROM {rows})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspaces::Workspace;
    use crate::{Row, TABLES};

    #[test]
    fn the_trigger_fits_a_statement_on_d1() {
        let [_, trigger] = push_ddl(TABLES);
        let pull = crate::pull_sql(&crate::FASTEST);
        println!("the push trigger has {} bytes, a pull {}", trigger.len(), pull.len());
        assert!(trigger.len() < 100_000 && pull.len() < 100_000);
    }

    /// Fastest has fewer tables, narrower ones, and not all of them versioned: the rest is for those
    /// of applications.
    #[test]
    fn the_trigger_still_fits_with_thirty_one_wide_tables() {
        let names = (0..31).map(|at| format!("a_long_table_name_{at:04}").leak() as &'static str);
        let tables: Vec<&'static Table> =
            names.map(|name| &*Box::leak(Box::new(Table { name, ..*Workspace::TABLE }))).collect();
        let [_, trigger] = push_ddl(&tables);
        let schema = crate::Schema { owner: "wide", tables: tables.leak(), migrations: &[] };
        let pull = crate::pull_sql(&schema);
        println!("31 wide tables: push {} bytes, pull {} bytes", trigger.len(), pull.len());
        assert!(trigger.len() < 100_000 && pull.len() < 100_000);
    }

    #[test]
    fn an_empty_payload_is_short() {
        let json = serde_json::to_string(&Payload::new(7)).unwrap();
        assert_eq!(json, r#"{"v":1,"counter":7}"#);
    }
}
