//! Reads the files and links that the index does not vouch for.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::chunk::{WriteContentError, write_content};
use crate::id::BlobId;
use crate::object::{ObjectKind, ObjectSink};
use crate::stat::{Node, Stat};
use crate::tree::{CHUNKED_OVER_BYTES, Item, Kind};

use super::walk::{Found, Listing, Task, look_at};
use super::{Context, ScanError};

/// How often a file that changes while it is read is read anew.
const READS_MAX: usize = 4;
/// Files larger than this are begun first, so that none is left for one thread at the end.
const LARGE_OVER_BYTES: u64 = 8 << 20;

/// A file or link to read.
struct Job<'j, 'a> {
    task: &'j Task<'a>,
    name: &'j [u8],
    found: &'j mut Found,
    bytes: u64,
}

/// What reading once came to.
enum Outcome {
    Stable(Item, Stat),
    Moved,
    Gone,
}

/// Reads every [`Found::Changed`], and puts what was found in its place.
pub(super) fn read_changed(
    levels: &mut [Vec<(Task<'_>, Listing<'_>)>],
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let mut jobs = Vec::new();
    for (task, listing) in levels.iter_mut().flatten() {
        for (range, found) in &mut listing.found {
            if let Found::Changed(_, Stat { bytes, .. }) = *found {
                jobs.push(Job { task, name: &listing.names[range.clone()], found, bytes });
            }
        }
    }
    context.progress.add_total(0, jobs.iter().map(|job| job.bytes).sum());
    // Small files stay in the order of the walk: neighbours on disk, and in packs.
    let (mut large, mut small): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| job.bytes > LARGE_OVER_BYTES);
    large.sort_unstable_by_key(|job| std::cmp::Reverse(job.bytes));
    let read = |buffer: &mut Vec<u8>, job: &mut Job<'_, '_>| read_job(job, buffer, context);
    let (first, second) = rayon::join(
        || large.par_iter_mut().with_max_len(1).try_for_each_init(Vec::new, read),
        || small.par_iter_mut().try_for_each_init(Vec::new, read),
    );
    first.and(second)
}

fn read_job(
    job: &mut Job<'_, '_>,
    buffer: &mut Vec<u8>,
    context: &Context<'_>,
) -> Result<(), ScanError> {
    let Found::Changed(mut kind, _) = *job.found else { return Ok(()) };
    let path = job.task.path_of(job.name);
    for _ in 0..READS_MAX {
        let outcome = match kind {
            Kind::Symlink => read_link(&path, context.sink)?,
            _ => read_file(&path, buffer, context.sink)?,
        };
        match outcome {
            Outcome::Stable(item, stat) => {
                let racy = stat.mtime_ns >= context.clock_ns || stat.ctime_ns >= context.clock_ns;
                context.progress.add(0, item.bytes);
                *job.found = Found::Read { item, stat, racy };
                return Ok(());
            }
            Outcome::Gone => {
                *job.found = Found::Gone;
                return Ok(());
            }
            Outcome::Moved => match look_up(&path)? {
                Some(Node::Content(now, _)) => kind = now,
                Some(_) => break,
                None => {}
            },
        }
    }
    Err(ScanError::Changing { path })
}

fn look_up(path: &Path) -> Result<Option<Node>, ScanError> {
    use std::os::unix::ffi::OsStrExt;
    look_at(CWD, path.as_os_str().as_bytes()).map_err(ScanError::io("look at", path))
}

fn read_link(path: &Path, sink: &dyn ObjectSink) -> Result<Outcome, ScanError> {
    let Some(Node::Content(Kind::Symlink, before)) = look_up(path)? else {
        return Ok(Outcome::Moved);
    };
    let target = match rustix::fs::readlinkat(CWD, path, Vec::new()) {
        Ok(target) => target.into_bytes(),
        Err(Errno::NOENT) => return Ok(Outcome::Gone),
        Err(Errno::INVAL) => return Ok(Outcome::Moved),
        Err(error) => return Err(ScanError::io("read link", path)(error.into())),
    };
    if look_up(path)? != Some(Node::Content(Kind::Symlink, before)) {
        return Ok(Outcome::Moved);
    }
    Ok(Outcome::Stable(give_blob(Kind::Symlink, &target, sink)?, before))
}

fn read_file(
    path: &Path,
    buffer: &mut Vec<u8>,
    sink: &dyn ObjectSink,
) -> Result<Outcome, ScanError> {
    // O_NONBLOCK: should a FIFO have taken the file's place, opening it must not wait.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::openat(CWD, path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(Outcome::Gone),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Outcome::Moved),
        Err(error) => return Err(ScanError::io("open", path)(error.into())),
    };
    let look = || match rustix::fs::fstat(&file) {
        Ok(stat) => Ok(Node::from(&stat)),
        Err(error) => Err(ScanError::io("look at", path)(error.into())),
    };
    let before = look()?;
    let Node::Content(kind @ (Kind::File | Kind::Executable), stat) = before else {
        return Ok(Outcome::Moved);
    };
    let item = if stat.bytes > CHUNKED_OVER_BYTES {
        let content = write_content(&mut &file, sink).map_err(|error| match error {
            WriteContentError::Read(source) => ScanError::io("read", path)(source),
            WriteContentError::Store(error) => error.into(),
        })?;
        let id = content.id.0;
        Some(Item { kind, id, bytes: content.bytes, files: 1, list: content.list })
    } else {
        buffer.clear();
        buffer.reserve(stat.bytes as usize + 1);
        let limited = (&file).take(CHUNKED_OVER_BYTES + 1).read_to_end(buffer);
        limited.map_err(ScanError::io("read", path))?;
        None
    };
    let bytes = item.map_or(buffer.len() as u64, |item| item.bytes);
    if look()? != before || bytes != stat.bytes {
        return Ok(Outcome::Moved);
    }
    let item = item.map_or_else(|| give_blob(kind, buffer, sink), Ok)?;
    Ok(Outcome::Stable(item, stat))
}

/// Gives `sink` content that is small enough for one object.
fn give_blob(kind: Kind, bytes: &[u8], sink: &dyn ObjectSink) -> Result<Item, ScanError> {
    let id = BlobId::of(bytes);
    if !sink.has(&id.into())? {
        sink.put(ObjectKind::Blob, id.into(), bytes)?;
    }
    Ok(Item { kind, id: id.0, bytes: bytes.len() as u64, files: 1, list: None })
}
