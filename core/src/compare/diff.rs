//! How one directory differs from another, without reading more than the difference.
//!
//! Equal ids mean equal trees, so these are never opened. The runs that two wide directories share
//! are skipped in the same way, even where the two are split to different depths.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Kind};
use crate::object::source::{Object, ObjectSource};
use crate::object::tree::{Entry, Node, Run, TreeError, compare_names, empty_directory};

/// The size of an encoded entry, roughly.
const ENTRY_BYTES_MEAN: usize = 50;

/// A name under which two directories differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference<'a> {
    /// The name in its directory.
    pub name: &'a [u8],
    /// The old side's entry.
    pub old: Option<Entry<'a>>,
    /// The new side's entry.
    pub new: Option<Entry<'a>>,
}

impl Difference<'_> {
    /// Returns whether either side has a directory of this name.
    pub(crate) fn is_of_directories(&self) -> bool {
        self.old.iter().chain(&self.new).any(|entry| entry.kind == Kind::Directory)
    }
}

/// The leaves that had to be read to compare two directories: those that the two do not share.
#[derive(Debug)]
pub struct DirectoryDiff {
    old: Vec<Part>,
    new: Vec<Part>,
    bytes: usize,
}

/// Reads the leaves in which two directories differ. `None` is a directory without entries.
pub fn diff_directory(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<DirectoryDiff, StoreError> {
    // A caller may compare with the empty directory, which a store need not have.
    let empty = empty_directory();
    let [old, new] = [old, new].map(|id| id.filter(|id| **id != empty));
    if old == new {
        return Ok(DirectoryDiff { old: Vec::new(), new: Vec::new(), bytes: 0 });
    }
    differing_leaves(old, new, source)
}

impl DirectoryDiff {
    /// Returns how many bytes of nodes were read, on both sides.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the names under which the two differ, sorted.
    ///
    /// Two entries are equal if their kind and id are: their sizes follow from the content.
    pub fn differences(&self) -> Result<Differences<'_>, StoreError> {
        let [old, new] = [entries(&self.old)?, entries(&self.new)?];
        Ok(Differences { old: old.into_iter(), new: new.into_iter() })
    }
}

/// Returns the entries of consecutive leaves. Reading all of them first is much faster than reading
/// both sides in turns.
fn entries(leaves: &[Part]) -> Result<Vec<Entry<'_>>, StoreError> {
    let mut all = Vec::new();
    for leaf in leaves {
        if let Node::Leaf(entries) = leaf.node()? {
            // Reserved leaf by leaf: hostile leaves may be the same bytes many times, and are
            // rejected at the second.
            all.reserve(leaf.object.len() / ENTRY_BYTES_MEAN);
            let mut previous = all.last().map_or(&[][..], |entry: &Entry<'_>| entry.name);
            for entry in entries.after(previous) {
                let entry = entry.map_err(tree_error(&leaf.id))?;
                previous = entry.name;
                all.push(entry);
            }
            leaf.check_end(previous)?;
        }
    }
    Ok(all)
}

/// An iterator over the names under which two directories differ.
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
                (Some(old), Some(new)) => compare_names(old.name, new.name),
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

/// Returns whether two items have the same kind and content.
pub(crate) fn same_item(a: Option<&Item>, b: Option<&Item>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.kind == b.kind && a.id == b.id,
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// A node of a directory: its root, or a run.
#[derive(Debug)]
struct Part {
    id: TreeId,
    object: Object,
    /// The last name of a run, as its parent states it.
    last_name: Option<Vec<u8>>,
}

impl Part {
    fn node(&self) -> Result<Node<'_>, StoreError> {
        Node::parse(&self.object).map_err(tree_error(&self.id))
    }

    fn level(&self) -> Result<u8, StoreError> {
        Ok(self.node()?.level())
    }

    /// Checks that the last name found in a run is the stated one. An empty run has none, so it is
    /// rejected as well.
    fn check_end(&self, found: &[u8]) -> Result<(), StoreError> {
        if self.last_name.as_ref().is_some_and(|name| name != found) {
            return Err(damaged(&self.id, "a run does not end with the name it gives"));
        }
        Ok(())
    }
}

