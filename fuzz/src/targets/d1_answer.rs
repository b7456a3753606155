//! Answers of Cloudflare's API.

use fastest_sync::fuzzing::d1_answer;
use fastest_sync::remote::primary::PrimaryError;

use crate::reader::Reader;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"\"success\":true",
    b"\"success\":false",
    b"\"errors\":[",
    b"{\"code\":7500,\"message\":\"",
    b"\"result\":[",
    b"{\"results\":{\"rows\":[",
    b"D1_ERROR: ",
    b"SQLITE_CONSTRAINT",
    b": SQLITE_ERROR",
    b"fastest:version_conflict",
    b"UNIQUE constraint failed: t.a, t.b",
    b"no such table: fastest_push",
    b"overloaded",
    b"free tier daily",
    b"Network connection lost",
    b"null",
    b"1e999",
    b"[[]]",
    b"{}",
    b"<!doctype html>",
    b"\\u0000",
    b"\x1b[31m",
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"99999999999999999999",
];

/// Returns answers of each sort: two bytes of a status, a text of `Retry-After`, a body.
pub fn seeds() -> Vec<Vec<u8>> {
    let answer = |status: u16, wait: &str, body: &str| {
        [&status.to_le_bytes()[..], &[wait.len() as u8], wait.as_bytes(), body.as_bytes()].concat()
    };
    let failed = |code: u32, message: &str| {
        format!(
            r#"{{"success":false,"errors":[{{"code":{code},"message":"{message}"}}],"result":[]}}"#
        )
    };
    vec![
        answer(
            200,
            "",
            r#"{"success":true,"errors":[],"result":[{"results":{"columns":["a"],"rows":[["x",1,2.5,null],[]]},"success":true}]}"#,
        ),
        answer(
            200,
            "",
            r#"{"success":true,"result":[{"results":{"rows":[[[1,2],true,{"a":1}]]}}]}"#,
        ),
        answer(400, "", &failed(7500, "fastest:version_conflict: SQLITE_CONSTRAINT")),
        answer(400, "", &failed(7500, "UNIQUE constraint failed: users.email: SQLITE_CONSTRAINT")),
        answer(400, "", &failed(7500, "no such table: fastest_changes: SQLITE_ERROR")),
        answer(401, "", &failed(10000, "Authentication error")),
        answer(429, "120", &failed(971, "You are being rate limited")),
        answer(503, "Sun, 06 Nov 1994 08:49:37 GMT", "<html>"),
        answer(500, "", &failed(10001, "D1_ERROR: Network connection lost.")),
    ]
}

/// Interprets an answer. Rows come only from a whole answer, and errors are short and printable.
pub fn run(input: &[u8]) {
    let mut reader = Reader::new(input);
    let status = reader.two() % 1_000;
    let wait = String::from_utf8_lossy(reader.some()).into_owned();
    let body = reader.rest();
    for is_cloudflare in [true, false] {
        match d1_answer(is_cloudflare, status, Some(&wait), body) {
            Ok(_) => {
                // The parts that are skipped may be such that no text holds them.
                if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
                    assert_eq!(json["success"], true);
                }
                assert!((200..300).contains(&status));
            }
            Err(error) => check(&error),
        }
    }
}

/// Checks the message of an error.
pub fn check(error: &PrimaryError) {
    let text = error.to_string();
    assert!(text.len() < 2_000, "an error is short: {} bytes", text.len());
    assert!(!text.contains(|letter: char| letter.is_control() && letter != '\n'), "{text:?}");
}
