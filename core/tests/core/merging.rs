//! Merges of random trees: nothing that either side did is lost, and it makes no difference who
//! merges, except for which side keeps its names.

use std::collections::{BTreeMap, BTreeSet};

use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::overlap::overlap;
use fastest_core::object::id::TreeId;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::tree::{Conflict, Form};
use proptest::prelude::*;

use super::model::*;

fn merged(
    base: Option<&TreeId>,
    ours: &TreeId,
    theirs: &TreeId,
    objects: &MemoryObjects,
) -> (TreeId, Vec<Conflict>) {
    let names = Names { ours: "ours", theirs: "theirs", label: "main" };
    let sides = Sides { base, ours, theirs, names };
    let merged = merge(&sides, objects, objects).unwrap();
    (merged.root.id, merged.conflicts)
}

/// Checks that a comparison of the three trees finds the conflicts of the merge, and counts what a naive
/// comparison of paths counts.
fn check_overlap(
    models: [&Model; 3],
    trees: (Option<&TreeId>, &TreeId, &TreeId),
    conflicts: &[Conflict],
    objects: &MemoryObjects,
) {
    let found = overlap(trees.0, trees.1, trees.2, objects).unwrap();
    let in_conflict: BTreeSet<Vec<u8>> = conflicts.iter().map(|it| it.path.clone()).collect();
    assert_eq!(found.conflicting, Vec::from_iter(in_conflict.iter().cloned()));
    let [base, ours, theirs] = models.map(|model| {
        model.files().map(|(path, thing)| (joined(path), thing)).collect::<BTreeMap<_, _>>()
    });
    let all: BTreeSet<&Vec<u8>> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let differing = all.into_iter().filter(|path| ours.get(*path) != theirs.get(*path));
    let (mut both, mut counts) = (in_conflict, [0, 0]);
    for path in differing {
        let edited = [&ours, &theirs].map(|side| side.get(path) != base.get(path));
        counts = [0, 1].map(|side| counts[side] + u64::from(edited[side]));
        if edited == [true, true] {
            both.insert(path.clone());
        }
    }
    assert_eq!(counts, [found.ours.total(), found.theirs.total()]);
    assert_eq!(found.paths, Vec::from_iter(both));
    assert_eq!(found.is_same, trees.1 == trees.2);
    assert_eq!(found.unread, Vec::<Vec<u8>>::new());
}

/// Returns the paths of conflicts in which both versions stay, each with the path that theirs got.
fn set_aside(conflicts: &[Conflict]) -> Vec<(Path, Path)> {
    let split = |path: &[u8]| path.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
    let aside = conflicts.iter().filter_map(|conflict| match &conflict.form {
        Form::Beside { theirs_path } => Some((split(&conflict.path), split(theirs_path))),
        _ => None,
    });
    aside.collect()
}

/// Returns where a path of theirs is in the merged tree.
fn their_place(path: &[Vec<u8>], aside: &[(Path, Path)]) -> Path {
    match aside.iter().find(|(at, _)| path.starts_with(at)) {
        Some((at, to)) => [to, &path[at.len()..]].concat(),
        None => path.to_vec(),
    }
}

/// Returns the merged tree as the other side makes it: the version that was set aside has the
/// original name, and the reverse.
fn swapped(model: &Model, aside: &[(Path, Path)]) -> Model {
    let mut out = Model::default();
    for (path, thing) in &model.0 {
        let back: Vec<_> = aside.iter().map(|(at, to)| (to.clone(), at.clone())).collect();
        let there = their_place(path, aside);
        let there = if there == *path { their_place(path, &back) } else { there };
        out.0.insert(there, *thing);
    }
    out
}

/// Whether a side may have renamed a file that is not empty: it deleted one, and added one with the same content.
/// No two contents of models are similar.
fn may_rename(base: &Model, side: &Model) -> bool {
    let contents = |one: &Model, other: &Model| -> BTreeSet<usize> {
        let is_file = |thing: &Thing| matches!(thing, Thing::File(_) | Thing::Executable(_));
        let is_there = |path| other.get(path).is_some_and(|thing| !thing.is_directory());
        let only = one.files().filter(|(path, thing)| is_file(thing) && !is_there(path));
        only.filter_map(|(_, thing)| thing.content().filter(|content| *content > 0)).collect()
    };
    !contents(base, side).is_disjoint(&contents(side, base))
}

