//! Makes one consistent copy of a database and of the files that SQLite keeps beside it.
//!
//! While an application has a database open, some of its rows may be only in `NAME-wal`, or the
//! data that undoes a transaction only in `NAME-journal`. Files that are read one by one, at
//! different moments, are not a database. So the main file is copied, and then the files beside it,
//! to a private place. SQLite itself, which core does not know, combines the copies into one file
//! ([`Databases`]). The application's own files are only read. A lock is taken on them only if they
//! keep changing, so the application usually does not notice.
//!
//! This is enough for a database with a write-ahead log. What a checkpoint wrote to the main file
//! while it was copied is also in the log, which is copied later, and overrides it. SQLite ignores
//! frames that are not committed or not complete. The copy is wrong only if the log was restarted
//! meanwhile, and then the log's header shows it. With a rollback journal, nothing may change
//! during the copy; if an application writes all the time, [`Databases::hold`] makes it wait.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::files::beneath::change::{create_file, make_directory, remove_all};
use crate::files::beneath::{Beneath, DIRECTORY, ON_THE_WAY, look_at};
use crate::files::disk;
use crate::files::stat::{Node, Stat};
use crate::object::item::Kind;
use crate::object::path::split;
use crate::worktree::database::{Databases, FileState, Refusal, SIDES, is_side_at, open};
use crate::worktree::scan::context::Context;
use crate::worktree::state_dir::StateDir;

/// The length of the header of a write-ahead log. A log that was restarted has a different header.
const LOG_HEADER_BYTES: usize = 32;

/// How many copies are tried without making others wait. Then [`COPIES_HELD_MAX`] more are tried
/// while others wait.
const COPIES_FREE_MAX: usize = 3;

const COPIES_HELD_MAX: usize = 3;

/// How long a file's times may stay the same although it is written to: a tick of the slowest
/// clock.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// A private copy of a database, and the state of its files when it was made.
pub(super) struct Copied {
    folder: PrivateFolder,
    pub(super) main: FileState,
    pub(super) sides: Vec<(&'static str, FileState)>,
}

/// Returns whether a file was written so recently that the next write may not change its times. On
/// a file system with another clock, such as a server's, this can be wrong: then others are made to
/// wait needlessly, or the times alone decide.
pub(super) fn was_just_changed(stat: &Stat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = (now.as_nanos() as i128) - i128::from(stat.mtime_ns.max(stat.ctime_ns));
    age_ns < TICK.as_nanos() as i128
}

/// A database in a working copy: its name, and the open folder that it is in.
pub(super) struct Source {
    folder: OwnedFd,
    name: Vec<u8>,
    /// For SQLite, which opens files only by their paths.
    path: PathBuf,
}

impl Source {
    /// Returns the database at a path relative to the root.
    fn at(path: &[u8], context: &Context<'_>) -> io::Result<Self> {
        let (parent, name) = split(path);
        let folder = context.beneath.open(parent, ON_THE_WAY, Mode::empty())?;
        let path = context.root.join(OsStr::from_bytes(path));
        Ok(Self { folder, name: name.to_vec(), path })
    }

    /// Returns the name of a file beside it.
    fn beside(&self, side: &str) -> Vec<u8> {
        [&self.name, side.as_bytes()].concat()
    }

    fn regular(&self, side: &str) -> io::Result<Option<(Kind, Stat)>> {
        match look_at(&self.folder, &self.beside(side))? {
            Some(Node::Content(kind @ (Kind::File | Kind::Executable), stat)) => {
                Ok(Some((kind, stat)))
            }
            _ => Ok(None),
        }
    }

    fn has(&self, side: &str) -> bool {
        is_side_at(&self.folder, &self.beside(side), side)
    }
}

/// Returns whether there are files beside a database that SQLite keeps there.
pub(super) fn has_sides(database: &[u8], context: &Context<'_>) -> bool {
    Source::at(database, context).is_ok_and(|source| SIDES.into_iter().any(|side| source.has(side)))
}

/// The name of the copy in its folder.
const COPY: &[u8] = b"database";

/// A folder among the temporary files that nobody else uses. It is deleted on drop.
struct PrivateFolder {
    tmp: OwnedFd,
    name: String,
    folder: Beneath,
    /// For SQLite, which opens files only by their paths.
    path: PathBuf,
}

impl PrivateFolder {
    fn make(state: &StateDir) -> io::Result<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let tmp = state.open_tmp()?;
        loop {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            let name = format!("database-{}-{number}", std::process::id());
            match make_directory(tmp.as_fd(), name.as_bytes()) {
                // Left by a process with the same id, which died.
                Err(Errno::EXIST) => continue,
                made => made?,
            }
            let folder = rustix::fs::openat(&tmp, &name, DIRECTORY, Mode::empty())?.into();
            let path = state.tmp().join(&name);
            return Ok(Self { tmp, name, folder, path });
        }
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = remove_all(self.tmp.as_fd(), self.name.as_bytes());
    }
}

impl Copied {
    /// Opens the copy.
    pub(super) fn open(&self) -> io::Result<File> {
        open(&self.folder.folder, COPY)
    }
}

