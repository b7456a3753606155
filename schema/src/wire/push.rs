//! Push: one INSERT into a view, whose trigger applies the push completely or not at all.
//!
//! The view `fastest_push_2` takes payload 2, a list of row operations. Its trigger checks the
//! payload as a whole, and inserts the operations one by one, in order, into the view
//! `fastest_push_op`, which has a trigger for each table. So no statement grows with the number of
//! tables, except for a list of their names; and because operations run in order, one can release a
//! unique value that a later one takes. The view `fastest_push` takes payload 1, of earlier builds,
//! and converts it to payload 2.

mod delete;
mod given;
mod operation;
mod payload_1;
mod replaced;

use crate::declare::order::parents_first;
use crate::declare::table::{Policy, Table};
use crate::sql::quote::literal;
use crate::wire::payload::{PAYLOAD_VERSION, PUSHES_KEPT, mark_sql, seen_sql};
use crate::wire::push::delete::delete_trigger;
use crate::wire::push::operation::op_trigger;
use crate::wire::push::payload_1::payload_1_trigger;
use crate::wire::refusal::Refusal;

/// Returns the views that pushes are inserted into, and their triggers, for the synced tables.
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
        payload_1_trigger(&synced),
    ]);
    ddl
}

/// Passes the deletes of each table to the trigger that looks for children.
const CHILDREN_UNSEEN: &str = "INSERT INTO fastest_push_delete(tbl, keys, locked)
    SELECT value->>0, json_group_array(value->>1), NEW.payload->'locks'
    FROM json_each(NEW.payload->'ops') WHERE json_type(value, '$[2]') IS NULL GROUP BY value->>0";

/// Passes the operations on, in order.
const OPERATIONS: &str = "INSERT INTO fastest_push_op(tbl, pk, columns, patch)
    SELECT value->>0, value->>1, value->2, value->>3
    FROM json_each(NEW.payload->'ops') ORDER BY key";

/// The largest counter: 2^53, which no device reaches. SQLite reads an integer of more than 64 bits
/// as a real, and a difference that leaves 64 bits becomes one. The record of a push with such a
/// counter would count as one of the oldest, and be deleted as soon as it is written; sent again,
/// the push would be applied again.
const COUNTER_MAX: i64 = 1 << 53;

/// Checks whether to process the push at all: its version is known, it was not applied before, its
/// counter is new, and it is meant for this primary in its current state.
fn admission() -> Vec<String> {
    vec![
        format!(
            "{} WHERE NEW.payload->>'v' IS NOT {PAYLOAD_VERSION}",
            Refusal::PayloadVersion.raise_sql()
        ),
        "SELECT RAISE(IGNORE) FROM fastest_pushes WHERE id = NEW.id".to_owned(),
        format!(
            "{} WHERE json_type(NEW.payload, '$.counter') IS NOT 'integer'
    OR NEW.payload->>'counter' NOT BETWEEN 0 AND {COUNTER_MAX}",
            Refusal::PayloadInvalid.raise_sql()
        ),
        format!(
            "{} FROM fastest_pushes WHERE device = NEW.device AND counter >= NEW.payload->>'counter'",
            Refusal::DeviceCounter.raise_sql()
        ),
        format!(
            "{} FROM fastest_meta
    WHERE NEW.payload->>'epoch' IS NOT NULL AND epoch IS NOT NEW.payload->>'epoch'",
            Refusal::Restored.raise_sql()
        ),
        format!(
            "{} WHERE NEW.payload->>'after' IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM fastest_pushes WHERE id = NEW.payload->>'after')",
            Refusal::Restored.raise_sql()
        ),
        format!(
            "{} WHERE NEW.payload->>'mark' IS NOT NULL
    AND NOT {}",
            Refusal::Restored.raise_sql(),
            mark_sql("(NEW.payload->'mark')")
        ),
        format!(
            "{} WHERE NEW.payload->>'seen' IS NOT NULL
    AND NOT {}",
            Refusal::Restored.raise_sql(),
            seen_sql("(NEW.payload->'seen')")
        ),
    ]
}

