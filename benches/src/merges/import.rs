//! Trees of git as trees of ours. The content of files stays in the repository.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use fastest_core::object::chunk::write_content;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ObjectId};
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSource};
use fastest_core::object::tree::{CHUNKED_OVER_BYTES, write_directory};

use crate::merges::Result;
use crate::merges::git::Git;

/// Trees that were imported.
pub(super) struct Import<'g> {
    git: &'g Git,
    /// Directories and large files.
    objects: MemoryObjects,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    trees: HashMap<String, Root>,
    /// Files by git's ids; their kinds differ.
    files: HashMap<String, Item>,
    /// git's ids of small files.
    blobs: HashMap<ObjectId, String>,
}

impl<'g> Import<'g> {
    pub(super) fn of(git: &'g Git) -> Self {
        Self { git, objects: MemoryObjects::default(), known: RwLock::default() }
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Imports a tree.
    pub(super) fn tree(&self, id: &str) -> Result<Root> {
        if let Some(root) = self.known(|known| known.trees.get(id).copied()) {
            return Ok(root);
        }
        let (bytes, mut entries) = (self.git.object(id)?, Vec::new());
        let mut rest = &bytes[..];
        while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
            let (mode, tail) = (rest[..space].to_vec(), &rest[space + 1..]);
            let end = tail.iter().position(|byte| *byte == 0).ok_or("a name without an end")?;
            let (name, tail) = (tail[..end].to_vec(), &tail[end + 1..]);
            let (id, tail) = tail.split_at_checked(20).ok_or("an id is cut short")?;
            rest = tail;
            let id = id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            entries.push((name, self.entry(&mode, &id)?));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let root = write_directory(&entries, &self.objects)?;
        self.known(|known| known.trees.insert(id.to_owned(), root));
        Ok(root)
    }

    fn entry(&self, mode: &[u8], id: &str) -> Result<Item> {
        let kind = match mode {
            b"40000" => return Ok(Item::directory(&self.tree(id)?)),
            b"100755" => Kind::Executable,
            b"120000" => Kind::Symlink,
            // Another repository, as a link that leads to its commit.
            b"160000" => return self.file(Kind::Symlink, id, id.as_bytes()),
            _ => Kind::File,
        };
        if let Some(item) = self.known(|known| known.files.get(id).copied()) {
            return Ok(Item { kind, ..item });
        }
        let item = self.file(kind, id, &self.git.object(id)?)?;
        self.known(|known| known.files.insert(id.to_owned(), item));
        Ok(item)
    }

    fn file(&self, kind: Kind, id: &str, bytes: &[u8]) -> Result<Item> {
        if bytes.len() as u64 > CHUNKED_OVER_BYTES || id.as_bytes() == bytes {
            let content = write_content(&mut &bytes[..], &self.objects)?;
            let (id, bytes) = (content.id.0, content.bytes);
            return Ok(Item { kind, id, bytes, files: 1, list: content.list });
        }
        let blob = BlobId::of(bytes);
        self.known(|known| known.blobs.insert(blob.into(), id.to_owned()));
        Ok(Item { kind, id: blob.0, bytes: bytes.len() as u64, files: 1, list: None })
    }
}

impl ObjectSource for Import<'_> {
    fn object(&self, id: &ObjectId) -> std::result::Result<Object, StoreError> {
        match self.known(|known| known.blobs.get(id).cloned()) {
            Some(gits) => {
                let missing = |_| StoreError::Missing { id: *id };
                self.git.object(&gits).map(Object::from).map_err(missing)
            }
            None => self.objects.object(id),
        }
    }

    fn has(&self, id: &ObjectId) -> std::result::Result<bool, StoreError> {
        Ok(self.known(|known| known.blobs.contains_key(id))
            || ObjectSource::has(&self.objects, id)?)
    }
}
