//! What a scan takes in, what it leaves out, and what it need not read.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::time::{Duration, SystemTime};

use fastest_core::object::item::{Item, Kind};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::read::{find, read_directory};
use fastest_core::progress::Progress;
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::scan::error::ScanError;
use fastest_core::worktree::scan::report::{Skipped, SkippedWhy};
use fastest_core::worktree::stat_index::StatIndex;

use super::work::{Work, set_executable};

fn item(work: &Work, path: &str) -> Option<Item> {
    let names: Vec<_> = path.split('/').map(str::as_bytes).collect();
    find(&work.fresh(), &names, &work.objects).unwrap()
}

/// Waits until the file system's clock has moved on, so that nothing written before is racy.
pub fn tick() {
    let now = || tempfile::tempfile().unwrap().metadata().unwrap().modified().unwrap();
    let before = now();
    while now() <= before {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn files_links_and_folders_are_taken_in() {
    let work = Work::new();
    work.write("a/b.txt", "hello");
    work.write("run", "#!");
    set_executable(&work.path("run"), true);
    symlink("a/nowhere", work.path("dangling")).unwrap();
    symlink(".", work.path("loop")).unwrap();
    fs::create_dir(work.path("empty")).unwrap();
    assert_eq!(item(&work, "a/b.txt").unwrap().kind, Kind::File);
    assert_eq!(item(&work, "run").unwrap().kind, Kind::Executable);
    assert_eq!(item(&work, "dangling").unwrap().kind, Kind::Symlink);
    assert_eq!(item(&work, "loop").unwrap().kind, Kind::Symlink);
    assert_eq!(item(&work, "empty").unwrap().files, 0);
    assert_eq!(item(&work, ".fastest"), None);
}

#[test]
fn an_unchanged_tree_is_not_read_and_the_index_not_rewritten() {
    let work = Work::new();
    for n in 0..50 {
        work.write(&format!("d{}/f{n}", n % 5), [n; 100]);
    }
    tick();
    let root = work.snapshot();
    assert_eq!(work.bytes_to_read(), 0);
    let again = work.try_scan(&work.index(), IndexUse::Replace).unwrap();
    assert_eq!((again.root.id, again.index), (root, None));
    work.write("d1/f1", "changed");
    assert_eq!(work.bytes_to_read(), 7);
    assert_eq!(work.snapshot(), work.fresh());
}

#[test]
fn racy_files_are_read_again_and_the_flag_is_cleared() {
    let work = Work::new();
    for round in 0..200 {
        work.write("f", format!("{round:04}"));
        assert_eq!(work.snapshot(), work.fresh(), "round {round}");
    }
    // A time in the future is as racy as one of the same tick, whatever the clock's resolution.
    let is_racy = || work.index().find(b"f").unwrap().racy;
    let date = SystemTime::now() + Duration::from_secs(2);
    fs::File::options().write(true).open(work.path("f")).unwrap().set_modified(date).unwrap();
    work.snapshot();
    assert!(is_racy());
    while is_racy() {
        std::thread::sleep(Duration::from_millis(30));
        work.snapshot();
    }
    assert!(SystemTime::now() > date, "the flag was cleared too soon");
    assert_eq!(work.try_scan(&work.index(), IndexUse::Replace).unwrap().index, None);
}

#[test]
fn a_refreshed_index_claims_nothing_new() {
    let work = Work::new();
    for name in ["same", "changed", "deleted", "d/touched"] {
        work.write(name, name);
    }
    tick();
    let before = work.snapshot();
    for name in ["changed", "new", "e/new"] {
        work.write(name, "other bytes");
    }
    fs::remove_file(work.path("deleted")).unwrap();
    work.write("d/touched", "d/touched");
    tick();
    let nowhere = MemoryObjects::default();
    let progress = Progress::default();
    let sink = fastest_core::object::memory::NoSink;
    let status = work.scan_to(&work.index(), &sink, IndexUse::Refresh, &progress);
    let status = status.unwrap();
    assert!(nowhere.is_empty() && status.root.id != before);
    let refreshed = status.index.expect("a touched file is refreshed");
    assert_eq!(refreshed.root().unwrap().id, before);
    let read = |index: &StatIndex| {
        let progress = Progress::default();
        work.scan_to(index, &work.objects, IndexUse::Refresh, &progress).unwrap();
        progress.counts().bytes
    };
    assert_eq!(read(&work.index()) - read(&refreshed), "d/touched".len() as u64);
    refreshed.save(&work.state()).unwrap();
    let after = work.snapshot();
    assert_eq!(after, work.fresh());
    read_directory(&after, &work.objects).expect("everything is stored");
}

#[test]
fn an_index_counts_only_where_its_tree_is_stored() {
    let mut work = Work::new();
    work.write("d/a", "a");
    tick();
    let root = work.snapshot();
    work.objects = MemoryObjects::default();
    assert_eq!(work.snapshot(), root);
    let directory = find(&root, &[b"d"], &work.objects).unwrap().unwrap();
    assert!(ObjectSource::has(&work.objects, &directory.tree_id().unwrap().into()).unwrap());
    assert_eq!(work.objects.len(), 3);
}

#[test]
fn ignore_files_hold_for_their_folder_and_below() {
    let work = Work::new();
    work.write(".gitignore", "*.log\n/build/\n");
    work.write("sub/.gitignore", "!keep.log\n");
    work.write(".fastestignore", "!all.log\n");
    for path in ["a.log", "all.log", "sub/keep.log", "build/x", "sub/build/x", ".git/config"] {
        work.write(path, path);
    }
    let taken = ["all.log", "sub/keep.log", "sub/build/x", ".gitignore"];
    taken.iter().for_each(|path| assert!(item(&work, path).is_some(), "{path}"));
    for path in ["a.log", "build", ".git"] {
        assert!(item(&work, path).is_none(), "{path}");
    }
}

#[test]
fn a_linked_ignore_file_is_not_followed() {
    let work = Work::new();
    work.write("rules", "*.log\n");
    symlink("rules", work.path(".gitignore")).unwrap();
    work.write("a.log", "");
    let scan = work.try_scan(&StatIndex::empty(), IndexUse::Replace).unwrap();
    assert!(scan.unknown_rules.is_empty(), "{:?}", scan.unknown_rules);
    assert!(item(&work, "a.log").is_some());
}

#[test]
fn a_folder_of_ignored_files_is_content_only_where_it_was_before() {
    let work = Work::new();
    work.write(".gitignore", "*.o\n");
    work.write("never/a.o", "");
    work.write("never/deep/a.o", "");
    fs::create_dir(work.path("before")).unwrap();
    work.snapshot();
    work.write("before/a.o", "");
    let root = work.snapshot();
    assert!(find(&root, &[b"before"], &work.objects).unwrap().is_some());
    assert!(find(&root, &[b"never"], &work.objects).unwrap().is_none());
}

#[test]
fn nested_projects_are_taken_in_without_their_state() {
    let work = Work::new();
    work.write("inner/.fastest/index", "x");
    work.write("inner/file", "x");
    assert!(item(&work, "inner/file").is_some());
    assert!(item(&work, "inner/.fastest").is_none());
}

#[test]
fn special_files_are_skipped_and_named() {
    let work = Work::new();
    let _socket = UnixListener::bind(work.path("socket")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(work.path("fifo")).status().unwrap();
    assert!(made.success());
    work.write("file", "x");
    let scan = work.try_scan(&StatIndex::empty(), IndexUse::Replace).unwrap();
    let mut skipped: Vec<_> = scan.skipped.iter().map(|skipped| skipped.why.to_string()).collect();
    skipped.sort_unstable();
    assert_eq!((skipped, scan.root.files), (vec!["FIFO".to_owned(), "socket".to_owned()], 1));
}

#[test]
#[cfg(target_os = "linux")] // macOS refuses such names.
fn names_that_are_not_utf_8_are_kept_exactly() {
    let work = Work::new();
    let name = OsStr::from_bytes(b"caf\xe9\xff");
    fs::write(work.root().join(name), "x").unwrap();
    let root = work.snapshot();
    assert_eq!(read_directory(&root, &work.objects).unwrap()[0].0, name.as_bytes());
    let listing = work.listing();
    let work = work.clone_into_new();
    work.checkout(&root);
    assert_eq!(work.listing(), listing);
}

#[test]
fn a_folder_that_is_not_there_is_an_error_that_names_it() {
    let gone = Work::new();
    fs::remove_dir_all(gone.root()).unwrap();
    let refused = gone.try_scan(&StatIndex::empty(), IndexUse::Replace);
    assert!(matches!(refused, Err(ScanError::Io { path, .. }) if path == gone.root()));
}

#[test]
fn folders_as_deep_as_a_path_may_be_are_taken_in() {
    let work = Work::new();
    let depth = (4096 - work.root().as_os_str().len() - 16) / 2;
    let limit = fastest_core::object::tree::format::DEPTH_MAX;
    let deep = |levels: usize| work.path(&vec!["d"; levels].join("/"));
    fs::create_dir_all(deep(limit.min(depth))).unwrap();
    let root = work.snapshot();
    assert_eq!(work.snapshot(), root);
    fs::create_dir_all(deep(depth)).unwrap();
    if depth > limit {
        work.write("beside", "x");
        let scan = work.try_scan(&StatIndex::empty(), IndexUse::Replace).unwrap();
        assert!(matches!(scan.skipped[..], [Skipped { why: SkippedWhy::TooDeep, .. }]));
        assert_eq!(scan.root.files, 1);
    }
}

#[test]
fn a_large_file_is_read_in_chunks_and_known_again() {
    let work = Work::new();
    let bytes: Vec<u8> = (0..3_000_000u32).flat_map(|n| n.to_le_bytes()).collect();
    work.write("large", &bytes);
    tick();
    let root = work.snapshot();
    assert!(find(&root, &[b"large"], &work.objects).unwrap().unwrap().list.is_some());
    assert_eq!(work.bytes_to_read(), 0);
    assert_eq!(work.snapshot(), root);
    let work = work.clone_into_new();
    work.checkout(&root);
    assert_eq!(fs::read(work.path("large")).unwrap(), bytes);
}

#[test]
fn a_folder_of_200_000_files() {
    let work = Work::new();
    fs::create_dir(work.path("wide")).unwrap();
    for n in 0..200_000 {
        fs::write(work.path(&format!("wide/file{n:06}")), n.to_string()).unwrap();
    }
    tick();
    let root = work.snapshot();
    assert_eq!(work.bytes_to_read(), 0);
    work.write("wide/file123456", "changed");
    tick();
    assert_eq!(work.bytes_to_read(), 7);
    let changed = work.snapshot();
    work.checkout(&root);
    assert_eq!(work.snapshot(), root);
    let work = work.clone_into_new();
    work.checkout(&changed);
    assert_eq!(work.fresh(), changed);
}

/// A name that is skipped because of its directory's times would never be found again.
#[test]
fn names_are_seen_though_a_directory_was_given_its_old_mtime() {
    let work = Work::new();
    work.write("d/e/a", "a");
    tick();
    work.snapshot();
    tick();
    work.snapshot();
    if cfg!(target_os = "linux") {
        // The rest is about a trusted listing. Only on Linux are listings trusted.
        assert!(work.index().find(b"d/e").unwrap().directory.unwrap().listed().is_some());
    }
    let before = fs::metadata(work.path("d/e")).unwrap().modified().unwrap();
    work.write("d/e/b", "b");
    fs::File::open(work.path("d/e")).unwrap().set_modified(before).unwrap();
    assert_eq!(work.snapshot(), work.fresh());
    assert!(item(&work, "d/e/b").is_some());
}

#[test]
fn what_a_tree_cannot_hold_is_named_by_each_scan() {
    let work = Work::new();
    work.write("d/a", "a");
    let _socket = UnixListener::bind(work.path("d/socket")).unwrap();
    tick();
    for _ in 0..3 {
        let scan = work.try_scan(&work.index(), IndexUse::Replace).unwrap();
        assert_eq!(scan.skipped.len(), 1);
        scan.index.iter().for_each(|index| index.save(&work.state()).unwrap());
        tick();
    }
}

#[test]
fn a_directory_that_was_moved_aside_and_linked_is_no_directory() {
    let work = Work::new();
    work.write("d/e/a", "a");
    tick();
    work.snapshot();
    fs::rename(work.path("d"), work.root().with_extension("aside")).unwrap();
    symlink(work.root().with_extension("aside"), work.path("d")).unwrap();
    let root = work.snapshot();
    assert_eq!(root, work.fresh());
    assert_eq!(item(&work, "d").unwrap().kind, Kind::Symlink);
    fs::remove_dir_all(work.root().with_extension("aside")).unwrap();
}
