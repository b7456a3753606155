//! Times scan and checkout of a real tree: `measure TREE TARGET`.
//!
//! The sink remembers ids and keeps nothing, so the figures are those of walking, reading and
//! hashing. Take them with a warm page cache, and compare within one run only.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use fastest_core::id::ObjectId;
use fastest_core::object::{ObjectKind, ObjectSink};
use fastest_core::progress::Progress;
use fastest_core::scan::{IndexUse, scan};
use fastest_core::stat_index::StatIndex;
use fastest_core::store::StoreError;

/// Remembers which objects it was given.
#[derive(Default)]
struct Ids(Mutex<HashSet<ObjectId>>);

impl ObjectSink for Ids {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.0.lock().expect("no holder panics").contains(id))
    }

    fn put(&self, _: ObjectKind, id: ObjectId, _: &[u8]) -> Result<(), StoreError> {
        self.0.lock().expect("no holder panics").insert(id);
        Ok(())
    }
}

fn main() {
    let tree = std::env::args().nth(1).expect("usage: measure TREE");
    let ids = Ids::default();
    let mut index = StatIndex::empty();
    for round in ["first scan", "second scan", "third scan"] {
        let progress = Progress::default();
        let begun = Instant::now();
        let done = scan(Path::new(&tree), &index, &ids, IndexUse::Replace, &progress);
        let done = done.expect("the tree can be scanned");
        let (seconds, counts) = (begun.elapsed().as_secs_f64(), progress.counts());
        println!("{round}: {seconds:.3} s, {} files, {} bytes read", counts.files, counts.bytes);
        println!("  {} new index: {}", done.root.id, done.index.is_some());
        index = done.index.unwrap_or(index);
    }
    println!("index of {} bytes", index.encode().len());
}
