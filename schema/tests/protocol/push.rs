//! What a push does.

use std::time::Instant;

use serde_json::{Value, json};

use crate::primary::Primary;

fn snapshot(id: &str) -> Value {
    json!({"id": id, "project_id": "P", "manifest_hash": "bb"})
}

#[test]
fn rows_are_written_and_their_locks_move() {
    let primary = Primary::new();
    primary.push(
        "p1",
        json!({
            "v": 1, "counter": 1, "locks": [["workspaces", "w1", 1], ["workspaces", "w2", 0]],
            "rows": {
                "workspaces": [
                    {"id": "w1", "project_id": "P", "name": "main", "current_snapshot_id": "s1"},
                    {"id": "w2", "project_id": "P", "name": "other", "version": 12},
                ],
                "snapshots": [snapshot("s1")],
            },
        }),
    );
    assert_eq!(
        primary.query("SELECT id, name, current_snapshot_id, version FROM workspaces ORDER BY id"),
        json!([["w1", "main", "s1", 2], ["w2", "other", null, 1]])
    );
    let row = primary.query("SELECT source, parent_snapshot_ids, created_at LIKE '20__-__-__T__:__:__.___Z' FROM snapshots WHERE id = 's1'");
    assert_eq!(row, json!([["cli", "[]", 1]]));
    assert_eq!(
        primary.query("SELECT id, device, counter FROM fastest_pushes"),
        json!([["p1", "d", 1]])
    );
}

#[test]
fn a_push_applied_before_is_ignored() {
    let primary = Primary::new();
    let payload = json!({"v": 1, "counter": 1, "locks": [["workspaces", "w1", 1]],
        "rows": {"workspaces": [{"id": "w1", "name": "once"}]}});
    primary.push("p1", payload.clone());
    let before = primary.everything();
    primary.push("p1", payload);
    primary.push("p1", json!({"v": 1, "counter": 0, "rows": {"snapshots": [snapshot("s9")]}}));
    assert_eq!(primary.everything(), before);
}

#[test]
fn append_only_rows_are_written_once() {
    let primary = Primary::new();
    let mut other = snapshot("s0");
    other["summary"] = json!("changed");
    primary.push("p1", json!({"v": 1, "counter": 1, "rows": {"snapshots": [other]}}));
    assert_eq!(primary.query("SELECT summary FROM snapshots"), json!([[null]]));
    assert_eq!(primary.changes("snapshots"), json!([["s0", "P", 1, 2, 0]]));
}

#[test]
fn absent_columns_stay_and_nulls_are_written() {
    let primary = Primary::new();
    primary.run("UPDATE workspaces SET machine_id = 'm', local_path = '/p' WHERE id = 'w1'");
    let read = || primary.query("SELECT name, machine_id, local_path, version FROM workspaces");
    primary.push(
        "p1",
        json!({"v": 1, "counter": 1, "patch": {"workspaces": [{"id": "w1", "machine_id": null}]}}),
    );
    assert_eq!(read(), json!([["main", null, "/p", 3]]));
    primary.push("p2", json!({"v": 1, "counter": 2, "locks": [["workspaces", "w1", 3]],
        "rows": {"workspaces": [{"id": "w1", "local_path": null, "machine_id": "n", "version": 50}]}}));
    assert_eq!(read(), json!([["main", "n", null, 4]]));
    primary.version("w1");
}

#[test]
fn a_default_stands_in_for_what_is_absent() {
    let primary = Primary::new();
    let locks = json!([["boards", "b1", 0], ["boards", "b2", 0], ["order", "c", 0]]);
    primary.push(
        "p1",
        json!({"v": 1, "counter": 1, "locks": locks, "rows": {
            "order": [{"id": "c", "board_id": "b1", "group": "g"}],
            "boards": [{"id": "b1"}, {"id": "b2", "title": null}],
        }}),
    );
    assert_eq!(
        primary.query("SELECT title FROM boards ORDER BY id"),
        json!([["untitled"], [null]])
    );
    assert_eq!(primary.query("SELECT rank, weight FROM `order`"), json!([[-1, 0.5]]));
}

