//! Names that belong to others: the state folders of version control systems, and our own.
//!
//! They are content for nobody, and are never written, whatever a rule or a tree says. Trees of
//! earlier builds may hold them: those decode, and what they hold under such a name is passed over.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use crate::files::beneath::{Beneath, ON_THE_WAY};
use crate::object::path::join;
use crate::object::state_name::{OTHERS, is_state_name};

/// What makes a folder a working copy.
const WORKSPACE_FILE: &str = ".fastest/workspace.json";

/// Whether the folder `name` is the state of a version control system other than git, and not some
/// files under such a name.
pub(crate) fn is_repository_of_others(parent: impl AsFd, name: &[u8]) -> bool {
    let found = OTHERS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.is_some_and(|(_, marks)| {
        marks.iter().any(|mark| {
            let path = join(name, mark.as_bytes());
            rustix::fs::statat(&parent, path.as_slice(), AtFlags::SYMLINK_NOFOLLOW).is_ok()
        })
    })
}

/// What a folder below the root is that has an owner of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfItsOwn {
    /// A working copy of ours.
    WorkingCopy,
    /// A submodule or linked working tree of git.
    GitWorkingTree,
}

/// Whether a path, relative to the root, is or leads through what is not the working copy's own: a
/// state folder, another working copy, a git working tree.
pub fn belongs_to_others(root: &Path, path: &[u8]) -> bool {
    if path.split(|&byte| byte == b'/').any(is_state_name) {
        return true;
    }
    let Ok(beneath) = Beneath::of(root) else { return false };
    let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let mut ends = slashes.map(|(slash, _)| slash).chain([path.len()]);
    ends.any(|end| {
        let folder = beneath.open(&path[..end], ON_THE_WAY, Mode::empty());
        folder.is_ok_and(|folder| is_of_its_own(&folder).is_some())
    })
}

/// Whether a folder below the root is to be left to itself.
pub(crate) fn is_of_its_own(directory: impl AsFd) -> Option<OfItsOwn> {
    let is_file = |path: &str| {
        rustix::fs::statat(&directory, path, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
    };
    match () {
        () if is_file(WORKSPACE_FILE) => Some(OfItsOwn::WorkingCopy),
        () if is_file(".git") => Some(OfItsOwn::GitWorkingTree),
        () => None,
    }
}
