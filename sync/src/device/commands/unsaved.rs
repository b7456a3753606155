//! The contents of files that are in no snapshot yet, read from their folders when they are asked for.
//!
//! A scan that stores nothing keeps the nodes of the tree that it finds, and no contents. A comparison by line
//! needs few of them: those of files that two workspaces changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use fastest_core::compare::changes::Version;
use fastest_core::compare::content::Contents;
use fastest_core::compare::overlap::Edits;
use fastest_core::object::chunk::write_content;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ObjectId};
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSource};
use fastest_core::store::open::Store;
use fastest_core::worktree::contents::CopyContents;

/// Contents of more bytes than this together are read again each time.
const KEPT_BYTES_MAX: u64 = 256 << 20;

/// Objects of a source below, and the contents of unsaved files.
pub(crate) struct Unsaved<'a> {
    below: &'a dyn ObjectSource,
    store: &'a Store,
    /// Where a content is, by the object that a tree names.
    places: RwLock<HashMap<ObjectId, Place>>,
    read: MemoryObjects,
    kept_bytes: Mutex<u64>,
}

/// A file of a working copy, as it was scanned.
#[derive(Clone)]
struct Place {
    root: PathBuf,
    version: Version,
}

impl<'a> Unsaved<'a> {
    /// Returns a source without unsaved files on top of `below`.
    pub(crate) fn over(below: &'a dyn ObjectSource, store: &'a Store) -> Self {
        let (places, read) = (RwLock::default(), MemoryObjects::default());
        Self { below, store, places, read, kept_bytes: Mutex::default() }
    }

    /// Adds the files of the working copy at `root` that differ from its head.
    pub(crate) fn add(&self, root: &Path, edits: &Edits) {
        let mut places = self.places.write().expect("no holder panics");
        for edit in edits.files() {
            let Some(item) = edit.now else { continue };
            let id = item.list.map_or_else(|| BlobId(item.id).into(), ObjectId::from);
            let version = Version { path: edit.path.clone(), item };
            places.entry(id).or_insert_with(|| Place { root: root.to_owned(), version });
        }
    }

    /// Reads a content from its folder, verified. `None` if it was changed since it was scanned, or is that of
    /// a database in use, whose bytes are nowhere.
    fn present(&self, Place { root, version }: &Place) -> Option<Object> {
        let contents = CopyContents::of(self.store, Some(root)).ok()?;
        contents.content(version).ok().flatten()
    }
}

impl ObjectSource for Unsaved<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        let missing = match self.below.object(id) {
            Err(error @ StoreError::Missing { .. }) => error,
            found => return found,
        };
        if let Ok(object) = self.read.object(id) {
            return Ok(object);
        }
        let place = self.places.read().expect("no holder panics").get(id).cloned();
        let Some(place) = place else { return Err(missing) };
        let object = self.present(&place).ok_or(missing)?;
        let mut kept_bytes = self.kept_bytes.lock().expect("no holder panics");
        let is_whole = place.version.item.list.is_none();
        if is_whole && *kept_bytes > KEPT_BYTES_MAX {
            return Ok(object);
        }
        *kept_bytes += object.len() as u64;
        // A large content is cut into the chunks that the list names.
        let written = write_content(&mut &object[..], &self.read);
        drop(kept_bytes);
        match written {
            Ok(_) => self.read.object(id),
            Err(_) => Err(StoreError::Missing { id: *id }),
        }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.below.has(id)? || ObjectSource::has(&self.read, id)?)
    }
}
