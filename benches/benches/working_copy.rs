//! Working copies: 10,000 small files in 100 folders, on the real file system.

use std::fs;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fastest_core::progress::Progress;
use fastest_core::store::open::Store;
use fastest_core::worktree::checkout::folding::Folding;
use fastest_core::worktree::checkout::plan::Plan;
use fastest_core::worktree::checkout::run::execute;
use fastest_core::worktree::git::Git;
use fastest_core::worktree::git::settings::UserSettings;
use fastest_core::worktree::scan::context::{IndexUse, Selection};
use fastest_core::worktree::scan::report::Scan;
use fastest_core::worktree::scan::run::scan;
use fastest_core::worktree::stat_index::StatIndex;
use fastest_core::worktree::state_dir::StateDir;

fn make(root: &Path) {
    for folder in 0..100 {
        let folder = root.join(format!("folder{folder:03}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..100 {
            fs::write(folder.join(format!("file{file:03}")), format!("{file}\n").repeat(300))
                .unwrap();
        }
    }
    fs::create_dir_all(StateDir::of(root).path()).unwrap();
}

fn take(root: &Path, index: &StatIndex, store: &Store) -> Scan {
    let writer = store.writer();
    let head = index.root().map(|root| root.id);
    let git = Git::of(root, &UserSettings::default());
    let (untrack, left, databases) = (&[], &[], None);
    let selection = Selection { head, source: store, git: &git, untrack, left, databases };
    let progress = Progress::default();
    let scan = scan(root, index, selection, &writer, IndexUse::Replace, &progress).unwrap();
    writer.finish().unwrap();
    scan
}

fn working_copy(c: &mut Criterion) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("copy");
    make(&root);
    let empty = StatIndex::empty();
    let mut group = c.benchmark_group("10,000 files");
    group.sample_size(10);
    group.bench_function("first scan and pack", |b| {
        b.iter_with_setup(
            || {
                let dir = tempfile::tempdir_in(scratch.path()).unwrap();
                (Store::open(dir.path()).unwrap(), dir)
            },
            // Returned, so that criterion drops it outside of the measured time: the drop deletes a
            // folder of packs.
            |(store, dir)| (take(&root, &empty, &store), store, dir),
        )
    });
    let store = Store::open(&scratch.path().join("store")).unwrap();
    // By the second scan no file is racy any more, so every entry of its index can be trusted.
    take(&root, &empty, &store);
    std::thread::sleep(Duration::from_millis(50));
    let first = take(&root, &empty, &store);
    let index = first.index.expect("an index of nothing is replaced");
    group.bench_function("unchanged scan", |b| b.iter(|| take(&root, &index, &store)));
    group.bench_function("check out", |b| {
        b.iter_with_setup(
            || tempfile::tempdir_in(scratch.path()).unwrap(),
            |dir| {
                let folding = Folding::probe(&StateDir::of(dir.path())).unwrap();
                let plan = Plan::whole(&empty, &first.root.id, &store, folding).unwrap();
                execute(dir.path(), plan, &empty, &store, b"", &Progress::default()).unwrap();
                dir
            },
        )
    });
    group.finish();
}

criterion_group!(benches, working_copy);
criterion_main!(benches);
