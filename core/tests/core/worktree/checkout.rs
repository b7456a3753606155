//! What a checkout brings, what it refuses, and what it leaves alone.

use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSink;
use fastest_core::object::tree::read::find;
use fastest_core::object::tree::write::write_directory;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::error::CheckoutError;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::{execute, write};
use fastest_core::worktree::stat_index::StatIndex;

use super::scan::tick;
use super::work::{Thing, Work, set_executable};

fn in_the_way(
    work: &Work,
    outcome: Result<fastest_core::worktree::checkout::outcome::Checkout, CheckoutError>,
) -> Vec<PathBuf> {
    match outcome {
        Err(CheckoutError::InTheWay { paths }) => {
            paths.iter().map(|path| path.strip_prefix(work.root()).unwrap().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clone_need_not_be_read_again() {
    let work = Work::new();
    for n in 0..40 {
        work.write(&format!("d{}/e/f{n}", n % 4), [n; 50]);
    }
    fs::create_dir(work.path("empty")).unwrap();
    let (root, listing) = (work.snapshot(), work.listing());
    let work = work.clone_into_new();
    let (plan, progress) = (work.plan(&root), Progress::default());
    let written = write(work.root(), plan, &work.objects, &progress).unwrap();
    tick();
    let done = written.complete(&work.index(), &work.objects, b"head").unwrap();
    assert!(done.kept.is_empty());
    assert_eq!(work.listing(), listing);
    assert_eq!(work.index().root().unwrap().id, root);
    assert_eq!(work.bytes_to_read(), 0, "all was written before the tick of the first rename");
    tick();
    assert_eq!((work.snapshot(), work.bytes_to_read()), (root, 0));
}

#[test]
fn files_that_were_replaced_need_not_be_read_again_once_the_clock_moved() {
    let work = Work::new();
    work.write("d/a", "one");
    work.write("d/b", "one");
    let root = work.snapshot();
    work.write("d/a", "two");
    work.snapshot();
    tick();
    work.checkout(&root);
    tick();
    work.snapshot();
    assert_eq!(work.bytes_to_read(), 0);
}

#[test]
fn what_the_plan_did_not_expect_is_refused_by_name() {
    let work = Work::new();
    work.write(".gitignore", "*.o\n");
    work.write("edited", "one");
    work.write("a.o/x", "never seen");
    let old = work.snapshot();
    work.write(".gitignore", "");
    work.write("b.o", "tracked");
    work.write("edited", "two");
    work.write("folder/x", "x");
    let new = work.snapshot();
    work.checkout(&old);
    work.snapshot();
    work.write("b.o", "ignored, and in the way");
    work.write("edited", "three");
    work.write("folder", "a file of the user");
    let listing = work.listing();
    let paths = in_the_way(&work, work.try_checkout(&new));
    assert_eq!(paths, ["b.o", "edited", "folder"].map(PathBuf::from));
    assert_eq!(work.listing(), listing);
    assert!(!work.state().tmp().exists());
}

#[test]
fn an_edit_within_the_tick_of_the_index_is_not_overwritten() {
    for _ in 0..50 {
        let work = Work::new();
        work.write("f", "one");
        let one = work.snapshot();
        work.write("f", "two");
        work.snapshot();
        work.write("f", "mee");
        assert_eq!(in_the_way(&work, work.try_checkout(&one)), [PathBuf::from("f")]);
    }
}

#[test]
fn a_file_that_is_there_already_is_taken_as_it_is() {
    let work = Work::new();
    let old = work.snapshot();
    work.write("same", "bytes");
    work.write("folder/same", "bytes");
    let new = work.snapshot();
    work.checkout(&old);
    assert!(work.listing().is_empty());
    work.write("same", "bytes");
    work.write("folder/same", "bytes");
    work.checkout(&new);
    assert_eq!(work.snapshot(), new);
}

#[test]
fn a_folder_that_holds_ignored_files_stays() {
    let work = Work::new();
    work.write(".gitignore", "*.o\n");
    let old = work.snapshot();
    work.write("src/main.c", "x");
    let new = work.snapshot();
    work.write("src/main.o", "x");
    work.checkout(&old);
    assert!(work.path("src/main.o").exists() && !work.path("src/main.c").exists());
    assert_eq!(work.snapshot(), old);
    work.checkout(&new);
    assert_eq!(work.snapshot(), new);
    assert!(work.path("src/main.o").exists());
}

#[test]
fn a_file_does_not_replace_a_folder_that_holds_ignored_files() {
    let work = Work::new();
    work.write("x", "a file");
    let file = work.snapshot();
    fs::remove_file(work.path("x")).unwrap();
    work.write(".gitignore", "*.o\n");
    work.write("x/a", "in a folder");
    work.snapshot();
    work.write("x/b.o", "ignored");
    assert_eq!(in_the_way(&work, work.try_checkout(&file)), [PathBuf::from("x/b.o")]);
}

#[test]
fn a_parent_that_became_a_link_is_not_followed() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("f"), "one").unwrap();
    let work = Work::new();
    work.write("d/f", "one");
    let one = work.snapshot();
    work.write("d/f", "two");
    work.write("d/g", "new");
    work.snapshot();
    fs::remove_dir_all(work.path("d")).unwrap();
    symlink(outside.path(), work.path("d")).unwrap();
    assert_eq!(in_the_way(&work, work.try_checkout(&one)), [PathBuf::from("d/f")]);
    assert_eq!(fs::read(outside.path().join("f")).unwrap(), b"one");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_object_changes_nothing() {
    let work = Work::new();
    let old = work.snapshot();
    work.write("a", "a");
    work.write("b", "b");
    let new = work.snapshot();
    work.checkout(&old);
    let part = MemoryObjects::default();
    let root =
        fastest_core::object::source::ObjectSource::object(&work.objects, &new.into()).unwrap();
    part.put(ObjectKind::Tree, new.into(), &root).unwrap();
    let plan = Plan::whole(&work.index(), &new, &part, Folding::default()).unwrap();
    let done = execute(work.root(), plan, &work.index(), &part, b"", &Progress::default());
    assert!(matches!(done, Err(CheckoutError::Store(_))), "{done:?}");
    assert!(work.listing().is_empty() && !work.state().journal().exists());
}

#[test]
fn names_that_would_be_one_are_refused() {
    let work = Work::new();
    work.write("README", "x");
    work.write("d/readme", "x");
    let root = work.snapshot();
    let file = find(&root, &[b"README"], &work.objects).unwrap().unwrap();
    let folding = Folding { case: true, normalisation: true };
    let plan = |names: [&str; 2]| {
        let entries = names.map(|name| (name.as_bytes(), file));
        let to = write_directory(&entries, &work.objects).unwrap().id;
        Plan::whole(&StatIndex::empty(), &to, &work.objects, folding)
    };
    assert!(plan(["README", "other"]).is_ok());
    let clash = plan(["README", "ReadMe"]).unwrap_err();
    assert!(matches!(clash, CheckoutError::Clash { first, .. } if first.ends_with("README")));
}

#[test]
fn single_paths_are_restored_with_their_parents() {
    let work = Work::new();
    work.write("a/b/c", "one");
    work.write("x", "one");
    let root = work.snapshot();
    fs::remove_dir_all(work.path("a")).unwrap();
    work.write("x", "two");
    work.write("new", "new");
    work.snapshot();
    let item = |path: &[&[u8]]| find(&root, path, &work.objects).unwrap();
    let wanted = vec![
        (b"a/b/c".to_vec(), item(&[b"a", b"b", b"c"])),
        (b"new".to_vec(), None),
        (b"x".to_vec(), item(&[b"x"])),
    ];
    let index = work.index();
    let plan = Plan::paths(&index, &wanted, &[], &work.objects, Folding::default()).unwrap();
    let done = execute(work.root(), plan, &index, &work.objects, b"", &Progress::default());
    assert!(done.unwrap().kept.is_empty());
    assert_eq!(work.listing()[&PathBuf::from("a/b/c")], Thing::File(b"one".to_vec()));
    assert_eq!(work.snapshot(), root);
    let bad =
        Plan::paths(&index, &[(b"../x".to_vec(), None)], &[], &work.objects, Folding::default());
    assert!(matches!(bad, Err(CheckoutError::Name { .. })));
}

/// Proves nothing unless the test may mount a file system.
#[test]
#[cfg(target_os = "linux")]
fn a_mount_inside_the_tree_is_written_by_copy() {
    let work = Work::new();
    work.write("mount/replaced", "one");
    let one = work.snapshot();
    work.write("mount/replaced", "two");
    work.write("mount/new/deep", "two");
    symlink("target", work.path("mount/link")).unwrap();
    let (two, listing) = (work.snapshot(), work.listing());
    fs::remove_dir_all(work.path("mount")).unwrap();
    fs::create_dir(work.path("mount")).unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(program);
        let path = work.path("mount");
        command.args(arguments).arg(path).output().is_ok_and(|output| output.status.success())
    };
    if !mount("mount", &["-t", "tmpfs", "tmpfs"]) {
        return;
    }
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        work.snapshot();
        work.checkout(&one);
        assert_eq!(work.snapshot(), one);
        work.checkout(&two);
        assert_eq!(work.listing(), listing);
        assert_eq!(work.snapshot(), two);
    }));
    assert!(mount("umount", &[]));
    outcome.unwrap();
}

