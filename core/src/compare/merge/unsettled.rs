//! What stands in a virtual merge base where the merged bases are in conflict.
//!
//! Those who merged these bases each settled the conflict in a way of their own, so the base must be
//! equal to neither: where it were, that side would count as unchanged, and the other would win
//! without a word. git puts conflict markers there in text, for the same reason; where it takes the
//! base's own version (binary files, deletions), whoever went back to that version loses. We have no
//! text yet, and take an id that no content has: both sides differ from it, so they are in conflict
//! again, unless they agree.

use std::collections::HashMap;

use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::{BlobId, ID_BYTES, TreeId};
use crate::object::item::{Item, Kind, Root};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::{check_depth, read_directory, write_directory};

/// BLAKE3 `derive_key` context: no content has an id of it. These ids are never stored.
const CONTEXT: &str = "fastest 2026-11-26 unsettled file v1";

/// Directories that were made unsettled: what stands under many names is walked once.
pub(super) type Known = HashMap<TreeId, Root>;

/// The item for a name at which the sides are in conflict. The same for the same two sides, whichever
/// is whose. Where one side has a directory there, it is that one with all files in it unsettled.
pub(super) fn unsettled(
    three: &Three<Item>,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
    known: &mut Known,
    depth: usize,
) -> Result<Item, StoreError> {
    let sides = [three.ours, three.theirs];
    match sides.iter().flatten().find_map(Item::tree_id) {
        Some(id) => Ok(Item::directory(&directory(&id, source, sink, known, depth)?)),
        None => Ok(file(three)),
    }
}

fn directory(
    id: &TreeId,
    source: &dyn ObjectSource,
    sink: &dyn ObjectSink,
    known: &mut Known,
    depth: usize,
) -> Result<Root, StoreError> {
    check_depth(Some(id), depth)?;
    if let Some(root) = known.get(id) {
        return Ok(*root);
    }
    let mut entries = read_directory(id, source)?;
    for (_, item) in &mut entries {
        let alone = Three { base: None, ours: Some(*item), theirs: None };
        *item = unsettled(&alone, source, sink, known, depth + 1)?;
    }
    let root = write_directory(&entries, sink)?;
    known.insert(*id, root);
    Ok(root)
}

fn file(three: &Three<Item>) -> Item {
    let side = |item: &Option<Item>| item.map(|item| (item.kind, item.id));
    let mut sides = [side(&three.ours), side(&three.theirs)];
    sides.sort_unstable();
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    for side in sides {
        let (mark, id) = side.map_or((u8::MAX, [0; ID_BYTES]), |(kind, id)| (kind as u8, id));
        hasher.update(&[mark]).update(&id);
    }
    let id = BlobId(*hasher.finalize().as_bytes()).0;
    Item { kind: kind(three), id, bytes: 0, files: 1, list: None }
}

/// The executable bit may be settled where the content is not. Where it is not either, the kind is
/// one that no file has.
fn kind(three: &Three<Item>) -> Kind {
    let is_file = |item: &Item| matches!(item.kind, Kind::File | Kind::Executable);
    match (three.ours.filter(is_file), three.theirs.filter(is_file), three.base.filter(is_file)) {
        (Some(ours), Some(theirs), _) if ours.kind == theirs.kind => ours.kind,
        (Some(ours), Some(theirs), Some(base)) if ours.kind == base.kind => theirs.kind,
        (Some(ours), Some(_), Some(_)) => ours.kind,
        (Some(one), None, _) if three.theirs.is_none() => one.kind,
        (None, Some(one), _) if three.ours.is_none() => one.kind,
        _ => Kind::Symlink,
    }
}
