//! The object index: which pack has which object.
//!
//! The index is a set of immutable segment files. Each is a sorted table of the objects of one or
//! more packs. A writer adds a segment for its new packs, and needs no lock for that. When there
//! are many segments they are merged, large ones seldom. The index can be rebuilt from the packs at
//! any time: the packs are the truth. `docs/formats.md` specifies the layout.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use crate::files::disk;
use crate::object::error::StoreError;
use crate::object::id::{ID_BYTES, ObjectId, PackId};
use crate::object::kind::ObjectKind;
use crate::store::pack::{Block, Packed};
use crate::store::temp::{TempFile, sync_dir};

/// The first bytes of every segment. The eighth is the version.
pub const INDEX_MAGIC: [u8; 8] = *b"FSTINDX\x01";
const HEADER_BYTES: usize = 8 + 4 + 4 + 1 + 3;
const RECORD_BYTES: usize = ID_BYTES + 1 + 4 * 6;
const CHECKSUM_BYTES: usize = 32;
/// Objects that share a slot of the fan-out table, on average.
const OBJECTS_PER_SLOT: usize = 16;
/// Segments of up to this size are read whole when they are opened.
const READ_AT_ONCE_BYTES: u64 = 64 << 10;
/// Segments of up to this size are read whole after [`LOOK_UPS`]. Of larger ones, only what is looked
/// up is read.
const IN_MEMORY_BYTES: u64 = 1 << 20;
/// Look-ups that a segment answers from disk, before it is read whole. Many commands look up little.
const LOOK_UPS: usize = 32;
/// With more segments than this, they are merged.
const SEGMENTS_MAX: usize = 8;
/// The file name extension of segments.
const ENDING: &str = "idx";

/// Where an object is: a pack, and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located {
    /// The pack.
    pub pack: PackId,
    /// The place in the pack.
    pub packed: Packed,
}

/// One open segment.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    packs: Vec<PackId>,
    objects: usize,
    /// `fanout[i]` is the first record whose id has leading `fanout_bits` bits of at least `i`.
    fanout: Vec<u32>,
    fanout_bits: u32,
    records_start: u64,
    file: File,
    bytes: u64,
    looked_up: AtomicUsize,
    /// The records, once the segment was read whole.
    in_memory: OnceLock<Vec<u8>>,
}

/// All segments of a store, as they were when they were last read.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    dir: PathBuf,
    segments: Vec<Arc<Segment>>,
}

fn damaged(path: &Path, what: &'static str) -> StoreError {
    StoreError::DamagedIndex { path: path.to_owned(), what }
}

