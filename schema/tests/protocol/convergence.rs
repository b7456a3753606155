//! Writes at random while a replica pulls now and then, scope by scope. In the end, the replica
//! must hold what the primary holds.

use std::collections::BTreeMap;

use fastest_schema::{Outcome, RowKey};
use serde_json::{Value, json};

use crate::primary::Primary;

const SCOPES: [&str; 4] = ["", "A", "B", "C"];

/// A xorshift generator: small, and reproducible on every platform.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn scope(&mut self) -> &'static str {
        ["NULL", "'A'", "'B'", "'C'"][self.below(4) as usize]
    }
}

/// What a device holds: the scope, version and values of each row, and a cursor for each scope.
#[derive(Default)]
struct Replica {
    rows: BTreeMap<(String, RowKey), (String, i64, Vec<Value>)>,
    cursors: BTreeMap<&'static str, i64>,
}

impl Replica {
    fn pull(&mut self, primary: &Primary, scope: &'static str, rows_max: i64) {
        let cursor = self.cursors.entry(scope).or_default();
        loop {
            let page = primary.pull_page(scope, *cursor, rows_max, 10_000, "");
            assert!(page.header.seq >= *cursor, "numbers of `{scope}` went back");
            let more = page.more();
            for change in page.changes {
                *cursor = change.seq;
                let key = (change.table.name.to_owned(), change.key);
                let held_here = self.rows.get(&key).is_some_and(|(held, ..)| held == scope);
                match change.outcome {
                    Outcome::Row(values) => {
                        let values = values
                            .iter()
                            .map(fastest_schema::value::sql_value::Value::to_json)
                            .collect();
                        self.rows.insert(key, (scope.to_owned(), change.version, values));
                    }
                    Outcome::Deleted | Outcome::Left { .. } if held_here => {
                        self.rows.remove(&key);
                    }
                    Outcome::Deleted | Outcome::Left { .. } => {}
                    Outcome::Held { column, why } => panic!("{key:?}: {column} holds {why}"),
                }
            }
            if !more {
                return;
            }
        }
    }
}

/// One random write. If it violates a constraint, it changes nothing.
fn write(primary: &Primary, random: &mut Random, step: u64) {
    let (board, other, card) = (random.below(5), random.below(5), random.below(8));
    let scope = random.scope();
    let sql = match random.below(9) {
        0 => format!("INSERT INTO boards(id, project_id) VALUES ('b{board}', {scope})"),
        1 => format!("UPDATE boards SET project_id = {scope} WHERE id = 'b{board}'"),
        2 => {
            format!("UPDATE boards SET id = 'b{other}', project_id = {scope} WHERE id = 'b{board}'")
        }
        3 => format!("DELETE FROM boards WHERE id = 'b{board}'"),
        4 => format!(
            "INSERT INTO `order`(id, board_id, `group`) VALUES ('c{card}', 'b{board}', {step})"
        ),
        5 => format!("UPDATE `order` SET board_id = 'b{board}' WHERE id = 'c{card}'"),
        6 => format!("UPDATE `order` SET id = 'c{other}', rank = {step} WHERE id = 'c{card}'"),
        7 => format!("DELETE FROM `order` WHERE id = 'c{card}'"),
        _ => format!(
            "INSERT OR REPLACE INTO boards(id, project_id, title) VALUES ('b{board}', {scope}, {step})"
        ),
    };
    let _ = primary.0.execute(&sql, []);
}

fn converges(primary: &Primary, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let mut replica = Replica::default();
    for step in 0..300 {
        write(primary, &mut random, step);
        if random.below(4) == 0 {
            let scope = SCOPES[random.below(4) as usize];
            replica.pull(primary, scope, 1 + random.below(5) as i64);
        }
    }
    for scope in SCOPES {
        replica.pull(primary, scope, 1000);
    }
    let held: Vec<Value> = replica
        .rows
        .iter()
        .map(|((table, key), (scope, version, values))| {
            json!([table, key, scope, version, values[1]])
        })
        .collect();
    let truth = primary.query(
        "SELECT tbl, pk, scope, c.version, coalesce(project_id, '') FROM boards
           JOIN fastest_changes c ON tbl = 'boards' AND pk = id
         UNION ALL
         SELECT tbl, pk, scope, c.version, board_id FROM `order`
           JOIN fastest_changes c ON tbl = 'order' AND pk = id
         ORDER BY tbl, pk",
    );
    let held: Vec<Value> = held.into_iter().map(null_as_empty).collect();
    assert_eq!(truth, Value::Array(held), "seed {seed}");
    let strays = primary.query(
        "SELECT c.scope, b.project_id FROM boards b
         JOIN fastest_changes c ON tbl = 'boards' AND pk = id
         WHERE scope IS NOT coalesce(project_id, '')
         UNION ALL
         SELECT c.scope, b.project_id FROM `order` o JOIN boards b ON b.id = o.board_id
         JOIN fastest_changes c ON tbl = 'order' AND pk = o.id
         WHERE scope IS NOT coalesce(b.project_id, '')",
    );
    assert_eq!(strays, json!([]), "seed {seed}: recorded scopes are the rows' own");
}

fn null_as_empty(mut row: Value) -> Value {
    if row[4].is_null() {
        row[4] = json!("");
    }
    row
}

#[test]
fn a_replica_ends_with_what_the_primary_holds() {
    for seed in 1..=24 {
        let primary = Primary::empty();
        let primary = if seed % 2 == 0 { primary.recursive() } else { primary };
        converges(&primary, seed);
    }
}