/// Returns the leaves of each side that the other side does not share.
fn differing_leaves(
    old: Option<&TreeId>,
    new: Option<&TreeId>,
    source: &dyn ObjectSource,
) -> Result<DirectoryDiff, StoreError> {
    let mut old = Frontier::new(old, source)?;
    let mut new = Frontier::new(new, source)?;
    while old.level > 0 || new.level > 0 {
        match old.level.cmp(&new.level) {
            Ordering::Greater => old.descend(source)?,
            Ordering::Less => new.descend(source)?,
            Ordering::Equal => {
                let (old_above, new_above) = (old.take(), new.take());
                let (old_runs, new_runs) = (runs(&old_above)?, runs(&new_above)?);
                old.load(&unshared(&old_runs, &new_runs), source)?;
                new.load(&unshared(&new_runs, &old_runs), source)?;
            }
        }
    }
    Ok(DirectoryDiff { old: old.nodes, new: new.nodes, bytes: old.bytes + new.bytes })
}

/// The nodes of one level that contain everything that is still to be compared.
struct Frontier {
    level: u8,
    nodes: Vec<Part>,
    /// Bytes of all nodes read so far.
    bytes: usize,
}

impl Frontier {
    fn new(root: Option<&TreeId>, source: &dyn ObjectSource) -> Result<Self, StoreError> {
        let mut frontier = Self { level: 0, nodes: Vec::new(), bytes: 0 };
        if let Some(&id) = root {
            let root = Part { id, object: source.object(&id.into())?, last_name: None };
            frontier.level = root.level()?;
            frontier.bytes = root.object.len();
            frontier.nodes.push(root);
        }
        Ok(frontier)
    }

    fn take(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.nodes)
    }

    /// Replaces the nodes by all of their children.
    fn descend(&mut self, source: &dyn ObjectSource) -> Result<(), StoreError> {
        let above = self.take();
        self.load(&runs(&above)?, source)
    }

    /// Reads runs. They must be of the next level, and no two may be the same node. Names are
    /// unique, so an honest directory has no run twice; a hostile node that listed one run many
    /// times would cost as many reads.
    fn load(&mut self, runs: &[Run<'_>], source: &dyn ObjectSource) -> Result<(), StoreError> {
        // These ids are only claimed, and anyone may choose ids that collide: hence the standard
        // hasher.
        let mut ids = HashSet::with_capacity(runs.len());
        if let Some(twice) = runs.iter().find(|run| !ids.insert(run.id)) {
            return Err(damaged(&twice.id, "a run stands twice in a directory"));
        }
        self.level = self.level.saturating_sub(1);
        for run in runs {
            let object = source.object(&run.id.into())?;
            let part = Part { id: run.id, object, last_name: Some(run.last_name.to_vec()) };
            if part.level()? != self.level {
                return Err(damaged(&part.id, "a run's level is not one below its parent's"));
            }
            self.bytes += part.object.len();
            self.nodes.push(part);
        }
        Ok(())
    }
}

/// Returns the children of consecutive nodes. Names must increase from node to node.
fn runs(nodes: &[Part]) -> Result<Vec<Run<'_>>, StoreError> {
    let mut all = Vec::new();
    let mut previous = &[][..];
    for node in nodes {
        if let Node::Interior(runs) = node.node()? {
            for run in runs.after(previous) {
                let run = run.map_err(tree_error(&node.id))?;
                previous = run.last_name;
                all.push(run);
            }
            node.check_end(previous)?;
        }
    }
    Ok(all)
}

/// Returns the runs that the other side does not have. The same node has the same entries, so a
/// shared run ends with the same name on both sides.
fn unshared<'a>(runs: &[Run<'a>], others: &[Run<'_>]) -> Vec<Run<'a>> {
    let mut others = others.iter().peekable();
    let mut is_shared = |run: &Run<'_>| {
        while others.next_if(|other| other.last_name < run.last_name).is_some() {}
        others.peek().is_some_and(|other| other.last_name == run.last_name && other.id == run.id)
    };
    runs.iter().filter(|run| !is_shared(run)).copied().collect()
}

fn tree_error(id: &TreeId) -> impl Fn(TreeError) -> StoreError {
    let id = *id;
    move |source| StoreError::Tree { id, source }
}

fn damaged(id: &TreeId, what: &'static str) -> StoreError {
    tree_error(id)(TreeError::Damaged { what })
}
