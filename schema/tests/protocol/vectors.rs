//! One payload and one answer as they are on the wire, kept in `tests/data` for clients in other
//! languages to test against.

use fastest_schema::workspaces::Workspace;
use fastest_schema::{Lock, Outcome, Payload, Refusal, decode_page};
use serde_json::{Value, json};

use crate::primary::{Primary, tables};

const PAYLOAD: &str = include_str!("../data/payload.json");
const ANSWER: &str = include_str!("../data/answer.json");

#[test]
fn the_payload_is_what_this_crate_writes() {
    let Value::Object(snapshot) = json!({"id": "s1", "project_id": "P", "manifest_hash": "bb".repeat(32),
        "parent_snapshot_ids": "[\"s0\"]", "created_at": "2026-11-21T00:00:00.000Z"})
    else {
        panic!()
    };
    let Value::Object(workspace) = json!({"id": "w1", "current_snapshot_id": "s1"}) else {
        panic!()
    };
    let Value::Object(project) = json!({"id": "P", "last_snapshot_id": "s1"}) else { panic!() };
    let mut payload = Payload::new(1);
    payload.locks = vec![Lock("workspaces".to_owned(), "w1".to_owned(), 1)];
    payload.rows.insert("snapshots".to_owned(), vec![snapshot]);
    payload.rows.insert("workspaces".to_owned(), vec![workspace]);
    payload.patch.insert("projects".to_owned(), vec![project]);
    let kept: Value = serde_json::from_str(PAYLOAD).unwrap();
    assert_eq!(serde_json::to_value(&payload).unwrap(), kept);
}

#[test]
fn the_payload_is_accepted_once_and_conflicts_after() {
    let primary = Primary::new();
    let mut payload: Value = serde_json::from_str(PAYLOAD).unwrap();
    primary.push("p1", payload.clone());
    assert_eq!(primary.version("w1"), 2);
    payload["counter"] = json!(2);
    primary.refuses(payload, Refusal::VersionConflict);
}

#[test]
fn the_answer_decodes() {
    let answer: Vec<Vec<Option<String>>> = serde_json::from_str(ANSWER).unwrap();
    let page = decode_page(&tables(), 1, answer).unwrap();
    assert_eq!((page.header.seq, page.header.push_known, page.changes.len()), (6, true, 3));
    let workspace: Workspace = page.changes[0].row().unwrap().unwrap();
    assert_eq!(workspace.version, 2);
    assert_eq!(page.changes[1].outcome, Outcome::Deleted);
    assert_eq!(page.changes[2].outcome, Outcome::Left { scope: "P".to_owned() });
}

#[test]
fn the_answer_has_the_shape_of_a_real_one() {
    let primary = Primary::new();
    primary.push("p1", serde_json::from_str(PAYLOAD).unwrap());
    let real = primary.answer("P", 5, 10, 1_000_000, "p1");
    let kept: Vec<Vec<Option<String>>> = serde_json::from_str(ANSWER).unwrap();
    assert_eq!(real[1][1..5], kept[1][1..5]);
    assert_eq!(real[0][1..5], kept[0][1..5]);
}
