//! SQLite databases in a working copy: how they are recognised, and what SQLite keeps beside them.

use std::fs::File;
use std::io::{self};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::Mode;

use crate::files::beneath::READ;
use crate::files::stat::Stat;
use crate::object::item::Kind;

/// The suffixes of the files that SQLite keeps beside a database.
pub(crate) const SIDES: [&str; 3] = ["-shm", "-wal", "-journal"];
/// The length of a database's header,
/// <https://www.sqlite.org/fileformat2.html#the_database_header>.
const HEADER_BYTES: usize = 100;
/// How many bytes of a file beside a database are inspected: the part of a rollback journal's
/// header that SQLite zeroes when the transaction ends.
const SIDE_HEADER_BYTES: usize = 28;
/// The version of the shared memory's format, in the machine's byte order.
const WAL_INDEX_VERSION: u32 = 3_007_000;

/// Why no consistent copy could be made.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// What a scan needs SQLite for. Core does not know SQLite: the caller implements this.
pub trait Databases: Sync {
    /// Merges the files beside a database into it, as its next user would: applies the log, or
    /// rolls back what is in the journal. `copy` is the scan's own copy of the database.
    ///
    /// # Errors
    /// If SQLite cannot. The copy is deleted in any case.
    fn settle(&self, copy: &Path) -> Result<(), Refusal>;

    /// Calls `work` once, while a read lock keeps others from writing to a database with a rollback
    /// journal, or from restarting the log of one with a write-ahead log. The database itself is
    /// not changed. Waits only a moment for others.
    ///
    /// # Errors
    /// Those of `work`; also if the lock cannot be taken.
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
    /// The files beside it, by the suffix of their names. The shared memory (`-shm`) has no content.
    pub(crate) sides: Vec<(&'static str, FileState)>,
}

/// One file, as it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    pub(crate) kind: Kind,
    pub(crate) stat: Stat,
    pub(crate) id: [u8; 32],
}

/// Returns the name of the database that a file of this name would belong to, and the suffix.
pub(crate) fn database_of(name: &[u8]) -> Option<(&[u8], &'static str)> {
    SIDES.into_iter().find_map(|side| Some((name.strip_suffix(side.as_bytes())?, side)))
}

/// Returns whether a file begins as SQLite requires of a database. SQLite rejects anything else.
pub(crate) fn is_database(file: &File) -> bool {
    use std::os::unix::fs::FileExt;
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).is_ok() && is_header(&header)
}

/// Checks the magic string, the page size, and the three payload fractions, which are fixed.
pub(super) fn is_header(header: &[u8]) -> bool {
    let Some(header) = header.first_chunk::<HEADER_BYTES>() else { return false };
    // 65,536 is encoded as 1.
    let page_bytes = u16::from_be_bytes([header[16], header[17]]);
    header.starts_with(b"SQLite format 3\0")
        && (page_bytes == 1 || page_bytes >= 512 && page_bytes.is_power_of_two())
        && header[21..24] == [64, 32, 32]
}

/// Opens a file. As everywhere, links are not followed and nothing blocks.
pub(crate) fn open(directory: impl AsFd, name: &[u8]) -> io::Result<File> {
    Ok(File::from(rustix::fs::openat(directory, name, READ, Mode::empty())?))
}

/// Returns whether a file is of the kind that SQLite keeps beside a database under this suffix,
/// rather than some other file of such a name. SQLite also leaves files that are empty or whose
/// header was zeroed. <https://www.sqlite.org/fileformat2.html#the_rollback_journal>,
/// <https://www.sqlite.org/walformat.html>
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

/// Returns whether the file of this name is one that SQLite keeps beside a database.
pub(crate) fn is_side_at(directory: impl AsFd, name: &[u8], side: &str) -> bool {
    open(directory, name).is_ok_and(|file| {
        file.metadata().is_ok_and(|found| found.is_file()) && is_side(&file, side)
    })
}

fn is_database_at(directory: BorrowedFd<'_>, name: &[u8]) -> bool {
    open(directory, name).is_ok_and(|file| is_database(&file))
}

/// The names in a directory that belong to databases with files beside them.
#[derive(Default)]
pub(super) struct Names<'n> {
    /// Databases with files beside them, sorted.
    pub(super) mains: Vec<&'n [u8]>,
    /// The files beside them, sorted.
    pub(super) sides: Vec<&'n [u8]>,
}

impl<'n> Names<'n> {
    /// Finds them among the sorted `names` of a directory.
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
