//! Which folders are trusted.
//!
//! A `.fastest` records which workspace a folder belongs to, which snapshot it is based on, and
//! which interrupted work to finish in it. If another user of the machine put it there, for example
//! into a shared `/tmp`, it could make a command act for that user. So only the caller's own
//! folders are trusted, and those that the caller lists, as with git's `safe.directory`.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use fastest_core::worktree::state_dir::user_id;

use crate::error::SyncError;

/// The file of a store that lists folders to be trusted regardless of their owner.
pub(crate) const LIST: &str = "safe-folders";
/// The most bytes of that file that are read.
pub(crate) const LIST_BYTES_MAX: u64 = 1 << 20;

/// The folders that are trusted besides the caller's own.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Folders. A path that ends with `/*` covers everything below it, and `*` covers all folders.
    folders: Vec<PathBuf>,
    /// The user who called `sudo`.
    sudo_user: Option<u32>,
}

impl Trust {
    /// Trusts `folders` and, if root runs this under `sudo`, files of the user who called `sudo`.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>, sudo_user: Option<u32>) -> Self {
        Self { folders: folders.into_iter().collect(), sudo_user }
    }

    /// Adds the folders of a list, one a line. Lines that begin with `#` are comments.
    pub(crate) fn add_list(&mut self, text: &[u8]) {
        let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        self.folders.extend(lines.map(|line| PathBuf::from(std::ffi::OsStr::from_bytes(line))));
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.folders.extend(other.folders);
        self.sudo_user = self.sudo_user.or(other.sudo_user);
    }

    /// Refuses a file of somebody else, unless the folder is listed. `root` is the working copy's
    /// root, `path` the file that is opened in it, and `owner` the owner of that file.
    pub(crate) fn check(&self, root: &Path, path: &Path, owner: u32) -> Result<(), SyncError> {
        let user = user_id();
        let is_own = owner == user || user == 0 && self.sudo_user == Some(owner);
        if is_own || self.folders.iter().any(|listed| covers(listed, root)) {
            return Ok(());
        }
        Err(SyncError::ForeignOwner { path: path.to_owned(), owner, user })
    }

    /// Refuses to let root work in the store of the user who called `sudo`: that user could not
    /// read the files that root writes there.
    pub fn check_store(&self, store: &Path) -> Result<(), SyncError> {
        let found = store.ancestors().find_map(|folder| std::fs::metadata(folder).ok());
        let owner = found.map(|found| found.uid());
        let is_listed = self.folders.iter().any(|listed| covers(listed, store));
        match owner.filter(|owner| user_id() == 0 && self.sudo_user == Some(*owner)) {
            Some(owner) if !is_listed => {
                Err(SyncError::StoreOfCaller { path: store.to_owned(), owner })
            }
            _ => Ok(()),
        }
    }

    /// Refuses to make a working copy of a folder whose owner could replace it. Root's folders are
    /// accepted, because root can do so anyway.
    pub(crate) fn check_target(&self, root: &Path) -> Result<(), SyncError> {
        match std::fs::metadata(root) {
            Ok(found) if found.uid() == 0 => Ok(()),
            Ok(found) => self.check(root, root, found.uid()),
            Err(error) => Err(SyncError::io("look at", root)(error)),
        }
    }
}

fn covers(listed: &Path, root: &Path) -> bool {
    if listed == Path::new("*") {
        return true;
    }
    match listed.as_os_str().as_bytes().strip_suffix(b"/*") {
        Some(above) => root.starts_with(std::ffi::OsStr::from_bytes(above)),
        None => listed == root,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_covers_folders_and_what_lies_below_them() {
        let mut trust = Trust::default();
        trust.add_list(b"# ours\n/srv/app\n  /work/*  \n\n");
        let other = user_id() + 1;
        for (root, is_safe) in [
            ("/srv/app", true),
            ("/srv/app/sub", false),
            ("/srv/app-2", false),
            ("/work/a", true),
            ("/work/a/b", true),
            ("/workshop", false),
            ("/", false),
        ] {
            let root = Path::new(root);
            assert_eq!(trust.check(root, root, other).is_ok(), is_safe, "{}", root.display());
            assert!(trust.check(root, root, user_id()).is_ok());
        }
        trust.add_list(b"*");
        assert!(trust.check(Path::new("/"), Path::new("/"), other).is_ok());
    }

    #[test]
    fn only_root_acts_for_whoever_called_sudo() {
        let trust = Trust::new([], Some(user_id() + 1));
        let root = Path::new("/a");
        assert_eq!(trust.check(root, root, user_id() + 1).is_ok(), user_id() == 0);
    }
}
