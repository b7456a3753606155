//! SQLite databases in a working copy: how they are known, and what SQLite keeps beside them.

use std::fs::File;
use std::io::{self};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::Mode;

use crate::files::beneath::READ;
use crate::files::stat::Stat;
use crate::object::item::Kind;

/// What SQLite keeps beside a database, by the ends of the names.
pub(crate) const SIDES: [&str; 3] = ["-shm", "-wal", "-journal"];
/// The header of a database, <https://www.sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: usize = 100;
/// What is looked at of a file beside a database: as much of a rollback journal's header as is zeroed
/// when it ends.
const SIDE_HEADER_BYTES: usize = 28;
/// The version of the shared memory's format, in the machine's byte order.
const WAL_INDEX_VERSION: u32 = 3_007_000;

/// Why no consistent copy could be had.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// What a scan needs SQLite for.
pub trait Databases: Sync {
    /// Makes one file of a database and of what stands beside it, as its next user would: applies
    /// the log, or rolls back what the journal holds. `copy` is the scan's own.
    ///
    /// # Errors
    /// Where SQLite cannot. The copy is deleted in any case.
    fn settle(&self, copy: &Path) -> Result<(), Refusal>;

    /// Calls `work` once, while a reader keeps others from writing to a database that has a rollback
    /// journal, or from beginning the log of one anew. The database itself is not changed, and others
    /// are waited for only a moment.
    ///
    /// # Errors
    /// Those of `work`, and where the lock is not to be had.
    fn hold(
        &self,
        database: &Path,
        work: &mut dyn FnMut() -> io::Result<()>,
    ) -> Result<(), Refusal>;
}

/// A database with files beside it, as a scan found it. Its content is all of them together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Relative to the root.
    pub path: Vec<u8>,
    pub(crate) main: FileState,
    /// What stands beside it, by the end of its name. The shared memory (`-shm`) has no content.
    pub(crate) sides: Vec<(&'static str, FileState)>,
}

/// One file, as it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) kind: Kind,
    pub(crate) stat: Stat,
    pub(crate) id: [u8; 32],
}

/// The name of the database beside which a file of this name would stand, and the end of the name.
pub(crate) fn database_of(name: &[u8]) -> Option<(&[u8], &'static str)> {
    SIDES.into_iter().find_map(|side| Some((name.strip_suffix(side.as_bytes())?, side)))
}

/// Whether a file begins as SQLite demands of a database; anything else it refuses.
pub(crate) fn is_database(file: &File) -> bool {
    use std::os::unix::fs::FileExt;
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).is_ok() && is_header(&header)
}

/// The magic string, a page size, and the three payload fractions, which are fixed.
pub(super) fn is_header(header: &[u8]) -> bool {
    let Some(header) = header.first_chunk::<HEADER_BYTES>() else { return false };
    // 65,536 is written as 1.
    let page_bytes = u16::from_be_bytes([header[16], header[17]]);
    header.starts_with(b"SQLite format 3\0")
        && (page_bytes == 1 || page_bytes >= 512 && page_bytes.is_power_of_two())
        && header[21..24] == [64, 32, 32]
}

/// Opens a regular file. As everywhere, links are not followed, and nothing is waited for.
pub(crate) fn open(directory: impl AsFd, name: &[u8]) -> io::Result<File> {
    Ok(File::from(rustix::fs::openat(directory, name, READ, Mode::empty())?))
}

/// Whether a file is what its name says that SQLite keeps beside a database, and not some other file
/// of such a name. One that is empty, or whose header was zeroed, is what SQLite leaves behind.
/// <https://www.sqlite.org/fileformat2.html#the_rollback_journal>, <https://www.sqlite.org/walformat.html>
fn is_side(file: &File, side: &str) -> bool {
    use std::os::unix::fs::FileExt;
    let mut header = [0; SIDE_HEADER_BYTES];
    let mut length = 0;
    while let Ok(read @ 1..) = file.read_at(&mut header[length..], length as u64) {
        length += read;
    }
    let begins = |magic: &[u8]| header.starts_with(magic);
    let is_known = match side {
        "-wal" => begins(&[0x37, 0x7f, 0x06, 0x82]) || begins(&[0x37, 0x7f, 0x06, 0x83]),
        "-journal" => begins(&[0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]),
        _ => begins(&WAL_INDEX_VERSION.to_ne_bytes()),
    };
    is_known || header[..length].iter().all(|byte| *byte == 0)
}

/// Whether what stands at this name is a file that SQLite keeps beside a database.
pub(crate) fn is_side_at(directory: impl AsFd, name: &[u8], side: &str) -> bool {
    open(directory, name).is_ok_and(|file| {
        file.metadata().is_ok_and(|found| found.is_file()) && is_side(&file, side)
    })
}

fn is_database_at(directory: BorrowedFd<'_>, name: &[u8]) -> bool {
    open(directory, name).is_ok_and(|file| is_database(&file))
}

/// The names in a directory that belong to databases.
#[derive(Default)]
pub(super) struct Names<'n> {
    /// Databases with something beside them, sorted.
    pub(super) mains: Vec<&'n [u8]>,
    /// What stands beside them, sorted.
    pub(super) sides: Vec<&'n [u8]>,
}

impl<'n> Names<'n> {
    /// Finds them among the `names` of a directory, which are sorted.
    pub(super) fn among(
        directory: BorrowedFd<'_>,
        names: impl Iterator<Item = &'n [u8]> + Clone,
        is_there: impl Fn(&[u8]) -> bool,
    ) -> Self {
        let mut found = Self::default();
        for name in names {
            let Some((main, side)) = database_of(name).filter(|(main, _)| is_there(main)) else {
                continue;
            };
            let is_known = found.mains.contains(&main);
            if (is_known || is_database_at(directory, main)) && is_side_at(directory, name, side) {
                found.sides.push(name);
                if !is_known {
                    found.mains.push(main);
                }
            }
        }
        found.mains.sort_unstable();
        found
    }

    pub(super) fn is_main(&self, name: &[u8]) -> bool {
        self.mains.binary_search(&name).is_ok()
    }

    pub(super) fn is_side(&self, name: &[u8]) -> bool {
        self.sides.binary_search(&name).is_ok()
    }
}
