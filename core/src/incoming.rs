//! A pack that is on its way here, bit by bit.

use std::io::Write;
use std::path::Path;
use std::thread::JoinHandle;

use crate::id::PackId;
use crate::pack::{self, PACK_BYTES_MAX, WrittenPack};
use crate::store::{PackInfo, Store, StoreError};
use crate::temp::TempFile;

/// Larger packs are made durable beside other work.
const SYNC_BESIDE_OVER: u64 = 1 << 20;

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
    Syncing(JoinHandle<Result<WrittenPack, StoreError>>),
}

impl ArrivedPack {
    /// The pack.
    pub fn info(&self) -> PackInfo {
        self.info
    }
}

impl Store {
    /// Begins to take in a pack that comes from elsewhere.
    pub fn incoming(&self, id: &PackId) -> Result<IncomingPack, StoreError> {
        let temp = TempFile::create(&self.temp_dir())?;
        Ok(IncomingPack { id: *id, temp, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Checks a pack that has come whole: its own id, and each object's.
    pub fn verify(&self, incoming: IncomingPack) -> Result<ArrivedPack, StoreError> {
        let IncomingPack { id, temp, hasher, bytes } = incoming;
        if hasher.finalize().as_bytes() != &id.0 {
            return Err(StoreError::WrongPack { id });
        }
        let objects = pack::read_footer(&temp.file, temp.path())?;
        pack::verify_objects(&temp.file, temp.path(), &objects)?;
        let written = WrittenPack { id, bytes, objects, file: temp, is_durable: false };
        let info = written.info();
        let state = match bytes > SYNC_BESIDE_OVER {
            true => State::Syncing(written.sync_beside()),
            false => State::Whole(written),
        };
        Ok(ArrivedPack { info, state })
    }

    /// Takes in packs that were checked: makes them durable, and points at them.
    pub fn take_in(&self, arrived: Vec<ArrivedPack>) -> Result<(), StoreError> {
        let written = arrived.into_iter().map(|pack| match pack.state {
            State::Whole(written) => Ok(written),
            State::Syncing(thread) => thread.join().expect("syncing a file does not panic"),
        });
        self.adopt(written.collect::<Result<_, _>>()?)
    }
}
