//! The vectors of `docs/formats.md`: data that is stored today must always be read the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fastest_core::object::chunk::{decode_list, encode_list, write_content};
use fastest_core::object::id::{BlobId, ListId, ObjectId, PackId, TreeId};
use fastest_core::object::item::{Item, Kind, Root};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSource;
use fastest_core::object::tree::conflicts::{Conflict, Form, read_conflicts, with_conflicts};
use fastest_core::object::tree::format::boundary;
use fastest_core::object::tree::node::Node;
use fastest_core::object::tree::read::read_directory;
use fastest_core::object::tree::write::write_directory;
use fastest_core::store::open::Store;

use super::model::noise;

fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/data").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the bytes in a file of hex digits; `#` begins a comment.
fn bytes(name: &str) -> Vec<u8> {
    let text = data(name);
    let lines = text.lines().map(|line| line.split('#').next().unwrap());
    let digits: String = lines.flat_map(str::split_whitespace).collect();
    let pairs = digits.as_bytes().as_chunks::<2>().0.iter();
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Returns an id by its name in `ids.txt`.
fn id(name: &str) -> String {
    let text = data("ids.txt");
    let ids: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
    ids[name].trim().to_owned()
}

fn item(kind: Kind, content: &[u8]) -> Item {
    let id = BlobId::of(content).0;
    Item { kind, id, bytes: content.len() as u64, files: 1, list: None }
}

/// Creates the directory of `tree-leaf.hex`.
fn leaf(objects: &MemoryObjects) -> Root {
    let below = write_directory(&[("x", item(Kind::File, b"below"))], objects).unwrap();
    let large = write_content(&mut &noise(3_000_000, 42)[..], objects).unwrap();
    let large =
        Item { id: large.id.0, bytes: large.bytes, list: large.list, ..item(Kind::File, b"") };
    let entries: [(&[u8], Item); 7] = [
        (b"d", Item::directory(&below)),
        (b"empty", Item::directory(&write_directory::<&[u8]>(&[], objects).unwrap())),
        (b"file", item(Kind::File, b"hello")),
        (b"large", large),
        (b"link", item(Kind::Symlink, b"file")),
        (b"run", item(Kind::Executable, b"#!/bin/sh\n")),
        (b"\xff", item(Kind::File, b"")),
    ];
    write_directory(&entries, objects).unwrap()
}

/// Creates a directory of files, each of which contains its own name.
fn wide(count: usize, width: usize, objects: &MemoryObjects) -> Root {
    let name = |number: usize| format!("{number:0width$}").into_bytes();
    let entries = (0..count).map(name).map(|name| (name.clone(), item(Kind::File, &name)));
    write_directory(&entries.collect::<Vec<_>>(), objects).unwrap()
}

/// Returns the objects of `pack.hex`.
fn packed() -> BTreeMap<ObjectId, (ObjectKind, Vec<u8>)> {
    let list = encode_list(&[(BlobId::of(b"hello"), 5), (BlobId::of(b""), 1)]);
    let objects = [
        (ObjectKind::Blob, b"hello".to_vec()),
        (ObjectKind::Blob, Vec::new()),
        (ObjectKind::Tree, vec![1, 0, 0]),
        (ObjectKind::List, list),
    ];
    objects.into_iter().map(|(kind, bytes)| (kind.id_of(&bytes), (kind, bytes))).collect()
}

#[test]
fn ids() {
    assert_eq!(BlobId::of(b"").to_hex(), id("blob-empty"));
    assert_eq!(BlobId::of(b"abc").to_hex(), id("blob-abc"));
    assert_eq!(TreeId::of(b"abc").to_hex(), id("tree-abc"));
    assert_eq!(ListId::of(b"abc").to_hex(), id("list-abc"));
    assert_eq!(TreeId::of(&[1, 0, 0]).to_hex(), id("tree-empty"));
}

#[test]
fn a_leaf() {
    let objects = MemoryObjects::default();
    let root = leaf(&objects);
    assert_eq!(objects.object(&root.id.into()).unwrap().to_vec(), bytes("tree-leaf.hex"));
    assert_eq!(root.id.to_hex(), id("tree-leaf"));
    assert_eq!(TreeId::of(&bytes("tree-leaf.hex")), root.id);
}

#[test]
fn split_directories() {
    let objects = MemoryObjects::default();
    let root = wide(1_000, 8, &objects);
    assert_eq!(objects.object(&root.id.into()).unwrap().to_vec(), bytes("tree-split.hex"));
    assert_eq!(root.id.to_hex(), id("tree-split"));
    let ends: Vec<usize> =
        (0..1_000).filter(|number| boundary(format!("{number:08}").as_bytes()) >= 1).collect();
    let node = bytes("tree-split.hex");
    let Node::Interior(runs) = Node::parse(&node).unwrap() else { panic!("it is split") };
    let last: Vec<usize> =
        runs.map(|run| str::from_utf8(run.unwrap().last_name).unwrap().parse().unwrap()).collect();
    assert_eq!(last, [&ends[..], &[999]].concat());
    assert_eq!(read_directory(&root.id, &objects).unwrap().len(), 1_000);

    let deep = wide(20_000, 200, &objects);
    let node = objects.object(&deep.id.into()).unwrap();
    let Node::Interior(runs) = Node::parse(&node).unwrap() else { panic!("it is split") };
    assert_eq!(runs.level(), 2);
    assert_eq!(deep.id.to_hex(), id("tree-split-twice"));
}

#[test]
fn a_chunk_list() {
    let encoded = bytes("chunk-list.hex");
    let content = write_content(&mut &noise(3_000_000, 42)[..], &MemoryObjects::default()).unwrap();
    assert_eq!(ListId::of(&encoded), content.list.unwrap());
    assert_eq!(content.list.unwrap().to_hex(), id("chunk-list"));
    assert_eq!(content.id.to_hex(), id("chunk-list-content"));
    let chunks = decode_list(&encoded).unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.1).sum::<u64>(), 3_000_000);
    assert_eq!(encode_list(&chunks), encoded);
}

