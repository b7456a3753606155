//! Copies of folders: backups.

use std::fs;
use std::io;
use std::path::Path;

/// Makes `to` a copy of `from`, which no process is writing to.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    match fs::remove_dir_all(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir(to)?,
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else if !name.to_string_lossy().ends_with("-shm") {
            // SQLite makes that one anew.
            fs::copy(path, to.join(name))?;
        }
    }
    Ok(())
}
