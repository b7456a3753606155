//! Drift: how the files of two trees differ.
//!
//! Files and links are compared by path. A directory has no content of its own, except that an
//! empty one is named, with a `/` at its end, where the other side has no such empty directory:
//! two trees without drift are the same tree.

use std::ops::AddAssign;

use crate::diff::diff_directory;
use crate::id::TreeId;
use crate::object::ObjectSource;
use crate::store::StoreError;
use crate::tree::{DEPTH_MAX, Item, TreeError, read_directory, read_root};

/// How a workspace's tree differs from a source's. Paths are sorted by directory, then name, and
/// their components joined by `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Paths that only the source has.
    pub source_only: Vec<Vec<u8>>,
    /// Paths that only the workspace has.
    pub workspace_only: Vec<Vec<u8>>,
    /// Paths that both have, with other content or of another kind.
    pub both_different: Vec<Vec<u8>>,
    /// Counts, over files and links; empty directories are not counted.
    pub counts: Counts,
}

/// Counts of files and links, and of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that only the source has: deleted in the workspace.
    pub source_only: u64,
    /// Files that only the workspace has: added there.
    pub workspace_only: u64,
    /// Files that both have and that differ: modified.
    pub both_different: u64,
    /// Files that both have and that are the same.
    pub both_same: u64,
    /// Bytes of the files that only one side has, and of the workspace's side of those that differ.
    pub bytes_changed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.source_only = self.source_only.saturating_add(other.source_only);
        self.workspace_only = self.workspace_only.saturating_add(other.workspace_only);
        self.both_different = self.both_different.saturating_add(other.both_different);
        self.both_same = self.both_same.saturating_add(other.both_same);
        self.bytes_changed = self.bytes_changed.saturating_add(other.bytes_changed);
    }
}

impl Drift {
    /// Whether the two trees are the same.
    pub fn is_empty(&self) -> bool {
        self.source_only.is_empty()
            && self.workspace_only.is_empty()
            && self.both_different.is_empty()
    }
}

/// Compares two trees, naming each path that differs.
pub fn drift(
    from: &TreeId,
    workspace: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Drift, StoreError> {
    let mut walk = Walk { source, drift: Some(Drift::default()), counts: Counts::default() };
    walk.compare(Some(from), Some(workspace), &mut Vec::new(), 0)?;
    let counts = walk.finish(workspace)?;
    Ok(Drift { counts, ..walk.drift.expect("lists were asked for") })
}

/// Compares two trees, counting only: a subtree that one side lacks is not opened.
pub fn drift_counts(
    from: &TreeId,
    workspace: &TreeId,
    source: &dyn ObjectSource,
) -> Result<Counts, StoreError> {
    let mut walk = Walk { source, drift: None, counts: Counts::default() };
    walk.compare(Some(from), Some(workspace), &mut Vec::new(), 0)?;
    walk.finish(workspace)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Source,
    Workspace,
}

struct Walk<'a> {
    source: &'a dyn ObjectSource,
    drift: Option<Drift>,
    counts: Counts,
}

impl Walk<'_> {
    /// Adds what follows from the whole: the files that are the same.
    fn finish(&mut self, workspace: &TreeId) -> Result<Counts, StoreError> {
        let files = read_root(workspace, self.source)?.files;
        let different = self.counts.workspace_only.saturating_add(self.counts.both_different);
        self.counts.both_same = files.saturating_sub(different);
        Ok(self.counts)
    }

    fn compare(
        &mut self,
        old: Option<&TreeId>,
        new: Option<&TreeId>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), StoreError> {
        check_depth(old.or(new), depth)?;
        for difference in diff_directory(old, new, self.source)? {
            let length = path.len();
            path.extend_from_slice(&difference.name);
            self.item(difference.old.as_ref(), difference.new.as_ref(), path, depth)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn item(
        &mut self,
        old: Option<&Item>,
        new: Option<&Item>,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), StoreError> {
        if let (Some(old), Some(new)) = (old, new)
            && let (Some(old), Some(new)) = (old.tree_id(), new.tree_id())
        {
            return self.directories(&old, &new, path, depth);
        }
        if let (Some(old), Some(new)) = (old, new)
            && !old.is_directory()
            && !new.is_directory()
        {
            self.counts.both_different += 1;
            self.counts.bytes_changed = self.counts.bytes_changed.saturating_add(new.bytes);
            if let Some(drift) = &mut self.drift {
                drift.both_different.push(path.clone());
            }
            return Ok(());
        }
        for (item, side) in [(old, Side::Source), (new, Side::Workspace)] {
            if let Some(item) = item {
                self.one_sided(item, side, path, depth)?;
            }
        }
        Ok(())
    }

    fn directories(
        &mut self,
        old: &TreeId,
        new: &TreeId,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), StoreError> {
        path.push(b'/');
        if self.drift.is_some() {
            for (id, side) in [(old, Side::Source), (new, Side::Workspace)] {
                if *id == empty_directory() {
                    self.name(side, path);
                }
            }
        }
        self.compare(Some(old), Some(new), path, depth + 1)
    }

    /// Counts everything below `item`, and names it where lists were asked for.
    fn one_sided(
        &mut self,
        item: &Item,
        side: Side,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), StoreError> {
        let counts = match side {
            Side::Source => Counts { source_only: item.files, ..Counts::default() },
            Side::Workspace => Counts { workspace_only: item.files, ..Counts::default() },
        };
        self.counts += Counts { bytes_changed: item.bytes, ..counts };
        if self.drift.is_some() {
            // The other side may have a file of this name, to be named after it.
            let length = path.len();
            self.name_below(item, side, path, depth)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn name_below(
        &mut self,
        item: &Item,
        side: Side,
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), StoreError> {
        let Some(directory) = item.tree_id() else {
            self.name(side, path);
            return Ok(());
        };
        check_depth(Some(&directory), depth)?;
        path.push(b'/');
        let entries = read_directory(&directory, self.source)?;
        if entries.is_empty() {
            self.name(side, path);
        }
        for (name, item) in &entries {
            let length = path.len();
            path.extend_from_slice(name);
            self.name_below(item, side, path, depth + 1)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn name(&mut self, side: Side, path: &[u8]) {
        let drift = self.drift.as_mut().expect("paths are named only where lists were asked for");
        match side {
            Side::Source => drift.source_only.push(path.to_vec()),
            Side::Workspace => drift.workspace_only.push(path.to_vec()),
        }
    }
}

/// The id of the directory without entries.
pub fn empty_directory() -> TreeId {
    TreeId::of(&[crate::tree::NODE_VERSION, 0, 0])
}

pub(crate) fn check_depth(id: Option<&TreeId>, depth: usize) -> Result<(), StoreError> {
    match id {
        Some(id) if depth > DEPTH_MAX => {
            let source = TreeError::Damaged { what: "directories nest too deep" };
            Err(StoreError::Tree { id: *id, source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::BlobId;
    use crate::object::MemoryObjects;
    use crate::tree::{Kind, write_directory};

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