impl Index {
    /// Opens every segment in the folder `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::empty(dir).refreshed()
    }

    /// Returns the index of the folder `dir` before any segment is read.
    pub(crate) fn empty(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), segments: Vec::new() }
    }

    /// Returns the index as it is on disk now. Segments that are open already are reused.
    pub(crate) fn refreshed(&self) -> Result<Self, StoreError> {
        // A merge may delete a segment after it was listed and before it is opened: list again.
        for _ in 0..100 {
            if let Some(segments) = self.open_listed()? {
                return Ok(Self { dir: self.dir.clone(), segments });
            }
        }
        Err(damaged(&self.dir, "its segments change faster than they can be read"))
    }

    fn open_listed(&self) -> Result<Option<Vec<Arc<Segment>>>, StoreError> {
        let known: HashMap<_, _> = self.segments.iter().map(|s| (s.path.as_path(), s)).collect();
        let mut segments = Vec::new();
        for path in list(&self.dir)? {
            match known.get(path.as_path()) {
                Some(segment) => segments.push(Arc::clone(segment)),
                None => match Segment::open(&path) {
                    Ok(segment) => segments.push(Arc::new(segment)),
                    Err(StoreError::Io { source, .. })
                        if source.kind() == io::ErrorKind::NotFound =>
                    {
                        return Ok(None);
                    }
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(Some(segments))
    }

    /// Returns where `id` is, if any pack has it.
    pub(crate) fn locate(&self, id: &ObjectId) -> Result<Option<Located>, StoreError> {
        for segment in &self.segments {
            if let Some(located) = segment.locate(id)? {
                return Ok(Some(located));
            }
        }
        Ok(None)
    }

    /// Returns whether there are more segments than a look-up should search.
    pub(crate) fn wants_merge(&self) -> bool {
        self.segments.len() > SEGMENTS_MAX
    }

    /// Merges the smallest segments into one: at least two, and all up to the largest one that is
    /// not larger than all smaller ones together. The caller holds the lock of the index.
    pub(crate) fn merge(&self, temp: &Path) -> Result<(), StoreError> {
        let mut by_size: Vec<_> = self.segments.iter().collect();
        by_size.sort_by_key(|segment| segment.objects);
        let mut sum = 0;
        let mut count = 0;
        for (index, segment) in by_size.iter().enumerate() {
            if index < 2 || segment.objects <= sum {
                count = index + 1;
            }
            sum += segment.objects;
        }
        let merged = &by_size[..count];
        let mut objects = Vec::new();
        for segment in merged {
            objects.extend(segment.read_all()?);
        }
        let written = write_segment(&self.dir, temp, objects)?;
        for segment in merged.iter().filter(|segment| segment.path != written) {
            match disk::remove_file(&segment.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(StoreError::io("remove", &segment.path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the records of one segment, after verifying its checksum.
    pub(crate) fn read_segment(path: &Path) -> Result<Vec<Located>, StoreError> {
        Segment::open(path)?.read_all()
    }
}

/// Returns the paths of the segments in `dir`.
pub(crate) fn list(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(StoreError::io("list", dir))? {
        let path = entry.map_err(StoreError::io("list", dir))?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn slot_of(id: &ObjectId, bits: u32) -> usize {
    let head = u32::from_be_bytes(id.0[..4].try_into().expect("four of 32 bytes"));
    (u64::from(head) >> (32 - bits)) as usize
}

impl Segment {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let length = file.metadata().map_err(StoreError::io("read", path))?.len();
        let read = |from: u64, count: usize| -> Result<Vec<u8>, StoreError> {
            if from.checked_add(count as u64).is_none_or(|end| end > length) {
                return Err(damaged(path, "it is cut short"));
            }
            let mut bytes = vec![0; count];
            file.read_exact_at(&mut bytes, from).map_err(StoreError::io("read", path))?;
            Ok(bytes)
        };
        let header = read(0, HEADER_BYTES)?;
        if header[..7] != INDEX_MAGIC[..7] {
            return Err(damaged(path, "it does not begin as an index"));
        }
        if header[7] > INDEX_MAGIC[7] {
            return Err(StoreError::Newer { path: path.to_owned(), version: header[7].into() });
        }
        let u32_at = |bytes: &[u8], at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
        };
        let (packs, objects) = (u32_at(&header, 8) as usize, u32_at(&header, 12) as usize);
        let fanout_bits = u32::from(header[16]);
        if fanout_bits > 24 {
            return Err(damaged(path, "its fan-out is too wide"));
        }
        let slots = (1usize << fanout_bits) + 1;
        let (packs_bytes, fanout_bytes) = (packs * ID_BYTES, slots * 4);
        let records_start = (HEADER_BYTES + packs_bytes + fanout_bytes) as u64;
        let expected = records_start + (objects * RECORD_BYTES + CHECKSUM_BYTES) as u64;
        if length != expected {
            return Err(damaged(path, "its length does not fit its counts"));
        }
        let table = read(HEADER_BYTES as u64, packs_bytes + fanout_bytes)?;
        let (pack_bytes, fanout) = table.split_at(packs_bytes);
        let packs = pack_bytes.chunks_exact(ID_BYTES);
        let packs = packs.map(|id| PackId(id.try_into().expect("32 bytes"))).collect();
        let fanout: Vec<u32> = fanout.chunks_exact(4).map(|slot| u32_at(slot, 0)).collect();
        if !fanout.is_sorted() || fanout.last() != Some(&(objects as u32)) {
            return Err(damaged(path, "its fan-out is not in order"));
        }
        let (path, looked_up) = (path.to_owned(), AtomicUsize::new(0));
        let (bytes, in_memory) = (length, OnceLock::new());
        let segment = Self {
            path,
            packs,
            objects,
            fanout,
            fanout_bits,
            records_start,
            file,
            bytes,
            looked_up,
            in_memory,
        };
        if length <= READ_AT_ONCE_BYTES {
            segment.read_records()?;
        }
        Ok(segment)
    }

    /// Returns the records in memory, and reads the segment if enough was looked up.
    fn records(&self) -> Result<Option<&[u8]>, StoreError> {
        if let Some(records) = self.in_memory.get() {
            return Ok(Some(records));
        }
        if self.bytes > IN_MEMORY_BYTES || self.looked_up.fetch_add(1, Ordering::Relaxed) < LOOK_UPS
        {
            return Ok(None);
        }
        self.read_records().map(Some)
    }

    /// Reads the whole segment, and verifies it.
    fn read_records(&self) -> Result<&[u8], StoreError> {
        let mut bytes = vec![0; self.bytes as usize];
        self.file.read_exact_at(&mut bytes, 0).map_err(StoreError::io("read", &self.path))?;
        let checksum = bytes.split_off(bytes.len() - CHECKSUM_BYTES);
        if blake3::hash(&bytes).as_bytes() != &checksum[..] {
            return Err(damaged(&self.path, "its checksum does not match"));
        }
        Ok(self.in_memory.get_or_init(|| bytes.split_off(self.records_start as usize)))
    }

    fn locate(&self, id: &ObjectId) -> Result<Option<Located>, StoreError> {
        let slot = slot_of(id, self.fanout_bits);
        let from = self.fanout[slot] as usize * RECORD_BYTES;
        let to = self.fanout[slot + 1] as usize * RECORD_BYTES;
        let read;
        let records = match self.records()? {
            Some(records) => &records[from..to],
            None => {
                let mut bytes = vec![0; to - from];
                self.file
                    .read_exact_at(&mut bytes, self.records_start + from as u64)
                    .map_err(StoreError::io("read", &self.path))?;
                read = bytes;
                &read[..]
            }
        };
        let (records, _) = records.as_chunks::<RECORD_BYTES>();
        let Ok(found) = records.binary_search_by(|record| record[..ID_BYTES].cmp(&id.0)) else {
            return Ok(None);
        };
        self.decode(&records[found]).map(Some)
    }

    fn decode(&self, record: &[u8; RECORD_BYTES]) -> Result<Located, StoreError> {
        let id = ObjectId(record[..ID_BYTES].try_into().expect("32 bytes"));
        let kind = ObjectKind::from_u8(record[ID_BYTES]);
        let kind = kind.ok_or_else(|| damaged(&self.path, "a record has an unknown kind"))?;
        let field = |number: usize| {
            let at = ID_BYTES + 1 + 4 * number;
            u32::from_le_bytes(record[at..at + 4].try_into().expect("four bytes"))
        };
        let pack = self.packs.get(field(0) as usize);
        let pack = *pack.ok_or_else(|| damaged(&self.path, "a record names no pack"))?;
        let block = Block { start: field(1), stored_bytes: field(2), raw_bytes: field(3) };
        let (offset, bytes) = (field(4), field(5));
        if offset.checked_add(bytes).is_none_or(|end| end > block.raw_bytes) {
            return Err(damaged(&self.path, "a record points outside its block"));
        }
        Ok(Located { pack, packed: Packed { id, kind, block, offset, bytes } })
    }

    fn read_all(&self) -> Result<Vec<Located>, StoreError> {
        let bytes = fs::read(&self.path).map_err(StoreError::io("read", &self.path))?;
        let body = bytes.len().checked_sub(CHECKSUM_BYTES);
        let (body, checksum) = bytes.split_at(body.ok_or(damaged(&self.path, "it is cut short"))?);
        if blake3::hash(body).as_bytes() != checksum {
            return Err(damaged(&self.path, "its checksum does not match"));
        }
        let (records, _) = body[self.records_start as usize..].as_chunks::<RECORD_BYTES>();
        records.iter().map(|record| self.decode(record)).collect()
    }
}

/// A segment under its temporary name.
#[derive(Debug)]
pub(crate) struct WrittenSegment {
    file: TempFile,
    path: PathBuf,
}

impl WrittenSegment {
    /// Makes the segment's bytes durable.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync()
    }

    /// Renames the segment to its final name, durably. The caller has made durable its bytes and
    /// the packs that it points into.
    pub(crate) fn publish(self) -> Result<PathBuf, StoreError> {
        self.file.persist(&self.path)?;
        sync_dir(self.path.parent().expect("a segment lies in a folder"))?;
        Ok(self.path)
    }
}

/// Writes a durable segment for `objects`, in any order, and returns its path. Of two records for
/// one object, the first is kept.
pub(crate) fn write_segment(
    dir: &Path,
    temp: &Path,
    objects: Vec<Located>,
) -> Result<PathBuf, StoreError> {
    let segment = prepare_segment(dir, temp, objects)?;
    segment.sync()?;
    segment.publish()
}

/// Writes a segment that is neither durable nor named yet.
pub(crate) fn prepare_segment(
    dir: &Path,
    temp: &Path,
    mut objects: Vec<Located>,
) -> Result<WrittenSegment, StoreError> {
    objects.sort_by_key(|located| located.packed.id);
    objects.dedup_by_key(|located| located.packed.id);
    let encoded = encode_segment(&objects);
    let name = &blake3::hash(&encoded).to_hex()[..32];
    let path = dir.join(name).with_extension(ENDING);
    let file = TempFile::create(temp)?;
    file.write_all(&encoded)?;
    Ok(WrittenSegment { file, path })
}

/// Returns the segment of these objects: for fuzzing.
pub(crate) fn encoded(mut objects: Vec<Located>) -> Vec<u8> {
    objects.sort_by_key(|located| located.packed.id);
    objects.dedup_by_key(|located| located.packed.id);
    encode_segment(&objects)
}

fn encode_segment(objects: &[Located]) -> Vec<u8> {
    let mut numbers: HashMap<PackId, u32> = HashMap::new();
    let mut packs = Vec::new();
    for located in objects {
        numbers.entry(located.pack).or_insert_with(|| {
            packs.push(located.pack);
            packs.len() as u32 - 1
        });
    }
    let bits = (objects.len() / OBJECTS_PER_SLOT).checked_ilog2().unwrap_or(0).min(24);
    let slots = 1usize << bits;
    let mut out = Vec::with_capacity(
        HEADER_BYTES + packs.len() * ID_BYTES + slots * 4 + objects.len() * RECORD_BYTES + 64,
    );
    out.extend_from_slice(&INDEX_MAGIC);
    out.extend_from_slice(&(packs.len() as u32).to_le_bytes());
    out.extend_from_slice(&(objects.len() as u32).to_le_bytes());
    out.extend_from_slice(&[bits as u8, 0, 0, 0]);
    packs.iter().for_each(|pack| out.extend_from_slice(&pack.0));
    for slot in 0..=slots {
        let first = objects.partition_point(|located| slot_of(&located.packed.id, bits) < slot);
        out.extend_from_slice(&(first as u32).to_le_bytes());
    }
    for Located { pack, packed } in objects {
        let Packed { id, kind, block, offset, bytes } = packed;
        out.extend_from_slice(&id.0);
        out.push(*kind as u8);
        let Block { start, stored_bytes, raw_bytes } = *block;
        for field in [numbers[pack], start, stored_bytes, raw_bytes, *offset, *bytes] {
            out.extend_from_slice(&field.to_le_bytes());
        }
    }
    let checksum = blake3::hash(&out);
    out.extend_from_slice(checksum.as_bytes());
    out
}
