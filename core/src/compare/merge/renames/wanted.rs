//! Whether a merge has anything to do with renames, found by its directories alone.

use std::collections::HashSet;

use crate::compare::diff::same_item;
use crate::compare::merge::differing::{Known, differing};
use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::source::ObjectSource;
use crate::object::tree::check_depth;

/// Returns whether a side deleted something that the other side changed or deleted too, or put files into.
/// Reads only directories that the merge reads as well, and keeps what it found in `known`.
pub(super) fn is_wanted(
    ids: Three<TreeId>,
    known: &mut Known,
    source: &dyn ObjectSource,
) -> Result<bool, StoreError> {
    Search { known, source, seen: HashSet::new() }.directory(ids, 0)
}

struct Search<'a> {
    known: &'a mut Known,
    source: &'a dyn ObjectSource,
    /// A directory that is used under many names is searched once.
    seen: HashSet<Three<TreeId>>,
}

impl Search<'_> {
    fn directory(&mut self, ids: Three<TreeId>, depth: usize) -> Result<bool, StoreError> {
        check_depth(ids.ours.or(ids.theirs).as_ref(), depth)?;
        if !self.seen.insert(ids) {
            return Ok(false);
        }
        let found = differing(&ids, self.source)?;
        let is_deleted = ids.ours.is_none() || ids.theirs.is_none();
        let mut is_wanted = found.is_gone_on_both;
        let mut below = Vec::new();
        for (_, three) in &found.names {
            match below_of(three) {
                Below::Nothing => {}
                Below::Added => is_wanted |= is_deleted,
                Below::Deleted => is_wanted = true,
                Below::Directories(ids) => below.push(ids),
            }
        }
        self.known.insert(ids, found);
        for ids in below {
            if is_wanted || self.directory(ids, depth + 1)? {
                return Ok(true);
            }
        }
        Ok(is_wanted)
    }
}

/// What two sides made of a name, as far as renames are concerned.
enum Below {
    Nothing,
    Added,
    Deleted,
    Directories(Three<TreeId>),
}

fn below_of(three: &Three<Item>) -> Below {
    let Three { base, ours, theirs } = three;
    let Some(base) = base else { return Below::Added };
    if [ours, theirs].into_iter().any(|side| same_item(Some(base), side.as_ref())) {
        return Below::Nothing;
    }
    let tree = |side: &Option<Item>| side.as_ref().and_then(Item::tree_id);
    let is_file = |side: &Option<Item>| side.is_some_and(|item| !item.is_directory());
    match base.tree_id() {
        Some(base) => {
            Below::Directories(Three { base: Some(base), ours: tree(ours), theirs: tree(theirs) })
        }
        None if is_file(ours) && is_file(theirs) => Below::Nothing,
        None => Below::Deleted,
    }
}
