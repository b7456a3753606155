//! Stores on a real file system: many writers at once, many handles, and the limits.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ObjectId};
use fastest_core::object::kind::{OBJECT_BYTES_MAX, ObjectKind};
use fastest_core::object::source::{ObjectSink, ObjectSource};
use fastest_core::store::open::Store;
use fastest_core::store::pack::{BLOCK_BYTES, PACK_BYTES_TARGET, PackInfo};

use super::model::noise;

/// Stores blobs by one writer.
pub fn put(store: &Store, blobs: &[&[u8]]) -> Vec<PackInfo> {
    let writer = store.writer();
    for blob in blobs {
        let id = BlobId::of(blob).into();
        if !writer.has(&id).unwrap() {
            writer.put(ObjectKind::Blob, id, blob).unwrap();
        }
    }
    writer.finish().unwrap()
}

pub fn read(source: &dyn ObjectSource, blob: &[u8]) -> Result<Vec<u8>, StoreError> {
    source.object(&BlobId::of(blob).into()).map(|object| object.to_vec())
}

pub fn files_in(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

fn blob(number: usize) -> Vec<u8> {
    noise(number * 37 % 5_000, number as u64)
}

#[test]
fn threads_share_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let writer = store.writer();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let writer = &writer;
            scope.spawn(move || {
                // Half of the objects are common to all threads, and half are the thread's own.
                for number in (0..500).chain(1_000 * (thread + 1)..1_000 * (thread + 1) + 500) {
                    let bytes = blob(number);
                    let id: ObjectId = BlobId::of(&bytes).into();
                    writer.put(ObjectKind::Blob, id, &bytes).unwrap();
                    assert!(writer.has(&id).unwrap());
                }
            });
        }
    });
    let packs = writer.finish().unwrap();
    let all: Vec<usize> =
        (0..500).chain((1..=8).flat_map(|t| 1_000 * t..1_000 * t + 500)).collect();
    let ids: BTreeSet<_> = all.iter().map(|number| BlobId::of(&blob(*number))).collect();
    assert_eq!(packs.iter().map(|pack| pack.objects).sum::<u64>(), ids.len() as u64, "each once");
    for number in all {
        assert_eq!(read(&store, &blob(number)).unwrap(), blob(number));
    }
    assert!(store.check().unwrap().faults.is_empty());
    assert_eq!(files_in(&folder.path().join("tmp")), Vec::<std::path::PathBuf>::new());
    assert!(
        put(&store, &[&blob(1), &blob(8_001)]).is_empty(),
        "what is stored is not stored again"
    );
}

#[test]
fn nothing_is_there_before_finish() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let writer = store.writer();
    writer.put(ObjectKind::Blob, BlobId::of(b"x").into(), b"x").unwrap();
    assert!(matches!(read(&store, b"x"), Err(StoreError::Missing { .. })));
    drop(writer);
    assert!(matches!(read(&store, b"x"), Err(StoreError::Missing { .. })));
    assert_eq!(store.packs().unwrap(), []);
    assert_eq!(files_in(&folder.path().join("tmp")).len(), 0);
}

#[test]
fn handles_see_each_other_while_segments_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let [one, two] = [(); 2].map(|()| Store::open(folder.path()).unwrap());
    for number in 0..40 {
        let (writer, reader) = if number % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let bytes = format!("object {number}").into_bytes();
        assert_eq!(put(writer, &[&bytes]).len(), 1);
        assert_eq!(read(reader, &bytes).unwrap(), bytes);
    }
    let segments = files_in(&folder.path().join("index")).len();
    assert!(segments <= 9, "{segments} segments");
    for number in 0..40 {
        let bytes = format!("object {number}").into_bytes();
        for store in [&one, &two, &Store::open(folder.path()).unwrap()] {
            assert_eq!(read(store, &bytes).unwrap(), bytes);
        }
    }
    assert!(one.check().unwrap().faults.is_empty());
    assert_eq!(one.packs().unwrap().len(), 40);
}

