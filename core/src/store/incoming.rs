//! Packs that arrive from elsewhere.

use std::io::Read;
use std::path::Path;

use crate::object::error::StoreError;
use crate::object::id::PackId;
use crate::store::open::Store;
use crate::store::pack::{self, PACK_BYTES_MAX, PackFile, PackInfo};
use crate::store::temp::TempFile;
use crate::store::verified::VerifiedPack;

/// Packs of more bytes are made durable in the background.
const SYNC_IN_BACKGROUND_OVER_BYTES: u64 = 1 << 20;

/// A pack of which some bytes have arrived. If the transfer breaks off, it can be continued at
/// [`IncomingPack::bytes`]. On drop, the bytes are deleted.
#[derive(Debug)]
pub struct IncomingPack {
    id: PackId,
    temp: TempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl IncomingPack {
    /// Returns how many bytes have arrived.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends the next bytes.
    ///
    /// # Errors
    /// [`StoreError::WrongPack`] if there are more than a pack may have; these are not written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.bytes += bytes.len() as u64;
        if self.bytes > PACK_BYTES_MAX {
            return Err(StoreError::WrongPack { id: self.id });
        }
        self.hasher.update(bytes);
        self.temp.write_all(bytes)
    }

    pub(crate) fn path(&self) -> &Path {
        self.temp.path()
    }

    /// Checks that all bytes have arrived, by the pack's id. The objects are not verified yet.
    pub fn finish(self) -> Result<ReceivedPack, StoreError> {
        let Self { id, temp, hasher, bytes } = self;
        if hasher.finalize().as_bytes() != &id.0 {
            return Err(StoreError::WrongPack { id });
        }
        let objects = pack::read_footer(&temp.file, temp.path())?;
        Ok(ReceivedPack(PackFile { id, bytes, objects, file: temp }))
    }

    /// Like [`IncomingPack::finish`], and verifies each object.
    pub fn verify(self) -> Result<VerifiedPack, StoreError> {
        self.finish()?.verify()
    }
}

/// A pack whose bytes have its id. What its footer states is not verified yet.
#[derive(Debug)]
pub struct ReceivedPack(pub(crate) PackFile);

impl ReceivedPack {
    /// Verifies each object.
    pub fn verify(self) -> Result<VerifiedPack, StoreError> {
        let verified = VerifiedPack::verify(self.0)?;
        let is_large = verified.info().bytes > SYNC_IN_BACKGROUND_OVER_BYTES;
        Ok(if is_large { verified.sync_in_background() } else { verified })
    }
}

impl Store {
    /// Reads a pack from elsewhere into the store. The pack's id and each object's are verified
    /// before anything refers to the pack. A pack that is here and indexed already is not read.
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

    /// Begins to receive a pack.
    pub fn incoming(&self, id: &PackId) -> Result<IncomingPack, StoreError> {
        let temp = TempFile::create(&self.temp_dir())?;
        Ok(IncomingPack { id: *id, temp, hasher: blake3::Hasher::new(), bytes: 0 })
    }
}
