//! Reads directories from their nodes.

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::source::ObjectSource;
use crate::object::tree::format::{DEPTH_MAX, TreeError, damaged};
use crate::object::tree::node::Node;

/// Returns all entries of a directory, sorted by name, whether it is split or not.
pub fn read_directory(
    id: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Vec<(Vec<u8>, Item)>, StoreError> {
    let mut entries = Vec::new();
    read_run(id, source, &mut entries, None)?;
    Ok(entries)
}

/// Appends the entries of one node of a directory and of the nodes below it. `parent` is the level
/// of the node above it in the directory.
fn read_run(
    id: &TreeId,
    source: &dyn ObjectSource,
    entries: &mut Vec<(Vec<u8>, Item)>,
    parent: Option<u8>,
) -> Result<(), StoreError> {
    let object = source.object(&(*id).into())?;
    let broken = |error: TreeError| StoreError::Tree { id: *id, source: error };
    let node = Node::parse(&object).map_err(broken)?;
    node.check_below(parent).map_err(broken)?;
    match node {
        Node::Leaf(leaf) => {
            for entry in leaf {
                let entry = entry.map_err(broken)?;
                if entries.last().is_some_and(|(last, _)| last.as_slice() >= entry.name) {
                    return Err(broken(damaged("names are not in order")));
                }
                entries.push((entry.name.to_vec(), entry.item()));
            }
        }
        Node::Interior(runs) => {
            let level = runs.level();
            for run in runs {
                let run = run.map_err(broken)?;
                read_run(&run.id, source, entries, Some(level))?;
                // Also rejects empty runs, of which a hostile node could nest any number.
                if entries.last().is_none_or(|(last, _)| last.as_slice() != run.last_name) {
                    return Err(broken(damaged("a run does not end with the name it gives")));
                }
            }
        }
    }
    Ok(())
}

/// Returns the root of a directory, with the totals that its root node states.
pub fn read_root(id: &TreeId, source: &dyn ObjectSource) -> Result<Root, StoreError> {
    if *id == crate::object::tree::format::empty_directory() {
        return Ok(Root { id: *id, files: 0, bytes: 0 });
    }
    let object = source.object(&(*id).into())?;
    let broken = |error: TreeError| StoreError::Tree { id: *id, source: error };
    let mut root = Root { id: *id, files: 0, bytes: 0 };
    let mut add = |files: u64, bytes: u64| {
        root.files = root.files.saturating_add(files);
        root.bytes = root.bytes.saturating_add(bytes);
    };
    match Node::parse(&object).map_err(broken)? {
        Node::Leaf(mut leaf) => {
            leaf.try_for_each(|entry| entry.map(|entry| add(entry.files, entry.bytes)))
        }
        Node::Interior(mut runs) => {
            runs.try_for_each(|run| run.map(|run| add(run.files, run.bytes)))
        }
    }
    .map_err(broken)?;
    Ok(root)
}

/// Returns the item at `path` below the directory `id`. `path` is a list of names, none of them
/// empty.
pub fn find(
    id: &TreeId,
    path: &[&[u8]],
    source: &dyn ObjectSource,
) -> Result<Option<Item>, StoreError> {
    let mut directory = *id;
    for (index, name) in path.iter().enumerate() {
        let Some(item) = find_in_directory(&directory, name, source)? else { return Ok(None) };
        match item.tree_id() {
            _ if index + 1 == path.len() => return Ok(Some(item)),
            Some(below) => directory = below,
            None => return Ok(None),
        }
    }
    Ok(Some(Item::directory(&read_root(&directory, source)?)))
}

fn find_in_directory(
    id: &TreeId,
    name: &[u8],
    source: &dyn ObjectSource,
) -> Result<Option<Item>, StoreError> {
    let mut node = *id;
    let mut parent = None;
    loop {
        let object = source.object(&node.into())?;
        let broken = |error: TreeError| StoreError::Tree { id: node, source: error };
        let parsed = Node::parse(&object).map_err(broken)?;
        parsed.check_below(parent).map_err(broken)?;
        match parsed {
            Node::Leaf(mut leaf) => {
                let found = leaf.find(|entry| !matches!(entry, Ok(entry) if entry.name < name));
                let entry = found.transpose().map_err(broken)?;
                return Ok(entry.filter(|entry| entry.name == name).map(|entry| entry.item()));
            }
            Node::Interior(mut runs) => {
                let level = runs.level();
                let found = runs.find(|run| !matches!(run, Ok(run) if run.last_name < name));
                match found.transpose().map_err(broken)? {
                    Some(run) => (node, parent) = (run.id, Some(level)),
                    None => return Ok(None),
                }
            }
        }
    }
}

/// Rejects a directory that is nested too deep.
pub(crate) fn check_depth(id: Option<&TreeId>, depth: usize) -> Result<(), StoreError> {
    match id {
        Some(id) if depth > DEPTH_MAX => {
            let source = TreeError::Damaged { what: "directories nest too deep" };
            Err(StoreError::Tree { id: *id, source })
        }
        _ => Ok(()),
    }
}
