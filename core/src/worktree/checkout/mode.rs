//! The permission bits of the files that a checkout writes.

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::files::beneath::change::{self, At};
use crate::files::stat::Node;
use crate::object::item::{Item, Kind};
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::outcome::Outcome;

/// Copies the permission bits of the file that is replaced, `there`, to the one that is ready at
/// `here`. If only one of the two is executable, the new one keeps its own kind: an executable may
/// be run by all who may read it, any other file by nobody. Set-user-id, set-group-id and sticky
/// bits were set for other content, and are dropped.
pub(super) fn copy_mode(there: At<'_>, here: At<'_>) -> Outcome {
    let look = |at: At<'_>| rustix::fs::statat(at.0, at.1, AtFlags::SYMLINK_NOFOLLOW);
    let (old, new) = (look(there)?, look(here)?);
    let is_executable = |stat| match Node::from(stat) {
        Node::Content(Kind::Executable, _) => Some(true),
        Node::Content(Kind::File, _) => Some(false),
        _ => None,
    };
    let mode = match (is_executable(&old), is_executable(&new)) {
        (Some(before), Some(now)) if before == now => old.st_mode & 0o777,
        // A file is an executable if its owner may run it.
        (Some(_), Some(true)) => old.st_mode & 0o777 | (old.st_mode & 0o444) >> 2 | 0o100,
        (Some(_), Some(false)) => old.st_mode & 0o666,
        _ => return Ok(()),
    };
    match change::set_mode(here, Mode::from_raw_mode(mode)) {
        // The file system has no modes.
        Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        changed => Ok(changed?),
    }
}

/// Returns the mode to create a file with, before the umask. A file that replaces another one is
/// private until it gets that one's mode ([`copy_mode`]).
pub(super) fn new_mode(item: &Item, expect: Option<&Expected>) -> u32 {
    let replaces_file = expect.is_some_and(|expect| expect.kind != Kind::Symlink);
    match (item.kind == Kind::Executable, replaces_file) {
        (true, true) => 0o700,
        (false, true) => 0o600,
        (true, false) => 0o777,
        (false, false) => 0o666,
    }
}
