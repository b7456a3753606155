//! Nodes of trees.

use fastest_core::object::error::StoreError;
use fastest_core::object::id::{BlobId, ListId, ObjectId, TreeId};
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::{Object, ObjectSink, ObjectSource};
use fastest_core::object::tree::conflicts::conflicts_of;
use fastest_core::object::tree::{
    self, CONFLICTS_VERSION, Conflict, Form, NODE_BYTES_MAX, NODE_VERSION, Node, Run, find,
    read_directory, read_root, with_conflicts, write_directory,
};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    &[NODE_VERSION, 0],
    &[NODE_VERSION, 1],
    &[CONFLICTS_VERSION],
    &[1, b'a'],
    b"..",
    b".fastest",
    &[0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x00],
    &[0; 32],
];

/// Returns directories of several widths, and all nodes of wide ones.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut nodes = Vec::new();
    for count in [0, 1, 5, 40, 2_000] {
        let objects = MemoryObjects::default();
        let root = write_directory(&entries(count), &objects).expect("a directory is written");
        let root = objects.object(&root.id.into()).expect("it was written").to_vec();
        if let Ok(Node::Interior(mut runs)) = Node::parse(&root) {
            let run = runs.next().expect("a run").expect("a valid one");
            nodes.push(objects.object(&run.id.into()).expect("it was written").to_vec());
        }
        nodes.push(root);
    }
    nodes.push(in_conflict());
    nodes
}

/// Returns the root of a directory with a conflict of each form.
fn in_conflict() -> Vec<u8> {
    let objects = MemoryObjects::default();
    let plain = write_directory(&entries(5), &objects).expect("a directory is written");
    let item = |at: usize| Some(entries(5)[at].1);
    let theirs_path = b"name00001.conflict-main".to_vec();
    let forms = [Form::Markers, Form::Beside { theirs_path }, Form::Kept];
    let conflicts = forms.into_iter().enumerate().map(|(at, form)| Conflict {
        path: format!("name{at:05}").into_bytes(),
        form,
        ours_name: "agent".into(),
        theirs_name: "main".into(),
        base: item(at),
        ours: item(at + 1),
        theirs: item(at + 2).filter(|_| at < 2),
    });
    let root = with_conflicts(&plain.id, conflicts.collect(), &objects, &objects);
    let root = root.expect("a root is written");
    objects.object(&root.id.into()).expect("it was written").to_vec()
}

fn entries(count: u64) -> Vec<(Vec<u8>, Item)> {
    let item = |at: u64| {
        let id = BlobId::of(&at.to_le_bytes()).0;
        let plain = Item { kind: Kind::File, id, bytes: at, files: 1, list: None };
        match at % 5 {
            1 => Item { kind: Kind::Directory, files: at, ..plain },
            2 => Item { kind: Kind::Symlink, ..plain },
            3 => Item { kind: Kind::Executable, ..plain },
            4 => Item { bytes: (1 << 20) + 1, list: Some(ListId(plain.id)), ..plain },
            _ => plain,
        }
    };
    (0..count).map(|at| (format!("name{at:05}").into_bytes(), item(at))).collect()
}

/// Decodes a node. What is decoded is the only content with these bytes, and a reader of
/// directories sees what the node states.
pub fn run(input: &[u8]) {
    if input.first() == Some(&CONFLICTS_VERSION) {
        return run_root(input);
    }
    let Some(decoded) = decode(input) else { return };
    assert_eq!(decoded.encode(), input, "a content has one encoding");
    let objects = One(TreeId::of(input), input.to_vec());
    let root = read_root(&objects.0, &objects).expect("a valid node has totals");
    let files = decoded.entries.iter().fold(0, |all: u64, entry| all.saturating_add(entry.files));
    assert_eq!(root.files, files);
    if decoded.level > 0 {
        assert!(read_directory(&objects.0, &objects).is_err(), "its children are missing");
        return;
    }
    let listed = read_directory(&objects.0, &objects).expect("a valid leaf is a directory");
    assert_eq!(listed.len(), decoded.entries.len());
    for (name, item) in &listed {
        assert_eq!(find(&objects.0, &[name], &objects).expect("a name is found"), Some(*item));
    }
    if input.len() <= NODE_BYTES_MAX {
        let written = write_directory(&listed, &MemoryObjects::default()).expect("it is written");
        assert_eq!(written.id, objects.0, "the encoder writes what the decoder reads");
    }
}

