//! Packs: the unit in which objects are stored and sent.
//!
//! A pack is a file of zstd blocks, each with many small objects or one large one, and a footer
//! that maps each id to its block. The pack's own id is the BLAKE3 of its bytes. So a pack never
//! changes, and can be verified without knowing anything else. `docs/formats.md` specifies the
//! layout.
//!
//! Everything that is read here may come from an attacker: lengths are checked before anything is
//! allocated.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rayon::prelude::*;

use crate::object::chunk::{LIST_VERSION, decode_list};
use crate::object::error::StoreError;
use crate::object::id::{ID_BYTES, ObjectId, PackId};
use crate::object::kind::{OBJECT_BYTES_MAX, ObjectKind};
use crate::object::tree::conflicts::conflicts_of;
use crate::object::tree::{Node, TreeError};
use crate::store::temp::TempFile;

/// The first bytes of every pack, repeated at its end. The eighth byte is the version.
pub const PACK_MAGIC: [u8; 8] = *b"FSTPACK\x01";
/// A block is closed once it has this many raw bytes.
pub const BLOCK_BYTES: usize = 1 << 20;
/// A pack is closed once it has this many stored bytes.
pub const PACK_BYTES_TARGET: u64 = 48 << 20;
/// The largest pack: offsets have 32 bits.
pub const PACK_BYTES_MAX: u64 = u32::MAX as u64;
/// The zstd level of blocks. Even level 1 takes half of the time of a first snapshot.
pub const ZSTD_LEVEL: i32 = 1;

const TRAILER_BYTES: u64 = 4 + 8;
const BLOCK_RECORD_BYTES: usize = 4 + 4;
pub(crate) const OBJECT_RECORD_BYTES: usize = ID_BYTES + 1 + 4 + 4 + 4;

/// A pack's id and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackInfo {
    /// Its id.
    pub id: PackId,
    /// The length of the file, in bytes.
    pub bytes: u64,
    /// How many objects it has.
    pub objects: u64,
}

/// The place of a block in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// The offset of its zstd frame from the start of the pack.
    pub start: u32,
    /// The length of the frame.
    pub stored_bytes: u32,
    /// The length of the decompressed block.
    pub raw_bytes: u32,
}

/// The place of an object in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packed {
    /// The object.
    pub id: ObjectId,
    /// Its kind.
    pub kind: ObjectKind,
    /// The block that it is in.
    pub block: Block,
    /// The offset in the decompressed block.
    pub offset: u32,
    /// The object's length in bytes.
    pub bytes: u32,
}

/// Collects the objects of a block.
#[derive(Debug, Default)]
pub(crate) struct BlockBuilder {
    raw: Vec<u8>,
    objects: Vec<(ObjectId, ObjectKind, u32, u32)>,
}

impl BlockBuilder {
    /// Adds an object of at most [`OBJECT_BYTES_MAX`] bytes. Returns whether the block is now full.
    pub(crate) fn push(&mut self, id: ObjectId, kind: ObjectKind, bytes: &[u8]) -> bool {
        self.objects.push((id, kind, self.raw.len() as u32, bytes.len() as u32));
        self.raw.extend_from_slice(bytes);
        self.raw.len() >= BLOCK_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Compresses the objects that were added, and empties the builder.
    pub(crate) fn compress(&mut self) -> CompressedBlock {
        let stored = zstd::bulk::compress(&self.raw, ZSTD_LEVEL)
            .expect("zstd compresses any bytes into a buffer of its own bound");
        let raw_bytes = self.raw.len() as u32;
        self.raw.clear();
        CompressedBlock { stored, raw_bytes, objects: std::mem::take(&mut self.objects) }
    }
}

/// A block that is ready to be written.
#[derive(Debug)]
pub(crate) struct CompressedBlock {
    stored: Vec<u8>,
    raw_bytes: u32,
    objects: Vec<(ObjectId, ObjectKind, u32, u32)>,
}

/// Writes one pack to a file, and computes its id on the way.
#[derive(Debug)]
pub(crate) struct PackWriter {
    file: TempFile,
    hasher: blake3::Hasher,
    written: u64,
    blocks: Vec<Block>,
    objects: Vec<(u32, Packed)>,
}

/// A whole pack under its temporary name.
#[derive(Debug)]
pub(crate) struct PackFile {
    pub(crate) id: PackId,
    pub(crate) bytes: u64,
    /// Its objects, as its footer lists them, sorted by id.
    pub(crate) objects: Vec<Packed>,
    pub(crate) file: TempFile,
}

impl PackFile {
    pub(crate) fn info(&self) -> PackInfo {
        PackInfo { id: self.id, bytes: self.bytes, objects: self.objects.len() as u64 }
    }

