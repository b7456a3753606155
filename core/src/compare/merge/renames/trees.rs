//! The three trees of a merge while they are rearranged.

use std::collections::HashSet;

use crate::compare::merge::renames::rearranged::Rearranged;
use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::source::ObjectSource;

/// The trees, and what cannot be said by moving files in them.
pub(super) struct Trees<'a> {
    pub(super) base: Rearranged<'a>,
    /// Ours and theirs.
    pub(super) sides: [Rearranged<'a>; 2],
    /// Names that only one side gave a file, with what each side has there.
    pub(super) contested: Vec<(Vec<u8>, Three<Item>)>,
    pub(super) source: &'a dyn ObjectSource,
    /// The paths that listed conflicts concern.
    listed: &'a HashSet<Vec<u8>>,
}

impl<'a> Trees<'a> {
    pub(super) fn new(
        base: &TreeId,
        sides: [&TreeId; 2],
        listed: &'a HashSet<Vec<u8>>,
        source: &'a dyn ObjectSource,
    ) -> Self {
        let sides = sides.map(|side| Rearranged::new(side, source));
        let base = Rearranged::new(base, source);
        Self { base, sides, contested: Vec::new(), source, listed }
    }

    /// Whether a listed conflict concerns one of these paths.
    pub(super) fn any_listed(&self, paths: &[&[u8]]) -> bool {
        paths.iter().any(|path| self.listed.contains(*path))
    }

    /// Notes that only one side gave a file this name.
    pub(super) fn contest(&mut self, path: &[u8], base: Item, side: usize, item: Item) {
        let mut sides = [None; 2];
        sides[side] = Some(item);
        let [ours, theirs] = sides;
        self.contested.push((path.to_vec(), Three { base: Some(base), ours, theirs }));
    }

    /// Whether a file can be put at a path in all three trees.
    pub(super) fn is_vacant(&self, path: &[u8]) -> Result<bool, StoreError> {
        for tree in [&self.base, &self.sides[0], &self.sides[1]] {
            if !tree.is_vacant(path, b"")? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
