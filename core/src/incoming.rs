//! A pack that is on its way here, bit by bit.

use std::io::Write;
use std::path::Path;

use crate::id::PackId;
use crate::pack::{self, PACK_BYTES_MAX, WrittenPack};
use crate::store::{PackInfo, Store, StoreError};
use crate::temp::TempFile;

/// A pack of which some bytes are here. Where the source breaks off, it can go on from
/// [`IncomingPack::bytes`] on. Nothing points at it until [`Store::take_in`]; dropped, it is gone.
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

impl Store {
    /// Begins to take in a pack that comes from elsewhere.
    pub fn incoming(&self, id: &PackId) -> Result<IncomingPack, StoreError> {
        let temp = TempFile::create(&self.temp_dir())?;
        Ok(IncomingPack { id: *id, temp, hasher: blake3::Hasher::new(), bytes: 0 })
    }

    /// Takes in a pack that has come whole. Its own id, and each object's, are checked before
    /// anything points at it.
    pub fn take_in(&self, incoming: IncomingPack) -> Result<PackInfo, StoreError> {
        let IncomingPack { id, temp, hasher, bytes } = incoming;
        if hasher.finalize().as_bytes() != &id.0 {
            return Err(StoreError::WrongPack { id });
        }
        let objects = pack::read_footer(&temp.file, temp.path())?;
        pack::verify_objects(&temp.file, temp.path(), &objects)?;
        temp.file.sync_all().map_err(StoreError::io("fsync", temp.path()))?;
        let written = WrittenPack { id, bytes, objects, file: temp };
        let info = PackInfo { id, bytes, objects: written.objects.len() as u64 };
        self.adopt(vec![written])?;
        Ok(info)
    }
}
