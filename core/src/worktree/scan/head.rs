//! The entries of a directory in the head's tree.

use std::sync::OnceLock;

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::tree::read_directory;
use crate::worktree::scan::context::Context;
use crate::worktree::scan::task::Task;

/// The head's entries of one directory, read when they are first needed. Most directories of most
/// scans never need them.
pub(super) struct HeadEntries<'t, 'a> {
    task: &'t Task<'a>,
    entries: OnceLock<Vec<(Vec<u8>, Item)>>,
}

impl<'t, 'a> HeadEntries<'t, 'a> {
    pub(super) fn of(task: &'t Task<'a>) -> Self {
        Self { task, entries: OnceLock::new() }
    }

    /// Returns all entries, sorted by name.
    pub(super) fn all(&self, context: &Context<'_>) -> Result<&[(Vec<u8>, Item)], StoreError> {
        if let Some(entries) = self.entries.get() {
            return Ok(entries);
        }
        let entries = match (self.task.head, self.task.known) {
            (None, _) => Vec::new(),
            (Some(head), Some((item, known))) if item.tree_id() == Some(head) => {
                known.entries().map(|entry| (entry.name.to_vec(), entry.item)).collect()
            }
            (Some(head), _) => match read_directory(&head, context.selection.source) {
                // If the store has lost the tree, it may lack what is in the tree as well.
                Err(StoreError::Missing { .. }) => Vec::new(),
                entries => entries?,
            },
        };
        Ok(self.entries.get_or_init(|| entries))
    }

    /// Returns the head's item of this name.
    pub(super) fn find(
        &self,
        name: &[u8],
        context: &Context<'_>,
    ) -> Result<Option<Item>, StoreError> {
        if self.task.head.is_none() {
            return Ok(None);
        }
        let entries = self.all(context)?;
        let found = entries.binary_search_by(|entry| entry.0.as_slice().cmp(name));
        Ok(found.ok().map(|at| entries[at].1))
    }

    /// Returns the head's tree of a subdirectory, of which the index has `known`.
    pub(super) fn below(
        &self,
        name: &[u8],
        known: Option<&Item>,
        context: &Context<'_>,
    ) -> Result<Option<TreeId>, StoreError> {
        match (self.task.head, self.task.known) {
            (None, _) => Ok(None),
            (Some(head), Some((item, _))) if item.tree_id() == Some(head) => {
                Ok(known.and_then(Item::tree_id))
            }
            _ => Ok(self.find(name, context)?.as_ref().and_then(Item::tree_id)),
        }
    }
}
