//! The embedded primary: a SQLite file, shared by all processes that can open it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use fastest_core::files::disk::watch::committed;
use fastest_core::files::mapped::check_room;
use fastest_core::files::network::shared_by;
use fastest_core::files::private;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use crate::base::sqlite;
use crate::base::sqlite::{BUSY_TIMEOUT, begin, patiently, set_rollback_journal, set_wal};
use crate::base::world::World;
use crate::remote::address::file_url;
use crate::remote::cause::Cause;
use crate::remote::meter::Meter;
use crate::remote::primary::{Failure, Primary, PrimaryError, Rows};
use crate::remote::sanitize::sanitize;
use crate::remote::statement::{Effect, Statement};
use crate::remote::words;

/// A SQLite file as a primary. Calls block the task that makes them, because SQLite does.
pub struct Embedded {
    url: String,
    path: PathBuf,
    /// Whether the file is created if it is missing.
    create: bool,
    /// Whether the file is inside a store, and so used by this machine only, even on a network file system.
    own: bool,
    world: World,
    meter: Meter,
    connection: Mutex<Option<Connection>>,
    /// How many more progress callbacks the running statement gets before it is interrupted.
    callbacks_left: Arc<AtomicU64>,
    callbacks_max: u64,
}

/// How many virtual machine steps SQLite runs between two calls of the progress handler.
const STEPS_PER_CALLBACK: i32 = 100_000;

/// How many progress callbacks a statement gets: 10^9 steps, about ten seconds. Our own statements need
/// far fewer. One that needs more reads an endless view or fires an endless trigger.
const CALLBACKS_MAX: u64 = 10_000;

/// The most bytes of an answer, and of a single value. Servers' answers have the same limit.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Bytes that a row takes besides its texts.
const ROW_BYTES: usize = 16;

impl Embedded {
    /// Makes a primary of the file at `path`. The file is opened at the first statement, and created if
    /// it is missing.
    pub fn new(path: &Path, world: World) -> Self {
        Self {
            url: file_url(path),
            path: path.to_owned(),
            create: true,
            own: false,
            world,
            meter: Meter::default(),
            connection: Mutex::default(),
            callbacks_left: Arc::new(AtomicU64::new(CALLBACKS_MAX)),
            callbacks_max: CALLBACKS_MAX,
        }
    }

    /// Like [`Embedded::new`], for a file inside a store, which no other machine uses.
    pub fn inside_store(path: &Path, world: World) -> Self {
        Self { own: true, ..Self::new(path, world) }
    }

