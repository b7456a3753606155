//! What a push refuses, and that it then leaves no trace.

use fastest_schema::Refusal;
use serde_json::{Value, json};

use crate::primary::Primary;

#[test]
fn an_unknown_version_is_refused() {
    for payload in
        [json!({"v": 3, "counter": 1}), json!({"v": "1", "counter": 1}), json!({"counter": 1})]
    {
        Primary::new().refuses(payload, Refusal::PayloadVersion);
    }
}

#[test]
fn a_counter_must_be_an_integer() {
    for payload in
        [json!({"v": 1}), json!({"v": 1, "counter": "7"}), json!({"v": 1, "counter": null})]
    {
        Primary::new().refuses(payload, Refusal::PayloadInvalid);
    }
}

/// With a counter whose distance to older ones is not an integer for SQLite, the record of the push
/// was deleted at once, so that the push could be applied twice.
#[test]
fn a_counter_that_no_device_reaches_is_refused() {
    for version in [1, 2] {
        for counter in [json!(u64::MAX), json!(1_u64 << 63), json!(i64::MIN), json!(-1)] {
            let payload = json!({"v": version, "counter": counter});
            Primary::new().refuses(payload, Refusal::PayloadInvalid);
        }
        let primary = Primary::new();
        primary.push("p1", json!({"v": version, "counter": 1_u64 << 53}));
        assert_eq!(primary.query("SELECT id FROM fastest_pushes"), json!([["p1"]]));
    }
}

#[test]
fn a_counter_from_the_past_is_refused() {
    let primary = Primary::new();
    primary.push("p5", json!({"v": 1, "counter": 5}));
    primary.refuses(json!({"v": 1, "counter": 5}), Refusal::DeviceCounter);
    primary.refuses(json!({"v": 1, "counter": 4}), Refusal::DeviceCounter);
    primary.try_push("e4", "e", json!({"v": 1, "counter": 4})).unwrap();
    primary.push("p6", json!({"v": 1, "counter": 6}));
}

#[test]
fn a_stale_lock_is_refused() {
    let rows = json!({"workspaces": [{"id": "w1", "project_id": "P", "name": "mine"}]});
    for version in [json!(0), json!(2), json!("1"), json!(null)] {
        let payload =
            json!({"v": 1, "counter": 1, "locks": [["workspaces", "w1", version]], "rows": rows});
        Primary::new().refuses(payload, Refusal::VersionConflict);
    }
}

#[test]
fn a_write_by_anyone_is_seen() {
    let primary = Primary::new();
    primary.run("UPDATE workspaces SET name = 'by hand' WHERE id = 'w1'");
    let payload = json!({"v": 1, "counter": 1, "locks": [["workspaces", "w1", 1]],
        "rows": {"workspaces": [{"id": "w1", "name": "mine"}]}});
    primary.refuses(payload, Refusal::VersionConflict);
}

#[test]
fn a_lock_on_a_row_that_is_gone_must_name_its_tombstone() {
    let primary = Primary::new();
    primary.run("DELETE FROM workspaces WHERE id = 'w1'");
    let payload = |version: i64| {
        json!({"v": 1, "counter": 1, "locks": [["workspaces", "w1", version]],
        "rows": {"workspaces": [{"id": "w1", "project_id": "P", "name": "mine"}]}})
    };
    primary.refuses(payload(0), Refusal::VersionConflict);
    primary.refuses(payload(1), Refusal::VersionConflict);
    primary.push("p1", payload(2));
}

#[test]
fn a_versioned_row_needs_its_lock() {
    let row = json!([{"id": "w1", "project_id": "P", "name": "mine"}]);
    for payload in [
        json!({"v": 1, "counter": 1, "rows": {"workspaces": row}}),
        json!({"v": 1, "counter": 1, "delete": {"workspaces": ["w1"]}}),
        json!({"v": 1, "counter": 1, "locks": [["projects", "w1", 0]], "rows": {"workspaces": row}}),
        json!({"v": 1, "counter": 1, "locks": [["workspaces", null, 0]], "rows": {"workspaces": row}}),
        json!({"v": 1, "counter": 1, "rows": {"workspaces": [{"name": "no key"}]}}),
    ] {
        Primary::new().refuses(payload, Refusal::LockMissing);
    }
}

#[test]
fn only_synced_tables_are_written() {
    for payload in [
        json!({"rows": {"nonsense": []}}),
        json!({"rows": {"secrets": [{"id": "k", "value": "v"}]}}),
        json!({"rows": {"fastest_meta": [{"id": 1}]}}),
        json!({"patch": {"secrets": [{"id": "k"}]}}),
        json!({"patch": {"snapshots": [{"id": "s0", "summary": "x"}]}}),
        json!({"delete": {"secrets": ["k"]}}),
    ] {
        let mut payload = payload;
        payload["v"] = json!(1);
        payload["counter"] = json!(1);
        Primary::new().refuses(payload, Refusal::UnknownTable);
    }
}

