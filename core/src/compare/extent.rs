//! How many paths a tree has.
//!
//! Equal folders are one node, however often a tree uses them. So a tree of a few kilobytes can
//! have more paths than any disk can hold: forty nodes that each refer to the next one twice make
//! 2^40. Work that lists or writes paths must not begin on such a tree. Counting reads each node
//! once.

use std::collections::HashMap;

use crate::compare::diff::diff_directory;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::source::ObjectSource;
use crate::object::tree::{check_depth, read_directory};

/// Any tree may have this many paths.
pub const PATHS_MAX: u64 = 1 << 22;
/// A tree with more paths may have up to this many for each entry of its nodes: what was sent is
/// then about as large as what it describes.
pub const PATHS_PER_ENTRY_MAX: u64 = 64;

/// How much of a tree another tree does not have at the same paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Files, links and folders. Saturates at the largest number.
    pub paths: u64,
    /// Entries of the nodes that have these paths, each node counted once.
    pub entries: u64,
}

impl Extent {
    /// Returns whether there are more paths than a tree may have.
    pub fn is_excessive(&self) -> bool {
        self.paths > PATHS_MAX && self.paths / PATHS_PER_ENTRY_MAX > self.entries
    }
}

/// Counts the paths at which `new` has something that `old` does not have there. The caller knows
/// that `old` is not excessive.
///
/// # Errors
/// If a node cannot be read, or folders are nested too deep.
pub fn extent(
    old: Option<&TreeId>,
    new: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Extent, StoreError> {
    let mut counting = Counting { source, entries: 0, known: HashMap::new() };
    let paths = counting.directory(old.copied(), *new, 0)?;
    Ok(Extent { paths, entries: counting.entries })
}

struct Counting<'a> {
    source: &'a dyn ObjectSource,
    entries: u64,
    /// The number of paths below a directory, by the directory it is compared with (if any) and
    /// itself.
    known: HashMap<(Option<TreeId>, TreeId), u64>,
}

impl Counting<'_> {
    fn directory(
        &mut self,
        old: Option<TreeId>,
        new: TreeId,
        depth: usize,
    ) -> Result<u64, StoreError> {
        check_depth(Some(&new), depth)?;
        if old == Some(new) || new == crate::object::tree::empty_directory() {
            return Ok(0);
        }
        if let Some(&known) = self.known.get(&(old, new)) {
            return Ok(known);
        }
        let below: Vec<(Option<TreeId>, Option<TreeId>)> = match old {
            None => {
                let entries = read_directory(&new, self.source)?;
                entries.iter().map(|(_, item)| (None, item.tree_id())).collect()
            }
            Some(_) => {
                let diff = diff_directory(old.as_ref(), Some(&new), self.source)?;
                let differences = diff.differences()?.filter_map(|found| {
                    let new = found.new?;
                    Some((found.old.and_then(|old| old.tree_id()), new.tree_id()))
                });
                differences.collect()
            }
        };
        self.entries = self.entries.saturating_add(below.len() as u64);
        let mut paths = below.len() as u64;
        for (old, new) in below {
            if let Some(new) = new {
                paths = paths.saturating_add(self.directory(old, new, depth + 1)?);
            }
        }
        self.known.insert((old, new), paths);
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::id::BlobId;
    use crate::object::item::{Item, Kind, Root};
    use crate::object::memory::MemoryObjects;
    use crate::object::tree::write_directory;

    /// A tree in which each of `levels` folders has the next one under `names` names.
    fn multiplied(levels: usize, names: usize, objects: &MemoryObjects) -> Root {
        let mut root = write_directory::<&str>(&[], objects).unwrap();
        for _ in 0..levels {
            let item = Item::directory(&root);
            let entries: Vec<_> = (0..names).map(|name| (format!("{name:03}"), item)).collect();
            root = write_directory(&entries, objects).unwrap();
        }
        root
    }

    #[test]
    fn paths_are_counted_by_nodes() {
        let objects = MemoryObjects::default();
        for (levels, names, paths, is_excessive) in [
            (1, 3, 3, false),
            (3, 2, 2 + 4 + 8, false),
            (21, 2, (1 << 22) - 2, false),
            (22, 2, (1 << 23) - 2, true),
            (2, 900, 900 + 900 * 900, false),
            (1000, 2, u64::MAX, true),
        ] {
            let root = multiplied(levels, names, &objects);
            let found = extent(None, &root.id, &objects).unwrap();
            assert_eq!((found.paths, found.entries), (paths, (levels * names) as u64));
            assert_eq!(found.is_excessive(), is_excessive, "{levels} levels of {names}");
        }
        let deep = multiplied(1100, 1, &objects);
        assert!(extent(None, &deep.id, &objects).is_err());
    }

    #[test]
    fn what_both_trees_have_is_not_counted() {
        let objects = MemoryObjects::default();
        let wide = multiplied(10, 2, &objects);
        let file = |text: &[u8]| {
            let id = BlobId::of(text).0;
            Item { kind: Kind::File, id, bytes: text.len() as u64, files: 1, list: None }
        };
        let tree = |text: &[u8]| {
            let inner = write_directory(&[("f", file(text)), ("g", file(b"g"))], &objects).unwrap();
            let all = [("inner", Item::directory(&inner)), ("wide", Item::directory(&wide))];
            write_directory(&all, &objects).unwrap()
        };
        let (old, new) = (tree(b"old"), tree(b"new"));
        let found = extent(Some(&old.id), &new.id, &objects).unwrap();
        assert_eq!(found, Extent { paths: 2, entries: 2 });
        assert_eq!(extent(Some(&old.id), &old.id, &objects).unwrap(), Extent::default());
        // The same folder under one more name is counted.
        let again = [("wide", Item::directory(&wide)), ("wider", Item::directory(&wide))];
        let again = write_directory(&again, &objects).unwrap();
        let found = extent(Some(&old.id), &again.id, &objects).unwrap();
        assert_eq!(found.paths, 1 + (1 << 11) - 2);
    }
}
