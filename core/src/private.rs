//! What nobody else on the machine may read: files of mode 0600 in folders of mode 0700, whatever the
//! umask. The bits are asked for when a file is made, so there is no moment at which it is open.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// What the owner alone may do with a file.
pub const FILE_MODE: u32 = 0o600;

/// What the owner alone may do with a folder.
pub const DIR_MODE: u32 = 0o700;

/// What a group and others may do.
const OTHERS: u32 = 0o077;

/// Makes a folder, and those above it that are missing. One that is there stays as it is.
pub fn create_dir_all(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)
}

/// Makes a folder.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().mode(DIR_MODE).create(dir)
}

/// Makes an empty file. One that is there stays as it is.
pub fn create_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Whether a group or others may do anything with a file or folder.
pub fn is_open(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.permissions().mode() & OTHERS != 0)
}

/// Takes from a group and others what they may do with a file or folder.
pub fn close(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    match mode & OTHERS {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS)),
    }
}
