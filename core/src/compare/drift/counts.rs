//! Counts of what differs between two trees.

use std::ops::AddAssign;

/// Counts of files and links, and of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files that only the source has: deleted in the workspace.
    pub source_only: u64,
    /// Files that only the workspace has: added there.
    pub workspace_only: u64,
    /// Files that both have, and that differ: modified.
    pub both_different: u64,
    /// Files that are the same on both sides.
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
