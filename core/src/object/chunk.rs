//! A file's content as objects: small files whole, large ones cut by content.
//!
//! Files of more than [`CHUNKED_OVER_BYTES`] are cut by FastCDC (v2020, normalization level 1, gear
//! table without a seed), so that after an edit only the chunks near it are stored and sent again.
//! The chunk list is an object of its own. The blob id is still the BLAKE3 of the whole file. The
//! cut points are part of the format, and frozen by a test vector.

use std::io::{self, Read, Write};

use fastcdc::v2020::FastCDC;

use crate::object::error::StoreError;
use crate::object::id::{BlobId, ID_BYTES, ListId, ObjectId};
use crate::object::item::Item;
use crate::object::kind::{OBJECT_BYTES_MAX, ObjectKind};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::CHUNKED_OVER_BYTES;
use crate::object::varint;

/// The smallest chunk, except for a file's last one.
pub const CHUNK_BYTES_MIN: usize = 32 << 10;
/// The average size at which the cut rule aims.
pub const CHUNK_BYTES_AVERAGE: usize = 128 << 10;
/// The largest chunk. Less than [`CHUNKED_OVER_BYTES`], so that no chunk has the id of a chunked
/// file.
pub const CHUNK_BYTES_MAX: usize = 512 << 10;
/// Version of the chunk list encoding.
pub const LIST_VERSION: u8 = 1;

/// Bytes read ahead of the cutter.
const READ_BYTES: usize = 4 << 20;

/// The id and the storage of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The BLAKE3 of all bytes.
    pub id: BlobId,
    /// How many bytes were read.
    pub bytes: u64,
    /// The chunk list, if the file has more than [`CHUNKED_OVER_BYTES`].
    pub list: Option<ListId>,
}

