//! One look at every file and directory that the index knows, in no order, before anything is
//! listed. What is as the index has it needs no listing, no names in memory, and no comparing.
//!
//! Most scans find nothing, so this is where a scan spends its time: a call of the system for each
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

/// A directory whose entries take more bytes in the index has its files looked at by all threads.
const PARALLEL_OVER_BYTES: usize = 256 << 10;

/// Which directories of an index are not as the index has them.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Whether anything was looked at: without, nothing is vouched for.
    done: bool,
    /// Directories that must be listed, by the place of their blocks in the index.
    changed: HashSet<usize>,
    /// Directories above these.
    above: HashSet<usize>,
}

/// A directory on the way down.
struct Link {
    place: usize,
    parent: Option<Arc<Link>>,
}

struct Looker<'l> {
    root: &'l Beneath,
    device: i128,
    found: &'l Mutex<Verified>,
}

/// The place of a directory's block in memory, which tells it from all others of its index.
fn place_of(directory: &IndexedDirectory<'_>) -> usize {
    directory.extent().as_ptr() as usize
}

impl Verified {
    /// Looks at all that an index knows of the folder `root`, which lies on `device`.
    pub(super) fn look(root: &Beneath, device: i128, top: IndexedDirectory<'_>) -> Self {
        let found = Mutex::new(Self { done: true, ..Self::default() });
        let looker = Looker { root, device, found: &found };
        let link = Arc::new(Link { place: place_of(&top), parent: None });
        rayon::scope(|scope| looker.directory(scope, Vec::new(), top, link));
        found.into_inner().expect("no holder panics")
    }

    /// Whether a directory is as the index has it, with all below, given the rules that hold in it.
    pub(super) fn whole(&self, directory: &IndexedDirectory<'_>, rules: &IgnoreRules) -> bool {
        self.names(directory, rules) && !self.above.contains(&place_of(directory))
    }

    /// Whether the names in a directory, and its own files, are as the index has them.
    pub(super) fn names(&self, directory: &IndexedDirectory<'_>, rules: &IgnoreRules) -> bool {
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
    /// Looks at a directory and its files, and has its subdirectories looked at, on all threads.
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

    /// Whether the names in a directory are those that the index lists, and each file is unchanged.
    /// Whatever cannot be looked at is not: the listing that follows will say why.
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
        // Another file system may be mounted there, which does not date names.
        if i128::from(stat.st_dev) != self.device || Stamp::from(&stat) != listed.stamp {
            return false;
        }
        let mut files = directory.entries().filter(|entry| entry.directory.is_none());
        // An earlier build took what stands beside a database for content.
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
