//! A git repository that somebody else has made: its files may be anything.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use fastest_core::worktree::git::Git;
use rustix::fs::{CWD, FileType, Mode};

use super::work::Work;

fn repository() -> Work {
    let work = Work::new();
    work.write("a", "1");
    work.write(".git/HEAD", "ref: refs/heads/main\n");
    work
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

/// Returns the messages about a repository in which `make` creates `path`.
fn said(path: &str, make: impl FnOnce(&Path)) -> Vec<String> {
    let work = repository();
    let path = work.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    make(&path);
    let git = Git::of(work.root(), &work.user);
    git.unknown_rules().iter().map(ToString::to_string).collect()
}

#[test]
fn no_file_of_a_repository_is_waited_for_or_read_without_end() {
    for name in ["config", "config.worktree", "info/exclude"] {
        let path = format!(".git/{name}");
        let huge = |path: &Path| fs::File::create(path).unwrap().set_len(1 << 40).unwrap();
        let endless = |path: &Path| symlink("/dev/zero", path).unwrap();
        for unknown in [said(&path, huge), said(&path, endless)] {
            assert_eq!(unknown.len(), 1, "{name}: {unknown:?}");
        }
        said(&path, fifo);
    }
    for name in ["index", "commondir", "HEAD"] {
        let path = format!(".git/{name}");
        let make = |path: &Path, make: &dyn Fn(&Path)| {
            drop(fs::remove_file(path));
            make(path);
        };
        said(&path, |path| make(path, &fifo));
        said(&path, |path| make(path, &|path| symlink("/dev/zero", path).unwrap()));
    }
    let work = Work::new();
    fifo(&work.path(".git"));
    Git::of(work.root(), &work.user);
}

#[test]
fn a_shared_index_is_not_waited_for() {
    let work = repository();
    let git = |args: &[&str]| {
        let git = std::process::Command::new("git").arg("-C").arg(work.root()).args(args).output();
        assert!(git.unwrap().status.success(), "{args:?}");
    };
    fs::remove_dir_all(work.path(".git")).unwrap();
    git(&["init", "-q"]);
    git(&["add", "a"]);
    git(&["update-index", "--split-index"]);
    assert!(Git::of(work.root(), &work.user).tracks(b"a"));
    let work_of = fs::read_dir(work.path(".git")).unwrap().map(|entry| entry.unwrap());
    let shared =
        work_of.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"shared"));
    let shared: Vec<_> = shared.map(|entry| entry.path()).collect();
    assert_eq!(shared.len(), 1);
    fs::remove_file(&shared[0]).unwrap();
    fifo(&shared[0]);
    drop(fs::remove_file(work.state().path().join("git-tracked")));
    assert!(!Git::of(work.root(), &work.user).tracks(b"a"));
}

#[test]
fn settings_that_include_each_other_end() {
    let own = |path: &Path| fs::write(path, "[include]\npath = config\n".repeat(20)).unwrap();
    let unknown = said(".git/config", own);
    assert!(unknown[0].contains("includes more than"), "{unknown:?}");
    let two = |path: &Path| {
        fs::File::create(path.with_file_name("huge")).unwrap().set_len(1 << 40).unwrap();
        fs::write(path, "[includeIf \"gitdir:/\"]\npath = huge\n").unwrap();
    };
    let unknown = said(".git/config", two);
    assert!(unknown[0].contains("huge"), "{unknown:?}");
}
