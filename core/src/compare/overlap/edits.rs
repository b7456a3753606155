//! What one tree changed since a base.

use crate::compare::changes::{Change, EmptyFolder, Scope, Version, changes};
use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::Item;
use crate::object::source::ObjectSource;
use crate::object::tree::{empty_directory, read_conflicts};

/// A file or link that differs from the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Its path.
    pub path: Vec<u8>,
    /// What the base has there, unless that is nothing or a folder.
    pub base: Option<Item>,
    /// What the tree has there, unless that is nothing or a folder.
    pub now: Option<Item>,
}

/// How many files were changed, by what happened to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EditCounts {
    /// Files that are new.
    pub added: u64,
    /// Files that are different.
    pub modified: u64,
    /// Files that are gone.
    pub deleted: u64,
}

impl EditCounts {
    /// Returns how many files there are in all.
    pub fn total(&self) -> u64 {
        self.added + self.modified + self.deleted
    }

    pub(super) fn add(&mut self, edit: &Edit) {
        match (&edit.base, &edit.now) {
            (None, _) => self.added += 1,
            (_, None) => self.deleted += 1,
            _ => self.modified += 1,
        }
    }
}

/// What a tree changed since a base. Its size follows what changed.
#[derive(Debug)]
pub struct Edits {
    base: Option<TreeId>,
    tree: TreeId,
    files: Vec<Edit>,
    folders: Vec<EmptyFolder>,
    lists_conflicts: bool,
}

impl Edits {
    /// Returns what `tree` changed since `base`.
    ///
    /// # Errors
    /// If a node cannot be read, or folders are nested too deep.
    pub fn since(
        base: &TreeId,
        tree: &TreeId,
        source: &dyn ObjectSource,
    ) -> Result<Self, StoreError> {
        let found = changes(base, tree, &Scope::default(), source)?;
        let mut edits = Self::none(Some(*base), tree, source)?;
        edits.lists_conflicts |= lists_conflicts(base, source)?;
        edits.folders = found.folders;
        edits.files = found.files.into_iter().map(Edit::from).collect();
        Ok(edits)
    }

    /// Returns what each of two trees without a common history has that the other has not: all of that
    /// counts as added.
    ///
    /// # Errors
    /// If a node cannot be read, or folders are nested too deep.
    pub fn of_unrelated(
        ours: &TreeId,
        theirs: &TreeId,
        source: &dyn ObjectSource,
    ) -> Result<[Self; 2], StoreError> {
        let found = changes(ours, theirs, &Scope::default(), source)?;
        let [mut mine, mut other] =
            [Self::none(None, ours, source)?, Self::none(None, theirs, source)?];
        for Edit { path, base, now } in found.files.into_iter().map(Edit::from) {
            if base.is_some() {
                mine.files.push(Edit { path: path.clone(), base: None, now: base });
            }
            if now.is_some() {
                other.files.push(Edit { path, base: None, now });
            }
        }
        for folder in found.folders {
            let side = if folder.is_added { &mut other } else { &mut mine };
            side.folders.push(EmptyFolder { is_added: true, ..folder });
        }
        Ok([mine, other])
    }

    fn none(
        base: Option<TreeId>,
        tree: &TreeId,
        source: &dyn ObjectSource,
    ) -> Result<Self, StoreError> {
        let (files, folders) = (Vec::new(), Vec::new());
        let lists_conflicts = lists_conflicts(tree, source)?;
        Ok(Self { base, tree: *tree, files, folders, lists_conflicts })
    }

    /// Returns the files that differ from the base, sorted by path.
    pub fn files(&self) -> &[Edit] {
        &self.files
    }

    /// Returns the empty folders in which the tree differs from the base, sorted.
    pub(super) fn folders(&self) -> &[EmptyFolder] {
        &self.folders
    }

    /// Whether the base or the tree lists conflicts.
    pub(super) fn lists_conflicts(&self) -> bool {
        self.lists_conflicts
    }

    pub(super) fn base(&self) -> Option<&TreeId> {
        self.base.as_ref()
    }

    pub(super) fn tree(&self) -> &TreeId {
        &self.tree
    }

    /// Whether there are files that the base has not.
    pub(super) fn add_files(&self) -> bool {
        self.files.iter().any(|edit| edit.base.is_none())
    }

    /// Returns whether this side has a new file at the path of a folder that the other side changed.
    pub(super) fn puts_a_file_on_a_folder_of(&self, other: &Self) -> bool {
        if other.files.is_empty() && other.folders.is_empty() {
            return false;
        }
        let is_new = |edit: &&Edit| edit.base.is_none();
        self.files.iter().filter(is_new).any(|edit| other.has_edits_in(&edit.path))
    }

    /// Returns whether anything in a folder was changed, or the folder is a new empty one.
    fn has_edits_in(&self, folder: &[u8]) -> bool {
        let inside = [folder, b"/"].concat();
        let first = self.files.partition_point(|edit| edit.path < inside);
        let is_inside = |edit: &Edit| edit.path.starts_with(&inside);
        self.files.get(first).is_some_and(is_inside)
            || self.folders.iter().any(|it| it.path == folder || it.path.starts_with(&inside))
    }
}

fn lists_conflicts(tree: &TreeId, source: &dyn ObjectSource) -> Result<bool, StoreError> {
    Ok(*tree != empty_directory() && !read_conflicts(tree, source)?.is_empty())
}

impl From<Change> for Edit {
    fn from(change: Change) -> Self {
        let item = |version: Option<&Version>| version.map(|version| version.item);
        let (base, now) = (item(change.old_version()), item(change.new_version()));
        Self { path: change.path().to_owned(), base, now }
    }
}
