//! Pushes: what a primary does with any payload, of either version, as text and as JSONB.

use rusqlite::types::Value;

use crate::targets::primary::{Answer, Primary};
use fastest_schema::{PUSH_1_SQL, PUSH_KNOWN_SQL, PUSH_SQL};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"\"v\":2",
    b"\"v\":1",
    b"\"counter\":1",
    b"\"locks\":[",
    b"\"ops\":[",
    b"\"epoch\":\"",
    b"\"after\":",
    b"\"seen\":[",
    b"\"rows\":{",
    b"\"patch\":{",
    b"\"delete\":{",
    b"\"workspaces\"",
    b"\"projects\"",
    b"\"snapshots\"",
    b"\"boards\"",
    b"\"order\"",
    b"\"secrets\"",
    b"\"w1\"",
    b"\"P\"",
    b"\"Q\"",
    b"\"s0\"",
    b"\"b1\"",
    b"\"c1\"",
    b"\"id\":",
    b"\"project_id\":",
    b"\"version\":",
    b"\"weight\":[1,-1074]",
    b"\"weight\":[1,1024]",
    b"\"rank\":",
    b"\"title\":",
    b"\"name\":",
    b"null",
    b"true",
    b"false",
    b"1e999",
    b"-9223372036854775808",
    b"[]",
    b"{}",
    b"\\u0000",
    b"\\ud800",
    b"{\"blob\":\"00\"}",
    b"/*",
    b"NaN",
    b"Infinity",
    b"0x10",
    b",",
    b":",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
];

/// How a payload is sent: the first byte of an input.
const AS_JSONB: u8 = 1;
const OF_VERSION_1: u8 = 2;

/// Returns payloads of both versions, which are accepted and refused.
pub fn seeds() -> Vec<Vec<u8>> {
    let two = [
        r#"{"v":2,"counter":1,"locks":[["workspaces","w1",1]],"ops":[["workspaces","w1",{"name":"x"}],["projects","P",{"name":"y"},1]]}"#,
        r#"{"v":2,"counter":2,"ops":[["snapshots","s1",{"project_id":"P","manifest_hash":"bb","parent_snapshot_ids":"[\"s0\"]","created_at":"2026-11-21T00:00:00.000Z"}]]}"#,
        r#"{"v":2,"counter":3,"locks":[["boards","b1",1],["order","c1",1]],"ops":[["boards","b1"]]}"#,
        r#"{"v":2,"counter":4,"locks":[["boards","b1",1]],"ops":[["boards","b1",{"project_id":"Q","title":null}]]}"#,
        r#"{"v":2,"counter":5,"locks":[["order","c2",0]],"ops":[["order","c2",{"board_id":"b1","group":"h","rank":-7,"weight":[3,-2]}]]}"#,
        r#"{"v":2,"counter":6,"locks":[["order","c1",1],["order","c3",0]],"ops":[["order","c1"],["order","c3",{"board_id":"b1","group":"g","weight":1.5}]]}"#,
        r#"{"v":2,"counter":7,"seen":["workspaces","w1",1,4],"ops":[]}"#,
        r#"{"v":2,"counter":8,"epoch":"e","after":"p0"}"#,
    ];
    let one = [
        r#"{"v":1,"counter":1,"locks":[["workspaces","w1",1]],"rows":{"workspaces":[{"id":"w1","name":"x"}]},"patch":{"projects":[{"id":"P","name":"y"}]}}"#,
        r#"{"v":1,"counter":2,"locks":[["boards","b1",1],["order","c1",1]],"rows":{"snapshots":[{"id":"s1","project_id":"P","manifest_hash":"bb"}]},"delete":{"boards":["b1"]}}"#,
    ];
    let sent = |form: u8, text: &str| [&[form], text.as_bytes()].concat();
    let two = two.iter().map(|text| sent(0, text));
    let one = one.iter().map(|text| sent(OF_VERSION_1, text));
    let jsonb: Vec<u8> = rusqlite::Connection::open_in_memory()
        .and_then(|memory| {
            let sql = r#"SELECT jsonb('{"v":2,"counter":1,"ops":[]}')"#;
            memory.query_row(sql, [], |row| row.get(0))
        })
        .expect("SQLite writes JSONB");
    let jsonb = [&[AS_JSONB], &jsonb[..]].concat();
    two.chain(one).chain([jsonb]).collect()
}

thread_local! {
    static PRIMARY: Primary = Primary::new();
}

/// Pushes a payload, twice. It is applied completely or not at all, and once; devices can pull
/// afterwards; and `fastest_changes` agrees with the tables.
pub fn run(input: &[u8]) {
    let [form, payload @ ..] = input else { return };
    let payload = if form & AS_JSONB != 0 {
        Value::Blob(payload.to_vec())
    } else {
        Value::Text(String::from_utf8_lossy(payload).into_owned())
    };
    let sql = if form & OF_VERSION_1 != 0 { PUSH_1_SQL } else { PUSH_SQL };
    push(sql, &payload);
}

/// Pushes a payload to a fresh primary, and checks what came of it. Returns whether it was applied.
pub fn push(sql: &str, payload: &Value) -> bool {
    PRIMARY.with(|primary| {
        // A transaction that is rolled back puts the primary back.
        primary.connection.execute_batch("BEGIN").expect("a transaction");
        let is_applied = pushed(primary, sql, payload);
        if !primary.connection.is_autocommit() {
            primary.connection.execute_batch("ROLLBACK").expect("a transaction");
        }
        is_applied
    })
}

fn pushed(primary: &Primary, sql: &str, payload: &Value) -> bool {
    let before = primary.everything();
    let push = || primary.run(sql, &[&"p1", &"d", payload]);
    let answer = push();
    let after = primary.everything();
    let Ok(answer) = answer else {
        assert_eq!(before, after, "a push that fails leaves nothing");
        return false;
    };
    assert_eq!(answer.len(), 1, "a push is answered with one row");
    assert_eq!(answer[0][0].as_deref(), Some("p1"), "an answer has the id of its push");
    let count = |everything: &Answer| {
        everything.iter().filter(|row| row[0].as_deref() == Some("fastest_pushes")).count()
    };
    assert_eq!(count(&before) + 1, count(&after), "a push that is applied is recorded");
    primary.check();
    for scope in ["P", "Q", ""] {
        let pulled = primary.pull(scope);
        assert!(pulled.is_ok(), "devices cannot pull {scope}: {pulled:?}");
    }
    let known = primary.run(PUSH_KNOWN_SQL, &[&"p1", &"[]"]).expect("a query of ours");
    assert_eq!(known.len(), 1, "a push that is applied is known");
    // The second time it may be refused, for example if it is no JSON any more; it is not applied.
    assert!(push().unwrap_or_default().is_empty(), "a push is applied once");
    assert_eq!(primary.everything(), after, "a push is applied once");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would test refusals alone.
    #[test]
    fn seeds_are_accepted_but_for_two() {
        let text = |input: &[u8]| String::from_utf8_lossy(&input[1..]).into_owned();
        let is_applied = |input: &Vec<u8>| {
            let (form, payload) = (input[0], text(input));
            let sql = if form & OF_VERSION_1 != 0 { PUSH_1_SQL } else { PUSH_SQL };
            let payload = match form & AS_JSONB {
                0 => Value::Text(payload),
                _ => Value::Blob(input[1..].to_vec()),
            };
            push(sql, &payload)
        };
        let refused: Vec<String> =
            seeds().iter().filter(|input| !is_applied(input)).map(|input| text(input)).collect();
        assert_eq!(refused.len(), 2, "{refused:#?}");
    }
}
