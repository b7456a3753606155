//! Makes many files durable while they are written.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread::{self, Builder};

use rustix::io::Errno;

use crate::files::disk;
use crate::object::path::to_path;
use crate::worktree::checkout::error::CheckoutError;
use crate::worktree::checkout::site::Site;

/// Up to this many files or directories are synced one by one. With more, the whole file system is
/// synced.
pub(super) const SYNC_EACH_MAX: usize = 16;

/// A sync begins each time that this many bytes were written: early enough, and seldom for little.
const FLUSH_BYTES: u64 = 128 << 20;

/// Runs `work`, which reports the size of each file that it has written, and makes the whole file
/// system of the temporary files durable. The disk writes while `work`, which mostly keeps the
/// processors busy, goes on. Otherwise each would wait for the other.
pub(super) fn sync_meanwhile(
    site: &Site,
    work: impl FnOnce(&(dyn Fn(u64) + Sync)) -> Result<(), CheckoutError>,
) -> Result<(), CheckoutError> {
    // Opened before anything is written, so that this handle learns of every later write that
    // fails.
    let open = || Ok(File::from(site.tmp.directory(&[])?));
    let folder = open().map_err(CheckoutError::io("open", site.state.tmp()))?;
    let thread = Builder::new();
    let synced = sync_meanwhile_with(thread, &|| sync_file_system(&folder), work)?;
    synced.map_err(CheckoutError::io("sync", site.state.tmp()))
}

/// Like [`sync_meanwhile`], with any thread and any way to sync. The last sync begins when all work
/// is done.
fn sync_meanwhile_with<E>(
    thread: Builder,
    sync: &(dyn Fn() -> io::Result<()> + Sync),
    work: impl FnOnce(&(dyn Fn(u64) + Sync)) -> Result<(), E>,
) -> Result<io::Result<()>, E> {
    let (calls, written) = (Calls::default(), AtomicU64::new(0));
    thread::scope(|scope| {
        let flush = || -> io::Result<()> {
            loop {
                // Taken before the sync: what is written while it runs may not be part of it.
                let call = calls.next();
                sync()?;
                if call == Call::Last {
                    return Ok(());
                }
            }
        };
        // If the system cannot start a thread, everything is synced when the work is done.
        let flusher = thread.spawn_scoped(scope, flush);
        // Also if the work panics: nothing else would end the flusher.
        let end = End(&calls);
        let done = work(&|bytes| {
            let before = written.fetch_add(bytes, Ordering::Relaxed);
            if before / FLUSH_BYTES != (before + bytes) / FLUSH_BYTES {
                calls.call(Call::Sync);
            }
        });
        drop(end);
        let synced = match flusher {
            Ok(flusher) => flusher.join().expect("syncing does not panic"),
            Err(_) => sync(),
        };
        done.map(|()| synced)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Sync,
    Last,
}

/// The request that the flusher has not begun yet.
#[derive(Debug, Default)]
struct Calls {
    waiting: Mutex<Option<Call>>,
    changed: Condvar,
}

impl Calls {
    fn call(&self, call: Call) {
        *self.waiting.lock().expect("no holder panics") = Some(call);
        self.changed.notify_one();
    }

    fn next(&self) -> Call {
        let waiting = self.waiting.lock().expect("no holder panics");
        let called = self.changed.wait_while(waiting, |waiting| waiting.is_none());
        called.expect("no holder panics").take().expect("it was waited for")
    }
}

/// Ends the flusher on drop.
struct End<'a>(&'a Calls);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.call(Call::Last);
    }
}

/// Makes renames and deletions in these directories durable. A directory that is gone is skipped:
/// the one above it is in the list as well. If one may not be opened, the whole file system is
/// synced.
pub(super) fn sync_directories<'p>(
    site: &Site,
    paths: impl ExactSizeIterator<Item = &'p [u8]>,
) -> Result<(), CheckoutError> {
    let failed = |path: &[u8]| CheckoutError::io("sync", site.root.join(to_path(path)));
    let mut by_one = cfg!(not(target_os = "linux")) || paths.len() <= SYNC_EACH_MAX;
    let (mut others, mut is_closed) = (Vec::new(), false);
    for path in paths {
        let directory = match site.folder.directory(path) {
            Ok(directory) => directory,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
            Err(_) => {
                is_closed = true;
                continue;
            }
        };
        if by_one || device(&directory).ok() != device(&site.folder).ok() {
            others.push((path, directory));
            // Not all at once: each takes a file handle.
            if others.len() > SYNC_EACH_MAX {
                sync_each(&mut others, &failed)?;
            }
        }
    }
    sync_each(&mut others, &failed)?;
    by_one &= !is_closed;
    if by_one {
        return Ok(());
    }
    let root = site.folder.directory(&[]).map_err(|error| failed(&[])(error.into()))?;
    sync_file_system(&File::from(root)).or_else(cannot_sync).map_err(failed(&[]))
}

