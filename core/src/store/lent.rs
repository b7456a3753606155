//! Packs whose objects are read before the packs are taken in.

use std::collections::HashMap;
use std::io::{self};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::source::Object;
use crate::store::background::BackgroundJob;
use crate::store::cache::BlockCache;
use crate::store::pack::{self, WrittenPack};

/// Packs whose objects are read, and checked as they are, before the packs are taken in: what is
/// read once need not be checked by itself.
#[derive(Debug, Default)]
pub(crate) struct Lent {
    packs: Vec<LentPack>,
    /// Where each object is: number of the pack, and of the object in it.
    places: HashMap<ObjectId, (usize, usize)>,
}

#[derive(Debug)]
pub(crate) struct LentPack {
    pack: WrittenPack,
    syncing: BackgroundJob<io::Result<()>>,
    /// Which objects were read, and found to be what their ids say.
    checked: Vec<AtomicBool>,
}

impl Lent {
    /// Lends packs whose bytes are those of their ids.
    pub(crate) fn of(packs: impl Iterator<Item = WrittenPack>) -> Result<Self, StoreError> {
        let mut lent = Self::default();
        for (number, pack) in packs.enumerate() {
            let places = pack.objects.iter().enumerate();
            lent.places.extend(places.map(|(at, packed)| (packed.id, (number, at))));
            let file = pack.file.file.try_clone();
            let file = file.map_err(StoreError::io("open", pack.file.path()))?;
            let syncing = BackgroundJob::begin(move || file.sync_all());
            let checked = pack.objects.iter().map(|_| AtomicBool::new(false)).collect();
            lent.packs.push(LentPack { pack, syncing, checked });
        }
        Ok(lent)
    }

    /// An object of a lent pack, checked; `None` where none has it.
    pub(crate) fn object(
        &self,
        id: &ObjectId,
        blocks: &BlockCache,
    ) -> Option<Result<Object, StoreError>> {
        let &(number, at) = self.places.get(id)?;
        let LentPack { pack, checked, .. } = &self.packs[number];
        let packed = &pack.objects[at];
        let read = || pack::read_block(&pack.file.file, &packed.block, pack.file.path());
        let object = blocks.get((pack.id, packed.block.start), read).and_then(|block| {
            let range = packed.offset as usize..(packed.offset + packed.bytes) as usize;
            pack::verify_object(packed, &block[range.clone()], pack.file.path())?;
            checked[at].store(true, Ordering::Relaxed);
            Ok(Object::new(block, range))
        });
        Some(object)
    }

    /// The packs, in the order in which they were lent: for each, whether all of its objects are what
    /// their ids say, those included that nobody has read.
    pub(crate) fn verify(self) -> impl Iterator<Item = Result<WrittenPack, StoreError>> {
        self.packs.into_iter().map(LentPack::verify)
    }
}

impl LentPack {
    fn verify(self) -> Result<WrittenPack, StoreError> {
        let Self { mut pack, syncing, checked } = self;
        let unread = pack.objects.iter().zip(&checked);
        let unread = unread.filter(|(_, checked)| !checked.load(Ordering::Relaxed));
        let unread: Vec<_> = unread.map(|(packed, _)| *packed).collect();
        pack::verify_objects(&pack.file.file, pack.file.path(), &unread)?;
        syncing.result().map_err(StoreError::io("fsync", pack.file.path()))?;
        pack.is_durable = true;
        Ok(pack)
    }
}
