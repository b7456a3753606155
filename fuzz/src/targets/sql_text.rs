//! SQL that people write and other tools export.

use fastest_schema::fuzzing::{bracketed_after, index_parts, list, normalised, tokens, too_long};
use fastest_schema::sql::export::Splitter;
use fastest_schema::{numbered_statements, statements};
use fastest_sync::fuzzing::bind;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"'",
    b"''",
    b"\"",
    b"`",
    b"[",
    b"]",
    b"--",
    b"/*",
    b"*/",
    b";",
    b"(",
    b")",
    b",",
    b"\n",
    b"\0",
    b"?1",
    b"?2",
    b"?",
    b"CREATE TRIGGER ",
    b"CREATE TEMP TRIGGER ",
    b"BEGIN ",
    b"END",
    b"CASE ",
    b"INSERT INTO t VALUES(",
    b"Inf",
    b"-Inf",
    b"LIKE '",
    b"GLOB(",
    b"CHECK (",
    b"COLLATE ",
    b" WHERE ",
    b"--> statement-breakpoint",
    "\u{e9}".as_bytes(),
    "\u{2028}".as_bytes(),
];

/// Returns statements of each sort.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "CREATE TABLE t(a text CHECK (a IN ('(', 'y')) COLLATE nocase, b, UNIQUE(a) ON CONFLICT REPLACE);",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT CASE WHEN 1 THEN 2 END; END; SELECT 1;",
        "INSERT INTO t VALUES('a;''b',Inf,-Inf,X'00'); -- c ;\n/* d ; */ SELECT [e;], `f;`, \"g;\";",
        "CREATE UNIQUE INDEX i ON t(lower(a) COLLATE nocase DESC, b) WHERE b > 0",
        "SELECT ?1, '?2', ?2 WHERE a LIKE 'x' || 'y'\n--> statement-breakpoint\nSELECT 2",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Takes SQL apart in every way.
pub fn run(input: &[u8]) {
    let Ok(sql) = std::str::from_utf8(input) else { return };
    let tokens = tokens(sql);
    too_long(sql);
    list(&tokens);
    bracketed_after("check", &tokens);
    if let Some((terms, filter)) = index_parts(sql) {
        assert!(terms.iter().chain(&filter).all(|part| sql.contains(part)));
    }
    assert_eq!(normalised(sql), normalised(&format!(" \n{sql}")), "white space does not count");
    assert_eq!(numbered_statements(sql).len(), statements(sql).count());
    split(sql);
    let Ok(bound) = bind(sql, &["1", "2"]) else { return };
    assert!(sql.contains('?') || bound == sql, "nothing was to be replaced");
}

/// Splits an export. Its statements, and what is left, are its text.
fn split(sql: &str) {
    let mut splitter = Splitter::default();
    let found: String =
        sql.chars().filter_map(|next| splitter.push(next)).map(|s| s.text).collect();
    // These are the two things that are rewritten.
    if !sql.contains('\0') && !sql.to_lowercase().contains("inf") {
        assert!(sql.starts_with(&found), "{found:?}");
    }
}
