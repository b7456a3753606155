//! Tree nodes: the canonical encoding of a directory, and how wide directories are split.
//!
//! A manifest is a Merkle tree of directories. Its hash is the id of the root directory's node. The
//! same set of entries always has the same bytes, and so the same id, whatever edits led to it.
//!
//! A directory whose leaf node would exceed [`NODE_BYTES_MAX`] is split by a rule that depends on
//! names alone. A leaf ends after each entry whose name has a [`boundary`] of at least 1; a node of
//! level *n* ends after each child whose last name has a boundary of at least *n* + 1. So an edit
//! rewrites one leaf of about 128 entries and the few nodes above it. `docs/formats.md` specifies
//! the encoding, with test vectors.

pub mod conflicts;
pub mod format;
pub mod node;
pub mod read;
pub mod write;

pub use conflicts::{Conflict, ConflictId, Form, read_conflicts, with_conflicts};
pub use format::{
    CHUNKED_OVER_BYTES, CONFLICTS_VERSION, DEPTH_MAX, NODE_BYTES_MAX, NODE_VERSION, TreeError,
    boundary, empty_directory,
};
pub(crate) use node::compare_names;
pub use node::{Entries, Entry, Node, Run, Runs};
pub(crate) use read::check_depth;
pub use read::{find, read_directory, read_root};
pub use write::write_directory;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::diff::diff_directory;
    use crate::compare::reach;
    use crate::object::id::{BlobId, TreeId};
    use crate::object::item::{Item, Kind};
    use crate::object::kind::ObjectKind;
    use crate::object::memory::MemoryObjects;
    use crate::object::source::{ObjectSink, ObjectSource};

    fn file(seed: u64) -> Item {
        let id = BlobId::of(&seed.to_le_bytes()).0;
        Item { kind: Kind::File, id, bytes: seed, files: 1, list: None }
    }

    fn wide(count: u64) -> Vec<(Vec<u8>, Item)> {
        (0..count).map(|n| (format!("file{n:07}.txt").into_bytes(), file(n % 1000))).collect()
    }

    #[test]
    fn a_directory_reads_back_whatever_its_width() {
        for count in [0, 1, 2, 500, 1_000, 60_000] {
            let objects = MemoryObjects::default();
            let entries = wide(count);
            let root = write_directory(&entries, &objects).unwrap();
            assert_eq!(root.files, count);
            assert_eq!(read_root(&root.id, &objects).unwrap(), root);
            assert_eq!(read_directory(&root.id, &objects).unwrap(), entries);
            for (name, item) in entries.iter().step_by(997) {
                assert_eq!(find(&root.id, &[name], &objects).unwrap(), Some(*item));
            }
            assert_eq!(find(&root.id, &[b"zzz"], &objects).unwrap(), None);
            assert_eq!(find(&root.id, &[b"file0000000.txt", b"x"], &objects).unwrap(), None);
        }
    }

    #[test]
    fn one_change_in_a_wide_directory_rewrites_tens_of_kilobytes() {
        let objects = MemoryObjects::default();
        let mut entries = wide(200_000);
        write_directory(&entries, &objects).unwrap();
        let before = objects.len();
        entries[123_456].1 = file(77_777);
        let changed = MemoryObjects::default();
        let root = write_directory(&entries, &changed).unwrap();
        write_directory(&entries, &objects).unwrap();
        assert!(objects.len() - before <= 4, "{} nodes", objects.len() - before);
        let rewritten: usize = {
            let mut path = vec![root.id];
            let mut total = 0;
            while let Some(id) = path.pop() {
                let node = changed.object(&id.into()).unwrap();
                total += node.len();
                if let Node::Interior(mut runs) = Node::parse(&node).unwrap() {
                    let name = &entries[123_456].0;
                    let run = runs.find(|run| run.as_ref().unwrap().last_name >= name.as_slice());
                    path.push(run.unwrap().unwrap().id);
                }
            }
            total
        };
        assert!(rewritten < 100_000, "{rewritten} bytes");
    }

    #[test]
    fn names_are_sorted_by_their_bytes() {
        let mut names = vec![vec![]];
        for length in [1, 2, 7, 8, 9, 15, 16, 17, 40] {
            names.push(vec![b'x'; length]);
            for at in 0..length {
                for byte in [1, b'w', b'y', 0xff] {
                    let mut name = vec![b'x'; length];
                    name[at] = byte;
                    names.push(name);
                }
            }
        }
        for a in &names {
            names.iter().for_each(|b| assert_eq!(compare_names(a, b), a.cmp(b), "{a:?} {b:?}"));
        }
    }

    #[test]
    fn damaged_nodes_are_refused_at_every_cut_and_flip() {
        let objects = MemoryObjects::default();
        let root = write_directory(&wide(40), &objects).unwrap();
        let encoded = objects.object(&root.id.into()).unwrap().to_vec();
        let read = |bytes: &[u8]| -> Result<usize, TreeError> {
            match Node::parse(bytes)? {
                Node::Leaf(leaf) => leaf.map(|e| e.map(|_| 1)).sum(),
                Node::Interior(runs) => runs.map(|r| r.map(|_| 1)).sum(),
            }
        };
        assert_eq!(read(&encoded), Ok(40));
        for cut in 0..encoded.len() {
            assert!(read(&encoded[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..encoded.len() {
            let mut flipped = encoded.clone();
            flipped[at] ^= 0x41;
            let _ = read(&flipped); // may be valid; must not panic
        }
        let mut longer = encoded.clone();
        longer.push(0);
        assert!(read(&longer).is_err());
    }

    /// One reader accepted such a directory and another refused it.
    #[test]
    fn a_level_that_is_skipped_is_refused_by_every_reader() {
        let objects = MemoryObjects::default();
        let put = |node: &[u8]| {
            let id = TreeId::of(node);
            objects.put(ObjectKind::Tree, id.into(), node).unwrap();
            id
        };
        let leaf = put(&[&[NODE_VERSION, 0, 1, 1, b'a', 0][..], &[7; 32], &[5]].concat());
        let above =
            |level: u8| put(&[&[NODE_VERSION, level, 1, 1, b'a'][..], &leaf.0, &[1, 5]].concat());
        let (good, bad) = (above(1), above(2));
        for (id, is_good) in [(good, true), (bad, false)] {
            assert_eq!(read_directory(&id, &objects).is_ok(), is_good);
            assert_eq!(find(&id, &[b"a"], &objects).is_ok(), is_good);
            assert_eq!(diff_directory(None, Some(&id), &objects).is_ok(), is_good);
            assert_eq!(reach::new_objects(None, &id, &objects).is_ok(), is_good);
        }
    }

    #[test]
    fn only_a_higher_version_is_newer() {
        assert_eq!(Node::parse(&[3, 0, 0]).unwrap_err(), TreeError::Newer { version: 3 });
        assert!(matches!(Node::parse(&[0, 0, 0]), Err(TreeError::Damaged { .. })));
    }
}
