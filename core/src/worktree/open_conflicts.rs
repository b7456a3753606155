//! The conflicts of a working copy that nobody has settled yet.
//!
//! They are those of its head. One with markers is settled as soon as its markers are gone from the file; one
//! with theirs beside ours, as soon as theirs is gone; any other when `resolve` says so, or when the path is
//! gone.

use crate::compare::changes::Version;
use crate::compare::content::Contents;
use crate::compare::merge::stands;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::{Conflict, ConflictId, with_conflicts};
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
    before: Vec<Conflict>,
    by_command: &[ConflictId],
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
        let stands =
            !by_command.contains(&conflict.id()) && stands(&conflict, scanned, source, &text_of)?;
        if stands { &mut open } else { &mut settled }.push(conflict);
    }
    let root = with_conflicts(scanned, open.clone(), source, sink)?;
    Ok(Carried { root, open, settled })
}
