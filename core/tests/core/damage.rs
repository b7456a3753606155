//! Damaged, foreign and hostile files: each is named in an error, found by a check, and yields no
//! wrong bytes; the index is repaired from the packs.

use std::fs;
use std::path::PathBuf;

use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ObjectId, PackId};
use fastest_core::object::source::ObjectSource;
use fastest_core::store::check::Fault;
use fastest_core::store::open::Store;

use super::model::noise;
use super::store::{files_in, put, read};

const COUNT: usize = 30;

fn blob(number: usize) -> Vec<u8> {
    noise(100 + number, number as u64)
}

/// A store with one pack of [`COUNT`] blobs.
struct Damaged {
    folder: tempfile::TempDir,
    pack: PackId,
}

impl Damaged {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let blobs: Vec<Vec<u8>> = (0..COUNT).map(blob).collect();
        let packs = put(&store, &blobs.iter().map(Vec::as_slice).collect::<Vec<_>>());
        Self { folder, pack: packs[0].id }
    }

    fn open(&self) -> Store {
        Store::open(self.folder.path()).unwrap()
    }

    fn pack_path(&self) -> PathBuf {
        self.open().pack_path(&self.pack)
    }

    fn segment(&self) -> PathBuf {
        let mut files = files_in(&self.folder.path().join("index"));
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    /// Checks that every blob is read correctly or fails, and returns how many fail.
    fn failures(&self, store: &Store) -> usize {
        let check = |number: &usize| match read(store, &blob(*number)) {
            Ok(bytes) => {
                assert!(bytes == blob(*number), "wrong bytes of {number}");
                false
            }
            Err(_) => true,
        };
        (0..COUNT).filter(check).count()
    }
}

#[test]
fn a_damaged_pack_never_gives_wrong_bytes_and_is_found() {
    let length = fs::read(Damaged::new().pack_path()).unwrap().len();
    let footer = 4 + 8 + 4 + COUNT * 45;
    let trailer = length - 12;
    let regions = [
        (0, "magic"),
        (7, "version"),
        (12, "block"),
        (length / 3, "block"),
        (trailer - footer, "block count"),
        (trailer - footer + 5, "block lengths"),
        (trailer - 20, "object"),
        (trailer, "footer length"),
        (length - 1, "trailer"),
    ];
    for (at, what) in regions {
        for bit in [0x01, 0x40] {
            let damaged = Damaged::new();
            let path = damaged.pack_path();
            let mut bytes = fs::read(&path).unwrap();
            bytes[at] ^= bit;
            fs::write(&path, &bytes).unwrap();
            let store = damaged.open();
            let failures = damaged.failures(&store);
            assert!(what != "block" || failures > 0, "a flip in a {what} at {at} went unnoticed");
            let faults = store.check().unwrap().faults;
            let found =
                |fault: &Fault| matches!(fault, Fault::Pack { id, .. } if *id == damaged.pack);
            assert!(faults.iter().any(found), "{what} at {at}: {faults:?}");
            // A pack that cannot be read does not prevent the index from being rebuilt.
            store.rebuild_index().unwrap();
            damaged.failures(&store);
        }
    }
}

#[test]
fn a_pack_cut_anywhere_is_found() {
    let length = fs::read(Damaged::new().pack_path()).unwrap().len();
    for cut in [0, 1, 8, 19, 20, 21, length / 2, length - 13, length - 1] {
        let damaged = Damaged::new();
        let path = damaged.pack_path();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..cut]).unwrap();
        let store = damaged.open();
        damaged.failures(&store);
        assert!(store.pack_objects(&damaged.pack).is_err(), "cut at {cut}");
        let faults = store.check().unwrap().faults;
        assert!(
            faults.iter().any(|fault| matches!(fault, Fault::Pack { .. })),
            "{cut}: {faults:?}"
        );
    }
}

#[test]
fn a_pack_of_a_newer_version_is_named_as_such() {
    let damaged = Damaged::new();
    let path = damaged.pack_path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[7] = 2;
    fs::write(&path, &bytes).unwrap();
    let refused = damaged.open().pack_objects(&damaged.pack);
    assert!(matches!(refused, Err(StoreError::Newer { version: 2, .. })), "{refused:?}");

    let id = PackId(*blake3::hash(&bytes).as_bytes());
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = Store::open(elsewhere.path()).unwrap().import_pack(&id, &mut &bytes[..]);
    assert!(matches!(refused, Err(StoreError::Newer { version: 2, .. })), "{refused:?}");
}

