//! Other processes change the folder while it is read or changed.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use fastest_core::object::id::{BlobId, TreeId};
use fastest_core::object::source::ObjectSource;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::error::CheckoutError;
use fastest_core::worktree::checkout::outcome::KeptWhy;
use fastest_core::worktree::checkout::run::{execute_until, recover};
use fastest_core::worktree::scan::context::IndexUse;
use fastest_core::worktree::stat_index::StatIndex;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::work::Work;

/// Returns how many rounds a race is tried: `few`, unless `FASTEST_RACES` sets another number.
fn rounds(few: u32) -> u32 {
    std::env::var("FASTEST_RACES").map_or(few, |rounds| rounds.parse().unwrap())
}

/// A working copy of `files` files in `d/`, and the trees of two versions of them. It is at the second.
fn two_versions(files: usize) -> (Work, [TreeId; 2]) {
    let work = Work::new();
    let version = |text: &str| {
        (0..files).for_each(|n| work.write(&format!("d/f{n:05}"), format!("{text} {n}")));
        work.snapshot()
    };
    let trees = [version("one"), version("two!!")];
    (work, trees)
}

/// Calls `other` again and again, on a thread, while `work` runs.
fn while_others(other: impl Fn() + Sync, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                other();
            }
        });
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
}

#[test]
fn no_save_is_lost_between_the_last_look_and_the_rename() {
    const FILES: usize = 400;
    let saved = tempfile::tempdir().unwrap();
    for round in 0..rounds(12) {
        let (work, [one, _]) = two_versions(FILES);
        let index = work.index();
        let plan = match round % 3 {
            // Files that the checkout deletes are saved to as well.
            0 => {
                fs::remove_dir_all(work.path("d")).unwrap();
                let none = work.snapshot();
                work.checkout(&one);
                work.plan(&none)
            }
            _ => work.plan(&one),
        };
        let index = if round % 3 == 0 { work.index() } else { index };
        for n in 0..FILES {
            fs::write(saved.path().join(n.to_string()), format!("MINE {n}")).unwrap();
        }
        let journal = work.state().journal();
        thread::scope(|scope| {
            scope.spawn(|| {
                while !journal.exists() {
                    thread::yield_now();
                }
                for n in (0..FILES).rev() {
                    let to = work.path(&format!("d/f{n:05}"));
                    // If the folder is gone already, nothing is saved.
                    let _ = fs::rename(saved.path().join(n.to_string()), to);
                }
            });
            let progress = Progress::default();
            let done =
                execute_until(work.root(), plan, &index, &work.objects, b"", &progress, usize::MAX);
            done.unwrap();
        });
        for n in 0..FILES {
            let mine = format!("MINE {n}");
            let is_at = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text == mine);
            let names = [format!("d/f{n:05}"), format!("d/f{n:05}.conflict-kept")];
            let stands = names.iter().any(|name| is_at(&work.path(name)));
            assert!(stands || is_at(&saved.path().join(n.to_string())), "{n} in round {round}");
        }
    }
}

/// Stops a checkout from the second to the first version before step `stop`.
fn stopped(stop: usize) -> (Work, TreeId) {
    let (work, [one, _]) = two_versions(3);
    let (plan, index, progress) = (work.plan(&one), work.index(), Progress::default());
    let done = execute_until(work.root(), plan, &index, &work.objects, b"", &progress, stop);
    assert!(done.unwrap().is_none());
    (work, one)
}

/// Returns the temporary file that has this content.
fn waiting(work: &Work, content: &str) -> PathBuf {
    let names = fs::read_dir(work.state().tmp()).unwrap();
    let mut paths = names.map(|name| name.unwrap().path());
    paths.find(|path| fs::read_to_string(path).is_ok_and(|text| text == content)).unwrap()
}

#[test]
fn what_an_exchange_took_out_before_a_crash_goes_back_if_it_was_not_expected() {
    // After the second step, the old version of the second file waits as a temporary file.
    let (work, _) = stopped(3);
    let waits = waiting(&work, "two!! 1");
    // As if it had been saved just before the exchange.
    fs::write(&waits, "MINE").unwrap();
    let recovered = recover(work.root()).unwrap().unwrap();
    assert!(matches!(recovered.kept[0].why, KeptWhy::Changed), "{:?}", recovered.kept);
    let read = |name: &str| fs::read_to_string(work.path(name)).unwrap();
    assert_eq!(["d/f00000", "d/f00001", "d/f00002"].map(read), ["one 0", "MINE", "one 2"]);
    assert_eq!(fs::read_dir(work.path("d")).unwrap().count(), 3);
}

