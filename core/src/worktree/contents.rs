//! The contents of a scanned working copy: from the store, or from the folder what the store does not
//! have yet.
//!
//! A file of the folder is verified against the id that the scan computed. So what was changed since then is
//! an error, and never a mixture of two versions. No link is followed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::compare::changes::Version;
use crate::compare::content::Contents;
use crate::compare::merge::is_unsettled;
use crate::files::beneath::{Beneath, READ};
use crate::files::regular_file::check;
use crate::object::chunk::{ReadContentError, read_content};
use crate::object::error::StoreError;
use crate::object::id::{BlobId, ObjectId};
use crate::object::item::Kind;
use crate::object::source::{Object, ObjectSource};
use crate::worktree::database;

/// Why a content cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file was changed, replaced or deleted after it was scanned.
    #[error("a file was changed while it was compared")]
    Changed {
        /// Its path.
        path: Vec<u8>,
    },
    /// The file cannot be read.
    #[error("a file cannot be read: {source}")]
    Unreadable {
        /// Its path.
        path: Vec<u8>,
        /// The system's error.
        source: io::Error,
    },
}

/// The contents of trees, one of which may be that of a working copy.
pub struct CopyContents<'a> {
    store: &'a dyn ObjectSource,
    folder: Option<Beneath>,
}

impl<'a> CopyContents<'a> {
    /// Returns the contents of trees that are stored, and of the working copy at `root`, if there is one.
    ///
    /// # Errors
    /// If the folder cannot be opened.
    pub fn of(store: &'a dyn ObjectSource, root: Option<&Path>) -> io::Result<Self> {
        Ok(Self { store, folder: root.map(Beneath::of).transpose()? })
    }

    /// Reads a content from the store.
    fn stored(&self, version: &Version) -> Result<Object, StoreError> {
        let item = &version.item;
        let id = BlobId(item.id);
        if item.list.is_none() {
            let object = self.store.object(&id.into())?;
            let is_whole = object.len() as u64 == item.bytes;
            return if is_whole {
                Ok(object.detached())
            } else {
                Err(StoreError::WrongContent { id })
            };
        }
        let mut bytes = Vec::new();
        read_content(item, self.store, &mut bytes).map_err(|error| match error {
            ReadContentError::Store(error) => error,
            ReadContentError::Write(_) => StoreError::WrongContent { id },
        })?;
        Ok(bytes.into())
    }

    /// Reads a content from the folder, up to the size that it had when it was scanned: a log may have grown.
    fn present(&self, folder: &Beneath, version: &Version) -> Result<Vec<u8>, ContentsError> {
        let Version { path, item } = version;
        let changed = || ContentsError::Changed { path: path.clone() };
        let failed = |source: io::Error| ContentsError::Unreadable { path: path.clone(), source };
        let refused = |error: Errno| match error {
            Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::INVAL => changed(),
            error => failed(error.into()),
        };
        if item.kind == Kind::Symlink {
            return folder.read_link(path).map_err(refused);
        }
        let file: File = folder.open(path, READ, Mode::empty()).map_err(refused)?.into();
        check(&file).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => changed(),
            _ => failed(error),
        })?;
        let mut bytes = Vec::new();
        let size =
            usize::try_from(item.bytes).ok().filter(|size| bytes.try_reserve_exact(*size).is_ok());
        size.ok_or_else(|| failed(io::ErrorKind::OutOfMemory.into()))?;
        (&file).take(item.bytes).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }
}

impl Contents for CopyContents<'_> {
    type Error = ContentsError;

    fn content(&self, version: &Version) -> Result<Option<Object>, ContentsError> {
        let item = &version.item;
        if is_unsettled(item) {
            return Ok(None);
        }
        let object = item.list.map_or_else(|| ObjectId::from(BlobId(item.id)), ObjectId::from);
        let folder = match &self.folder {
            Some(folder) if !self.store.has(&object)? => folder,
            _ => return Ok(Some(self.stored(version)?)),
        };
        let bytes = self.present(folder, version)?;
        if BlobId::of(&bytes).0 == item.id {
            return Ok(Some(bytes.into()));
        }
        // The scan merged the files beside a database into it, so its bytes are nowhere. It is binary
        // anyway.
        if database::is_header(&bytes) {
            return Ok(None);
        }
        Err(ContentsError::Changed { path: version.path.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::object::item::Item;
    use crate::object::memory::MemoryObjects;

    #[test]
    fn only_what_was_scanned_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(folder.path().join("secret"), "text").unwrap();
        let objects = MemoryObjects::default();
        let contents = CopyContents::of(&objects, Some(&root)).unwrap();
        let read = |path: &str, kind: Kind, text: &str| {
            let id = BlobId::of(text.as_bytes()).0;
            let item = Item { kind, id, bytes: text.len() as u64, files: 1, list: None };
            let version = Version { path: path.into(), item };
            contents.content(&version).map(|found| found.map(|object| object.to_vec()))
        };
        let is_changed = |found| matches!(found, Err(ContentsError::Changed { .. }));
        fs::write(root.join("log"), "text, and more").unwrap();
        symlink("text", root.join("link")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        assert_eq!(read("log", Kind::File, "text").unwrap().unwrap(), b"text");
        assert_eq!(read("link", Kind::Symlink, "text").unwrap().unwrap(), b"text");
        assert!(is_changed(read("log", Kind::File, "tex7")));
        assert!(is_changed(read("log", Kind::Symlink, "text")));
        assert!(is_changed(read("out", Kind::File, "text")));
        assert!(is_changed(read("gone", Kind::File, "text")));
        fs::create_dir(root.join("folder")).unwrap();
        assert!(is_changed(read("folder", Kind::File, "text")));
    }
}
