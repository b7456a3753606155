//! Modes and groups: who may read a store, a primary that is a file, and folders of packs.
//!
//! A store is private to its owner, and a new primary to its creator. Files that are created beside
//! an existing primary take the modes and the group of its file, and those in a chosen folder of
//! packs take the modes and the group of the folder. So no setting has to record that a place is
//! shared, and modes that were changed by hand count too. SQLite does the same with its `-wal` and
//! `-shm` files. Modes are set after a file is created, because the umask removes bits.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use fastest_core::files::{disk, private};

/// The mode of a group's folders. Because of the setgid bit, files and folders that are created in
/// them belong to the group too.
const SHARED_DIR: u32 = 0o2770;
const SHARED_FILE: u32 = 0o660;

/// Why a primary cannot be shared with a group.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// It is on a server, whose tokens decide who may do what.
    #[error("{url} is not a file: --shared is for a primary that is a file")]
    NotAFile {
        /// The address.
        url: String,
    },
    /// It is in the store, which is private to its owner.
    #[error(
        "{} lies in the store, which is its owner's alone: take a file outside of it",
        path.display()
    )]
    InStore {
        /// The primary.
        path: PathBuf,
    },
    /// The system knows no such group.
    #[error("there is no group {name:?} in /etc/group: name one of those, or give its number")]
    NoGroup {
        /// The name.
        name: String,
    },
    /// The user is not in the group, or does not own the file.
    #[error(
        "{} cannot be given to group {group}: only its owner can do that, and only if they are a member of \
         the group (new members log in again first)",
        path.display()
    )]
    NotPermitted {
        /// The file or folder.
        path: PathBuf,
        /// The group's name.
        group: String,
    },
    /// Members could not create files beside the database.
    #[error(
        "group {group} may not make files in {}, as SQLite does beside a database: take a folder of its own \
         (mkdir DIR && chgrp {group} DIR && chmod 2770 DIR)",
        path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The group's name.
        group: String,
    },
    /// The file system failed.
    #[error("cannot share {} with the group: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The modes and the group of files and folders that are created in a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sharing {
    file: u32,
    dir: u32,
    /// `None` if the group has the same permissions as everybody, so that it does not matter which
    /// group it is.
    group: Option<u32>,
}

impl Sharing {
    const PRIVATE: Self = Self { file: private::FILE_MODE, dir: private::DIR_MODE, group: None };

    /// Returns the modes and the group that new files and folders take from the file or folder at
    /// `path`; private ones if there is none.
    pub(crate) fn of(path: &Path) -> Self {
        let Ok(data) = fs::metadata(path) else { return Self::PRIVATE };
        let file = data.mode() & 0o666 | private::FILE_MODE;
        let is_of_group = file & 0o060 != (file & 0o006) << 3;
        // Members who may write to the file also create files beside it, which must belong to the
        // group.
        let set_group = if file & 0o020 != 0 { 0o2000 } else { 0 };
        let dir = file | (file & 0o444) >> 2 | set_group;
        Self { file, dir, group: is_of_group.then_some(data.gid()) }
    }

    /// Creates a folder and its missing parents. Each gets its modes first and then its name:
    /// otherwise, a process that is killed in between would leave a folder that is closed to all
    /// others.
    pub(crate) fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        self.create_dir_all(parent)?;
        let made = disk::create_temporary_dir(parent, private::DIR_MODE)?;
        private::share(made.path(), self.group, self.dir)?;
        match made.persist(dir) {
            // Another process was first.
            Err(_) if dir.is_dir() => Ok(()),
            made => made,
        }
    }

    /// Sets the modes and the group of a file, before it gets its name.
    pub(crate) fn settle(&self, file: &File) -> io::Result<()> {
        let data = file.metadata()?;
        if let Some(group) = self.group.filter(|group| *group != data.gid()) {
            fchown(file, None, Some(group))?;
        }
        if data.mode() & 0o777 == self.file {
            Ok(())
        } else {
            disk::set_file_permissions(file, self.file)
        }
    }
}

/// A group, and its name for messages.
struct Group<'a> {
    name: &'a str,
    id: u32,
}