#[test]
fn where_a_third_version_came_both_stay() {
    let (work, _) = stopped(3);
    fs::write(waiting(&work, "two!! 1"), "MINE").unwrap();
    fs::write(work.path("saved"), "LATER").unwrap();
    fs::rename(work.path("saved"), work.path("d/f00001")).unwrap();
    let recovered = recover(work.root()).unwrap().unwrap();
    let KeptWhy::Both { aside } = &recovered.kept[0].why else { panic!("{:?}", recovered.kept) };
    assert_eq!(fs::read_to_string(work.root().join(aside)).unwrap(), "MINE");
    assert_eq!(fs::read_to_string(work.path("d/f00001")).unwrap(), "LATER");
    assert_eq!(fs::read_to_string(work.path("d/f00002")).unwrap(), "one 2");
}

#[test]
fn where_the_folder_is_gone_what_came_out_stays_in_the_state_folder() {
    let (work, _) = stopped(3);
    fs::write(waiting(&work, "two!! 1"), "MINE").unwrap();
    fs::remove_dir_all(work.path("d")).unwrap();
    let recovered = recover(work.root()).unwrap().unwrap();
    let both = recovered.kept.iter().find_map(|kept| match &kept.why {
        KeptWhy::Both { aside } => Some(aside),
        _ => None,
    });
    assert_eq!(fs::read_to_string(work.root().join(both.unwrap())).unwrap(), "MINE");
    work.snapshot();
    assert!(recover(work.root()).unwrap().is_none());
    assert_eq!(fs::read_to_string(work.root().join(both.unwrap())).unwrap(), "MINE");
}

#[test]
fn what_a_deletion_took_out_before_a_crash_goes_back_if_it_was_not_expected() {
    let (work, [one, _]) = two_versions(3);
    work.checkout(&one);
    fs::remove_file(work.path("d/f00001")).unwrap();
    let less = work.snapshot();
    work.checkout(&one);
    let (plan, index, progress) = (work.plan(&less), work.index(), Progress::default());
    let done = execute_until(work.root(), plan, &index, &work.objects, b"", &progress, 2);
    assert!(done.unwrap().is_none() && !work.path("d/f00001").exists());
    fs::write(waiting(&work, "one 1"), "MINE").unwrap();
    let recovered = recover(work.root()).unwrap().unwrap();
    assert!(matches!(recovered.kept[0].why, KeptWhy::Changed), "{:?}", recovered.kept);
    assert_eq!(fs::read_to_string(work.path("d/f00001")).unwrap(), "MINE");
}

/// Turns the journal of a checkout into one of version 1.
fn make_version_1(work: &Work) {
    let path = work.state().journal();
    let mut journal = fs::read(&path).unwrap();
    assert_eq!(journal[8..12], [2, 0, 0, 0]);
    journal[8] = 1;
    let body = journal.len() - 32;
    let checksum = *blake3::hash(&journal[..body]).as_bytes();
    journal[body..].copy_from_slice(&checksum);
    fs::write(&path, journal).unwrap();
}

#[test]
fn a_journal_of_version_1_is_finished_by_its_own_rules() {
    let (work, one) = stopped(1);
    make_version_1(&work);
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(work.path(name)).unwrap().ino()
    };
    let before = inode("d/f00000");
    assert!(recover(work.root()).unwrap().unwrap().kept.is_empty());
    assert!(inode("d/f00000") != before && work.snapshot() == one);
}

