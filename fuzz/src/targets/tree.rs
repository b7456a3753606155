//! Trees of several nodes, which others sent: each node has the id of its bytes, whatever is in it.
//! An input is a program that makes nodes which refer to those before them.

use fastest_core::compare::diff::diff_directory;
use fastest_core::compare::drift::drift_counts;
use fastest_core::compare::extent::extent;
use fastest_core::compare::merge::{Names, Sides, merge};
use fastest_core::compare::reach::new_objects;
use fastest_core::object::id::TreeId;
use fastest_core::object::item::Item;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::{
    empty_directory, find, read_conflicts, read_directory, read_root,
};

use crate::reader::Reader;
use crate::targets::tree_node::{put, varint};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[b"a", b"b", b".gitignore", &[3, 1, b'a'], &[0x83, 0], &[0x21]];

/// More nodes than this are not made, and more entries in one.
const NODES_MAX: usize = 64;
const ENTRIES_MAX: usize = 40;

/// Returns programs for a directory with a file, nested directories, wide ones, and chains of runs.
pub fn seeds() -> Vec<Vec<u8>> {
    let leaf = |names: &[&[u8]], kinds: &[u8]| {
        let mut program = vec![0, names.len() as u8];
        for (name, kind) in names.iter().zip(kinds) {
            program.push(name.len() as u8);
            program.extend_from_slice(name);
            program.extend_from_slice(&[*kind, 1, 5, 1]);
        }
        program
    };
    let nested = |depth: usize| {
        let mut program = leaf(&[b"file"], &[0]);
        (0..depth).for_each(|_| program.extend(leaf(&[b"a", b"b"], &[3, 3])));
        program
    };
    let mut wide = leaf(&[b"a", b"b"], &[0, 1]);
    wide.extend(leaf(&[b"c", b"d"], &[2, 3]));
    wide.extend([1, 2, 1, b'b', 2, 2, 5, 1, b'd', 1, 2, 5]);
    let mut chain = leaf(&[b"a"], &[0]);
    for level in 1..40 {
        chain.extend([level, 1, 1, b'a', 1, 1, 5]);
    }
    vec![leaf(&[b".gitignore", b"a"], &[0, 3]), nested(1), nested(30), wide, chain]
}

/// Makes the nodes, and does with the last trees whatever a pull does. Nothing panics, recurses too
/// deep, or takes exponential time, and the readers agree.
pub fn run(input: &[u8]) {
    let objects = MemoryObjects::default();
    let made = make(&mut Reader::new(input), &objects);
    let [.., base, ours, theirs] = made[..] else { return };
    for id in [ours, theirs] {
        readers_agree(&id, &objects);
    }
    let same = diff_directory(Some(&ours), Some(&ours), &objects).expect("nothing is read");
    assert_eq!(same.differences().expect("nothing is read").count(), 0);
    check_diff(&ours, &theirs, &objects);
    let _ = drift_counts(&ours, &theirs, &objects);
    let _ = new_objects(Some(&ours), &theirs, &objects);
    let Ok(size) = extent(None, &ours, &objects) else { return };
    let Ok(other) = extent(None, &theirs, &objects) else { return };
    // Work that lists paths does not begin on such trees.
    if size.is_excessive() || other.is_excessive() || size.paths.max(other.paths) > 10_000 {
        return;
    }
    let names = Names { ours: "ours", theirs: "theirs", label: "fuzz" };
    let sides = Sides { base: Some(&base), ours: &ours, theirs: &theirs, names };
    if let Ok(merged) = merge(&sides, &objects, &objects) {
        read_root(&merged.root.id, &objects).expect("a merge writes its tree");
        match read_conflicts(&merged.root.id, &objects) {
            Ok(open) => assert!(merged.conflicts.iter().all(|it| open.contains(it))),
            // A side that nobody else changed is taken as it is.
            Err(_) => assert!([ours, theirs].contains(&merged.root.id)),
        }
    }
    let sides = Sides { base: Some(&ours), theirs: &ours, ..sides };
    if let Ok(merged) = merge(&sides, &objects, &objects) {
        assert_eq!(merged.root.id, ours, "nothing was changed");
    }
}

/// Makes nodes, and returns their ids.
fn make(program: &mut Reader<'_>, objects: &MemoryObjects) -> Vec<TreeId> {
    let mut made = vec![empty_directory()];
    put(objects, &[1, 0, 0]);
    while !program.is_empty() && made.len() < NODES_MAX {
        let id = match program.byte() {
            255 => put(objects, program.many()),
            254 => in_conflict(program, &made, objects),
            level => put(objects, &node(level, program, &made)),
        };
        made.push(id);
    }
    made
}

