//! How one directory differs from another, read no further than the difference.
//!
//! Equal ids are equal trees, so they are never opened. A wide directory's shared runs are left
//! out in the same way, whatever the depth to which either side is split.

use std::cmp::Ordering;

use crate::drift::empty_directory;
use crate::id::{IdSet, TreeId};
use crate::object::{Object, ObjectSource};
use crate::store::StoreError;
use crate::tree::{Entry, Item, Kind, Node, TreeError};

/// Bytes of an encoded entry, about.
const ENTRY_BYTES_MEAN: usize = 50;

/// A name under which two directories differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The name in its directory.
    pub name: &'a [u8],
    /// What the old side has there.
    pub old: Option<Entry<'a>>,
    /// What the new side has there.
    pub new: Option<Entry<'a>>,
}

impl Difference<'_> {
    /// Whether either side has a directory there.
    pub(crate) fn is_of_directories(&self) -> bool {
        self.old.iter().chain(&self.new).any(|entry| entry.kind == Kind::Directory)
    }
}

/// Two directories, as far as they have to be read to tell how they differ.
#[derive(Debug)]
pub struct DirectoryDiff {
    old: Nodes,
    new: Nodes,
}

/// Reads where two directories differ; `None` is a directory without entries.
pub fn diff_directory(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<DirectoryDiff, StoreError> {
    // A caller may compare with nothing, which no store need hold.
    let empty = empty_directory();
    let [old, new] = [old, new].map(|id| id.filter(|id| **id != empty));
    if old == new {
        return Ok(DirectoryDiff { old: Vec::new(), new: Vec::new() });
    }
    differing_leaves(old, new, source)
}

impl DirectoryDiff {
    /// The names under which the two differ, sorted.
    ///
    /// Entries are equal where kind and id are: the rest follows from these.
    pub fn differences(&self) -> Result<Differences<'_>, StoreError> {
        let [old, new] = [entries(&self.old)?, entries(&self.new)?];
        Ok(Differences { old: old.into_iter(), new: new.into_iter() })
    }
}

/// The entries of all of a row of leaves: to read them first is much faster than to take turns.
fn entries(leaves: &Nodes) -> Result<Vec<Entry<'_>>, StoreError> {
    let count = leaves.iter().map(|(_, object)| object.len() / ENTRY_BYTES_MEAN).sum();
    let mut all = Vec::with_capacity(count);
    for (id, object) in leaves {
        if let Node::Leaf(leaf) = Node::parse(object).map_err(tree_error(id))? {
            let previous = all.last().map_or(&[][..], |entry: &Entry<'_>| entry.name);
            for entry in leaf.after(previous) {
                all.push(entry.map_err(tree_error(id))?);
            }
        }
    }
    Ok(all)
}

/// Iterates over differences.
#[derive(Debug)]
pub struct Differences<'a> {
    old: std::vec::IntoIter<Entry<'a>>,
    new: std::vec::IntoIter<Entry<'a>>,
}

impl<'a> Iterator for Differences<'a> {
    type Item = Difference<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (old, new) = (self.old.as_slice().first(), self.new.as_slice().first());
            let order = match (old, new) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.name.cmp(new.name),
            };
            if let (Some(old), Some(new)) = (old, new)
                && order.is_eq()
                && old.kind == new.kind
                && old.id == new.id
            {
                self.old.next();
                self.new.next();
                continue;
            }
            let old = if order.is_le() { self.old.next() } else { None };
            let new = if order.is_ge() { self.new.next() } else { None };
            let name = old.or(new)?.name;
            return Some(Difference { name, old, new });
        }
    }
}

/// Whether two items are the same content of the same kind.
pub fn same_item(a: Option<&Item>, b: Option<&Item>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.kind == b.kind && a.id == b.id,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// Nodes of one directory and level, in order.
type Nodes = Vec<(TreeId, Object)>;

/// The leaves of each side that the other side does not share.
fn differing_leaves(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<DirectoryDiff, StoreError> {
    let mut old = Frontier::new(old, source)?;
    let mut new = Frontier::new(new, source)?;
    while old.level > 0 || new.level > 0 {
        let (old_level, new_level) = (old.level, new.level);
        if old_level >= new_level {
            old.descend()?;
        }
        if new_level >= old_level {
            new.descend()?;
        }
        if old.level == new.level {
            drop_shared(&mut old, &mut new);
        }
        old.load(source)?;
        new.load(source)?;
    }
    Ok(DirectoryDiff { old: old.nodes, new: new.nodes })
}

/// Nodes of one level that together hold what is still to be compared.
struct Frontier {
    level: u8,
    nodes: Nodes,
    /// Ids of the next nodes, not read yet.
    pending: Vec<TreeId>,
}

impl Frontier {
    fn new(root: Option<&TreeId>, source: &dyn ObjectSource) -> Result<Self, StoreError> {
        let nodes: Nodes = match root {
            Some(root) => vec![(*root, source.object(&(*root).into())?)],
            None => Vec::new(),
        };
        let level = nodes.first().map_or(Ok(0), |(id, object)| level(id, object))?;
        Ok(Self { level, nodes, pending: Vec::new() })
    }

    /// Reads the pending nodes; they must be of the frontier's level.
    fn load(&mut self, source: &dyn ObjectSource) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.pending) {
            let object = source.object(&id.into())?;
            if level(&id, &object)? != self.level {
                let what = "a run's level is not one below its parent's";
                return Err(tree_error(&id)(TreeError::Damaged { what }));
            }
            self.nodes.push((id, object));
        }
        Ok(())
    }

    /// Replaces the nodes by the ids of their children.
    fn descend(&mut self) -> Result<(), StoreError> {
        let nodes = std::mem::take(&mut self.nodes);
        // Names go on from node to node, so that no node can stand twice: a hostile tree of few
        // nodes, each the child of another many times, would have no end.
        let mut previous = &[][..];
        for (id, object) in &nodes {
            if let Node::Interior(runs) = Node::parse(object).map_err(tree_error(id))? {
                for run in runs.after(previous) {
                    let run = run.map_err(tree_error(id))?;
                    previous = run.last_name;
                    self.pending.push(run.id);
                }
            }
        }
        self.level = self.level.saturating_sub(1);
        Ok(())
    }
}

fn level(id: &TreeId, object: &Object) -> Result<u8, StoreError> {
    Ok(match Node::parse(object).map_err(tree_error(id))? {
        Node::Leaf(_) => 0,
        Node::Interior(runs) => runs.level(),
    })
}

/// The same node on both sides holds the same entries, and names are unique in a directory.
fn drop_shared(old: &mut Frontier, new: &mut Frontier) {
    let ids = |frontier: &Frontier| -> IdSet<TreeId> {
        let loaded = frontier.nodes.iter().map(|(id, _)| *id);
        loaded.chain(frontier.pending.iter().copied()).collect()
    };
    let (old_ids, new_ids) = (ids(old), ids(new));
    let shared: IdSet<TreeId> = old_ids.intersection(&new_ids).copied().collect();
    for frontier in [old, new] {
        frontier.nodes.retain(|(id, _)| !shared.contains(id));
        frontier.pending.retain(|id| !shared.contains(id));
    }
}

fn tree_error(id: &TreeId) -> impl Fn(TreeError) -> StoreError {
    let id = *id;
    move |source| StoreError::Tree { id, source }
}