    /// Counts statements, and the bytes of their texts in both directions, in `meter`.
    pub fn metered(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// Like [`Embedded::new`], for a file that is known to have existed, which is never created. A missing
    /// file usually means that its disk is not mounted: a new one in the empty mount point would take
    /// writes that nobody else sees.
    pub fn existing(path: &Path, world: World) -> Self {
        Self { create: false, ..Self::new(path, world) }
    }

    /// Runs `work` with the connection. The first call opens it.
    fn with<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, PrimaryError>,
    ) -> Result<T, PrimaryError> {
        // After a panic, SQLite rolls back what was not committed.
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some(self.first()?);
        }
        work(held.as_ref().expect("it was opened above"))
    }

    fn first(&self) -> Result<Connection, PrimaryError> {
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        if !parent.is_dir() {
            return Err(PrimaryError::NoFolder { path: parent.to_owned() });
        }
        if !self.create && !self.path.exists() {
            let reason = "its file is gone; if that is for good, run `fastest remote set` again";
            return Err(PrimaryError::Unreachable {
                url: self.url.clone(),
                reason: reason.to_owned(),
                failure: Failure::NoConnection,
            });
        }
        if check_room(parent).is_err() {
            let (url, reason) = (self.url.clone(), "its disk is full".to_owned());
            return Err(PrimaryError::Unreachable { url, reason, failure: Failure::Lost });
        }
        self.open()
            .map_err(|error| if self.is_denied() { self.denied() } else { self.error(error) })
    }

    fn open(&self) -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // SQLite gives `-wal` and `-shm` the modes of the file. If it cannot be created here, SQLite
        // says why.
        let _ = private::create_file(&self.path);
        let mut connection = Connection::open_with_flags(&self.path, flags)?;
        self.world.prepare(&connection)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        self.bound(&mut connection)?;
        if !self.own && matches!(shared_by(&self.path), Ok(Some(_))) {
            set_rollback_journal(&connection)?
        } else {
            set_wal(&connection, &self.world)?
        }
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    }

    /// Limits what a file from somebody else can make SQLite do.
    fn bound(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, ANSWER_BYTES_MAX as i32)?;
        let left = Arc::clone(&self.callbacks_left);
        let is_enough = move || {
            let asks = left.load(Ordering::Relaxed);
            left.store(asks.saturating_sub(1), Ordering::Relaxed);
            asks == 0
        };
        connection.progress_handler(STEPS_PER_CALLBACK, Some(is_enough))
    }

    /// Whether the user may not read and write the file. SQLite only says that it cannot open it.
    fn is_denied(&self) -> bool {
        let opened = File::options().read(true).write(true).open(&self.path);
        opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    }

    fn denied(&self) -> PrimaryError {
        let url = self.url.clone();
        let reason = format!(
            "this user may not read and write it; its owner can share it with a group: \
             `fastest remote set {url} --shared GROUP`"
        );
        PrimaryError::Unreachable { url, reason, failure: Failure::NoConnection }
    }

    fn error(&self, error: rusqlite::Error) -> PrimaryError {
        let (url, message) = (self.url.clone(), sqlite::words(&error));
        if let Some(error) = PrimaryError::from_sqlite(&url, &message) {
            return error;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::DatabaseBusy) => {
                PrimaryError::Unreachable { url, reason: message, failure: Failure::NoConnection }
            }
            // Its disk, or the network to it, is gone. A full disk could still be read.
            Some(ErrorCode::SystemIoFailure) => {
                PrimaryError::Unreachable { url, reason: message, failure: Failure::Lost }
            }
            Some(ErrorCode::OperationInterrupted) => {
                let message = "a statement of ours does not end there: a view or a trigger in the file is not \
                               what Fastest made"
                    .to_owned();
                PrimaryError::Failed { url, message, cause: Cause::Server }
            }
            code => {
                let cause = cause(code, &message);
                PrimaryError::Failed { url, message: sanitize(&message), cause }
            }
        }
    }

    fn run_blocking(
        connection: &Connection,
        Statement { sql, effect }: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, rusqlite::Error> {
        let mut statement = connection.prepare_cached(sql)?;
        // Remote primaries resend a statement marked as a read if the answer was lost. SQLite can check
        // the mark, so a wrong one is caught here and not there, by a write that is applied twice.
        if effect == Effect::Reads && !statement.readonly() {
            let misuse = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
            let words = "a statement that should only read would write".to_owned();
            return Err(rusqlite::Error::SqliteFailure(misuse, Some(words)));
        }
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(parameters))?;
        let (mut rows, mut bytes) = (Rows::new(), 0);
        while let Some(row) = found.next()? {
            let row = (0..columns).map(|at| row.get_ref(at).map(text));
            rows.push(row.collect::<Result<_, _>>()?);
            let texts = rows.last().into_iter().flatten().flatten();
            bytes += ROW_BYTES + texts.map(String::len).sum::<usize>();
            if bytes > ANSWER_BYTES_MAX {
                let too_big = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG);
                let words = format!("its answer is larger than {ANSWER_BYTES_MAX} bytes");
                return Err(rusqlite::Error::SqliteFailure(too_big, Some(words)));
            }
        }
        Ok(rows)
    }
}

/// Returns why a statement failed, from SQLite's error code, or from the message if the code is not
/// specific enough.
fn cause(code: Option<ErrorCode>, message: &str) -> Cause {
    match code {
        Some(ErrorCode::ConstraintViolation) => words::constraint(message),
        Some(ErrorCode::TooBig) => Cause::TooLarge,
        Some(
            ErrorCode::DiskFull
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied
            | ErrorCode::DatabaseLocked
            | ErrorCode::OperationAborted
            | ErrorCode::SchemaChanged
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::ApiMisuse,
        ) => Cause::Server,
        _ => words::cause(message),
    }
}