/// Why content could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum WriteContentError {
    /// The reader failed.
    #[error("cannot read: {0}")]
    Read(#[source] io::Error),
    /// The sink failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why content could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadContentError {
    /// The writer failed.
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    /// The source failed, or its objects do not add up to the content.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads `reader` to the end, and puts the objects that `sink` does not have into it.
pub fn write_content(
    reader: &mut dyn Read,
    sink: &dyn ObjectSink,
) -> Result<Content, WriteContentError> {
    let mut buffer = Vec::new();
    read_up_to(reader, &mut buffer, CHUNKED_OVER_BYTES as usize + 1)?;
    if buffer.len() as u64 > CHUNKED_OVER_BYTES {
        return write_chunks(reader, buffer, sink);
    }
    let id = BlobId::of(&buffer);
    put(sink, ObjectKind::Blob, id.into(), &buffer)?;
    Ok(Content { id, bytes: buffer.len() as u64, list: None })
}

fn put(
    sink: &dyn ObjectSink,
    kind: ObjectKind,
    id: ObjectId,
    bytes: &[u8],
) -> Result<(), StoreError> {
    if bytes.len() > OBJECT_BYTES_MAX {
        return Err(StoreError::ObjectTooLarge { bytes: bytes.len() as u64 });
    }
    if sink.has(&id)? { Ok(()) } else { sink.put(kind, id, bytes) }
}

/// Appends to `buffer` until it holds `wanted` bytes or the input ends.
fn read_up_to(
    reader: &mut dyn Read,
    buffer: &mut Vec<u8>,
    wanted: usize,
) -> Result<(), WriteContentError> {
    let missing = wanted.saturating_sub(buffer.len()) as u64;
    reader.take(missing).read_to_end(buffer).map_err(WriteContentError::Read)?;
    Ok(())
}

fn write_chunks(
    reader: &mut dyn Read,
    mut buffer: Vec<u8>,
    sink: &dyn ObjectSink,
) -> Result<Content, WriteContentError> {
    let mut whole = blake3::Hasher::new();
    let mut chunks = Vec::new();
    let mut bytes = 0;
    loop {
        read_up_to(reader, &mut buffer, READ_BYTES)?;
        let at_end = buffer.len() < READ_BYTES;
        let mut start = 0;
        // The cut rule looks ahead by the largest chunk at most: with less in the buffer, read more
        // first.
        while start < buffer.len() && (at_end || buffer.len() - start >= CHUNK_BYTES_MAX) {
            let chunk = &buffer[start..start + next_cut(&buffer[start..])];
            let id = BlobId::of(chunk);
            put(sink, ObjectKind::Blob, id.into(), chunk)?;
            chunks.push((id, chunk.len() as u64));
            start += chunk.len();
        }
        whole.update(&buffer[..start]);
        bytes += start as u64;
        buffer.drain(..start);
        if at_end {
            break;
        }
    }
    let encoded = encode_list(&chunks);
    let list = ListId::of(&encoded);
    put(sink, ObjectKind::List, list.into(), &encoded)?;
    let id = BlobId(*whole.finalize().as_bytes());
    Ok(Content { id, bytes, list: Some(list) })
}

/// Returns the length of the first chunk of `bytes`.
fn next_cut(bytes: &[u8]) -> usize {
    let cutter = FastCDC::new(bytes, CHUNK_BYTES_MIN, CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MAX);
    cutter.cut(0, bytes.len()).1
}

/// Encodes a chunk list: version, count, then the id and length of each chunk.
pub fn encode_list(chunks: &[(BlobId, u64)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(chunks.len() * (ID_BYTES + 3) + 8);
    out.push(LIST_VERSION);
    varint::put(&mut out, chunks.len() as u64);
    for (id, bytes) in chunks {
        out.extend_from_slice(&id.0);
        varint::put(&mut out, *bytes);
    }
    out
}

/// Decodes a chunk list; `None` if it breaks a rule of the format.
pub fn decode_list(encoded: &[u8]) -> Option<Vec<(BlobId, u64)>> {
    let [LIST_VERSION, rest @ ..] = encoded else { return None };
    let mut rest = rest;
    let count = usize::try_from(varint::take(&mut rest)?).ok()?;
    let mut chunks = Vec::with_capacity(count.min(rest.len() / ID_BYTES));
    for _ in 0..count {
        let (id, tail) = rest.split_first_chunk::<ID_BYTES>()?;
        rest = tail;
        let bytes = varint::take(&mut rest)?;
        (bytes > 0 && bytes <= CHUNK_BYTES_MAX as u64).then_some(())?;
        chunks.push((BlobId(*id), bytes));
    }
    rest.is_empty().then_some(chunks)
}

/// Returns the ids of the objects that hold a file's or link's content: the blob, or the list and
/// its chunks.
pub(crate) fn content_objects(
    item: &Item,
    source: &dyn ObjectSource,
) -> Result<Vec<ObjectId>, StoreError> {
    let Some(list) = item.list else { return Ok(vec![BlobId(item.id).into()]) };
    let chunks = read_list(&list, source)?;
    let chunks = chunks.into_iter().map(|(id, _)| ObjectId::from(id));
    Ok(std::iter::once(ObjectId::from(list)).chain(chunks).collect())
}

fn read_list(list: &ListId, source: &dyn ObjectSource) -> Result<Vec<(BlobId, u64)>, StoreError> {
    let encoded = source.object(&(*list).into())?;
    decode_list(&encoded).ok_or(StoreError::DamagedObject { id: (*list).into() })
}

/// Writes the content of a file or link to `out`. The content as a whole is verified against the
/// item's id only after the last byte was written: until this returns, nothing may refer to what
/// was written.
pub fn read_content(
    item: &Item,
    source: &dyn ObjectSource,
    out: &mut dyn Write,
) -> Result<(), ReadContentError> {
    let Some(list) = item.list else {
        let object = source.object(&BlobId(item.id).into())?;
        if object.len() as u64 != item.bytes {
            return Err(StoreError::WrongContent { id: BlobId(item.id) }.into());
        }
        return out.write_all(&object).map_err(ReadContentError::Write);
    };
    let mut whole = blake3::Hasher::new();
    let mut bytes = 0u64;
    for (id, length) in read_list(&list, source)? {
        let chunk = source.object(&id.into())?;
        bytes += length;
        if chunk.len() as u64 != length || bytes > item.bytes {
            return Err(StoreError::WrongContent { id: BlobId(item.id) }.into());
        }
        whole.update(&chunk);
        out.write_all(&chunk).map_err(ReadContentError::Write)?;
    }
    if bytes != item.bytes || whole.finalize().as_bytes() != &item.id {
        return Err(StoreError::WrongContent { id: BlobId(item.id) }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::item::Kind;
    use crate::object::memory::MemoryObjects;

    /// Reproducible bytes: a 64-bit LCG (Knuth's MMIX), the high byte of each state.
    fn noise(count: usize, mut state: u64) -> Vec<u8> {
        let step = |state: &mut u64| {
            *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (*state >> 56) as u8
        };
        (0..count).map(|_| step(&mut state)).collect()
    }

    fn item(content: &Content) -> Item {
        let Content { id, bytes, list } = *content;
        Item { kind: Kind::File, id: id.0, bytes, files: 1, list }
    }

    #[test]
    fn content_reads_back_at_every_size_near_a_limit() {
        let over = CHUNKED_OVER_BYTES as usize;
        for size in [0, 1, over - 1, over, over + 1, READ_BYTES - 1, READ_BYTES, 9_999_999] {
            let bytes = noise(size, 1);
            let objects = MemoryObjects::default();
            let content = write_content(&mut &bytes[..], &objects).unwrap();
            assert_eq!(content.id, BlobId::of(&bytes), "{size}");
            assert_eq!(content.list.is_some(), size > over, "{size}");
            let mut out = Vec::new();
            read_content(&item(&content), &objects, &mut out).unwrap();
            assert!(out == bytes, "{size}");
            assert_eq!(content_objects(&item(&content), &objects).unwrap().len(), objects.len());
        }
    }

    #[test]
    fn cut_points_are_frozen() {
        let bytes = noise(3_000_000, 42);
        let objects = MemoryObjects::default();
        let content = write_content(&mut &bytes[..], &objects).unwrap();
        let chunks = read_list(&content.list.unwrap(), &objects).unwrap();
        let lengths: Vec<u64> = chunks.iter().map(|chunk| chunk.1).collect();
        let frozen = [
            189971, 214645, 262304, 162120, 34213, 81667, 159197, 184785, 143502, 59451, 240536,
            225807, 133228, 161281, 33430, 196288, 90503, 136598, 181891, 108583,
        ];
        assert_eq!(lengths, frozen);
        assert_eq!(
            content.list.unwrap().to_hex(),
            "2dc4311d8cef0714c281a8e4da114fd3d3e4012daddbe60d6695f9e6c9287e56"
        );
    }

    #[test]
    fn an_insertion_moves_only_the_chunks_near_it() {
        let mut bytes = noise(20_000_000, 7);
        let objects = MemoryObjects::default();
        write_content(&mut &bytes[..], &objects).unwrap();
        let before = objects.len();
        bytes.splice(10_000_000..10_000_000, noise(4096, 8));
        write_content(&mut &bytes[..], &objects).unwrap();
        assert!(objects.len() - before <= 5, "{} new objects", objects.len() - before);
    }

    #[test]
    fn a_list_that_does_not_make_up_the_content_is_refused() {
        let objects = MemoryObjects::default();
        let one = write_content(&mut &noise(2_000_000, 1)[..], &objects).unwrap();
        let other = write_content(&mut &noise(2_000_000, 2)[..], &objects).unwrap();
        let lie = Item { list: other.list, ..item(&one) };
        let refused = read_content(&lie, &objects, &mut Vec::new());
        assert!(matches!(refused, Err(ReadContentError::Store(StoreError::WrongContent { .. }))));
    }

    #[test]
    fn damaged_lists_are_refused() {
        let encoded = encode_list(&[(BlobId::of(b"a"), 1), (BlobId::of(b"b"), 70_000)]);
        assert_eq!(decode_list(&encoded).unwrap().len(), 2);
        for cut in 0..encoded.len() {
            assert_eq!(decode_list(&encoded[..cut]), None, "cut at {cut}");
        }
        assert_eq!(decode_list(&[&encoded[..], &[0]].concat()), None);
        assert_eq!(decode_list(&encode_list(&[(BlobId::of(b""), 0)])), None);
    }
}