#[test]
fn a_replaced_file_keeps_the_permission_bits_of_what_stood_there() {
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    // The mode before, whether the file is executable in the new tree, and the expected mode.
    let cases = [
        (0o600, false, 0o600),
        (0o600, true, 0o700),
        (0o640, true, 0o750),
        (0o666, false, 0o666),
        (0o444, false, 0o444),
        (0o700, false, 0o600),
        (0o755, false, 0o644),
        (0o711, true, 0o711),
        (0o750, true, 0o750),
        (0o4755, true, 0o755),
    ];
    for (before, executable, expect) in cases {
        let work = Work::new();
        work.write("f", "new");
        set_executable(&work.path("f"), executable);
        let tree = work.fresh();
        work.write("f", "old");
        fs::set_permissions(work.path("f"), fs::Permissions::from_mode(before)).unwrap();
        work.snapshot();
        work.checkout(&tree);
        assert_eq!(mode(&work.path("f")), expect, "{before:o} {executable}");
    }
}

#[test]
fn a_link_lends_no_mode() {
    let work = Work::new();
    work.write("plain", "1");
    work.write("f", "1");
    let tree = work.fresh();
    fs::remove_file(work.path("f")).unwrap();
    symlink("plain", work.path("f")).unwrap();
    work.snapshot();
    work.checkout(&tree);
    let mode = |path| fs::metadata(work.path(path)).unwrap().permissions().mode();
    assert_eq!(mode("f"), mode("plain"));
}

#[test]
fn holes_stay_holes() {
    let work = Work::new();
    let file = fs::File::create(work.path("large")).unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_all_at(b"data", 30_000_000).unwrap();
    let file = fs::File::create(work.path("small")).unwrap();
    file.set_len(512 << 10).unwrap();
    file.write_all_at(b"data", 100_000).unwrap();
    work.write("full", [7; 300_000]);
    let bytes = |work: &Work, path: &str| fs::metadata(work.path(path)).unwrap().blocks() * 512;
    if bytes(&work, "large") > 1 << 20 {
        return; // The file system does not support holes.
    }
    let tree = work.fresh();
    let old = work.listing();
    let work = work.clone_into_new();
    work.write("large", "in its way");
    work.snapshot();
    work.checkout(&tree);
    assert!(work.listing() == old);
    for (path, bytes_max) in [("large", 1 << 20), ("small", 128 << 10)] {
        assert!(bytes(&work, path) <= bytes_max, "{path}: {}", bytes(&work, path));
    }
    assert!(bytes(&work, "full") >= 300_000);
}
