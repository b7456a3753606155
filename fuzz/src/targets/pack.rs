//! Packs: as bytes, and as packs of any objects.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;

use fastest_core::fuzzing;
use fastest_core::object::chunk::{decode_list, encode_list};
use fastest_core::object::id::BlobId;
use fastest_core::object::kind::ObjectKind;
use fastest_core::object::tree::Node;
use fastest_core::object::tree::conflicts::conflicts_of;

use crate::place::folder;
use crate::reader::Reader;

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[
    b"FSTPACK\x01",
    b"FSTPACK\x02",
    &[0x28, 0xb5, 0x2f, 0xfd],
    &[0, 0, 0x10, 4],
    &[0xff, 0xff, 0xff, 0xff],
    &[1, 0, 0, 0],
    &[1, 0, 0],
];

/// What follows the records of objects: the length of the footer, and the magic.
const TRAILER_BYTES: usize = 12;
/// A record of an object: id, kind, block, offset, length.
const RECORD_BYTES: usize = 32 + 1 + 3 * 4;

/// The first byte of an input: a pack as it is.
const AS_IT_IS: u8 = 0;

thread_local! {
    static FILE: RefCell<File> = RefCell::new(file());
}

/// Returns an open file without a name.
fn file() -> File {
    tempfile::tempfile_in(folder()).expect("a temporary file can be made")
}

/// Returns packs of a few objects, and programs that make some.
pub fn seeds() -> Vec<Vec<u8>> {
    let list = encode_list(&[(BlobId::of(b"x"), 1)]);
    let objects = [
        (ObjectKind::Blob, b"hello".to_vec()),
        (ObjectKind::Blob, vec![0; 5_000]),
        (ObjectKind::Tree, vec![1, 0, 0]),
        (ObjectKind::List, list.clone()),
    ];
    let whole = |objects: &[(ObjectKind, Vec<u8>)], each| {
        [&[AS_IT_IS], &fuzzing::pack_of(objects, |_| each)[..]].concat()
    };
    let mut program = vec![1];
    for (kind, bytes) in &objects {
        program.extend([*kind as u8, bytes.len() as u8, (bytes.len() >> 8) as u8]);
        program.extend(bytes);
    }
    let mut newer = program.clone();
    newer.extend([1, 3, 0, 2, 0, 0]);
    let sound = whole(&objects, false);
    let [swapped, doubled] = [false, true].map(|is_doubled| last_records(&sound, is_doubled));
    vec![whole(&[], false), sound, whole(&objects, true), swapped, doubled, program, newer]
}

/// Returns a pack whose last two records have changed places, or are both the last one. Mutations move
/// no whole record.
fn last_records(pack: &[u8], is_doubled: bool) -> Vec<u8> {
    let (mut pack, end) = (pack.to_vec(), pack.len() - TRAILER_BYTES);
    let (first, second) = pack[end - 2 * RECORD_BYTES..end].split_at_mut(RECORD_BYTES);
    if is_doubled {
        first.copy_from_slice(second);
    } else {
        first.swap_with_slice(second);
    }
    pack
}

/// Verifies a pack as an import does. Whatever it returns has its id and can be decoded.
pub fn run(input: &[u8]) {
    let mut reader = Reader::new(input);
    if reader.byte() == AS_IT_IS {
        check(reader.rest());
    } else {
        built(&mut reader);
    }
}

/// Returns the objects of a pack, if it is valid.
fn check(pack: &[u8]) -> Option<usize> {
    let found = FILE.with_borrow(|file| {
        file.set_len(0).expect("a file in memory");
        file.write_all_at(pack, 0).expect("a file in memory");
        fuzzing::pack(file)
    });
    let objects = found.ok()?;
    assert!(objects.is_sorted_by(|a, b| a.0.id < b.0.id), "each object is there once");
    for (packed, bytes) in &objects {
        assert_eq!(packed.kind.id_of(bytes), packed.id, "an object has its id");
        assert_eq!(packed.bytes as usize, bytes.len());
        assert!(is_valid(packed.kind, bytes), "an object can be decoded");
    }
    Some(objects.len())
}

/// Whether an object can be decoded, or is of a newer version.
fn is_valid(kind: ObjectKind, bytes: &[u8]) -> bool {
    match (kind, bytes.first()) {
        (ObjectKind::Blob, _) => true,
        (ObjectKind::List, Some(version)) if *version > 1 => true,
        (ObjectKind::Tree, Some(version)) if *version > 2 => bytes.len() > 1,
        (ObjectKind::Tree, _) if conflicts_of(bytes).is_err() => false,
        (ObjectKind::List, _) => decode_list(bytes).is_some(),
        (ObjectKind::Tree, _) => match Node::parse(bytes) {
            Ok(Node::Leaf(mut entries)) => entries.all(|entry| entry.is_ok()),
            Ok(Node::Interior(mut runs)) => runs.all(|run| run.is_ok()),
            Err(_) => false,
        },
    }
}

/// Makes a pack of any objects, with their ids: it is refused exactly if one of them cannot be
/// decoded.
fn built(program: &mut Reader<'_>) {
    let mut objects: Vec<(ObjectKind, Vec<u8>)> = Vec::new();
    let mut splits = Vec::new();
    while !program.is_empty() && objects.len() < 50 {
        let kind = program.byte();
        splits.push(kind & 0x80 != 0);
        let kind = ObjectKind::from_u8(kind % 3).expect("there are three");
        let bytes = program.many().to_vec();
        if !objects.iter().any(|other| kind.id_of(&bytes) == other.0.id_of(&other.1)) {
            objects.push((kind, bytes));
        }
    }
    let pack = fuzzing::pack_of(&objects, |at| splits[at]);
    let is_valid = objects.iter().all(|(kind, bytes)| is_valid(*kind, bytes));
    assert_eq!(check(&pack), is_valid.then_some(objects.len()));
}
