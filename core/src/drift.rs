//! Drift: how the files of two trees differ.
//!
//! Files and links are compared by path. A directory has no content of its own, except that an
//! empty one is named, with a `/` at its end, where the other side has no such empty directory:
//! two trees without drift are the same tree.

use std::ops::AddAssign;
use std::sync::LazyLock;

use rayon::prelude::*;

use crate::diff::{Difference, diff_directory};
use crate::id::TreeId;
use crate::object::ObjectSource;
use crate::store::StoreError;
use crate::tree::{DEPTH_MAX, Entry, Kind, TreeError, read_root};

/// Fewer differing names of a directory than this are not worth another thread.
const SPLIT_NAMES_MIN: usize = 16;
/// A directory is split into so many parts: enough for every thread, and few to put together.
const SPLIT_PARTS: usize = 32;
/// Deeper directories are not split. A thread that waits for another takes up other work on top of
/// its own, so what waits must not be deep already.
const SPLIT_DEPTH_MAX: usize = 16;

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
    compare(from, workspace, source, true)
}

/// Compares two trees, counting only: a subtree that one side lacks is not opened.
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
    let mut found = Drift::default();
    let here = &mut Place { path: Vec::new(), depth: 0 };
    Walk { source, lists }.entries(Some(from), Some(workspace), here, &mut found)?;
    let counts = &mut found.counts;
    let different = counts.workspace_only.saturating_add(counts.both_different);
    counts.both_same = read_root(workspace, source)?.files.saturating_sub(different);
    Ok(found)
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Source,
    Workspace,
}

/// Where a walk is. Without lists to make, the path stays empty.
#[derive(Clone)]
struct Place {
    path: Vec<u8>,
    depth: usize,
}

struct Walk<'a> {
    source: &'a dyn ObjectSource,
    /// Whether paths are named, not only counted.
    lists: bool,
}

impl Walk<'_> {
    /// Compares what two directories hold. Below a directory that one side lacks, everything is
    /// counted already.
    fn entries(
        &self,
        old: Option<&TreeId>,
        new: Option<&TreeId>,
        here: &mut Place,
        found: &mut Drift,
    ) -> Result<(), StoreError> {
        check_depth(old.or(new), here.depth)?;
        let counted = old.is_none() || new.is_none();
        let directory = diff_directory(old, new, self.source)?;
        let mut differences = directory.differences()?;
        while let Some(difference) = differences.next() {
            if difference.is_of_directories() {
                // From here on there is more to do than to count.
                let rest: Vec<_> = std::iter::once(difference).chain(differences).collect();
                return self.split(&rest, counted, here, found);
            }
            self.item(&difference, counted, here, found)?;
        }
        Ok(())
    }

    /// Compares under some names of a directory, by many threads where the names are many.
    fn split(
        &self,
        names: &[Difference<'_>],
        counted: bool,
        here: &mut Place,
        found: &mut Drift,
    ) -> Result<(), StoreError> {
        if names.len() < SPLIT_NAMES_MIN || here.depth > SPLIT_DEPTH_MAX {
            return names.iter().try_for_each(|name| self.item(name, counted, here, found));
        }
        let parts = names.par_chunks(names.len().div_ceil(SPLIT_PARTS)).map(|part| {
            let (mut here, mut found) = (here.clone(), Drift::default());
            part.iter().try_for_each(|name| self.item(name, counted, &mut here, &mut found))?;
            Ok(found)
        });
        for part in parts.collect::<Vec<Result<_, _>>>() {
            found.append(part?);
        }
        Ok(())
    }

    fn item(
        &self,
        difference: &Difference<'_>,
        counted: bool,
        here: &mut Place,
        found: &mut Drift,
    ) -> Result<(), StoreError> {
        let length = here.path.len();
        let Difference { name, old, new } = difference;
        let is_directory = |entry: &Entry<'_>| entry.kind == Kind::Directory;
        if self.lists {
            here.path.extend_from_slice(name);
        }
        match (old, new) {
            (Some(old), Some(new)) if is_directory(old) && is_directory(new) => {
                self.directory(old.tree_id(), new.tree_id(), here, found)?;
            }
            (Some(old), Some(new)) if !is_directory(old) && !is_directory(new) => {
                found.counts.both_different += 1;
                found.counts.bytes_changed = found.counts.bytes_changed.saturating_add(new.bytes);
                if self.lists {
                    found.both_different.push(here.path.clone());
                }
            }
            _ => {
                for (item, side) in [(old, Side::Source), (new, Side::Workspace)] {
                    if let Some(item) = item {
                        self.one_sided(item, side, counted, here, found)?;
                    }
                }
            }
        }
        here.path.truncate(length);
        Ok(())
    }

    fn one_sided(
        &self,
        item: &Entry<'_>,
        side: Side,
        counted: bool,
        here: &mut Place,
        found: &mut Drift,
    ) -> Result<(), StoreError> {
        if !counted {
            let counts = match side {
                Side::Source => Counts { source_only: item.files, ..Counts::default() },
                Side::Workspace => Counts { workspace_only: item.files, ..Counts::default() },
            };
            found.counts += Counts { bytes_changed: item.bytes, ..counts };
        }
        if !self.lists {
            return Ok(());
        }
        let Some(id) = item.tree_id() else {
            found.name(side, &here.path);
            return Ok(());
        };
        match side {
            Side::Source => self.directory(Some(id), None, here, found),
            Side::Workspace => self.directory(None, Some(id), here, found),
        }
    }

    /// Goes into a directory, naming it where it is empty: the path is that of the directory.
    fn directory(
        &self,
        old: Option<TreeId>,
        new: Option<TreeId>,
        here: &mut Place,
        found: &mut Drift,
    ) -> Result<(), StoreError> {
        let length = here.path.len();
        if self.lists {
            here.path.push(b'/');
            for (id, side) in [(old, Side::Source), (new, Side::Workspace)] {
                if id == Some(empty_directory()) {
                    found.name(side, &here.path);
                }
            }
        }
        here.depth += 1;
        self.entries(old.as_ref(), new.as_ref(), here, found)?;
        here.depth -= 1;
        // The other side may have a file of this name, to be named after it.
        here.path.truncate(length);
        Ok(())
    }
}

impl Drift {
    fn name(&mut self, side: Side, path: &[u8]) {
        match side {
            Side::Source => self.source_only.push(path.to_vec()),
            Side::Workspace => self.workspace_only.push(path.to_vec()),
        }
    }

    /// Adds what was found at later paths.
    fn append(&mut self, mut later: Self) {
        self.source_only.append(&mut later.source_only);
        self.workspace_only.append(&mut later.workspace_only);
        self.both_different.append(&mut later.both_different);
        self.counts += later.counts;
    }
}

/// The id of the directory without entries.
pub fn empty_directory() -> TreeId {
    static EMPTY: LazyLock<TreeId> =
        LazyLock::new(|| TreeId::of(&[crate::tree::NODE_VERSION, 0, 0]));
    *EMPTY
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
    use crate::tree::{Item, write_directory};

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
