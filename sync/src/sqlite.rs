//! What every SQLite file of ours needs.

use rusqlite::Connection;

/// Puts a database into WAL mode, in which readers and one writer do not wait for each other.
///
/// The switch itself does not honour the busy timeout, so where another process is at it too, it
/// is tried again.
pub(crate) fn set_wal(connection: &Connection) -> Result<(), rusqlite::Error> {
    const TRIES: u32 = 400;
    for attempt in 1.. {
        let set = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        match set {
            Err(error) if is_busy(&error) && attempt < TRIES => {
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
            set => return set.map(drop),
        }
    }
    unreachable!("the loop ends by returning")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked))
}
