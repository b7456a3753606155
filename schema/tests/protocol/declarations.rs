//! The DDL matches the metadata, and rows survive the wire.

use fastest_schema::tables::workspaces::{
    DriftReport, Merged, NewSnapshot, NewWorkspace, Snapshot, Source, Workspace,
};
use fastest_schema::{
    Column, Default, Flag, Json, Kind, OnDelete, Policy, Row, Table, replica_ddl,
};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::primary::{Card, Label, Primary, tables};

#[test]
fn the_database_has_the_declared_columns() {
    let primary = Primary::empty();
    for table in tables() {
        let found = primary.query(&format!(
            "SELECT name, type, \"notnull\", pk, dflt_value FROM pragma_table_info('{}')",
            table.name
        ));
        let declared: Vec<Value> =
            table.columns.iter().map(|column| described(table, column)).collect();
        assert_eq!(found, Value::Array(declared), "{}", table.name);
    }
}

fn described(table: &Table, column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text => "TEXT",
        Kind::Integer => "INTEGER",
        Kind::Real => "REAL",
    };
    let pk = i64::from(column.name == table.pk);
    // SQLite reports the expression without its parentheses.
    let default = column.default.map(|default| match default {
        Default::Now => "strftime('%Y-%m-%dT%H:%M:%fZ','now')".to_owned(),
        Default::Text(text) => format!("'{text}'"),
        Default::Integer(integer) => integer.to_string(),
        Default::Real(real) => real.to_string(),
        Default::Sql(expression) => expression.to_owned(),
    });
    json!([column.name, kind, i64::from(!column.null), pk, default])
}

/// The DDL line of each column, which ends with the check if there is one.
#[test]
fn the_database_has_the_declared_checks() {
    let primary = Primary::empty();
    for table in tables() {
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ";
        let found = primary.query(&format!("{sql}'{}'", table.name));
        let lines = found[0][0].as_str().unwrap().lines().skip(1);
        for (line, column) in lines.zip(table.columns) {
            let (_, check) = line.trim_end_matches(',').split_once(" CHECK ").unzip();
            let declared = column.check.map(|sql| format!("({sql})"));
            assert_eq!(check, declared.as_deref(), "{line}");
        }
    }
}

