//! A pack that is on its way here, bit by bit.

use std::io::{Read, Write};
use std::path::Path;

use crate::object::error::StoreError;
use crate::object::id::PackId;
use crate::store::background::BackgroundJob;
use crate::store::lent::Lent;
use crate::store::open::Store;
use crate::store::pack::{self, PACK_BYTES_MAX, PackInfo, WrittenPack};
use crate::store::temp::TempFile;

/// Larger packs are made durable beside other work.
const SYNC_IN_BACKGROUND_OVER_BYTES: u64 = 1 << 20;

/// A pack of which some bytes are here. Where the source breaks off, it can go on from
/// [`IncomingPack::bytes`] on. Dropped, it is gone.
#[derive(Debug)]
pub struct IncomingPack {
    id: PackId,
    temp: TempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl IncomingPack {
    /// How many bytes are here.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes. More than a pack may have are refused before they are written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > PACK_BYTES_MAX {
            return Err(StoreError::WrongPack { id: self.id });
        }
        self.hasher.update(bytes);
        self.temp.file.write_all(bytes).map_err(StoreError::io("write", self.temp.path()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Checks a pack that has come whole against its own id. Its objects are still to be checked.
    pub fn whole(self) -> Result<WholePack, StoreError> {
        let Self { id, temp, hasher, bytes } = self;
        if hasher.finalize().as_bytes() != &id.0 {
            return Err(StoreError::WrongPack { id });
        }
        let objects = pack::read_footer(&temp.file, temp.path())?;
        Ok(WholePack(WrittenPack { id, bytes, objects, file: temp, is_durable: false }))
    }

    /// Checks a pack that has come whole: its own id, and each object's.
    pub fn verify(self) -> Result<ArrivedPack, StoreError> {
        self.whole()?.verify()
    }
}

/// A pack whose bytes are those of its id. What it says of its objects may be a lie.
#[derive(Debug)]
pub struct WholePack(WrittenPack);

impl WholePack {
    /// Checks each object.
    pub fn verify(self) -> Result<ArrivedPack, StoreError> {
        let Self(written) = self;
        pack::verify_objects(&written.file.file, written.file.path(), &written.objects)?;
        let info = written.info();
        let state = match info.bytes > SYNC_IN_BACKGROUND_OVER_BYTES {
            true => State::Syncing(written.sync_in_background()),
            false => State::Whole(written),
        };
        Ok(ArrivedPack { info, state })
    }
}

/// A pack that came whole, and was found to be what its id says. Nothing points at it until
/// [`Store::take_in`].
#[derive(Debug)]
pub struct ArrivedPack {
    info: PackInfo,
    state: State,
}

#[derive(Debug)]
enum State {
    Whole(WrittenPack),
    Syncing(BackgroundJob<Result<WrittenPack, StoreError>>),
}

impl ArrivedPack {
    /// The pack.
    pub fn info(&self) -> PackInfo {
        self.info
    }
}

impl Store {
    /// Makes the objects of packs readable before they are taken in: each is checked when it is
    /// read. To anyone who asks whether the store has them, it has not. [`Store::take_back`] ends it.
    pub fn lend(&self, packs: Vec<WholePack>) -> Result<(), StoreError> {
        let lent = Lent::of(packs.into_iter().map(|WholePack(pack)| pack))?;
        *self.lent.write().expect("no holder panics") = lent;
        Ok(())
    }

    /// The packs that were lent, in the order in which they were: for each, whether all of its
    /// objects are what their ids say, those included that nobody has read.
    pub fn take_back(&self) -> Vec<Result<ArrivedPack, StoreError>> {
        let lent = std::mem::take(&mut *self.lent.write().expect("no holder panics"));
        let arrived =
            |pack: WrittenPack| ArrivedPack { info: pack.info(), state: State::Whole(pack) };
        lent.verify().map(|pack| pack.map(arrived)).collect()
    }

    /// Takes in a pack that came from elsewhere. Its own id, and each object's, are checked
    /// before anything points at it; a pack that is here and indexed already is not read.
    pub fn import_pack(&self, id: &PackId, reader: &mut dyn Read) -> Result<PackInfo, StoreError> {
        if self.has_pack(id) {
            return self.pack_info(id);
        }
        let mut incoming = self.incoming(id)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count =
                reader.read(&mut buffer).map_err(StoreError::io("read", incoming.path()))?;
            if count == 0 {
                let arrived = incoming.verify()?;
                let info = arrived.info();
                return self.take_in(vec![arrived]).map(|()| info);
            }
            incoming.write(&buffer[..count])?;
        }
    }

    /// Begins to take in a pack that comes from elsewhere.
    pub fn incoming(&self, id: &PackId) -> Result<IncomingPack, StoreError> {
        let temp = TempFile::create(&self.temp_dir())?;
        Ok(IncomingPack { id: *id, temp, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Takes in packs that were checked: makes them durable, and points at them.
    pub fn take_in(&self, arrived: Vec<ArrivedPack>) -> Result<(), StoreError> {
        let written = arrived.into_iter().map(|pack| match pack.state {
            State::Whole(written) => Ok(written),
            State::Syncing(written) => written.result(),
        });
        self.adopt(written.collect::<Result<_, _>>()?)
    }
}
