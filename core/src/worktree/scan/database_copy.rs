//! One consistent copy of a database and of what SQLite keeps beside it.
//!
//! While an application has a database open, part of its rows may be in `NAME-wal` alone, or what
//! undoes a transaction in `NAME-journal`. Files that are read one by one, at different moments, are
//! no database. So the main file is copied, and then what stands beside it, both to a private place;
//! SQLite itself, which core does not know, makes one file of the copy ([`Databases`]). The
//! application's own files are only read, and no lock is taken on them, so it notices nothing.
//!
//! This is enough for a database with a write-ahead log. What a checkpoint wrote to the main file
//! while it was copied is in the log too, which is copied later, and replaces it; frames that were
//! not committed, or not whole, SQLite leaves out. It fails only where the log was begun anew
//! meanwhile, and then the log's header tells. With a rollback journal, nothing may change
//! meanwhile; where an application writes all the time, [`Databases::hold`] keeps it waiting.

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
use crate::files::stat::{Node, Stat};
use crate::object::item::Kind;
use crate::object::path::split;
use crate::worktree::database::{Databases, FileState, Refusal, SIDES, is_side_at, open};
use crate::worktree::scan::context::Context;
use crate::worktree::state_dir::StateDir;

/// The header of a write-ahead log. Each log that is begun anew has another.
const LOG_HEADER_BYTES: usize = 32;

/// How often a copy is made anew that is not consistent, before anybody is kept waiting, and then.
const COPIES_FREE_MAX: usize = 3;

const COPIES_HELD_MAX: usize = 3;

/// How long a file's times may stay the same though it is written to: a tick of the slowest clock.
const TICK: Duration = Duration::from_millis(20);

/// A private copy of a database, and how its files were when it was made.
pub(super) struct Copied {
    folder: PrivateFolder,
    pub(super) main: FileState,
    pub(super) sides: Vec<(&'static str, FileState)>,
}

/// Whether a file was written to so lately that its times need not tell of the next write. With a
/// file system whose clock differs, as a server's may, this can be wrong: then others are kept
/// waiting in vain, or the times alone decide.
pub(super) fn was_just_changed(stat: &Stat) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age_ns = (now.as_nanos() as i128) - i128::from(stat.mtime_ns.max(stat.ctime_ns));
    age_ns < TICK.as_nanos() as i128
}

/// A database in a working copy: the folder that holds it, open, and its name.
pub(super) struct Source {
    folder: OwnedFd,
    name: Vec<u8>,
    /// For SQLite, which opens files by their paths alone.
    path: PathBuf,
}

impl Source {
    /// At a path relative to the root.
    fn at(path: &[u8], context: &Context<'_>) -> io::Result<Self> {
        let (parent, name) = split(path);
        let folder = context.beneath.open(parent, ON_THE_WAY, Mode::empty())?;
        let path = context.root.join(OsStr::from_bytes(path));
        Ok(Self { folder, name: name.to_vec(), path })
    }

    /// The name of what SQLite keeps beside it.
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

/// Whether SQLite keeps something beside a database.
pub(super) fn has_sides(database: &[u8], context: &Context<'_>) -> bool {
    Source::at(database, context).is_ok_and(|source| SIDES.into_iter().any(|side| source.has(side)))
}

/// The name of the copy in its folder.
const COPY: &[u8] = b"database";

/// A folder among the temporary files that nobody else uses. It goes with this.
struct PrivateFolder {
    tmp: OwnedFd,
    name: String,
    folder: Beneath,
    /// For SQLite, which opens files by their paths alone.
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
                // A process that had this number died.
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

/// Copies a database, at a path relative to the root, and what stands beside it, and has one file
/// made of the copy.
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

/// As [`try_copy_files`]. What is gone between a look and a copy has changed.
fn copy_files(database: &Source, to: &Beneath, is_held: bool) -> io::Result<Option<Files>> {
    match try_copy_files(database, to, is_held) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        copied => copied,
    }
}

/// Copies the files of a database; `None` where they do not belong together. While a reader holds
/// one without a log, its main file is all of it. The reader's lock ends when that file is closed
/// here (as POSIX has it), so nothing else is looked at then.
fn try_copy_files(database: &Source, to: &Beneath, is_held: bool) -> io::Result<Option<Files>> {
    let before = Look::at(database)?;
    let main = copy_file(before.main, database, "", to)?;
    let is_whole = is_held && before.log.as_ref().is_none_or(|(look, _)| look.1.bytes == 0);
    let (log, journal) = (before.log.as_ref().map(|log| log.0), before.journal);
    let mut sides = Vec::new();
    for (side, look) in [("-wal", log), ("-journal", journal)] {
        // Of an earlier try.
        remove_all(to.as_fd(), &[COPY, side.as_bytes()].concat())?;
        if let Some(look) = look.filter(|_| !is_whole) {
            sides.push((side, copy_file(look, database, side, to)?));
        }
    }
    let is_consistent = is_whole || before.belongs_with(&Look::at(database)?);
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
    io::copy(&mut from, &mut create_file(to, &copy, Mode::RUSR | Mode::WUSR)?)?;
    drop(from);
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(open(to, &copy)?)?;
    Ok(FileState { kind, stat, id: *hasher.finalize().as_bytes() })
}

/// The files of a database at one moment.
#[derive(PartialEq, Eq)]
struct Look {
    main: (Kind, Stat),
    /// With the header of the log.
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

    /// Whether what was copied between this look and a later one is a database.
    fn belongs_with(&self, after: &Self) -> bool {
        let is_same_log = match (&self.log, &after.log) {
            (Some((before, header)), Some((after, header_after))) => {
                header.len() == LOG_HEADER_BYTES
                    && header == header_after
                    && before.1.inode == after.1.inode
            }
            _ => false,
        };
        let is_same_file = self.main.1.inode == after.main.1.inode;
        let is_quiet = !was_just_changed(&self.main.1)
            && !self.journal.is_some_and(|(_, journal)| was_just_changed(&journal));
        self == after && is_quiet || is_same_log && is_same_file && self.journal == after.journal
    }
}
