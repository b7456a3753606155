//! Files that are read and replaced as a whole, where somebody else may have chosen what is under
//! their name.
//!
//! A folder that was unpacked from an archive, or that others may write to, can contain a FIFO that
//! nobody writes to, a link to `/dev/zero`, or a sparse file of a terabyte. So a file is opened
//! without blocking and must be a regular one of a limited size. It is replaced by a rename, which
//! no link under its name can redirect.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::files::disk;
use crate::files::stat::special_name;

/// The prefix of temporary files that are created beside the file that they will replace.
pub(crate) const TEMPORARY_PREFIX: &str = "new-";

/// Files of up to this size may have holes.
const HOLES_FROM_BYTES: u64 = 16 << 20;
/// A larger file whose size is more than this many times its room on the disk is refused as mostly
/// holes.
const HOLES_FACTOR: u64 = 64;

/// Whether a link under the name of a file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// For files outside of a working copy.
    Follow,
    /// A link is an error.
    Refuse,
}

/// Whether a write waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durable {
    /// After a power failure, either the new file is there or the old one.
    Yes,
    /// For a cache with a checksum: after a power failure it may be incomplete.
    No,
}

/// A regular file, open for reading.
pub(crate) struct Opened {
    pub file: File,
    pub bytes: u64,
    /// How many bytes it takes on the disk, as the file system reports it.
    room: u64,
    /// The id of the user who owns it.
    pub owner: u32,
}

impl Opened {
    /// Like [`Opened::read`], but of a file that does not begin with `magic`, returns only as many
    /// bytes as `magic` has.
    pub(crate) fn read_of(self, magic: &[u8]) -> io::Result<Vec<u8>> {
        let mut beginning = vec![0; magic.len()];
        match self.file.read_exact_at(&mut beginning, 0) {
            Ok(()) if beginning == magic => self.read(),
            Ok(()) => Ok(beginning),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.read(),
            Err(error) => Err(error),
        }
    }

    /// Reads the whole file. Too little memory is an error, not an abort.
    pub(crate) fn read(self) -> io::Result<Vec<u8>> {
        // Our files have no holes, and a disk that compresses does not shrink them this much.
        if self.room > 0 && self.bytes > HOLES_FROM_BYTES && self.bytes / HOLES_FACTOR > self.room {
            let what = "it is mostly holes; delete it";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let mut content = Vec::new();
        let capacity = usize::try_from(self.bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
        content.try_reserve_exact(capacity).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.file.take(self.bytes).read_to_end(&mut content)?;
        Ok(content)
    }
}

/// Opens a regular file of at most `bytes_max` bytes for reading.
///
/// # Errors
/// `InvalidData` if it is not a regular file, or is larger.
pub(crate) fn open(
    directory: impl AsFd,
    name: impl rustix::path::Arg,
    links: Links,
    bytes_max: u64,
) -> io::Result<Opened> {
    let nofollow = if links == Links::Refuse { OFlags::NOFOLLOW } else { OFlags::empty() };
    // Opening a FIFO without a writer, or a terminal, would block otherwise.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | nofollow;
    let file = rustix::fs::openat(directory, name, flags, Mode::empty());
    let file = File::from(file.map_err(|error| refused(error, links))?);
    let stat = check(&file)?;
    let bytes = stat.st_size.try_into().unwrap_or(0);
    if bytes > bytes_max {
        let what = format!("it has {bytes} bytes, more than the {bytes_max} that it may have");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    let room = u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
    Ok(Opened { file, bytes, room, owner: stat.st_uid })
}

/// Returns the stat data of an open file, which must be a regular one.
pub(crate) fn check(file: &File) -> io::Result<rustix::fs::Stat> {
    let stat = rustix::fs::fstat(file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(stat),
        FileType::Directory => Err(not_a_file("directory")),
        other => Err(not_a_file(special_name(other))),
    }
}

/// Converts an error of opening a file. For a link that was not followed, the message says so.
pub(crate) fn refused(error: Errno, links: Links) -> io::Error {
    match error {
        Errno::LOOP if links == Links::Refuse => not_a_file("symbolic link"),
        error => error.into(),
    }
}

fn not_a_file(what: &str) -> io::Error {
    let text = format!("it is a {what} where a file should be; delete it");
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// Reads a file of at most `bytes_max` bytes at a path. Links are followed.
pub(crate) fn read_path(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    open(CWD, path, Links::Follow, bytes_max)?.read()
}

/// Replaces a file of an open directory in one step. `parts` are its new content.
///
/// # Errors
/// Those of the file system. Then either the old file or the new one is there.
pub fn replace(
    directory: impl AsFd,
    name: &str,
    parts: &[&[u8]],
    durable: Durable,
) -> io::Result<()> {
    let directory = directory.as_fd();
    let (file, temporary) = create_temporary(directory, 0o600)?;
    let replaced = (|| {
        parts.iter().try_for_each(|part| disk::write_all(&file, part))?;
        if durable == Durable::Yes {
            disk::sync(&file)?;
        }
        Ok(disk::rename_at((directory, temporary.as_bytes()), (directory, name.as_bytes()))?)
    })();
    if replaced.is_err() {
        let _ = disk::unlink(directory, temporary.as_bytes(), AtFlags::empty());
        return replaced;
    }
    if durable == Durable::Yes {
        disk::sync_handle(directory)?;
    }
    Ok(())
}

/// Like [`replace`], in the folder at a path. The folder is created if it is missing.
///
/// # Errors
/// Those of [`replace`].
pub fn replace_in(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    disk::create_dir_all(folder, 0o777)?;
    replace(open_directory(CWD, folder)?, name, &[bytes], Durable::Yes)
}

/// Opens a directory. A link as the last name is an error.
pub(crate) fn open_directory(at: impl AsFd, path: impl rustix::path::Arg) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(at, path, crate::files::beneath::DIRECTORY, Mode::empty())?)
}

/// Creates an empty file with a name that no other process uses.
pub(crate) fn create_temporary(directory: impl AsFd, mode: u32) -> io::Result<(File, String)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::RDWR | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{TEMPORARY_PREFIX}{}-{number}", std::process::id());
        let mode = Mode::from_raw_mode(mode);
        match disk::create_at(&directory, name.as_bytes(), flags, mode) {
            Ok(file) => return Ok((file.into(), name)),
            // Left by a process with the same id, which was killed or runs elsewhere.
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens a file without a name. It is deleted when it is closed.
pub(crate) fn open_unnamed(folder: &OwnedFd) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, ".", flags, Mode::from_raw_mode(0o600));
        // Not every file system supports this.
        if let Ok(file) = file {
            return Ok(file.into());
        }
    }
    let (file, name) = create_temporary(folder, 0o600)?;
    disk::unlink(folder, name.as_bytes(), AtFlags::empty())?;
    Ok(file)
}
