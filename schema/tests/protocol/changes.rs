//! What the triggers record, whoever writes.

use serde_json::json;

use crate::primary::Primary;

/// Runs a check with recursive triggers off and on.
fn both(check: fn(Primary)) {
    check(Primary::new());
    check(Primary::new().recursive());
}

#[test]
fn every_write_takes_the_next_number_of_its_scope() {
    both(|primary| {
        primary.run("UPDATE snapshots SET summary = 'x' WHERE id = 's0'");
        primary.run("DELETE FROM workspaces WHERE id = 'w1'");
        assert_eq!(primary.changes("projects"), json!([["P", "P", 1, 1, 0]]));
        assert_eq!(primary.changes("snapshots"), json!([["s0", "P", 2, 4, 0]]));
        assert_eq!(primary.changes("workspaces"), json!([["w1", "P", 2, 5, 1]]));
        assert_eq!(primary.changes("users"), json!([["u", "u", 1, 1, 0]]));
    });
}

#[test]
fn private_tables_leave_no_trace() {
    both(|primary| {
        primary.run("INSERT INTO secrets(id, value) VALUES ('k', 'v')");
        assert_eq!(primary.changes("secrets"), json!([]));
        let triggers = primary.query(
            "SELECT name FROM sqlite_schema WHERE tbl_name = 'secrets' AND type = 'trigger'",
        );
        assert_eq!(triggers, json!([]));
        let push = primary.query(
            "SELECT sql LIKE '%secrets%' FROM sqlite_schema WHERE name = 'fastest_push_apply'",
        );
        assert_eq!(push, json!([[0]]));
    });
}

#[test]
fn a_row_that_moves_leaves_a_tombstone_and_numbers_never_repeat() {
    both(|primary| {
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
        primary.run("UPDATE boards SET project_id = 'B' WHERE id = 'b'");
        assert_eq!(
            primary.changes("boards"),
            json!([[r#"["b","A"]"#, "A", 1, 2, 2], ["b", "B", 2, 1, 0]])
        );
        primary.run("UPDATE boards SET project_id = 'A' WHERE id = 'b'");
        assert_eq!(
            primary.changes("boards"),
            json!([
                [r#"["b","A"]"#, "A", 1, 2, 2],
                ["b", "A", 3, 3, 0],
                [r#"["b","B"]"#, "B", 2, 2, 2]
            ])
        );
    });
}

#[test]
fn a_row_made_anew_in_another_scope_leaves_one_too() {
    both(|primary| {
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
        primary.run("DELETE FROM boards WHERE id = 'b'");
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'B')");
        assert_eq!(
            primary.changes("boards"),
            json!([[r#"["b","A"]"#, "A", 2, 3, 2], ["b", "B", 3, 1, 0]])
        );
    });
}

#[test]
fn a_row_that_changes_its_key_leaves_a_tombstone_first() {
    both(|primary| {
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
        primary.run("UPDATE boards SET id = 'c', project_id = 'B' WHERE id = 'b'");
        assert_eq!(primary.changes("boards"), json!([["b", "A", 2, 2, 1], ["c", "B", 1, 1, 0]]));
    });
}

#[test]
fn a_scope_without_value_is_empty() {
    both(|primary| {
        primary.run("INSERT INTO boards(id) VALUES ('b')");
        assert_eq!(primary.changes("boards"), json!([["b", "", 1, 1, 0]]));
        primary.run("UPDATE boards SET project_id = 'A'");
        primary.run("UPDATE boards SET project_id = NULL");
        assert_eq!(primary.changes("boards")[1], json!(["b", "", 3, 3, 0]));
    });
}

#[test]
fn rows_follow_the_parent_that_gives_them_their_scope() {
    both(|primary| {
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
        primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
        assert_eq!(primary.changes("order"), json!([["c", "A", 1, 2, 0]]));
        primary.run("UPDATE boards SET project_id = 'B' WHERE id = 'b'");
        let moved = primary
            .query("SELECT scope, deleted FROM fastest_changes WHERE tbl = 'order' ORDER BY scope");
        assert_eq!(moved, json!([["A", 2], ["B", 0]]));
    });
}

#[test]
fn a_cascade_leaves_tombstones_in_the_scope_of_the_parent_that_is_gone() {
    both(|primary| {
        primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'A')");
        primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
        primary.run("DELETE FROM boards WHERE id = 'b'");
        assert_eq!(
            primary.changes("order")[0].as_array().unwrap()[..3],
            [json!("c"), json!("A"), json!(2)]
        );
        assert_eq!(
            primary.query("SELECT count(*) FROM fastest_changes WHERE scope = 'A' AND deleted = 1"),
            json!([[2]])
        );
    });
}

#[test]
fn the_lock_version_is_the_recorded_one_after_any_write() {
    both(|primary| {
        assert_eq!(primary.version("w1"), 1);
        for (sql, version) in [
            ("UPDATE workspaces SET name = 'x' WHERE id = 'w1'", 2),
            ("UPDATE workspaces SET name = 'y', version = version + 1 WHERE id = 'w1'", 3),
            ("UPDATE workspaces SET name = 'z', version = 77 WHERE id = 'w1'", 4),
            ("UPDATE workspaces SET version = 99 WHERE id = 'w1'", 4),
            ("UPDATE workspaces SET name = name, version = 5 WHERE id = 'w1'", 5),
            (
                "INSERT INTO workspaces(id, project_id, name, version) VALUES ('w1', 'P', 'u', 40)
              ON CONFLICT(id) DO UPDATE SET name = excluded.name, version = excluded.version",
                6,
            ),
        ] {
            primary.run(sql);
            assert_eq!(primary.version("w1"), version, "{sql}");
        }
    });
}

#[test]
fn a_row_without_an_entry_may_still_be_written() {
    both(|primary| {
        primary.run("DELETE FROM fastest_changes WHERE tbl = 'workspaces'");
        primary.run("UPDATE workspaces SET version = 9 WHERE id = 'w1'");
        primary.run("UPDATE workspaces SET name = 'x' WHERE id = 'w1'");
        assert_eq!(primary.version("w1"), 1);
    });
}

#[test]
fn a_row_made_anew_continues_its_version() {
    both(|primary| {
        primary.run("DELETE FROM workspaces WHERE id = 'w1'");
        primary.run("INSERT INTO workspaces(id, project_id, name) VALUES ('w1', 'P', 'again')");
        assert_eq!(primary.version("w1"), 3);
    });
}

#[test]
fn a_replaced_row_keeps_its_versions_equal() {
    both(|primary| {
        primary
            .run("INSERT OR REPLACE INTO workspaces(id, project_id, name) VALUES ('w1', 'P', 'r')");
        assert!(primary.version("w1") >= 2);
    });
}

#[test]
fn an_engine_write_costs_no_second_write_of_the_row() {
    let primary = Primary::new();
    let before = primary.0.total_changes();
    primary.push(
        "p",
        json!({"v": 1, "counter": 1, "patch": {"workspaces": [{"id": "w1", "name": "n"}]}}),
    );
    // Four writes: the row, its entry, the record of the push, and the mark.
    assert_eq!(primary.0.total_changes() - before, 4);
    assert_eq!(primary.version("w1"), 2);
}