#[test]
fn checks_and_restricted_deletes_are_enforced() {
    let primary = Primary::empty();
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
    primary.run("INSERT INTO boardLabels(id, board_id) VALUES ('l', 'b')");
    let label = primary.query("SELECT text, size, loud FROM boardLabels");
    assert_eq!(label, json!([["NEW", 3, 0]]));
    for (sql, expected) in [
        ("UPDATE boardLabels SET size = 10", "CHECK constraint failed: size BETWEEN 1 AND 9"),
        ("DELETE FROM boards", "FOREIGN KEY constraint failed"),
    ] {
        let error = primary.0.execute(sql, []).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_push_takes_sql_defaults_and_keeps_to_checks() {
    let primary = Primary::empty();
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
    let row = json!({"id": "l", "board_id": "b"});
    let push = |counter: i64, row: Value| {
        let version = counter - 1;
        json!({"v": 1, "counter": counter, "locks": [["boardLabels", "l", version]], "rows": {"boardLabels": [row]}})
    };
    primary.push("p1", push(1, row));
    let pulled = || primary.pull("A", 1).changes[0].row::<Label>().unwrap().unwrap();
    let label = pulled();
    assert_eq!((label.text.as_str(), label.size, label.loud), ("NEW", 3, Flag(false)));
    let error = primary.try_push("p2", "d", push(2, json!({"id": "l", "size": 0}))).unwrap_err();
    assert!(error.starts_with("CHECK constraint failed"), "{error}");
    primary.push("p2", push(2, json!({"id": "l", "loud": Flag(true)})));
    assert_eq!(pulled().loud, Flag(true));
}

#[test]
fn the_database_has_the_declared_foreign_keys() {
    let primary = Primary::empty();
    for table in tables() {
        let found = primary.query(&format!(
            "SELECT \"from\", \"table\", \"to\", on_delete FROM pragma_foreign_key_list('{}') ORDER BY id DESC",
            table.name
        ));
        let keys = table.columns.iter().filter_map(|column| {
            let to = column.references.as_ref()?;
            let on_delete = match to.on_delete {
                OnDelete::NoAction => "NO ACTION",
                OnDelete::Restrict => "RESTRICT",
                OnDelete::Cascade => "CASCADE",
                OnDelete::SetNull => "SET NULL",
            };
            Some(json!([column.name, to.table, to.column, on_delete]))
        });
        assert_eq!(found, keys.collect::<Value>(), "{}", table.name);
    }
}

#[test]
fn the_database_has_the_declared_indexes() {
    let primary = Primary::empty();
    for table in tables() {
        let found = primary.query(&format!(
            "SELECT i.\"unique\", (SELECT group_concat(name) FROM pragma_index_info(i.name))
             FROM pragma_index_list('{}') i WHERE origin = 'c' ORDER BY seq DESC",
            table.name
        ));
        let unique = table.columns.iter().filter(|column| column.unique);
        let unique = unique.map(|column| json!([1, column.name]));
        let indexes = table.indexes.iter();
        let indexes =
            indexes.map(|index| json!([i64::from(index.unique), index.columns.join(",")]));
        assert_eq!(found, unique.chain(indexes).collect::<Value>(), "{}", table.name);
    }
}

#[test]
fn a_replica_has_the_synced_tables_and_no_triggers() {
    let replica = Connection::open_in_memory().unwrap();
    for statement in replica_ddl(&tables()) {
        replica.execute(&statement, []).unwrap();
    }
    let primary = Primary(replica);
    let found = primary.query("SELECT name FROM sqlite_schema WHERE type <> 'index' ORDER BY name");
    let mut expected: Vec<&str> = tables()
        .into_iter()
        .filter(|table| table.policy != Policy::Private)
        .map(|table| table.name)
        .chain(["fastest_changes"])
        .collect();
    expected.sort_unstable();
    assert_eq!(found, expected.iter().map(|name| json!([name])).collect::<Value>());
}

#[test]
fn names_are_constants() {
    assert_eq!(Workspace::PROJECT_ID, "project_id");
    assert_eq!(fastest_schema::tables::workspaces::ActivityEvent::TYPE, "type");
    assert_eq!(Card::GROUP, "group");
    assert_eq!(DriftReport::TABLE.column("bytes_changed").unwrap().kind, Kind::Integer);
}

#[test]
fn an_insert_leaves_out_what_is_none() {
    let new = NewSnapshot {
        id: "snap-1".into(),
        project_id: "P".into(),
        workspace_id: None,
        manifest_hash: "aa".to_owned(),
        parent_snapshot_ids: Some(Json(vec!["s0".into()])),
        source: Some(Source::System),
        summary: None,
        conflicts: None,
        created_at: None,
    };
    assert_eq!(
        serde_json::to_value(&new).unwrap(),
        json!({"id": "snap-1", "project_id": "P", "manifest_hash": "aa",
               "parent_snapshot_ids": "[\"s0\"]", "source": "system"})
    );
}

#[test]
fn rows_survive_the_round_trip_over_a_primary() {
    let primary = Primary::new();
    let merged = Merged {
        last_merged_snapshot: "s0".into(),
        merged_at: "2026-11-21T00:00:00.000Z".to_owned(),
    };
    let new = NewWorkspace {
        id: "w2".into(),
        project_id: "P".into(),
        name: "it's \"quoted\" \u{1f600}\n".to_owned(),
        machine_id: None,
        base_snapshot_id: Some("s0".into()),
        current_snapshot_id: None,
        current_manifest_hash: None,
        local_path: Some("/p".to_owned()),
        last_seen_at: None,
        created_at: Some("2026-11-21T00:00:00.000Z".to_owned()),
        version: None,
        merge_history: Some(Json([("w1".into(), merged)].into())),
    };
    primary.push("p1", json!({"v": 1, "counter": 1, "locks": [["workspaces", "w2", 0]], "rows": {"workspaces": [new]}}));
    let page = primary.pull("P", 3);
    let row: Workspace = page.changes[0].row().unwrap().unwrap();
    assert_eq!((&row.name, &row.merge_history, row.version), (&new.name, &new.merge_history, 1));
    let object: Map<String, Value> =
        serde_json::from_value(serde_json::to_value(&row).unwrap()).unwrap();
    let again: Workspace = serde_json::from_value(Value::Object(object)).unwrap();
    assert_eq!(again, row);
    let Some(Ok(snapshot)) = primary.pull("P", 1).changes[0].row::<Snapshot>() else { panic!() };
    assert_eq!(snapshot.source, Source::Cli);
}