    /// Checks that each of these objects of the pack has the bytes that its id stands for, and that
    /// it can be decoded.
    pub(crate) fn verify(&self, objects: &[Packed]) -> Result<(), StoreError> {
        verify_objects(&self.file.file, self.file.path(), objects)
    }
}

impl PackWriter {
    pub(crate) fn new(file: TempFile) -> Result<Self, StoreError> {
        let mut writer = Self {
            file,
            hasher: blake3::Hasher::new(),
            written: 0,
            blocks: Vec::new(),
            objects: Vec::new(),
        };
        writer.write(&PACK_MAGIC)?;
        Ok(writer)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Returns how many bytes were written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.written
    }

    pub(crate) fn append(&mut self, compressed: &CompressedBlock) -> Result<(), StoreError> {
        let block = Block {
            start: u32::try_from(self.written).expect("a pack is closed long before 4 GiB"),
            stored_bytes: compressed.stored.len() as u32,
            raw_bytes: compressed.raw_bytes,
        };
        let number = self.blocks.len() as u32;
        self.write(&compressed.stored)?;
        self.blocks.push(block);
        self.objects.extend(
            compressed.objects.iter().map(|&(id, kind, offset, bytes)| {
                (number, Packed { id, kind, block, offset, bytes })
            }),
        );
        Ok(())
    }

    /// Writes the footer.
    pub(crate) fn finish(mut self) -> Result<PackFile, StoreError> {
        self.objects.sort_unstable_by_key(|(_, packed)| packed.id);
        let footer = encode_footer(&self.blocks, &self.objects);
        self.write(&footer)?;
        Ok(PackFile {
            id: PackId(*self.hasher.finalize().as_bytes()),
            bytes: self.written,
            objects: self.objects.into_iter().map(|(_, packed)| packed).collect(),
            file: self.file,
        })
    }
}

/// Computes the id of a pack whose bytes arrive in parts.
#[derive(Debug, Default)]
pub struct PackHasher {
    hasher: blake3::Hasher,
    bytes: u64,
}

impl PackHasher {
    /// Adds the next bytes. Returns false where there are more than a pack may have.
    pub fn update(&mut self, bytes: &[u8]) -> bool {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        self.bytes <= PACK_BYTES_MAX
    }

