//! Drift of trees that are wide enough to be divided among threads, of trees of the greatest depth,
//! and of hostile ones.

use std::sync::atomic::{AtomicUsize, Ordering};

use fastest_core::compare::drift::{Counts, drift, drift_counts};
use fastest_core::compare::reach::new_objects;
use fastest_core::object::error::StoreError;
use fastest_core::object::id::{ObjectId, TreeId};
use fastest_core::object::item::{Item, Root};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSink, ObjectSource};
use fastest_core::object::tree::format::{DEPTH_MAX, TreeError, empty_directory};
use fastest_core::object::tree::write::write_directory;
use proptest::prelude::*;

use super::model::*;
use super::trees::naive_drift;

/// A change of a tree: the place, and the thing to put there; `None` removes what is there.
type Change = ((u8, u8, Option<u8>), Option<Thing>);

/// Creates folders that contain folders of two files each.
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

/// Creates a directory that contains only `item`.
fn holding(item: Item, objects: &MemoryObjects) -> Root {
    write_directory(&[("d", item)], objects).unwrap()
}

/// Creates a tree with a file `depth` directories below its root. `splits` of these directories
/// have 16 names for the next one.
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
            Counts { source_only: files, bytes_changed: files * 22, ..Counts::default() }
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

/// Creates an interior node over these runs. It claims one file of one byte for each.
fn node(level: u8, runs: &[(&str, TreeId)], objects: &MemoryObjects) -> TreeId {
    let mut encoded = vec![1, level, u8::try_from(runs.len()).unwrap()];
    for (name, id) in runs {
        encoded.push(u8::try_from(name.len()).unwrap());
        encoded.extend_from_slice(name.as_bytes());
        encoded.extend_from_slice(id.as_bytes());
        encoded.extend_from_slice(&[1, 1]);
    }
    let id = TreeId::of(&encoded);
    objects.put(ObjectKind::Tree, id.into(), &encoded).unwrap();
    id
}

/// Checks that every comparison with the tree, and with a directory that contains it, fails with
/// `what`.
fn check_refused(tree: TreeId, objects: &MemoryObjects, what: &'static str) {
    let empty = empty_directory();
    let file = holding(item_of(Thing::File(5), objects), objects).id;
    let root = Root { id: tree, files: 1, bytes: 1 };
    let above = holding(Item::directory(&root), objects).id;
    for result in [
        drift(&file, &tree, objects).map(drop),
        drift(&tree, &file, objects).map(drop),
        drift(&empty, &tree, objects).map(drop),
        drift(&tree, &empty, objects).map(drop),
        drift(&empty, &above, objects).map(drop),
        drift(&above, &file, objects).map(drop),
        drift_counts(&file, &tree, objects).map(drop),
        new_objects(Some(&file), &tree, objects).map(drop),
    ] {
        let refused = matches!(&result, Err(StoreError::Tree { source, .. })
            if *source == TreeError::Damaged { what });
        assert!(refused, "{what}: {result:?}");
    }
}

#[test]
fn a_wide_directory_whose_nodes_double_and_double_is_refused() {
    let objects = MemoryObjects::default();
    let [old, new] = [3, 4].map(|content| {
        let leaf = holding(item_of(Thing::File(content), &objects), &objects).id;
        (1..=60).fold(leaf, |below, level| node(level, &[("a", below), ("b", below)], &objects))
    });
    for tree in [old, new] {
        check_refused(tree, &objects, "a run stands twice in a directory");
    }
    let both = drift(&old, &new, &objects);
    assert!(matches!(both, Err(StoreError::Tree { .. })), "{both:?}");
}

