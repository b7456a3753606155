//! Answers to pulls, in both forms.

use fastest_schema::{Outcome, Page, Table, decode_hex_page, decode_page, is_lossy};

use crate::targets::primary::{Answer, Primary, tables};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"null",
    b"\"0\"",
    b"\"1\"",
    b"\"2\"",
    b"\"workspaces\"",
    b"\"boards\"",
    b"\"order\"",
    b"\"snapshots\"",
    b"\"w1\"",
    b"\\\"w1\\\"",
    b"[\\\"w1\\\",\\\"P\\\"]",
    b"\\ud83d\\ude00",
    b"\\u0000",
    b"\xef\xbf\xbd",
    b"[1,-1074]",
    b"[1,1024]",
    b"[\\\"real\\\",\\\"1\\\"]",
    b"{\\\"blob\\\":\\\"00\\\"}",
    b"1e400",
    b"9007199254740993",
    b"9223372036854775808",
    b"0:",
    b"1:\xef\xbf\xbd",
    b"ff",
    b"[",
    b"]",
    b",",
];

/// The form of the cells: the first byte of an input.
const TEXT: u8 = 0;
const HEX: u8 = 1;
/// Keys and rows as texts, which are written as hex before they are decoded.
const TEXT_AS_HEX: u8 = 2;

/// Returns what a primary answers, in all forms, and what is in the protocol's test vectors.
pub fn seeds() -> Vec<Vec<u8>> {
    let primary = Primary::new();
    primary
        .connection
        .execute_batch("DELETE FROM workspaces; UPDATE boards SET project_id = 'Q'")
        .expect("rows can be changed");
    let vector = include_bytes!("../../../schema/tests/data/answer.json").to_vec();
    let mut seeds = vec![[&[TEXT], &vector[..]].concat(), [&[TEXT_AS_HEX], &vector[..]].concat()];
    for scope in ["P", "Q"] {
        for (form, answer) in [TEXT, HEX, TEXT_AS_HEX].into_iter().zip(primary.answers(scope)) {
            let json = serde_json::to_vec(&answer).expect("texts are JSON");
            seeds.push([&[form], &json[..]].concat());
        }
    }
    seeds
}

thread_local! {
    static TABLES: Vec<&'static Table> = tables();
}

/// Decodes an answer. What is returned has the shape that is declared, and both forms mean the same.
pub fn run(input: &[u8]) {
    let [form, json @ ..] = input else { return };
    let Ok(answer) = serde_json::from_slice::<Answer>(json) else { return };
    TABLES.with(|tables| match *form {
        HEX => {
            if let Ok(page) = decode_hex_page(tables, 0, answer) {
                check(&page, tables, 0);
            }
        }
        TEXT_AS_HEX => both(tables, answer),
        _ => {
            for cursor in [0, 3] {
                if let Ok(page) = decode_page(tables, cursor, answer.clone()) {
                    check(&page, tables, cursor);
                }
            }
        }
    });
}

/// Decodes an answer as it is, and in hex.
fn both(tables: &[&'static Table], answer: Answer) {
    let hex = |text: &String| text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>();
    let mut as_hex = answer.clone();
    for row in as_hex.iter_mut().skip(1) {
        for at in [2, 5] {
            if let Some(cell) = row.get_mut(at) {
                *cell = cell.as_ref().map(hex);
            }
        }
    }
    let is_lossy = is_lossy(&answer);
    match (decode_page(tables, 0, answer), decode_hex_page(tables, 0, as_hex)) {
        (Ok(text), Ok(hex)) => assert!(is_lossy || text == hex, "{text:?}\n{hex:?}"),
        (Err(_), Err(_)) => {}
        (text, hex) => assert!(is_lossy, "{text:?}\n{hex:?}"),
    }
}

fn check(page: &Page, tables: &[&'static Table], cursor: i64) {
    assert!(page.changes.is_sorted_by(|a, b| a.seq < b.seq), "changes are in order");
    assert!(page.changes.iter().all(|change| change.seq > cursor && change.seq <= page.reaches));
    assert!(page.reaches <= page.header.seq && page.changes.len() <= page.rows);
    for change in &page.changes {
        assert!(tables.iter().any(|table| std::ptr::eq(*table, change.table)));
        let Outcome::Row(values) = &change.outcome else { continue };
        assert_eq!(values.len(), change.table.columns.len());
        for (column, value) in change.table.columns.iter().zip(values) {
            let is_key = column.name == change.table.pk;
            assert!(!is_key || value.as_str() == Some(change.key.as_ref()), "a row has its key");
            assert!(column.null || *value != fastest_schema::Value::Null, "null where none may be");
        }
    }
}
