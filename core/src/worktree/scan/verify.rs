//! Looks once at every file and directory that the index knows, in no order, before anything is
//! listed. What matches the index needs no listing, no names in memory, and no comparison.
//!
//! Most scans find no change, so this is where a scan spends its time: one system call for each
//! file, three for each directory, and none that another thread waits for.

use std::collections::HashSet;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Arc, Mutex};

use rayon::Scope;
use rayon::prelude::*;
use rustix::fs::Mode;

use crate::files::beneath::{Beneath, ON_THE_WAY, look_at};
use crate::files::stat::{Node, Stamp};
use crate::object::path::join;
use crate::worktree::database::database_of;
use crate::worktree::ignore_rules::IgnoreRules;
use crate::worktree::stat_index::{IndexedDirectory, IndexedEntry};

/// If the entries of a directory take more bytes than this in the index, its files are looked at on
/// all threads.
const PARALLEL_OVER_BYTES: usize = 256 << 10;

/// Which directories do not match the index.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Whether anything was looked at. If not, nothing is known to match.
    done: bool,
    /// Directories that must be listed, by the address of their blocks.
    changed: HashSet<usize>,
    /// Directories above these.
    above: HashSet<usize>,
}

/// A directory on the way down from the root.
struct Link {
    place: usize,
    parent: Option<Arc<Link>>,
}

struct Looker<'l> {
    root: &'l Beneath,
    device: i128,
    found: &'l Mutex<Verified>,
}

/// Returns the address of a directory's block, which identifies it within its index.
fn place_of(directory: &IndexedDirectory<'_>) -> usize {
    directory.extent().as_ptr() as usize
}

impl Verified {
    /// Looks at everything that an index knows of the folder `root`, which is on `device`.
    pub(super) fn look(root: &Beneath, device: i128, top: IndexedDirectory<'_>) -> Self {
        let found = Mutex::new(Self { done: true, ..Self::default() });
        let looker = Looker { root, device, found: &found };
        let link = Arc::new(Link { place: place_of(&top), parent: None });
        rayon::scope(|scope| looker.directory(scope, Vec::new(), top, link));
        found.into_inner().expect("no holder panics")
    }

    /// Returns whether a directory and everything below matches the index, under the rules of that
    /// directory.
    pub(super) fn matches_whole(
        &self,
        directory: &IndexedDirectory<'_>,
        rules: &IgnoreRules,
    ) -> bool {
        self.matches_names(directory, rules) && !self.above.contains(&place_of(directory))
    }

    /// Returns whether the names in a directory, and its own files, match the index.
    pub(super) fn matches_names(
        &self,
        directory: &IndexedDirectory<'_>,
        rules: &IgnoreRules,
    ) -> bool {
        self.done
            && !self.changed.contains(&place_of(directory))
            && directory.listed().is_some_and(|listed| listed.rules == rules.id())
    }

    fn note(&mut self, link: &Link) {
        self.changed.insert(link.place);
        let mut above = link.parent.as_ref();
        while let Some(link) = above {
            if !self.above.insert(link.place) {
                break;
            }
            above = link.parent.as_ref();
        }
    }
}

impl<'l> Looker<'l> {
    /// Looks at a directory and its files, and spawns the same for its subdirectories.
    fn directory<'s>(
        &'s self,
        scope: &Scope<'s>,
        path: Vec<u8>,
        directory: IndexedDirectory<'s>,
        link: Arc<Link>,
    ) where
        'l: 's,
    {
        for entry in directory.entries() {
            let Some(below) = entry.directory else { continue };
            let path = join(&path, entry.name);
            let link = Arc::new(Link { place: place_of(&below), parent: Some(Arc::clone(&link)) });
            scope.spawn(move |scope| self.directory(scope, path, below, link));
        }
        if !self.is_unchanged(&path, &directory) {
            self.found.lock().expect("no holder panics").note(&link);
        }
    }

    /// Returns whether the names in a directory are those of the index, and each of its files is
    /// unchanged. False for what cannot be looked at: the listing that follows will say why.
    fn is_unchanged(&self, path: &[u8], directory: &IndexedDirectory<'_>) -> bool {
        let Some(listed) = directory.listed() else { return false };
        let opened;
        let fd = match path {
            [] => self.root.as_fd(),
            path => match self.root.open(path, ON_THE_WAY, Mode::empty()) {
                Ok(fd) => {
                    opened = fd;
                    opened.as_fd()
                }
                Err(_) => return false,
            },
        };
        let Ok(stat) = rustix::fs::fstat(fd) else { return false };
        // Another file system may be mounted there, on which the stamp means nothing.
        if i128::from(stat.st_dev) != self.device || Stamp::from(&stat) != listed.stamp {
            return false;
        }
        let mut files = directory.entries().filter(|entry| entry.directory.is_none());
        // An earlier build treated the files beside a database as content.
        let is_same = |directory, entry: &IndexedEntry<'_>| {
            database_of(entry.name).is_none() && is_same(directory, entry)
        };
        if directory.entries_bytes() <= PARALLEL_OVER_BYTES {
            files.all(|entry| is_same(fd, &entry))
        } else {
            files.collect::<Vec<_>>().par_iter().all(|entry| is_same(fd, entry))
        }
    }
}

fn is_same(directory: BorrowedFd<'_>, entry: &IndexedEntry<'_>) -> bool {
    match look_at(directory, entry.name) {
        Ok(Some(Node::Content(kind, stat))) => entry.vouches_for(kind, &stat),
        _ => false,
    }
}
