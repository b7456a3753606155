//! The store's caches, each with a limit: decompressed blocks, and open pack files.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use crate::object::error::StoreError;
use crate::object::id::PackId;

/// Decompressed bytes that are kept, roughly: enough for each thread to read a pack in order
/// without decompressing a block twice.
const BLOCKS_BYTES_MAX: usize = 32 << 20;
/// Pack files that are kept open.
const PACKS_MAX: usize = 64;

/// A pack, and the offset of a block in it.
type BlockKey = (PackId, u32);
type Slot = Arc<OnceLock<Option<Arc<Vec<u8>>>>>;

/// Decompressed blocks; the oldest is dropped first. Two threads that need the same block
/// decompress it once.
#[derive(Debug, Default)]
pub(crate) struct BlockCache {
    state: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    slots: HashMap<BlockKey, Slot>,
    order: VecDeque<(BlockKey, usize)>,
    bytes: usize,
}

impl BlockCache {
    /// Returns a block. Calls `load` if it is not cached.
    pub(crate) fn get(
        &self,
        key: BlockKey,
        load: impl Fn() -> Result<Vec<u8>, StoreError>,
    ) -> Result<Arc<Vec<u8>>, StoreError> {
        let slot = Arc::clone(self.lock().slots.entry(key).or_default());
        let mut outcome = None;
        let cached = slot.get_or_init(|| {
            let loaded = load().map(Arc::new);
            let block = loaded.as_ref().ok().map(Arc::clone);
            outcome = Some(loaded);
            block
        });
        match (outcome, cached) {
            (None, Some(block)) => Ok(Arc::clone(block)),
            // The thread that made the slot failed, and returned the error to its own caller.
            (None, None) => load().map(Arc::new),
            (Some(Ok(block)), _) => {
                self.lock().keep(key, block.len());
                Ok(block)
            }
            (Some(Err(error)), _) => {
                self.lock().slots.remove(&key);
                Err(error)
            }
        }
    }

    /// Drops all blocks, as after packs were replaced.
    pub(crate) fn clear(&self) {
        *self.lock() = Blocks::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Blocks> {
        self.state.lock().expect("no holder of the cache lock panics")
    }
}

impl Blocks {
    fn keep(&mut self, key: BlockKey, bytes: usize) {
        self.order.push_back((key, bytes));
        self.bytes += bytes;
        while self.bytes > BLOCKS_BYTES_MAX && self.order.len() > 1 {
            let (oldest, bytes) = self.order.pop_front().expect("more than one is left");
            self.slots.remove(&oldest);
            self.bytes -= bytes;
        }
    }
}

/// Open pack files. When there are too many, all are closed.
#[derive(Debug, Default)]
pub(crate) struct OpenPacks {
    files: Mutex<HashMap<PackId, Arc<File>>>,
}

impl OpenPacks {
    /// Closes all files.
    pub(crate) fn clear(&self) {
        self.files.lock().expect("no holder of the lock panics").clear();
    }

    pub(crate) fn get(&self, id: &PackId, path: &Path) -> Result<Arc<File>, StoreError> {
        let mut files = self.files.lock().expect("no holder of the lock panics");
        if let Some(file) = files.get(id) {
            return Ok(Arc::clone(file));
        }
        if files.len() >= PACKS_MAX {
            files.clear();
        }
        let file = Arc::new(File::open(path).map_err(StoreError::io("open", path))?);
        files.insert(*id, Arc::clone(&file));
        Ok(file)
    }
}
