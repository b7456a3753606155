//! Databases with files beside them. core does not know what SQLite does with these: here, a log is
//! text that belongs at the end of the database.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use fastest_core::object::id::TreeId;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::outcome::{Checkout, KeptWhy};
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::{Written, execute_until, recover, write};
use fastest_core::worktree::database::{Databases, Refusal};
use fastest_core::worktree::git::Git;
use fastest_core::worktree::left::{self, Left, LeftWhy};
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::report::{Scan, SkippedWhy};
use fastest_core::worktree::scan::run::scan;
use fastest_core::worktree::stat_index::StatIndex;

use super::work::Work;

struct Appending {
    refuses: bool,
}

impl Databases for Appending {
    fn settle(&self, copy: &Path) -> Result<(), Refusal> {
        if self.refuses {
            return Err("it is damaged".into());
        }
        let log = copy.with_file_name("database-wal");
        if let Ok(text) = fs::read(&log) {
            fs::OpenOptions::new().append(true).open(copy)?.write_all(&text)?;
            fs::remove_file(log)?;
        }
        Ok(())
    }

    fn hold(
        &self,
        _database: &Path,
        work: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<(), Refusal> {
        Ok(work()?)
    }
}

const DATABASE: Appending = Appending { refuses: false };
/// Longer than the header of a log, which must not change.
const LOG: &[u8] = b"7\x7f\x06\x82 log of the old database, 1, 2";

fn database(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = [b"SQLite format 3\0".as_slice(), &[0; 512 - 16]].concat();
    (bytes[16], bytes[17]) = (16, 0);
    bytes[21..24].copy_from_slice(&[64, 32, 32]);
    [&bytes, text.as_ref()].concat()
}

fn try_scan(work: &Work, databases: &dyn Databases) -> Scan {
    let (index, git) = (work.index(), Git::of(work.root(), &work.user));
    let head = index.root().map(|root| root.id);
    let (source, databases) = (&work.objects, Some(databases));
    let left = left::load(&work.state()).unwrap();
    let selection = Selection { head, source, git: &git, untrack: &[], left: &left, databases };
    let progress = Progress::default();
    scan(work.root(), &index, selection, source, IndexUse::Replace, &progress).unwrap()
}

fn snapshot(work: &Work) -> Scan {
    let scan = try_scan(work, &DATABASE);
    if let Some(index) = &scan.index {
        index.save(&work.state()).unwrap();
    }
    scan
}

/// A working copy whose database has a log, the scan of it, and a tree whose database has none.
fn with_log() -> (Work, Scan, TreeId) {
    let work = Work::new();
    work.write("app.db", database("new"));
    work.write("other", "new");
    let new = snapshot(&work).root.id;
    work.write("app.db", database("old"));
    work.write("app.db-wal", LOG);
    work.write("app.db-shm", 3_007_000_u32.to_ne_bytes());
    work.write("other", "old");
    let scan = snapshot(&work);
    (work, scan, new)
}

fn plan(work: &Work, scan: &Scan, to: &TreeId) -> (StatIndex, Plan) {
    let index = work.index();
    let plan = Plan::around(&index, to, Vec::new(), &work.objects, Folding::default()).unwrap();
    let plan = plan.with_databases(&index, &scan.databases);
    (index, plan)
}

fn written(work: &Work, scan: &Scan, to: &TreeId) -> (StatIndex, Written) {
    let (index, plan) = plan(work, scan, to);
    (index, write(work.root(), plan, &work.objects, &Progress::default()).unwrap())
}

/// Stops a checkout before step `stop`.
fn crash(work: &Work, scan: &Scan, to: &TreeId, stop: usize) -> Option<Checkout> {
    let (index, plan) = plan(work, scan, to);
    let progress = Progress::default();
    execute_until(work.root(), plan, &index, &work.objects, b"t", &progress, stop).unwrap()
}

/// Returns the database and its log.
fn state(work: &Work) -> (Vec<u8>, Option<Vec<u8>>) {
    (fs::read(work.path("app.db")).unwrap(), fs::read(work.path("app.db-wal")).ok())
}

fn append_to_log(work: &Work) {
    let log = fs::OpenOptions::new().append(true).open(work.path("app.db-wal"));
    log.unwrap().write_all(b", 3").unwrap();
}

fn old() -> Vec<u8> {
    database("old")
}

fn settled() -> Vec<u8> {
    database([b"old", LOG].concat())
}

#[test]
fn the_log_of_a_database_that_was_left_is_no_content() {
    for held in [true, false] {
        let work = Work::new();
        work.write("x", "1");
        if held {
            work.write("app.db", database("old"));
        }
        let before = snapshot(&work).root;
        work.write("app.db", database("mine"));
        work.write("app.db-wal", LOG);
        work.write("app.db-shm", 3_007_000_u32.to_ne_bytes());
        left::save(&work.state(), &[Left { path: b"app.db".to_vec(), why: LeftWhy::InUse }])
            .unwrap();
        assert_eq!(snapshot(&work).root, before);
    }
}

#[test]
fn files_that_are_only_named_like_a_log_are_content() {
    let work = Work::new();
    for name in ["app.db-journal", "app.db-shm", "app.db-wal"] {
        work.write("app.db", database("old"));
        work.write(name, "text");
        snapshot(&work);
        work.write("app.db", database("new"));
        let new = snapshot(&work).root;
        assert_eq!(new.files, 2, "{name}");
        work.write("app.db", database("old"));
        let scan = snapshot(&work);
        assert_eq!(fs::read(work.path(name)).unwrap(), b"text");
        let (index, plan) = plan(&work, &scan, &new.id);
        let progress = Progress::default();
        execute_until(work.root(), plan, &index, &work.objects, b"t", &progress, 99).unwrap();
        assert_eq!(state(&work).0, database("new"));
        assert_eq!(fs::read(work.path(name)).unwrap(), b"text");
        fs::remove_file(work.path(name)).unwrap();
    }
}

#[test]
fn after_a_crash_at_any_step_a_database_has_its_own_log_or_none() {
    let log = || Some(LOG.to_vec());
    let known = BTreeSet::from([
        (old(), log()),
        (settled(), log()),
        (settled(), None),
        (database("new"), None),
    ]);
    let mut seen = BTreeSet::new();
    for stop in 0.. {
        let (work, scan, new) = with_log();
        let done = crash(&work, &scan, &new, stop);
        seen.insert(state(&work));
        assert!(seen.is_subset(&known), "step {stop}: {:?}", state(&work));
        let recovered = recover(work.root()).unwrap();
        if let Some(recovered) = &recovered {
            assert!(recovered.kept.is_empty(), "{:?} at step {stop}", recovered.kept);
        }
        if stop > 0 {
            assert_eq!(state(&work), (database("new"), None), "step {stop}");
            assert!(!work.path("app.db-shm").exists());
            assert_eq!(snapshot(&work).root.id, new);
        }
        if let Some(done) = done {
            assert!(done.kept.is_empty() && recovered.is_none());
            assert_eq!(seen, known);
            return;
        }
    }
}

#[test]
fn a_write_to_the_log_after_a_crash_keeps_the_database_with_its_log() {
    for stop in 1.. {
        let (work, scan, new) = with_log();
        assert!(crash(&work, &scan, &new, stop).is_none());
        let (main, Some(log)) = state(&work) else {
            assert!(stop > 2);
            return;
        };
        append_to_log(&work);
        let recovered = recover(work.root()).unwrap().unwrap();
        assert_eq!(state(&work), (main, Some([&log, &b", 3"[..]].concat())), "step {stop}");
        let kept: Vec<_> = recovered.kept.iter().map(|kept| kept.path.clone()).collect();
        assert_eq!(kept, [Path::new("app.db")], "step {stop}");
    }
}

#[test]
fn what_was_taken_out_before_a_crash_is_not_lost_where_the_database_cannot_be_locked() {
    let (work, scan, new) = with_log();
    // The database with its log applied is in place, and the old file waits as a temporary file.
    assert!(crash(&work, &scan, &new, 2).is_none());
    let waiting = fs::read_dir(work.state().tmp()).unwrap().map(|entry| entry.unwrap().path());
    let is_old = |path: &std::path::PathBuf| fs::read(path).is_ok_and(|bytes| bytes == old());
    let waits = waiting.into_iter().find(is_old).unwrap();
    fs::write(waits, "MINE").unwrap();
    fs::write(work.path("app.db"), database("of another application")).unwrap();
    recover(work.root()).unwrap().unwrap();
    let found = fs::read_dir(work.root()).unwrap().map(|entry| entry.unwrap().path());
    assert!(found.into_iter().any(|path| fs::read(path).is_ok_and(|bytes| bytes == b"MINE")));
}

#[test]
#[cfg(target_os = "linux")]
fn a_database_that_cannot_be_replaced_keeps_its_log() {
    use std::process::Command;
    let (work, scan, new) = with_log();
    let (index, written) = written(&work, &scan, &new);
    let set = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(work.path("app.db")).output();
        done.is_ok_and(|output| output.status.success())
    };
    if !set("+i") {
        println!("skipped: a database that cannot be replaced: no file can be made immutable here");
        return;
    }
    let done = written.complete(&index, &work.objects, b"t");
    assert!(set("-i"));
    let done = done.unwrap();
    assert_eq!(state(&work), (old(), Some(LOG.to_vec())));
    assert_eq!(done.kept.len(), 1, "{:?}", done.kept);
}

