//! Checks a whole store, rebuilds its index, and saves what is left of damaged packs.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::files::disk;
use crate::object::error::StoreError;
use crate::object::id::{ObjectId, PackId};
use crate::object::source::ObjectSink;
use crate::store::index::{self, Index, Located};
use crate::store::open::Store;
use crate::store::pack::{self, PackInfo, Packed};

/// What is wrong with a store.
#[derive(Debug)]
pub enum Fault {
    /// A pack, or an object in it, does not have the bytes that its id stands for.
    Pack {
        /// The pack.
        id: PackId,
        /// What is wrong with it.
        error: StoreError,
    },
    /// A pack or an index segment cannot be read: the system forbids it, no file handle is left, or a
    /// newer version wrote it. Nothing is known about its content, and it must not be touched.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read.
        error: StoreError,
    },
    /// An index segment is damaged.
    Segment {
        /// The segment.
        path: PathBuf,
        /// What is wrong with it.
        error: StoreError,
    },
    /// The index lacks objects of a sound pack: the process that wrote the pack was killed before it
    /// wrote the segment. [`Store::index_pack`] repairs this.
    Unindexed {
        /// The pack.
        id: PackId,
        /// How many objects.
        objects: u64,
    },
    /// The index refers to places where its objects are not.
    Misindexed {
        /// The pack that the index names.
        id: PackId,
        /// How many objects.
        objects: u64,
    },
    /// A file among the packs is not a pack.
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Checked {
    /// Packs that were read in full.
    pub packs: u64,
    /// Objects whose bytes were checked.
    pub objects: u64,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Store {
    /// Reads every pack and every index segment in full, and verifies them.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let packs = self.packs()?;
        let results: Vec<_> =
            packs.par_iter().map(|id| (*id, check_pack(id, &self.pack_path(id)))).collect();
        let mut checked = Checked { packs: packs.len() as u64, ..Checked::default() };
        let mut sound: HashMap<PackId, Vec<Packed>> = HashMap::new();
        let mut unsound: HashSet<PackId> = HashSet::new();
        for (id, result) in results {
            match result {
                Ok(objects) => {
                    checked.objects += objects.len() as u64;
                    sound.insert(id, objects);
                }
                // Another process moved it away after it was listed.
                Err(error) if is_gone(&error) => {}
                Err(error) => {
                    unsound.insert(id);
                    checked.faults.push(if is_inconclusive(&error) {
                        Fault::Unreadable { path: self.pack_path(&id), error }
                    } else {
                        Fault::Pack { id, error }
                    });
                }
            }
        }
        checked
            .faults
            .extend(self.strangers()?.into_iter().map(|path| Fault::UnknownFile { path }));
        self.check_index(&sound, &unsound, &mut checked)?;
        Ok(checked)
    }

    fn check_index(
        &self,
        sound: &HashMap<PackId, Vec<Packed>>,
        unsound: &HashSet<PackId>,
        checked: &mut Checked,
    ) -> Result<(), StoreError> {
        let mut indexed: HashSet<ObjectId> = HashSet::new();
        let mut wrong: HashMap<PackId, u64> = HashMap::new();
        for path in index::list(&self.index_dir())? {
            let records = match Index::read_segment(&path) {
                Ok(records) => records,
                // Another process merged it after it was listed.
                Err(error) if is_gone(&error) => continue,
                Err(error) => {
                    checked.faults.push(if is_inconclusive(&error) {
                        Fault::Unreadable { path, error }
                    } else {
                        Fault::Segment { path, error }
                    });
                    continue;
                }
            };
            for Located { pack, packed } in records {
                let found = sound.get(&pack).and_then(|objects| {
                    let at = objects.binary_search_by_key(&packed.id, |object| object.id);
                    at.ok().map(|at| objects[at])
                });
                // A damaged pack is reported already, and a pack that was added since the list is
                // no fault. If the pack is gone, the index is wrong.
                let is_passed_over = unsound.contains(&pack)
                    || !sound.contains_key(&pack) && self.pack_path(&pack).is_file();
                if found == Some(packed) || is_passed_over {
                    indexed.insert(packed.id);
                } else {
                    *wrong.entry(pack).or_default() += 1;
                }
            }
        }
        let faults = wrong.into_iter().map(|(id, objects)| Fault::Misindexed { id, objects });
        checked.faults.extend(faults);
        for (id, objects) in sound {
            let missing = objects.iter().filter(|object| !indexed.contains(&object.id)).count();
            if missing > 0 {
                checked.faults.push(Fault::Unindexed { id: *id, objects: missing as u64 });
            }
        }
        Ok(())
    }

    /// Returns the files among the packs that are not packs.
    fn strangers(&self) -> Result<Vec<PathBuf>, StoreError> {
        // Decided by the file's own name: an earlier list would not have packs that were added
        // since.
        let is_pack = |path: &PathBuf| {
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse::<PackId>().ok());
            id.is_some_and(|id| self.pack_path(&id) == *path)
        };
        let mut strangers = Vec::new();
        for shard in read_dir(&self.packs_dir())? {
            if shard.is_dir() {
                strangers.extend(read_dir(&shard)?.into_iter().filter(|p| !is_pack(p)))
            } else {
                strangers.push(shard)
            }
        }
        Ok(strangers)
    }

    /// Replaces the index by one that is built from the packs, without those that are damaged.
    /// Returns how many objects it has.
    ///
    /// # Errors
    /// If a pack cannot be read. The index then stays as it is: otherwise the pack's objects
    /// would be lost to it.
    pub fn rebuild_index(&self) -> Result<u64, StoreError> {
        let old = index::list(&self.index_dir())?;
        // Segments of a newer version may refer to packs that this one cannot read.
        for path in &old {
            if let Err(error @ StoreError::Newer { .. }) = Index::read_segment(path) {
                return Err(error);
            }
        }
        let mut located = Vec::new();
        for id in self.packs()? {
            let objects = match self.pack_objects(&id) {
                // A damaged pack may look as if a newer version had written it.
                Err(error) if is_inconclusive(&error) && !is_gone(&error) => {
                    match self.is_sound(&id) {
                        Ok(false) => Vec::new(),
                        _ => return Err(error),
                    }
                }
                objects => objects.unwrap_or_default(),
            };
            located.extend(objects.into_iter().map(|packed| Located { pack: id, packed }));
        }
        let count = located.len() as u64;
        let new = index::write_segment(&self.index_dir(), &self.temp_dir(), located)?;
        for path in old.iter().filter(|path| **path != new) {
            match disk::remove_file(path) {
                // Another process merged it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(StoreError::io("remove", path))?,
            }
        }
        // The new segment may have the same name as a damaged one that is open.
        self.reopen_index()?;
        Ok(count)
    }
}