#[test]
fn a_patch_of_a_row_that_is_gone_does_nothing() {
    let primary = Primary::new();
    primary.push(
        "p1",
        json!({"v": 1, "counter": 1, "patch": {"workspaces": [{"id": "gone", "name": "n"}]}}),
    );
    assert_eq!(primary.query("SELECT count(*) FROM workspaces"), json!([[1]]));
}

#[test]
fn deletes_go_children_first_and_leave_tombstones() {
    let primary = Primary::new();
    primary.run("UPDATE workspaces SET base_snapshot_id = 's0'");
    primary.push(
        "p1",
        json!({"v": 1, "counter": 1, "locks": [["workspaces", "w1", 2]],
        "delete": {"snapshots": ["s0"], "workspaces": ["w1"]}}),
    );
    assert_eq!(primary.changes("workspaces"), json!([["w1", "P", 3, 5, 1]]));
    primary.push(
        "p2",
        json!({"v": 1, "counter": 2, "locks": [["workspaces", "w1", 3]],
        "rows": {"workspaces": [{"id": "w1", "project_id": "P", "name": "back"}]}}),
    );
    assert_eq!(primary.version("w1"), 4);
}

#[test]
fn json_columns_may_be_text_or_json() {
    let primary = Primary::new();
    let mut text = snapshot("s1");
    text["parent_snapshot_ids"] = json!("[\"s0\"]");
    let mut plain = snapshot("s2");
    plain["parent_snapshot_ids"] = json!(["s0"]);
    primary.push("p1", json!({"v": 1, "counter": 1, "rows": {"snapshots": [text, plain]}}));
    let read = primary.query("SELECT DISTINCT parent_snapshot_ids FROM snapshots WHERE id <> 's0'");
    assert_eq!(read, json!([["[\"s0\"]"]]));
}

#[test]
fn integers_of_64_bits_pass() {
    let primary = Primary::new();
    let big = i64::MAX;
    primary.push(
        "p1",
        json!({"v": 1, "counter": 1, "rows": {"drift_reports": [
        {"id": "r", "workspace_id": "w1", "bytes_changed": big}]}}),
    );
    assert_eq!(primary.query("SELECT bytes_changed FROM drift_reports"), json!([[big]]));
}

#[test]
fn the_record_of_pushes_bounds_itself() {
    let primary = Primary::new();
    for counter in 1..=1005 {
        primary.push(&format!("p{counter}"), json!({"v": 1, "counter": counter}));
    }
    primary.try_push("other", "e", json!({"v": 1, "counter": 1})).unwrap();
    let kept =
        primary.query("SELECT device, count(*), min(counter) FROM fastest_pushes GROUP BY device");
    assert_eq!(kept, json!([["d", 1000, 6], ["e", 1, 1]]));
}

#[test]
fn ten_thousand_rows_fit_one_push() {
    let primary = Primary::new();
    let ids = 0..10_000;
    let snapshots: Vec<Value> = ids.clone().map(|id| snapshot(&format!("b{id}"))).collect();
    let start = Instant::now();
    primary.push("p1", json!({"v": 1, "counter": 1, "rows": {"snapshots": snapshots}}));
    println!("10,000 append-only rows: {:?}", start.elapsed());
    let locks: Vec<Value> =
        ids.clone().map(|id| json!(["workspaces", format!("b{id}"), 0])).collect();
    let rows: Vec<Value> =
        ids.map(|id| json!({"id": format!("b{id}"), "project_id": "P", "name": "n"})).collect();
    let start = Instant::now();
    primary.push("p2", json!({"v": 1, "counter": 2, "locks": locks, "rows": {"workspaces": rows}}));
    println!("10,000 versioned rows with locks: {:?}", start.elapsed());
    let start = Instant::now();
    let page = primary.pull_page("P", 0, 100_000, i64::MAX, "");
    println!("pulled {} changes: {:?}", page.changes.len(), start.elapsed());
    assert_eq!(page.changes.len(), 20_003);
}