#[test]
fn a_write_to_the_log_after_the_scan_keeps_the_database() {
    for is_written in [false, true] {
        let (work, scan, new) = with_log();
        let done = if is_written {
            let (index, written) = written(&work, &scan, &new);
            append_to_log(&work);
            written.complete(&index, &work.objects, b"t").unwrap()
        } else {
            append_to_log(&work);
            let (index, written) = written(&work, &scan, &new);
            written.complete(&index, &work.objects, b"t").unwrap()
        };
        assert!(matches!(done.kept[..], [ref kept] if matches!(kept.why, KeptWhy::Changed)));
        assert_eq!(state(&work), (old(), Some([LOG, b", 3"].concat())));
        assert_eq!(fs::read(work.path("other")).unwrap(), b"new");
    }
}

#[test]
fn a_log_that_came_after_the_scan_keeps_the_database() {
    for to_nothing in [false, true] {
        let work = Work::new();
        if !to_nothing {
            work.write("app.db", database("new"));
        }
        let new = snapshot(&work).root.id;
        work.write("app.db", database("old"));
        // As with any file, it must not have been written to just now.
        std::thread::sleep(std::time::Duration::from_millis(50));
        let scan = snapshot(&work);
        let (index, written) = written(&work, &scan, &new);
        work.write("app.db-wal", LOG);
        let done = written.complete(&index, &work.objects, b"t").unwrap();
        assert!(matches!(done.kept[..], [ref kept] if matches!(kept.why, KeptWhy::InUse)));
        assert_eq!(state(&work), (old(), Some(LOG.into())));
    }
}

