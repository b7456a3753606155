//! A checkout that is interrupted after any number of steps is finished by the next command.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use fastest_core::object::id::TreeId;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::error::CheckoutError;
use fastest_core::worktree::checkout::run::{execute_until, recover};
use fastest_core::worktree::state_dir::JOURNAL;

use super::work::{Thing, Work, set_executable};

type Listing = BTreeMap<PathBuf, Thing>;

/// A working copy at an old tree, a new tree, and the listings of both.
fn two_trees() -> (Work, TreeId, Listing, Listing) {
    let work = Work::new();
    for path in ["new/deep/x", "new/y", "kept", "changed", "executable", "to-folder/x", "d/e/f"] {
        work.write(path, format!("new {path}"));
    }
    set_executable(&work.path("executable"), true);
    symlink("new-target", work.path("link")).unwrap();
    work.write("to-file", "a file now");
    let (new, new_listing) = (work.snapshot(), work.listing());
    for name in ["new", "to-folder"] {
        fs::remove_dir_all(work.path(name)).unwrap();
    }
    for name in ["to-file", "link", "d/e/f"] {
        fs::remove_file(work.path(name)).unwrap();
    }
    set_executable(&work.path("executable"), false);
    symlink("old-target", work.path("link")).unwrap();
    for path in ["changed", "gone", "gone-too/a/b", "to-folder", "to-file/x", "to-file/y/z"] {
        work.write(path, format!("old {path}"));
    }
    work.snapshot();
    let old_listing = work.listing();
    (work, new, old_listing, new_listing)
}

/// Stops a checkout before step `stop`. Returns whether it had not finished by then.
fn crash(work: &Work, to: &TreeId, stop: usize) -> bool {
    let (plan, index, progress) = (work.plan(to), work.index(), Progress::default());
    let done = execute_until(work.root(), plan, &index, &work.objects, b"t", &progress, stop);
    done.unwrap().is_none()
}

#[test]
fn after_a_crash_at_any_step_each_file_is_old_or_new_and_then_new() {
    for stop in 0.. {
        let (work, new, old_listing, new_listing) = two_trees();
        let stopped = crash(&work, &new, stop);
        for (path, thing) in work.listing() {
            let known = [old_listing.get(&path), new_listing.get(&path)];
            assert!(known.contains(&Some(&thing)), "{} at step {stop}", path.display());
        }
        let is_done = !work.state().has(JOURNAL) && work.listing() == new_listing;
        let recovered = recover(work.root()).unwrap();
        let head = work.state().head().unwrap();
        if is_done || recovered.is_some() {
            // With the new tree comes the new head, whatever the moment.
            assert_eq!(head.as_deref(), Some("t"), "step {stop}");
        }
        if !stopped {
            assert!(recovered.is_none() && stop > 10);
            return;
        }
        let now = if stop == 0 { &old_listing } else { &new_listing };
        assert_eq!(&work.listing(), now, "step {stop}");
        if stop > 0 {
            let recovered = recovered.expect("a journal was there");
            assert_eq!(recovered.head, b"t");
            assert!(recovered.kept.is_empty(), "{:?} at step {stop}", recovered.kept);
            assert_eq!(work.snapshot(), new);
        }
        assert_eq!(work.snapshot(), work.fresh());
        assert!(!work.state().tmp().join("c0").exists());
        assert!(recover(work.root()).unwrap().is_none());
    }
}

#[test]
fn a_crash_during_recovery_is_recovered_from() {
    let (work, new, _, new_listing) = two_trees();
    assert!(crash(&work, &new, 4));
    let journal = fs::read(work.state().journal()).unwrap();
    recover(work.root()).unwrap();
    fs::write(work.state().journal(), journal).unwrap();
    let recovered = recover(work.root()).unwrap().unwrap();
    assert!(recovered.kept.is_empty(), "{:?}", recovered.kept);
    assert_eq!(work.listing(), new_listing);
}

#[test]
fn edits_between_crash_and_recovery_are_kept_and_reported() {
    let (_, _, _, new_listing) = two_trees();
    for stop in 1..25 {
        for name in ["changed", "gone", "executable", "to-file", "link"] {
            let (work, new, _, _) = two_trees();
            if !crash(&work, &new, stop) {
                continue;
            }
            let path = work.path(name);
            if fs::remove_file(&path).is_err() && fs::remove_dir_all(&path).is_err() {
                assert!(name == "gone" || name == "to-file", "{name}");
            }
            fs::write(&path, "mine").unwrap();
            let recovered = recover(work.root()).unwrap().unwrap();
            let head = work.state().head().unwrap();
            assert!(head.is_some() || !recovered.kept.is_empty(), "{name} at step {stop}");
            let listing = work.listing();
            let mine = Thing::File(b"mine".to_vec());
            assert_eq!(listing[&PathBuf::from(name)], mine, "{name} at step {stop}");
            for (other, thing) in &new_listing {
                if !other.starts_with(name) {
                    assert_eq!(listing.get(other), Some(thing), "{name} at step {stop}");
                }
            }
            // A deletion that was already done has nothing to report.
            let reported = recovered.kept.iter().any(|kept| kept.path == Path::new(name));
            assert!(reported || name == "gone", "{name} at step {stop}");
            assert_eq!(work.snapshot(), work.fresh());
        }
    }
}

#[test]
fn nothing_begins_before_an_unfinished_checkout_is_finished() {
    let (work, new, ..) = two_trees();
    assert!(crash(&work, &new, 3));
    let refused = work.try_checkout(&new);
    assert!(matches!(refused, Err(CheckoutError::Unfinished { .. })));
}

#[test]
fn a_damaged_journal_is_an_error_that_changes_nothing() {
    let (work, new, ..) = two_trees();
    assert!(crash(&work, &new, 3));
    let listing = work.listing();
    let mut journal = fs::read(work.state().journal()).unwrap();
    journal[20] ^= 1;
    fs::write(work.state().journal(), &journal).unwrap();
    assert!(matches!(recover(work.root()), Err(CheckoutError::DamagedJournal { .. })));
    journal[8] = 99;
    fs::write(work.state().journal(), &journal).unwrap();
    let newer = recover(work.root());
    assert!(matches!(newer, Err(CheckoutError::NewerJournal { version: 99, .. })));
    assert_eq!(work.listing(), listing);
}
