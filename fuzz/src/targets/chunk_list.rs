//! Chunk lists, and the content that one makes up.

use fastest_core::object::chunk::{CHUNK_BYTES_MAX, decode_list, encode_list, read_content};
use fastest_core::object::id::{BlobId, ListId};
use fastest_core::object::item::{Item, Kind};
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::memory::MemoryObjects;
use fastest_core::object::source::ObjectSink;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    &[1, 1],
    &[0x80, 0x80, 0x20],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x00],
];

const CHUNKS: [&[u8]; 3] = [b"a", b"bcd", &[7; 1000]];

/// Returns lists of chunks that the target has.
pub fn seeds() -> Vec<Vec<u8>> {
    let chunk = |bytes: &[u8]| (BlobId::of(bytes), bytes.len() as u64);
    let [one, two, three] = CHUNKS.map(chunk);
    let far = (BlobId::of(b"missing"), 70_000);
    let lists = [vec![], vec![one], vec![one, two, three, two], vec![far, one]];
    lists.iter().map(|list| encode_list(list)).collect()
}

/// Decodes a list. What is decoded is the only list with these bytes, and content comes out whole
/// or not at all.
pub fn run(input: &[u8]) {
    let Some(chunks) = decode_list(input) else { return };
    assert_eq!(encode_list(&chunks), input, "a list has one encoding");
    assert!(chunks.iter().all(|(_, bytes)| *bytes > 0 && *bytes <= CHUNK_BYTES_MAX as u64));
    let objects = MemoryObjects::default();
    let put = |kind: ObjectKind, bytes: &[u8]| {
        objects.put(kind, kind.id_of(bytes), bytes).expect("memory takes any object");
    };
    CHUNKS.iter().for_each(|bytes| put(ObjectKind::Blob, bytes));
    put(ObjectKind::List, input);
    let known = |id: &BlobId| CHUNKS.iter().find(|bytes| BlobId::of(bytes) == *id);
    let whole: Vec<u8> =
        chunks.iter().filter_map(|(id, _)| known(id)).copied().flatten().copied().collect();
    let is_true = chunks
        .iter()
        .all(|(id, bytes)| known(id).is_some_and(|chunk| chunk.len() as u64 == *bytes));
    let item = Item {
        kind: Kind::File,
        id: BlobId::of(&whole).0,
        bytes: whole.len() as u64,
        files: 1,
        list: Some(ListId::of(input)),
    };
    let mut out = Vec::new();
    assert_eq!(read_content(&item, &objects, &mut out).is_ok(), is_true);
    assert!(!is_true || out == whole);
    let lie = Item { id: BlobId::of(b"another").0, ..item };
    assert!(read_content(&lie, &objects, &mut Vec::new()).is_err(), "the content has another id");
}
