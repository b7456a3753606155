//! Stat indexes.

use fastest_core::fuzzing;
use fastest_core::object::name::NAME_BYTES_MAX;
use fastest_core::worktree::stat_index::{IndexState, IndexedDirectory, StatIndex};

use crate::targets::scan;
use crate::targets::sealed::{seal, unseal};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"FSTINDEX\x03\0\0\0",
    &[0xff; 8],
    &[0; 8],
    &[1, b'a', 3],
    &[0x80],
    &[48, 0, 0, 0, 0, 0, 0, 0],
];

/// Returns the index of a small working copy, and that of nothing.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![unseal(&scan::honest().index.encode()), b"FSTINDEX\x03\0\0\0\0\0\0\0".to_vec()]
}

/// Decodes an index with a true checksum, and walks through it as a scan does.
pub fn run(input: &[u8]) {
    let (index, state) = StatIndex::decode(seal(input));
    assert_eq!(state != IndexState::Good, index == StatIndex::empty());
    let mut directories: Vec<(Vec<u8>, IndexedDirectory<'_>)> =
        index.directory().map(|directory| (Vec::new(), directory)).into_iter().collect();
    let mut seen = 0;
    while let Some((path, directory)) = directories.pop() {
        let mut last: Option<Vec<u8>> = None;
        for entry in directory.entries() {
            seen += 1;
            let name = entry.name;
            assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX, "a tree may have this name");
            assert!(!name.contains(&b'/') && name != b"." && name != b"..");
            assert!(last.is_none_or(|last| last.as_slice() < name), "names are sorted");
            last = Some(name.to_vec());
            let path = if path.is_empty() { name.to_vec() } else { [&path, name].join(&b'/') };
            let found = index.find(&path).expect("what is listed is found");
            assert_eq!((found.item, found.stat, found.racy), (entry.item, entry.stat, entry.racy));
            directories.extend(entry.directory.map(|below| (path, below)));
        }
    }
    assert!(seen <= input.len(), "each entry takes bytes");
    if let Some(again) = fuzzing::stat_index(&index, &mut |_, _| {}) {
        let (same, state) = StatIndex::decode(again.encode());
        assert_eq!((&same, state), (&again, IndexState::Good));
        // Nothing is left to drop.
        assert_eq!(fuzzing::stat_index(&same, &mut |_, _| {}).as_ref(), Some(&again));
    }
    assert_ne!(StatIndex::decode(input.to_vec()).1, IndexState::Good);
}
