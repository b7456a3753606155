//! Generated trees and bytes in memory, so that every machine measures the same ones.

use std::ops::Range;

use fastest_core::object::id::BlobId;
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::tree::write::write_directory;

/// Files in each folder of [`project`].
pub const FILES_PER_FOLDER: u64 = 16;

/// Returns the name and the item of file `number`, with an id that depends on `number` and
/// `version`. No content is stored.
pub fn file(number: u64, version: u64) -> (String, Item) {
    let seed = [number.to_le_bytes(), version.to_le_bytes()].concat();
    let item = Item {
        kind: Kind::File,
        id: BlobId::of(&seed).0,
        bytes: 1000 + number % 5000,
        files: 1,
        list: None,
    };
    (format!("file{number:08}.rs"), item)
}

/// Returns the files of a directory, in the versions that `version` chooses.
pub fn entries(numbers: Range<u64>, version: impl Fn(u64) -> u64) -> Vec<(String, Item)> {
    numbers.map(|number| file(number, version(number))).collect()
}

/// A tree of `folders` folders, 250 to a parent, with [`FILES_PER_FOLDER`] files each. `n` and
/// `version(n)` determine the content of file `n`.
pub fn project(folders: u64, version: impl Fn(u64) -> u64, objects: &MemoryObjects) -> Root {
    let folder = |number: u64| {
        let first = number * FILES_PER_FOLDER;
        let files = entries(first..first + FILES_PER_FOLDER, &version);
        let root = write_directory(&files, objects).expect("memory takes all");
        (format!("folder{number:06}"), Item::directory(&root))
    };
    let parents: Vec<_> = (0..folders.div_ceil(250))
        .map(|parent| {
            let range = parent * 250..((parent + 1) * 250).min(folders);
            let entries: Vec<_> = range.map(folder).collect();
            let root = write_directory(&entries, objects).expect("memory takes all");
            (format!("part{parent:04}"), Item::directory(&root))
        })
        .collect();
    write_directory(&parents, objects).expect("memory takes all")
}

/// Returns random letters, the same ones each time. There are sixteen different ones, so that they
/// compress to about half.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let step = |_| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        b'a' + (state >> 60) as u8
    };
    (0..count).map(step).collect()
}
