//! The decoders of this crate that are not public, for the fuzz targets of this workspace. One
//! function for each; they may change in any version.

use std::fs::File;
use std::path::Path;

use crate::object::error::StoreError;
use crate::object::id::ObjectId;
use crate::object::item::Item;
use crate::object::kind::ObjectKind;
use crate::store::index::{Index, Located};
use crate::store::pack::{self, Packed};
use crate::worktree::checkout::journal;
use crate::worktree::git::fuzzing as git;
use crate::worktree::ignore_rules::IgnoreRules;
use crate::worktree::left;
use crate::worktree::stat_index::StatIndex;

/// Decodes the journal of a checkout, and encodes it again.
pub fn journal(bytes: &[u8]) -> Option<Vec<u8>> {
    journal::reencoded(bytes)
}

/// Decodes the journal of a checkout, and returns the paths that it would change.
pub fn journal_paths(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    journal::paths(bytes)
}

/// Decodes the list of paths that checkouts left, and encodes it again, in its newest version.
pub fn left(bytes: &[u8]) -> Option<Vec<u8>> {
    left::reencoded(bytes)
}

/// Decodes what is kept of a git index, and encodes it again.
pub fn git_tracked(bytes: &[u8]) -> Option<Vec<u8>> {
    git::reencoded(bytes)
}

/// Reads a git index. Returns how many records it makes.
///
/// # Errors
/// If it cannot be read, in words.
pub fn git_index(path: &Path, is_sha256: bool) -> Result<usize, String> {
    git::index(path, is_sha256)
}

/// Verifies a pack as an import does. Returns its objects, each with its bytes.
///
/// # Errors
/// Those of an import.
pub fn pack(file: &File) -> Result<Vec<(Packed, Vec<u8>)>, StoreError> {
    let path = Path::new("fuzzed.pack");
    let objects = pack::read_footer(file, path)?;
    pack::verify_objects(file, path, &objects)?;
    let with_bytes = |packed: Packed| {
        let block = pack::read_block(file, &packed.block, path)?;
        let start = packed.offset as usize;
        Ok((packed, block[start..start + packed.bytes as usize].to_vec()))
    };
    objects.into_iter().map(with_bytes).collect()
}

/// Returns a pack of these objects, whatever their bytes are. `splits` begins a new block before
/// each object at which it returns true.
pub fn pack_of(objects: &[(ObjectKind, Vec<u8>)], splits: impl Fn(usize) -> bool) -> Vec<u8> {
    pack::encoded(objects, splits)
}

/// Returns the index segment of these objects.
pub fn segment_of(objects: Vec<Located>) -> Vec<u8> {
    crate::store::index::encoded(objects)
}

/// Reads the only index segment in a folder. Returns its records in order, and what a look-up
/// finds for each of their ids.
///
/// # Errors
/// If it is damaged.
pub fn segment(dir: &Path) -> Result<Vec<(Located, Option<Located>)>, StoreError> {
    let index = Index::open(dir)?;
    let mut found = Vec::new();
    for path in crate::store::index::list(dir)? {
        for record in Index::read_segment(&path)? {
            found.push((record, index.locate(&record.packed.id)?));
        }
    }
    index.locate(&ObjectId([0x5a; 32]))?;
    Ok(found)
}

/// Builds a stat index again from the entries of another. `edit` may change the name and item of
/// each; a name has at most 255 bytes.
pub fn stat_index(
    index: &StatIndex,
    edit: &mut dyn FnMut(&mut Vec<u8>, &mut Item),
) -> Option<StatIndex> {
    index.rebuilt(edit)
}

/// Returns whether a line of `rules` that ignores the path is not in `old`.
pub fn newly_ignores(
    rules: &IgnoreRules,
    old: &IgnoreRules,
    path: &[u8],
    is_directory: bool,
) -> bool {
    rules.newly_ignores(old, path, is_directory)
}
