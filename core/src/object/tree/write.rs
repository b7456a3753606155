//! Encodes directories as nodes, and splits wide ones.

use crate::object::error::StoreError;
use crate::object::id::TreeId;
use crate::object::item::{Item, Kind, Root};
use crate::object::kind::{OBJECT_BYTES_MAX, ObjectKind};
use crate::object::name::name_is_allowed;
use crate::object::source::ObjectSink;
use crate::object::tree::format::{CHUNKED_OVER_BYTES, NODE_BYTES_MAX, NODE_VERSION, boundary};
use crate::object::varint;

fn put_entry(out: &mut Vec<u8>, name: &[u8], item: &Item) {
    varint::put(out, name.len() as u64);
    out.extend_from_slice(name);
    put_item(out, item);
}

pub(super) fn put_item(out: &mut Vec<u8>, item: &Item) {
    out.push(item.kind as u8);
    out.extend_from_slice(&item.id);
    varint::put(out, item.bytes);
    if item.is_directory() {
        varint::put(out, item.files);
    }
    if let Some(list) = &item.list {
        out.extend_from_slice(&list.0);
    }
}

fn put_header(out: &mut Vec<u8>, level: u8, count: usize) {
    out.extend_from_slice(&[NODE_VERSION, level]);
    varint::put(out, count as u64);
}

/// A node that was written and is to be listed in its parent.
struct Written {
    last_name: Vec<u8>,
    root: Root,
}

/// Encodes a directory, and puts the nodes that `sink` does not have into it.
///
/// `entries` must be sorted by name, without duplicates.
///
/// # Panics
/// If a name is not allowed or out of order, or an item has a chunk list that it must not have,
/// or lacks one. This is a bug of the caller, and must not become a stored one.
pub fn write_directory<N: AsRef<[u8]>>(
    entries: &[(N, Item)],
    sink: &dyn ObjectSink,
) -> Result<Root, StoreError> {
    for (name, item) in entries {
        assert!(name_is_allowed(name.as_ref()), "a tree holds allowed names only");
        let is_file = matches!(item.kind, Kind::File | Kind::Executable);
        let chunked = is_file && item.bytes > CHUNKED_OVER_BYTES;
        assert_eq!(item.list.is_some(), chunked, "exactly large files have a chunk list");
    }
    assert!(entries.is_sorted_by(|a, b| a.0.as_ref() < b.0.as_ref()), "entries are sorted");

    let mut body = Vec::with_capacity(64 * entries.len() + 16);
    let mut ends = Vec::with_capacity(entries.len());
    for (name, item) in entries {
        put_entry(&mut body, name.as_ref(), item);
        ends.push(body.len());
    }
    if body.len() <= NODE_BYTES_MAX {
        return Ok(write_leaf(entries, &body, sink)?.root);
    }
    let mut runs = Vec::new();
    let (mut first, mut offset) = (0, 0);
    for last in 0..entries.len() {
        if last + 1 == entries.len() || boundary(entries[last].0.as_ref()) >= 1 {
            runs.push(write_leaf(&entries[first..=last], &body[offset..ends[last]], sink)?);
            (first, offset) = (last + 1, ends[last]);
        }
    }
    write_interior(runs, sink)
}

fn write_leaf<N: AsRef<[u8]>>(
    entries: &[(N, Item)],
    body: &[u8],
    sink: &dyn ObjectSink,
) -> Result<Written, StoreError> {
    let mut encoded = Vec::with_capacity(body.len() + 8);
    put_header(&mut encoded, 0, entries.len());
    encoded.extend_from_slice(body);
    let (files, bytes) = entries.iter().fold((0, 0), |(files, bytes): (u64, u64), (_, item)| {
        (files.saturating_add(item.files), bytes.saturating_add(item.bytes))
    });
    let id = write_node(&encoded, sink)?;
    let last_name = entries.last().map(|(name, _)| name.as_ref().to_vec()).unwrap_or_default();
    Ok(Written { last_name, root: Root { id, files, bytes } })
}

/// Writes one level after the other until a single node is left.
fn write_interior(mut runs: Vec<Written>, sink: &dyn ObjectSink) -> Result<Root, StoreError> {
    for level in 1u8.. {
        if runs.len() == 1 {
            break;
        }
        let fits = runs.iter().map(|run| run.last_name.len() + 48).sum::<usize>() <= NODE_BYTES_MAX;
        let mut above = Vec::new();
        let mut group = Vec::new();
        let count = runs.len();
        for (index, run) in runs.into_iter().enumerate() {
            // A boundary is at most 9 (64 bits / 7), so the tenth level is one node.
            let ends = boundary(&run.last_name) > u32::from(level);
            group.push(run);
            if index + 1 == count || (ends && !fits) {
                above.push(write_group(level, &group, sink)?);
                group.clear();
            }
        }
        runs = above;
    }
    Ok(runs.pop().expect("a split directory has a run").root)
}

fn write_group(level: u8, group: &[Written], sink: &dyn ObjectSink) -> Result<Written, StoreError> {
    let mut encoded = Vec::with_capacity(64 * group.len() + 8);
    put_header(&mut encoded, level, group.len());
    let (mut files, mut bytes) = (0u64, 0u64);
    for run in group {
        varint::put(&mut encoded, run.last_name.len() as u64);
        encoded.extend_from_slice(&run.last_name);
        encoded.extend_from_slice(&run.root.id.0);
        varint::put(&mut encoded, run.root.files);
        varint::put(&mut encoded, run.root.bytes);
        files = files.saturating_add(run.root.files);
        bytes = bytes.saturating_add(run.root.bytes);
    }
    let id = write_node(&encoded, sink)?;
    let last_name = group.last().expect("a group has a run").last_name.clone();
    Ok(Written { last_name, root: Root { id, files, bytes } })
}

pub(super) fn write_node(encoded: &[u8], sink: &dyn ObjectSink) -> Result<TreeId, StoreError> {
    if encoded.len() > OBJECT_BYTES_MAX {
        return Err(StoreError::ObjectTooLarge { bytes: encoded.len() as u64 });
    }
    let id = TreeId::of(encoded);
    if !sink.has(&id.into())? {
        sink.put(ObjectKind::Tree, id.into(), encoded)?;
    }
    Ok(id)
}
