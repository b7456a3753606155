//! Folders for targets that need files: in memory if there is such a file system.

use std::path::Path;

use tempfile::TempDir;

/// Returns a new folder, which is deleted on drop.
///
/// # Panics
/// If none can be made.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary folder can be made")
}
