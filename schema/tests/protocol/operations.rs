//! Payload 2: what an ordered list of operations does, and what it refuses.

use fastest_schema::Refusal;
use serde_json::{Value, json};

use crate::primary::Primary;

fn push(counter: i64, locks: Value, ops: Value) -> Value {
    json!({"v": 2, "counter": counter, "locks": locks, "ops": ops})
}

fn board(primary: &Primary) {
    primary.run("INSERT INTO boards(id, project_id) VALUES ('b', 'P')");
}

#[test]
fn operations_are_applied_in_their_order() {
    let primary = Primary::new();
    primary.run("INSERT INTO users(id, email) VALUES ('v', 'v@example.org')");
    let locks = json!([["users", "v", 1], ["users", "w", 0]]);
    let take = json!(["users", "w", {"email": "v@example.org"}]);
    let free = json!(["users", "v"]);
    let error =
        primary.try_push("p", "d", push(1, locks.clone(), json!([take, free]))).unwrap_err();
    assert!(error.contains("UNIQUE"), "{error}");
    primary.push("p", push(1, locks, json!([free, take])));
    assert_eq!(primary.query("SELECT id FROM users WHERE email = 'v@example.org'"), json!([["w"]]));
    // And the same key again, in one push.
    let ops = json!([["users", "w"], ["users", "w", {"email": "again@example.org"}]]);
    let version = primary.changes("users")[2][2].clone();
    primary.push("p2", push(2, json!([["users", "w", version]]), ops));
    assert_eq!(primary.query("SELECT count(*) FROM users"), json!([[2]]));
}

#[test]
fn what_is_not_given_stays() {
    let primary = Primary::new();
    primary.run("UPDATE workspaces SET machine_id = 'm', local_path = '/p' WHERE id = 'w1'");
    let read = || primary.query("SELECT name, machine_id, local_path, version FROM workspaces");
    let op = json!([["workspaces", "w1", {"local_path": null}]]);
    primary.push("p1", push(1, json!([["workspaces", "w1", 2]]), op));
    assert_eq!(read(), json!([["main", "m", null, 3]]));
    primary.push("p2", push(2, json!([]), json!([["workspaces", "w1", {"name": "n"}, 1]])));
    assert_eq!(read(), json!([["n", "m", null, 4]]));
    primary.push("p3", push(3, json!([]), json!([["workspaces", "gone", {"name": "n"}, 1]])));
    primary
        .push("p4", push(4, json!([["workspaces", "w1", 4]]), json!([["workspaces", "w1", {}]])));
    assert_eq!(read(), json!([["n", "m", null, 5]]), "its version counts");
}

/// A REPLACE on another row deletes a row without firing its trigger, so its entry still says that
/// it exists.
#[test]
fn a_row_that_was_struck_behind_the_triggers_is_not_made_anew_from_a_part() {
    let primary = Primary::new();
    primary.run("INSERT INTO users(id, email) VALUES ('v', 'v@example.org')");
    primary.run("INSERT OR REPLACE INTO users(id, email) VALUES ('w', 'v@example.org')");
    assert_eq!(primary.query("SELECT count(*) FROM users WHERE id = 'v'"), json!([[0]]));
    let locks = json!([["users", "v", 1]]);
    for op in [json!(["users", "v", {"email": "new@example.org"}]), json!(["users", "v"])] {
        primary.refuses(push(1, locks.clone(), json!([op])), Refusal::VersionConflict);
    }
    // A patch of a row that the device does not know creates no row either.
    primary.push("p", push(1, json!([]), json!([["users", "v", {"email": "x"}, 1]])));
    assert_eq!(primary.query("SELECT count(*) FROM users WHERE id = 'v'"), json!([[0]]));
}

#[test]
fn what_is_no_operation_is_refused() {
    let primary = Primary::new();
    board(&primary);
    primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
    let locks = json!([["workspaces", "w1", 1], ["order", "c", 1]]);
    for ops in [
        json!({}),
        json!("x"),
        json!([1]),
        json!([["workspaces"]]),
        json!([["workspaces", 1, {}]]),
        json!([["workspaces", "w1", []]]),
        json!([["workspaces", "w1", {}, 2]]),
        json!([["workspaces", "w1", {"id": "w2"}]]),
        json!([["workspaces", "w1", {"name": {"blob": "00"}}]]),
        json!([["order", "c", {"rank": [1, 2]}]]),
        json!([["order", "c", {"weight": [1]}]]),
        json!([["order", "c", {"weight": [0.5, 1]}]]),
        json!([["order", "c", {"weight": [1, 1025]}]]),
        json!([["order", "c", {"weight": {"blob": "00"}}]]),
    ] {
        println!("{ops}");
        primary.refuses(push(1, locks.clone(), ops), Refusal::PayloadInvalid);
    }
    for ops in [
        json!([["nonsense", "k", {}]]),
        json!([["secrets", "k", {"value": "v"}]]),
        json!([["fastest_meta", "1", {}]]),
        json!([["snapshots", "s0", {"summary": "x"}, 1]]),
    ] {
        primary.refuses(push(1, locks.clone(), ops), Refusal::UnknownTable);
    }
    let op = json!([["workspaces", "w1", {"colour": "red"}]]);
    primary.refuses(push(1, locks.clone(), op), Refusal::UnknownColumn);
    for ops in [json!([["workspaces", "w1", {"name": "n"}]]), json!([["workspaces", "w1"]])] {
        primary.refuses(push(1, json!([["order", "w1", 0]]), ops), Refusal::LockMissing);
    }
    let op = json!([["workspaces", "w1", {"name": "n"}]]);
    primary.refuses(push(1, json!([["workspaces", "w1", 2]]), op), Refusal::VersionConflict);
}

