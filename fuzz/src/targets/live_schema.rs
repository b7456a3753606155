//! What a primary says of its tables.

use fastest_schema::live::compare::compare;
use fastest_schema::live::database::Live;
use fastest_schema::live::introspect::LIVE_SQL;

use crate::targets::primary::{Answer, Primary};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"\"object\"",
    b"\"column\"",
    b"\"key\"",
    b"\"index\"",
    b"\"request\"",
    b"\\\"type\\\":\\\"table\\\"",
    b"\\\"sql\\\":\\\"CREATE TABLE t(",
    b"\\\"origin\\\":\\\"u\\\"",
    b"UNIQUE ON CONFLICT REPLACE",
    b"check (",
    b"collate nocase",
    b"without rowid",
    b"(",
    b")",
    b"null",
    b"\\u0000",
    b"/*",
    b"--",
    b"'",
    b"`",
    b"[",
    b"]",
];

/// Returns the answer of a primary, in parts.
pub fn seeds() -> Vec<Vec<u8>> {
    let primary = Primary::new();
    let answer = primary.run(LIVE_SQL, &[&"r"]).expect("a query of ours");
    let part = |skip: usize| {
        let (request, rest) = answer.split_at(1);
        let rows = request.iter().chain(rest.iter().skip(skip).step_by(40));
        serde_json::to_vec(&rows.collect::<Vec<_>>()).expect("texts are JSON")
    };
    (0..8).map(part).collect()
}

/// Decodes an answer, and compares it with itself and with nothing.
pub fn run(input: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<Answer>(input) else { return };
    let Ok(Some(live)) = Live::decode("r", &answer) else { return };
    let same = compare("app", &live, &live);
    assert!(same.differences.is_empty(), "{:?}", same.differences);
    for (expected, found) in [(&live, &Live::default()), (&Live::default(), &live)] {
        for difference in compare("app", expected, found).differences {
            assert!(!difference.to_string().is_empty());
        }
    }
}