/// Decodes a root with conflicts. What is decoded is the only content with these bytes, and without its
/// conflicts it is a node like any other.
fn run_root(input: &[u8]) {
    let (Ok(conflicts), Some(_)) = (conflicts_of(input), decode(input)) else { return };
    let objects = One(TreeId::of(input), input.to_vec());
    let made = MemoryObjects::default();
    let same = with_conflicts(&objects.0, conflicts, &objects, &made).expect("it is written");
    assert_eq!(same.id, objects.0, "the encoder writes what the decoder reads");
    let plain = with_conflicts(&objects.0, vec![], &objects, &made).expect("it is written");
    let node = made.object(&plain.id.into()).expect("it was written");
    assert_eq!(node.first(), Some(&NODE_VERSION));
    run(&node);
}

/// A source with one node.
struct One(TreeId, Vec<u8>);

impl ObjectSource for One {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        let missing = StoreError::Missing { id: *id };
        if *id == self.0.into() { Ok(self.1.clone().into()) } else { Err(missing) }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(*id == self.0.into())
    }
}

/// A node, decoded.
struct Decoded {
    level: u8,
    entries: Vec<Entry>,
}

/// An entry of a leaf, or a run.
struct Entry {
    name: Vec<u8>,
    /// `None` for a run.
    kind: Option<Kind>,
    id: [u8; 32],
    bytes: u64,
    files: u64,
    list: Option<[u8; 32]>,
}

fn decode(input: &[u8]) -> Option<Decoded> {
    match Node::parse(input).ok()? {
        Node::Leaf(entries) => {
            let entry = |entry: tree::Entry<'_>| Entry {
                name: entry.name.to_vec(),
                kind: Some(entry.kind),
                id: *entry.id,
                bytes: entry.bytes,
                files: entry.files,
                list: entry.list.copied(),
            };
            let entries = entries.map(|found| found.map(entry)).collect::<Result<_, _>>().ok()?;
            Some(Decoded { level: 0, entries })
        }
        Node::Interior(runs) => {
            let level = runs.level();
            let run = |run: Run<'_>| Entry {
                name: run.last_name.to_vec(),
                kind: None,
                id: run.id.0,
                bytes: run.bytes,
                files: run.files,
                list: None,
            };
            let entries = runs.map(|found| found.map(run)).collect::<Result<_, _>>().ok()?;
            Some(Decoded { level, entries })
        }
    }
}

impl Decoded {
    /// Encodes the node as `docs/formats.md` says, without the encoder that is tested.
    fn encode(&self) -> Vec<u8> {
        let mut out = vec![NODE_VERSION, self.level];
        varint(&mut out, self.entries.len() as u64);
        for entry in &self.entries {
            varint(&mut out, entry.name.len() as u64);
            out.extend_from_slice(&entry.name);
            out.extend(entry.kind.map(|kind| kind as u8));
            out.extend_from_slice(&entry.id);
            if entry.kind.is_none() {
                varint(&mut out, entry.files);
            }
            varint(&mut out, entry.bytes);
            if entry.kind == Some(Kind::Directory) {
                varint(&mut out, entry.files);
            }
            out.extend(entry.list.iter().flatten());
        }
        out
    }
}

/// Appends an unsigned LEB128 number.
pub fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Puts a node into a sink.
pub fn put(objects: &MemoryObjects, node: &[u8]) -> TreeId {
    let id = TreeId::of(node);
    objects.put(ObjectKind::Tree, id.into(), node).expect("memory takes any object");
    id
}
