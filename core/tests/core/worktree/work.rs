//! A working copy in a temporary folder, and a naive listing of it to compare with.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fastest_core::object::id::TreeId;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSink;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::error::CheckoutError;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::outcome::Checkout;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::git::Git;
use fastest_core::worktree::git::settings::UserSettings;
use fastest_core::worktree::left;
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::error::ScanError;
use fastest_core::worktree::scan::report::Scan;
use fastest_core::worktree::scan::run::scan;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;

/// The entry at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    File(Vec<u8>),
    Executable(Vec<u8>),
    Link(PathBuf),
    Directory,
}

/// A working copy, and all objects that its scans stored.
pub struct Work {
    folder: Arc<tempfile::TempDir>,
    root: PathBuf,
    pub objects: MemoryObjects,
    /// Where the user's git settings are.
    pub user: UserSettings,
}

impl Work {
    pub fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let root = folder.path().canonicalize().unwrap();
        Self::at(folder, root)
    }

    fn at(folder: Arc<tempfile::TempDir>, root: PathBuf) -> Self {
        fs::create_dir_all(root.join(".fastest")).unwrap();
        let (objects, user) = Default::default();
        Self { folder, root, objects, user }
    }

    /// Creates a working copy in a folder of this one.
    pub fn within(&self, folder: &str) -> Self {
        Self::at(Arc::clone(&self.folder), self.path(folder))
    }

    /// Creates another, empty working copy, with the objects of this one.
    pub fn clone_into_new(self) -> Self {
        Self { objects: self.objects, ..Self::new() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    pub fn state(&self) -> StateDir {
        StateDir::of(self.root())
    }

    pub fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn index(&self) -> StatIndex {
        StatIndex::load(&self.state()).unwrap().0
    }

    pub fn try_scan(&self, index: &StatIndex, index_use: IndexUse) -> Result<Scan, ScanError> {
        self.scan_to(index, &self.objects, index_use, &Progress::default())
    }

    /// Scans on top of the tree that the saved index describes.
    pub fn scan_to(
        &self,
        index: &StatIndex,
        sink: &dyn ObjectSink,
        index_use: IndexUse,
        progress: &Progress,
    ) -> Result<Scan, ScanError> {
        self.scan_with(index, sink, index_use, progress, &[])
    }

    fn scan_with(
        &self,
        index: &StatIndex,
        sink: &dyn ObjectSink,
        index_use: IndexUse,
        progress: &Progress,
        untrack: &[Vec<u8>],
    ) -> Result<Scan, ScanError> {
        let git = Git::of(self.root(), &self.user);
        let head = self.index().root().map(|root| root.id);
        let left = left::load(&self.state()).unwrap();
        let (source, databases) = (&self.objects, None);
        let selection = Selection { head, source, git: &git, untrack, left: &left, databases };
        scan(self.root(), index, selection, sink, index_use, progress)
    }

    /// Like [`Work::snapshot`], without `path`.
    pub fn untrack(&self, path: &str) -> TreeId {
        let untrack = [path.as_bytes().to_vec()];
        let (index, progress) = (self.index(), Progress::default());
        let scan = self.scan_with(&index, &self.objects, IndexUse::Replace, &progress, &untrack);
        self.keep(scan.unwrap())
    }

    fn keep(&self, scan: Scan) -> TreeId {
        if let Some(index) = scan.index {
            index.save(&self.state()).unwrap();
        }
        scan.root.id
    }

    /// Scans by the saved index, and saves the new one.
    pub fn snapshot(&self) -> TreeId {
        self.keep(self.try_scan(&self.index(), IndexUse::Replace).unwrap())
    }

    /// Scans without an index, and saves nothing.
    pub fn fresh(&self) -> TreeId {
        self.try_scan(&StatIndex::empty(), IndexUse::Replace).unwrap().root.id
    }

    /// Returns how many bytes the next scan by the saved index would read.
    pub fn bytes_to_read(&self) -> u64 {
        let progress = Progress::default();
        self.scan_to(&self.index(), &self.objects, IndexUse::Replace, &progress).unwrap();
        progress.counts().bytes
    }

    pub fn plan(&self, to: &TreeId) -> Plan {
        Plan::whole(&self.index(), to, &self.objects, Folding::default()).unwrap()
    }

    pub fn try_checkout(&self, to: &TreeId) -> Result<Checkout, CheckoutError> {
        let (plan, index) = (self.plan(to), self.index());
        execute(self.root(), plan, &index, &self.objects, b"head", &Progress::default())
    }

    /// Does a checkout that nothing may hinder.
    pub fn checkout(&self, to: &TreeId) {
        let done = self.try_checkout(to).unwrap();
        assert!(done.kept.is_empty(), "{:?}", done.kept);
    }

    /// Returns all paths except those of the state folder.
    pub fn listing(&self) -> BTreeMap<PathBuf, Thing> {
        let mut all = BTreeMap::new();
        list(self.root(), Path::new(""), &mut all);
        all
    }
}

fn list(root: &Path, below: &Path, all: &mut BTreeMap<PathBuf, Thing>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name().as_bytes() == b".fastest" {
            continue;
        }
        let path = below.join(entry.file_name());
        let metadata = fs::symlink_metadata(entry.path()).unwrap();
        let thing = if metadata.is_dir() {
            list(root, &path, all);
            Thing::Directory
        } else if metadata.is_symlink() {
            Thing::Link(fs::read_link(entry.path()).unwrap())
        } else if metadata.permissions().mode() & 0o100 != 0 {
            Thing::Executable(fs::read(entry.path()).unwrap())
        } else {
            Thing::File(fs::read(entry.path()).unwrap())
        };
        all.insert(path, thing);
    }
}

pub fn set_executable(path: &Path, executable: bool) {
    let mode = if executable { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
