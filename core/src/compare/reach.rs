//! Which objects a tree needs beyond those of another tree, its conflicts included.

use std::collections::HashSet;

use crate::compare::diff::diff_directory;
use crate::object::chunk::content_objects;
use crate::object::error::StoreError;
use crate::object::id::{ObjectId, TreeId};
use crate::object::item::Item;
use crate::object::source::ObjectSource;
use crate::object::tree::{Conflict, Node, TreeError, check_depth, read_conflicts};

/// Returns the objects that `new` needs and `old` does not have at the same place: nodes, blobs,
/// lists and chunks, each once. Objects that both trees have at different places may be included.
pub fn new_objects(
    old: Option<&TreeId>,
    new: &TreeId,
    source: &dyn ObjectSource,
) -> Result<HashSet<ObjectId>, StoreError> {
    let mut found = HashSet::new();
    directory(old, new, source, 0, &mut found)?;
    if old != Some(new) {
        conflicts(old, new, source, &mut found)?;
    }
    Ok(found)
}

/// Adds what the sides of the conflicts have.
fn conflicts(
    old: Option<&TreeId>,
    new: &TreeId,
    source: &dyn ObjectSource,
    found: &mut HashSet<ObjectId>,
) -> Result<(), StoreError> {
    let old = old.map(|old| read_conflicts(old, source)).transpose()?.unwrap_or_default();
    let known: HashSet<&Item> = old.iter().flat_map(Conflict::items).collect();
    for conflict in read_conflicts(new, source)? {
        for item in conflict.items().filter(|item| !known.contains(item)) {
            match item.tree_id() {
                Some(below) => directory(None, &below, source, 1, found)?,
                None => found.extend(content_objects(item, source)?),
            }
        }
    }
    Ok(())
}

fn directory(
    old: Option<&TreeId>,
    new: &TreeId,
    source: &dyn ObjectSource,
    depth: usize,
    found: &mut HashSet<ObjectId>,
) -> Result<(), StoreError> {
    check_depth(Some(new), depth)?;
    if old == Some(new) || found.contains(&ObjectId::from(*new)) {
        return Ok(());
    }
    let mut shared = HashSet::new();
    if let Some(old) = old {
        nodes(old, source, None, &HashSet::new(), &mut shared)?;
    }
    nodes(new, source, None, &shared, found)?;
    for difference in diff_directory(old, Some(new), source)?.differences()? {
        let Some(new) = difference.new else { continue };
        match new.tree_id() {
            Some(below) => {
                let old = difference.old.and_then(|old| old.tree_id());
                directory(old.as_ref(), &below, source, depth + 1, found)?;
            }
            None => found.extend(content_objects(&new.item(), source)?),
        }
    }
    Ok(())
}

/// Adds the nodes of one directory, without those in `known` and what is below them.
fn nodes(
    id: &TreeId,
    source: &dyn ObjectSource,
    parent: Option<u8>,
    known: &HashSet<ObjectId>,
    found: &mut HashSet<ObjectId>,
) -> Result<(), StoreError> {
    if known.contains(&ObjectId::from(*id)) || !found.insert((*id).into()) {
        return Ok(());
    }
    let broken = |source: TreeError| StoreError::Tree { id: *id, source };
    let object = source.object(&(*id).into())?;
    let node = Node::parse(&object).map_err(broken)?;
    node.check_below(parent).map_err(broken)?;
    if let Node::Interior(runs) = node {
        let level = runs.level();
        for run in runs {
            nodes(&run.map_err(broken)?.id, source, Some(level), known, found)?;
        }
    }
    Ok(())
}
