//! How one directory differs from another, read no further than the difference.
//!
//! Equal ids are equal trees, so they are never opened. A wide directory's shared runs are left
//! out in the same way, whatever the depth to which either side is split.

use std::collections::HashSet;

use crate::drift::empty_directory;
use crate::id::TreeId;
use crate::object::{Object, ObjectSource};
use crate::store::StoreError;
use crate::tree::{Entry, Item, Node, TreeError};

/// A name under which two directories differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The name in its directory.
    pub name: Vec<u8>,
    /// What the old side has there.
    pub old: Option<Item>,
    /// What the new side has there.
    pub new: Option<Item>,
}

/// The names under which two directories differ, sorted; `None` is a directory without entries.
///
/// Items are equal where kind and id are: the rest follows from these.
pub fn diff_directory(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<Vec<Difference>, StoreError> {
    if old == new {
        return Ok(Vec::new());
    }
    // A caller may compare with nothing, which no store need hold.
    let empty = empty_directory();
    let [old, new] = [old, new].map(|id| id.filter(|id| **id != empty));
    let (old, new) = differing_leaves(old, new, source)?;
    let mut old = Leaves::new(&old);
    let mut new = Leaves::new(&new);
    let mut differences = Vec::new();
    let (mut left, mut right) = (old.next()?, new.next()?);
    loop {
        let order = match (&left, &right) {
            (None, None) => return Ok(differences),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(left), Some(right)) => left.name.cmp(right.name),
        };
        let name = if order.is_gt() { right } else { left };
        let name = name.expect("one side has an entry").name;
        let old_item = left.filter(|_| order.is_le()).map(|entry| entry.item);
        let new_item = right.filter(|_| order.is_ge()).map(|entry| entry.item);
        if !same_item(old_item.as_ref(), new_item.as_ref()) {
            differences.push(Difference { name: name.to_vec(), old: old_item, new: new_item });
        }
        if order.is_le() {
            left = old.next()?;
        }
        if order.is_ge() {
            right = new.next()?;
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

/// Leaf nodes of one directory, in order.
type LeafNodes = Vec<(TreeId, Object)>;

/// The leaves of each side that the other side does not share.
fn differing_leaves(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<(LeafNodes, LeafNodes), StoreError> {
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
    Ok((old.nodes, new.nodes))
}

/// Nodes of one level that together hold what is still to be compared.
struct Frontier {
    level: u8,
    nodes: LeafNodes,
    /// Ids of the next nodes, not read yet.
    pending: Vec<TreeId>,
}

impl Frontier {
    fn new(root: Option<&TreeId>, source: &dyn ObjectSource) -> Result<Self, StoreError> {
        let pending: Vec<TreeId> = root.into_iter().copied().collect();
        let mut frontier = Self { level: 0, nodes: Vec::new(), pending };
        if let Some(root) = root {
            let object = source.object(&(*root).into())?;
            frontier.level = match Node::parse(&object).map_err(tree_error(root))? {
                Node::Leaf(_) => 0,
                Node::Interior(runs) => runs.level(),
            };
        }
        frontier.load(source)?;
        Ok(frontier)
    }

    /// Reads the pending nodes; they must be of the frontier's level.
    fn load(&mut self, source: &dyn ObjectSource) -> Result<(), StoreError> {
        for id in std::mem::take(&mut self.pending) {
            let object = source.object(&id.into())?;
            let level = match Node::parse(&object).map_err(tree_error(&id))? {
                Node::Leaf(_) => 0,
                Node::Interior(runs) => runs.level(),
            };
            if level != self.level {
                let what = "a run's level is not one below its parent's";
                return Err(tree_error(&id)(TreeError::Damaged { what }));
            }
            self.nodes.push((id, object));
        }
        Ok(())
    }

    /// Replaces the nodes by the ids of their children.
    fn descend(&mut self) -> Result<(), StoreError> {
        for (id, object) in std::mem::take(&mut self.nodes) {
            if let Node::Interior(runs) = Node::parse(&object).map_err(tree_error(&id))? {
                for run in runs {
                    self.pending.push(run.map_err(tree_error(&id))?.id);
                }
            }
        }
        self.level = self.level.saturating_sub(1);
        Ok(())
    }
}

/// The same node on both sides holds the same entries, and names are unique in a directory.
fn drop_shared(old: &mut Frontier, new: &mut Frontier) {
    let ids = |frontier: &Frontier| -> HashSet<TreeId> {
        let loaded = frontier.nodes.iter().map(|(id, _)| *id);
        loaded.chain(frontier.pending.iter().copied()).collect()
    };
    let (old_ids, new_ids) = (ids(old), ids(new));
    let shared: HashSet<TreeId> = old_ids.intersection(&new_ids).copied().collect();
    for frontier in [old, new] {
        frontier.nodes.retain(|(id, _)| !shared.contains(id));
        frontier.pending.retain(|id| !shared.contains(id));
    }
}

fn tree_error(id: &TreeId) -> impl Fn(TreeError) -> StoreError {
    let id = *id;
    move |source| StoreError::Tree { id, source }
}

/// Walks the entries of a row of leaves.
struct Leaves<'a> {
    nodes: std::slice::Iter<'a, (TreeId, Object)>,
    current: Option<(TreeId, crate::tree::Entries<'a>)>,
    previous: &'a [u8],
}

impl<'a> Leaves<'a> {
    fn new(nodes: &'a LeafNodes) -> Self {
        Self { nodes: nodes.iter(), current: None, previous: &[] }
    }

    fn next(&mut self) -> Result<Option<Entry<'a>>, StoreError> {
        loop {
            if let Some((id, entries)) = &mut self.current
                && let Some(entry) = entries.next()
            {
                let entry = entry.map_err(tree_error(id))?;
                if entry.name <= self.previous {
                    let what = "names are not in order";
                    return Err(tree_error(id)(TreeError::Damaged { what }));
                }
                self.previous = entry.name;
                return Ok(Some(entry));
            }
            let Some((id, object)) = self.nodes.next() else { return Ok(None) };
            if let Node::Leaf(entries) = Node::parse(object).map_err(tree_error(id))? {
                self.current = Some((*id, entries));
            }
        }
    }
}
