//! What is in a folder, and which of it belongs to which working copy.

use std::collections::BTreeMap;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// A file: the BLAKE3 hash of its content, and whether it may be executed.
    File { hash: String, executable: bool },
    /// A link, with its target.
    Link(String),
    /// A folder without entries.
    EmptyFolder,
    /// Lines of the shared file.
    Lines(String),
}

/// The files, links and empty folders of a folder, by path.
pub type Tree = BTreeMap<String, Item>;

/// Returns the name of one of a working copy's own paths.
pub fn own_path(copy: usize, path: u8) -> String {
    let name = ["a", "b", "dir/a", "dir/deep/b", "c", "other/d"][usize::from(path) % 6];
    format!("{name}.{copy}")
}

/// Whether a path belongs to a working copy, or is below one that does.
pub fn is_own(copy: usize, path: &str) -> bool {
    let end = format!(".{copy}");
    path.ends_with(&end) || path.contains(&format!("{end}/"))
}
