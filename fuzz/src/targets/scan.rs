//! Scans and checkouts with the stat index of somebody who knew the stat data of each file: an index
//! whose checksum is true, and of which nothing else need be. An input changes bytes of an honest
//! index.

use std::fs;
use std::path::Path;

use fastest_core::fuzzing;
use fastest_core::object::item::{Item, Root};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::name::NAME_BYTES_MAX;
use fastest_core::object::tree::{empty_directory, read_root};
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::git::Git;
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::report::Scan;
use fastest_core::worktree::scan::run::scan;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;
use tempfile::TempDir;

use crate::place::folder;
use crate::reader::Reader;
use crate::targets::sealed::{seal, unseal};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[b"..", b".fastest", b"/", b"\0", &[3], &[0x80], &[1, b'a']];

/// An input that changes entries, by its first byte. Any other changes bytes.
const OF_ENTRIES: u8 = 0;

/// A working copy, and its index.
pub struct Honest {
    folder: TempDir,
    objects: MemoryObjects,
    root: Root,
    /// What a scan returned.
    pub index: StatIndex,
}

thread_local! {
    static HONEST: Honest = honest();
}

/// Makes a small working copy, and scans it until each file counts as unchanged.
pub fn honest() -> Honest {
    let folder = folder();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file in memory");
    };
    for path in ["a", "dir/b", "dir/below/c", "dir/below/d", "z/e", "z/f"] {
        write(path, path);
    }
    StateDir::of(folder.path()).create().expect("a state folder");
    std::thread::sleep(std::time::Duration::from_millis(50));
    let objects = MemoryObjects::default();
    let first =
        look(folder.path(), &StatIndex::empty(), None, &objects).expect("it can be scanned");
    let index = first.index.expect("a first scan makes an index");
    Honest { root: first.root, index, folder, objects }
}

fn look(
    folder: &Path,
    index: &StatIndex,
    head: Option<&Root>,
    objects: &MemoryObjects,
) -> Result<Scan, String> {
    let git = Git::default();
    let selection = Selection {
        head: head.map(|root| root.id),
        source: objects,
        git: &git,
        untrack: &[],
        left: &[],
        databases: None,
    };
    let progress = Progress::default();
    scan(folder, index, selection, objects, IndexUse::Replace, &progress)
        .map_err(|error| error.to_string())
}

/// Returns programs that change nothing, one byte each of some places, and some names.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![vec![], vec![OF_ENTRIES]];
    seeds.extend([72, 80, 120, 169, 170, 200, 300].map(|at: u16| {
        let [low, high] = at.to_le_bytes();
        vec![1, low, high, 0, 7]
    }));
    for name in ["..", "a", "zz", ".fastest"] {
        let named = [&[100, name.len() as u8], name.as_bytes()].concat();
        seeds.push([&[OF_ENTRIES], &named[..]].concat());
        seeds.push([&[OF_ENTRIES, 0, 0], &named[..]].concat());
    }
    seeds
}

/// Scans the folder with the changed index, and plans checkouts from it.
pub fn run(input: &[u8]) {
    HONEST.with(|honest| {
        let index = changed(&honest.index, &mut Reader::new(input));
        let Honest { folder, objects, root, .. } = honest;
        for head in [None, Some(root)] {
            if let Ok(found) = look(folder.path(), &index, head, objects) {
                read_root(&found.root.id, objects).expect("a scan writes its tree");
            }
        }
        for to in [root.id, empty_directory()] {
            let folding = Folding::default();
            if let Ok(plan) = Plan::whole(&index, &to, objects, folding) {
                assert!(plan.touched().all(|path| !path.is_empty()));
            }
        }
    });
}

/// Returns an index with other names and items, or with some bytes changed.
fn changed(index: &StatIndex, program: &mut Reader<'_>) -> StatIndex {
    if program.byte() == OF_ENTRIES {
        let edited = fuzzing::stat_index(index, &mut |name, item| edit(program, name, item));
        return StatIndex::decode(edited.expect("it has entries").encode()).0;
    }
    let mut body = unseal(&index.encode());
    while !program.is_empty() {
        let at = usize::from(program.two()) % (body.len() + 1);
        match program.byte() {
            0..=99 => {
                let mask = program.byte();
                body.get_mut(at).into_iter().for_each(|byte| *byte ^= mask);
            }
            100..=179 => {
                let new = program.some();
                let end = (at + new.len()).min(body.len());
                body.splice(at..end, new.iter().copied());
            }
            180..=219 => drop(body.splice(at..at, program.some().iter().copied())),
            _ => {
                let end = (at + usize::from(program.byte())).min(body.len());
                body.drain(at..end);
            }
        }
    }
    StatIndex::decode(seal(&body)).0
}

fn edit(program: &mut Reader<'_>, name: &mut Vec<u8>, item: &mut Item) {
    match program.byte() {
        0..=99 => {}
        100..=179 => *name = program.some().to_vec(),
        180..=199 => item.bytes = program.number(),
        200..=219 => item.files = program.number(),
        220..=239 => item.id[program.below(32)] ^= program.byte(),
        _ => name.push(program.byte()),
    }
    name.truncate(NAME_BYTES_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the index would decide nothing.
    #[test]
    fn an_honest_index_is_used() {
        let Honest { folder, objects, root, index } = honest();
        let again = look(folder.path(), &index, Some(&root), &objects).unwrap();
        assert_eq!((again.root, again.index), (root, None));
        let lists = index.directory().unwrap().listed();
        assert!(lists.is_some() || !cfg!(target_os = "linux"));
    }
}
