//! Paths relative to a root, as bytes: names separated by slashes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Splits a path into its parent, which is empty for the root, and its last name.
pub(crate) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

/// Returns the path of `name` in the directory `parent`, which is empty for the root.
pub(crate) fn join(parent: &[u8], name: &[u8]) -> Vec<u8> {
    if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() }
}

/// Converts a path to the system's own type.
pub(crate) fn to_path(path: &[u8]) -> PathBuf {
    OsStr::from_bytes(path).into()
}