/// What a crash leaves beside a name on another file system, depending on how far the checkout
/// came.
#[test]
#[cfg(target_os = "linux")]
fn what_a_crash_leaves_on_another_file_system_is_settled() {
    let mark = |name: &str| format!(".fastest-{}", &blake3::hash(name.as_bytes()).to_hex()[..16]);
    for (is_version_1, left) in [
        (false, vec![("new", "-new", "ne")]),
        (false, vec![("new", "", "new file")]),
        (false, vec![("f", "", "one")]),
        (false, vec![("f", "", "two!!"), ("f", "-new", "o")]),
        (true, vec![("f", "", "o"), ("new", "", "new f")]),
    ] {
        let work = Work::new();
        let mount = |program: &str, arguments: &[&str]| {
            let mut command = std::process::Command::new(program);
            command.args(arguments).arg(work.path("m"));
            command.output().is_ok_and(|output| output.status.success())
        };
        work.write("m/f", "one");
        work.write("m/new", "new file");
        let one = work.snapshot();
        fs::remove_dir_all(work.path("m")).unwrap();
        fs::create_dir(work.path("m")).unwrap();
        if !mount("mount", &["-t", "tmpfs", "tmpfs"]) {
            println!("skipped: a crash on another file system: nothing can be mounted here");
            return;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            work.write("m/f", "two!!");
            work.snapshot();
            let (plan, index, progress) = (work.plan(&one), work.index(), Progress::default());
            let done = execute_until(work.root(), plan, &index, &work.objects, b"", &progress, 1);
            assert!(done.unwrap().is_none());
            if is_version_1 {
                make_version_1(&work);
            }
            for (name, end, text) in &left {
                work.write(&format!("m/{}{end}", mark(name)), text);
            }
            if left[0] == ("f", "", "two!!") {
                // The two files had been exchanged.
                fs::write(work.path("m/f"), "one").unwrap();
            }
            let recovered = recover(work.root()).unwrap().unwrap();
            assert!(recovered.kept.is_empty(), "{left:?}: {:?}", recovered.kept);
            let names = fs::read_dir(work.path("m")).unwrap().count();
            assert_eq!((names, work.snapshot()), (2, one), "{left:?}");
        }));
        assert!(mount("umount", &[]));
        outcome.unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_watches_sees_a_replaced_file_come_last() {
    use rustix::fs::inotify;
    let (work, [one, _]) = two_versions(1);
    let (plan, index) = (work.plan(&one), work.index());
    let watcher = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let events = inotify::WatchFlags::MOVED_FROM | inotify::WatchFlags::MOVED_TO;
    inotify::add_watch(&watcher, work.path("d"), events).unwrap();
    let progress = Progress::default();
    execute_until(work.root(), plan, &index, &work.objects, b"", &progress, usize::MAX).unwrap();
    let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(&watcher, &mut buffer);
    let mut last = reader.next().unwrap().events();
    while !reader.is_buffer_empty() {
        last = reader.next().unwrap().events();
    }
    assert!(last.contains(inotify::ReadFlags::MOVED_TO), "{last:?}");
}

/// A program that maps a file, and changes its first byte, and then another for each line of input.
const MAPPER: &str = r#"
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
int main(int c, char **v) {
    char *at = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, open(v[1], O_RDWR), 0);
    if (at == MAP_FAILED) return 1;
    for (int n = 0; n == 0 || getchar() == '\n'; n++) { at[n] = 'M'; putchar('\n'); fflush(stdout); }
}
"#;

/// On ext4, the times of a file do not change while a page of it waits to be written to disk. In
/// tmpfs, they never do.
#[test]
fn what_was_written_through_a_mapping_is_not_overwritten() {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    let (work, [one, _]) = two_versions(1);
    let folder = tempfile::tempdir().unwrap();
    let (source, mapper) = (folder.path().join("mapper.c"), folder.path().join("mapper"));
    fs::write(&source, MAPPER).unwrap();
    assert!(Command::new("cc").arg(&source).arg("-o").arg(&mapper).status().unwrap().success());
    let mut command = Command::new(&mapper);
    command.arg(work.path("d/f00000")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    stdout.read_exact(&mut [0]).unwrap();
    thread::sleep(Duration::from_millis(50));
    work.snapshot();
    thread::sleep(Duration::from_millis(50));
    work.snapshot();
    stdin.write_all(b"\n").unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    let done = work.try_checkout(&one);
    drop(stdin);
    child.wait().unwrap();
    assert_eq!(fs::read_to_string(work.path("d/f00000")).unwrap(), "MMo!! 0");
    match done {
        Ok(done) => assert_eq!(done.kept.len(), 1),
        // Another process caused the page to be written meanwhile, which updated the file's times.
        Err(error) => assert!(matches!(error, CheckoutError::InTheWay { .. }), "{error}"),
    }
}

/// Returns a function that exchanges `folder` with a link to `outside`.
fn swap(folder: PathBuf, outside: &Path) -> impl Fn() + Sync {
    let link = outside.with_extension("link");
    symlink(outside, &link).unwrap();
    move || {
        let _ = renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE);
        thread::sleep(Duration::from_micros(20));
    }
}

