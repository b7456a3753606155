//! The folder `.fastest` of a working copy. No other code opens, writes or deletes what is in it.
//!
//! The folder travels with the working copy: into archives, and onto disks that others may write
//! to. So each of its files is opened through a handle of the folder and without following links,
//! and what is read must be a regular file of a limited size. A file is replaced by writing another
//! one and renaming it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::files::beneath::Beneath;
use crate::files::beneath::change::{make_directory, remove_all};
use crate::files::disk;
use crate::files::private;
use crate::files::regular_file::{self, Durable, Links, Opened, TEMPORARY_PREFIX};
use crate::files::stat::Stat;
use crate::object::name::STATE_DIR;

/// A file of the folder.
#[derive(Debug, Clone, Copy)]
pub struct StateFile {
    name: &'static str,
    /// How its content begins. Of a file that begins otherwise, no more than that is read.
    magic: &'static [u8],
    /// A larger file is an error. For files that grow with the tree, the limit allows about thirty
    /// million paths.
    pub(crate) bytes_max: u64,
}

/// Which workspace the folder belongs to.
pub const WORKSPACE: StateFile =
    StateFile { name: "workspace.json", magic: b"", bytes_max: 64 << 10 };
/// The snapshot that the folder is based on.
pub const HEAD: StateFile = StateFile { name: "head", magic: b"", bytes_max: 4 << 10 };
/// Makes git ignore the folder.
pub const GIT_IGNORE: StateFile = StateFile { name: ".gitignore", magic: b"", bytes_max: 4 << 10 };
/// The stat index.
pub const INDEX: StateFile = StateFile { name: "index", magic: b"FSTINDEX", bytes_max: 4 << 30 };
/// The journal of an unfinished checkout.
pub const JOURNAL: StateFile =
    StateFile { name: "checkout", magic: b"FSTCHECK", bytes_max: 4 << 30 };
/// The paths that checkouts could not change: see [`crate::worktree::left`].
pub const LEFT: StateFile = StateFile { name: "left", magic: b"FSTLEFTS", bytes_max: 1 << 30 };
/// What git tracks, as it was last read.
pub const GIT_TRACKED: StateFile =
    StateFile { name: "git-tracked", magic: b"FSTGITIX", bytes_max: 1 << 30 };

const LOCK: &str = "lock";
const TMP: &str = "tmp";
const KEPT: &str = "kept";

