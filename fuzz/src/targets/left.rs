//! Other files of `.fastest`: the list of paths that checkouts left, and what is kept of git's
//! index.

use fastest_core::fuzzing;

use crate::targets::sealed::{check, seal};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"FSTLEFTS\x01\0\0\0",
    b"FSTLEFTS\x02\0\0\0",
    b"FSTGITIX\x01\0\0\0",
    &[0x80, 0],
    &[0xff; 9],
    &[4],
];

/// Returns a file of each version.
pub fn seeds() -> Vec<Vec<u8>> {
    let one = [b"FSTLEFTS\x01\0\0\0\x02\x03a/b\x00\x01c\x01", &[0x22; 32][..]].concat();
    let two = b"FSTLEFTS\x02\0\0\0\x02\x01a\x00\x01b\x04\x01\x04snap\x01\x01a\x03".to_vec();
    let kept = [b"FSTGITIX\x01\0\0\0\x01\0\0\0", &[0x11; 80][..]].concat();
    vec![one, two, kept]
}

/// Decodes both with a true checksum.
pub fn run(input: &[u8]) {
    check(input, fuzzing::git_tracked);
    // Older versions are written as the newest, and lists are sorted.
    if let Some(again) = fuzzing::left(&seal(input)) {
        assert_eq!(fuzzing::left(&again), Some(again), "what is written is read");
    }
    assert!(input.starts_with(b"FSTLEFTS") || fuzzing::left(input).is_none());
}
