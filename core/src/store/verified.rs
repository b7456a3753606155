//! Packs whose objects are verified. Only these get into the store, and only once their bytes are
//! durable: the types allow nothing else.

use std::io;
use std::path::Path;

use crate::files::disk;
use crate::object::error::StoreError;
use crate::store::background::BackgroundJob;
use crate::store::index::Located;
use crate::store::pack::{PackFile, PackInfo};

/// A pack whose objects are all verified. Nothing points at it until the store takes it in.
#[derive(Debug)]
pub struct VerifiedPack {
    pack: PackFile,
    sync: Sync,
}

/// Whether the bytes of a pack are durable yet.
#[derive(Debug)]
enum Sync {
    NotBegun,
    Begun(BackgroundJob<io::Result<()>>),
    Done,
}

impl VerifiedPack {
    /// Verifies every object of a pack.
    pub(crate) fn verify(pack: PackFile) -> Result<Self, StoreError> {
        pack.verify(&pack.objects)?;
        Ok(Self { pack, sync: Sync::NotBegun })
    }

    /// Wraps a pack that this process wrote: each id was computed from the bytes of its object.
    pub(crate) fn written(pack: PackFile) -> Self {
        Self { pack, sync: Sync::NotBegun }
    }

    /// Wraps a pack whose objects were verified as they were read, and whose bytes are durable.
    pub(crate) fn read(pack: PackFile) -> Self {
        Self { pack, sync: Sync::Done }
    }

    /// Begins to make its bytes durable, on another thread.
    pub(crate) fn sync_in_background(self) -> Self {
        match self.pack.file.file.try_clone() {
            Ok(file) => {
                let sync = Sync::Begun(BackgroundJob::begin(move || disk::sync(&file)));
                Self { sync, ..self }
            }
            // No file handle is left: it is synced when it is taken in.
            Err(_) => self,
        }
    }

    /// Returns its id, length and count of objects.
    pub fn info(&self) -> PackInfo {
        self.pack.info()
    }

    /// Returns where each of its objects is, for an index.
    pub(crate) fn located(&self) -> impl Iterator<Item = Located> {
        let pack = self.pack.id;
        self.pack.objects.iter().map(move |&packed| Located { pack, packed })
    }

    /// Makes its bytes durable, or waits until they are.
    pub(crate) fn into_durable(self) -> Result<DurablePack, StoreError> {
        let Self { pack, sync } = self;
        match sync {
            Sync::NotBegun => pack.file.sync()?,
            Sync::Begun(job) => job.result().map_err(StoreError::io("fsync", pack.file.path()))?,
            Sync::Done => {}
        }
        Ok(DurablePack(pack))
    }
}

/// A verified pack whose bytes are durable.
#[derive(Debug)]
pub(crate) struct DurablePack(PackFile);

impl DurablePack {
    /// Renames the pack to its final name. Once the folder is synced, an index may point into it.
    pub(crate) fn persist(self, to: &Path) -> Result<(), StoreError> {
        self.0.file.persist(to)
    }
}
