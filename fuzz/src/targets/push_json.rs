//! Pushes of well-formed payloads: an input is a program of locks and operations on a few rows. So
//! more of them are accepted than of mutated JSON, and their effect is known.

use std::collections::BTreeMap;

use fastest_schema::PUSH_SQL;
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};

use crate::reader::Reader;
use crate::targets::payload::push;

/// Programs have no format of their own.
pub const TOKENS: &[&[u8]] = &[&[0; 4], &[0xff; 2], &[1, 1], &[3, 4, 5]];

/// Returns programs of one and of several operations.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![vec![0; 12], (0..60).collect(), (0..200).rev().collect(), vec![7, 3, 9, 1, 1, 4, 9, 0, 2]]
}

const TABLES: [&str; 8] = [
    "workspaces",
    "boards",
    "order",
    "snapshots",
    "projects",
    "activity_events",
    "secrets",
    "conversations",
];

const KEYS: [&str; 8] = ["w1", "b1", "c1", "s0", "P", "n1", "n2", "Q"];

const COLUMNS: [&str; 16] = [
    "id", "project_id", "name", "title", "board_id", "group", "rank", "weight", "version",
    "current_snapshot_id", "manifest_hash", "parent_snapshot_ids", "kind", "payload", "created_at", "none",
];

/// Pushes what the program says.
pub fn run(input: &[u8]) {
    let mut program = Reader::new(input);
    let (mut locks, mut ops) = (Vec::new(), Vec::new());
    let mut last = BTreeMap::new();
    while !program.is_empty() && ops.len() < 12 {
        let shape = program.byte();
        let (table, key) = (TABLES[program.below(8)], KEYS[program.below(8)]);
        if shape & 8 == 0 {
            let known = u64::from(["w1", "b1", "c1", "s0", "P", "Q"].contains(&key));
            let version = if shape & 0x70 == 0 { program.number() } else { known };
            locks.push(json!([table, key, version]));
        }
        let columns = columns(&mut program);
        ops.push(match shape % 4 {
            0 => json!([table, key]),
            1 => json!([table, key, columns, 1]),
            _ => json!([table, key, columns]),
        });
        last.insert((table, key), shape % 4);
    }
    locks.dedup();
    let payload = json!({ "v": 2, "counter": 1, "locks": locks, "ops": ops });
    push(PUSH_SQL, &Value::Text(payload.to_string()));
}

fn columns(program: &mut Reader<'_>) -> Map<String, Json> {
    let mut columns = Map::new();
    for _ in 0..program.below(6) {
        let name = COLUMNS[program.below(16)];
        columns.insert(name.to_owned(), value(program));
    }
    columns
}

fn value(program: &mut Reader<'_>) -> Json {
    match program.byte() % 12 {
        0 => Json::Null,
        1 => json!(program.number().cast_signed()),
        2 => json!(KEYS[program.below(8)]),
        3 => json!(String::from_utf8_lossy(program.some())),
        4 => json!([program.number().cast_signed(), i64::from(program.byte()) - 128]),
        5 => json!([1, i64::from(program.two()) - 32_768]),
        6 => json!(f64::from_bits(program.number())),
        7 => json!({ "blob": "00ff" }),
        8 => json!(program.byte() > 99),
        9 => json!(["P", ["nested", {}]]),
        10 => json!({ "a": KEYS[program.below(8)] }),
        _ => json!(["P", "Q", "b1", "w1"][program.below(4)]),
    }
}
