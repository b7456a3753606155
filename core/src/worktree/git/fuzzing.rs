//! The decoders of what git and this module write, for fuzzing.

use std::path::Path;

use crate::worktree::git::tracked;

/// Decodes what is kept of a git index, and encodes it again.
pub(crate) fn reencoded(bytes: &[u8]) -> Option<Vec<u8>> {
    tracked::reencoded(bytes)
}

/// Reads a git index. Returns how many records it makes.
pub(crate) fn index(path: &Path, is_sha256: bool) -> Result<usize, String> {
    let hash = if is_sha256 { gix_hash::Kind::Sha256 } else { gix_hash::Kind::Sha1 };
    tracked::count(path, hash)
}
