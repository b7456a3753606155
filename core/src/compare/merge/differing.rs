//! Finds the names at which the two sides of a merge differ, without reading more than the
//! difference.

use std::collections::{HashMap, HashSet};

use crate::compare::diff::{Difference, diff_directory};
use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::source::ObjectSource;
use crate::object::state_name::is_state_name;
use crate::object::tree::{check_depth, empty_directory, find};

/// The names at which two sides differ.
#[derive(Debug, Default)]
pub(super) struct Differing {
    /// Names, sorted, with what each side has there.
    pub(super) names: Vec<(Vec<u8>, Three<Item>)>,
    /// Whether both sides deleted something that the base has. If it is in a folder that both changed in the
    /// same way, this is noticed only by the number of files, since nobody reads such a folder.
    pub(super) is_gone_on_both: bool,
}

/// What was found in directories before the merge comes to them, so that nothing is read twice.
pub(super) type Known = HashMap<Three<TreeId>, Differing>;

/// Finds every name at which ours and theirs differ.
pub(super) fn differing(
    ids: &Three<TreeId>,
    source: &dyn ObjectSource,
) -> Result<Differing, StoreError> {
    let to_theirs = diff_directory(ids.ours.as_ref(), ids.theirs.as_ref(), source)?;
    let to_base = ids.base.map(|base| diff_directory(ids.ours.as_ref(), Some(&base), source));
    let to_base = to_base.transpose()?;
    // What the base has at each name where it differs from ours.
    let mut bases: HashMap<&[u8], Option<Item>> = HashMap::new();
    if let Some(diff) = &to_base {
        bases.extend(diff.differences()?.map(|d| (d.name, d.new.map(|entry| entry.item()))));
    }
    let mut found = Differing::default();
    // Trees of earlier builds may have state folders. They are not content, and stay as they are.
    for difference in to_theirs.differences()?.filter(|found| !is_state_name(found.name)) {
        let [ours, theirs] = [difference.old, difference.new].map(|entry| entry.map(|e| e.item()));
        let base = match bases.remove(difference.name) {
            _ if to_base.is_none() => None,
            Some(item) => item,
            None => ours,
        };
        found.names.push((difference.name.to_vec(), Three { base, ours, theirs }));
    }
    // The other names are those at which both sides made the same change.
    if let Some(diff) = &to_base {
        let mut same = diff.differences()?.filter(|same| bases.contains_key(same.name));
        found.is_gone_on_both = same.any(|same| match (same.new, same.old) {
            (Some(base), Some(now)) => base.files > now.files,
            (base, now) => base.is_some() && now.is_none(),
        });
    }
    Ok(found)
}

/// Returns whether `one` and `two` have the same at each path at which `a` and `b` differ, and at each that
/// neither `a` nor `b` has. A merge of `a` and `b` asks the base about no other path: what both deleted, one of
/// them may have renamed. So its result is the same whether its base is `one`, `two` or a merge of both.
pub(crate) fn agree_where_others_differ(
    one: &TreeId,
    two: &TreeId,
    [a, b]: [&TreeId; 2],
    source: &dyn ObjectSource,
) -> Result<bool, StoreError> {
    agree([*one, *two, *a, *b], source, &mut HashSet::new(), 0)
}

/// `known` has the trees that agree, so that a directory that is used under many names is compared
/// once.
fn agree(
    trees: [TreeId; 4],
    source: &dyn ObjectSource,
    known: &mut HashSet<[TreeId; 4]>,
    depth: usize,
) -> Result<bool, StoreError> {
    let [one, two, a, b] = &trees;
    check_depth(Some(one), depth)?;
    if one == two || a == b || known.contains(&trees) {
        return Ok(true);
    }
    let disagreed = diff_directory(Some(one), Some(two), source)?;
    let differing = diff_directory(Some(a), Some(b), source)?;
    let mut differing = differing.differences()?.peekable();
    for other in disagreed.differences()? {
        while differing.next_if(|name| name.name < other.name).is_some() {}
        let Some(name) = differing.next_if(|name| name.name == other.name) else {
            if is_gone(&other, a, source)? {
                return Ok(false);
            }
            continue;
        };
        let agree_below = match (directories(&other), directories(&name)) {
            (Some([one, two]), Some([a, b])) => agree([one, two, a, b], source, known, depth + 1)?,
            _ => false,
        };
        if !agree_below {
            return Ok(false);
        }
    }
    known.insert(trees);
    Ok(true)
}

/// Returns whether a tree lacks a name that one of two others has. A folder of fewer files counts, as it does
/// in [`differing`].
fn is_gone(
    other: &Difference<'_>,
    tree: &TreeId,
    source: &dyn ObjectSource,
) -> Result<bool, StoreError> {
    let now = match *tree == empty_directory() {
        true => None,
        false => find(tree, &[other.name], source)?,
    };
    let bases = other.old.iter().chain(&other.new);
    let files = bases.map(|base| base.files).max().unwrap_or(0);
    Ok(now.is_none_or(|now| now.files < files))
}

/// Returns both sides of a difference, if both are directories.
fn directories(difference: &Difference<'_>) -> Option<[TreeId; 2]> {
    Some([difference.old?.tree_id()?, difference.new?.tree_id()?])
}