fn device(directory: impl AsFd) -> Result<i128, Errno> {
    Ok(i128::from(rustix::fs::fstat(directory)?.st_dev))
}

fn sync_each<F: FnOnce(io::Error) -> CheckoutError>(
    directories: &mut Vec<(&[u8], OwnedFd)>,
    failed: &impl Fn(&[u8]) -> F,
) -> Result<(), CheckoutError> {
    for (path, directory) in directories.drain(..) {
        // On macOS, `sync_all` waits for the disk itself, which fsync does not.
        disk::sync(&File::from(directory)).or_else(cannot_sync).map_err(failed(path))?;
    }
    Ok(())
}

/// Accepts that some file systems cannot sync directories.
fn cannot_sync(error: io::Error) -> io::Result<()> {
    match Errno::from_io_error(&error) {
        Some(Errno::INVAL | Errno::NOTSUP | Errno::ROFS | Errno::NOSYS) => Ok(()),
        _ => Err(error),
    }
}

#[cfg(target_os = "linux")]
fn sync_file_system(folder: &File) -> io::Result<()> {
    disk::sync_file_system(folder)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &File) -> io::Result<()> {
    Ok(()) // Every file was synced by itself.
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::background::impossible;
    use std::sync::mpsc::channel;

    /// The disk is slow: the first sync is still running when the last file is written.
    #[test]
    fn what_is_written_during_a_sync_is_synced_by_another() {
        let (begun, has_begun) = channel();
        let (end, may_end) = channel::<()>();
        let may_end = Mutex::new(may_end);
        let files = AtomicU64::new(0);
        let seen = Mutex::new(Vec::new());
        let sync = || {
            let before = files.load(Ordering::SeqCst);
            begun.send(()).unwrap();
            let _ = may_end.lock().unwrap().recv();
            seen.lock().unwrap().push(before);
            Ok(())
        };
        let has_begun = Mutex::new(has_begun);
        let synced = sync_meanwhile_with::<()>(Builder::new(), &sync, |written| {
            files.store(1, Ordering::SeqCst);
            written(FLUSH_BYTES);
            has_begun.lock().unwrap().recv().unwrap();
            files.store(2, Ordering::SeqCst);
            written(1);
            drop(end);
            Ok(())
        });
        synced.unwrap().unwrap();
        assert_eq!(*seen.lock().unwrap().last().unwrap(), 2);
    }

    #[test]
    fn without_a_thread_all_is_synced_when_the_work_is_done() {
        let (files, synced) = (AtomicU64::new(0), AtomicU64::new(0));
        let sync = || {
            synced.store(files.load(Ordering::SeqCst), Ordering::SeqCst);
            Ok(())
        };
        let done = sync_meanwhile_with::<()>(impossible(), &sync, |written| {
            files.store(1, Ordering::SeqCst);
            written(2 * FLUSH_BYTES);
            Ok(())
        });
        done.unwrap().unwrap();
        assert_eq!(synced.into_inner(), 1);
    }

    #[test]
    fn failures_of_the_work_and_of_the_disk_are_told() {
        assert_eq!(
            sync_meanwhile_with(Builder::new(), &|| Ok(()), |_| Err("work")).unwrap_err(),
            "work"
        );
        let full = || Err(io::ErrorKind::StorageFull.into());
        let synced = sync_meanwhile_with::<()>(Builder::new(), &full, |_| Ok(())).unwrap();
        assert_eq!(synced.unwrap_err().kind(), io::ErrorKind::StorageFull);
        let panicked = std::panic::catch_unwind(|| {
            let _ = sync_meanwhile_with::<()>(Builder::new(), &|| Ok(()), |_| panic!("a bug"));
        });
        assert!(panicked.is_err());
    }
}
