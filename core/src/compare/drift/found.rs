//! The result of comparing two trees.

use crate::compare::drift::counts::Counts;

/// How a workspace's tree differs from a source's. Paths are sorted by their components, which are
/// joined by `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Paths that only the source has.
    pub source_only: Vec<Vec<u8>>,
    /// Paths that only the workspace has.
    pub workspace_only: Vec<Vec<u8>>,
    /// Paths that both have, with different content or of different kinds.
    pub both_different: Vec<Vec<u8>>,
    /// Counts of files and links. Empty directories are not counted.
    pub counts: Counts,
}

impl Drift {
    /// Returns whether the two trees are the same.
    pub fn is_empty(&self) -> bool {
        self.source_only.is_empty()
            && self.workspace_only.is_empty()
            && self.both_different.is_empty()
    }

    /// Appends what was found at later paths.
    pub(super) fn append(&mut self, mut later: Self) {
        self.source_only.append(&mut later.source_only);
        self.workspace_only.append(&mut later.workspace_only);
        self.both_different.append(&mut later.both_different);
        self.counts += later.counts;
    }
}