/// Copies a database, at a path relative to the root, with the files beside it, and has SQLite make
/// one file of the copy.
pub(super) fn copy(
    database: &[u8],
    databases: &dyn Databases,
    context: &Context<'_>,
) -> Result<Copied, Refusal> {
    let folder = PrivateFolder::make(&StateDir::of(context.root))?;
    let source = Source::at(database, context)?;
    let (main, sides) = copy_until_consistent(&source, &folder.folder, databases)?;
    databases.settle(&folder.path.join(OsStr::from_bytes(COPY)))?;
    Ok(Copied { folder, main, sides })
}

fn copy_until_consistent(
    database: &Source,
    to: &Beneath,
    databases: &dyn Databases,
) -> Result<Files, Refusal> {
    for attempt in 0..COPIES_FREE_MAX {
        if attempt > 0 {
            std::thread::sleep(TICK);
        }
        if let Some(files) = copy_files(database, to, false)? {
            return Ok(files);
        }
    }
    let mut last = Refusal::from("it keeps changing");
    for _ in 0..COPIES_HELD_MAX {
        let mut files = None;
        let held = databases.hold(&database.path, &mut || {
            files = copy_files(database, to, true)?;
            Ok(())
        });
        match (files, held) {
            (Some(files), _) => return Ok(files),
            (None, Ok(())) => {}
            (None, Err(refusal)) => last = refusal,
        }
    }
    Err(last)
}

pub(super) type Files = (FileState, Vec<(&'static str, FileState)>);

/// Like [`try_copy_files`], but a file that disappears while it is copied counts as changed.
fn copy_files(database: &Source, to: &Beneath, is_held: bool) -> io::Result<Option<Files>> {
    match try_copy_files(database, to, is_held) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        copied => copied,
    }
}

/// Copies the files of a database; `None` if they do not belong together. While a read lock on a
/// database without a log is held, the main file is all of it. That lock ends when the main file is
/// closed here (as POSIX specifies), so nothing else is inspected in that case.
fn try_copy_files(database: &Source, to: &Beneath, is_held: bool) -> io::Result<Option<Files>> {
    let before = Look::at(database)?;
    // Asked before the copy, which may take long: what was written at the time of the look would be old
    // after it, and the next write may have left the same times.
    let is_quiet = before.is_quiet();
    let main = copy_file(before.main, database, "", to)?;
    let is_whole = is_held && before.log.as_ref().is_none_or(|(look, _)| look.1.bytes == 0);
    let (log, journal) = (before.log.as_ref().map(|log| log.0), before.journal);
    let mut sides = Vec::new();
    for (side, look) in [("-wal", log), ("-journal", journal)] {
        // Left by an earlier attempt.
        remove_all(to.as_fd(), &[COPY, side.as_bytes()].concat())?;
        if let Some(look) = look.filter(|_| !is_whole) {
            sides.push((side, copy_file(look, database, side, to)?));
        }
    }
    let is_consistent = is_whole || before.belongs_with(&Look::at(database)?, is_quiet);
    Ok(is_consistent.then_some((main, sides)))
}

fn copy_file(
    (kind, stat): (Kind, Stat),
    database: &Source,
    side: &str,
    to: &Beneath,
) -> io::Result<FileState> {
    let copy = [COPY, side.as_bytes()].concat();
    remove_all(to.as_fd(), &copy)?;
    let mut from = open(&database.folder, &database.beside(side))?;
    disk::copy(&mut from, &mut create_file(to, &copy, Mode::RUSR | Mode::WUSR)?)?;
    drop(from);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(to, &copy)?)?;
    Ok(FileState { kind, stat, id: *hasher.finalize().as_bytes() })
}

/// The files of a database at one moment.
#[derive(PartialEq, Eq)]
struct Look {
    main: (Kind, Stat),
    /// The log, with its header.
    log: Option<((Kind, Stat), Vec<u8>)>,
    journal: Option<(Kind, Stat)>,
}

impl Look {
    fn at(database: &Source) -> io::Result<Self> {
        let look_at_side =
            |side: &str| if database.has(side) { database.regular(side) } else { Ok(None) };
        let log = match look_at_side("-wal")? {
            Some(look) => {
                let mut header = Vec::with_capacity(LOG_HEADER_BYTES);
                let file = open(&database.folder, &database.beside("-wal"))?;
                file.take(LOG_HEADER_BYTES as u64).read_to_end(&mut header)?;
                Some((look, header))
            }
            None => None,
        };
        let main = database.regular("")?.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { main, log, journal: look_at_side("-journal")? })
    }

    /// Whether the next write to any of the files changes its times.
    fn is_quiet(&self) -> bool {
        !was_just_changed(&self.main.1)
            && !self.journal.is_some_and(|(_, journal)| was_just_changed(&journal))
    }

    /// Returns whether what was copied between this look and a later one is a consistent database.
    /// `is_quiet` is what this look said when it was taken.
    fn belongs_with(&self, after: &Self, is_quiet: bool) -> bool {
        let is_same_log = match (&self.log, &after.log) {
            (Some((before, header)), Some((after, header_after))) => {
                header.len() == LOG_HEADER_BYTES
                    && header == header_after
                    && before.1.inode == after.1.inode
            }
            _ => false,
        };
        let is_same_file = self.main.1.inode == after.main.1.inode;
        self == after && is_quiet || is_same_log && is_same_file && self.journal == after.journal
    }
}