    /// Returns the id of a pack with the bytes so far.
    pub fn id(&self) -> PackId {
        PackId(*self.hasher.finalize().as_bytes())
    }
}

fn encode_footer(blocks: &[Block], objects: &[(u32, Packed)]) -> Vec<u8> {
    let length = 8 + blocks.len() * BLOCK_RECORD_BYTES + objects.len() * OBJECT_RECORD_BYTES;
    let mut out = Vec::with_capacity(length + TRAILER_BYTES as usize);
    out.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
    for block in blocks {
        out.extend_from_slice(&block.stored_bytes.to_le_bytes());
        out.extend_from_slice(&block.raw_bytes.to_le_bytes());
    }
    out.extend_from_slice(&(objects.len() as u32).to_le_bytes());
    for (number, packed) in objects {
        out.extend_from_slice(&packed.id.0);
        out.push(packed.kind as u8);
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(&packed.offset.to_le_bytes());
        out.extend_from_slice(&packed.bytes.to_le_bytes());
    }
    out.extend_from_slice(&(out.len() as u32).to_le_bytes());
    out.extend_from_slice(&PACK_MAGIC);
    out
}

/// Returns a pack of any objects: for fuzzing. `splits` begins a new block before each object at
/// which it returns true.
pub(crate) fn encoded(
    objects: &[(ObjectKind, Vec<u8>)],
    splits: impl Fn(usize) -> bool,
) -> Vec<u8> {
    let (mut out, mut blocks, mut placed) = (PACK_MAGIC.to_vec(), Vec::new(), Vec::new());
    let mut builder = BlockBuilder::default();
    for (at, (kind, bytes)) in objects.iter().enumerate() {
        builder.push(kind.id_of(bytes), *kind, bytes);
        if at + 1 == objects.len() || splits(at + 1) {
            let CompressedBlock { stored, raw_bytes, objects } = builder.compress();
            let (start, stored_bytes) = (out.len() as u32, stored.len() as u32);
            let block = Block { start, stored_bytes, raw_bytes };
            let number = blocks.len() as u32;
            placed.extend(objects.into_iter().map(|(id, kind, offset, bytes)| {
                (number, Packed { id, kind, block, offset, bytes })
            }));
            blocks.push(block);
            out.extend_from_slice(&stored);
        }
    }
    placed.sort_unstable_by_key(|(_, packed)| packed.id);
    out.extend_from_slice(&encode_footer(&blocks, &placed));
    out
}

/// Reads fixed-width little-endian fields from the front of a slice.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u32(&mut self) -> Option<u32> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*head))
    }

    fn u8(&mut self) -> Option<u8> {
        let (&head, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(head)
    }

    fn id(&mut self) -> Option<ObjectId> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(ObjectId(*head))
    }
}

/// Reads the footer of a pack. Returns its objects, sorted by id. `path` is for error messages.
pub(crate) fn read_footer(file: &File, path: &Path) -> Result<Vec<Packed>, StoreError> {
    let damaged = |what| StoreError::DamagedPack { path: path.to_owned(), what };
    let length = file.metadata().map_err(StoreError::io("read", path))?.len();
    if length > PACK_BYTES_MAX {
        return Err(damaged("it is larger than a pack can be"));
    }
    let read = |from: u64, count: u64| -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; count as usize];
        file.read_exact_at(&mut bytes, from).map_err(StoreError::io("read", path))?;
        Ok(bytes)
    };
    let body = length.checked_sub(8 + TRAILER_BYTES).ok_or(damaged("it is too short"))?;
    let [head, trailer] = [read(0, 8)?, read(length - TRAILER_BYTES, TRAILER_BYTES)?];
    if head[..7] == PACK_MAGIC[..7] && head[7] > PACK_MAGIC[7] {
        return Err(StoreError::Newer { path: path.to_owned(), version: head[7].into() });
    }
    if head != PACK_MAGIC || trailer[4..] != PACK_MAGIC {
        return Err(damaged("it does not begin and end as a pack"));
    }
    let footer_bytes = u64::from(Fields(&trailer).u32().expect("a trailer has 12 bytes"));
    let blocks_end = body.checked_sub(footer_bytes).ok_or(damaged("its footer is too long"))? + 8;
    let footer = read(blocks_end, footer_bytes)?;
    parse_footer(&footer, blocks_end).ok_or(damaged("its footer is not consistent"))
}

fn parse_footer(footer: &[u8], blocks_end: u64) -> Option<Vec<Packed>> {
    let mut fields = Fields(footer);
    let count = fields.u32()? as usize;
    let mut blocks = Vec::with_capacity(count.min(footer.len() / BLOCK_RECORD_BYTES));
    let mut start = PACK_MAGIC.len() as u64;
    for _ in 0..count {
        let (stored_bytes, raw_bytes) = (fields.u32()?, fields.u32()?);
        // A block is closed once it has BLOCK_BYTES, so it is larger by at most one object.
        (raw_bytes as usize <= BLOCK_BYTES + OBJECT_BYTES_MAX).then_some(())?;
        blocks.push(Block { start: start.try_into().ok()?, stored_bytes, raw_bytes });
        start += u64::from(stored_bytes);
    }
    (start == blocks_end).then_some(())?;
    let count = fields.u32()? as usize;
    (fields.0.len() == count.checked_mul(OBJECT_RECORD_BYTES)?).then_some(())?;
    let mut objects: Vec<Packed> = Vec::with_capacity(count);
    for _ in 0..count {
        let id = fields.id()?;
        let kind = ObjectKind::from_u8(fields.u8()?)?;
        let block = *blocks.get(fields.u32()? as usize)?;
        let (offset, bytes) = (fields.u32()?, fields.u32()?);
        (offset.checked_add(bytes)? <= block.raw_bytes).then_some(())?;
        objects.last().is_none_or(|last| last.id < id).then_some(())?;
        objects.push(Packed { id, kind, block, offset, bytes });
    }
    Some(objects)
}

