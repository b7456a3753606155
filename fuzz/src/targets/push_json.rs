//! Pushes of well-formed payloads: an input is a program of locks and operations on a few rows. So
//! more of them are accepted than of mutated JSON, and their effect is known.

use fastest_schema::{Column, Kind, PUSH_SQL, Policy, Table};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json, json};

use crate::reader::Reader;
use crate::targets::payload::push;
use crate::targets::primary::tables;

/// Programs have no format of their own.
pub const TOKENS: &[&[u8]] = &[&[0; 4], &[0xff; 2], &[1, 1], &[3, 4, 5]];

/// Returns programs of one and of several operations.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![vec![0; 12], (0..60).collect(), (0..200).rev().collect(), vec![7, 3, 9, 1, 1, 4, 9, 0, 2]]
}

/// Tables that are written, each with the key of a row that exists.
const TABLES: [(&str, &str); 10] = [
    ("workspaces", "w1"),
    ("boards", "b1"),
    ("order", "c1"),
    ("snapshots", "s0"),
    ("projects", "P"),
    ("projects", "Q"),
    ("users", "u"),
    ("activity_events", "none"),
    ("conversations", "none"),
    ("secrets", "none"),
];

/// Keys of rows that do not exist, and that each may get.
const NEW: [&str; 2] = ["n1", "n2"];

thread_local! {
    static DECLARED: Vec<&'static Table> = tables();
}

/// Pushes what the program says.
pub fn run(input: &[u8]) {
    push(PUSH_SQL, &Value::Text(payload_of(input)));
}

/// Returns the payload that a program means.
fn payload_of(input: &[u8]) -> String {
    let mut program = Reader::new(input);
    let (mut locks, mut ops) = (Vec::new(), Vec::new());
    let mut written: Vec<(&str, &str)> = Vec::new();
    while !program.is_empty() && ops.len() < 12 {
        let (shape, (name, known)) = (program.byte(), TABLES[program.below(TABLES.len())]);
        let table = DECLARED.with(|tables| tables.iter().find(|table| table.name == name).copied());
        let Some(table) = table else { continue };
        let key = if shape & 4 == 0 { known } else { NEW[program.below(2)] };
        let is_first = !written.contains(&(name, key));
        written.push((name, key));
        // One in sixteen has another version than it should, and one in sixteen no lock.
        let is_odd = shape >> 4 == 15;
        if table.policy == Policy::Versioned && is_first && shape >> 4 != 14 {
            let version = if is_odd { program.number() } else { u64::from(key == known) };
            locks.push(json!([name, key, version]));
        }
        let columns = columns(&mut program, table, NEW.contains(&key) && is_first);
        ops.push(match shape % 4 {
            0 if table.policy == Policy::Versioned => json!([name, key]),
            1 if table.policy == Policy::Versioned => json!([name, key, columns, 1]),
            _ => json!([name, key, columns]),
        });
    }
    json!({ "v": 2, "counter": 1, "locks": locks, "ops": ops }).to_string()
}

/// Returns some columns of a table, and those that a new row must have.
fn columns(program: &mut Reader<'_>, table: &Table, is_new: bool) -> Map<String, Json> {
    let mut columns = Map::new();
    if is_new {
        let needed = |column: &&Column| {
            !column.null
                && column.default.is_none()
                && !column.lock_version
                && column.name != table.pk
        };
        for column in table.columns.iter().filter(needed) {
            columns.insert(column.name.to_owned(), plausible(column));
        }
    }
    for _ in 0..program.below(5) {
        let column = &table.columns[program.below(table.columns.len())];
        let value = match program.byte() {
            ..=79 => plausible(column),
            80..=249 => value(program),
            _ => {
                columns.insert("none".to_owned(), Json::Null);
                continue;
            }
        };
        columns.insert(column.name.to_owned(), value);
    }
    columns
}

fn plausible(column: &Column) -> Json {
    let parent = column.references.as_ref().map(|parent| parent.table);
    match (parent.and_then(|name| TABLES.iter().find(|known| known.0 == name)), column.kind) {
        (Some((_, key)), _) => json!(key),
        (None, Kind::Text) => json!("x"),
        (None, Kind::Integer) => json!(1),
        (None, Kind::Real) => json!([3, -1]),
    }
}

fn value(program: &mut Reader<'_>) -> Json {
    match program.byte() % 12 {
        0 => Json::Null,
        1 => json!(program.number().cast_signed()),
        2 => json!(TABLES[program.below(TABLES.len())].1),
        3 => json!(String::from_utf8_lossy(program.some())),
        4 => json!([program.number().cast_signed(), i64::from(program.byte()) - 128]),
        5 => json!([1, i64::from(program.two()) - 32_768]),
        6 => json!(f64::from_bits(program.number())),
        7 => json!({ "blob": "00ff" }),
        8 => json!(program.byte() > 99),
        9 => json!(["P", ["nested", {}]]),
        10 => json!({ "a": NEW[program.below(2)] }),
        _ => json!(["P", "Q", "b1", "w1"][program.below(4)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutator;

    /// Otherwise the target would test refusals alone.
    #[test]
    fn pushes_are_often_accepted() {
        let seeds = seeds();
        let mut mutator = Mutator::new(1, &seeds, TOKENS);
        let mut applied = 0;
        for _ in 0..400 {
            let payload = payload_of(&mutator.draw());
            let is_empty = payload.contains("\"ops\":[]");
            applied += usize::from(!is_empty && push(PUSH_SQL, &Value::Text(payload)));
        }
        assert!(applied >= 20, "{applied} of 400");
    }
}
