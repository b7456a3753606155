//! Collects objects from many threads into packs of the store.
//!
//! The thread whose object fills a block compresses that block. So the same threads produce, hash
//! and compress, and all cores are busy. Only appending to the pack file is done by one thread at a
//! time.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::kind::{OBJECT_BYTES_MAX, ObjectKind};
use crate::object::source::ObjectSink;
use crate::store::open::Store;
use crate::store::pack::{BlockBuilder, CompressedBlock, PACK_BYTES_TARGET, PackInfo, PackWriter};
use crate::store::temp::TempFile;
use crate::store::verified::VerifiedPack;

/// Shards of the set of ids that were taken: more than there are threads, so that they seldom wait
/// for each other.
const SHARDS: usize = 64;

/// Writes objects to the store. The store does not have them before [`StoreWriter::finish`].
#[derive(Debug)]
pub struct StoreWriter<'a> {
    store: &'a Store,
    /// Whether objects that the store has already are skipped.
    skip_stored: bool,
    taken: Vec<Mutex<HashSet<ObjectId>>>,
    /// Blocks that are being filled. Trees have blocks of their own, so that a walk reads few bytes.
    trees: Mutex<Vec<BlockBuilder>>,
    contents: Mutex<Vec<BlockBuilder>>,
    packs: Mutex<Packs>,
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Packs {
    open: Option<PackWriter>,
    /// Full packs, being fsynced in the background.
    full: Vec<VerifiedPack>,
}

impl Store {
    /// Returns a writer that skips objects which the store has already.
    pub fn writer(&self) -> StoreWriter<'_> {
        StoreWriter::new(self, true)
    }

    /// Copies objects into new packs, whatever packs have them now.
    pub fn repack(&self, objects: &[ObjectId]) -> Result<Vec<PackInfo>, StoreError> {
        let writer = StoreWriter::new(self, false);
        for id in objects {
            let located = self.locate(id)?.ok_or(StoreError::Missing { id: *id })?;
            let object = crate::object::source::ObjectSource::object(self, id)?;
            writer.put(located.packed.kind, *id, &object)?;
        }
        writer.finish()
    }
}

impl<'a> StoreWriter<'a> {
    fn new(store: &'a Store, skip_stored: bool) -> Self {
        Self {
            store,
            skip_stored,
            taken: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            trees: Mutex::default(),
            contents: Mutex::default(),
            packs: Mutex::default(),
            bytes: AtomicU64::new(0),
        }
    }

    /// Writes the last blocks and makes everything durable. Returns the new packs: none, if the
    /// store had every object.
    pub fn finish(self) -> Result<Vec<PackInfo>, StoreError> {
        for builders in [&self.trees, &self.contents] {
            let builders = std::mem::take(&mut *builders.lock().expect("no holder panics"));
            for mut builder in builders.into_iter().filter(|builder| !builder.is_empty()) {
                self.append(&builder.compress())?;
            }
        }
        let Packs { open, full } = self.packs.into_inner().expect("no holder panics");
        let open = open.map(PackWriter::finish).transpose()?.map(VerifiedPack::written);
        let packs: Vec<_> = open.into_iter().chain(full).collect();
        let infos = packs.iter().map(VerifiedPack::info).collect();
        self.store.take_in(packs)?;
        Ok(infos)
    }

    /// Returns the raw bytes of the objects that were taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn shard(&self, id: &ObjectId) -> &Mutex<HashSet<ObjectId>> {
        &self.taken[id.0[31] as usize % SHARDS]
    }

    fn append(&self, block: &CompressedBlock) -> Result<(), StoreError> {
        let mut packs = self.packs.lock().expect("no holder panics");
        let open = match &mut packs.open {
            Some(open) => open,
            None => packs.open.insert(PackWriter::new(TempFile::create(&self.store.temp_dir())?)?),
        };
        open.append(block)?;
        if open.bytes() >= PACK_BYTES_TARGET {
            let full = packs.open.take().expect("it was just written to");
            packs.full.push(VerifiedPack::written(full.finish()?).sync_in_background());
        }
        Ok(())
    }
}

impl ObjectSink for StoreWriter<'_> {
    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.shard(id).lock().expect("no holder panics").contains(id)
            || (self.skip_stored && self.store.indexed(id)?))
    }

    fn put(&self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > OBJECT_BYTES_MAX {
            return Err(StoreError::ObjectTooLarge { bytes: bytes.len() as u64 });
        }
        if !self.shard(&id).lock().expect("no holder panics").insert(id) {
            return Ok(());
        }
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let builders = if kind == ObjectKind::Tree { &self.trees } else { &self.contents };
        let free = builders.lock().expect("no holder panics").pop();
        let mut builder = free.unwrap_or_default();
        let full = builder.push(id, kind, bytes);
        let block = full.then(|| builder.compress());
        builders.lock().expect("no holder panics").push(builder);
        block.map_or(Ok(()), |block| self.append(&block))
    }
}
