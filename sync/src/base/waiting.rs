//! Locks between processes, and messages for a user who waits for one.
//!
//! A command that takes a lock file writes a line into it: who it is, and since when
//! (`docs/formats-workspace.md`). So a second command can say what it waits for. The system
//! releases the lock when the process ends. The line stays in the file, and means nothing while the
//! lock is free.

use std::fs::{File, TryLockError};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, Builder};
use std::time::Duration;
use std::{fmt, io};

use fastest_core::files::disk;
use jiff::Timestamp;

use crate::base::clock;

/// How long a command waits before it tells the user. Nearly all locks are held for less.
pub(crate) const TELL_AFTER: Duration = Duration::from_secs(1);

/// The version of the line in a lock file.
const VERSION: u32 = 1;

/// The maximum number of bytes that are read of that line.
const LINE_BYTES_MAX: usize = 4096;

/// A lock file that could not be opened or locked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct LockError {
    /// What was tried, as a verb.
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub source: io::Error,
}

impl LockError {
    /// Adds the action and the path to the error of a system call, for `map_err`.
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { action, path, source }
    }
}

/// A command that waits for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What both commands need, as a noun.
    pub what: String,
    /// The process that holds the lock, if it is known.
    pub holder: Option<Holder>,
}

/// The process that holds a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its command.
    pub command: String,
    /// When it took the lock: RFC 3339, UTC. For the writer of a SQLite file, when the process started.
    pub since: Option<String>,
    /// Whether it is suspended, for example by Ctrl-Z, so that it will not release the lock by
    /// itself.
    pub stopped: bool,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Holder { pid, command, since, stopped }) = &self.holder else {
            return write!(f, "waiting for another command, which holds {}", self.what);
        };
        write!(f, "waiting for `{command}` (process {pid}), which holds {}", self.what)?;
        if let Some(since) = since {
            write!(f, " since {since}")?;
        }
        if *stopped {
            write!(f, "; it is stopped: `kill -CONT {pid}` lets it go on, `kill {pid}` ends it")?;
        }
        Ok(())
    }
}

/// The name of this process in lock files, and the function that it calls when it waits for
/// another.
struct Process {
    command: String,
    told: Box<dyn Fn(&Waiting) + Send + Sync>,
}

/// Global, because a process has one id and one command.
static PROCESS: OnceLock<Process> = OnceLock::new();

/// Sets the command that others see when they wait for this process, and the function to call when this
/// process waits. Only the first call counts.
pub fn introduce(command: &str, told: impl Fn(&Waiting) + Send + Sync + 'static) {
    let command = command.replace(char::is_control, " ");
    let _ = PROCESS.set(Process { command, told: Box::new(told) });
}

/// Takes a lock, waits if another process holds it, and writes this process into the lock file.
/// `what` is a noun for what the lock protects.
pub(crate) fn lock(path: &Path, what: &str) -> Result<File, LockError> {
    lock_file(open(path)?, path, what)
}

/// Like [`lock`], for a lock file that is already open.
pub(crate) fn lock_file(file: File, path: &Path, what: &str) -> Result<File, LockError> {
    let failed = LockError::of("lock", path);
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            while_telling(&|| waiting_for(&file, what), || file.lock()).map_err(failed)?;
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    sign(&file);
    Ok(file)
}

/// Takes a lock if it is free. Returns `None` if it is held, or could not be locked. Only a failure
/// to open the file is an error.
pub(crate) fn try_lock(path: &Path) -> Result<Option<File>, LockError> {
    open(path).map(try_lock_file)
}

/// Like [`try_lock`], for a lock file that is already open. Returns `None` on an error too.
pub(crate) fn try_lock_file(file: File) -> Option<File> {
    file.try_lock().ok()?;
    sign(&file);
    Some(file)
}

/// Opens a lock file without truncating it, because its content says who holds the lock.
fn open(path: &Path) -> Result<File, LockError> {
    disk::open_or_create(path).map_err(LockError::of("open", path))
}

/// Writes this process into a lock file that it holds. If that fails, as on a full disk, it holds
/// the lock all the same. A file with more than one hard link is not written to, because its other
/// name may belong to something else.
fn sign(file: &File) {
    if file.metadata().map_or(true, |found| found.nlink() > 1) {
        return;
    }
    let command = PROCESS.get().map_or("fastest", |process| &process.command);
    let line =
        format!("{VERSION} {} {} {command}\n", std::process::id(), clock::text(Timestamp::now()));
    let _ = disk::set_len(file, 0).and_then(|()| disk::write_all_at(file, line.as_bytes(), 0));
}

/// Returns a description of the wait for the lock at `path`, with the holder that its file names.
pub(crate) fn waiting(path: &Path, what: &str) -> Waiting {
    match File::open(path) {
        Ok(file) => waiting_for(&file, what),
        Err(_) => Waiting { what: what.to_owned(), holder: None },
    }
}

/// Like [`waiting`], for a lock file that is already open.
fn waiting_for(file: &File, what: &str) -> Waiting {
    let mut line = vec![0; LINE_BYTES_MAX];
    let read = file.read_at(&mut line, 0);
    let line = read.ok().and_then(|bytes| str::from_utf8(&line[..bytes]).ok());
    Waiting { what: what.to_owned(), holder: line.and_then(holder) }
}

