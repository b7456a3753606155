//! Paths below a root, opened one component at a time so that no link leads out of it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

/// How a directory is opened: never through a link in its last component.
pub(crate) const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::RDONLY).union(OFlags::CLOEXEC);

/// Opens the parents of paths, remembering the last one.
#[derive(Debug)]
pub(crate) struct Parents {
    root: OwnedFd,
    last: Option<(Vec<u8>, OwnedFd)>,
}

impl Parents {
    /// The root itself may be reached through links.
    pub(crate) fn below(root: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let root = rustix::fs::openat(CWD, root, flags, Mode::empty())?;
        Ok(Self { root, last: None })
    }

    /// The directory that holds `path`, and the last name of `path`.
    ///
    /// # Errors
    /// Where a component is missing, or is a link or file.
    pub(crate) fn open<'p>(&mut self, path: &'p [u8]) -> io::Result<(BorrowedFd<'_>, &'p [u8])> {
        let (parent, name) = split(path);
        if parent.is_empty() {
            return Ok((self.root.as_fd(), name));
        }
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            self.last = None;
            let mut directory = None::<OwnedFd>;
            for component in parent.split(|&byte| byte == b'/') {
                let at = directory.as_ref().map_or(self.root.as_fd(), AsFd::as_fd);
                directory = Some(rustix::fs::openat(at, component, DIRECTORY, Mode::empty())?);
            }
            self.last = directory.map(|directory| (parent.to_vec(), directory));
        }
        let (_, directory) = self.last.as_ref().expect("the parent was opened above");
        Ok((directory.as_fd(), name))
    }

    /// Forgets the last parent: another directory may bear its name now.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }
}

/// A path's parent, empty for the root, and its last name.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

/// The path of `name` in the directory `parent`, which is empty for the root.
pub(crate) fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_not_followed_wherever_they_stand() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        symlink("a", root.path().join("link")).unwrap();
        symlink("b", root.path().join("a/link")).unwrap();
        let mut parents = Parents::below(root.path()).unwrap();
        assert_eq!(parents.open(b"f").unwrap().1, b"f");
        assert_eq!(parents.open(b"a/b/f").unwrap().1, b"f");
        for refused in [&b"link/f"[..], b"link/b/f", b"a/link/f", b"missing/f", b"../f/../f"] {
            let outcome = parents.open(refused).map(|_| ());
            assert!(outcome.is_err() || refused.starts_with(b".."), "{refused:?}");
        }
    }
}
