//! Reads the files and links whose content is not known from the index.

use std::fs::File;
use std::io::{self, Read};

use rayon::prelude::*;
use rustix::fs::Mode;
use rustix::io::Errno;

use crate::files::beneath::READ;
use crate::files::stat::{Node, Stat};
use crate::object::chunk::{WriteContentError, write_content};
use crate::object::error::StoreError;
use crate::object::id::BlobId;
use crate::object::item::{Item, Kind};
use crate::object::kind::ObjectKind;
use crate::object::source::ObjectSink;
use crate::object::tree::CHUNKED_OVER_BYTES;
use crate::worktree::database::{self, Database};
use crate::worktree::scan::context::Context;
use crate::worktree::scan::database_copy;
use crate::worktree::scan::error::ScanError;
use crate::worktree::scan::head::HeadEntries;
use crate::worktree::scan::listing::{Found, Listing};
use crate::worktree::scan::report::{Skipped, SkippedWhy, Warning};
use crate::worktree::scan::task::Task;

/// How often a file is read that changes while it is read.
const READS_MAX: usize = 4;
/// Larger files are begun first, so that none of them is left for a single thread at the end.
const LARGE_OVER_BYTES: u64 = 8 << 20;

/// A file or link to read.
struct Job<'j, 'a> {
    task: &'j Task<'a>,
    name: &'j [u8],
    found: &'j mut Found,
    bytes: u64,
}

/// The outcome of reading once.
enum Outcome {
    Stable(Item, Stat),
    /// The file has grown since it was first read: its bytes up to the size of that time, and its
    /// stat data of that time.
    Grown(Item, Stat),
    Moved,
    Gone,
    /// A database with files beside it, or that is being written to.
    Database(Kind, Stat),
}

