//! Whether a database is in use, and locks that keep SQLite out of one.
//!
//! SQLite's locks are POSIX locks on the main file. A lock on the whole file can only be taken
//! while no connection has the database open in WAL mode or is in a transaction, and none can begin
//! one while it is held.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::files::beneath::change::At;
use crate::files::beneath::{Parents, look_at};
use crate::files::stat::{Node, Stat};
use crate::object::item::Kind;
use crate::worktree::checkout::change::Expected;
use crate::worktree::checkout::outcome::KeptWhy;
use crate::worktree::checkout::replaced::{SHARED_MEMORY, beside};
use crate::worktree::checkout::target::{Standing, standing};
use crate::worktree::database::{SIDES, database_of, is_database, is_side_at, open};

/// The smallest page of a database, and so the smallest database.
const DATABASE_BYTES_MIN: u64 = 512;

/// Locks a database, after checking that it and the files beside it are as expected. Without
/// `main`, only the files beside it are checked.
pub(super) fn lock_unchanged(
    path: &[u8],
    main: Option<&Expected>,
    sides: &[(Vec<u8>, Expected)],
    parents: &mut Parents<'_>,
) -> Result<Option<File>, KeptWhy> {
    let before = nodes(path, parents)?;
    if let Some(main) = main
        && standing(parents, path, Some(main))? != Standing::Expected
    {
        return Err(KeptWhy::Changed);
    }
    for side in SIDES.into_iter().filter(|side| *side != SHARED_MEMORY) {
        let side = beside(path, side);
        let expect = sides.iter().find(|(path, _)| *path == side).map(|(_, expect)| expect);
        match standing(parents, &side, expect)? {
            Standing::Expected | Standing::Absent => {}
            _ if expect.is_none() && !is_side(&side, parents)? => {}
            _ => return Err(KeptWhy::Changed),
        }
    }
    let (parent, name) = parents.open(path)?;
    let lock = lock(parent, name)?;
    if nodes(path, parents)? == before { Ok(lock) } else { Err(KeptWhy::Changed) }
}

/// Returns what is at the path of a database, at that of its log and at that of its journal. The
/// shared memory is left out, since readers change it as well.
pub(super) fn nodes(path: &[u8], parents: &mut Parents<'_>) -> Result<[Option<Node>; 3], KeptWhy> {
    let (parent, name) = parents.open(path)?;
    let look = |side| look_at(parent, &beside(name, side));
    Ok([look("")?, look("-wal")?, look("-journal")?])
}

/// Locks a whole file, so that SQLite cannot use it. `None` if the file may not be written to, or
/// the file system has no locks.
pub(super) fn lock(parent: impl AsFd, name: &[u8]) -> Result<Option<File>, KeptWhy> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(KeptWhy::InUse),
        Err(_) => Ok(None),
    }
}

/// Returns whether a file is a database that an application has open.
pub(super) fn is_in_use(parent: impl AsFd, name: &[u8]) -> bool {
    let is_database = open(&parent, name).is_ok_and(|file| is_database(&file));
    is_database && matches!(lock(parent, name), Err(KeptWhy::InUse))
}

/// Returns whether a log or journal with content is beside a path.
pub(super) fn has_filled_side(path: &[u8], parents: &mut Parents<'_>) -> Result<bool, KeptWhy> {
    let (parent, name) = parents.open(path)?;
    let is_filled = |side| -> Result<bool, KeptWhy> {
        let name = beside(name, side);
        let node = look_at(parent, &name)?;
        let has_bytes = matches!(
            node,
            Some(Node::Content(kind, stat)) if kind != Kind::Symlink && stat.bytes > 0
        );
        Ok(has_bytes && is_side_at(parent, &name, side))
    };
    Ok(is_filled("-wal")? || is_filled("-journal")?)
}

/// Returns whether a path is that of a file that SQLite keeps beside a database.
pub(super) fn is_side(path: &[u8], parents: &mut Parents<'_>) -> Result<bool, KeptWhy> {
    let Some((_, side)) = database_of(path) else { return Ok(false) };
    let (parent, name) = parents.open(path)?;
    Ok(is_side_at(parent, name, side))
}

/// Returns whether a file has the name of a database's shared memory, and is something else.
pub(super) fn is_other_file(parent: impl AsFd, name: &[u8]) -> bool {
    let is_there = look_at(&parent, name).is_ok_and(|found| found.is_some());
    is_there && name.ends_with(SHARED_MEMORY.as_bytes()) && !is_side_at(parent, name, SHARED_MEMORY)
}

/// Fails for a database that has got a log or journal since it was scanned: it must not be replaced
/// or deleted.
pub(super) fn check_no_new_side(
    path: &[u8],
    expect: &Expected,
    parents: &mut Parents<'_>,
) -> Result<(), KeptWhy> {
    if expect.stat.bytes < DATABASE_BYTES_MIN || !has_filled_side(path, parents)? {
        return Ok(());
    }
    let (parent, name) = parents.open(path)?;
    if open(parent, name).is_ok_and(|file| is_database(&file)) {
        Err(KeptWhy::InUse)
    } else {
        Ok(())
    }
}

/// Fails for a database, ready at `here`, that would be put beside the log or journal of another
/// one.
pub(super) fn check_no_stray_side(
    path: &[u8],
    (here, staged): (At<'_>, &Stat),
    parents: &mut Parents<'_>,
) -> Result<(), KeptWhy> {
    if staged.bytes < DATABASE_BYTES_MIN || !has_filled_side(path, parents)? {
        return Ok(());
    }
    if open(here.0, here.1).is_ok_and(|file| is_database(&file)) {
        Err(KeptWhy::StrayLog)
    } else {
        Ok(())
    }
}