#[test]
fn a_pack_under_another_name_is_found() {
    let damaged = Damaged::new();
    let store = damaged.open();
    let other = store.pack_path(&PackId([0xab; 32]));
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::rename(damaged.pack_path(), &other).unwrap();
    fs::write(other.with_file_name("notes.txt"), "not a pack").unwrap();
    assert_eq!(damaged.failures(&damaged.open()), COUNT);
    let faults = store.check().unwrap().faults;
    let wrong = |fault: &Fault| matches!(fault, Fault::Pack { id, error: StoreError::WrongPack { .. } } if id.0 == [0xab; 32]);
    assert!(faults.iter().any(wrong), "{faults:?}");
    let stranger =
        |fault: &Fault| matches!(fault, Fault::UnknownFile { path } if path.ends_with("notes.txt"));
    assert!(faults.iter().any(stranger), "{faults:?}");
}

#[test]
fn a_pack_that_is_gone_is_found() {
    let damaged = Damaged::new();
    let store = damaged.open();
    fs::remove_file(damaged.pack_path()).unwrap();
    let faults = store.check().unwrap().faults;
    let gone = |fault: &Fault| matches!(fault, Fault::Misindexed { id, objects } if *id == damaged.pack && *objects == COUNT as u64);
    assert!(faults.iter().any(gone), "{faults:?}");
    assert_eq!(store.rebuild_index().unwrap(), 0);
    assert!(matches!(read(&store, &blob(0)), Err(StoreError::Missing { .. })));
    assert!(store.check().unwrap().faults.is_empty());
}

#[test]
fn a_damaged_index_is_mended_from_the_packs() {
    let length = fs::read(Damaged::new().segment()).unwrap().len();
    for at in (0..length).step_by(17).chain([0, 8, 12, 16, 20, length - 1]) {
        let damaged = Damaged::new();
        let store = damaged.open();
        let path = damaged.segment();
        let mut bytes = fs::read(&path).unwrap();
        bytes[at] ^= 0x10;
        if at != 7 {
            fs::write(&path, &bytes).unwrap();
            let faults = store.check().unwrap().faults;
            let found = |fault: &Fault| matches!(fault, Fault::Segment { .. });
            assert!(faults.iter().any(found), "flip at {at}: {faults:?}");
            assert!(faults.iter().any(|fault| matches!(fault, Fault::Unindexed { .. })));
        }
        // The opened store returns no wrong bytes, and can be repaired.
        let store = damaged.open();
        damaged.failures(&store);
        assert_eq!(store.rebuild_index().unwrap(), COUNT as u64);
        assert_eq!(damaged.failures(&store), 0);
        assert!(store.check().unwrap().faults.is_empty());
        assert_eq!(damaged.failures(&damaged.open()), 0);
    }
}

