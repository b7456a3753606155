//! The texts of errors of Hrana.

use fastest_sync::fuzzing::hrana_error;

use crate::targets::d1_answer;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"Hrana: `",
    b"http error: `",
    b"api error: `",
    b"stream error: `",
    b"cursor error: `",
    b"json error: `",
    b"status=400 Bad Request, body=",
    b"status=",
    b", body=",
    b"error at step 0",
    b"SQLite error: ",
    b"fastest:version_conflict",
    b"no such table: fastest_push",
    b"UNIQUE constraint failed: a.b",
    b"SQLITE_BUSY",
    b"Namespace",
    b"doesn't exist",
    b"STREAM_EXPIRED",
    b"invalid utf-8",
    b"<!DOCTYPE html>",
    b"`",
    b"InvalidHeaderValue",
    b"\x1b[0m",
    b"\xef\xbf\xbd",
];

/// Returns a text of each sort.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "http error: `error trying to connect: dns error: no such host`",
        "stream error: `Error { message: \"SQLite error: fastest:version_conflict\", code: \"SQLITE_CONSTRAINT\" }`",
        "api error: `status=400 Bad Request, body={\"error\":\"Namespace `x` doesn't exist\"}`",
        "api error: `SQLite error: UNIQUE constraint failed: users.email`",
        "api error: `status=500 Internal Server Error, body=invalid utf-8 sequence`",
        "cursor error: `error at step 0: (error code: X) `SQLite error: y`",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Interprets an error. Its message is short and printable.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for has_token in [true, false] {
        d1_answer::check(&hrana_error(&text, has_token));
    }
}
