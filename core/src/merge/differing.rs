//! The names at which the two sides of a merge differ, read no further than that.

use std::collections::HashMap;

use crate::diff::diff_directory;
use crate::id::TreeId;
use crate::object::ObjectSource;
use crate::store::StoreError;
use crate::tree::Item;

use super::Three;

/// Names, sorted, with what stands there on each side.
pub(super) type Differing = Vec<(Vec<u8>, Three<Item>)>;

/// Every name at which ours and theirs differ.
pub(super) fn differing(
    ids: &Three<TreeId>,
    source: &dyn ObjectSource,
) -> Result<Differing, StoreError> {
    let to_theirs = diff_directory(ids.ours.as_ref(), ids.theirs.as_ref(), source)?;
    let to_base = ids.base.map(|base| diff_directory(ids.ours.as_ref(), Some(&base), source));
    let to_base = to_base.transpose()?;
    // What the base has, told by how it differs from ours.
    let mut bases: HashMap<&[u8], Option<Item>> = HashMap::new();
    if let Some(diff) = &to_base {
        bases.extend(diff.differences()?.map(|d| (d.name, d.new.map(|entry| entry.item()))));
    }
    let mut found = Differing::new();
    for difference in to_theirs.differences()? {
        let [ours, theirs] = [difference.old, difference.new].map(|entry| entry.map(|e| e.item()));
        let base = match bases.get(difference.name) {
            _ if to_base.is_none() => None,
            Some(item) => *item,
            None => ours,
        };
        found.push((difference.name.to_vec(), Three { base, ours, theirs }));
    }
    Ok(found)
}
