//! What the three sides of a merge have under one name, and the decisions that need nothing else.

use crate::object::id::TreeId;
use crate::object::item::{Item, Kind};

/// The same thing on each of the three sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Three<T> {
    pub(crate) base: Option<T>,
    pub(crate) ours: Option<T>,
    pub(crate) theirs: Option<T>,
}

impl Three<Item> {
    /// Returns the sides as directories, if the two changes amount to a merge of directories: each
    /// side is one, or deleted one. If the past is unknown, a missing side counts as deleted.
    pub(super) fn as_directories(&self, past_is_known: bool) -> Option<Three<TreeId>> {
        let base = self.base.as_ref().and_then(Item::tree_id);
        let may_be_deleted = base.is_some() || !past_is_known;
        let side = |item: &Option<Item>| match item {
            Some(item) => item.tree_id().map(Some),
            None => may_be_deleted.then_some(None),
        };
        Some(Three { base, ours: side(&self.ours)?, theirs: side(&self.theirs)? })
    }

    /// Returns the item of one side if the other side deleted the path, and the item replaced a
    /// file by a directory or the reverse. The base's version is gone on both sides, so the new
    /// item is not a conflict.
    pub(super) fn replaced(&self) -> Option<Item> {
        let one = match (self.ours, self.theirs) {
            (None, Some(one)) | (Some(one), None) => one,
            _ => return None,
        };
        self.base.filter(|base| base.is_directory() != one.is_directory()).map(|_| one)
    }

    /// Combines the two sides where one changed a file's content and the other its executable bit.
    pub(super) fn content_and_mode(&self) -> Option<Item> {
        let file = |item: &'_ Option<Item>| {
            item.filter(|item| matches!(item.kind, Kind::File | Kind::Executable))
        };
        let (base, ours, theirs) = (file(&self.base)?, file(&self.ours)?, file(&self.theirs)?);
        let content = match (base.id == ours.id, base.id == theirs.id) {
            (true, _) => theirs,
            (_, true) => ours,
            _ if ours.id == theirs.id => ours,
            _ => return None,
        };
        let kind = if base.kind == ours.kind { theirs.kind } else { ours.kind };
        Some(Item { kind, ..content })
    }
}