/// The state folder of a working copy. Nothing is created before it is needed.
#[derive(Debug, Clone)]
pub struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// Returns the state folder of the working copy at `root`.
    pub fn of(root: &Path) -> Self {
        Self { path: root.join(STATE_DIR) }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of a file of the folder, for messages.
    pub fn path_of(&self, file: StateFile) -> PathBuf {
        self.path.join(file.name)
    }

    /// Returns the path of the stat index.
    pub fn index(&self) -> PathBuf {
        self.path_of(INDEX)
    }

    /// Returns the path of the list of paths that checkouts could not change.
    pub fn left(&self) -> PathBuf {
        self.path_of(LEFT)
    }

    /// Returns the path of the journal.
    pub fn journal(&self) -> PathBuf {
        self.path_of(JOURNAL)
    }

    /// Returns the path of the lock.
    pub fn lock(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// Returns the path of the folder of temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.path.join(TMP)
    }

    /// Returns the id of the user who owns the folder, or whatever else has its name; `None` if
    /// nothing has that name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn owner(&self) -> io::Result<Option<u32>> {
        match rustix::fs::statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found.st_uid)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the folder.
    ///
    /// # Errors
    /// If it is missing, or its name is that of something else, such as a link.
    pub fn open(&self) -> io::Result<OwnedFd> {
        regular_file::open_directory(CWD, &self.path)
    }

    /// Opens the folder, and creates it if it is missing.
    ///
    /// # Errors
    /// Those of [`StateDir::open`].
    pub fn create(&self) -> io::Result<OwnedFd> {
        match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match private::create_dir(&self.path) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error);
                    }
                    _ => {}
                }
                // What is in the folder is durable only if the folder is.
                disk::sync_folder(self.path.parent().expect("the state folder lies in the root"))?;
                self.open()
            }
            found => found,
        }
    }

    /// Opens the folder of temporary files, and creates it if it is missing.
    pub(crate) fn open_tmp(&self) -> io::Result<OwnedFd> {
        self.open_folder(TMP)
    }

    /// Returns the path of the folder for versions that the user saved during a checkout, if these
    /// could not be given a name in the working copy.
    pub(crate) fn kept(&self) -> PathBuf {
        self.path.join(KEPT)
    }

    /// Opens that folder, and creates it if it is missing.
    pub(crate) fn open_kept(&self) -> io::Result<OwnedFd> {
        self.open_folder(KEPT)
    }

    fn open_folder(&self, name: &str) -> io::Result<OwnedFd> {
        let folder = self.create()?;
        match regular_file::open_directory(&folder, name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match make_directory(folder.as_fd(), name.as_bytes()) {
                    Ok(()) | Err(Errno::EXIST) => regular_file::open_directory(&folder, name),
                    Err(error) => Err(error.into()),
                }
            }
            found => found,
        }
    }

    /// Opens the lock file, and creates it if it is missing. Its content is not changed.
    ///
    /// # Errors
    /// If it is not a regular file. A link is not followed.
    pub fn open_lock(&self) -> io::Result<File> {
        self.lock_with(|folder, flags, mode| {
            disk::open_or_create_at(folder, LOCK.as_bytes(), flags, mode)
        })
    }

    /// Like [`StateDir::open_lock`], but does not create the file.
    ///
    /// # Errors
    /// Those of [`StateDir::open_lock`].
    pub fn find_lock(&self) -> io::Result<File> {
        self.lock_with(|folder, flags, mode| rustix::fs::openat(folder, LOCK, flags, mode))
    }

    fn lock_with(
        &self,
        open: impl FnOnce(OwnedFd, OFlags, Mode) -> Result<OwnedFd, Errno>,
    ) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(private::FILE_MODE);
        let file = open(self.open()?, flags, mode);
        let file = File::from(file.map_err(|error| regular_file::refused(error, Links::Refuse))?);
        regular_file::check(&file)?;
        Ok(file)
    }

    /// Reads a file of the folder; `None` if the file or the folder is missing.
    ///
    /// # Errors
    /// `InvalidData` if it is not a regular file, or is too large.
    pub fn read(&self, file: StateFile) -> io::Result<Option<Vec<u8>>> {
        missing_is_none(self.open_file(file).and_then(|opened| opened.read_of(file.magic)))
    }

    /// Like [`StateDir::read`], with the owners of the folder and of the file. Any owner is
    /// accepted.
    ///
    /// # Errors
    /// Those of [`StateDir::read`].
    pub fn read_owned(&self, file: StateFile) -> io::Result<Option<Owned>> {
        missing_is_none(self.open().and_then(|folder| {
            let folder_owner = rustix::fs::fstat(&folder)?.st_uid;
            let opened = regular_file::open(&folder, file.name, Links::Refuse, file.bytes_max)?;
            let file_owner = opened.owner;
            Ok(Owned { bytes: opened.read_of(file.magic)?, folder_owner, file_owner })
        }))
    }

    /// Opens a file of the folder for reading, with the limits of [`StateDir::read`].
    pub(crate) fn open_file(&self, file: StateFile) -> io::Result<Opened> {
        open_in(&self.open()?, file)
    }

    /// Returns whether a file, or anything else of its name, seems to exist.
    pub fn has(&self, file: StateFile) -> bool {
        let path = self.path_of(file);
        let found = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW);
        !matches!(found, Err(Errno::NOENT | Errno::NOTDIR))
    }

    /// Returns the head of the working copy, as commands have saved it.
    ///
    /// # Errors
    /// Those of [`StateDir::read`]; also if it is not text.
    pub fn head(&self) -> io::Result<Option<String>> {
        let Some(bytes) = self.read(HEAD)? else { return Ok(None) };
        match str::from_utf8(&bytes) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text")),
        }
    }

    /// Replaces a file of the folder in one step, durably. Creates the folder if it is missing.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn replace(&self, file: StateFile, bytes: &[u8]) -> io::Result<()> {
        regular_file::replace(self.create()?, file.name, &[bytes], Durable::Yes)
    }

    /// Like [`StateDir::replace`], but does not wait for the disk: for a cache with a checksum.
    /// After a crash the file may be the old one, incomplete or missing.
    pub(crate) fn replace_cache(&self, file: StateFile, parts: &[&[u8]]) -> io::Result<()> {
        regular_file::replace(self.create()?, file.name, parts, Durable::No)
    }

    /// Deletes a file of the folder, if it exists.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove(&self, file: StateFile) -> io::Result<()> {
        let folder = match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder?,
        };
        match disk::unlink(folder, file.name.as_bytes(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the folder and everything in it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn remove_all(&self) -> io::Result<()> {
        let root = self.path.parent().expect("the state folder lies in the root");
        let root = match Beneath::of(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            root => root?,
        };
        // The lock goes last: what is left without one by a kill is taken for somebody else's.
        if let Ok(folder) = self.open() {
            for entry in Dir::read_from(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if ![b".".as_slice(), b"..", LOCK.as_bytes()].contains(&name) {
                    remove_all(folder.as_fd(), name)?;
                }
            }
        }
        Ok(remove_all(root.as_fd(), STATE_DIR.as_bytes())?)
    }

    /// Whether the folder is there, and has nothing in it.
    pub fn is_empty(&self) -> bool {
        let Ok(Ok(mut entries)) = self.open().map(Dir::read_from) else { return false };
        entries.all(|entry| {
            entry
                .is_ok_and(|entry| [b".".as_slice(), b".."].contains(&entry.file_name().to_bytes()))
        })
    }

    /// Deletes all temporary files.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clear_tmp(&self) -> io::Result<()> {
        let folder = match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder?,
        };
        remove_all(folder.as_fd(), TMP.as_bytes())?;
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            // A killed process was about to rename it.
            if entry.file_name().to_bytes().starts_with(TEMPORARY_PREFIX.as_bytes()) {
                remove_all(folder.as_fd(), entry.file_name().to_bytes())?;
            }
        }
        Ok(())
    }

    /// Returns the file system's clock: the modification time of a file that is written now, in
    /// nanoseconds since 1970.
    pub(crate) fn clock_ns(&self) -> io::Result<i64> {
        let file = regular_file::open_unnamed(&self.create()?)?;
        Ok(Stat::from(&rustix::fs::fstat(&file)?).mtime_ns)
    }

    /// Makes renames and deletions in this folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        disk::sync_handle(self.open()?)
    }
}

