//! Paths longer than the 4,096 bytes that a system call accepts.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};

use super::work::Work;

const FOLDERS: usize = 30;

/// Returns a folder 6,000 bytes below the root of a working copy. Creates it if `make` is set.
fn deep(work: &Work, make: bool) -> Option<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, work.root(), flags, Mode::empty()).unwrap();
    for _ in 0..FOLDERS {
        let name = "n".repeat(200);
        if make {
            mkdirat(&folder, &name, Mode::RWXU).unwrap();
        }
        folder = openat(&folder, &name, flags, Mode::empty()).ok()?;
    }
    Some(folder)
}

fn write(folder: &OwnedFd, name: &str, text: &str) {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
    let file = openat(folder, name, flags, Mode::RUSR | Mode::WUSR).unwrap();
    File::from(file).write_all(text.as_bytes()).unwrap();
}

fn read(folder: &OwnedFd, name: &str) -> String {
    let mut text = String::new();
    let file = openat(folder, name, OFlags::RDONLY, Mode::empty()).unwrap();
    File::from(file).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_path_of_any_length_is_content_and_comes_back() {
    let work = Work::new();
    let none = work.snapshot();
    let folder = deep(&work, true).unwrap();
    write(&folder, "changes", "one");
    write(&folder, "goes", "one");
    rustix::fs::symlinkat("changes", &folder, "link").unwrap();
    let one = work.snapshot();
    write(&folder, "changes", "two!");
    rustix::fs::unlinkat(&folder, "goes", rustix::fs::AtFlags::empty()).unwrap();
    let two = work.snapshot();
    assert!(one != none && two != one);
    for _ in 0..2 {
        work.checkout(&one);
        let folder = deep(&work, false).unwrap();
        assert_eq!((read(&folder, "changes"), read(&folder, "goes")), ("one".into(), "one".into()));
        assert_eq!((work.snapshot(), work.fresh()), (one, one));
        work.checkout(&two);
        assert_eq!(read(&folder, "changes"), "two!");
        work.checkout(&none);
        assert!(deep(&work, false).is_none());
        assert_eq!(work.fresh(), none);
    }
    // A folder on the path that becomes a link is not followed.
    work.checkout(&one);
    let top = work.path(&"n".repeat(200));
    fs::rename(&top, work.path("moved")).unwrap();
    symlink("moved", &top).unwrap();
    work.snapshot();
    assert_eq!(work.snapshot(), work.fresh());
}
