//! Every encoding returns what was put in: content, chunk lists, packs and the index.

use std::collections::BTreeMap;

use fastest_core::object::chunk::{decode_list, encode_list, read_content, write_content};
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ObjectId};
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{ObjectSink, ObjectSource};
use fastest_core::object::tree::write::write_directory;
use fastest_core::store::open::Store;
use proptest::prelude::*;

use super::model::{Model, changes, edited, edits, model_of, noise, stored};

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 500, ..Default::default() }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn chunk_lists_read_back(
        chunks in prop::collection::vec((any::<[u8; 32]>(), 1..=(512u64 << 10)), 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let chunks: Vec<_> = chunks.into_iter().map(|(id, bytes)| (BlobId(id), bytes)).collect();
        let encoded = encode_list(&chunks);
        assert_eq!(decode_list(&encoded), Some(chunks));
        assert_eq!(decode_list(&encoded[..cut.index(encoded.len())]), None);
    }

    /// Bytes with and without a pattern, so that chunks repeat, or never do.
    #[test]
    fn content_reads_back(
        bytes in prop_oneof![3 => 0..4_000usize, 1 => 1_000_000..2_500_000usize],
        seed in any::<u64>(), period in prop_oneof![Just(usize::MAX), 1..100_000usize],
    ) {
        let period = period.min(bytes.max(1));
        let bytes: Vec<u8> = noise(period, seed).into_iter().cycle().take(bytes).collect();
        let objects = MemoryObjects::default();
        let content = write_content(&mut &bytes[..], &objects).unwrap();
        assert_eq!((content.id, content.bytes), (BlobId::of(&bytes), bytes.len() as u64));
        let (id, list) = (content.id.0, content.list);
        let item = Item { kind: Kind::File, id, bytes: content.bytes, files: 1, list };
        let mut out = Vec::new();
        read_content(&item, &objects, &mut out).unwrap();
        assert!(out == bytes);
    }
}

/// Returns an object of about this size.
fn object(kind: ObjectKind, bytes: usize, seed: u64) -> Vec<u8> {
    let ids = (0..bytes as u64 / 40).map(|at| BlobId::of(&(seed ^ at).to_le_bytes()));
    match kind {
        ObjectKind::Blob => noise(bytes, seed),
        ObjectKind::List => encode_list(&ids.map(|id| (id, seed % 1_000 + 1)).collect::<Vec<_>>()),
        ObjectKind::Tree => {
            let item =
                |id: BlobId| Item { kind: Kind::File, id: id.0, bytes: 7, files: 1, list: None };
            let entries = ids.enumerate().map(|(at, id)| (format!("{at:09}"), item(id)));
            // The root of a wide directory is one of its nodes, and stands for all kinds of nodes.
            let nodes = MemoryObjects::default();
            let root = write_directory(&entries.collect::<Vec<_>>(), &nodes).unwrap();
            nodes.object(&root.id.into()).unwrap().to_vec()
        }
    }
}

/// Objects by id, as a store should return them.
type Objects = BTreeMap<ObjectId, (ObjectKind, Vec<u8>)>;

fn check_holds(store: &Store, objects: &Objects) {
    for (id, (kind, bytes)) in objects {
        assert_eq!(&*store.object(id).unwrap(), bytes.as_slice());
        assert_eq!(store.locate(id).unwrap().unwrap().packed.kind, *kind);
    }
    assert!(matches!(store.object(&ObjectId([9; 32])), Err(StoreError::Missing { .. })));
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn stores_give_back_what_they_took(
        batches in prop::collection::vec(prop::collection::vec(
            (0..3u8, prop_oneof![8 => 0..2_000usize, 1 => Just(700_000usize)], any::<u64>()), 0..40,
        ), 1..5),
        first in edits(12), later in changes(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut all = Objects::new();
        let mut packs = Vec::new();
        for batch in batches {
            let writer = store.writer();
            for (kind, bytes, seed) in batch {
                let kind = ObjectKind::from_u8(kind).unwrap();
                let bytes = object(kind, bytes, seed);
                let id = kind.id_of(&bytes);
                writer.put(kind, id, &bytes).unwrap();
                all.insert(id, (kind, bytes));
            }
            packs.extend(writer.finish().unwrap());
        }
        check_holds(&store, &all);
        let objects: u64 = packs.iter().map(|pack| pack.objects).sum();
        assert!(objects >= all.len() as u64);

        // A tree with its content, in the same store.
        let from = model_of(&first);
        let to = edited(&from, &later);
        for model in [&from, &to] {
            let writer = store.writer();
            let root = model.write(&writer);
            writer.finish().unwrap();
            assert_eq!(root.id, stored(model, &MemoryObjects::default()));
            assert_eq!(&Model::read(&root.id, &store), model);
        }

        // Every pack is the same in a store that it is copied to, and so is a rebuilt index.
        let other_folder = tempfile::tempdir().unwrap();
        let other = Store::open(other_folder.path()).unwrap();
        for id in store.packs().unwrap() {
            let bytes = store.read_pack(&id).unwrap();
            let info = other.import_pack(&id, &mut &bytes[..]).unwrap();
            assert_eq!(info, store.pack_info(&id).unwrap());
            assert_eq!(other.pack_objects(&id).unwrap(), store.pack_objects(&id).unwrap());
        }
        check_holds(&other, &all);
        assert!(other.check().unwrap().faults.is_empty());
        store.rebuild_index().unwrap();
        check_holds(&store, &all);
        assert!(store.check().unwrap().faults.is_empty());
        let again = Store::open(folder.path()).unwrap();
        check_holds(&again, &all);
    }
}