/// Why reading failed.
enum Failure {
    /// For this file.
    File(io::Error),
    /// For the whole scan.
    Store(StoreError),
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        Self::File(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Reads every [`Found::Changed`] and [`Found::Database`], and replaces it by what was read.
pub(super) fn read_changed(
    levels: &mut [Vec<(Task<'_>, Listing<'_>)>],
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let mut jobs = Vec::new();
    for (task, listing) in levels.iter_mut().flatten() {
        for (range, found) in &mut listing.found {
            if let Found::Changed(_, Stat { bytes, .. }) | Found::Database(_, Stat { bytes, .. }) =
                *found
            {
                jobs.push(Job { task, name: &listing.names[range.clone()], found, bytes });
            }
        }
    }
    context.progress.add_total(0, jobs.iter().map(|job| job.bytes).sum());
    // Small files stay in the order of the walk: so neighbours on the disk are neighbours in packs.
    let (mut large, mut small): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| job.bytes > LARGE_OVER_BYTES);
    large.sort_unstable_by_key(|job| std::cmp::Reverse(job.bytes));
    let read = |buffer: &mut Vec<u8>, job: &mut Job<'_, '_>| read_job(job, buffer, context);
    let (first, second) = rayon::join(
        || large.par_iter_mut().with_max_len(1).try_for_each_init(Vec::new, read),
        || small.par_iter_mut().try_for_each_init(Vec::new, read),
    );
    first.and(second)?;
    levels
        .iter_mut()
        .flatten()
        .try_for_each(|(task, listing)| report_unread(task, listing, context))
}

/// Replaces what could not be read by the head's version, and reports it.
fn report_unread(
    task: &Task<'_>,
    listing: &mut Listing<'_>,
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let head = HeadEntries::of(task);
    for (range, found) in &mut listing.found {
        let name = &listing.names[range.clone()];
        let path = || task.path_of(name);
        match found {
            Found::Read { growing: true, .. } => {
                listing.warnings.push(Warning::Growing { path: path() });
            }
            Found::Unread(_) => {
                let held = head.find(name, context)?;
                let kept = held.map_or(Found::Gone, Found::Kept);
                if let Found::Unread(why) = std::mem::replace(found, kept) {
                    listing.skipped.push(Skipped { path: path(), why });
                }
                listing.listed = None;
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_job(
    job: &mut Job<'_, '_>,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let path = [&job.task.prefix, job.name].concat();
    let outcome = match *job.found {
        Found::Changed(kind, _) => match read_until_stable(&path, kind, buffer, context) {
            Ok(Found::Database(kind, _)) => read_database(&path, kind, buffer, context),
            Ok(Found::Unread(SkippedWhy::Changing) | Found::Read { growing: true, .. })
                if is_database(&path, context) =>
            {
                read_database(&path, kind, buffer, context)
            }
            outcome => outcome,
        },
        Found::Database(kind, _) => read_database(&path, kind, buffer, context),
        _ => return Ok(()),
    };
    *job.found = match outcome {
        Ok(found) => found,
        Err(Failure::File(error)) => Found::Unread(SkippedWhy::Unreadable(error)),
        Err(Failure::Store(error)) => return Err(error.into()),
    };
    if let Found::Read { item, .. } = job.found {
        context.progress.add(0, item.bytes);
    }
    Ok(())
}

fn is_database(path: &[u8], context: &Context<'_>) -> bool {
    context.selection.databases.is_some()
        && open(path, context).is_ok_and(|file| database::is_database(&file))
}

/// Opens a file at a path relative to the root.
fn open(path: &[u8], context: &Context<'_>) -> Result<File, Errno> {
    context.beneath.open(path, READ, Mode::empty()).map(File::from)
}

/// Reads a database together with the files beside it.
fn read_database(
    path: &[u8],
    kind: Kind,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Result<Found, Failure> {
    let databases = context.selection.databases.expect("databases are told apart");
    let copied = match database_copy::copy(path, databases, context) {
        Ok(copied) => copied,
        Err(_) if look_up(path, context)?.is_none() => return Ok(Found::Gone),
        Err(refusal) => return Ok(Found::Unread(SkippedWhy::Database(refusal))),
    };
    let Outcome::Stable(item, _) =
        read_open(copied.open()?, None, buffer, context.sink, |_| false)?
    else {
        return Ok(Found::Unread(SkippedWhy::Changing));
    };
    let (main, sides) = (copied.main, copied.sides);
    let found = Database { path: path.to_vec(), main, sides };
    context.databases.lock().expect("no holder panics").push(found);
    // The index has no stat data of the files beside it, so the database must be read each time.
    Ok(Found::Read { item: Item { kind, ..item }, stat: main.stat, racy: true, growing: false })
}

/// Reads a file or link until it does not change while it is read. Of a file that only grows, its
/// content at one moment is enough: what was first read, if a second read finds it again.
fn read_until_stable(
    path: &[u8],
    mut kind: Kind,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Result<Found, Failure> {
    let mut grown: Option<(Item, Stat)> = None;
    for _ in 0..READS_MAX {
        let before = grown.as_ref().map(|(_, stat)| stat);
        let outcome = match kind {
            Kind::Symlink => read_link(path, context)?,
            _ => read_file(path, before, buffer, context)?,
        };
        match outcome {
            Outcome::Stable(item, stat) => {
                let racy = stat.is_racy(context.clock_ns);
                return Ok(Found::Read { item, stat, racy, growing: false });
            }
            Outcome::Grown(item, stat) => {
                if grown.is_some_and(|(first, _)| first == item) {
                    return Ok(Found::Read { item, stat, racy: true, growing: true });
                }
                grown = Some((item, stat));
            }
            Outcome::Gone => return Ok(Found::Gone),
            Outcome::Database(kind, stat) => return Ok(Found::Database(kind, stat)),
            Outcome::Moved => {
                grown = None;
                match look_up(path, context)? {
                    Some(Node::Content(now, _)) => kind = now,
                    Some(_) => break,
                    None => {}
                }
            }
        }
    }
    Ok(Found::Unread(SkippedWhy::Changing))
}

fn look_up(path: &[u8], context: &Context<'_>) -> Result<Option<Node>, Failure> {
    Ok(context.beneath.look(path)?)
}

fn read_link(path: &[u8], context: &Context<'_>) -> Result<Outcome, Failure> {
    let Some(Node::Content(Kind::Symlink, before)) = look_up(path, context)? else {
        return Ok(Outcome::Moved);
    };
    let target = match context.beneath.read_link(path) {
        Ok(target) => target,
        Err(Errno::NOENT) => return Ok(Outcome::Gone),
        Err(Errno::INVAL) => return Ok(Outcome::Moved),
        Err(error) => return Err(error.into()),
    };
    if look_up(path, context)? != Some(Node::Content(Kind::Symlink, before)) {
        return Ok(Outcome::Moved);
    }
    Ok(Outcome::Stable(put_blob(Kind::Symlink, &target, context.sink)?, before))
}

/// Reads a file. If it was seen to grow, reads only up to the size that it had `at_first`. A
/// database that somebody may be writing to is not read, if databases are handled separately.
fn read_file(
    path: &[u8],
    at_first: Option<&Stat>,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Result<Outcome, Failure> {
    let file = match open(path, context) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(Outcome::Gone),
        Err(Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => return Ok(Outcome::Moved),
        Err(error) => return Err(error.into()),
    };
    let tells_databases = context.selection.databases.is_some();
    let may_be_torn =
        |is_new: bool| tells_databases && (is_new || database_copy::has_sides(path, context));
    read_open(file, at_first, buffer, context.sink, may_be_torn)
}

/// Like [`read_file`], for an open file. `may_be_torn` returns whether somebody may be writing to
/// the file, if it is a database. It is told whether the file was just written.
fn read_open(
    file: File,
    at_first: Option<&Stat>,
    buffer: &mut Vec<u8>,
    sink: &dyn ObjectSink,
    may_be_torn: impl Fn(bool) -> bool,
) -> Result<Outcome, Failure> {
    let look = || rustix::fs::fstat(&file).map(|stat| Node::from(&stat));
    let before = look()?;
    let Node::Content(kind @ (Kind::File | Kind::Executable), stat) = before else {
        return Ok(Outcome::Moved);
    };
    let first = at_first.filter(|first| first.inode == stat.inode && first.bytes <= stat.bytes);
    // Asked before the file is read, which may take long.
    let is_new = database_copy::was_just_changed(&stat);
    let (expected, is_again) = (first.unwrap_or(&stat).bytes, first.is_some());
    let is_large = expected > CHUNKED_OVER_BYTES;
    if is_large && database::is_database(&file) && may_be_torn(is_new) {
        return Ok(Outcome::Database(kind, stat));
    }
    let item = if is_large {
        let content =
            write_content(&mut (&file).take(expected), sink).map_err(|error| match error {
                WriteContentError::Read(source) => Failure::File(source),
                WriteContentError::Store(error) => Failure::Store(error),
            })?;
        let id = content.id.0;
        Item { kind, id, bytes: content.bytes, files: 1, list: content.list }
    } else {
        buffer.clear();
        buffer.reserve(expected as usize);
        (&file).take(expected).read_to_end(buffer)?;
        if database::is_header(buffer) && may_be_torn(is_new) {
            return Ok(Outcome::Database(kind, stat));
        }
        put_blob(kind, buffer, sink)?
    };
    if item.bytes != expected {
        return Ok(Outcome::Moved);
    }
    match look()? {
        after if after == before && !is_again => Ok(Outcome::Stable(item, stat)),
        Node::Content(now, after)
            if now == kind
                && after.inode == stat.inode
                && after.bytes >= stat.bytes
                && (is_again || after.bytes > stat.bytes) =>
        {
            // The beginning of a log is a log. That of a database is none.
            let is_database =
                if is_large { database::is_database(&file) } else { database::is_header(buffer) };
            if is_database && may_be_torn(true) {
                return Ok(Outcome::Database(kind, stat));
            }
            Ok(Outcome::Grown(item, first.copied().unwrap_or(stat)))
        }
        _ => Ok(Outcome::Moved),
    }
}

/// Puts content that is small enough for one object.
fn put_blob(kind: Kind, bytes: &[u8], sink: &dyn ObjectSink) -> Result<Item, StoreError> {
    let id = BlobId::of(bytes);
    if !sink.has(&id.into())? {
        sink.put(ObjectKind::Blob, id.into(), bytes)?;
    }
    Ok(Item { kind, id: id.0, bytes: bytes.len() as u64, files: 1, list: None })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::fs::{File, OpenOptions};
    use std::io::Write;

    use super::{CHUNKED_OVER_BYTES, Outcome, database_copy, read_open};
    use crate::object::memory::NoSink;

    /// Reads a file that grows after somebody looked whether it is being written to.
    fn read_growing(bytes: &[u8]) -> (Outcome, Vec<bool>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, bytes).unwrap();
        let end = OpenOptions::new().append(true).open(&path).unwrap();
        // Its inode has changed long ago, so that it looks as if nobody wrote to it.
        std::thread::sleep(2 * database_copy::TICK);
        let asked = RefCell::new(Vec::new());
        let may_be_torn = |is_new: bool| {
            asked.borrow_mut().push(is_new);
            (&end).write_all(b"more").unwrap();
            is_new
        };
        let file = File::open(&path).unwrap();
        let outcome = read_open(file, None, &mut Vec::new(), &NoSink, may_be_torn);
        (outcome.ok().unwrap(), asked.into_inner())
    }

    #[test]
    fn a_database_that_grows_while_it_is_read_is_not_the_beginning_of_one() {
        let mut header = [b"SQLite format 3\0".as_slice(), &[0; 84]].concat();
        (header[16], header[17]) = (16, 0);
        header[21..24].copy_from_slice(&[64, 32, 32]);
        for bytes in [4096, CHUNKED_OVER_BYTES as usize + 1] {
            header.resize(bytes, 0);
            let (outcome, asked) = read_growing(&header);
            assert!(matches!(outcome, Outcome::Database(..)), "{bytes}");
            assert_eq!(asked, [false, true], "{bytes}");
        }
    }
}