/// Gives a tree that was made conflicts, if it is one. Their sides may be anything.
fn in_conflict(program: &mut Reader<'_>, made: &[TreeId], objects: &MemoryObjects) -> TreeId {
    let tree = made[made.len() - 1];
    let mut section = Vec::new();
    for _ in 0..program.below(4) {
        let path = program.some();
        varint(&mut section, path.len() as u64);
        section.extend_from_slice(path);
        // The form, and the names of the sides.
        section.push(program.byte() & 2);
        section.extend_from_slice(b"\x04ours\x06theirs");
        for _ in 0..3 {
            let kind = program.byte();
            section.push(kind & 1);
            if kind & 1 == 1 {
                section.push(kind >> 6);
                section.extend_from_slice(&made[program.below(made.len())].0);
                varint(&mut section, 1);
                if kind >> 6 == 3 {
                    varint(&mut section, 1);
                }
            }
        }
    }
    let Ok(node) = objects.object(&tree.into()) else { return tree };
    let mut root = vec![2];
    varint(&mut root, section.len() as u64);
    root.extend(section);
    // What was made may be no node at all, and empty.
    root.extend_from_slice(node.get(1..).unwrap_or_default());
    put(objects, &root)
}

/// Returns a node of a level, whose names are sorted unless the program says otherwise.
fn node(level: u8, program: &mut Reader<'_>, made: &[TreeId]) -> Vec<u8> {
    let count = program.byte();
    let mut entries = Vec::new();
    for _ in 0..usize::from(count & 0x7f).min(ENTRIES_MAX) {
        let name = program.some();
        let mut entry = Vec::new();
        varint(&mut entry, name.len() as u64);
        entry.extend_from_slice(name);
        let kind = program.byte();
        let back = if level > 0 { usize::from(kind) } else { program.below(made.len() + 1) };
        let child = made[made.len().saturating_sub(back.max(1))].0;
        if level > 0 {
            entry.extend_from_slice(&child);
            varint(&mut entry, program.number());
            varint(&mut entry, program.number());
        } else {
            entry.push(kind);
            entry.extend_from_slice(&child);
            let bytes = program.number();
            varint(&mut entry, bytes);
            let files = program.number();
            if kind == 3 {
                varint(&mut entry, files);
            } else if kind < 2 && bytes > 1 << 20 {
                entry.extend_from_slice(&child);
            }
        }
        entries.push((name, entry));
    }
    if count & 0x80 == 0 {
        entries.sort();
        entries.dedup_by(|a, b| a.0 == b.0);
    }
    let mut node = vec![1, level];
    varint(&mut node, entries.len() as u64);
    entries.iter().for_each(|(_, entry)| node.extend_from_slice(entry));
    node
}

fn readers_agree(id: &TreeId, objects: &MemoryObjects) {
    let Ok(entries) = read_directory(id, objects) else { return };
    assert!(entries.is_sorted_by(|a, b| a.0 < b.0), "names are sorted");
    read_root(id, objects).expect("what can be listed has totals");
    for (name, item) in &entries {
        assert_eq!(find(id, &[name], objects).expect("it can be listed"), Some(*item));
    }
    assert_eq!(find(id, &[b"no such name"], objects).expect("it can be listed"), None);
}

/// The differences of two directories that can be listed are those of their lists.
fn check_diff(ours: &TreeId, theirs: &TreeId, objects: &MemoryObjects) {
    let lists = [ours, theirs].map(|id| read_directory(id, objects));
    let [Ok(old), Ok(new)] = lists else { return };
    let diff = diff_directory(Some(ours), Some(theirs), objects).expect("both can be listed");
    let found: Vec<Vec<u8>> = diff
        .differences()
        .expect("both can be listed")
        .map(|difference| difference.name.to_vec())
        .collect();
    let differs = |a: &[(Vec<u8>, Item)], b: &[(Vec<u8>, Item)]| -> Vec<Vec<u8>> {
        let same = |name: &[u8], item: &Item| {
            let other = b.binary_search_by(|other| other.0.as_slice().cmp(name));
            other.is_ok_and(|at| (b[at].1.kind, b[at].1.id) == (item.kind, item.id))
        };
        a.iter().filter(|(name, item)| !same(name, item)).map(|(name, _)| name.clone()).collect()
    };
    let mut expected = [differs(&old, &new), differs(&new, &old)].concat();
    expected.sort();
    expected.dedup();
    assert_eq!(found, expected, "two lists differ where their nodes do");
}
