//! Indexes of git, which a repository from elsewhere may bring.

use std::cell::RefCell;
use std::fs;

use fastest_core::fuzzing;
use tempfile::TempDir;

use crate::place::folder;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"DIRC\0\0\0\x02",
    b"DIRC\0\0\0\x03",
    b"DIRC\0\0\0\x04",
    b"TREE",
    b"REUC",
    b"UNTR",
    b"FSMN",
    b"link",
    b"EOIE",
    b"IEOT",
    b"sdir",
    &[0xff; 4],
    &[0, 0, 0, 1],
];

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(folder());
}

/// Returns indexes of version 2 and 4 with two files, and one with extensions.
pub fn seeds() -> Vec<Vec<u8>> {
    let entry = |name: &str, mode: u32, flags: u16| {
        let mut entry = vec![0; 24];
        entry.extend(mode.to_be_bytes());
        entry.extend([0; 12]);
        entry.extend([7; 20]);
        entry.extend((flags | name.len() as u16).to_be_bytes());
        entry.extend(name.bytes());
        entry
    };
    let padded = |mut entry: Vec<u8>| {
        entry.extend(vec![0; 8 - entry.len() % 8]);
        entry
    };
    let head = |version: u8, count: u8| [b"DIRC", &[0, 0, 0, version, 0, 0, 0, count][..]].concat();
    let [a, b] = [entry("a", 0o100644, 0), entry("dir/b", 0o120000, 0)];
    let two = [head(2, 2), padded(a), padded(b)].concat();
    let tree = b"TREE\0\0\0\x1a\x002 1\n-------------------x1234".to_vec();
    let [four_a, four_b] = [("a", "a", 0u8), ("dir/b", "dir/b", 1)].map(|(name, rest, strip)| {
        let mut entry = entry(name, 0o100644, 0);
        entry.truncate(entry.len() - name.len());
        entry.push(strip);
        entry.extend(rest.bytes());
        entry.push(0);
        entry
    });
    let four = [head(4, 2), four_a, four_b].concat();
    let link = [b"link\0\0\0\x14", &[9; 20][..]].concat();
    let extended = [head(2, 0), tree].concat();
    [two, four, extended, [head(2, 0), link].concat(), head(2, 0)].into_iter().collect()
}

/// Reads an index, with the 20 bytes of a checksum at its end, as git writes them when it skips
/// checksums.
pub fn run(input: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let path = folder.path().join("index");
        fs::write(&path, [input, &[0; 20]].concat()).expect("a file in memory");
        if let Ok(records) = fuzzing::git_index(&path, false) {
            assert!(records <= input.len(), "each record takes bytes");
        }
    });
}
