//! Properties of any two random trees: drift is the naive one, a diff turns one into the other, and
//! a tree has one hash whatever its history.

use std::collections::BTreeMap;

use fastest_core::compare::diff::diff_directory;
use fastest_core::compare::drift::found::Drift;
use fastest_core::compare::drift::{Counts, drift, drift_counts};
use fastest_core::compare::reach::new_objects;
use fastest_core::object::id::{ObjectId, TreeId};
use fastest_core::object::item::Item;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::node::Entry;
use fastest_core::object::tree::read::{find, read_directory, read_root};
use fastest_core::object::tree::write::write_directory;
use proptest::prelude::*;

use super::model::*;

/// Computes drift by comparing every path of both sides.
pub fn naive_drift(source: &Model, workspace: &Model) -> Drift {
    let (old, new) = (source.leaves(), workspace.leaves());
    let mut drift = Drift::default();
    let one_sided = |path: &Path, thing: Thing| {
        let mark = if thing.is_directory() { &b"/"[..] } else { b"" };
        [&joined(path)[..], mark].concat()
    };
    let counts = &mut drift.counts;
    for (path, &thing) in &old {
        let other = new.get(path).copied();
        let both_files = other.is_some_and(|other| !other.is_directory()) && !thing.is_directory();
        match other {
            Some(other) if other == thing => counts.both_same += u64::from(!thing.is_directory()),
            Some(other) if both_files => {
                drift.both_different.push(joined(path));
                counts.both_different += 1;
                counts.bytes_changed += other.bytes();
            }
            _ => {
                drift.source_only.push(one_sided(path, thing));
                counts.source_only += u64::from(!thing.is_directory());
                counts.bytes_changed += thing.bytes();
            }
        }
    }
    for (path, &thing) in &new {
        let other = old.get(path).copied();
        let is_file_there = other.is_some_and(|other| !other.is_directory());
        if other == Some(thing) || (is_file_there && !thing.is_directory()) {
            continue;
        }
        drift.workspace_only.push(one_sided(path, thing));
        counts.workspace_only += u64::from(!thing.is_directory());
        counts.bytes_changed += thing.bytes();
    }
    drift
}

/// Turns `model`, which is the tree `old`, into the tree `new`, using only the diff.
fn apply(
    model: &mut Model,
    old: Option<&TreeId>,
    new: &TreeId,
    path: &mut Path,
    source: &MemoryObjects,
) {
    for difference in diff_directory(old, Some(new), source).unwrap().differences().unwrap() {
        path.push(difference.name.to_vec());
        let directory = |entry: &Option<Entry<'_>>| entry.and_then(|entry| entry.tree_id());
        match (directory(&difference.old), directory(&difference.new)) {
            (Some(old), Some(new)) => apply(model, Some(&old), &new, path, source),
            (_, below) => {
                assert_eq!(model.get(path).is_some(), difference.old.is_some());
                model.remove(path);
                if let Some(new) = difference.new {
                    model.0.insert(path.clone(), thing_of(&new.item(), source));
                }
                if let Some(below) = below {
                    apply(model, None, &below, path, source);
                }
            }
        }
        path.pop();
    }
}

/// The thing to put at each path below the current directory; `None` removes it.
type Changes<'a> = BTreeMap<&'a [Vec<u8>], Option<Thing>>;

/// Returns the tree after some changes. Only the stored directories that they concern are
/// rewritten.
fn rewritten(old: Option<TreeId>, changes: &Changes<'_>, objects: &MemoryObjects) -> Item {
    let mut entries: BTreeMap<Vec<u8>, Item> = match old {
        Some(old) => read_directory(&old, objects).unwrap().into_iter().collect(),
        None => BTreeMap::new(),
    };
    let all: Vec<_> = changes.iter().collect();
    for run in all.chunk_by(|a, b| a.0[0] == b.0[0]) {
        let name = &run[0].0[0];
        let here = run.iter().find(|(path, _)| path.len() == 1).map(|(_, thing)| **thing);
        let below: Changes<'_> = run
            .iter()
            .filter(|(path, _)| path.len() > 1)
            .map(|(path, thing)| (&path[1..], **thing))
            .collect();
        let was = entries.remove(name).and_then(|item| item.tree_id());
        let item = match here {
            Some(None) => None,
            Some(Some(thing)) if !thing.is_directory() => Some(item_of(thing, objects)),
            _ => Some(rewritten(was, &below, objects)),
        };
        entries.extend(item.map(|item| (name.clone(), item)));
    }
    let entries: Vec<_> = entries.into_iter().collect();
    Item::directory(&write_directory(&entries, objects).unwrap())
}