#[test]
fn a_database_does_not_come_beside_the_log_of_another() {
    let work = Work::new();
    work.write("app.db", database("new"));
    let new = snapshot(&work).root.id;
    fs::remove_file(work.path("app.db")).unwrap();
    let scan = snapshot(&work);
    let (index, written) = written(&work, &scan, &new);
    work.write("app.db-wal", LOG);
    let done = written.complete(&index, &work.objects, b"t").unwrap();
    assert!(matches!(done.kept[..], [ref kept] if matches!(kept.why, KeptWhy::StrayLog)));
    assert!(!work.path("app.db").exists());
}

#[test]
fn a_database_and_its_log_are_one_file_which_the_log_alone_can_change() {
    let work = Work::new();
    work.write("plain.db", settled());
    let plain = snapshot(&work).root.id;
    fs::remove_file(work.path("plain.db")).unwrap();
    work.write("plain.db", old());
    work.write("plain.db-wal", LOG);
    work.write("plain.db-shm", 3_007_000_u32.to_ne_bytes());
    assert_eq!(snapshot(&work).root.id, plain);
    // Long enough for no stat data to be racy.
    std::thread::sleep(std::time::Duration::from_millis(30));
    assert_eq!(snapshot(&work).root.id, plain);
    fs::write(work.path("plain.db-wal"), [LOG, b", 3"].concat()).unwrap();
    assert_ne!(snapshot(&work).root.id, plain);
}

#[test]
fn of_a_database_that_cannot_be_copied_the_last_version_stays() {
    let (work, scan, _) = with_log();
    work.write("other", "newer");
    append_to_log(&work);
    let refused = try_scan(&work, &Appending { refuses: true });
    assert!(
        matches!(refused.skipped[..], [ref skipped] if matches!(skipped.why, SkippedWhy::Database(_)))
    );
    assert!(refused.skipped[0].why.is_unsaved_content());
    let last =
        |id| fastest_core::object::tree::read::find(id, &[b"app.db"], &work.objects).unwrap();
    assert_eq!(last(&refused.root.id), last(&scan.root.id));
    assert_ne!(refused.root.id, scan.root.id);
}
