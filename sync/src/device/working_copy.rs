//! A working copy: a folder that belongs to a workspace, and the state in its `.fastest/`.
//!
//! ```text
//! workspace.json   the project and the workspace, with a format number
//! head             id of the snapshot that the folder is based on
//! lock             held by the command that changes the folder
//! index, checkout, left, tmp/   of fastest-core: stat index, checkout journal, paths that
//!                  checkouts left, temporary files
//! ```

use fastest_schema::{ProjectId, SnapshotId, WorkspaceId};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fastest_core::files::{disk, private};
use fastest_core::object::name::STATE_DIR;
use fastest_core::worktree::checkout::outcome::Kept;
use fastest_core::worktree::checkout::run::recover;
use fastest_core::worktree::state_dir::{
    GIT_IGNORE, HEAD, INDEX, JOURNAL, StateDir, StateFile, WORKSPACE,
};
use serde::{Deserialize, Serialize};

use crate::base::waiting;
use crate::device::trust::Trust;
use crate::error::SyncError;
use crate::replica::local::copies::KnownCopy;

/// The format of `workspace.json`.
const FORMAT: u32 = 1;

/// A folder that belongs to a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingCopy {
    root: PathBuf,
    /// Its project.
    pub project_id: ProjectId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
}

#[derive(Debug, Serialize, Deserialize)]
struct Belongs {
    format: u32,
    project_id: ProjectId,
    workspace_id: WorkspaceId,
}

/// The lock of a working copy. It is released on drop, and by the system when the process dies.
#[derive(Debug)]
pub struct CopyLock {
    _file: File,
}

impl WorkingCopy {
    /// Returns the entry for the device's list of working copies, based on `head`.
    pub(crate) fn known(&self, head: Option<&SnapshotId>) -> KnownCopy {
        KnownCopy {
            root: self.root().to_owned(),
            project_id: self.project_id.clone(),
            workspace_id: self.workspace_id.clone(),
            head: head.filter(|head| !head.as_str().is_empty()).cloned(),
            folder: folder_mark(self.root()),
        }
    }

    /// Makes `root` a working copy. Existing files stay.
    pub fn create(
        root: &Path,
        project_id: &ProjectId,
        workspace_id: &WorkspaceId,
    ) -> Result<Self, SyncError> {
        let copy = Self {
            root: root.to_owned(),
            project_id: project_id.to_owned(),
            workspace_id: workspace_id.to_owned(),
        };
        let state = copy.state();
        state.create().map_err(SyncError::io("create", state.path()))?;
        // Makes git ignore the state folder.
        copy.replace(GIT_IGNORE, b"*\n")?;
        let belongs = Belongs {
            format: FORMAT,
            project_id: copy.project_id.clone(),
            workspace_id: copy.workspace_id.clone(),
        };
        let text = serde_json::to_string_pretty(&belongs).expect("the state serialises");
        copy.replace(WORKSPACE, text.as_bytes())?;
        Ok(copy)
    }

    /// Returns the working copy that contains `dir`, searching upwards; `None` if there is none.
    ///
    /// A working copy that belongs to somebody else is an error, as in git. If it were skipped, a
    /// command could act on a working copy further up, which this folder is not part of.
    pub fn find(dir: &Path, trust: &Trust) -> Result<Option<Self>, SyncError> {
        let dir = match dir.canonicalize() {
            Ok(dir) if dir.is_dir() => dir,
            Ok(_) => return Err(SyncError::NotAFolder { path: dir.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SyncError::NotAFolder { path: dir.to_owned() });
            }
            Err(error) => return Err(SyncError::io("open", dir)(error)),
        };
        for root in dir.ancestors() {
            if let Some(copy) = Self::at(root, trust)? {
                return Ok(Some(copy));
            }
        }
        Ok(None)
    }

