//! Reads git's files.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Returns whether an error means that there is no file to read.
pub(super) fn is_no_file(error: &io::Error) -> bool {
    let is_directory_or_link = error.raw_os_error().is_some_and(|code| {
        [rustix::io::Errno::ISDIR, rustix::io::Errno::LOOP]
            .iter()
            .any(|errno| errno.raw_os_error() == code)
    });
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
        || is_directory_or_link
}

/// Reads a file up to one byte more than an ignore file may have. Does not block on a FIFO in its
/// place.
pub(super) fn read_file(path: &Path, follow: bool) -> io::Result<Vec<u8>> {
    let flags = rustix::fs::OFlags::NONBLOCK
        | rustix::fs::OFlags::NOCTTY
        | if follow { rustix::fs::OFlags::empty() } else { rustix::fs::OFlags::NOFOLLOW };
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).expect("flags of open are few"))
        .open(path)?;
    let mut text = Vec::new();
    file.take(crate::worktree::ignore_rules::IGNORE_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}