/// Changes the stored tree `from` into `to`, in batches that `order` shuffles.
fn by_another_history(from: &Model, to: &Model, order: u64, objects: &MemoryObjects) -> TreeId {
    let mut tree = stored(from, objects);
    let batch_of = |path: &[Vec<u8>]| {
        let hash = fastest_core::object::id::BlobId::of(&joined(path)).0;
        u64::from_le_bytes(hash[..8].try_into().unwrap()).wrapping_mul(order | 1) >> 62
    };
    let gone = from.0.iter().filter(|(path, thing)| to.0.get(*path) != Some(*thing));
    let gone: Vec<&Path> = gone.map(|(path, _)| path).collect();
    for batch in 0..4 {
        let here = gone.iter().filter(|path| batch_of(path) == batch);
        // Everything below a removed path is removed with it. An entry of its own would bring it
        // back.
        let mut removed: Vec<&[Vec<u8>]> = Vec::new();
        for path in here {
            let is_there = find_item(&tree, path, objects).is_some();
            if is_there && !removed.last().is_some_and(|above| path.starts_with(above)) {
                removed.push(path);
            }
        }
        let changes: Changes<'_> = removed.into_iter().map(|path| (path, None)).collect();
        tree = rewritten(Some(tree), &changes, objects).tree_id().unwrap();
    }
    for batch in 0..4 {
        let new = to
            .0
            .iter()
            .filter(|(path, thing)| from.0.get(*path) != Some(*thing) && batch_of(path) == batch);
        let changes: Changes<'_> =
            new.map(|(path, thing)| (path.as_slice(), Some(*thing))).collect();
        tree = rewritten(Some(tree), &changes, objects).tree_id().unwrap();
    }
    tree
}

fn find_item(tree: &TreeId, path: &[Vec<u8>], objects: &MemoryObjects) -> Option<Item> {
    let path: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    find(tree, &path, objects).unwrap()
}

/// A source that has only these objects of another. Reading any other object fails the test.
struct Only<'a>(&'a MemoryObjects, std::collections::HashSet<ObjectId>);

impl ObjectSource for Only<'_> {
    fn object(
        &self,
        id: &ObjectId,
    ) -> Result<fastest_core::object::source::Object, fastest_core::object::error::StoreError> {
        assert!(self.1.contains(id), "{id} is needed and not named");
        self.0.object(id)
    }

    fn has(&self, id: &ObjectId) -> Result<bool, fastest_core::object::error::StoreError> {
        Ok(self.1.contains(id))
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Default::default()
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn drift_is_the_naive_one_and_a_diff_leads_to_the_target(
        first in edits(20), later in changes(), other in edits(20), related in any::<bool>(),
    ) {
        let from = model_of(&first);
        let to = if related { edited(&from, &later) } else { model_of(&other) };
        let objects = MemoryObjects::default();
        let (old, new) = (from.write(&objects), to.write(&objects));
        for (model, root) in [(&from, &old), (&to, &new)] {
            assert_eq!(&Model::read(&root.id, &objects), model);
            assert_eq!(&read_root(&root.id, &objects).unwrap(), root);
            assert_eq!(root.files, model.files().count() as u64);
            assert_eq!(root.bytes, model.files().map(|(_, thing)| thing.bytes()).sum::<u64>());
        }

        let naive = naive_drift(&from, &to);
        let found = drift(&old.id, &new.id, &objects).unwrap();
        assert_eq!(found, naive);
        assert_eq!(drift_counts(&old.id, &new.id, &objects).unwrap(), naive.counts);
        assert_eq!(found.is_empty(), from == to);
        assert_eq!(old.id == new.id, from == to);

        let back = drift(&new.id, &old.id, &objects).unwrap();
        assert_eq!(back.source_only, found.workspace_only);
        assert_eq!(back.workspace_only, found.source_only);
        assert_eq!(back.both_different, found.both_different);
        let itself = drift(&new.id, &new.id, &objects).unwrap();
        assert_eq!(itself.counts, Counts { both_same: new.files, ..Counts::default() });

        let mut applied = from.clone();
        apply(&mut applied, Some(&old.id), &new.id, &mut Vec::new(), &objects);
        assert_eq!(applied, to);
    }
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn a_tree_has_one_hash_by_any_history(
        first in edits(20), later in changes(), other in edits(20), order in any::<u64>(),
    ) {
        let objects = MemoryObjects::default();
        let from = model_of(&first);
        for to in [edited(&from, &later), model_of(&other)] {
            let direct = stored(&to, &objects);
            assert_eq!(by_another_history(&from, &to, order, &objects), direct);
            assert_eq!(by_another_history(&to, &from, order, &objects), stored(&from, &objects));
            // A sink that has everything is given nothing, and the id is the same.
            assert_eq!(to.write(&fastest_core::object::memory::NoSink).id, direct);
        }
    }

    #[test]
    fn what_is_new_is_all_that_a_holder_of_the_old_tree_lacks(
        first in edits(12), later in changes(),
    ) {
        let objects = MemoryObjects::default();
        let from = model_of(&first);
        let to = edited(&from, &later);
        let (old, new) = (stored(&from, &objects), stored(&to, &objects));
        let all = |id: &TreeId| new_objects(None, id, &objects).unwrap();
        let named = new_objects(Some(&old), &new, &objects).unwrap();
        let (held, needed) = (all(&old), all(&new));
        assert!(named.is_subset(&needed), "nothing is named that the tree does not need");
        let known = held.union(&named).copied().collect();
        assert_eq!(Model::read(&new, &Only(&objects, known)), to);
        // The objects that the whole tree needs are enough to read it without the old one.
        assert_eq!(Model::read(&new, &Only(&objects, needed)), to);
    }
}
