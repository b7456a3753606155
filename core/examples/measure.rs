//! Times scan and checkout of a real tree: `measure TREE [TARGET]`. TARGET is a new folder.
//!
//! The sink remembers ids and keeps nothing, so a scan's figures are those of walking, reading
//! and hashing. A checkout takes its objects from memory. Take them with a warm page cache, and compare within one run only.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use fastest_core::object::error::StoreError;
use fastest_core::object::id::ObjectId;
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSink;
use fastest_core::progress::Progress;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::git::Git;
use fastest_core::worktree::git::settings::UserSettings;
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::error::ScanError;
use fastest_core::worktree::scan::report::Scan;
use fastest_core::worktree::scan::run::scan;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;

/// Remembers which objects it was given.
#[derive(Default)]
struct Ids(Mutex<HashSet<ObjectId>>);

impl ObjectSink for Ids {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.0.lock().expect("no holder panics").contains(id))
    }

    fn put(&self, _: ObjectKind, id: ObjectId, _: &[u8]) -> Result<(), StoreError> {
        self.0.lock().expect("no holder panics").insert(id);
        Ok(())
    }
}

/// A scan on top of the tree that the index describes.
fn take(
    root: &Path,
    index: &StatIndex,
    sink: &dyn ObjectSink,
    progress: &Progress,
) -> Result<Scan, ScanError> {
    let head = index.root().map(|root| root.id);
    let (source, git) = (MemoryObjects::default(), Git::of(root, &UserSettings::default()));
    let (untrack, left, databases) = (&[], &[], None);
    let selection = Selection { head, source: &source, git: &git, untrack, left, databases };
    scan(root, index, selection, sink, IndexUse::Replace, progress)
}

fn main() {
    let tree = std::env::args().nth(1).expect("usage: measure TREE [TARGET]");
    let ids = Ids::default();
    let mut index = StatIndex::empty();
    for round in ["first scan", "second scan", "third scan"] {
        let progress = Progress::default();
        let begun = Instant::now();
        let done = take(Path::new(&tree), &index, &ids, &progress);
        let done = done.expect("the tree can be scanned");
        let (seconds, counts) = (begun.elapsed().as_secs_f64(), progress.counts());
        println!("{round}: {seconds:.3} s, {} files, {} bytes read", counts.files, counts.bytes);
        println!("  {} new index: {}", done.root.id, done.index.is_some());
        index = done.index.unwrap_or(index);
    }
    println!("index of {} bytes", index.encode().len());
    if let Some(target) = std::env::args().nth(2) {
        check_out(Path::new(&tree), Path::new(&target));
    }
}

fn check_out(tree: &Path, target: &Path) {
    let objects = MemoryObjects::default();
    let progress = Progress::default();
    let done = take(tree, &StatIndex::empty(), &objects, &progress);
    let root = done.expect("the tree can be scanned").root.id;
    std::fs::create_dir(target).expect("the target is a new folder");
    let empty = StatIndex::empty();
    let begun = Instant::now();
    let state = StateDir::of(target);
    let folding = Folding::probe(&state).expect("the target can be written");
    let plan = Plan::whole(&empty, &root, &objects, folding).expect("the tree is whole");
    let done = execute(target, plan, &empty, &objects, b"", &Progress::default());
    let done = done.expect("nothing is in the way");
    let seconds = begun.elapsed().as_secs_f64();
    println!("checkout: {seconds:.3} s, {} changes, {} kept", done.changes, done.kept.len());
    let (index, _) = StatIndex::load(&state).expect("an index was saved");
    let begun = Instant::now();
    let progress = Progress::default();
    let again = take(target, &index, &objects, &progress);
    let again = again.expect("the target can be scanned");
    assert_eq!(again.root.id, root);
    let seconds = begun.elapsed().as_secs_f64();
    println!("scan of it: {seconds:.3} s, {} bytes read", progress.counts().bytes);
}
