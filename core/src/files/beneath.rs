//! Access to what is below a folder through the folder's handle, so that no link leads out of it.
//!
//! Others may write to a working copy while it is read or changed: an editor, a build, an agent
//! that is not trusted. A path that was just checked may lead elsewhere a moment later. So nothing
//! here opens a path from the top of the file system. Every name is looked up in a folder that is
//! already open, and no link is followed, not even as the last name. On Linux one call (`openat2`)
//! does this for a whole path. Elsewhere, and where the call is forbidden, names are opened one by
//! one.
//!
//! All of core's changes to a working copy go through [`change`]; a test checks this.

pub(crate) mod change;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::files::stat::Node;
use crate::object::path::split;

/// Flags for opening a directory: never through a link as the last name.
pub(crate) const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Flags for opening a file to read it. `NONBLOCK`, because opening a FIFO that took the file's
/// place must not wait.
pub(crate) const READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// The longest path that the system accepts in one call, without the NUL at its end.
const PATH_BYTES_MAX: usize = 4095;

/// A folder, and everything below it.
#[derive(Debug)]
pub(crate) struct Beneath {
    top: OwnedFd,
}

impl Beneath {
    /// Opens a folder. Its own path may contain links.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self { top: rustix::fs::openat(CWD, folder, flags, Mode::empty())? })
    }

    /// Opens `path`, of any length. `flags` may ask for it to be created, with `mode`.
    ///
    /// # Errors
    /// `NOENT` if a component is missing, `LOOP` or `NOTDIR` if one is a link or a file.
    pub(crate) fn open(&self, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        if path.is_empty() {
            return rustix::fs::openat(&self.top, ".", flags, mode);
        }
        let mut from = None::<OwnedFd>;
        let mut rest = path;
        while rest.len() > PATH_BYTES_MAX {
            let slash = rest[..PATH_BYTES_MAX].iter().rposition(|&byte| byte == b'/');
            let slash = slash.ok_or(Errno::NAMETOOLONG)?;
            let at = from.as_ref().map_or(self.top.as_fd(), AsFd::as_fd);
            from = Some(open_below(at, &rest[..slash], ON_THE_WAY, Mode::empty())?);
            rest = &rest[slash + 1..];
        }
        let at = from.as_ref().map_or(self.top.as_fd(), AsFd::as_fd);
        open_below(at, rest, flags, mode)
    }

    /// Opens the directory at `path`; an empty path is the folder itself.
    pub(crate) fn directory(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        self.open(path, DIRECTORY, Mode::empty())
    }

    /// Returns what is at `path`; `None` if nothing is there, or if a component on the way is a
    /// link or a file.
    pub(crate) fn look(&self, path: &[u8]) -> io::Result<Option<Node>> {
        let (parent, name) = split(path);
        if path.is_empty() {
            return Ok(Some(Node::Directory));
        }
        if parent.is_empty() {
            return look_at(&self.top, name);
        }
        match self.open(parent, ON_THE_WAY, Mode::empty()) {
            Ok(parent) => look_at(parent, name),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the target of the link at `path`.
    pub(crate) fn read_link(&self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        let (parent, name) = split(path);
        let parent = self.open(parent, ON_THE_WAY, Mode::empty())?;
        Ok(rustix::fs::readlinkat(parent, name, Vec::new())?.into_bytes())
    }

    /// Opens the parents of paths, one after the other.
    pub(crate) fn parents(&self) -> Parents<'_> {
        Parents { beneath: self, last: None }
    }
}

impl From<OwnedFd> for Beneath {
    fn from(top: OwnedFd) -> Self {
        Self { top }
    }
}

impl AsFd for Beneath {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }
}

/// Flags for opening a directory in which names are only looked up. Cheaper than [`DIRECTORY`], and
/// does not require the right to read the directory.
pub(crate) const ON_THE_WAY: OFlags = {
    #[cfg(target_os = "linux")]
    let flags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let flags = OFlags::RDONLY;
    flags.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC)
};

/// Like [`Beneath::open`], for a path that the system accepts in one call.
#[cfg(target_os = "linux")]
fn open_below(
    at: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Linux has had `openat2` since 5.6. Some containers forbid it.
    static IS_MISSING: AtomicBool = AtomicBool::new(false);
    // With a single name, `NOFOLLOW` is enough.
    if !path.contains(&b'/') {
        return rustix::fs::openat(at, path, flags, mode);
    }
    if !IS_MISSING.load(Ordering::Relaxed) {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        match rustix::fs::openat2(at, path, flags, mode, resolve) {
            Err(Errno::NOSYS) => IS_MISSING.store(true, Ordering::Relaxed),
            Err(Errno::PERM | Errno::AGAIN) => {}
            opened => return opened,
        }
    }
    open_by_names(at, path, flags, mode)
}

