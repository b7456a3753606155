//! Checks a store in full, and rebuilds its index.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::StoreError;
use crate::id::{ObjectId, PackId};
use crate::index::{self, Index, Located};
use crate::pack::{self, Packed};
use crate::store::Store;

/// What is wrong with a store.
#[derive(Debug)]
pub enum Fault {
    /// A pack is not what its name says, or holds an object that is not what its id says.
    Pack {
        /// The pack.
        id: PackId,
        /// What is wrong with it.
        error: StoreError,
    },
    /// An index segment cannot be read.
    Segment {
        /// The segment.
        path: PathBuf,
        /// What is wrong with it.
        error: StoreError,
    },
    /// The index lacks objects that a sound pack holds: what a process leaves that is killed
    /// between the two. [`Store::index_pack`] mends it.
    Unindexed {
        /// The pack.
        id: PackId,
        /// How many objects.
        objects: u64,
    },
    /// The index says that objects are where they are not.
    Misindexed {
        /// The pack that the index names.
        id: PackId,
        /// How many objects.
        objects: u64,
    },
    /// A file lies among the packs that is none.
    Stranger {
        /// The file.
        path: PathBuf,
    },
}

/// What a check saw.
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
    /// Reads every pack and every index segment in full.
    pub fn check(&self) -> Result<Checked, StoreError> {
        let packs = self.packs()?;
        let results: Vec<_> =
            packs.par_iter().map(|id| (*id, check_pack(id, &self.pack_path(id)))).collect();
        let mut checked = Checked { packs: packs.len() as u64, ..Checked::default() };
        let mut sound: HashMap<PackId, Vec<Packed>> = HashMap::new();
        for (id, result) in results {
            match result {
                Ok(objects) => {
                    checked.objects += objects.len() as u64;
                    sound.insert(id, objects);
                }
                Err(error) => checked.faults.push(Fault::Pack { id, error }),
            }
        }
        checked.faults.extend(self.strangers()?.into_iter().map(|path| Fault::Stranger { path }));
        self.check_index(&sound, &mut checked)?;
        Ok(checked)
    }

    fn check_index(
        &self,
        sound: &HashMap<PackId, Vec<Packed>>,
        checked: &mut Checked,
    ) -> Result<(), StoreError> {
        let mut indexed: HashSet<ObjectId> = HashSet::new();
        let mut wrong: HashMap<PackId, u64> = HashMap::new();
        for path in index::list(&self.index_dir())? {
            let records = match Index::read_segment(&path) {
                Ok(records) => records,
                // Merged away by another process between the listing and the reading.
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    continue;
                }
                Err(error) => {
                    checked.faults.push(Fault::Segment { path, error });
                    continue;
                }
            };
            for Located { pack, packed } in records {
                let found = sound.get(&pack).and_then(|objects| {
                    let at = objects.binary_search_by_key(&packed.id, |object| object.id);
                    at.ok().map(|at| objects[at])
                });
                // A damaged pack is a fault of its own.
                if found == Some(packed) || (found.is_none() && !sound.contains_key(&pack)) {
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

    /// Files among the packs that are none.
    fn strangers(&self) -> Result<Vec<PathBuf>, StoreError> {
        let known: HashSet<PathBuf> = self.packs()?.iter().map(|id| self.pack_path(id)).collect();
        let mut strangers = Vec::new();
        for shard in read_dir(&self.packs_dir())? {
            match shard.is_dir() {
                true => {
                    strangers.extend(read_dir(&shard)?.into_iter().filter(|p| !known.contains(p)))
                }
                false => strangers.push(shard),
            }
        }
        Ok(strangers)
    }

    /// Writes the index anew from the packs, leaving out those that cannot be read; gives how many
    /// objects it holds.
    pub fn rebuild_index(&self) -> Result<u64, StoreError> {
        let old = index::list(&self.index_dir())?;
        let mut located = Vec::new();
        for id in self.packs()? {
            let objects = self.pack_objects(&id).unwrap_or_default();
            located.extend(objects.into_iter().map(|packed| Located { pack: id, packed }));
        }
        let count = located.len() as u64;
        let new = index::write_segment(&self.index_dir(), &self.temp_dir(), located)?;
        for path in old.iter().filter(|path| **path != new) {
            match fs::remove_file(path) {
                // Merged away by another process meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(StoreError::io("remove", path))?,
            }
        }
        self.reopen_index()?;
        Ok(count)
    }
}

fn read_dir(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    fs::read_dir(dir)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(StoreError::io("list", dir))
}

/// Reads a pack in full: its own id, and every object's.
fn check_pack(id: &PackId, path: &Path) -> Result<Vec<Packed>, StoreError> {
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
    let objects = pack::read_footer(&file, path)?;
    pack::verify_objects(&file, path, &objects)?;
    Ok(objects)
}