/// Converts a cell to text. Our statements select nothing but text, integers and null.
fn text(cell: ValueRef<'_>) -> Option<String> {
    match cell {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

#[async_trait]
impl Primary for Embedded {
    fn url(&self) -> &str {
        &self.url
    }

    fn world(&self) -> &World {
        &self.world
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<Rows, PrimaryError> {
        // SQLite blocks, so this is where a caller who no longer wants the answer is noticed.
        tokio::task::yield_now().await;
        let sent = statement.sql.len() + parameters.iter().map(|text| text.len()).sum::<usize>();
        self.meter.request(sent as u64);
        let rows = self.with(|connection| {
            self.callbacks_left.store(self.callbacks_max, Ordering::Relaxed);
            let run = || Self::run_blocking(connection, statement, parameters);
            let rows = patiently(connection, &self.path, run);
            if statement.effect != Effect::Reads {
                committed(&self.path, true);
            }
            rows.map_err(|error| self.error(error))
        })?;
        self.meter.received(rows.iter().flatten().flatten().map(|text| text.len() as u64).sum());
        Ok(rows)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.meter.request(statements.iter().map(|sql| sql.len() as u64).sum());
        let apply = |connection: &Connection| {
            // A migration may rewrite large tables, so it has no limit.
            self.callbacks_left.store(u64::MAX, Ordering::Relaxed);
            let transaction = begin(connection, &self.path)?;
            let recorded = "SELECT EXISTS (SELECT 1 FROM d1_migrations WHERE name = ?1)";
            if transaction.query_row(recorded, [name], |row| row.get(0))? {
                return Ok(());
            }
            for statement in statements {
                transaction.execute_batch(statement)?;
            }
            transaction.execute("INSERT INTO d1_migrations(name) VALUES (?1)", [name])?;
            transaction.commit()?;
            committed(&self.path, true);
            Ok(())
        };
        self.with(|connection| apply(connection).map_err(|error| self.error(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn primary(sql: &str) -> (tempfile::TempDir, Embedded) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        (folder, Embedded { callbacks_max: 50, ..Embedded::new(&path, World::system()) })
    }

    fn ask(primary: &Embedded, sql: &str) -> Result<Rows, PrimaryError> {
        run(primary, Statement::reads(sql))
    }

    fn run(primary: &Embedded, statement: Statement<'_>) -> Result<Rows, PrimaryError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(primary.run(statement, &[]))
    }

    #[test]
    fn what_has_no_end_is_ended() {
        const EVERY: &str =
            "WITH RECURSIVE every(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM every)
                             SELECT x FROM every";
        let (_folder, primary) = primary(&format!(
            "CREATE VIEW endless AS {EVERY};
             CREATE TABLE t(x);
             CREATE TRIGGER loops AFTER INSERT ON t BEGIN INSERT INTO t SELECT x FROM endless; END;"
        ));
        let refused = |statement| match run(&primary, statement) {
            Err(PrimaryError::Failed { message, cause: Cause::Server, .. }) => message,
            answer => panic!("{statement:?}: {:?}", answer.map(|rows| rows.len())),
        };
        for statement in [
            Statement::reads("SELECT count(*) FROM endless"),
            Statement::once("INSERT INTO t VALUES (1)"),
        ] {
            assert!(refused(statement).contains("does not end"), "{statement:?}");
        }
        // The next statement has its full budget of steps, and the trigger's writes were rolled back.
        assert_eq!(ask(&primary, "SELECT count(*) FROM t").unwrap(), [[Some("0".to_owned())]]);
    }

    #[test]
    fn what_is_said_to_read_cannot_write() {
        let (_folder, primary) = primary("CREATE TABLE t(x)");
        for sql in
            ["INSERT INTO t VALUES (1)", "WITH w(x) AS (SELECT 1) DELETE FROM t", "DROP TABLE t"]
        {
            let refused = ask(&primary, sql).unwrap_err().to_string();
            assert!(refused.contains("should only read"), "{refused}");
        }
        assert_eq!(ask(&primary, "SELECT count(*) FROM t").unwrap(), [[Some("0".to_owned())]]);
    }

    #[test]
    fn an_answer_has_a_size() {
        let (_folder, primary) = primary("CREATE VIEW huge AS SELECT zeroblob(100000000) AS x");
        let primary = Embedded { callbacks_max: u64::MAX, ..primary };
        for sql in [
            "SELECT x FROM huge",
            "WITH RECURSIVE every(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM every) SELECT NULL FROM every",
        ] {
            let error = ask(&primary, sql).unwrap_err();
            let told = error.to_string();
            assert!(told.contains("too big") || told.contains("larger than"), "{sql}: {told}");
        }
    }

    #[test]
    fn a_rollback_journal_takes_the_place_of_a_wal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.db");
        let file = Connection::open(&path).unwrap();
        set_wal(&file, &World::system()).unwrap();
        file.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (1)").unwrap();
        drop(file);
        let file = Connection::open(&path).unwrap();
        set_rollback_journal(&file).unwrap();
        let mode = |file: &Connection| {
            file.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap()
        };
        assert_eq!(mode(&file), "delete");
        // Other connections are not locked out, and no `-shm` file is created.
        let other = Connection::open(&path).unwrap();
        other.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        file.execute_batch("INSERT INTO t VALUES (3)").unwrap();
        assert_eq!(mode(&other), "delete");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
