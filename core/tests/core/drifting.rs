//! Drift of trees that are wide enough to be shared out among threads, of trees as deep as a tree
//! may be, and of hostile ones.

use fastest_core::drift::{Counts, drift, drift_counts, empty_directory};
use fastest_core::id::TreeId;
use fastest_core::object::{MemoryObjects, ObjectKind, ObjectSink};
use fastest_core::reach::new_objects;
use fastest_core::store::StoreError;
use fastest_core::tree::{DEPTH_MAX, Item, Root, TreeError, write_directory};
use proptest::prelude::*;

use super::model::*;
use super::trees::naive_drift;

/// What is done to a tree: where, and what is put there; nothing removes what is there.
type Change = ((u8, u8, Option<u8>), Option<Thing>);

/// Folders, each with folders of two files.
fn wide(folders: u8, below: u8) -> Model {
    let mut model = Model::default();
    for (folder, below) in (0..folders).flat_map(|folder| (0..below).map(move |n| (folder, n))) {
        for file in 0..2 {
            model.put(&place(folder, below, Some(file)), Thing::File(usize::from(file)));
        }
    }
    model
}

fn place(folder: u8, below: u8, file: Option<u8>) -> Path {
    let names = [Some(folder), Some(below), file];
    names.iter().flatten().map(|name| format!("{name:03}").into_bytes()).collect()
}

fn changed(mut model: Model, changes: &[Change]) -> Model {
    for ((folder, below, file), thing) in changes {
        let path = place(*folder, *below, *file);
        match thing {
            Some(thing) => model.put(&path, *thing),
            None => model.remove(&path),
        }
    }
    model
}

fn many_changes() -> impl Strategy<Value = Vec<Change>> {
    let thing = prop_oneof![
        4 => (0..10usize).prop_map(Thing::File),
        1 => (0..10usize).prop_map(Thing::Link),
        1 => Just(Thing::Directory),
    ];
    let at = (0..50u8, 0..24u8, prop::option::weighted(0.8, 0..3u8));
    prop::collection::vec((at, prop::option::weighted(0.7, thing)), 0..250)
}

fn files(paths: &[Vec<u8>]) -> u64 {
    paths.iter().filter(|path| !path.ends_with(b"/")).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    #[test]
    fn drift_by_many_threads_is_the_naive_one(
        (folders, below) in (0..48u8, 0..20u8),
        (here, there) in (many_changes(), many_changes()),
        related in any::<bool>(),
    ) {
        let from = changed(wide(folders, below), &here);
        let to = changed(if related { from.clone() } else { Model::default() }, &there);
        let objects = MemoryObjects::default();
        let (old, new) = (stored(&from, &objects), stored(&to, &objects));
        let found = drift(&old, &new, &objects).unwrap();
        assert_eq!(found, naive_drift(&from, &to));
        let counts = drift_counts(&old, &new, &objects).unwrap();
        assert_eq!(counts, found.counts);
        assert_eq!(counts.source_only, files(&found.source_only));
        assert_eq!(counts.workspace_only, files(&found.workspace_only));
        assert_eq!(counts.both_different, files(&found.both_different));
        let all = drift(&empty_directory(), &new, &objects).unwrap();
        assert_eq!(all, naive_drift(&Model::default(), &to));
    }
}

/// A directory that holds `item` alone.
fn holding(item: Item, objects: &MemoryObjects) -> Root {
    write_directory(&[("d", item)], objects).unwrap()
}

/// A file, so many directories below its root; `splits` of them hold 16 names for the same.
fn deep(depth: usize, splits: usize, content: usize, objects: &MemoryObjects) -> Root {
    let mut item = item_of(Thing::File(content), objects);
    for _ in splits..depth {
        item = Item::directory(&holding(item, objects));
    }
    for _ in 0..splits {
        let names: Vec<_> = (0..16).map(|name| (format!("{name:02}"), item)).collect();
        item = Item::directory(&write_directory(&names, objects).unwrap());
    }
    holding(item, objects)
}

#[test]
fn trees_as_deep_as_may_be_are_compared_by_any_thread() {
    let objects = MemoryObjects::default();
    for (splits, files) in [(0, 1), (2, 256)] {
        let [old, new] = [3, 4].map(|content| deep(DEPTH_MAX, splits, content, &objects).id);
        let found = drift(&old, &new, &objects).unwrap();
        assert_eq!(found.counts.both_different, files);
        assert_eq!(found.both_different.len() as u64, files);
        assert!(found.both_different.is_sorted());
        assert_eq!(drift_counts(&old, &new, &objects).unwrap(), found.counts);
        // Each directory is one node, and the file one blob.
        let new_objects = new_objects(Some(&old), &new, &objects).unwrap();
        assert_eq!(new_objects.len(), DEPTH_MAX + 2);
        let gone = drift(&old, &empty_directory(), &objects).unwrap();
        assert_eq!(gone.source_only, found.both_different);
        assert_eq!(
            gone.counts,
            Counts { source_only: files, bytes_changed: files * 21, ..Counts::default() }
        );
    }
}

#[test]
fn deeper_trees_are_refused() {
    let objects = MemoryObjects::default();
    let [old, new] = [3, 4].map(|content| deep(DEPTH_MAX + 1, 2, content, &objects).id);
    for result in [
        drift(&old, &new, &objects).map(drop),
        drift(&empty_directory(), &new, &objects).map(drop),
        drift(&old, &empty_directory(), &objects).map(drop),
        drift_counts(&old, &new, &objects).map(drop),
    ] {
        let what = "directories nest too deep";
        let refused = matches!(&result, Err(StoreError::Tree { source, .. })
            if *source == TreeError::Damaged { what });
        assert!(refused, "{result:?}");
    }
}

/// A node over two runs that are the same node; it says of itself what its runs would be.
fn doubled(level: u8, below: &TreeId, objects: &MemoryObjects) -> TreeId {
    let mut encoded = vec![1, level, 2];
    for name in [b'a', b'b'] {
        encoded.extend_from_slice(&[1, name]);
        encoded.extend_from_slice(below.as_bytes());
        encoded.extend_from_slice(&[1, 1]);
    }
    let id = TreeId::of(&encoded);
    objects.put(ObjectKind::Tree, id.into(), &encoded).unwrap();
    id
}

#[test]
fn a_few_nodes_that_double_and_double_are_refused() {
    let objects = MemoryObjects::default();
    let [old, new] = [3, 4].map(|content| {
        let leaf = holding(item_of(Thing::File(content), &objects), &objects).id;
        (1..=60).fold(leaf, |below, level| doubled(level, &below, &objects))
    });
    let nothing = stored(&Model::default(), &objects);
    for old in [old, nothing] {
        for result in [
            drift(&old, &new, &objects).map(drop),
            drift_counts(&old, &new, &objects).map(drop),
            new_objects(Some(&old), &new, &objects).map(drop),
        ] {
            assert!(matches!(result, Err(StoreError::Tree { .. })), "{result:?}");
        }
    }
}