fn holder(line: &str) -> Option<Holder> {
    let rest = line.strip_suffix('\n')?.strip_prefix(&format!("{VERSION} "))?;
    let mut words = rest.splitn(3, ' ');
    let pid = words.next()?.parse().ok()?;
    let since = Some(words.next()?.to_owned());
    let command = words.next()?.replace(char::is_control, " ");
    Some(Holder { pid, command, since, stopped: is_stopped(pid) })
}

/// Runs `work`, which waits for another process. If it takes longer than [`TELL_AFTER`], [`tell`]
/// reports what it waits for.
pub(crate) fn while_telling<T>(
    waiting: &(dyn Fn() -> Waiting + Sync),
    work: impl FnOnce() -> T,
) -> T {
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        let tell_late = move || {
            if is_done.recv_timeout(TELL_AFTER) == Err(RecvTimeoutError::Timeout) {
                tell(&waiting());
            }
        };
        // If the system cannot start a thread, nobody is told.
        let _ = Builder::new().spawn_scoped(scope, tell_late);
        let result = work();
        drop(done);
        result
    })
}

/// Calls the function that [`introduce`] was given.
pub(crate) fn tell(waiting: &Waiting) {
    if let Some(process) = PROCESS.get() {
        (process.told)(waiting);
    }
}

/// Returns a description of the wait for a SQLite file in WAL mode, with the process that writes to
/// it if the system can tell.
pub(crate) fn writer_of(database: &Path) -> Waiting {
    let what = format!("the database {}", database.display());
    Waiting { what, holder: sqlite_writer(database).ok().flatten() }
}

/// Finds the process that holds the write lock of a SQLite file in WAL mode: byte 120 of the `-shm`
/// file (<https://sqlite.org/walformat.html#wal_locks>). Opening and closing that file would
/// release our own locks on it, so this reads the system's list of locks instead.
#[cfg(target_os = "linux")]
fn sqlite_writer(database: &Path) -> io::Result<Option<Holder>> {
    const WRITE_LOCK: u64 = 120;
    let mut shared = database.as_os_str().to_owned();
    shared.push("-shm");
    let inode = std::fs::metadata(shared)?.ino().to_string();
    let locks = std::fs::read_to_string("/proc/locks")?;
    let pid = locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        // `1: POSIX ADVISORY WRITE 4711 fd:01:1234 120 120`; `->` marks a process that waits.
        let [_, _, _, "WRITE", pid, file, from, to] = words[..] else { return None };
        let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
        let covers = from <= WRITE_LOCK && WRITE_LOCK <= to;
        let pid: u32 = pid.parse().ok()?;
        (covers && file.rsplit(':').next() == Some(&inode) && pid != std::process::id())
            .then_some(pid)
    });
    let Some(pid) = pid else { return Ok(None) };
    let words = std::fs::read(format!("/proc/{pid}/cmdline"))?;
    let command = command_in(&String::from_utf8_lossy(&words));
    // The start of the process stands in for that of the transaction: transactions are short, and a
    // process with a long one does little else.
    let since = std::fs::metadata(format!("/proc/{pid}")).and_then(|data| data.modified());
    let since = since.ok().and_then(|time| Timestamp::try_from(time).ok()).map(clock::text);
    Ok(Some(Holder { pid, command, since, stopped: is_stopped(pid) }))
}

/// Returns the name of the program from a command line, whose words each end with a zero byte; for
/// `fastest` its command as well. The other words may be secret, and are left out.
#[cfg(any(target_os = "linux", test))]
fn command_in(line: &str) -> String {
    let mut words = line.split('\0').filter(|word| !word.is_empty());
    let program = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    let mut command = program.to_owned();
    while let Some(word) = words.next().filter(|_| program == "fastest") {
        match word {
            "-C" | "--store" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => {
                command = format!("{program} {word}");
                break;
            }
        }
    }
    command.replace(char::is_control, " ")
}

#[cfg(not(target_os = "linux"))]
fn sqlite_writer(_: &Path) -> io::Result<Option<Holder>> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn is_stopped(pid: u32) -> bool {
    // `pid (command) state …`; the command may contain any character.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with(['T', 't'])
}

#[cfg(not(target_os = "linux"))]
fn is_stopped(_: u32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "1 4294967295 2026-01-02T03:04:05.678Z fastest push\n").unwrap();
        let found = waiting(&path, "the working copy /app");
        assert_eq!(
            found.to_string(),
            "waiting for `fastest push` (process 4294967295), which holds the working copy /app \
             since 2026-01-02T03:04:05.678Z"
        );
        let held = lock(&path, "it").unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        let holder = waiting(&path, "it").holder.unwrap();
        assert_eq!((holder.pid, holder.stopped), (std::process::id(), false));
        drop(held);
        assert!(try_lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_command_line_gives_away_no_more_than_its_command() {
        for (line, expect) in [
            ("/usr/bin/fastest\0-q\0--store\0/s\0-C\0push\0pull\0secret\0", "fastest pull"),
            ("fastest\0--json\0", "fastest"),
            ("/bin/sqlite3\0/secret\0", "sqlite3"),
            ("", ""),
        ] {
            assert_eq!(command_in(line), expect, "{line:?}");
        }
    }

    #[test]
    fn a_lock_of_another_version_is_held_by_somebody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        for line in ["", "2 1 2026 fastest\n", "1 x 2026 fastest\n", "1 7 2026 fastest", "1 7\n"] {
            std::fs::write(&path, line).unwrap();
            let found = waiting(&path, "it").to_string();
            assert_eq!(found, "waiting for another command, which holds it", "{line:?}");
        }
    }
}