#[test]
fn processes_write_read_and_merge_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = folder.path();
            scope.spawn(move || {
                let store = Store::open(path).unwrap();
                for number in 0..15 {
                    let (own, shared) = (format!("{thread} {number}"), format!("all {number}"));
                    put(&store, &[own.as_bytes(), shared.as_bytes()]);
                    assert_eq!(read(&store, own.as_bytes()).unwrap(), own.as_bytes());
                    assert_eq!(read(&store, b"all 0").unwrap(), b"all 0");
                }
            });
        }
    });
    let store = Store::open(folder.path()).unwrap();
    for (thread, number) in (0..4).flat_map(|thread| (0..15).map(move |n| (thread, n))) {
        let own = format!("{thread} {number}");
        assert_eq!(read(&store, own.as_bytes()).unwrap(), own.as_bytes());
    }
    assert!(store.check().unwrap().faults.is_empty());
}

#[test]
fn objects_of_exactly_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let almost_a_block = noise(BLOCK_BYTES - 1, 1);
    let largest = vec![7; OBJECT_BYTES_MAX];
    let blobs = [&almost_a_block[..], &largest, &[], &noise(BLOCK_BYTES, 2)];
    put(&store, &blobs);
    for bytes in blobs {
        assert!(read(&store, bytes).unwrap() == bytes, "{} bytes", bytes.len());
    }
    assert!(store.check().unwrap().faults.is_empty());

    let too_large = vec![7; OBJECT_BYTES_MAX + 1];
    let id = BlobId::of(&too_large).into();
    let writer = store.writer();
    let refused = writer.put(ObjectKind::Blob, id, &too_large);
    assert!(matches!(refused, Err(StoreError::ObjectTooLarge { .. })), "{refused:?}");
    assert!(writer.finish().unwrap().is_empty());
}

#[test]
fn a_full_pack_is_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let count = PACK_BYTES_TARGET as usize / BLOCK_BYTES + 4;
    let all = noise(BLOCK_BYTES * count, 3);
    let blobs: Vec<&[u8]> = all.chunks(BLOCK_BYTES).collect();
    let mut packs = put(&store, &blobs);
    packs.sort_by_key(|pack| pack.bytes);
    let [small, full] = &packs[..] else { panic!("{packs:?}") };
    assert!(full.bytes >= PACK_BYTES_TARGET);
    assert!(full.bytes < PACK_BYTES_TARGET + 2 * BLOCK_BYTES as u64);
    assert_eq!(small.objects + full.objects, count as u64);
    assert!(read(&store, blobs[0]).unwrap() == blobs[0]);
    assert!(read(&store, blobs[count - 1]).unwrap() == blobs[count - 1]);

    let ids: Vec<ObjectId> =
        [0, count - 1].map(|at| ObjectId::from(BlobId::of(blobs[at]))).to_vec();
    let repacked = store.repack(&ids).unwrap();
    assert_eq!(repacked.iter().map(|pack| pack.objects).sum::<u64>(), 2);
}

#[test]
fn leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let tmp = folder.path().join("tmp");
    drop(Store::open(folder.path()).unwrap());
    let long_ago = SystemTime::now() - Duration::from_secs(3_600);
    let [old, young, held] = ["new-old", "new-young", "new-held"].map(|name| {
        let path = tmp.join(name);
        let file = File::create(&path).unwrap();
        (path, file)
    });
    old.1.set_modified(long_ago).unwrap();
    held.1.set_modified(long_ago).unwrap();
    held.1.lock().unwrap();
    Store::open(folder.path()).unwrap();
    assert_eq!(files_in(&tmp), [held.0.clone(), young.0]);
    held.1.unlock().unwrap();
    Store::open(folder.path()).unwrap();
    assert!(!held.0.exists());
}
