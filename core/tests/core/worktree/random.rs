//! Random edits: an incremental scan sees what a fresh one sees, and every tree comes back exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use fastest_core::id::TreeId;
use proptest::prelude::*;

use super::work::{Thing, Work, set_executable};

/// An edit of one of a few paths, so that edits meet.
#[derive(Debug, Clone)]
enum Edit {
    Write(usize, u8, u32),
    Append(usize),
    Delete(usize),
    Link(usize, u8),
    Folder(usize),
    Executable(usize, bool),
    Rename(usize, usize),
    Snapshot,
    Checkout(usize),
}

const PATHS: [&str; 14] = [
    "a", "b", "c", "d/a", "d/b", "d/e/a", "d/e/b", "d/e/f/a", "d", "d/e", "g", "g/a", "g/h/a",
    "g/h",
];

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let path = || 0..PATHS.len();
    let edit = prop_oneof![
        6 => (path(), any::<u8>(), prop_oneof![4 => 0..200u32, 1 => Just(1_300_000)])
            .prop_map(|(path, byte, length)| Edit::Write(path, byte, length)),
        2 => path().prop_map(Edit::Append),
        3 => path().prop_map(Edit::Delete),
        1 => (path(), any::<u8>()).prop_map(|(path, byte)| Edit::Link(path, byte)),
        1 => path().prop_map(Edit::Folder),
        1 => (path(), any::<bool>()).prop_map(|(path, on)| Edit::Executable(path, on)),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
        4 => Just(Edit::Snapshot),
        3 => any::<prop::sample::Index>().prop_map(|at| Edit::Checkout(at.index(1 << 20))),
    ];
    prop::collection::vec(edit, 1..40)
}

/// Makes an edit, or fails where it makes no sense here.
fn edit(work: &Work, edit: &Edit) -> std::io::Result<()> {
    let at = |path: &usize| work.path(PATHS[*path]);
    match edit {
        Edit::Write(path, byte, length) => {
            if let Some(parent) = at(path).parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(at(path), vec![*byte; *length as usize])
        }
        Edit::Append(path) => {
            let bytes = fs::read(at(path))?;
            fs::write(at(path), [&bytes[..], b"+"].concat())
        }
        Edit::Delete(path) => fs::remove_file(at(path)).or_else(|_| fs::remove_dir_all(at(path))),
        Edit::Link(path, byte) => std::os::unix::fs::symlink(format!("to-{byte}"), at(path)),
        Edit::Folder(path) => fs::create_dir_all(at(path)),
        Edit::Executable(path, on) => {
            if fs::symlink_metadata(at(path))?.is_file() {
                set_executable(&at(path), *on);
            }
            Ok(())
        }
        Edit::Rename(from, to) => fs::rename(at(from), at(to)),
        Edit::Snapshot | Edit::Checkout(_) => Ok(()),
    }
}

fn run(edits: &[Edit]) {
    let work = Work::new();
    let mut seen: Vec<(TreeId, BTreeMap<PathBuf, Thing>)> = vec![(work.snapshot(), work.listing())];
    for (number, one) in edits.iter().enumerate() {
        let _ = edit(&work, one);
        match one {
            Edit::Snapshot => {
                let root = work.snapshot();
                assert_eq!(root, work.fresh(), "edit {number}");
                seen.push((root, work.listing()));
            }
            Edit::Checkout(at) => {
                seen.push((work.snapshot(), work.listing()));
                let (root, listing) = &seen[at % seen.len()];
                work.checkout(root);
                assert_eq!(&work.listing(), listing, "edit {number}");
                assert_eq!(work.snapshot(), *root, "edit {number}");
                assert_eq!(work.fresh(), *root, "edit {number}");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn edits_are_seen_and_every_tree_comes_back(edits in edits()) {
        run(&edits);
    }
}
