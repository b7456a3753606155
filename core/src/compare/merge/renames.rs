//! Follows renames: a file that one side renamed and the other changed is merged under its new name.
//!
//! A merge goes by paths. So the trees are rearranged before it: where ours renamed `a` to `b`, and theirs
//! changed `a`, the base and theirs get their versions of `a` at `b`. Then the merge finds three versions of
//! one file, and needs no rules of its own.
//!
//! What trees cannot say becomes a contested name: both sides renamed a file, but not alike, or one renamed
//! what the other deleted. A path that is taken, or that a listed conflict concerns, is left alone: there the
//! result is that of a merge without renames.
//!
//! Virtual merge bases are merged without this (decision 0030 says why).

mod align;
mod folders;
mod pairs;
mod rearranged;
mod trees;
mod wanted;

use std::collections::HashSet;

use crate::compare::merge::differing::Known;
use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::memory::{NoSink, ScratchObjects};
use crate::object::source::{ObjectSink, ObjectSource};
use align::align;
use folders::move_into_renamed_folders;
use pairs::edits;
use trees::Trees;
use wanted::is_wanted;

/// The trees of a merge, after renames were followed.
pub(super) struct Followed {
    pub(super) base: TreeId,
    pub(super) ours: TreeId,
    pub(super) theirs: TreeId,
    /// Names that only one side gave a file, with what each side has there. The result has them all, since
    /// nobody knows which of them are wanted.
    pub(super) contested: Vec<(Vec<u8>, Three<Item>)>,
}

/// Where the objects of a merge are.
pub(super) struct Objects<'a> {
    pub(super) source: &'a dyn ObjectSource,
    /// Gets the rearranged trees.
    pub(super) scratch: &'a ScratchObjects<'a>,
    /// Gets those of the two sides, which the result may use.
    pub(super) sink: &'a dyn ObjectSink,
}

/// Follows the renames of both sides; `None` if there are none that matter. What was read of directories is in
/// `known` afterwards. `listed` has the paths that listed conflicts concern.
pub(super) fn follow(
    base: &TreeId,
    [ours, theirs]: [&TreeId; 2],
    listed: &HashSet<Vec<u8>>,
    known: &mut Known,
    objects: &Objects<'_>,
) -> Result<Option<Followed>, StoreError> {
    let three = Three { base: Some(*base), ours: Some(*ours), theirs: Some(*theirs) };
    if !is_wanted(three, known, objects.source)? {
        return Ok(None);
    }
    let Some(mut edits) = edits(base, [ours, theirs], objects.source)? else { return Ok(None) };
    let mut trees = Trees::new(base, [ours, theirs], listed, objects.source);
    move_into_renamed_folders(&mut edits, &mut trees)?;
    align(&edits, &mut trees)?;
    let Trees { base, sides: [ours, theirs], contested, .. } = trees;
    if contested.is_empty() && [&base, &ours, &theirs].iter().all(|tree| tree.is_unchanged()) {
        return Ok(None);
    }
    let base = base.write([objects.scratch, &NoSink])?;
    let [ours, theirs] = [ours, theirs].map(|side| side.write([objects.scratch, objects.sink]));
    Ok(Some(Followed { base, ours: ours?, theirs: theirs?, contested }))
}
