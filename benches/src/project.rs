//! A project's tree in memory, for the criterion benches.

use fastest_core::id::BlobId;
use fastest_core::object::MemoryObjects;
use fastest_core::tree::{Item, Kind, Root, write_directory};

/// Files in each folder of [`project`].
pub const FILES_PER_FOLDER: u64 = 16;

/// A tree of `folders` folders, 250 to a parent, with [`FILES_PER_FOLDER`] files each. The content
/// of file `n` follows from `n` and `version(n)`.
pub fn project(folders: u64, version: impl Fn(u64) -> u64, objects: &MemoryObjects) -> Root {
    let file = |number: u64| {
        let seed = [number.to_le_bytes(), version(number).to_le_bytes()].concat();
        let item = Item {
            kind: Kind::File,
            id: BlobId::of(&seed).0,
            bytes: 1000 + number % 5000,
            files: 1,
            list: None,
        };
        (format!("file{number:08}.rs"), item)
    };
    let folder = |number: u64| {
        let first = number * FILES_PER_FOLDER;
        let files: Vec<_> = (first..first + FILES_PER_FOLDER).map(file).collect();
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
