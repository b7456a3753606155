//! One payload and one answer in wire form. Clients in other languages can test against them: they
//! are in `tests/data`.

use fastest_schema::tables::workspaces::Workspace;
use fastest_schema::{Lock, Mark, Op, Outcome, Payload, Refusal, decode_page};
use serde_json::{Value, json};

use crate::primary::{Primary, tables};

const PAYLOAD: &str = include_str!("../data/payload_2.json");
const PAYLOAD_1: &str = include_str!("../data/payload.json");
const REALS: &str = include_str!("../data/reals.json");
const ANSWER: &str = include_str!("../data/answer.json");

#[test]
fn the_payload_is_what_this_crate_writes() {
    let columns = |json: Value| match json {
        Value::Object(columns) => columns,
        _ => panic!("columns are an object"),
    };
    let snapshot = columns(json!({"project_id": "P", "manifest_hash": "bb".repeat(32),
        "parent_snapshot_ids": "[\"s0\"]", "created_at": "2026-11-21T00:00:00.000Z"}));
    let [workspaces, projects] = ["workspaces", "projects"].map(str::to_owned);
    let mut payload = Payload::new(1);
    payload.locks = vec![Lock(workspaces.clone(), "w1".into(), 1)];
    payload.ops = vec![
        Op::Write("snapshots".to_owned(), "s1".into(), snapshot),
        Op::Write(workspaces, "w1".into(), columns(json!({"current_snapshot_id": "s1"}))),
        Op::Patch(projects, "P".into(), columns(json!({"last_snapshot_id": "s1"})), 1),
    ];
    let kept: Value = serde_json::from_str(PAYLOAD).unwrap();
    assert_eq!(serde_json::to_value(&payload).unwrap(), kept);
}

#[test]
fn the_payload_is_accepted_once_and_conflicts_after() {
    for payload in [PAYLOAD, PAYLOAD_1] {
        let primary = Primary::new();
        let mut payload: Value = serde_json::from_str(payload).unwrap();
        primary.push("p1", payload.clone());
        assert_eq!(primary.version("w1"), 2);
        payload["counter"] = json!(2);
        primary.refuses(payload, Refusal::VersionConflict);
    }
}

/// `[bits of the double, its wire form]`, written by this crate and by a primary.
#[test]
fn reals_travel_in_these_forms() {
    let vectors: Vec<(String, Value)> = serde_json::from_str(REALS).unwrap();
    for (bits, wire) in vectors {
        let real = f64::from_bits(u64::from_str_radix(&bits, 16).unwrap());
        assert_eq!(fastest_schema::value::sql_value::Value::Real(real).to_wire(), wire, "{real:?}");
        let read = fastest_schema::value::sql_value::Value::from_wire(
            wire,
            fastest_schema::value::kind::Kind::Real,
        );
        assert_eq!(read, Ok(fastest_schema::value::sql_value::Value::Real(real)));
    }
}

#[test]
fn the_answer_decodes() {
    let answer: Vec<Vec<Option<String>>> = serde_json::from_str(ANSWER).unwrap();
    let page = decode_page(&tables(), 1, answer).unwrap();
    assert_eq!((page.header.seq, page.header.push_known, page.changes.len()), (6, true, 3));
    assert_eq!(page.header.mark, Some(Mark("p1".into(), "d".into(), 1)));
    let workspace: Workspace = page.changes[0].row().unwrap().unwrap();
    assert_eq!(workspace.version, 2);
    assert_eq!(page.changes[1].outcome, Outcome::Deleted);
    assert_eq!(page.changes[2].outcome, Outcome::Left { scope: "P".into() });
}

#[test]
fn the_answer_has_the_shape_of_a_real_one() {
    let primary = Primary::new();
    primary.push("p1", serde_json::from_str(PAYLOAD_1).unwrap());
    let real = primary.answer("P", 5, 10, 1_000_000, "p1");
    let kept: Vec<Vec<Option<String>>> = serde_json::from_str(ANSWER).unwrap();
    assert_eq!(real[1][1..5], kept[1][1..5]);
    assert_eq!(real[0][1..5], kept[0][1..5]);
}
