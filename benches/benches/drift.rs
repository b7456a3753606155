//! Drift between trees of a million files, in memory.

use criterion::{Criterion, criterion_group, criterion_main};
use fastest_benches::project::{FILES_PER_FOLDER, project};
use fastest_core::compare::drift::{drift, drift_counts};
use fastest_core::object::memory::MemoryObjects;

/// The number of folders. With [`FILES_PER_FOLDER`] (16) files in each, they hold a million files.
const FOLDERS: u64 = 62_500;

fn drift_of_a_million(c: &mut Criterion) {
    let objects = MemoryObjects::default();
    let files = FOLDERS * FILES_PER_FOLDER;
    let old = project(FOLDERS, |_| 0, &objects);
    let few = project(FOLDERS, |n| u64::from(n % (files / 10) == 7), &objects);
    let all = project(FOLDERS, |_| 1, &objects);
    assert_eq!(drift(&old.id, &few.id, &objects).unwrap().both_different.len(), 10);
    let mut group = c.benchmark_group("drift of 1,000,000 files");
    group.sample_size(10);
    group.bench_function("10 differ", |b| b.iter(|| drift(&old.id, &few.id, &objects).unwrap()));
    group.bench_function("all differ, counts", |b| {
        b.iter(|| drift_counts(&old.id, &all.id, &objects).unwrap())
    });
    group.bench_function("all differ, lists", |b| {
        b.iter(|| drift(&old.id, &all.id, &objects).unwrap())
    });
    group.finish();
}

criterion_group!(benches, drift_of_a_million);
criterion_main!(benches);
