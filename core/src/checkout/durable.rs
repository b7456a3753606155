//! Many files made durable at once, while they are written.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::CheckoutError;

/// The disk begins to write when this much is new: it has work early, and seldom small work.
const FLUSH_BYTES: u64 = 128 << 20;

/// Does `work`, which tells of each file that it has written how many bytes that were, and makes the
/// whole file system of the folder `dir` durable. The disk writes beside the work, which is mostly
/// done by processors: the one would else wait while the other is busy.
pub(super) fn beside(
    dir: &Path,
    work: impl FnOnce(&(dyn Fn(u64) + Sync)) -> Result<(), CheckoutError>,
) -> Result<(), CheckoutError> {
    let failed = CheckoutError::io("sync", dir);
    // Opened before anything is written: it learns of every write that fails from here on.
    let folder = File::open(dir).map_err(CheckoutError::io("open", dir))?;
    let (written, is_done) = (AtomicU64::new(0), AtomicBool::new(false));
    let flushed = thread::scope(|scope| {
        let flusher = scope.spawn(|| -> io::Result<()> {
            loop {
                thread::park();
                sync_file_system(&folder)?;
                if is_done.load(Ordering::Acquire) {
                    return Ok(());
                }
            }
        });
        let done = work(&|bytes| {
            let before = written.fetch_add(bytes, Ordering::Relaxed);
            if before / FLUSH_BYTES != (before + bytes) / FLUSH_BYTES {
                flusher.thread().unpark();
            }
        });
        is_done.store(true, Ordering::Release);
        flusher.thread().unpark();
        let flushed = flusher.join().expect("syncing does not panic");
        done.map(|()| flushed)
    })?;
    flushed.map_err(failed)
}

#[cfg(target_os = "linux")]
fn sync_file_system(folder: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &File) -> io::Result<()> {
    Ok(()) // Every file was synced by itself.
}
