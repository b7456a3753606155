//! What a virtual merge base has at the paths where the merged bases conflict.
//!
//! Those who merged these bases each resolved the conflict in their own way, so the virtual base
//! must be equal to neither resolution. If it were equal to one, that side would count as
//! unchanged, and the other would win silently. git puts conflict markers into text there, for the
//! same reason. Where git takes the base's own version (binary files, deletions), a side that went
//! back to that version loses. We use an id that no content has. Both sides differ from it, so they
//! conflict again unless they agree.

use std::collections::HashMap;

use crate::compare::merge::three::Three;
use crate::object::error::StoreError;
use crate::object::id::{BlobId, ID_BYTES, TreeId};
use crate::object::item::{Item, Kind, Root};
use crate::object::source::{ObjectSink, ObjectSource};
use crate::object::tree::{check_depth, read_directory, write_directory};

/// The BLAKE3 `derive_key` context of these ids. No content has such an id, and they are never
/// stored.
const CONTEXT: &str = "fastest 2026-11-26 unsettled file v1";

/// Directories that were made unsettled, so that one that is used under many names is walked once.
pub(super) type Known = HashMap<TreeId, Root>;

/// Returns the item for a name at which the sides conflict. It is the same whichever side is which.
/// If one side has a directory there, the result is that directory with all of its files unsettled.
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

/// Returns whether an item is an unsettled file, whose content nobody has: it has no bytes, and not the id of
/// an empty file.
pub fn is_unsettled(item: &Item) -> bool {
    item.bytes == 0 && !item.is_directory() && item.id != BlobId::of(b"").0
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

/// Returns the kind of an unsettled file. The executable bit may be settled although the content is
/// not. If it is not settled either, the kind is that of a symlink, which no file has.
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