#[test]
fn a_cut_or_lost_index_is_mended_from_the_packs() {
    let length = fs::read(Damaged::new().segment()).unwrap().len();
    for cut in [None, Some(0), Some(10), Some(100), Some(length - 1)] {
        let damaged = Damaged::new();
        let path = damaged.segment();
        match cut {
            Some(cut) => fs::write(&path, &fs::read(&path).unwrap()[..cut]).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let store = damaged.open();
        store.rebuild_index().unwrap();
        assert_eq!(damaged.failures(&store), 0, "cut at {cut:?}");
        assert!(store.check().unwrap().faults.is_empty());
    }
}

#[test]
fn an_index_of_a_newer_version_is_refused_and_stays() {
    let damaged = Damaged::new();
    let path = damaged.segment();
    let mut bytes = fs::read(&path).unwrap();
    bytes[7] = 2;
    fs::write(&path, &bytes).unwrap();
    let refused = Store::open(damaged.folder.path());
    assert!(matches!(refused, Err(StoreError::Newer { version: 2, .. })), "{refused:?}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// The state after a crash between the naming of a pack and the update of the index.
#[test]
fn a_pack_that_no_index_knows_is_taken_in_again() {
    let damaged = Damaged::new();
    let bytes = fs::read(damaged.pack_path()).unwrap();
    fs::remove_file(damaged.segment()).unwrap();
    let store = damaged.open();
    assert!(!store.has_pack(&damaged.pack), "its objects cannot be found");
    store.import_pack(&damaged.pack, &mut &bytes[..]).unwrap();
    assert!(store.has_pack(&damaged.pack));
    assert_eq!(damaged.failures(&store), 0);
    // Now the store has the pack, so the bytes are not read.
    store.import_pack(&damaged.pack, &mut &b"not a pack"[..]).unwrap();
}

/// Builds a pack as specified in `docs/formats.md`. A block is a frame and the length that it
/// claims; an object is an id, kind, block, offset and length.
fn forge(blocks: &[(&[u8], u32)], objects: &[(ObjectId, u8, u32, u32, u32)]) -> Vec<u8> {
    let mut pack = b"FSTPACK\x01".to_vec();
    let mut footer = (blocks.len() as u32).to_le_bytes().to_vec();
    for (frame, raw_bytes) in blocks {
        pack.extend_from_slice(frame);
        footer.extend_from_slice(&(frame.len() as u32).to_le_bytes());
        footer.extend_from_slice(&raw_bytes.to_le_bytes());
    }
    footer.extend_from_slice(&(objects.len() as u32).to_le_bytes());
    for (id, kind, block, offset, bytes) in objects {
        footer.extend_from_slice(&id.0);
        footer.push(*kind);
        [block, offset, bytes].iter().for_each(|n| footer.extend_from_slice(&n.to_le_bytes()));
    }
    pack.extend_from_slice(&footer);
    pack.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    pack.extend_from_slice(b"FSTPACK\x01");
    pack
}

fn frame(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

#[test]
fn an_honest_pack_of_anothers_making_is_taken() {
    let mut objects: Vec<_> = [(&b"hello"[..], 0), (b"world", 5)]
        .map(|(bytes, offset)| (ObjectId::from(BlobId::of(bytes)), 0, 0, offset, 5))
        .to_vec();
    objects.sort();
    let pack = forge(&[(&frame(b"helloworld"), 10)], &objects);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let id = PackId(*blake3::hash(&pack).as_bytes());
    assert_eq!(store.import_pack(&id, &mut &pack[..]).unwrap().objects, 2);
    assert_eq!(read(&store, b"world").unwrap(), b"world");
}

#[test]
fn hostile_packs_are_refused_and_leave_nothing() {
    let id = |bytes: &[u8]| ObjectId::from(BlobId::of(bytes));
    let (hello, bomb) = (frame(b"hello"), frame(&vec![0; 200 << 20]));
    let sorted = |mut objects: Vec<(ObjectId, u8, u32, u32, u32)>| {
        objects.sort();
        objects
    };
    let twice = (id(b"hello"), 0, 0, 0, 5);
    let unsorted = {
        let mut objects = sorted(vec![(id(b"hel"), 0, 0, 0, 3), (id(b"lo"), 0, 0, 3, 2)]);
        objects.reverse();
        objects
    };
    let packs = [
        ("no pack", b"nothing".to_vec()),
        ("another object", forge(&[(&hello, 5)], &[(id(b"other"), 0, 0, 0, 5)])),
        ("another kind", forge(&[(&hello, 5)], &[(id(b"hello"), 1, 0, 0, 5)])),
        ("an unknown kind", forge(&[(&hello, 5)], &[(id(b"hello"), 3, 0, 0, 5)])),
        ("past its block", forge(&[(&hello, 5)], &[(id(b"hello"), 0, 0, 1, 5)])),
        ("a wrapping range", forge(&[(&hello, 5)], &[(id(b""), 0, 0, u32::MAX, 2)])),
        ("no such block", forge(&[(&hello, 5)], &[(id(b"hello"), 0, 1, 0, 5)])),
        ("a longer block", forge(&[(&hello, 4)], &[(id(b"hell"), 0, 0, 0, 4)])),
        ("a shorter block", forge(&[(&hello, 6)], &[(id(b"hello"), 0, 0, 0, 5)])),
        ("twice the same", forge(&[(&hello, 5)], &[twice, twice])),
        ("unsorted", forge(&[(&hello, 5)], &unsorted)),
        ("a huge block", forge(&[(&bomb, 200 << 20)], &[(id(b""), 0, 0, 0, 0)])),
        ("a bomb", forge(&[(&bomb, 1 << 20)], &[(id(b""), 0, 0, 0, 0)])),
        ("no frame", forge(&[(b"hello", 5)], &[(id(b"hello"), 0, 0, 0, 5)])),
        (
            "overlapping lies",
            forge(
                &[(&hello, 5)],
                &sorted(vec![(id(b"hello"), 0, 0, 0, 5), (id(b"world"), 0, 0, 2, 3)]),
            ),
        ),
        ("a footer of nothing", [&b"FSTPACK\x01"[..], &[0; 4], b"FSTPACK\x01"].concat()),
        ("a footer past all", {
            let mut pack = forge(&[(&hello, 5)], &[(id(b"hello"), 0, 0, 0, 5)]);
            let at = pack.len() - 12;
            pack[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            pack
        }),
        ("more blocks than bytes", {
            let mut pack = forge(&[], &[]);
            pack[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
            pack
        }),
        (
            "bytes between",
            forge(&[(&[&hello[..], b"x"].concat(), 5)], &[]).into_iter().chain([0]).collect(),
        ),
    ];
    for (what, pack) in packs {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let pack_id = PackId(*blake3::hash(&pack).as_bytes());
        let refused = store.import_pack(&pack_id, &mut &pack[..]);
        assert!(matches!(refused, Err(StoreError::DamagedPack { .. })), "{what}: {refused:?}");
        assert!(!store.has_pack(&pack_id), "{what}");
        for part in ["packs", "index", "tmp"] {
            assert_eq!(
                files_in(&folder.path().join(part)).len(),
                0,
                "{what} left a file in {part}"
            );
        }
    }

    let pack = forge(&[(&hello, 5)], &[twice]);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let refused = store.import_pack(&PackId([1; 32]), &mut &pack[..]);
    assert!(matches!(refused, Err(StoreError::WrongPack { .. })), "{refused:?}");
    assert!(!store.has(&id(b"hello")).unwrap());
    assert_eq!(files_in(&folder.path().join("tmp")).len(), 0);
}

#[test]
fn what_is_lent_is_verified_as_it_is_read_and_is_not_there_before_it_is_taken_in() {
    let id = |bytes: &[u8]| ObjectId::from(BlobId::of(bytes));
    let receive = |store: &Store, pack: &[u8]| {
        let mut incoming = store.incoming(&PackId(*blake3::hash(pack).as_bytes())).unwrap();
        incoming.write(pack).unwrap();
        vec![incoming.finish().unwrap()]
    };
    let pack = |second: &[u8]| {
        let mut objects = vec![(id(b"hello"), 0, 0, 0, 5), (id(second), 0, 0, 5, 5)];
        objects.sort();
        forge(&[(&frame(b"helloworld"), 10)], &objects)
    };
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();

    let lent = store.lend(receive(&store, &pack(b"other"))).unwrap();
    assert_eq!(read(&lent, b"hello").unwrap(), b"hello");
    assert!(matches!(read(&lent, b"other"), Err(StoreError::DamagedPack { .. })));
    assert!(matches!(read(&lent, b"none"), Err(StoreError::Missing { .. })));
    assert!(matches!(read(&store, b"hello"), Err(StoreError::Missing { .. })));
    assert!(lent.has(&id(b"hello")).unwrap() && !store.has(&id(b"hello")).unwrap());
    let back = lent.take_back();
    assert!(matches!(&back[..], [Err(StoreError::DamagedPack { .. })]), "{back:?}");
    drop(back);
    assert_eq!(files_in(&folder.path().join("tmp")).len(), 0);

    // A false object is found even if nobody reads it.
    let lent = store.lend(receive(&store, &pack(b"other"))).unwrap();
    read(&lent, b"hello").unwrap();
    assert!(lent.take_back()[0].is_err());

    for reads in [&[][..], &[&b"hello"[..]], &[b"hello", b"world"]] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let lent = store.lend(receive(&store, &pack(b"world"))).unwrap();
        reads.iter().for_each(|bytes| assert_eq!(&read(&lent, bytes).unwrap(), bytes));
        let back = lent.take_back().into_iter().collect::<Result<_, _>>().unwrap();
        store.take_in(back).unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(read(&store, b"world").unwrap(), b"world");
        assert_eq!(store.packs().unwrap().len(), 1);
    }
}
