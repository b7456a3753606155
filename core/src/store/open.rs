//! The object store of a device: packs, and an index of which pack has which object.
//!
//! ```text
//! packs/ab/ab….pack   packs by id, immutable
//! index/….idx         index segments, immutable
//! tmp/                files that are being written
//! lock                held while segments are merged
//! ```
//!
//! Only its owner may read it: files have the mode 0600, folders 0700 ([`crate::files::private`]).
//!
//! Any number of processes may read and write a store at the same time. The order of durability is:
//! a pack is fsynced and named, then a segment that points into it, and only then does the caller
//! write rows that name the objects. A crash in between leaves objects to which nothing refers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use rayon::prelude::*;

use crate::files::private;
use crate::object::error::StoreError;
use crate::object::id::{ObjectId, PackId};
use crate::object::source::{Object, ObjectSource};
use crate::store::cache::{BlockCache, OpenPacks};
use crate::store::index::{self, Index, Located};
use crate::store::pack::{self, PackInfo, Packed};
use crate::store::temp;
use crate::store::verified::VerifiedPack;

/// An open object store.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    index: RwLock<Arc<Index>>,
    open_packs: OpenPacks,
    pub(crate) blocks: BlockCache,
}

impl Store {
    /// Opens the store in `dir`, and creates its missing folders. An index that cannot be decoded
    /// is rebuilt from the packs: otherwise the store could not be opened to repair it.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        for part in ["packs", "index", "tmp"] {
            let part = dir.join(part);
            private::create_dir_all(&part).map_err(StoreError::io("create", &part))?;
        }
        temp::sweep(&dir.join("tmp"))?;
        let (index, is_damaged) = match Index::open(&dir.join("index")) {
            Err(StoreError::DamagedIndex { .. }) => (Index::empty(&dir.join("index")), true),
            index => (index?, false),
        };
        let store = Self {
            dir: dir.to_owned(),
            index: RwLock::new(Arc::new(index)),
            open_packs: OpenPacks::default(),
            blocks: BlockCache::default(),
        };
        if is_damaged {
            store.rebuild_index()?;
        }
        Ok(store)
    }

    /// Returns the path of a pack, whether it exists or not.
    pub fn pack_path(&self, id: &PackId) -> PathBuf {
        let hex = id.to_hex();
        self.packs_dir().join(&hex[..2]).join(&hex).with_extension("pack")
    }

    /// Returns whether the store has this pack and its objects are indexed. After a crash the pack
    /// may be there without its segment.
    pub fn has_pack(&self, id: &PackId) -> bool {
        let indexed = |packed: &Packed| self.has(&packed.id).unwrap_or(false);
        self.pack_path(id).is_file()
            && self.pack_objects(id).is_ok_and(|objects| objects.iter().all(indexed))
    }

    /// Returns the bytes of a whole pack.
    pub fn read_pack(&self, id: &PackId) -> Result<Vec<u8>, StoreError> {
        let path = self.pack_path(id);
        fs::read(&path).map_err(StoreError::io("read", &path))
    }

    /// Returns the objects of a pack, sorted by id.
    pub fn pack_objects(&self, id: &PackId) -> Result<Vec<Packed>, StoreError> {
        let path = self.pack_path(id);
        let file = File::open(&path).map_err(StoreError::io("open", &path))?;
        pack::read_footer(&file, &path)
    }

    /// Returns the length of a pack and how many objects it has.
    pub fn pack_info(&self, id: &PackId) -> Result<PackInfo, StoreError> {
        let path = self.pack_path(id);
        let bytes = fs::metadata(&path).map_err(StoreError::io("read", &path))?.len();
        Ok(PackInfo { id: *id, bytes, objects: self.pack_objects(id)?.len() as u64 })
    }

    /// Returns the ids of all packs in the store, sorted.
    pub fn packs(&self) -> Result<Vec<PackId>, StoreError> {
        let mut ids = Vec::new();
        let packs = self.packs_dir();
        for shard in fs::read_dir(&packs).map_err(StoreError::io("list", &packs))? {
            let shard = shard.map_err(StoreError::io("list", &packs))?.path();
            // Skip what is not a folder, such as a file manager's own file.
            if !shard.is_dir() {
                continue;
            }
            for entry in fs::read_dir(&shard).map_err(StoreError::io("list", &shard))? {
                let path = entry.map_err(StoreError::io("list", &shard))?.path();
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                ids.extend(stem.and_then(|stem| stem.parse::<PackId>().ok()));
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// Returns where an object is, if any pack has it.
    pub fn locate(&self, id: &ObjectId) -> Result<Option<Located>, StoreError> {
        if let Some(located) = self.index().locate(id)? {
            return Ok(Some(located));
        }
        // Another process may have added it after the index was read.
        self.refresh()?;
        self.index().locate(id)
    }

    /// Indexes a pack that is in the store, after a process was killed before it could.
    pub fn index_pack(&self, id: &PackId) -> Result<(), StoreError> {
        // That process may not have made the pack's name durable either.
        let path = self.pack_path(id);
        temp::sync_dir(path.parent().expect("a pack lies in a folder"))?;
        temp::sync_dir(&self.packs_dir())?;
        let mut missing = Vec::new();
        for packed in self.pack_objects(id)? {
            if !self.indexed(&packed.id)? {
                missing.push(Located { pack: *id, packed });
            }
        }
        self.add_segment(missing)
    }

    /// Takes verified packs into the store: makes their bytes durable, then their names, then the
    /// segment that points into them. Syncs run in parallel: one wait for the disk, not one for
    /// each pack.
    pub fn take_in(&self, packs: Vec<VerifiedPack>) -> Result<(), StoreError> {
        if packs.is_empty() {
            return Ok(());
        }
        let located = packs.iter().flat_map(VerifiedPack::located).collect();
        let segment = index::prepare_segment(&self.index_dir(), &self.temp_dir(), located)?;
        let paths: Vec<_> = packs.iter().map(|pack| self.pack_path(&pack.info().id)).collect();
        let shards: BTreeSet<_> = paths.iter().filter_map(|path| path.parent()).collect();
        let (durable, names) = rayon::join(
            || packs.into_par_iter().map(VerifiedPack::into_durable).collect::<Result<Vec<_>, _>>(),
            || segment.sync().and_then(|()| self.make_shards(&shards)),
        );
        let durable = durable?;
        names?;
        for (pack, path) in durable.into_iter().zip(&paths) {
            pack.persist(path)?;
        }
        shards.par_iter().try_for_each(|shard| temp::sync_dir(shard))?;
        segment.publish()?;
        self.refresh()?;
        self.merge_segments()
    }

    /// Creates the folders of new packs, durably.
    fn make_shards(&self, shards: &BTreeSet<&Path>) -> Result<(), StoreError> {
        for shard in shards {
            match private::create_dir(shard) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(StoreError::io("create", shard)(error));
                }
                _ => {}
            }
        }
        // Another process may have created one and not have synced it yet.
        temp::sync_dir(&self.packs_dir())
    }

    fn add_segment(&self, located: Vec<Located>) -> Result<(), StoreError> {
        if located.is_empty() {
            return Ok(());
        }
        index::write_segment(&self.index_dir(), &self.temp_dir(), located)?;
        self.refresh()?;
        self.merge_segments()
    }

    /// Merges index segments where there are many, unless another process is doing so.
    fn merge_segments(&self) -> Result<(), StoreError> {
        if !self.index().wants_merge() {
            return Ok(());
        }
        let path = self.dir.join("lock");
        private::create_file(&path).map_err(StoreError::io("create", &path))?;
        let lock =
            File::options().write(true).open(&path).map_err(StoreError::io("open", &path))?;
        if lock.try_lock().is_err() {
            return Ok(());
        }
        self.refresh()?;
        self.index().merge(&self.temp_dir())?;
        self.refresh()
    }

    fn index(&self) -> Arc<Index> {
        Arc::clone(&self.index.read().expect("no holder of the index lock panics"))
    }

    pub(crate) fn refresh(&self) -> Result<(), StoreError> {
        let fresh = self.index().refreshed()?;
        *self.index.write().expect("no holder of the index lock panics") = Arc::new(fresh);
        Ok(())
    }

    /// Reads every segment again, and drops what is cached of packs that may be gone.
    pub(crate) fn reopen_index(&self) -> Result<(), StoreError> {
        self.open_packs.clear();
        self.blocks.clear();
        let fresh = Index::open(&self.index_dir())?;
        *self.index.write().expect("no holder of the index lock panics") = Arc::new(fresh);
        Ok(())
    }

    pub(crate) fn packs_dir(&self) -> PathBuf {
        self.dir.join("packs")
    }

    pub(crate) fn temp_dir(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    pub(crate) fn index_dir(&self) -> PathBuf {
        self.dir.join("index")
    }

    /// Returns whether the index, as it was last read, has an object.
    pub(crate) fn indexed(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.index().locate(id)?.is_some())
    }
}

impl ObjectSource for Store {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        let Located { pack, packed } = self.locate(id)?.ok_or(StoreError::Missing { id: *id })?;
        let path = self.pack_path(&pack);
        let block = self.blocks.get((pack, packed.block.start), || {
            let file = self.open_packs.get(&pack, &path)?;
            pack::read_block(&file, &packed.block, &path)
        })?;
        let start = packed.offset as usize;
        let range = start..start + packed.bytes as usize;
        match block.get(range.clone()) {
            Some(bytes) if packed.kind.id_of(bytes) == *id => Ok(Object::new(block, range)),
            _ => Err(StoreError::DamagedPack { path, what: "an object is not what its id says" }),
        }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.locate(id)?.is_some())
    }
}
