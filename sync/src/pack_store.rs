//! Pack stores: where packs lie that are too large for a row of the primary.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

/// A place for packs, by key (`{user}/packs/{pack id}`). Packs never change once they are there.
#[async_trait(?Send)]
pub trait PackStore {
    /// Stores the file at `from`, durably; false where the key was there already, which is
    /// harmless.
    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError>;

    /// A reader of the pack; [`PackStoreError::Missing`] where there is none.
    async fn get(&self, key: &str) -> Result<Box<dyn Read>, PackStoreError>;

    /// Stores a small object, reads it and compares.
    async fn check(&self) -> Result<(), PackStoreError>;
}

/// Why a pack could not be stored or had.
#[derive(Debug, thiserror::Error)]
pub enum PackStoreError {
    /// No pack has this key.
    #[error("pack {key} is not in the pack store {place}")]
    Missing {
        /// The key.
        key: String,
        /// The store.
        place: String,
    },
    /// A key that names no pack: it would leave the store's folder.
    #[error("{key:?} is no key of a pack")]
    BadKey {
        /// The key.
        key: String,
    },
    /// The file system failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PackStoreError {
    let path = path.to_owned();
    move |source| PackStoreError::Io { action, path, source }
}

/// What [`PackStore::check`] stores.
const CHECK_BYTES: &[u8] = b"fastest";

/// A folder as a pack store.
#[derive(Debug, Clone)]
pub struct Directory {
    dir: PathBuf,
    /// Whether packs may share their bytes with the file that they come from.
    link: bool,
}

impl Directory {
    /// The store in `dir`, which is made at the first put. With `link`, packs on the same file
    /// system are hard-linked: right only where the same device owns both.
    pub fn new(dir: &Path, link: bool) -> Self {
        Self { dir: dir.to_owned(), link }
    }

    fn path(&self, key: &str) -> Result<PathBuf, PackStoreError> {
        let safe = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        match key.split('/').all(safe) {
            true => Ok(self.dir.join(key)),
            false => Err(PackStoreError::BadKey { key: key.to_owned() }),
        }
    }
}

#[async_trait(?Send)]
impl PackStore for Directory {
    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError> {
        let path = self.path(key)?;
        if path.is_file() && same_bytes(from, &path)? {
            return Ok(false);
        }
        let dir = path.parent().expect("a key has at least one part");
        fs::create_dir_all(dir).map_err(io_error("create", dir))?;
        if self.link && fs::hard_link(from, &path).is_ok() {
            return sync(dir).map(|()| true);
        }
        let temp = tempfile::Builder::new().prefix("new-").tempfile_in(dir);
        let mut temp = temp.map_err(io_error("create a file in", dir))?;
        let mut source = File::open(from).map_err(io_error("read", from))?;
        io::copy(&mut source, temp.as_file_mut()).map_err(io_error("write", temp.path()))?;
        temp.as_file().sync_all().map_err(io_error("fsync", temp.path()))?;
        temp.persist(&path).map_err(|error| io_error("create", &path)(error.error))?;
        sync(dir).map(|()| true)
    }

    async fn get(&self, key: &str) -> Result<Box<dyn Read>, PackStoreError> {
        let path = self.path(key)?;
        // To open anything else, a FIFO say, might wait for ever.
        let is_other = fs::metadata(&path).is_ok_and(|data| !data.is_file());
        match File::open(&path) {
            _ if is_other => Err(PackStoreError::BadKey { key: key.to_owned() }),
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (key, place) = (key.to_owned(), self.dir.display().to_string());
                Err(PackStoreError::Missing { key, place })
            }
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        fs::create_dir_all(&self.dir).map_err(io_error("create", &self.dir))?;
        let temp = tempfile::NamedTempFile::with_prefix_in("check-", &self.dir);
        let temp = temp.map_err(io_error("create a file in", &self.dir))?;
        fs::write(temp.path(), CHECK_BYTES).map_err(io_error("write", temp.path()))?;
        let read = fs::read(temp.path()).map_err(io_error("read", temp.path()))?;
        let differs = || io::Error::new(io::ErrorKind::InvalidData, "it is not what was written");
        match read == CHECK_BYTES {
            true => Ok(()),
            false => Err(io_error("read", temp.path())(differs())),
        }
    }
}

/// Whether the pack at `to` is the one at `from`: one that was damaged there is to be replaced.
fn same_bytes(from: &Path, to: &Path) -> Result<bool, PackStoreError> {
    let length = |path: &Path| fs::metadata(path).map_err(io_error("read", path)).map(|d| d.len());
    if length(from)? != length(to)? {
        return Ok(false);
    }
    let read = |path: &Path| fs::read(path).map_err(io_error("read", path));
    Ok(read(from)? == read(to)?)
}

/// Makes the names in a folder, and its own in its parent, durable.
fn sync(dir: &Path) -> Result<(), PackStoreError> {
    for dir in dir.ancestors().take(3) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(io_error("fsync", dir))?;
    }
    Ok(())
}