#[test]
fn a_column_that_is_not_there_is_refused() {
    for payload in [
        json!({"v": 1, "counter": 1, "rows": {"snapshots": [
            {"id": "s1", "project_id": "P", "manifest_hash": "bb", "colour": "red"}]}}),
        json!({"v": 1, "counter": 1, "patch": {"workspaces": [{"id": "w1", "colour": "red"}]}}),
    ] {
        Primary::new().refuses(payload, Refusal::UnknownColumn);
    }
}

/// Expects that SQLite itself refuses the push, and that no trace of it is left.
fn breaks(payload: serde_json::Value, constraint: &str) {
    let primary = Primary::new();
    primary.run("INSERT INTO users(id, email) VALUES ('v', 'v@example.org')");
    let before = primary.everything();
    let error = primary.try_push("p", "d", payload).unwrap_err();
    assert!(error.contains(constraint), "{error}");
    assert_eq!(primary.everything(), before);
}

#[test]
fn a_push_is_whole_or_nothing() {
    let good = json!({"id": "s1", "project_id": "P", "manifest_hash": "bb"});
    let locks = json!([["workspaces", "w1", 1], ["users", "v", 1]]);
    for (rows, constraint) in [
        (json!({"snapshots": [good, {"id": "s2", "project_id": "P"}]}), "NOT NULL"),
        (
            json!({"snapshots": [good, {"project_id": "P", "manifest_hash": "bb"}]}),
            "fastest:payload_invalid",
        ),
        (
            json!({"snapshots": [good, {"id": "s2", "project_id": "nope", "manifest_hash": "bb"}]}),
            "FOREIGN KEY",
        ),
        (
            json!({"snapshots": [good], "workspaces": [{"id": "w1", "base_snapshot_id": "nope"}]}),
            "FOREIGN KEY",
        ),
        (json!({"snapshots": [good], "users": [{"id": "v", "email": "u@example.org"}]}), "UNIQUE"),
        (json!({"snapshots": [good, "text"]}), "malformed JSON"),
    ] {
        breaks(json!({"v": 1, "counter": 1, "locks": locks, "rows": rows}), constraint);
    }
}

#[test]
fn a_payload_that_is_not_json_is_refused() {
    let primary = Primary::new();
    for sql in [fastest_schema::PUSH_SQL, fastest_schema::PUSH_1_SQL] {
        let done = primary.0.query_row(sql, ["p", "d", "{"], |_| Ok(()));
        assert!(done.unwrap_err().to_string().contains("malformed JSON"));
    }
}

#[test]
fn a_push_for_another_primary_is_refused() {
    let primary = Primary::new();
    let epoch = primary.query("SELECT epoch FROM fastest_meta")[0][0].clone();
    primary.push("p1", json!({"v": 1, "counter": 1, "epoch": epoch}));
    primary.refuses(json!({"v": 1, "counter": 2, "epoch": "other"}), Refusal::Restored);
    primary.push("p2", json!({"v": 1, "counter": 2, "after": "p1"}));
    primary.refuses(json!({"v": 1, "counter": 3, "after": "p3"}), Refusal::Restored);
}

#[test]
fn a_push_after_a_change_that_never_was_is_refused() {
    let primary = Primary::new();
    let entry = primary.query("SELECT version, seq FROM fastest_changes WHERE pk = 'w1'");
    let (version, seq) = (entry[0][0].as_i64().unwrap(), entry[0][1].as_i64().unwrap());
    let seen = |version: i64, seq: i64| json!(["workspaces", "w1", version, seq]);
    let push = |counter: i64, seen: Value| json!({"v": 1, "counter": counter, "seen": seen});
    primary.push("p1", push(1, seen(version, seq)));
    let lost = [seen(version + 1, seq), seen(version, seq + 1), json!(["workspaces", "w2", 1, 1])];
    for seen in lost {
        assert!(!primary.knows("P", seen.clone()), "{seen}");
        primary.refuses(push(2, seen), Refusal::Restored);
    }
    // The row has changed since then: a later version is proof as well.
    primary.run("UPDATE workspaces SET name = 'renamed' WHERE id = 'w1'");
    assert!(primary.knows("P", seen(version, seq)));
    primary.push("p2", push(2, seen(version, seq)));
    primary.run("DELETE FROM workspaces WHERE id = 'w1'");
    assert!(primary.knows("P", seen(version + 1, seq)));
}

#[test]
fn a_push_answers_with_its_id_the_first_time() {
    let primary = Primary::new();
    let push = || primary.answered_push("p1", "d", json!({"v": 1, "counter": 1})).unwrap();
    assert_eq!(push(), ["p1"]);
    assert_eq!(push(), Vec::<String>::new());
    let known = primary.query("SELECT id FROM fastest_pushes WHERE id = 'p1'");
    assert_eq!(known, json!([["p1"]]));
}