/// The content of a file of the folder, with its owners.
#[derive(Debug)]
pub struct Owned {
    /// The content.
    pub bytes: Vec<u8>,
    /// The user who owns the folder.
    pub folder_owner: u32,
    /// The user who owns the file.
    pub file_owner: u32,
}

/// Returns the effective user id of this process.
pub fn user_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens a file of an open folder. Its owner must be that of the folder, or the caller, or root, as
/// where it was written under `sudo`: others may be able to write to the folder.
fn open_in(folder: &OwnedFd, file: StateFile) -> io::Result<Opened> {
    let opened = regular_file::open(folder, file.name, Links::Refuse, file.bytes_max)?;
    let owners = [rustix::fs::fstat(folder)?.st_uid, user_id(), 0];
    if owners.contains(&opened.owner) {
        Ok(opened)
    } else {
        let what = format!("it belongs to user {}; delete it", opened.owner);
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }
}

fn missing_is_none<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worktree::stat_index::{IndexState, StatIndex};
    use rustix::fs::FileType;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A folder, and a file outside of its state folder.
    fn scene() -> (tempfile::TempDir, StateDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        let state = StateDir::of(&root);
        fs::create_dir_all(state.path()).unwrap();
        let outside = folder.path().join("outside");
        fs::write(&outside, "precious").unwrap();
        (folder, state, outside)
    }

    fn fifo(path: &Path) {
        let mode = Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
    }

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let (_folder, state, outside) = scene();
        let all = [WORKSPACE, HEAD, GIT_IGNORE, INDEX, JOURNAL, LEFT, GIT_TRACKED];
        for file in all {
            let path = state.path_of(file);
            assert!(state.read(file).unwrap().is_none());
            let check = |what: &str| {
                let error = state.read(file).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{what}: {error}");
                assert!(error.to_string().contains(what), "{what}: {error}");
                state.replace(file, b"new").unwrap();
                assert_eq!(state.read(file).unwrap().unwrap(), b"new");
                state.remove(file).unwrap();
            };
            fifo(&path);
            check("FIFO");
            for target in [outside.as_path(), Path::new("/dev/zero"), Path::new("gone")] {
                symlink(target, &path).unwrap();
                check("symbolic link");
            }
            fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
            check("more than");
        }
        assert_eq!(fs::read(outside).unwrap(), b"precious");
    }

    #[test]
    fn an_index_that_is_none_is_made_anew() {
        let (_folder, state, _) = scene();
        fifo(&state.index());
        assert!(matches!(StatIndex::load(&state).unwrap().1, IndexState::Damaged));
        StatIndex::empty().save(&state).unwrap();
        assert!(state.index().is_file());
    }

    #[test]
    fn a_lock_is_a_file_of_the_folder() {
        let (folder, state, outside) = scene();
        for target in [outside.as_path(), &folder.path().join("new")] {
            symlink(target, state.lock()).unwrap();
            assert!(state.open_lock().is_err() && state.find_lock().is_err());
            fs::remove_file(state.lock()).unwrap();
        }
        fifo(&state.lock());
        assert!(state.open_lock().is_err());
        fs::remove_file(state.lock()).unwrap();
        assert!(state.find_lock().is_err());
        state.open_lock().unwrap();
        state.find_lock().unwrap();
        assert!(!folder.path().join("new").exists());
        assert_eq!(fs::read(outside).unwrap(), b"precious");
    }

    #[test]
    fn nothing_is_written_or_deleted_through_a_link() {
        let (folder, state, outside) = scene();
        let other = folder.path().join("other");
        fs::create_dir_all(other.join("tmp")).unwrap();
        fs::write(other.join("tmp/c0"), "precious").unwrap();
        symlink(other.join("tmp"), state.tmp()).unwrap();
        assert!(state.open_tmp().is_err());
        symlink(&other, state.path().join("new-1-1")).unwrap();
        state.clear_tmp().unwrap();
        assert!(!state.tmp().is_symlink() && !state.path().join("new-1-1").is_symlink());
        fs::create_dir(state.tmp()).unwrap();
        symlink(&other, state.tmp().join("link")).unwrap();
        fs::create_dir_all(state.tmp().join("a/b")).unwrap();
        fs::write(state.tmp().join("a/b/c"), "").unwrap();
        state.clear_tmp().unwrap();
        assert!(!state.tmp().exists());
        fs::remove_dir(state.path()).unwrap();
        symlink(&other, state.path()).unwrap();
        assert!(state.open().is_err() && state.create().is_err() && state.open_tmp().is_err());
        assert!(state.clear_tmp().is_err() && state.replace(HEAD, b"x").is_err());
        assert_eq!(fs::read(other.join("tmp/c0")).unwrap(), b"precious");
        assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
        assert_eq!(fs::read(outside).unwrap(), b"precious");
    }
}
