//! The conflicts of a working copy that nobody has settled yet.
//!
//! They are those of its head. One with markers is settled as soon as its markers are gone from the file; one
//! with theirs beside ours, as soon as theirs is gone; any other when `resolve` says so, or when the path is
//! gone. A file with markers that was moved as it was takes its conflict along.

use crate::compare::changes::Version;
use crate::compare::content::Contents;
use crate::compare::drift::drift;
use crate::compare::merge::stands;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::{Conflict, ConflictId, Form, find, with_conflicts};
use crate::worktree::contents::{ContentsError, CopyContents};

/// A scanned tree with its conflicts.
pub struct Carried {
    /// The tree, which lists the conflicts that are open.
    pub root: Root,
    /// The conflicts that are open, sorted by path.
    pub open: Vec<Conflict>,
    /// Those that are settled now.
    pub settled: Vec<Conflict>,
}

/// Puts the conflicts that still stand into a scanned tree, except those that were settled by command.
/// `source` must have the nodes of the tree.
pub fn carry(
    head: Option<&TreeId>,
    before: Vec<Conflict>,
    by_command: &[(Vec<u8>, ConflictId)],
    scanned: &TreeId,
    (source, sink): (&dyn ObjectSource, &dyn ObjectSink),
    contents: &CopyContents<'_>,
) -> Result<Carried, StoreError> {
    let text_of = |path: &[u8], item: &Item| {
        let version = Version { path: path.to_vec(), item: *item };
        match contents.content(&version) {
            Ok(content) => Ok(content.map(|content| content.to_vec())),
            Err(ContentsError::Store(error)) => Err(error),
            // The next scan will find what it is.
            Err(ContentsError::Changed { .. } | ContentsError::Unreadable { .. }) => Ok(None),
        }
    };
    let (mut open, mut settled) = (Vec::new(), Vec::new());
    for conflict in before {
        let is_settled = by_command.iter().any(|(path, id)| conflict.is(path, *id));
        let stands = !is_settled && stands(&conflict, scanned, source, &text_of)?;
        let is_moved = !stands && !is_settled && conflict.form == Form::Markers;
        let moved = match head.filter(|_| is_moved) {
            Some(head) => moved(&conflict, head, scanned, source)?,
            None => None,
        };
        match moved {
            Some(moved) => open.push(moved),
            None if stands => open.push(conflict),
            None => settled.push(conflict),
        }
    }
    let root = with_conflicts(scanned, open.clone(), source, sink)?;
    Ok(Carried { root, open, settled })
}

/// Returns the conflict of a file at the path to which the file was moved unchanged.
fn moved(
    conflict: &Conflict,
    head: &TreeId,
    scanned: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Option<Conflict>, StoreError> {
    let at = |tree: &TreeId, path: &[u8]| {
        find(tree, &path.split(|&byte| byte == b'/').collect::<Vec<_>>(), source)
    };
    let (Some(was), None) = (at(head, &conflict.path)?, at(scanned, &conflict.path)?) else {
        return Ok(None);
    };
    for path in drift(head, scanned, source)?.workspace_only {
        if at(scanned, &path)?.is_some_and(|item| item.id == was.id) {
            return Ok(conflict.moved(&conflict.path, &path));
        }
    }
    Ok(None)
}