/// Checks all operations at once: their form, tables and locks.
fn whole_checks(synced: &[&Table]) -> Vec<String> {
    let names = |policy: Option<Policy>| {
        let of = synced.iter().filter(|table| policy.is_none_or(|policy| table.policy == policy));
        of.map(|table| literal(table.name)).collect::<Vec<_>>().join(",")
    };
    let (all, versioned) = (names(None), names(Some(Policy::Versioned)));
    vec![
        format!(
            "{} WHERE coalesce(json_type(NEW.payload, '$.ops'), 'array') IS NOT 'array'",
            Refusal::PayloadInvalid.raise_sql()
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE type IS NOT 'array' OR json_type(value, '$[0]') IS NOT 'text'
      OR json_type(value, '$[1]') IS NOT 'text'
      OR coalesce(json_type(value, '$[2]'), 'object') IS NOT 'object'
      OR json_type(value, '$[3]') IS NOT NULL AND value->>3 IS NOT 1",
            Refusal::PayloadInvalid.raise_sql()
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE value->>0 NOT IN ({all}) OR value->>3 IS NOT NULL AND value->>0 NOT IN ({versioned})",
            Refusal::UnknownTable.raise_sql()
        ),
        format!(
            "{} FROM json_each(NEW.payload->'locks') AS l
    LEFT JOIN fastest_changes AS c ON c.tbl = l.value->>0 AND c.pk = l.value->>1
    WHERE coalesce(c.version, 0) IS NOT l.value->>2",
            Refusal::VersionConflict.raise_sql()
        ),
        format!(
            "{} FROM json_each(NEW.payload->'ops')
    WHERE value->>0 IN ({versioned}) AND value->>3 IS NULL AND (value->>0, value->>1) NOT IN (
      SELECT value->>0, value->>1 FROM json_each(NEW.payload->'locks')
      WHERE value->>0 IS NOT NULL AND value->>1 IS NOT NULL)",
            Refusal::LockMissing.raise_sql()
        ),
    ]
}

/// Refuses the push if a trigger or a constraint of the application undid an operation without an
/// error: each locked row that was written must have a new version, and each one that was deleted
/// must be gone.
fn swallowed() -> String {
    // A join of the two lists would be quadratic; for `IN`, SQLite builds an index.
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
        Refusal::Swallowed.raise_sql()
    )
}

/// Returns the last statements: they record the push, and delete the device's oldest records.
fn receipt() -> [String; 3] {
    [
        "INSERT INTO fastest_pushes(id, device, counter)
    VALUES (NEW.id, NEW.device, NEW.payload->>'counter')"
            .to_owned(),
        "UPDATE fastest_meta SET last_push = NEW.id".to_owned(),
        format!(
            "DELETE FROM fastest_pushes
    WHERE device = NEW.device AND counter <= (NEW.payload->>'counter') - {PUSHES_KEPT}"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declare::schema::Schema;
    use crate::declare::table::Row;
    use crate::tables::fastest::{FASTEST, TABLES};
    use crate::tables::workspaces::Workspace;
    use crate::wire::pull::pull_sql;

    fn longest(tables: &[&'static Table]) -> usize {
        push_ddl(tables).iter().map(String::len).max().unwrap()
    }

    #[test]
    fn every_statement_fits_d1() {
        let pull = pull_sql(&FASTEST);
        println!("the longest push trigger has {} bytes, a pull {}", longest(TABLES), pull.len());
        assert!(longest(TABLES) < 20_000 && pull.len() < 10_000);
    }

    /// No statement grows with the number of tables, except for a list of names.
    #[test]
    fn three_hundred_wide_tables_fit() {
        let names = (0..300).map(|at| format!("a_long_table_name_{at:04}").leak() as &'static str);
        let tables: Vec<&'static Table> =
            names.map(|name| &*Box::leak(Box::new(Table { name, ..*Workspace::TABLE }))).collect();
        let schema = Schema { owner: "wide", tables: tables.leak(), migrations: &[] };
        let (push, pull) = (longest(schema.tables), pull_sql(&schema).len());
        println!("300 wide tables: push {push} bytes, pull {pull} bytes");
        assert!(push < 100_000 && pull < 100_000);
    }
}
