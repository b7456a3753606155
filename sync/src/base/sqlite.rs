//! Settings and transactions of all of Fastest's SQLite files.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::base::waiting::{while_telling, writer_of};
use crate::base::world::World;

/// How long a statement waits for other processes: long enough for a queue of commands, and short
/// enough for a stuck process to be noticed.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs `work`, which may have to wait for a process that writes to the file at `path`. The user is
/// told if that takes long. `work` runs a second time if the first attempt finds the file locked, so a
/// failed attempt must have no effect.
pub(crate) fn patiently<T>(
    connection: &Connection,
    path: &Path,
    mut work: impl FnMut() -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    connection.busy_timeout(Duration::ZERO)?;
    let done = work();
    connection.busy_timeout(BUSY_TIMEOUT)?;
    match done {
        Err(error) if is_busy(&error) => while_telling(&|| writer_of(path), work),
        done => done,
    }
}

/// Begins a transaction that takes the write lock at once.
pub(crate) fn begin<'c>(
    connection: &'c Connection,
    path: &Path,
) -> Result<Transaction<'c>, rusqlite::Error> {
    let begin = || Transaction::new_unchecked(connection, TransactionBehavior::Immediate);
    patiently(connection, path, begin)
}

/// Puts a database into WAL mode, in which readers and one writer do not wait for each other.
///
/// The switch does not honour the busy timeout, so it is retried for about 10 s while another process
/// holds the file.
pub(crate) fn set_wal(connection: &Connection, world: &World) -> Result<(), rusqlite::Error> {
    const TRIES: u32 = 400;
    for attempt in 1.. {
        let set = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match set {
            Err(error) if is_busy(&error) && attempt < TRIES => {
                world.pause(Duration::from_millis(25));
            }
            set => return set.map(drop),
        }
    }
    unreachable!("the loop ends by returning")
}

/// Takes a database out of WAL mode, whose index is memory that only processes of one machine can
/// share. With a rollback journal, SQLite needs nothing but file locks, which machines do share.
///
/// In exclusive locking mode, SQLite keeps the index of a WAL in its own memory, so a `-shm` file that
/// another machine uses is neither created nor read here.
pub(crate) fn set_rollback_journal(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let set = connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get::<_, String>(0));
    connection.pragma_update(None, "locking_mode", "NORMAL")?;
    // In normal mode, the lock is released by the next statement.
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    set.map(drop)
}

/// Formats an error of SQLite without the whole statement, which may be long and contain an
/// application's values. Quotes at most 40 characters from the point of failure.
pub(crate) fn words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => {
            let rest = usize::try_from(*offset).ok().and_then(|at| sql.get(at..));
            match rest.map(|rest| rest.chars().take(40).collect::<String>()) {
                Some(near) if !near.is_empty() => format!("{msg}, at `{near}`"),
                _ => msg.clone(),
            }
        }
        error => error.to_string(),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}
