//! The embedded primary: a SQLite file, shared by any processes that can open it.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use fastest_core::mapped::check_room;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use crate::address::file_url;
use crate::meter::Meter;
use crate::primary::{Failure, Primary, PrimaryError, Rows};
use crate::said::said;
use crate::sqlite::{BUSY_TIMEOUT, begin, patiently, set_wal, words};
use crate::words::{is_of_engine, is_of_server};

/// A SQLite file as a primary. Calls block the task that makes them, as SQLite does.
pub struct Embedded {
    url: String,
    path: PathBuf,
    /// Whether the file is made where it is missing.
    create: bool,
    meter: Meter,
    connection: OnceCell<Connection>,
}

impl Embedded {
    /// The primary in the file at `path`; it is opened, and made where it is missing, at the first
    /// statement.
    pub fn new(path: &Path) -> Self {
        Self {
            url: file_url(path),
            path: path.to_owned(),
            create: true,
            meter: Meter::default(),
            connection: OnceCell::new(),
        }
    }

    /// Counts statements, and the bytes of their texts both ways, in `meter`.
    pub fn metered(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// As [`Embedded::new`], for a file that is known to have been there: where it is missing, its
    /// disk is, and a new file in the disk's empty place would take what nobody else sees.
    pub fn existing(path: &Path) -> Self {
        Self { create: false, ..Self::new(path) }
    }

    fn connection(&self) -> Result<&Connection, PrimaryError> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection);
        }
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
        let connection = self.open().map_err(|error| self.error(error))?;
        Ok(self.connection.get_or_init(|| connection))
    }

    fn open(&self) -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        set_wal(&connection)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(connection)
    }

    fn error(&self, error: rusqlite::Error) -> PrimaryError {
        let (url, message) = (self.url.clone(), words(&error));
        if let Some(error) = PrimaryError::from_sqlite(&url, &message) {
            return error;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::CannotOpen | ErrorCode::DatabaseBusy) => {
                PrimaryError::Unreachable { url, reason: message, failure: Failure::NoConnection }
            }
            // Its disk, or the network that it hangs on, is gone. A full one can be read.
            Some(ErrorCode::SystemIoFailure) => {
                PrimaryError::Unreachable { url, reason: message, failure: Failure::Lost }
            }
            code => {
                let server = matches!(
                    code,
                    Some(
                        ErrorCode::DiskFull
                            | ErrorCode::OutOfMemory
                            | ErrorCode::ReadOnly
                            | ErrorCode::DatabaseCorrupt
                            | ErrorCode::NotADatabase
                            | ErrorCode::PermissionDenied
                            | ErrorCode::AuthorizationForStatementDenied
                            | ErrorCode::DatabaseLocked
                            | ErrorCode::OperationInterrupted
                            | ErrorCode::OperationAborted
                            | ErrorCode::SchemaChanged
                            | ErrorCode::FileLockingProtocolFailed
                            | ErrorCode::ApiMisuse
                    )
                );
                // A trigger may say what the server says.
                let of_rows = match code {
                    Some(ErrorCode::ConstraintViolation) => !is_of_engine(&message),
                    _ => !server && !is_of_server(&message),
                };
                PrimaryError::Failed { url, message: said(&message), of_rows }
            }
        }
    }

    fn run_blocking(&self, sql: &str, parameters: &[&str]) -> Result<Rows, rusqlite::Error> {
        let connection = self.connection.get().expect("run opens the file first");
        let mut statement = connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(parameters))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push((0..columns).map(|at| row.get_ref(at).map(text)).collect::<Result<_, _>>()?);
        }
        Ok(rows)
    }
}

/// A cell as text; our statements select nothing but text, integers and null.
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

#[async_trait(?Send)]
impl Primary for Embedded {
    fn url(&self) -> &str {
        &self.url
    }

    async fn run(&self, sql: &str, parameters: &[&str]) -> Result<Rows, PrimaryError> {
        let sent = sql.len() + parameters.iter().map(|text| text.len()).sum::<usize>();
        self.meter.request(sent as u64);
        let connection = self.connection()?;
        let run = || self.run_blocking(sql, parameters);
        let rows = patiently(connection, &self.path, run).map_err(|error| self.error(error))?;
        self.meter.received(rows.iter().flatten().flatten().map(|text| text.len() as u64).sum());
        Ok(rows)
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.meter.request(statements.iter().map(|sql| sql.len() as u64).sum());
        let connection = self.connection()?;
        let apply = || {
            let transaction = begin(connection, &self.path)?;
            let recorded = "SELECT EXISTS (SELECT 1 FROM d1_migrations WHERE name = ?1)";
            if transaction.query_row(recorded, [name], |row| row.get(0))? {
                return Ok(());
            }
            for statement in statements {
                transaction.execute_batch(statement)?;
            }
            transaction.execute("INSERT INTO d1_migrations(name) VALUES (?1)", [name])?;
            transaction.commit()
        };
        apply().map_err(|error| self.error(error))
    }
}
