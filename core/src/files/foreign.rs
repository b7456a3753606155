//! Folders that belong to others: state folders of version control systems, other working copies,
//! git working trees. Nothing in them is content, and nothing is written into them.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use crate::files::beneath::{Beneath, ON_THE_WAY};
use crate::object::path::join;
use crate::object::state_name::{OTHERS, is_state_name};

/// A folder with this file is a working copy.
const WORKSPACE_FILE: &str = ".fastest/workspace.json";

/// Returns whether the folder `name` is the state folder of a version control system other than
/// git, rather than some folder with such a name.
pub(crate) fn is_repository_of_others(parent: impl AsFd, name: &[u8]) -> bool {
    let found = OTHERS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.is_some_and(|(_, marks)| {
        marks.iter().any(|mark| {
            let path = join(name, mark.as_bytes());
            rustix::fs::statat(&parent, path.as_slice(), AtFlags::SYMLINK_NOFOLLOW).is_ok()
        })
    })
}

/// Why a folder below the root is not part of the working copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NestedRepo {
    /// It is another working copy.
    WorkingCopy,
    /// It is a git submodule or a linked git working tree.
    GitWorkingTree,
}

/// Returns whether a path, relative to the root, is or leads through something that is not part of
/// the working copy: a state folder, another working copy, a git working tree.
pub fn belongs_to_others(root: &Path, path: &[u8]) -> bool {
    if path.split(|&byte| byte == b'/').any(is_state_name) {
        return true;
    }
    let Ok(beneath) = Beneath::of(root) else { return false };
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let mut ends = slashes.map(|(slash, _)| slash).chain([path.len()]);
    ends.any(|end| {
        let folder = beneath.open(&path[..end], ON_THE_WAY, Mode::empty());
        folder.is_ok_and(|folder| is_nested_repo(&folder).is_some())
    })
}

/// Returns why a folder below the root is not part of the working copy, if it is not.
pub(crate) fn is_nested_repo(directory: impl AsFd) -> Option<NestedRepo> {
    let is_file = |path: &str| {
        rustix::fs::statat(&directory, path, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    };
    if is_file(WORKSPACE_FILE) {
        Some(NestedRepo::WorkingCopy)
    } else if is_file(".git") {
        Some(NestedRepo::GitWorkingTree)
    } else {
        None
    }
}