/// Reads and decompresses a block. Allocates at most as much as the footer states for the block.
pub(crate) fn read_block(file: &File, block: &Block, path: &Path) -> Result<Vec<u8>, StoreError> {
    let damaged = |what| StoreError::DamagedPack { path: path.to_owned(), what };
    let raw_bytes = block.raw_bytes as usize;
    let bound = zstd::zstd_safe::compress_bound(raw_bytes);
    if raw_bytes > BLOCK_BYTES + OBJECT_BYTES_MAX || block.stored_bytes as usize > bound {
        return Err(damaged("a block is larger than a block can be"));
    }
    let mut stored = vec![0; block.stored_bytes as usize];
    file.read_exact_at(&mut stored, block.start.into()).map_err(|source| match source.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("it is cut short"),
        _ => StoreError::Io { action: "read", path: path.to_owned(), source },
    })?;
    let raw = zstd::bulk::decompress(&stored, raw_bytes)
        .map_err(|_| damaged("a block does not decompress"))?;
    if raw.len() != raw_bytes {
        return Err(damaged("a block has another length than the footer says"));
    }
    Ok(raw)
}

/// Checks that each of these objects of a pack has the bytes that its id stands for, and that it
/// can be decoded.
pub(crate) fn verify_objects(
    file: &File,
    path: &Path,
    objects: &[Packed],
) -> Result<(), StoreError> {
    let mut by_place: Vec<&Packed> = objects.iter().collect();
    by_place.sort_unstable_by_key(|packed| (packed.block.start, packed.offset));
    let blocks: Vec<_> = by_place.chunk_by(|a, b| a.block.start == b.block.start).collect();
    blocks.par_iter().try_for_each(|objects| {
        let raw = read_block(file, &objects[0].block, path)?;
        for packed in *objects {
            let bytes = &raw[packed.offset as usize..(packed.offset + packed.bytes) as usize];
            verify_object(packed, bytes, path)?;
        }
        Ok(())
    })
}

/// Like [`verify_objects`], for one object and its bytes.
pub(crate) fn verify_object(packed: &Packed, bytes: &[u8], path: &Path) -> Result<(), StoreError> {
    let damaged = |what| StoreError::DamagedPack { path: path.to_owned(), what };
    if packed.kind.id_of(bytes) != packed.id {
        return Err(damaged("an object is not what its id says"));
    }
    check_encoding(packed.kind, bytes).map_err(damaged)
}

/// Checks that an object decodes as its kind. So a tree with an entry named `..`, for instance,
/// gets no further than here. What only a newer version can decode is accepted.
fn check_encoding(kind: ObjectKind, bytes: &[u8]) -> Result<(), &'static str> {
    let checked = match kind {
        ObjectKind::Blob => Ok(()),
        ObjectKind::Tree => check_node(bytes),
        ObjectKind::List => match decode_list(bytes) {
            None if bytes.first().is_none_or(|version| *version <= LIST_VERSION) => {
                return Err("a chunk list breaks the rules of its encoding");
            }
            _ => Ok(()),
        },
    };
    match checked {
        Err(TreeError::Damaged { what }) => Err(what),
        Ok(()) | Err(TreeError::Newer { .. }) => Ok(()),
    }
}

fn check_node(bytes: &[u8]) -> Result<(), TreeError> {
    conflicts_of(bytes)?;
    match Node::parse(bytes)? {
        Node::Leaf(mut entries) => entries.try_for_each(|entry| entry.map(drop)),
        Node::Interior(mut runs) => runs.try_for_each(|run| run.map(drop)),
    }
}