#[test]
fn a_pack_and_its_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let pack: PackId = id("pack").parse().unwrap();
    store.import_pack(&pack, &mut &bytes("pack.hex")[..]).unwrap();
    for (id, (kind, bytes)) in packed() {
        assert_eq!(store.object(&id).unwrap().to_vec(), bytes);
        assert_eq!(store.locate(&id).unwrap().unwrap().packed.kind, kind);
    }
    assert_eq!(store.pack_objects(&pack).unwrap().len(), packed().len());

    let segments: Vec<_> = std::fs::read_dir(folder.path().join("index"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [segment] = &segments[..] else { panic!("one segment for one pack: {segments:?}") };
    assert_eq!(std::fs::read(segment).unwrap(), bytes("index.hex"));
    let name = segment.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("{}.idx", &BlobId::of(&bytes("index.hex")).to_hex()[..32]));
}

#[test]
fn a_root_with_conflicts() {
    let objects = MemoryObjects::default();
    let plain = leaf(&objects);
    let conflict = |path: &str, form: Form, theirs: Option<Item>| Conflict {
        path: path.into(),
        form,
        ours_name: "agent-1".into(),
        theirs_name: "main".into(),
        base: Some(item(Kind::File, b"hello")),
        ours: Some(item(Kind::Executable, b"#!/bin/sh\n")),
        theirs,
    };
    let theirs_path = b"run.conflict-main-abcdef".to_vec();
    let conflicts = vec![
        conflict("file", Form::Markers, Some(item(Kind::File, b"hello, world"))),
        conflict("run", Form::Beside { theirs_path }, Some(item(Kind::Symlink, b"file"))),
        Conflict { base: None, ..conflict("d/x", Form::Kept, None) },
    ];
    let root = with_conflicts(&plain.id, conflicts.clone(), &objects, &objects).unwrap();
    let encoded = objects.object(&root.id.into()).unwrap().to_vec();
    assert_eq!(encoded, bytes("tree-conflicts.hex"));
    assert_eq!(root.id.to_hex(), id("tree-conflicts"));
    assert_eq!(conflicts[0].id().to_string(), id("conflict"));
    assert_eq!(read_conflicts(&root.id, &objects).unwrap().len(), 3);
}
