//! Unique indexes of adopted tables: what devices know of them, and that a push never replaces a
//! row.

use fastest_schema::adopt::chosen::{Chosen, adopt};
use fastest_schema::adopt::notes::notes;
use fastest_schema::migrate::diff::migration;
use fastest_schema::record::model::{Record, TableRecord};
use fastest_schema::{D1_MIGRATIONS_DDL, Policy, replica_ddl};
use serde_json::{Value, json};

use super::{database, live};
use crate::primary::Primary;

/// The record of table `a`, and the notes on its unique indexes.
fn adopted(sql: &str) -> (TableRecord, Vec<String>) {
    let found = live(&database(sql));
    let records = adopt(&found, &[Chosen::versioned("a", "id")], &[]).unwrap();
    let notes =
        notes(&found, &records, &[]).into_iter().filter(|note| note.contains("unique index"));
    let notes = notes.collect();
    let [record] = <[TableRecord; 1]>::try_from(records).unwrap();
    (record, notes)
}

/// The plain unique indexes and the unique rules in the record of a table with these columns and
/// indexes.
fn unique(columns: &str, indexes: &str) -> (Value, Value, Vec<String>) {
    let (record, notes) =
        adopted(&format!("CREATE TABLE a(id text PRIMARY KEY NOT NULL, {columns}); {indexes}"));
    let whole = record.indexes.iter().map(|index| json!(index.columns)).collect();
    let rules = record.unique_rules.iter().map(|rule| json!([rule.terms, rule.filter])).collect();
    (whole, rules, notes)
}

#[test]
fn unique_indexes_are_told_to_devices() {
    let check = |columns: &str, indexes: &str, whole: Value, rules: Value| {
        let none = Vec::<String>::new();
        assert_eq!(unique(columns, indexes), (whole, rules, none), "{columns}; {indexes}");
    };
    let columns = "x text, y integer, z datetime, s text";
    check("x text, y integer, UNIQUE (y, x)", "", json!([["y", "x"]]), json!([]));
    check(columns, "CREATE UNIQUE INDEX i ON a(x, z DESC)", json!([["x", "z"]]), json!([]));
    // The key is unique by itself, and an ordinary index is not unique.
    check(columns, "CREATE UNIQUE INDEX i ON a(id, x)", json!([]), json!([]));
    check(columns, "CREATE INDEX i ON a(x, y)", json!([]), json!([]));
    let partial = "CREATE UNIQUE INDEX i ON a(x) WHERE z IS NULL AND s <> 'It''s -- (no)'";
    let filter = "z IS NULL AND s <> 'It''s -- (no)'";
    check(columns, partial, json!([]), json!([[["`x`"], filter]]));
    let expression = "CREATE UNIQUE INDEX i ON a(lower( \"x\" ), y COLLATE binary DESC)";
    check(columns, expression, json!([]), json!([[["lower( \"x\" )", "`y`"], null]]));
    // Equal bytes are equal by every collation, and some different bytes are too.
    let folded = json!([[["lower(`x`)", "`y`"], null]]);
    check("x text COLLATE nocase, y integer, UNIQUE (x, y)", "", json!([["x", "y"]]), folded);
    let trimmed = "CREATE UNIQUE INDEX i ON a(x COLLATE RTRIM)";
    check(columns, trimmed, json!([]), json!([[["rtrim(`x`, ' ')"], null]]));
    let (record, _) = adopted("CREATE TABLE a(id text PRIMARY KEY, x text COLLATE NOCASE UNIQUE)");
    assert!(record.column("x").unwrap().unique, "a foreign key may lead to it");
}

#[test]
fn unique_indexes_that_a_device_cannot_check_are_noted() {
    for (columns, index) in [
        // Generated, so devices do not hold it.
        ("x text, g text AS (lower(x))", "a(x, g)"),
        ("x text, g text AS (lower(x))", "a(x) WHERE g = 'y'"),
        // A device would distinguish values that the primary takes for equal.
        ("x text, y text COLLATE NOCASE", "a(x) WHERE a.y <> 'n'"),
        ("x text, z datetime", "a(x) WHERE z > 5"),
        ("x text", "a(trim(x) COLLATE NOCASE)"),
        ("x text", "a(x) WHERE rowid > 5"),
    ] {
        let (whole, rules, notes) = unique(columns, &format!("CREATE UNIQUE INDEX i ON {index}"));
        assert_eq!((whole, rules), (json!([]), json!([])), "{index}");
        let note = "devices cannot check the unique indexes `i` of `a`: a push that breaks one is \
                    refused by the primary, which names it";
        assert_eq!(notes, [note], "{index}");
    }
}

