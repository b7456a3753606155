//! Folders that one side renamed, and in which the other side put something new.
//!
//! As in git, a folder was renamed if it is gone, and to where most of its files went. What the other side put
//! into the old folder is moved there. Unlike in git, only files that kept their names tell where it went, and
//! the move is no conflict.

use std::collections::{BTreeMap, HashMap};

use crate::compare::merge::renames::pairs::{Edits, Renamed};
use crate::compare::merge::renames::trees::Trees;
use crate::object::error::StoreError;
use crate::object::path::{join, split};

/// Moves what one side added to a folder that the other side renamed. What cannot be moved stays.
pub(super) fn move_into_renamed_folders(
    edits: &mut [Edits; 2],
    trees: &mut Trees<'_>,
) -> Result<(), StoreError> {
    // Sorted by path, so that it does not matter whose side is whose. No path is on both lists: its folder is
    // gone on the other side.
    let mut moves: BTreeMap<Vec<u8>, (usize, Vec<u8>)> = BTreeMap::new();
    for side in [0, 1] {
        let targets = targets(&edits[side]);
        let added = edits[1 - side].added.iter();
        let to = |path: &Vec<u8>| Some((path.clone(), (1 - side, new_path(path, &targets)?)));
        moves.extend(added.filter_map(to));
    }
    for (from, (side, to)) in moves {
        let Some(item) = trees.sides[side].at(&from)? else { continue };
        if trees.any_listed(&[&from, &to]) || !trees.is_vacant(&to)? {
            continue;
        }
        trees.sides[side].rename(&from, &to, item);
        for renamed in edits[side].renamed.values_mut().filter(|it| it.new.path == from) {
            renamed.new.path.clone_from(&to);
        }
    }
    Ok(())
}

/// Returns where the folders of `filled` went. A folder whose files went to several places alike is not
/// among them.
fn targets(edits: &Edits) -> HashMap<&[u8], &[u8]> {
    let mut counts: HashMap<&[u8], HashMap<&[u8], usize>> = HashMap::new();
    for Renamed { old, new } in edits.renamed.values() {
        let ((mut from, old_name), (mut to, new_name)) = (split(&old.path), split(&new.path));
        if old_name != new_name {
            continue;
        }
        while !from.is_empty() && from != to {
            if edits.filled.contains(from) {
                *counts.entry(from).or_default().entry(to).or_default() += 1;
            }
            // `x/d` became `y/d`, so perhaps `x` became `y`.
            if to.is_empty() || split(from).1 != split(to).1 {
                break;
            }
            (from, to) = (split(from).0, split(to).0);
        }
    }
    counts.into_iter().filter_map(|(from, counts)| Some((from, most(counts)?))).collect()
}

/// Returns the place that has the most; `None` if several have.
fn most(counts: HashMap<&[u8], usize>) -> Option<&[u8]> {
    let most = *counts.values().max()?;
    let mut places = counts.into_iter().filter(|(_, count)| *count == most);
    places.next().filter(|_| places.next().is_none()).map(|(to, _)| to)
}

/// Returns where a path goes if the nearest of its folders that was renamed takes it along.
fn new_path(path: &[u8], targets: &HashMap<&[u8], &[u8]>) -> Option<Vec<u8>> {
    let mut folder = split(path).0;
    while !folder.is_empty() {
        if let Some(to) = targets.get(folder) {
            return Some(join(to, &path[folder.len() + 1..]));
        }
        folder = split(folder).0;
    }
    None
}
