//! Trees of a project's past, by which a file in the way may be recognised.

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Kind;
use crate::object::source::ObjectSource;
use crate::object::tree::find;
use crate::worktree::checkout::error::CheckoutError;

/// Trees of a project's past.
pub(super) struct Past<'s> {
    pub(super) trees: &'s [TreeId],
    /// The new tree, if the plan leads to a whole one.
    pub(super) to: Option<TreeId>,
    pub(super) source: &'s dyn ObjectSource,
}

impl Past<'_> {
    /// Returns whether the new tree has something at `path`; true if there is no new tree.
    pub(super) fn now_has(&self, path: &[u8]) -> Result<bool, CheckoutError> {
        let Some(to) = &self.to else { return Ok(true) };
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        Ok(find(to, &parts, self.source)?.is_some())
    }

    /// Returns whether one of the trees has this content at `path`.
    pub(super) fn had(
        &self,
        path: &[u8],
        kind: Kind,
        id: &[u8; 32],
    ) -> Result<bool, CheckoutError> {
        let parts: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
        for tree in self.trees {
            match find(tree, &parts, self.source) {
                Ok(Some(item))
                    if item.id == *id
                        && (item.kind == Kind::Symlink) == (kind == Kind::Symlink) =>
                {
                    return Ok(true);
                }
                Ok(_) => {}
                // A tree that is missing proves nothing.
                Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}
