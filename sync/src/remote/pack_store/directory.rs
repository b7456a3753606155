//! A folder as a pack store.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use fastest_core::files::disk;
use futures_util::{StreamExt as _, stream};

use crate::remote::pack_store::store::{PackStore, PackStoreError, PackStream, check_key};
use crate::remote::sharing::Sharing;

/// How many bytes are read at a time.
const CHUNK_BYTES: usize = 1 << 20;

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PackStoreError {
    let path = path.to_owned();
    move |source| PackStoreError::Io { action, path, source }
}

/// A folder as a pack store.
#[derive(Debug, Clone)]
pub struct Directory {
    dir: PathBuf,
    place: String,
    /// Whether packs may be hard links to the files from which they are stored.
    link: bool,
    /// Whether the folder must contain [`MARKER`]. If it does not, its disk is probably not
    /// mounted.
    marked: bool,
    /// The file or folder from which new files take their modes and group.
    model: PathBuf,
}

/// A file that marks a folder of packs. The mount point of a disk that is not mounted has none.
const MARKER: &str = "fastest-packs";

impl Directory {
    /// Creates a store in `dir`, a folder that is created at the first put. With `link`, packs on
    /// the same file system are hard-linked. Use it only if one device owns both files, because a
    /// link shares its modes too.
    pub fn new(dir: &Path, link: bool) -> Self {
        let (model, place) = (dir.to_owned(), dir.display().to_string());
        Self { dir: dir.to_owned(), place, link, marked: false, model }
    }

    /// Creates the store beside the primary in the file at `primary`. Users who can read that file
    /// can read the packs too.
    pub fn beside(primary: &Path, link: bool) -> Self {
        Self { model: primary.to_owned(), ..Self::new(&packs_dir(primary), link) }
    }

    /// Creates a store in a folder that a user has chosen, which may be on a removable disk.
    pub fn chosen(dir: &Path) -> Self {
        Self { marked: true, ..Self::new(dir, false) }
    }

    /// Creates a chosen folder, and marks it.
    pub fn prepare(&self) -> Result<(), PackStoreError> {
        self.create_dir(&self.dir)?;
        let marker = self.dir.join(MARKER);
        if !marker.exists() {
            self.write(&marker, &mut "Packs of Fastest lie here.\n".as_bytes())?;
        }
        self.sync(&self.dir)
    }

    /// Makes the names in one of the folders durable, and the names of the folder itself and of those
    /// above it, up to that of the store.
    fn sync(&self, dir: &Path) -> Result<(), PackStoreError> {
        let is_ours = |above: &&Path| above.starts_with(&self.dir);
        for dir in dir.ancestors().take_while(is_ours).chain(self.dir.parent()) {
            disk::sync_folder(dir).map_err(io_error("fsync", dir))?;
        }
        Ok(())
    }

    fn create_dir(&self, dir: &Path) -> Result<(), PackStoreError> {
        Sharing::of(&self.model).create_dir_all(dir).map_err(io_error("create", dir))
    }

    /// Writes a file, durably except for its name. It gets its name once it is complete and has its
    /// modes and group.
    fn write(&self, path: &Path, from: &mut dyn Read) -> Result<(), PackStoreError> {
        let dir = path.parent().expect("a file lies in a folder");
        let temporary = disk::create_temporary(dir);
        let (file, name) = temporary.map_err(io_error("create a file in", dir))?;
        io::copy(from, &mut disk::Writer(&file)).map_err(io_error("write", name.path()))?;
        let settled = Sharing::of(&self.model).settle(&file);
        settled.map_err(io_error("set the modes of", name.path()))?;
        disk::sync(&file).map_err(io_error("fsync", name.path()))?;
        name.persist(path).map_err(io_error("create", path))
    }

    fn check_marker(&self) -> Result<(), PackStoreError> {
        if !self.marked || self.dir.join(MARKER).exists() {
            return Ok(());
        }
        let reason = "its folder is not there, or not the one that was chosen; if that is for good, \
                      run `fastest remote set` again";
        Err(PackStoreError::Unreachable { place: self.place.clone(), reason: reason.to_owned() })
    }