/// Returns whether an error says nothing about a file's content.
fn is_inconclusive(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { .. } | StoreError::Newer { .. })
}

/// Returns whether a file does not exist any more.
fn is_gone(error: &StoreError) -> bool {
    matches!(error, StoreError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn read_dir(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(StoreError::io("list", dir))
}

impl Store {
    /// Returns whether the store's copy of a pack, and every object in it, has the bytes that its
    /// id stands for.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_sound(&self, id: &PackId) -> Result<bool, StoreError> {
        match check_pack(id, &self.pack_path(id)) {
            Ok(_) => Ok(true),
            Err(error) if is_inconclusive(&error) && !is_gone(&error) => Err(error),
            Err(_) => Ok(false),
        }
    }
}

impl Store {
    /// Returns whether the bytes of the store's copy of a pack have its id. A receiver checks no
    /// more than this before it reads the objects.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn has_its_bytes(&self, id: &PackId) -> Result<bool, StoreError> {
        match check_bytes(id, &self.pack_path(id)) {
            Ok(_) => Ok(true),
            Err(StoreError::WrongPack { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Copies the sound objects of a damaged pack, which is the file at `path`, into new packs.
    /// Objects that the store has already are skipped, so the damaged pack must neither be in the
    /// store nor in its index.
    pub fn salvage(&self, path: &Path) -> Result<Vec<PackInfo>, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let mut objects = match pack::read_footer(&file, path) {
            Err(error) if matches!(error, StoreError::Io { .. }) => return Err(error),
            objects => objects.unwrap_or_default(),
        };
        objects.sort_unstable_by_key(|packed| (packed.block.start, packed.offset));
        let writer = self.writer();
        for objects in objects.chunk_by(|a, b| a.block.start == b.block.start) {
            let block = match pack::read_block(&file, &objects[0].block, path) {
                Err(error) if matches!(error, StoreError::Io { .. }) => return Err(error),
                Err(_) => continue,
                Ok(block) => block,
            };
            for packed in objects {
                let bytes = &block[packed.offset as usize..(packed.offset + packed.bytes) as usize];
                let is_sound = pack::verify_object(packed, bytes, path).is_ok();
                if is_sound && !writer.has(&packed.id)? {
                    writer.put(packed.kind, packed.id, bytes)?;
                }
            }
        }
        writer.finish()
    }
}

/// Reads a pack and checks that its bytes have its id. Returns the open file.
fn check_bytes(id: &PackId, path: &Path) -> Result<File, StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer).map_err(StoreError::io("read", path))? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        };
    }
    if hasher.finalize().as_bytes() != &id.0 {
        return Err(StoreError::WrongPack { id: *id });
    }
    Ok(file)
}

/// Verifies a whole pack: its own id, and every object's.
fn check_pack(id: &PackId, path: &Path) -> Result<Vec<Packed>, StoreError> {
    let file = check_bytes(id, path)?;
    let objects = pack::read_footer(&file, path)?;
    pack::verify_objects(&file, path, &objects)?;
    Ok(objects)
}
