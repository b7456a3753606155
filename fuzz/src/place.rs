//! Folders for targets that need files: in memory if there is such a file system.

use fastest_fixtures::memory;
use tempfile::TempDir;

/// What the names of the folders begin with.
pub const PROGRAM: &str = "fastest-fuzz";

/// Returns a new folder, which is deleted on drop.
///
/// # Panics
/// If none can be made.
pub fn folder() -> TempDir {
    memory::folder(PROGRAM, "run")
}