/// Lets a group read and write the primary in the file at `primary`, which is created if it is
/// missing, and the packs in the folder `packs`, if there is one.
pub(crate) fn share(primary: &Path, packs: Option<&Path>, group: &str) -> Result<(), ShareError> {
    let group = Group::find(group)?;
    let folder = primary.parent().unwrap_or(Path::new("/"));
    let folder = &folder.canonicalize().map_err(io_error(folder))?;
    group.take_folder(folder, primary, packs)?;
    private::create_file(primary).map_err(io_error(primary))?;
    for name in names_of(primary) {
        let path = primary.with_file_name(name);
        if path == *primary || path.symlink_metadata().is_ok_and(|data| data.is_file()) {
            group.set(&path, SHARED_FILE)?;
        }
    }
    match packs {
        Some(packs) => {
            private::create_dir_all(packs).map_err(io_error(packs))?;
            group.set_below(packs)
        }
        None => Ok(()),
    }
}

/// Returns the names of a database and of the files that SQLite creates beside it.
fn names_of(primary: &Path) -> [OsString; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| {
        let mut name = primary.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        name
    })
}

impl<'a> Group<'a> {
    /// Finds the group of this name or number.
    fn find(name: &'a str) -> Result<Self, ShareError> {
        // To `chown`, the largest number means that the group stays as it is.
        if let Ok(id) = name.parse()
            && id != u32::MAX
        {
            return Ok(Self { name, id });
        }
        let path = Path::new("/etc/group");
        let groups = fs::read_to_string(path).map_err(io_error(path))?;
        // `name:password:number:members`
        let id = groups.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
        });
        match id {
            Some(id) => Ok(Self { name, id }),
            None => Err(ShareError::NoGroup { name: name.to_owned() }),
        }
    }

    /// Makes sure that members can create files in the primary's folder, and that these belong to
    /// the group. Fails, and changes nothing, if that needs a change and the folder has other files
    /// in it.
    fn take_folder(
        &self,
        folder: &Path,
        primary: &Path,
        packs: Option<&Path>,
    ) -> Result<(), ShareError> {
        let data = fs::metadata(folder).map_err(io_error(folder))?;
        if data.gid() == self.id && data.mode() & SHARED_DIR == SHARED_DIR {
            return Ok(());
        }
        let packs = packs.and_then(Path::file_name).map(OsStr::to_owned);
        let own: Vec<OsString> = names_of(primary).into_iter().chain(packs).collect();
        for entry in fs::read_dir(folder).map_err(io_error(folder))? {
            let name = entry.map_err(io_error(folder))?.file_name();
            if !own.contains(&name) {
                let (path, group) = (folder.to_owned(), self.name.to_owned());
                return Err(ShareError::Folder { path, group });
            }
        }
        self.set(folder, SHARED_DIR)
    }

    /// Sets the group and the modes of a folder and everything in it.
    fn set_below(&self, dir: &Path) -> Result<(), ShareError> {
        let shared = private::share_below(dir, self.id, (SHARED_DIR, SHARED_FILE));
        shared.map_err(|(path, error)| self.failed(&path, error))
    }

    fn set(&self, path: &Path, mode: u32) -> Result<(), ShareError> {
        private::share(path, Some(self.id), mode).map_err(|error| self.failed(path, error))
    }

    fn failed(&self, path: &Path, error: io::Error) -> ShareError {
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                let (path, group) = (path.to_owned(), self.name.to_owned());
                ShareError::NotPermitted { path, group }
            }
            _ => io_error(path)(error),
        }
    }
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ShareError {
    let path = path.to_owned();
    move |source| ShareError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sharing(mode: u32, is_dir: bool) -> (u32, u32, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        if is_dir {
            fs::create_dir(&path).unwrap()
        } else {
            fs::write(&path, "").unwrap()
        }
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        let Sharing { file, dir, group } = Sharing::of(&path);
        (file, dir, group.is_some())
    }

    #[test]
    fn what_is_made_follows_what_is_there() {
        assert_eq!(Sharing::of(Path::new("/nowhere/p")), Sharing::PRIVATE);
        for (mode, expected) in [
            (0o600, (0o600, 0o700, false)),
            (0o660, (0o660, 0o2770, true)),
            (0o640, (0o640, 0o750, true)),
            (0o644, (0o644, 0o755, false)),
            (0o664, (0o664, 0o2775, true)),
            (0o666, (0o666, 0o2777, false)),
        ] {
            assert_eq!(sharing(mode, false), expected, "{mode:o}");
        }
        assert_eq!(sharing(0o2770, true), (0o660, 0o2770, true));
        assert_eq!(sharing(0o700, true), (0o600, 0o700, false));
        assert_eq!(sharing(0o755, true), (0o644, 0o755, false));
    }
}
