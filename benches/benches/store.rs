//! The store on disk: packs written, read and imported, and look-ups in the index.

use std::fs::File;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use fastest_benches::project::noise;
use fastest_core::object::id::{BlobId, ObjectId};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::source::{ObjectSink, ObjectSource};
use fastest_core::store::open::Store;
use fastest_core::store::pack::PackInfo;

/// Bytes of each object in the packs: a small source file.
const OBJECT_BYTES: usize = 8 << 10;
const PACK_BYTES: usize = 32 << 20;

fn blobs(bytes: &[u8], size: usize) -> Vec<(ObjectId, &[u8])> {
    bytes.chunks(size).map(|blob| (BlobId::of(blob).into(), blob)).collect()
}

fn write(store: &Store, blobs: &[(ObjectId, &[u8])]) -> Vec<PackInfo> {
    let writer = store.writer();
    for (id, blob) in blobs {
        writer.put(ObjectKind::Blob, *id, blob).unwrap();
    }
    writer.finish().unwrap()
}

fn read(store: &Store, blobs: &[(ObjectId, &[u8])]) -> usize {
    blobs.iter().map(|(id, _)| store.object(id).unwrap().len()).sum()
}

/// Creates a folder for a store, in `scratch`.
fn folder(scratch: &Path) -> tempfile::TempDir {
    tempfile::tempdir_in(scratch).unwrap()
}

fn pack(c: &mut Criterion) {
    let scratch = tempfile::tempdir().unwrap();
    let bytes = noise(PACK_BYTES);
    let blobs = blobs(&bytes, OBJECT_BYTES);
    let mut group = c.benchmark_group("pack of 4,096 objects, 32 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(PACK_BYTES as u64));
    // In one thread, including fsyncs and the index.
    group.bench_function("write", |b| {
        b.iter_with_setup(
            || folder(scratch.path()),
            |folder| {
                write(&Store::open(folder.path()).unwrap(), &blobs);
                folder
            },
        )
    });
    let home = folder(scratch.path());
    let store = Store::open(home.path()).unwrap();
    let packs = write(&store, &blobs);
    assert_eq!(read(&store, &blobs), PACK_BYTES);
    // A store that was just opened has no block in memory.
    group.bench_function("read", |b| {
        b.iter_with_setup(
            || Store::open(home.path()).unwrap(),
            |store| {
                read(&store, &blobs);
                store
            },
        )
    });
    group.bench_function("import", |b| {
        b.iter_with_setup(
            || folder(scratch.path()),
            |folder| {
                let other = Store::open(folder.path()).unwrap();
                for pack in &packs {
                    let mut file = File::open(store.pack_path(&pack.id)).unwrap();
                    other.import_pack(&pack.id, &mut file).unwrap();
                }
                folder
            },
        )
    });
    group.finish();
}

/// A segment of a thousand objects is held in memory; one of 100,000 is read on demand.
fn index(c: &mut Criterion) {
    let bytes = noise(16 * 100_000);
    let mut group = c.benchmark_group("index");
    for count in [1_000, 100_000] {
        let home = tempfile::tempdir().unwrap();
        let blobs = blobs(&bytes[..16 * count], 16);
        let store = Store::open(home.path()).unwrap();
        write(&store, &blobs);
        let missing: Vec<ObjectId> =
            (0..count).map(|n| BlobId::of(&n.to_le_bytes()).into()).collect();
        let held: Vec<ObjectId> = blobs.iter().map(|(id, _)| *id).collect();
        for (what, ids) in [("one that is there", held), ("one that is not", missing)] {
            let mut ids = ids.iter().cycle();
            group.bench_function(BenchmarkId::new(what, count), |b| {
                b.iter(|| store.locate(ids.next().unwrap()).unwrap())
            });
        }
        let mut ids = blobs.iter().map(|(id, _)| id).cycle();
        group.bench_function(BenchmarkId::new("one that is there, with its bytes", count), |b| {
            b.iter(|| store.object(ids.next().unwrap()).unwrap())
        });
    }
    group.finish();
}

criterion_group!(benches, pack, index);
criterion_main!(benches);
