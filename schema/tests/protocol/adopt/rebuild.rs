//! The tool that made the tables rebuilds one, with the engine out of its way.

use fastest_schema::adopt::{hold_sql, release_sql};
use fastest_schema::record::Record;
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

    // Again after a failure half-way, or after a rebuild that took some along.
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
    // Gone, and in another scope.
    assert_eq!(heard("lost"), Some(json!([2, null])));
    assert_eq!(heard("moved"), Some(json!([1, null])));
    let moved =
        "SELECT scope, version, deleted FROM fastest_changes WHERE tbl = 'tasks' AND pk = 'moved'";
    assert_eq!(database.query(moved), json!([["q", 2, 0]]));
    // What was known keeps its order: no sequence number was given twice, and a push goes through.
    let push = json!({"v": 1, "counter": 1, "locks": [["tasks", "t", 2]], "rows": {"tasks": [{"id": "t", "rank": 7}]}});
    database.push("p1", push);
    assert_eq!(database.query("SELECT rank FROM tasks WHERE id = 't'"), json!([[7]]));
}
