//! Random edits: an incremental scan sees what a fresh one sees, and every tree comes back exactly.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use fastest_core::compare::drift::drift;
use fastest_core::object::id::TreeId;
use fastest_core::worktree::scan::context::IndexUse;
use proptest::prelude::*;

use super::scan::tick;
use super::work::{Thing, Work, set_executable};

/// An edit of one of a few paths, so that edits often concern the same path.
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
    /// A scan for a command that only looks. Its index is saved.
    Look,
    /// Writes the rules of a folder, one of a few texts, or removes them.
    Ignore(usize, usize),
    /// Time passes, so that what was written before is not racy.
    Tick,
}

const PATHS: [&str; 14] = [
    "a", "b", "c", "d/a", "d/b", "d/e/a", "d/e/b", "d/e/f/a", "d", "d/e", "g", "g/a", "g/h/a",
    "g/h",
];

const FOLDERS: [&str; 4] = ["", "d/", "d/e/", "g/"];
const RULES: [&str; 5] = ["", "a\n", "b\nh/\n", "!a\n/e\n", "*\n"];

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

/// Edits without checkouts, which leave ignored files where they are.
fn edits_and_rules() -> impl Strategy<Value = Vec<Edit>> {
    let path = || 0..PATHS.len();
    let edit = prop_oneof![
        5 => (path(), any::<u8>()).prop_map(|(path, byte)| Edit::Write(path, byte, 9)),
        3 => path().prop_map(Edit::Delete),
        1 => (path(), any::<u8>()).prop_map(|(path, byte)| Edit::Link(path, byte)),
        1 => path().prop_map(Edit::Folder),
        2 => (path(), path()).prop_map(|(from, to)| Edit::Rename(from, to)),
        2 => (0..FOLDERS.len(), 0..RULES.len()).prop_map(|(at, text)| Edit::Ignore(at, text)),
        4 => Just(Edit::Snapshot),
        4 => Just(Edit::Look),
        5 => Just(Edit::Tick),
    ];
    prop::collection::vec(edit, 1..40)
}

/// Makes an edit, or fails if it makes no sense here.
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
        Edit::Ignore(folder, text) => {
            let path = work.path(&format!("{}.gitignore", FOLDERS[*folder]));
            match RULES[*text] {
                "" => fs::remove_file(path),
                text => fs::write(path, text),
            }
        }
        Edit::Tick => {
            tick();
            Ok(())
        }
        Edit::Snapshot | Edit::Checkout(_) | Edit::Look => Ok(()),
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

/// Checks that a tree scanned with the saved index has the same files as one without. Folders that
/// contain only ignored files may differ: they are content only if they were content before.
fn look_and_compare(work: &Work, tree: &TreeId) {
    let drift = drift(&work.fresh(), tree, &work.objects).unwrap();
    let named = [drift.source_only, drift.workspace_only, drift.both_different].concat();
    let files: Vec<_> = named.iter().filter(|path| !path.ends_with(b"/")).collect();
    assert!(files.is_empty(), "{files:?}");
}

fn run_with_rules(edits: &[Edit]) {
    let work = Work::new();
    for one in edits {
        let _ = edit(&work, one);
        match one {
            Edit::Snapshot => look_and_compare(&work, &work.snapshot()),
            Edit::Look => {
                let scan = work.try_scan(&work.index(), IndexUse::Refresh).unwrap();
                scan.index.iter().for_each(|index| index.save(&work.state()).unwrap());
                look_and_compare(&work, &scan.root.id);
            }
            _ => {}
        }
    }
    look_and_compare(&work, &work.snapshot());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn edits_are_seen_and_every_tree_comes_back(edits in edits()) {
        run(&edits);
    }

    #[test]
    fn whatever_changes_a_scan_by_the_index_sees_it(edits in edits_and_rules()) {
        run_with_rules(&edits);
    }
}
