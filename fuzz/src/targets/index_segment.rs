//! Segments of a store's index.

use std::cell::RefCell;
use std::fs;

use fastest_core::fuzzing;
use fastest_core::object::id::{ObjectId, PackId};
use fastest_core::object::kind::ObjectKind;
use fastest_core::store::index::Located;
use fastest_core::store::pack::{Block, Packed};
use tempfile::TempDir;

use crate::place::folder;
use crate::targets::sealed::{seal, unseal};

/// Parts of the format.
pub const TOKENS: &[&[u8]] = &[b"FSTINDX\x01", &[0xff; 4], &[1, 0, 0, 0], &[24, 0, 0, 0], &[0; 32]];

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(folder());
}

/// Returns segments of no, few and many objects.
pub fn seeds() -> Vec<Vec<u8>> {
    let located = |at: u64| {
        let hash = *blake3::hash(&at.to_le_bytes()).as_bytes();
        let block = Block { start: 8, stored_bytes: 100, raw_bytes: 2_000 };
        let (offset, bytes) = (at as u32 % 1_000, 1_000);
        let kind = [ObjectKind::Blob, ObjectKind::Tree, ObjectKind::List][at as usize % 3];
        let packed = Packed { id: ObjectId(hash), kind, block, offset, bytes };
        Located { pack: PackId([(at % 3) as u8; 32]), packed }
    };
    let segment = |count| unseal(&fuzzing::segment_of((0..count).map(located).collect()));
    [0, 1, 3, 70].map(segment).to_vec()
}

/// Reads a segment with a true checksum, and looks every record up.
pub fn run(input: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let path = folder.path().join("0.idx");
        for file in [seal(input), input.to_vec()] {
            fs::write(&path, &file).expect("a file in memory");
            let Ok(records) = fuzzing::segment(folder.path()) else { continue };
            let is_sorted = records.is_sorted_by(|a, b| a.0.packed.id < b.0.packed.id);
            for (record, found) in &records {
                let packed = record.packed;
                let end = u64::from(packed.offset) + u64::from(packed.bytes);
                assert!(end <= packed.block.raw_bytes.into(), "an object is within its block");
                // The fan-out may lie, and then nothing is found. What is found has the id.
                assert!(found.is_none_or(|found| found.packed.id == packed.id));
                assert!(!is_sorted || found.is_none_or(|found| found == *record));
            }
            let honest = records.iter().map(|(record, _)| *record).collect();
            if is_sorted && fuzzing::segment_of(honest) == file {
                assert!(records.iter().all(|(record, found)| found.as_ref() == Some(record)));
            }
        }
    });
}