#[test]
fn a_row_with_children_that_were_not_seen_stays() {
    let primary = Primary::new();
    board(&primary);
    primary.run("INSERT INTO `order`(id, board_id, `group`) VALUES ('c', 'b', 'g')");
    let gone = json!([["boards", "b"]]);
    primary.refuses(push(1, json!([["boards", "b", 1]]), gone), Refusal::VersionConflict);
    let locks = json!([["boards", "b", 1], ["order", "c", 1]]);
    primary.push("p", push(1, locks, json!([["order", "c"], ["boards", "b"]])));
    assert_eq!(primary.query("SELECT count(*) FROM boards"), json!([[0]]));
}

#[test]
fn a_write_that_a_trigger_swallows_is_refused() {
    let write = json!([["boards", "b", {"title": "x"}]]);
    for (trigger, locks, ops) in [
        ("BEFORE INSERT ON boards", json!([["boards", "n", 0]]), json!([["boards", "n", {}]])),
        ("BEFORE UPDATE ON boards", json!([["boards", "b", 1]]), write),
        ("BEFORE DELETE ON boards", json!([["boards", "b", 1]]), json!([["boards", "b"]])),
        (
            "BEFORE INSERT ON snapshots",
            json!([]),
            json!([["snapshots", "s1", {"project_id": "P", "manifest_hash": "bb"}]]),
        ),
    ] {
        let primary = Primary::new();
        board(&primary);
        primary.run(&format!("CREATE TRIGGER mute {trigger} BEGIN SELECT RAISE(IGNORE); END"));
        primary.refuses(push(1, locks.clone(), ops.clone()), Refusal::Swallowed);
        primary.run("DROP TRIGGER mute");
        primary.push("p", push(1, locks, ops));
    }
}

#[test]
fn what_is_gone_already_may_be_deleted() {
    let primary = Primary::new();
    board(&primary);
    primary.run("DELETE FROM boards");
    let locks = json!([["boards", "b", 2], ["boards", "never", 0]]);
    primary.push("p", push(1, locks, json!([["boards", "b"], ["boards", "never"]])));
}

#[test]
fn the_answer_names_the_versions_that_cannot_be_computed() {
    let primary = Primary::new();
    board(&primary);
    primary.run("INSERT INTO boards(id, project_id) VALUES ('c', 'P')");
    primary.run(
        "CREATE TRIGGER stamp AFTER UPDATE OF title ON boards WHEN NEW.id = 'b'
         BEGIN UPDATE boards SET project_id = 'Q' WHERE id = NEW.id; END",
    );
    let payload = push(
        1,
        json!([["boards", "b", 1], ["boards", "c", 1]]),
        json!([["boards", "b", {"title": "x"}], ["boards", "c", {"title": "x"}]]),
    );
    let asked = |sql: &str, third: &str| -> Option<[String; 2]> {
        let mut statement = primary.0.prepare(sql).unwrap();
        let parameters: &[&str] = if third.is_empty() { &["p", "d"] } else { &["p", "d", third] };
        let read = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?]);
        let mut rows = statement.query_map(rusqlite::params_from_iter(parameters), read).unwrap();
        rows.next().map(Result::unwrap)
    };
    let named = Some(["p".to_owned(), r#"[["boards","b",3,0]]"#.to_owned()]);
    assert_eq!(asked(fastest_schema::PUSH_SQL, &payload.to_string()), named);
    assert_eq!(asked(fastest_schema::PUSH_SQL, &payload.to_string()), None, "applied before");
    let mut known = primary.0.prepare(fastest_schema::PUSH_KNOWN_SQL).unwrap();
    let locks = payload["locks"].to_string();
    let read = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?]);
    assert_eq!(known.query_row(["p", &locks], read).ok(), named);
}
