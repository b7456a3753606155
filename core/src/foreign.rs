//! Names that belong to others: the state folders of version control systems, and our own.
//!
//! They are content for nobody, and are never written, whatever a rule or a tree says. Trees of
//! earlier builds may hold them: those decode, and what they hold under such a name is passed over.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use crate::beneath::{Beneath, ON_THE_WAY};
use crate::path::join;
use crate::tree::STATE_DIR;

/// What makes a folder a working copy.
const WORKSPACE_FILE: &str = ".fastest/workspace.json";

/// The state folders of other version control systems. Content where git tracks what is in them, as
/// test data of tools is, and never where they are a repository here.
const OTHERS: [(&[u8], &[&str]); 3] = [
    (b".hg", &["requires", "store", "00changelog.i"]),
    (b".jj", &["repo"]),
    (b".svn", &["wc.db", "entries", "format"]),
];

/// Whether a name is that of git's state or ours, in any spelling that a common file system folds to
/// it: by case, by code points that HFS+ ignores, by endings that NTFS ignores, by NTFS's short
/// names. As git's `is_hfs_dotgit` and `is_ntfs_dotgit`.
pub fn is_state_name(name: &[u8]) -> bool {
    // All but a few names of all that pass here end with this.
    let may_be = match name.first() {
        Some(b'.') => name
            .get(1)
            .is_none_or(|&byte| matches!(byte, b'g' | b'G' | b'f' | b'F') || byte >= 0x80),
        Some(b'g' | b'G' | b'f' | b'F') => name.contains(&b'~'),
        Some(&byte) => byte >= 0x80,
        None => false,
    };
    may_be && (folds_to(name, ".git", "git~1") || folds_to(name, STATE_DIR, "fastes~1"))
}

fn folds_to(name: &[u8], state: &str, short: &str) -> bool {
    let ntfs = name.split(|&byte| byte == b':').next().unwrap_or(name);
    let end = ntfs.iter().rposition(|byte| !matches!(byte, b' ' | b'.')).map_or(0, |at| at + 1);
    let ntfs = &ntfs[..end];
    ntfs.eq_ignore_ascii_case(state.as_bytes())
        || ntfs.eq_ignore_ascii_case(short.as_bytes())
        || str::from_utf8(name).is_ok_and(|name| {
            let seen = name.chars().filter(|letter| !hfs_ignores(*letter));
            seen.flat_map(char::to_lowercase).eq(state.chars())
        })
}

/// Code points that HFS+ leaves out of account in names.
fn hfs_ignores(letter: char) -> bool {
    matches!(letter,
        '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether a name is that of the state folder of a version control system other than git.
pub(crate) fn is_name_of_others(name: &[u8]) -> bool {
    OTHERS.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_state_folder_is_known() {
        for name in [
            ".git",
            ".GIT",
            ".Git",
            ".git ",
            ".git.",
            ".git. .",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1",
            "GIT~1",
            ".g\u{200c}it",
            "\u{feff}.git",
            ".gi\u{206f}t",
            ".fastest",
            ".FASTEST",
            ".Fastest.",
            "fastes~1",
            ".fast\u{200d}est",
            ".git .:x",
        ] {
            assert!(is_state_name(name.as_bytes()), "{name:?}");
        }
        for name in [
            ".gitignore",
            ".github",
            "git",
            ".git2",
            ".gitx.",
            "git~2",
            "git~10",
            ".g",
            ".",
            "..",
            "",
            "fastest",
            ".fastest2",
            ".fastestignore",
            "git ~1",
            ". git",
            ".gi",
            "x.git",
            ".g\u{e9}t",
        ] {
            assert!(!is_state_name(name.as_bytes()), "{name:?}");
        }
        assert!(!is_state_name(b".\xffgit") && !is_state_name(b"\xff"));
    }
}
