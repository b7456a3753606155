//! Which files each side of a merge renamed, as far as the other side has to do with them.
//!
//! As in git: files with the same content are paired first, whatever they are. By similarity, only those old
//! files are searched for that the other side changed or deleted, or that were in a folder to which it added
//! something. Empty files are not paired: one is like any other.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::compare::changes::{Change, Changes, Scope, Version, changes};
use crate::compare::content::{Contents, rename};
use crate::compare::extent::extent;
use crate::compare::merge::text::content;
use crate::compare::merge::unsettled::is_unsettled;
use crate::compare::renames::Rules;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::path::split;
use crate::object::source::{Object, ObjectSource};
use crate::object::tree::{empty_directory, find};

/// With more paths than this on one side of a comparison, nothing is searched for: they are listed in memory.
const PATHS_MAX: u64 = 1 << 20;

/// What one side did since the base.
pub(super) struct Edits {
    /// Where it put files, links and new versions of renamed files. Sorted.
    pub(super) added: Vec<Vec<u8>>,
    /// The files that it renamed, by their old paths.
    pub(super) renamed: BTreeMap<Vec<u8>, Renamed>,
    /// Folders that it deleted, and to which the other side added something.
    pub(super) filled: BTreeSet<Vec<u8>>,
}

/// A file that one side renamed.
pub(super) struct Renamed {
    pub(super) old: Version,
    pub(super) new: Version,
}

/// Finds what both sides did. `None` if that is too much.
pub(super) fn edits(
    base: &TreeId,
    sides: [&TreeId; 2],
    source: &dyn ObjectSource,
) -> Result<Option<[Edits; 2]>, StoreError> {
    for side in sides {
        for (old, new) in [(base, side), (side, base)] {
            if extent(Some(old), new, source)?.paths > PATHS_MAX {
                return Ok(None);
            }
        }
    }
    let all = |side| changes(base, side, &Scope::default(), source);
    let [ours, theirs] = [all(sides[0])?, all(sides[1])?];
    let edits = [
        side_edits([base, sides[0]], &ours, &theirs, source)?,
        side_edits([base, sides[1]], &theirs, &ours, source)?,
    ];
    Ok(Some(edits))
}

/// `trees` are the base and the side.
fn side_edits(
    trees: [&TreeId; 2],
    mine: &Changes,
    others: &Changes,
    source: &dyn ObjectSource,
) -> Result<Edits, StoreError> {
    let old_path = |change: &Change| Some(change.old_version()?.path.clone());
    let touched: HashSet<Vec<u8>> = others.files.iter().filter_map(old_path).collect();
    let filled = filled(trees, &added(others), source)?;
    let is_wanted = |path: &[u8]| touched.contains(path) || is_below(path, &filled);
    let renamed = renamed(mine, is_wanted, source)?;
    Ok(Edits { added: added(mine), renamed, filled })
}

fn added(changes: &Changes) -> Vec<Vec<u8>> {
    let path = |change: &Change| match change {
        Change::Added(new) => Some(new.path.clone()),
        _ => None,
    };
    changes.files.iter().filter_map(path).collect()
}

fn is_below(path: &[u8], folders: &BTreeSet<Vec<u8>>) -> bool {
    let mut folder = split(path).0;
    while !folder.is_empty() {
        if folders.contains(folder) {
            return true;
        }
        folder = split(folder).0;
    }
    false
}

/// Returns the folders above `added` that the base has and the side has not.
fn filled(
    [base, side]: [&TreeId; 2],
    added: &[Vec<u8>],
    source: &dyn ObjectSource,
) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    let is_folder = |tree: &TreeId, path: &[u8]| {
        let names: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        let is_empty = *tree == empty_directory();
        let item = if is_empty { None } else { find(tree, &names, source)? };
        Ok::<_, StoreError>(item.is_some_and(|item| item.is_directory()))
    };
    let (mut filled, mut seen) = (BTreeSet::new(), HashSet::new());
    for path in added {
        let mut folder = split(path).0;
        while !folder.is_empty() && seen.insert(folder) {
            if !is_folder(side, folder)? && is_folder(base, folder)? {
                filled.insert(folder.to_vec());
            }
            folder = split(folder).0;
        }
    }
    Ok(filled)
}

fn renamed(
    changes: &Changes,
    is_wanted: impl Fn(&[u8]) -> bool,
    source: &dyn ObjectSource,
) -> Result<BTreeMap<Vec<u8>, Renamed>, StoreError> {
    let is_candidate = |change: &&Change| match change {
        Change::Added(version) | Change::Deleted(version) => {
            version.is_file() && version.item.bytes > 0
        }
        _ => false,
    };
    let files = changes.files.iter().filter(is_candidate).cloned().collect();
    let mut found = Changes { files, folders: Vec::new() };
    let is_deleted =
        |change: &Change| matches!(change, Change::Deleted(old) if is_wanted(&old.path));
    if !found.files.iter().any(is_deleted) {
        return Ok(BTreeMap::new());
    }
    let stored = Stored(source);
    rename(&mut found, SAME_CONTENT, &stored)?;
    found.files.retain(|change| !matches!(change, Change::Deleted(_)) || is_deleted(change));
    rename(&mut found, Rules::default(), &stored)?;
    let pairs = found.files.into_iter().filter_map(|change| match change {
        Change::Renamed { old, new, .. } => Some((old.path.clone(), Renamed { old, new })),
        _ => None,
    });
    Ok(pairs.collect())
}

/// Rules by which no file is read.
const SAME_CONTENT: Rules = Rules {
    similarity_min: 100,
    pairs_max: 0,
    bytes_max: 0,
    total_bytes_max: 0,
    pair_bytes_max: 0,
};

/// Contents in a store.
struct Stored<'a>(&'a dyn ObjectSource);

impl Contents for Stored<'_> {
    type Error = StoreError;

    fn content(&self, version: &Version) -> Result<Option<Object>, StoreError> {
        if is_unsettled(&version.item) {
            return Ok(None);
        }
        match content(&version.item, self.0) {
            Ok(content) => Ok(Some(Object::from(content))),
            // A rename is a guess, and worth no error: a base's content need not be here.
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