#[cfg(not(target_os = "linux"))]
use open_by_names as open_below;

/// Like [`Beneath::open`], one name at a time.
fn open_by_names(
    at: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let (parent, name) = split(path);
    let mut directory = None::<OwnedFd>;
    for component in parent.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
        let at = directory.as_ref().map_or(at, AsFd::as_fd);
        directory = Some(rustix::fs::openat(at, component, ON_THE_WAY, Mode::empty())?);
    }
    rustix::fs::openat(directory.as_ref().map_or(at, AsFd::as_fd), name, flags, mode)
}

/// Returns what is under a name in an open directory, without following links; `None` if there is
/// nothing.
pub(crate) fn look_at(directory: impl AsFd, name: &[u8]) -> io::Result<Option<Node>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Node::from(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Opens the parents of paths, and keeps the last one open.
#[derive(Debug)]
pub(crate) struct Parents<'b> {
    beneath: &'b Beneath,
    last: Option<(Vec<u8>, OwnedFd)>,
}

impl Parents<'_> {
    /// Opens the directory that holds `path`. Returns it with the last name of `path`.
    ///
    /// # Errors
    /// Those of [`Beneath::open`].
    pub(crate) fn open<'p>(&mut self, path: &'p [u8]) -> io::Result<(BorrowedFd<'_>, &'p [u8])> {
        let (parent, name) = split(path);
        if parent.is_empty() {
            return Ok((self.beneath.as_fd(), name));
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            self.last = None;
            self.last = Some((parent.to_vec(), self.beneath.directory(parent)?));
        }
        let (_, directory) = self.last.as_ref().expect("the parent was opened above");
        Ok((directory.as_fd(), name))
    }

    /// Closes the last parent: another directory may have its name now.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_followed_wherever_they_stand() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b/c")).unwrap();
        std::fs::write(root.path().join("a/b/f"), "").unwrap();
        symlink("a", root.path().join("link")).unwrap();
        symlink("b", root.path().join("a/link")).unwrap();
        symlink("f", root.path().join("a/b/link")).unwrap();
        symlink("/proc/self/root", root.path().join("magic")).unwrap();
        let beneath = Beneath::of(root.path()).unwrap();
        let refused = [
            &b"link/f"[..],
            b"link/b/f",
            b"a/link/f",
            b"a/b/link",
            b"missing/f",
            b"a/b/f/g",
            b"magic/etc",
        ];
        let by_name = |path: &[u8]| open_by_names(beneath.as_fd(), path, READ, Mode::empty());
        for (path, is_there) in [&b"a/b/f"[..], b"a/b/c", b"a"]
            .map(|path| (path, true))
            .into_iter()
            .chain(refused.map(|path| (path, false)))
        {
            assert_eq!(beneath.open(path, READ, Mode::empty()).is_ok(), is_there, "{path:?}");
            assert_eq!(by_name(path).is_ok(), is_there, "{path:?}");
        }
        let mut parents = beneath.parents();
        assert_eq!(parents.open(b"f").unwrap().1, b"f");
        assert_eq!(parents.open(b"a/b/f").unwrap().1, b"f");
        for refused in [&b"link/f"[..], b"a/link/f", b"missing/f"] {
            assert!(parents.open(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn paths_longer_than_the_system_takes_are_opened() {
        let root = tempfile::tempdir().unwrap();
        let beneath = Beneath::of(root.path()).unwrap();
        let mut path = Vec::new();
        for depth in 0..60 {
            let name = [b'a' + depth % 26; 200];
            let at = beneath.directory(&path).unwrap();
            change::make_directory(at.as_fd(), &name).unwrap();
            path = crate::object::path::join(&path, &name);
        }
        assert!(path.len() > 2 * PATH_BYTES_MAX);
        assert_eq!(beneath.look(&path).unwrap(), Some(Node::Directory));
        assert_eq!(beneath.parents().open(&path).unwrap().1.len(), 200);
        change::remove_all(beneath.as_fd(), &[b'a'; 200]).unwrap();
        assert_eq!(beneath.look(&[b'a'; 200]).unwrap(), None);
    }
}