    /// Returns the working copy with this root, if it is one.
    pub fn at(root: &Path, trust: &Trust) -> Result<Option<Self>, SyncError> {
        let dir = StateDir::of(root);
        let path = dir.path_of(WORKSPACE);
        let damaged = |what: String| SyncError::DamagedState { path: path.clone(), what };
        match dir.owner().map_err(SyncError::io("look at", dir.path()))? {
            Some(owner) if dir.has(WORKSPACE) => trust.check(root, dir.path(), owner)?,
            _ => {}
        }
        let found = match dir.read_owned(WORKSPACE) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return if dir.path().is_symlink() {
                    let what = "it is a symbolic link, which is not followed".to_owned();
                    Err(SyncError::DamagedState { path: dir.path().to_owned(), what })
                } else {
                    Ok(None)
                };
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(damaged(error.to_string()));
            }
            Err(error) => return Err(SyncError::io("read", &path)(error)),
        };
        trust.check(root, dir.path(), found.folder_owner)?;
        trust.check(root, &path, found.file_owner)?;
        let state = serde_json::from_slice(&found.bytes);
        let state: Belongs = state.map_err(|error| damaged(error.to_string()))?;
        if state.format > FORMAT {
            return Err(SyncError::NewerState { path, found: state.format.to_string() });
        }
        let Belongs { project_id, workspace_id, .. } = state;
        Ok(Some(Self { root: root.to_owned(), project_id, workspace_id }))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the state folder, as fastest-core keeps it.
    pub fn state(&self) -> StateDir {
        StateDir::of(&self.root)
    }

    /// Locks a folder that is about to become a working copy. If two processes try, the second gets
    /// [`SyncError::NotEmpty`].
    pub(crate) fn lock_new(root: &Path) -> Result<CopyLock, SyncError> {
        let state = StateDir::of(root);
        private::create_dir(state.path()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => SyncError::NotEmpty { path: root.to_owned() },
            _ => SyncError::io("create", state.path())(source),
        })?;
        // Before any file of the project is beside it: what has no state folder is somebody else's.
        disk::sync_folder(root).map_err(SyncError::io("sync", root))?;
        let lock = take_lock(&state, root)?;
        // Another process may have taken the folder for remains before it had a lock.
        let inode = |file: &File| file.metadata().ok().map(|data| data.ino());
        let is_here = state.find_lock().is_ok_and(|found| inode(&found) == inode(&lock._file));
        if !is_here || state.has(WORKSPACE) {
            return Err(SyncError::NotEmpty { path: root.to_owned() });
        }
        // Before anything is beside the lock: by it, remains of ours are recognised.
        disk::sync_folder(state.path()).map_err(SyncError::io("sync", state.path()))?;
        Ok(lock)
    }

    /// Whether a folder may have the remains of a clone that was killed before the folder became a
    /// working copy: there is no `workspace.json`, and nobody holds the lock.
    pub(crate) fn has_clone_remains(root: &Path) -> bool {
        let state = StateDir::of(root);
        let is_free = match state.find_lock() {
            Ok(lock) => lock.try_lock().is_ok(),
            // A process was killed between the last two steps of removing such remains.
            Err(error) => error.kind() == io::ErrorKind::NotFound && state.is_empty(),
        };
        is_free && !state.has(WORKSPACE)
    }

    /// Waits for the lock, then finishes a checkout that a crash interrupted. Returns the paths
    /// that the checkout left as it found them.
    pub fn lock(&self) -> Result<(CopyLock, Vec<Kept>), SyncError> {
        // Earlier builds created the state folder with the umask's mode.
        let state = self.state();
        let _ = private::close(state.path());
        let lock = take_lock(&state, &self.root)?;
        let recovered = recover(&self.root)?;
        Ok((lock, recovered.map(|recovered| recovered.kept).unwrap_or_default()))
    }

    /// Works as [`WorkingCopy::lock`], but returns `None` if another process holds the lock.
    pub fn try_lock(&self) -> Result<Option<CopyLock>, SyncError> {
        let file = self.state().open_lock();
        let file = file.map_err(SyncError::io("open", self.state().lock()))?;
        if waiting::try_lock_file(file).is_none() {
            return Ok(None);
        }
        self.lock().map(|(lock, _)| Some(lock))
    }

    /// Returns the snapshot that the folder is based on.
    pub fn head(&self) -> Result<Option<SnapshotId>, SyncError> {
        let head = self.state().head();
        let head = head.map_err(SyncError::io("read", self.state().path_of(HEAD)))?;
        Ok(head.filter(|head| !head.is_empty()).map(SnapshotId::from))
    }

    /// Removes the stat index, so that the next scan reads all files.
    pub(crate) fn forget_index(&self) -> Result<(), SyncError> {
        self.state().remove(INDEX).map_err(SyncError::io("remove", self.state().index()))
    }

    /// Bases the folder on a snapshot. The caller holds the lock.
    pub fn set_head(&self, snapshot_id: &SnapshotId) -> Result<(), SyncError> {
        self.replace(HEAD, format!("{snapshot_id}\n").as_bytes())
    }

    fn replace(&self, file: StateFile, bytes: &[u8]) -> Result<(), SyncError> {
        let state = self.state();
        state.replace(file, bytes).map_err(SyncError::io("write", state.path_of(file)))
    }
}

fn take_lock(state: &StateDir, root: &Path) -> Result<CopyLock, SyncError> {
    let file = state.open_lock().map_err(SyncError::io("open", state.lock()))?;
    let what = format!("the working copy {}", root.display());
    Ok(CopyLock { _file: waiting::lock_file(file, &state.lock(), &what)? })
}

/// Whether nothing has been written to a working copy yet.
pub(crate) fn is_bare(copy: &WorkingCopy) -> bool {
    let is_ours = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name() == STATE_DIR)
    };
    let is_empty = fs::read_dir(copy.root()).is_ok_and(|mut entries| entries.all(is_ours));
    is_empty && !copy.state().has(JOURNAL)
}

/// Returns the inode and the creation time of a folder, which together distinguish it from another
/// folder at the same path. `None` if the file system keeps no creation time.
pub(crate) fn folder_mark(root: &Path) -> Option<String> {
    let data = fs::metadata(root).ok()?;
    let made = data.created().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{}/{}", data.ino(), made.as_nanos()))
}
