//! What is in the working copy where a change is to be made.

use std::fs::File;
use std::io;

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::files::beneath::change::At;
use crate::files::beneath::{Parents, READ, look_at};
use crate::files::regular_file;
use crate::files::stat::{Node, Stat};
use crate::object::item::Kind;
use crate::worktree::checkout::change::Expected;

/// What was found at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing, in a directory that exists.
    Absent,
    /// Nothing, and the parent directory does not exist.
    NoParent,
    /// The file or link that was expected.
    Expected,
    /// Something else.
    Other(Node),
    /// The path leads through a link or a file.
    Blocked,
    /// Permissions forbid looking.
    Denied,
}

/// Looks at a path. Links are never followed.
pub(super) fn standing(
    parents: &mut Parents<'_>,
    path: &[u8],
    expect: Option<&Expected>,
) -> io::Result<Standing> {
    let (parent, name) = match parents.open(path) {
        Ok(parent) => parent,
        Err(error) => {
            return match Errno::from_io_error(&error) {
                Some(Errno::NOENT) => Ok(Standing::NoParent),
                Some(Errno::NOTDIR | Errno::LOOP) => Ok(Standing::Blocked),
                Some(Errno::ACCESS | Errno::PERM) => Ok(Standing::Denied),
                _ => Err(error),
            };
        }
    };
    let node = match look_at(parent, name) {
        Ok(Some(node)) => node,
        Ok(None) => return Ok(Standing::Absent),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(Standing::Denied);
        }
        Err(error) => return Err(error),
    };
    match (node, expect) {
        (Node::Content(kind, stat), Some(expect))
            if kind == expect.kind
                && stat == expect.stat
                && (!expect.racy || content_id(At(parent, name), kind).ok() == Some(expect.id)) =>
        {
            Ok(Standing::Expected)
        }
        _ => Ok(Standing::Other(node)),
    }
}

/// Returns the id of the content of a file or link.
pub(super) fn content_id(At(parent, name): At<'_>, kind: Kind) -> io::Result<[u8; 32]> {
    if kind == Kind::Symlink {
        let target = rustix::fs::readlinkat(parent, name, Vec::new())?;
        return Ok(*blake3::hash(target.as_bytes()).as_bytes());
    }
    let file = File::from(rustix::fs::openat(parent, name, READ, Mode::empty())?);
    // A FIFO may have taken its place, and never end.
    regular_file::check(&file)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file)?;
    Ok(*hasher.finalize().as_bytes())
}

/// Returns whether a file is the one with this stat data. Its ctime is ignored, because a rename
/// changes it.
pub(super) fn is_file(found: Option<Node>, stat: &Stat) -> bool {
    let Some(Node::Content(_, found)) = found else { return false };
    Stat { ctime_ns: 0, ..found } == Stat { ctime_ns: 0, ..*stat }
}

pub(super) fn is_of_kind(found: Option<Node>, expect: &Expected) -> bool {
    matches!(found, Some(Node::Content(kind, _)) if kind == expect.kind)
}

/// Returns whether a file or link has the expected kind and content.
pub(super) fn holds_expected(at: At<'_>, expect: &Expected) -> bool {
    is_of_kind(look_at(at.0, at.1).ok().flatten(), expect)
        && content_id(at, expect.kind).is_ok_and(|id| id == expect.id)
}