/// Otherwise, repeating a leaf would multiply its entries.
#[test]
fn a_run_that_stands_twice_is_refused() {
    let objects = MemoryObjects::default();
    let leaf = holding(item_of(Thing::File(3), &objects), &objects).id;
    let one_node = node(1, &[("a", leaf), ("d", leaf)], &objects);
    let [first, second] = ["a", "d"].map(|name| node(1, &[(name, leaf)], &objects));
    let two_nodes = node(2, &[("a", first), ("d", second)], &objects);
    for tree in [one_node, two_nodes] {
        check_refused(tree, &objects, "a run stands twice in a directory");
    }
    // It is refused before any leaf is read.
    let lost = TreeId([7; 32]);
    let result = drift(&node(1, &[("a", lost), ("b", lost)], &objects), &leaf, &objects);
    assert!(matches!(result, Err(StoreError::Tree { .. })), "{result:?}");
}

/// Otherwise, a tree could have a directory that is empty and that no name leads to.
#[test]
fn runs_that_hold_nothing_or_end_otherwise_than_said_are_refused() {
    let objects = MemoryObjects::default();
    check_refused(node(1, &[], &objects), &objects, "an interior node has no runs");
    let without = node(1, &[], &objects);
    check_refused(node(2, &[("d", without)], &objects), &objects, "an interior node has no runs");

    let wrong = "a run does not end with the name it gives";
    let leaf = holding(item_of(Thing::File(3), &objects), &objects).id;
    let nothing = stored(&Model::default(), &objects);
    check_refused(node(1, &[("d", nothing)], &objects), &objects, wrong);
    check_refused(node(1, &[("d", leaf), ("e", nothing)], &objects), &objects, wrong);
    check_refused(node(1, &[("c", leaf)], &objects), &objects, wrong);
    check_refused(node(1, &[("e", leaf)], &objects), &objects, wrong);
    let honest = node(1, &[("d", leaf)], &objects);
    check_refused(node(2, &[("e", honest)], &objects), &objects, wrong);
    assert_eq!(drift(&empty_directory(), &honest, &objects).unwrap().workspace_only, [b"d"]);
}

/// Counts how often objects are read.
struct Counted<'a>(&'a MemoryObjects, AtomicUsize);

impl ObjectSource for Counted<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.object(id)
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        ObjectSource::has(self.0, id)
    }
}

/// Creates `depth` levels of directories. Each has `names` names for two directories that contain
/// the level below.
fn multiplied(depth: usize, names: usize, content: usize, objects: &MemoryObjects) -> Root {
    let mut root = holding(item_of(Thing::File(content), objects), objects);
    for _ in 0..depth {
        let below = Item::directory(&root);
        let two = ["x", "y"].map(|name| write_directory(&[(name, below)], objects).unwrap());
        let names = (0..names).map(|n| (format!("{n:02}"), Item::directory(&two[n % 2])));
        root = write_directory(&names.collect::<Vec<_>>(), objects).unwrap();
    }
    root
}

#[test]
fn directories_that_stand_under_many_names_are_counted_once() {
    let objects = MemoryObjects::default();
    for (depth, names, files) in
        [(3, 2, 8), (60, 2, 1 << 60), (12, 32, 1 << 60), (300, 20, u64::MAX)]
    {
        let [old, new] = [3, 4].map(|content| multiplied(depth, names, content, &objects));
        let source = Counted(&objects, AtomicUsize::new(0));
        let counts = drift_counts(&old.id, &new.id, &source).unwrap();
        assert_eq!((counts.both_different, counts.both_same), (files, 0));
        assert_eq!((counts.source_only, counts.workspace_only), (0, 0));
        let reads = source.1.into_inner();
        // Six nodes a level. Threads that reach one at the same time each read it.
        assert!(reads < 1_000 * depth, "{reads} reads of {depth} levels of {names} names");
    }
    let [old, new] = [3, 4].map(|content| multiplied(8, 2, content, &objects).id);
    let found = drift(&old, &new, &objects).unwrap();
    assert_eq!(found.both_different.len(), 256);
    assert_eq!(drift_counts(&old, &new, &objects).unwrap(), found.counts);
}
