//! Drift: how the files of two trees differ.
//!
//! Files and links are compared by path. A directory has no content of its own. Only an empty one
//! is listed, with a `/` at its end, where the other side has no such empty directory. So two trees
//! without drift are the same tree.

pub mod counts;
pub mod found;
mod known;
mod walk;

pub use counts::Counts;
pub use found::Drift;

use crate::compare::drift::known::Known;
use crate::compare::drift::walk::{Pair, Walk};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::source::ObjectSource;
use crate::object::tree::read_root;

/// Compares two trees, and lists each path that differs.
///
/// The lists can be as long as the trees have paths. A hostile tree of a few nodes that are used
/// under many names may have more paths than fit into memory. [`drift_counts`] compares such trees
/// quickly.
pub fn drift(
    from: &TreeId,
    workspace: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Drift, StoreError> {
    compare(from, workspace, source, true)
}

/// Compares two trees and only counts. A subtree that one side lacks is not opened, and one that is
/// used under many names is compared once.
pub fn drift_counts(
    from: &TreeId,
    workspace: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Counts, StoreError> {
    Ok(compare(from, workspace, source, false)?.counts)
}

fn compare(
    from: &TreeId,
    workspace: &TreeId,
    source: &dyn ObjectSource,
    lists: bool,
) -> Result<Drift, StoreError> {
    let pair = Pair { source: Some(*from), workspace: Some(*workspace) };
    let mut found = Walk { source, lists, known: &Known::default() }.roots(pair)?;
    let counts = &mut found.counts;
    let different = counts.workspace_only.saturating_add(counts.both_different);
    counts.both_same = read_root(workspace, source)?.files.saturating_sub(different);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::id::BlobId;
    use crate::object::item::{Item, Kind};
    use crate::object::memory::MemoryObjects;
    use crate::object::tree::write_directory;

    #[test]
    fn a_file_in_place_of_a_directory_is_named_without_a_slash() {
        let objects = MemoryObjects::default();
        let id = BlobId::of(b"x").0;
        let file = Item { kind: Kind::File, id, bytes: 1, files: 1, list: None };
        let below = write_directory(&[("x", file)], &objects).unwrap();
        let old = write_directory(&[("a", Item::directory(&below))], &objects).unwrap();
        let new = write_directory(&[("a", file)], &objects).unwrap();
        let found = drift(&old.id, &new.id, &objects).unwrap();
        assert_eq!(found.source_only, [b"a/x"]);
        assert_eq!(found.workspace_only, [b"a"]);
    }
}
