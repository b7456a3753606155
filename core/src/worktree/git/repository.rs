//! Finds the repository that a folder is in.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::files::regular_file::read_path;

/// The largest file that contains one path, in bytes.
const PATH_FILE_BYTES_MAX: u64 = 64 << 10;

/// A repository with a working tree.
#[derive(Debug)]
pub(super) struct Repository {
    /// The top folder of its working tree.
    pub top: PathBuf,
    /// The folder of what belongs to this working tree, above all the index.
    pub git_dir: PathBuf,
    /// The folder of what all working trees of the repository share.
    pub common_dir: PathBuf,
}

impl Repository {
    /// Returns the repository of the innermost working tree that contains `root`. As in git, the
    /// search ends at the boundary of the file system, and at a repository that belongs to somebody
    /// else.
    pub(super) fn find(root: &Path) -> Option<Self> {
        let own = fs::metadata(root).ok()?;
        for top in root.ancestors() {
            let folder = fs::metadata(top).ok()?;
            if folder.dev() != own.dev() {
                return None;
            }
            let path = top.join(".git");
            let Ok(found) = fs::symlink_metadata(&path) else { continue };
            if found.uid() != own.uid() && found.uid() != rustix::process::geteuid().as_raw() {
                return None;
            }
            let git_dir = if found.is_file() { linked(&path, top) } else { Some(path) };
            if let Some(git_dir) = git_dir.filter(|dir| dir.join("HEAD").exists()) {
                let common_dir = common_dir(&git_dir);
                return Some(Self { top: top.to_owned(), git_dir, common_dir });
            }
        }
        None
    }

    /// Returns the path from the top to `root`, with a slash at the end; empty for the top itself.
    pub(super) fn way(&self, root: &Path) -> Vec<u8> {
        let way = root.strip_prefix(&self.top).expect("the top is above the root");
        match way.as_os_str().as_bytes() {
            [] => Vec::new(),
            way => [way, b"/"].concat(),
        }
    }
}

/// Returns the folder that a `.git` file refers to, as in submodules and linked working trees.
fn linked(path: &Path, folder: &Path) -> Option<PathBuf> {
    let text = read_path(path, PATH_FILE_BYTES_MAX).ok()?;
    let target = text.strip_prefix(b"gitdir:")?.trim_ascii();
    Some(folder.join(std::ffi::OsStr::from_bytes(target)))
}

fn common_dir(git_dir: &Path) -> PathBuf {
    match read_path(&git_dir.join("commondir"), PATH_FILE_BYTES_MAX) {
        Ok(text) => git_dir.join(std::ffi::OsStr::from_bytes(text.trim_ascii())),
        Err(_) => git_dir.to_owned(),
    }
}