    fn path(&self, key: &str) -> Result<PathBuf, PackStoreError> {
        check_key(key).map(|()| self.dir.join(key))
    }
}

#[async_trait]
impl PackStore for Directory {
    fn place(&self) -> &str {
        &self.place
    }

    async fn put(&self, key: &str, from: &Path) -> Result<bool, PackStoreError> {
        let path = self.path(key)?;
        self.check_marker()?;
        let dir = path.parent().expect("a key has at least one part");
        if path.is_file() && same_bytes(from, &path)? {
            // Who put it may have been killed before its name was durable.
            return self.sync(dir).map(|()| false);
        }
        self.create_dir(dir)?;
        if self.link && disk::hard_link(from, &path).is_ok() {
            return self.sync(dir).map(|()| true);
        }
        self.write(&path, &mut File::open(from).map_err(io_error("read", from))?)?;
        self.sync(dir).map(|()| true)
    }

    async fn replace(&self, key: &str, from: &Path) -> Result<(), PackStoreError> {
        // `put` compares all bytes, so it replaces a damaged pack.
        self.put(key, from).await.map(drop)
    }

    async fn get(&self, key: &str, from: u64) -> Result<PackStream, PackStoreError> {
        let path = self.path(key)?;
        self.check_marker()?;
        // Only a regular file is opened: opening a FIFO, for example, could block for ever.
        let is_other = fs::metadata(&path).is_ok_and(|data| !data.is_file());
        match File::open(&path) {
            _ if is_other => Err(PackStoreError::BadKey { key: key.to_owned() }),
            Ok(mut file) => {
                file.seek(SeekFrom::Start(from)).map_err(io_error("read", &path))?;
                Ok(chunks(file, path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (key, place) = (key.to_owned(), self.place.clone());
                Err(PackStoreError::Missing { key, place })
            }
            Err(error) => Err(io_error("read", &path)(error)),
        }
    }

    async fn check(&self) -> Result<(), PackStoreError> {
        self.check_marker()?;
        self.create_dir(&self.dir)?;
        let probe = || -> io::Result<bool> {
            let mut file = tempfile::tempfile_in(&self.dir)?;
            file.write_all(MARKER.as_bytes())?;
            file.sync_all()?;
            file.seek(SeekFrom::Start(0))?;
            let mut read = String::new();
            file.read_to_string(&mut read)?;
            Ok(read == MARKER)
        };
        if probe().map_err(io_error("write and read a file in", &self.dir))? {
            Ok(())
        } else {
            Err(PackStoreError::Failed {
                place: self.place.clone(),
                reason: "what it gives is not what was put".to_owned(),
            })
        }
    }
}

/// Returns the rest of a file, chunk by chunk.
fn chunks(file: File, path: PathBuf) -> PackStream {
    let read = move |mut file: File| {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = file.read(&mut chunk).map_err(io_error("read", &path));
        let chunk = read.map(|count| {
            chunk.truncate(count);
            Bytes::from(chunk)
        });
        match chunk {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => Some((Ok(chunk), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    };
    stream::unfold(Some(file), move |file| std::future::ready(file.and_then(&read))).boxed()
}

/// Whether the pack at `to` has the same bytes as the one at `from`. If not, `to` is damaged, and
/// has to be replaced.
fn same_bytes(from: &Path, to: &Path) -> Result<bool, PackStoreError> {
    let length = |path: &Path| fs::metadata(path).map_err(io_error("read", path)).map(|d| d.len());
    if length(from)? != length(to)? {
        return Ok(false);
    }
    let read = |path: &Path| fs::read(path).map_err(io_error("read", path));
    Ok(read(from)? == read(to)?)
}

/// Returns the folder of packs beside a primary's file.
pub fn packs_dir(primary: &Path) -> PathBuf {
    let mut name = primary.file_name().unwrap_or_default().to_owned();
    name.push(".packs");
    primary.with_file_name(name)
}
