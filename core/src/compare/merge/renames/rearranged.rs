//! A tree in which some files stand elsewhere.

use std::collections::BTreeMap;

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Root};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::{empty_directory, find, read_directory, write_directory};

/// What is to stand at paths; `None` takes a file away.
type Changes<'a> = Vec<(&'a [u8], Option<Item>)>;

/// A tree, and how it differs from the stored one.
pub(super) struct Rearranged<'a> {
    tree: TreeId,
    source: &'a dyn ObjectSource,
    /// Files by path; `None` where one was taken away.
    changes: BTreeMap<Vec<u8>, Option<Item>>,
}

impl<'a> Rearranged<'a> {
    pub(super) fn new(tree: &TreeId, source: &'a dyn ObjectSource) -> Self {
        Self { tree: *tree, source, changes: BTreeMap::new() }
    }

    pub(super) fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns what stands at a path.
    pub(super) fn at(&self, path: &[u8]) -> Result<Option<Item>, StoreError> {
        match self.changes.get(path) {
            Some(item) => Ok(*item),
            None => self.stored(path),
        }
    }

    fn stored(&self, path: &[u8]) -> Result<Option<Item>, StoreError> {
        if self.tree == empty_directory() {
            return Ok(None);
        }
        find(&self.tree, &path.split(|&byte| byte == b'/').collect::<Vec<_>>(), self.source)
    }

    /// Returns whether a file can be put at a path once the file at `without` is gone: nothing stands there,
    /// and no file stands where one of its folders has to be.
    pub(super) fn is_vacant(&self, path: &[u8], without: &[u8]) -> Result<bool, StoreError> {
        let inside = [path, b"/"].concat();
        let mut below =
            self.changes.range(inside.clone()..).take_while(|(at, _)| at.starts_with(&inside));
        if self.at(path)?.is_some() || below.any(|(_, item)| item.is_some()) {
            return Ok(false);
        }
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for folder in slashes.map(|(at, _)| &path[..at]).filter(|folder| *folder != without) {
            if self.at(folder)?.is_some_and(|item| !item.is_directory()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves the file at `from` to a vacant path.
    pub(super) fn rename(&mut self, from: &[u8], to: &[u8], item: Item) {
        self.changes.insert(from.to_vec(), None);
        self.put(to, item);
    }

    /// Puts a file at a vacant path.
    pub(super) fn put(&mut self, path: &[u8], item: Item) {
        self.changes.insert(path.to_vec(), Some(item));
    }

    /// Writes the new nodes to all sinks. A folder from which the last file was taken is gone.
    pub(super) fn write(&self, sinks: [&dyn ObjectSink; 2]) -> Result<TreeId, StoreError> {
        if self.changes.is_empty() {
            return Ok(self.tree);
        }
        let changes = self.changes.iter().map(|(path, item)| (path.as_slice(), *item));
        let stored = Some(self.tree).filter(|tree| *tree != empty_directory());
        let root = self.directory(stored, changes.collect(), sinks)?;
        Ok(root.map_or(empty_directory(), |root| root.id))
    }

    /// Returns a directory after changes of paths below it; `None` if nothing is left in it.
    fn directory(
        &self,
        stored: Option<TreeId>,
        changes: Changes<'_>,
        sinks: [&dyn ObjectSink; 2],
    ) -> Result<Option<Root>, StoreError> {
        let entries = stored.map(|stored| read_directory(&stored, self.source)).transpose()?;
        let mut entries: BTreeMap<Vec<u8>, Item> =
            entries.unwrap_or_default().into_iter().collect();
        let mut below: BTreeMap<&[u8], Changes<'_>> = BTreeMap::new();
        for (path, item) in changes {
            match path.iter().position(|&byte| byte == b'/') {
                Some(slash) => {
                    below.entry(&path[..slash]).or_default().push((&path[slash + 1..], item))
                }
                None => drop(match item {
                    Some(item) => entries.insert(path.to_vec(), item),
                    None => entries.remove(path),
                }),
            }
        }
        for (name, changes) in below {
            let stored = entries.remove(name).and_then(|item| item.tree_id());
            if let Some(root) = self.directory(stored, changes, sinks)? {
                entries.insert(name.to_vec(), Item::directory(&root));
            }
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let entries: Vec<_> = entries.into_iter().collect();
        write_directory(&entries, sinks[0])?;
        write_directory(&entries, sinks[1]).map(Some)
    }
}
