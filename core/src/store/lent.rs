//! Received packs whose objects are read before the packs are taken into the store.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::files::disk;
use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::source::{Object, ObjectSource};
use crate::store::background::BackgroundJob;
use crate::store::incoming::ReceivedPack;
use crate::store::open::Store;
use crate::store::pack::{self, PackFile};
use crate::store::verified::VerifiedPack;

/// The objects of received packs, on top of those of a store. An object of these packs is verified when
/// it is read, so that verifying it and reading it cost one pass.
///
/// The store does not have the objects, and no row may name them, until [`LentPacks::take_back`] has
/// verified those that were not read and [`Store::take_in`] has taken the packs in.
#[derive(Debug)]
pub struct LentPacks<'s> {
    store: &'s Store,
    packs: Vec<LentPack>,
    /// Where each object is: the number of the pack, and of the object in it.
    places: HashMap<ObjectId, (usize, usize)>,
}

#[derive(Debug)]
struct LentPack {
    pack: PackFile,
    syncing: BackgroundJob<io::Result<()>>,
    /// Which objects were read, and so verified.
    verified: Vec<AtomicBool>,
}

impl Store {
    /// Makes the objects of received packs readable, and begins to make the packs durable.
    pub fn lend(&self, packs: Vec<ReceivedPack>) -> Result<LentPacks<'_>, StoreError> {
        let mut lent = LentPacks { store: self, packs: Vec::new(), places: HashMap::new() };
        for (number, ReceivedPack(pack)) in packs.into_iter().enumerate() {
            let places = pack.objects.iter().enumerate();
            lent.places.extend(places.map(|(at, packed)| (packed.id, (number, at))));
            let file = pack.file.file.try_clone();
            let file = file.map_err(StoreError::io("open", pack.file.path()))?;
            let syncing = BackgroundJob::begin(move || disk::sync(&file));
            let verified = pack.objects.iter().map(|_| AtomicBool::new(false)).collect();
            lent.packs.push(LentPack { pack, syncing, verified });
        }
        Ok(lent)
    }
}

impl LentPacks<'_> {
    /// Verifies the objects that were not read. Returns the packs in the order in which they were
    /// lent. For a damaged one, returns its error.
    pub fn take_back(self) -> Vec<Result<VerifiedPack, StoreError>> {
        self.packs.into_iter().map(LentPack::verify).collect()
    }

    fn lent_object(&self, (number, at): (usize, usize)) -> Result<Object, StoreError> {
        let LentPack { pack, verified, .. } = &self.packs[number];
        let packed = &pack.objects[at];
        let read = || pack::read_block(&pack.file.file, &packed.block, pack.file.path());
        let block = self.store.blocks.get((pack.id, packed.block.start), read)?;
        let range = packed.offset as usize..(packed.offset + packed.bytes) as usize;
        pack::verify_object(packed, &block[range.clone()], pack.file.path())?;
        verified[at].store(true, Ordering::Relaxed);
        Ok(Object::new(block, range))
    }
}

impl ObjectSource for LentPacks<'_> {
    fn object(&self, id: &ObjectId) -> Result<Object, StoreError> {
        match self.places.get(id) {
            Some(&place) => self.lent_object(place),
            None => self.store.object(id),
        }
    }

    fn has(&self, id: &ObjectId) -> Result<bool, StoreError> {
        Ok(self.places.contains_key(id) || self.store.has(id)?)
    }
}

impl LentPack {
    fn verify(self) -> Result<VerifiedPack, StoreError> {
        let Self { pack, syncing, verified } = self;
        let unread = pack.objects.iter().zip(&verified);
        let unread = unread.filter(|(_, verified)| !verified.load(Ordering::Relaxed));
        let unread: Vec<_> = unread.map(|(packed, _)| *packed).collect();
        pack.verify(&unread)?;
        syncing.result().map_err(StoreError::io("fsync", pack.file.path()))?;
        Ok(VerifiedPack::read(pack))
    }
}