#[test]
fn neither_primary_nor_replica_makes_a_unique_index() {
    let (record, _) = adopted(
        "CREATE TABLE a(id text PRIMARY KEY, x text, y text, UNIQUE (x, y));
         CREATE UNIQUE INDEX i ON a(y, lower(x)) WHERE x IS NOT NULL",
    );
    assert_eq!((record.indexes.len(), record.unique_rules.len()), (1, 1));
    let table = record.leak();
    assert_eq!(TableRecord::from(table), record);
    let plan = migration(None, &Record::of("app", &[table])).unwrap().statements;
    assert!(!plan.iter().any(|sql| sql.contains("INDEX") && sql.contains(" ON `a`")), "{plan:?}");
    let replica = replica_ddl(&[table]);
    assert!(!replica.iter().any(|sql| sql.contains("UNIQUE") && sql.contains(" ON `a`")));
    let indexes = replica.iter().filter(|sql| sql.contains("INDEX") && sql.contains(" ON `a`"));
    assert_eq!(indexes.count(), 2, "plain ones, to look for rows by: {replica:?}");
}

/// An adopted table `a` with some rows, and three constraints that replace rows.
fn replacing(policy: Policy) -> Primary {
    let database = database(
        "CREATE TABLE a(
           id text PRIMARY KEY NOT NULL,
           x text NOT NULL DEFAULT 'none',
           y integer,
           r real UNIQUE ON CONFLICT REPLACE,
           n text COLLATE NOCASE CONSTRAINT u UNIQUE ON CONFLICT REPLACE,
           t text NOT NULL ON CONFLICT REPLACE DEFAULT '',
           CONSTRAINT w UNIQUE (x, y) ON CONFLICT REPLACE)",
    );
    let chosen = Chosen { policy, ..Chosen::versioned("a", "id") };
    let records = adopt(&live(&database), &[chosen], &[]).unwrap();
    assert!(records[0].replaces);
    let notes = notes(&live(&database), &records, &[]).join("\n");
    assert!(notes.contains("of one that the application strikes so, no device hears"), "{notes}");
    let record = Record::of("app", &[records[0].leak()]);
    database.run(D1_MIGRATIONS_DDL);
    for sql in migration(None, &record).unwrap().statements {
        database.0.execute_batch(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    let rows = "INSERT INTO a(id, x, y, r, n) VALUES ('one', 'none', 1, 0.1, 'Name'),
                ('two', 'two', 1, NULL, NULL), ('nulls', 'none', NULL, NULL, NULL)";
    database.run(rows);
    database
}

#[test]
fn a_push_strikes_no_row_by_on_conflict_replace() {
    let database = replacing(Policy::Versioned);
    let push = |counter: i64, key: &str, lock: i64, columns: Value| {
        let ops = json!([["a", key, columns]]);
        let locks = json!([["a", key, lock]]);
        let payload = json!({"v": 2, "counter": counter, "locks": locks, "ops": ops});
        database.try_push(&format!("p{counter}"), "d", payload)
    };
    let tenth = json!([3_602_879_701_896_397_i64, -55]);
    for (counter, (key, lock, columns, constraint)) in [
        ("new", 0, json!({"y": 1}), "a.x, a.y"),
        ("new", 0, json!({"x": "two", "y": 1}), "a.x, a.y"),
        ("two", 1, json!({"x": "none"}), "a.x, a.y"),
        ("two", 1, json!({"r": tenth}), "a.r"),
        ("two", 1, json!({"n": "nAME"}), "a.n"),
    ]
    .into_iter()
    .enumerate()
    {
        let error = push(counter as i64 + 1, key, lock, columns).unwrap_err();
        let expected = format!("UNIQUE constraint failed: {constraint}");
        assert!(error.contains(&expected), "{key}: {error}");
    }
    assert_eq!(database.query("SELECT count(*) FROM a"), json!([[3]]), "none was struck");
    // A row does not conflict with itself, and nulls never conflict.
    push(11, "one", 1, json!({"x": "none", "y": 1, "n": "name"})).unwrap();
    push(12, "two", 1, json!({"x": "none", "y": null})).unwrap();
    push(13, "new", 0, json!({"x": "two", "y": 1})).unwrap();
    assert_eq!(database.query("SELECT count(*) FROM a"), json!([[4]]));
}

/// An existing row of an append-only table is not written again, so it replaces nothing.
#[test]
fn a_row_that_is_written_once_strikes_none_either() {
    let database = replacing(Policy::AppendOnly);
    let push = |counter: i64, key: &str| {
        let ops = json!([["a", key, {"x": "none", "y": 1}]]);
        let payload = json!({"v": 2, "counter": counter, "ops": ops});
        database.try_push(&format!("p{counter}"), "d", payload)
    };
    assert!(push(1, "new").unwrap_err().contains("UNIQUE constraint failed: a.x, a.y"));
    push(2, "two").unwrap();
    assert_eq!(database.query("SELECT count(*) FROM a"), json!([[3]]));
}

/// Only tables with such a constraint get the extra statements.
#[test]
fn other_tables_are_not_looked_through() {
    let (record, _) =
        adopted("CREATE TABLE a(id text PRIMARY KEY, x text UNIQUE ON CONFLICT IGNORE)");
    assert!(!record.replaces);
    let pushed = fastest_schema::push_ddl(&[record.leak()]).concat();
    assert!(!pushed.contains("UNIQUE constraint failed"));
}
