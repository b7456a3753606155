//! The pieces of the hot path, each for itself.

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fastest_benches::project;
use fastest_core::checkout::{Folding, Plan, execute};
use fastest_core::chunk::write_content;
use fastest_core::object::{MemoryObjects, NoSink, ObjectSource};
use fastest_core::progress::Progress;
use fastest_core::scan::{IndexUse, scan};
use fastest_core::stat_index::StatIndex;
use fastest_core::state_dir::StateDir;
use fastest_core::store::Store;
use fastest_core::tree::{read_directory, write_directory};

fn directories(c: &mut Criterion) {
    let objects = MemoryObjects::default();
    let root = project(1, |_| 0, &objects);
    let part = read_directory(&root.id, &objects).unwrap()[0].1.tree_id().unwrap();
    let folder = read_directory(&part, &objects).unwrap()[0].1.tree_id().unwrap();
    let template = read_directory(&folder, &objects).unwrap();
    let mut group = c.benchmark_group("directory");
    for entries in [16usize, 200_000] {
        let entries: Vec<_> = (0..entries)
            .map(|n| (format!("file{n:08}.rs").into_bytes(), template[n % template.len()].1))
            .collect();
        group.throughput(Throughput::Elements(entries.len() as u64));
        group.bench_function(format!("write {} entries", entries.len()), |b| {
            b.iter(|| write_directory(black_box(&entries), &NoSink).unwrap())
        });
        let wide = write_directory(&entries, &objects).unwrap();
        group.bench_function(format!("read {} entries", entries.len()), |b| {
            b.iter(|| read_directory(&wide.id, &objects).unwrap())
        });
    }
    group.finish();
}

fn content(c: &mut Criterion) {
    let bytes: Vec<u8> =
        (0..32u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut group = c.benchmark_group("content");
    for size in [4 << 10, 1 << 20, 32 << 20] {
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("hash and chunk {} KiB", size >> 10), |b| {
            b.iter(|| write_content(&mut black_box(&bytes[..size]), &NoSink).unwrap())
        });
    }
    group.finish();
}

/// 10,000 small files in 100 folders, on the real file system.
fn working_copy(c: &mut Criterion) {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().join("copy");
    for folder in 0..100 {
        let folder = root.join(format!("folder{folder:03}"));
        fs::create_dir_all(&folder).unwrap();
        for file in 0..100 {
            fs::write(folder.join(format!("file{file:03}")), format!("{file}\n").repeat(300))
                .unwrap();
        }
    }
    let state = StateDir::of(&root);
    fs::create_dir_all(state.path()).unwrap();
    let store = Store::open(&scratch.path().join("store")).unwrap();
    let take = |index: &StatIndex, store: &Store| {
        let writer = store.writer();
        let scan = scan(&root, index, &writer, IndexUse::Replace, &Progress::default()).unwrap();
        writer.finish().unwrap();
        scan
    };
    let mut group = c.benchmark_group("10,000 files");
    group.sample_size(10);
    group.bench_function("first scan and pack", |b| {
        b.iter_with_setup(
            || {
                let dir = tempfile::tempdir_in(scratch.path()).unwrap();
                (Store::open(dir.path()).unwrap(), dir)
            },
            |(store, _dir)| take(&StatIndex::empty(), &store),
        )
    });
    take(&StatIndex::empty(), &store);
    std::thread::sleep(std::time::Duration::from_millis(50));
    // The second scan finds nothing racy, and its index vouches for every file.
    let first = take(&StatIndex::empty(), &store);
    let index = first.index.expect("an index of nothing is replaced");
    group.bench_function("unchanged scan", |b| b.iter(|| take(&index, &store)));
    let id = *read_directory(&first.root.id, &store).unwrap()[0].1.tree_id().unwrap().as_bytes();
    group.bench_function("look an object up and read it", |b| {
        b.iter(|| store.object(&fastest_core::id::ObjectId(id)).unwrap())
    });
    group.bench_function("check out", |b| {
        b.iter_with_setup(
            || tempfile::tempdir_in(scratch.path()).unwrap(),
            |dir| {
                let state = StateDir::of(dir.path());
                let folding = Folding::probe(&state).unwrap();
                let index = StatIndex::empty();
                let plan = Plan::whole(&index, &first.root.id, &store, folding).unwrap();
                let progress = Progress::default();
                execute(dir.path(), plan, &index, &store, b"", &progress).unwrap();
                dir
            },
        )
    });
    group.finish();
}

criterion_group!(hot_path, directories, content, working_copy);
criterion_main!(hot_path);