/// Creates a folder outside of the working copy, with the same names in it.
fn outside(files: usize) -> tempfile::TempDir {
    let outside = tempfile::tempdir().unwrap();
    for n in 0..files {
        fs::write(outside.path().join(format!("f{n:05}")), format!("OUTSIDE {n}")).unwrap();
    }
    fs::create_dir(outside.path().join("deep")).unwrap();
    fs::write(outside.path().join("deep/precious"), "OUTSIDE").unwrap();
    outside
}

fn check_outside(outside: &Path, files: usize) {
    for n in 0..files {
        let text = fs::read_to_string(outside.join(format!("f{n:05}"))).unwrap();
        assert_eq!(text, format!("OUTSIDE {n}"));
    }
    assert_eq!(fs::read_to_string(outside.join("deep/precious")).unwrap(), "OUTSIDE");
    assert_eq!(fs::read_dir(outside).unwrap().count(), files + 1);
}

/// Removes the link, which may be the folder that it was exchanged with.
fn remove_link(outside: &Path) {
    let link = outside.with_extension("link");
    let _ = fs::remove_file(&link).or_else(|_| fs::remove_dir_all(&link));
}

#[test]
fn a_new_folder_that_becomes_a_link_while_it_is_written_leads_nothing_outside() {
    const FILES: usize = 300;
    for _ in 0..rounds(8) {
        let (work, [one, _]) = two_versions(FILES);
        let outside = outside(0);
        fs::remove_dir_all(work.path("d")).unwrap();
        work.snapshot();
        while_others(swap(work.state().tmp().join("c0"), outside.path()), || {
            let _ = work.try_checkout(&one);
            let _ = recover(work.root());
        });
        check_outside(outside.path(), 0);
        remove_link(outside.path());
    }
}

#[test]
fn a_folder_that_becomes_a_link_leads_no_checkout_outside() {
    const FILES: usize = 200;
    for _ in 0..rounds(8) {
        let (work, [one, two]) = two_versions(FILES);
        let outside = outside(FILES);
        while_others(swap(work.path("d"), outside.path()), || {
            for to in [&one, &two] {
                // Obstacles are refused, and changed files are kept. Nothing is written outside.
                let _ = work.try_checkout(to);
                let _ = recover(work.root());
            }
        });
        check_outside(outside.path(), FILES);
        remove_link(outside.path());
    }
}

#[test]
fn a_folder_that_becomes_a_link_brings_nothing_into_a_snapshot() {
    const FILES: usize = 200;
    for _ in 0..rounds(8) {
        let (work, [one, two]) = two_versions(FILES);
        let outside = outside(FILES);
        work.checkout(&one);
        work.checkout(&two);
        while_others(swap(work.path("d"), outside.path()), || {
            for _ in 0..5 {
                let _ = work.try_scan(&StatIndex::empty(), IndexUse::Replace);
                let _ = work.try_scan(&work.index(), IndexUse::Replace);
            }
        });
        for n in 0..FILES {
            let id = BlobId::of(format!("OUTSIDE {n}").as_bytes());
            assert!(!work.objects.has(&id.into()).unwrap(), "{n}");
        }
        remove_link(outside.path());
    }
}

/// Nor is anything deleted outside through a state folder that is a link.
#[test]
fn a_state_folder_that_is_a_link_is_refused() {
    let (work, [one, _]) = two_versions(3);
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(outside.path().join("tmp")).unwrap();
    fs::write(outside.path().join("tmp/precious"), "OUTSIDE").unwrap();
    let plan = work.plan(&one);
    let index = work.index();
    fs::rename(work.state().path(), work.path("moved")).unwrap();
    symlink(outside.path(), work.state().path()).unwrap();
    let progress = Progress::default();
    let done = execute_until(work.root(), plan, &index, &work.objects, b"", &progress, usize::MAX);
    assert!(done.is_err() && recover(work.root()).is_err());
    assert_eq!(fs::read_to_string(outside.path().join("tmp/precious")).unwrap(), "OUTSIDE");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}
