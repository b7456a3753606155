//! A directory that is to be read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::path::split;
use crate::worktree::scan::context::Context;
use crate::worktree::scan::rules::{Ignored, Rules};
use crate::worktree::stat_index::IndexedDirectory;

/// A directory that is to be read.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    /// Its path, for messages.
    pub path: PathBuf,
    /// Its path relative to the root, with a slash at the end; empty for the root.
    pub prefix: Vec<u8>,
    /// How many directories are above it.
    pub depth: usize,
    pub(super) rules: Rules,
    /// The directory in the index, with its tree.
    pub known: Option<(Item, IndexedDirectory<'a>)>,
    /// The directory in the head's tree.
    pub head: Option<TreeId>,
    /// The parent directory in the head's tree.
    pub head_above: Option<TreeId>,
    /// Set if the directory is ignored, and walked because some of it may be content anyway.
    pub(super) ignored: Option<Ignored>,
    /// Whether the head's ignore files ignore it.
    pub(super) head_ignored: bool,
}

impl<'a> Task<'a> {
    /// Returns the directory's own name.
    pub(super) fn name(&self) -> &[u8] {
        split(self.relative()).1
    }

    /// Returns its path relative to the root; empty for the root.
    pub(super) fn relative(&self) -> &[u8] {
        &self.prefix[..self.prefix.len().saturating_sub(1)]
    }

    /// Returns the path of an entry, for messages.
    pub(crate) fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }

    /// Returns the task of the root.
    pub(super) fn root(
        root: &Path,
        known: Option<(Item, IndexedDirectory<'a>)>,
        context: &Context<'_>,
    ) -> Self {
        Self {
            path: root.to_owned(),
            prefix: Vec::new(),
            depth: 0,
            rules: Rules::new(context.selection.git.rules().clone()),
            known,
            head: context.selection.head,
            head_above: None,
            ignored: None,
            head_ignored: false,
        }
    }
}