/// Checks that no content is lost that a side added, and that none comes from nowhere.
fn check_contents(base: &Model, ours: &Model, theirs: &Model, all: &Model) {
    let contents = |model: &Model| -> BTreeSet<usize> {
        model.files().filter_map(|(_, thing)| thing.content()).collect()
    };
    let [base, ours, theirs, all] = [base, ours, theirs, all].map(contents);
    let added: BTreeSet<usize> = ours.union(&theirs).copied().collect();
    assert!(added.difference(&base).all(|content| all.contains(content)), "a content is lost");
    assert!(all.is_subset(&added), "a content comes from nowhere");
}

/// Checks every file by itself.
fn check_files(base: &Model, ours: &Model, theirs: &Model, all: &Model, conflicts: &[Conflict]) {
    let aside = set_aside(conflicts);
    let in_conflict = |path: &Path| aside.iter().any(|(at, _)| path.starts_with(at));
    let file = |model: &Model, path: &Path| model.get(path).filter(|thing| !thing.is_directory());
    let files = [base, ours, theirs].into_iter().flat_map(Model::files).map(|(path, _)| path);
    for path in files {
        let [b, o, t, m] = [base, ours, theirs, all].map(|model| file(model, path));
        if in_conflict(path) {
            continue;
        }
        if o == t || b == t {
            assert_eq!(m, o, "ours alone changed {path:?}");
        } else if b == o {
            assert_eq!(m, t, "theirs alone changed {path:?}");
        }
    }
    for (side, is_theirs) in [(ours, false), (theirs, true)] {
        for (path, thing) in side.files().filter(|(path, thing)| base.get(path) != Some(*thing)) {
            let place = if is_theirs { their_place(path, &aside) } else { path.clone() };
            let kept = all.get(&place).and_then(Thing::content);
            let base_content = base.get(path).and_then(Thing::content);
            let mode_only = base_content == thing.content();
            assert!(kept == thing.content() || mode_only, "{thing:?} of {path:?} is lost");
            assert!(kept.is_some(), "{path:?} is gone, though a side changed it");
        }
    }
    for (path, thing) in all.files() {
        let back: Vec<_> = aside.iter().map(|(at, to)| (to.clone(), at.clone())).collect();
        let home = their_place(path, &back);
        let known = [ours.get(path), theirs.get(path), theirs.get(&home)];
        let known = known.into_iter().flatten().any(|side| side.content() == thing.content());
        assert!(known, "{path:?} comes from nowhere");
    }
    for conflict in conflicts {
        let path: Path = conflict.path.split(|&byte| byte == b'/').map(<[u8]>::to_vec).collect();
        let below = |model: &Model| -> Vec<(Path, Thing)> {
            model.below(&path).into_iter().map(|path| (path.clone(), model.0[&path])).collect()
        };
        let [b, o, t] = [base, ours, theirs].map(below);
        assert!(b != o && b != t && o != t, "{path:?} is no conflict");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000, failure_persistence: None, max_shrink_iters: 2_000, ..Default::default()
    })]

    #[test]
    fn merges_lose_nothing_and_are_symmetric(
        first in edits(20), ours in changes(), theirs in changes(), has_base in any::<bool>(),
    ) {
        let start = model_of(&first);
        let (ours, theirs) = (edited(&start, &ours), edited(&start, &theirs));
        let base = if has_base { start.clone() } else { Model::default() };
        let objects = MemoryObjects::default();
        let [b, o, t] = [&base, &ours, &theirs].map(|model| stored(model, &objects));
        let base_id = has_base.then_some(&b);

        if has_base {
            assert_eq!(merged(Some(&b), &o, &b, &objects), (o, vec![]));
            assert_eq!(merged(Some(&b), &b, &t, &objects), (t, vec![]));
        }
        assert_eq!(merged(base_id, &o, &o, &objects), (o, vec![]));

        let (here, conflicts) = merged(base_id, &o, &t, &objects);
        let (there, their_conflicts) = merged(base_id, &t, &o, &objects);
        check_overlap([&base, &ours, &theirs], (base_id, &o, &t), &conflicts, &objects);
        let here = Model::read(&here, &objects);
        check_contents(&base, &ours, &theirs, &here);
        if !has_base || !may_rename(&base, &ours) && !may_rename(&base, &theirs) {
            check_files(&base, &ours, &theirs, &here, &conflicts);
        }
        assert_eq!(swapped(&here, &set_aside(&conflicts)), Model::read(&there, &objects));
        let mirrored: Vec<Conflict> = their_conflicts
            .into_iter()
            .map(|conflict| {
                let (ours, theirs) = (conflict.theirs, conflict.ours);
                Conflict { ours, theirs, ..conflict }
            })
            .collect();
        assert_eq!(mirrored, conflicts);
    }
}
