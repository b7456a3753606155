//! A working copy: a folder that belongs to a workspace, and what `.fastest/` in it says.
//!
//! ```text
//! workspace.json   which project and workspace, with a format number
//! head             id of the snapshot that the folder is based on
//! lock             held by the command that changes the folder
//! index, checkout, tmp/   of fastest-core: stat index, checkout journal, temporary files
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fastest_core::checkout::{Kept, recover};
use fastest_core::state_dir::StateDir;
use fastest_core::tree::STATE_DIR;
use serde::{Deserialize, Serialize};

use crate::error::SyncError;
use crate::waiting;

/// Format of `workspace.json`.
const FORMAT: u32 = 1;

/// A folder that belongs to a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingCopy {
    root: PathBuf,
    /// Its project.
    pub project_id: String,
    /// Its workspace.
    pub workspace_id: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct StateFile {
    format: u32,
    project_id: String,
    workspace_id: String,
}

/// The right to change a working copy; released on drop, and by the system when a process dies.
#[derive(Debug)]
pub struct CopyLock {
    _file: File,
}

impl WorkingCopy {
    /// Makes `root` a working copy. What is there already stays.
    pub fn create(root: &Path, project_id: &str, workspace_id: &str) -> Result<Self, SyncError> {
        let copy = Self {
            root: root.to_owned(),
            project_id: project_id.to_owned(),
            workspace_id: workspace_id.to_owned(),
        };
        let dir = copy.state_dir();
        fs::create_dir_all(&dir).map_err(SyncError::io("create", &dir))?;
        // git, where it is used beside, has no business here.
        copy.replace(".gitignore", b"*\n")?;
        let state = StateFile {
            format: FORMAT,
            project_id: copy.project_id.clone(),
            workspace_id: copy.workspace_id.clone(),
        };
        let text = serde_json::to_string_pretty(&state).expect("the state serialises");
        copy.replace("workspace.json", text.as_bytes())?;
        Ok(copy)
    }

    /// The working copy that holds `dir`, looking upwards; `None` where there is none.
    pub fn find(dir: &Path) -> Result<Option<Self>, SyncError> {
        let dir = match dir.canonicalize() {
            Ok(dir) if dir.is_dir() => dir,
            Ok(_) => return Err(SyncError::NotAFolder { path: dir.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SyncError::NotAFolder { path: dir.to_owned() });
            }
            Err(error) => return Err(SyncError::io("open", dir)(error)),
        };
        for root in dir.ancestors() {
            if let Some(copy) = Self::at(root)? {
                return Ok(Some(copy));
            }
        }
        Ok(None)
    }

    /// The working copy whose root is `root`, if it is one.
    pub fn at(root: &Path) -> Result<Option<Self>, SyncError> {
        let path = root.join(STATE_DIR).join("workspace.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(SyncError::io("read", &path)(error)),
        };
        let state: StateFile = serde_json::from_slice(&text).map_err(|error| {
            SyncError::DamagedState { path: path.clone(), what: error.to_string() }
        })?;
        if state.format > FORMAT {
            return Err(SyncError::NewerState { path, found: state.format.to_string() });
        }
        let StateFile { project_id, workspace_id, .. } = state;
        Ok(Some(Self { root: root.to_owned(), project_id, workspace_id }))
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What fastest-core keeps in the state folder.
    pub fn state(&self) -> StateDir {
        StateDir::of(&self.root)
    }

    fn state_dir(&self) -> PathBuf {
        self.root.join(STATE_DIR)
    }

    /// Takes a folder that is to be a working copy, and is not one yet. Of two who try, one finds the
    /// folder taken.
    pub(crate) fn lock_new(root: &Path) -> Result<CopyLock, SyncError> {
        let dir = root.join(STATE_DIR);
        fs::create_dir(&dir).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => SyncError::NotEmpty { path: root.to_owned() },
            _ => SyncError::io("create", &dir)(source),
        })?;
        let file = waiting::lock(&dir.join("lock"), &name_of_copy(root))?;
        Ok(CopyLock { _file: file })
    }

    /// Whether a folder holds what a clone left that died before the folder was a working copy.
    pub(crate) fn is_left_over(root: &Path) -> bool {
        let dir = root.join(STATE_DIR);
        let is_free = File::open(dir.join("lock")).is_ok_and(|lock| lock.try_lock().is_ok());
        is_free && !dir.join("workspace.json").exists()
    }

    /// Waits for the right to change the folder, then finishes a checkout that a crash stopped.
    /// Gives what that checkout left as it was found.
    pub fn lock(&self) -> Result<(CopyLock, Vec<Kept>), SyncError> {
        let file = waiting::lock(&self.state_dir().join("lock"), &name_of_copy(&self.root))?;
        let lock = CopyLock { _file: file };
        let kept = match recover(&self.root)? {
            Some(recovered) => {
                // The token is the head that the checkout leads to; empty where it moves none.
                // Where a file was kept, what stands there is no edit of the new tree.
                if let Some(head) =
                    String::from_utf8(recovered.token).ok().filter(|h| !h.is_empty())
                    && recovered.kept.is_empty()
                {
                    self.set_head(&head)?;
                }
                recovered.kept
            }
            None => Vec::new(),
        };
        Ok((lock, kept))
    }

    /// As [`WorkingCopy::lock`], but `None` where another process holds it.
    pub fn try_lock(&self) -> Result<Option<CopyLock>, SyncError> {
        if waiting::try_lock(&self.state_dir().join("lock"))?.is_none() {
            return Ok(None);
        }
        self.lock().map(|(lock, _)| Some(lock))
    }

    /// The snapshot that the folder is based on.
    pub fn head(&self) -> Result<Option<String>, SyncError> {
        let path = self.state_dir().join("head");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned()).filter(|head| !head.is_empty())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SyncError::io("read", &path)(error)),
        }
    }

    /// Forgets what is known of the files, so that the next scan reads them all.
    pub(crate) fn forget_index(&self) -> Result<(), SyncError> {
        let path = self.state().index();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(SyncError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Bases the folder on a snapshot. The caller holds the lock.
    pub fn set_head(&self, snapshot_id: &str) -> Result<(), SyncError> {
        self.replace("head", format!("{snapshot_id}\n").as_bytes())
    }

    /// Replaces a file of the state folder in one step, durably.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), SyncError> {
        let (dir, path) = (self.state_dir(), self.state_dir().join(name));
        let replace = || {
            let mut file = tempfile::Builder::new().prefix("new-").tempfile_in(&dir)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&dir)?.sync_all()
        };
        replace().map_err(SyncError::io("write", &path))
    }
}

fn name_of_copy(root: &Path) -> String {
    format!("the working copy {}", root.display())
}
