//! The tool that owns the tables rebuilds one while the engine is detached.

use fastest_schema::Table;
use fastest_schema::adopt::changed::changed;
use fastest_schema::adopt::rebuild::{hold_sql, release_sql};
use fastest_schema::migrate::diff::migration;
use fastest_schema::record::model::{Record, TableRecord};
use serde_json::json;

use super::{adopted, live, pulled};

#[test]
fn devices_hear_of_all_that_a_rebuild_did() {
    let (database, tables) = adopted();
    for sql in [
        "INSERT INTO organisations(id, name, slug) VALUES ('q', 'Other', 'other')",
        "INSERT INTO members(id, organisationId, email) VALUES ('away', 'q', 'a@example.org')",
        "INSERT INTO tasks(id, memberId) VALUES ('lost', 'm'), ('moved', 'm')",
    ] {
        database.run(sql);
    }
    let before = live(&database);
    let versions = "SELECT count(*), sum(version) FROM fastest_changes WHERE deleted = 0";
    assert_eq!(database.query(versions), json!([[7, 7]]));
    let cursor = pulled(&database, &tables, 0).len() as i64;
    let record = Record::of("app", &tables);

    // It can be repeated, after a failure half-way or a rebuild that dropped some triggers.
    for sql in release_sql(&record)[2..].iter().chain(&release_sql(&record)) {
        database.run(sql);
    }
    assert_eq!(live(&database).triggers.len(), 1);
    for sql in [
        "DELETE FROM tasks WHERE id = 'lost'",
        "UPDATE tasks SET memberId = 'away' WHERE id = 'moved'",
        "UPDATE tasks SET title = 'rebuilt' WHERE id = 't'",
        "INSERT INTO tasks(id, memberId) VALUES ('new', 'm')",
    ] {
        database.run(sql);
    }
    hold_sql(&record).iter().for_each(|sql| database.run(sql));

    assert_eq!(live(&database), before);
    let found = pulled(&database, &tables, cursor);
    let heard = |key: &str| {
        let change = found.iter().find(|change| change[0] == "tasks" && change[1] == key);
        change.map(|change| json!([change[2], change[3][4]]))
    };
    assert_eq!(heard("t"), Some(json!([2, "rebuilt"])));
    assert_eq!(heard("new"), Some(json!([1, "it's new"])));
    // One row was deleted, and one moved to another scope.
    assert_eq!(heard("lost"), Some(json!([2, null])));
    assert_eq!(heard("moved"), Some(json!([1, null])));
    let moved =
        "SELECT scope, version, deleted FROM fastest_changes WHERE tbl = 'tasks' AND pk = 'moved'";
    assert_eq!(database.query(moved), json!([["q", 2, 0]]));
    // No sequence number is used twice, and a push succeeds.
    let push = json!({"v": 1, "counter": 1, "locks": [["tasks", "t", 2]], "rows": {"tasks": [{"id": "t", "rank": 7}]}});
    database.push("p1", push);
    assert_eq!(database.query("SELECT rank FROM tasks WHERE id = 't'"), json!([[7]]));
}

/// What an attach would refuse after a statement on the adopted tables.
fn refused(sql: &str) -> Vec<String> {
    let (database, tables) = adopted();
    let record = Record::of("app", &tables);
    release_sql(&record).iter().for_each(|sql| database.run(sql));
    database.0.pragma_update(None, "foreign_keys", false).unwrap();
    database.0.execute_batch(sql).unwrap();
    changed(&live(&database), &record.tables).iter().map(ToString::to_string).collect()
}

#[test]
fn tables_that_changed_are_not_attached() {
    assert_eq!(refused("ALTER TABLE tasks ADD COLUMN extra text DEFAULT 'x'"), [""; 0]);
    let made = |columns: &str| {
        let sql = format!(
            "DROP TRIGGER tasks_audit; DROP TABLE tasks; CREATE TABLE tasks(memberId text NOT NULL,
             sprintId text, type text, doneAt integer, {columns});"
        );
        let index = "CREATE UNIQUE INDEX i ON tasks(memberId, lower(\"title\"))
                     WHERE \"type\" = 'once' and \"doneAt\" is null";
        refused(&format!("{sql}{}", if columns.contains("title") { index } else { "" }))
    };
    let id = "id text PRIMARY KEY NOT NULL";
    let rest = "title text NOT NULL, estimate real NOT NULL, rank integer NOT NULL";
    assert_eq!(made(&format!("{id}, {rest}")), [""; 0], "as it was, but for the defaults");
    let then = "declare it as it is and generate a migration, then attach and migrate";
    assert_eq!(
        made(&format!("{id}, title, estimate integer NOT NULL, \"Rank\" integer")),
        [
            format!("`tasks.title` has no type now: {then}"),
            format!("`tasks.estimate` is declared `integer` now: {then}"),
        ]
    );
    assert_eq!(
        made(&format!("{id}, title text, {}, due integer NOT NULL", &rest["title text NOT NULL, ".len()..])),
        [
            "`tasks.due` is not declared, is NOT NULL and has no default, so no device could insert a \
             row: declare it and generate a migration, then attach and migrate"
                .to_owned(),
        ]
    );
    let gone = made(&format!("{id}, {}", rest.replace("title", "name")));
    assert_eq!(gone[0], format!("`tasks.title` is not there any more, or is generated: {then}"));
    assert!(gone[1].starts_with("`tasks.name` is not declared, is NOT NULL"), "{gone:?}");
    let shared = "is not unique any more, or by another rule";
    assert!(gone.last().is_some_and(|last| last.contains(shared)), "{gone:?}");
    let [no_key] = &made(&format!("id text NOT NULL, {rest}"))[..] else { panic!() };
    assert!(no_key.starts_with("table `tasks` has no primary key"), "{no_key}");
    let [moved] = &made(&format!("id text NOT NULL, {rest}, k text PRIMARY KEY DEFAULT 'k'"))[..]
    else {
        panic!()
    };
    assert!(moved.contains("`k` is its key now"), "{moved}");
    let [gone] = &refused("DROP TABLE members")[..] else { panic!() };
    assert!(gone.starts_with("table `members` is adopted, and is not there"), "{gone}");
}

/// Does what a refused attach says: declares the table as it is, attaches, and then migrates.
#[test]
fn a_table_that_changed_is_attached_as_it_is_declared_anew() {
    let (database, tables) = adopted();
    let before = Record::of("app", &tables);
    release_sql(&before).iter().for_each(|sql| database.run(sql));
    database.run("ALTER TABLE tasks DROP COLUMN estimate");
    database.run("ALTER TABLE tasks ADD COLUMN hours real NOT NULL DEFAULT 2.5");
    assert_eq!(changed(&live(&database), &before.tables).len(), 1);

    let mut declared = before.tables.clone();
    let tasks = declared.iter_mut().find(|table| table.name == "tasks").unwrap();
    let estimate = tasks.columns.iter_mut().find(|column| column.name == "estimate").unwrap();
    (estimate.name, estimate.default) = ("hours".into(), Some("2.5".into()));
    let tables: Vec<&'static Table> = declared.iter().map(TableRecord::leak).collect();
    let after = Record::of("app", &tables);
    assert_eq!(changed(&live(&database), &after.tables), []);
    hold_sql(&after).iter().for_each(|sql| database.run(sql));
    for sql in migration(Some(&before), &after).unwrap().statements {
        database.0.execute_batch(&sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
    let found = pulled(&database, &tables, 0);
    let task = found.iter().find(|change| change[0] == "tasks").unwrap();
    assert_eq!(task[3][5], 2.5, "{task}");
}
