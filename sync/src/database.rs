//! A file of rows that an application declares: the door for whoever has tables of their own.
//!
//! ```no_run
//! # use fastest_schema::{Migration, Row, Schema, table};
//! # use fastest_sync::secret::NoSecrets;
//! # use fastest_sync::{Database, Remote};
//! /// A note that a team shares.
//! #[table(name = "notes", policy = versioned("notes are edited on any device"), scope = team)]
//! pub struct Note {
//!     /// ULID.
//!     #[pk]
//!     pub id: String,
//!     /// Whose it is.
//!     pub team: String,
//!     /// What it says.
//!     pub text: String,
//! }
//!
//! static NOTES: Schema = Schema {
//!     owner: "notes",
//!     tables: &[Note::TABLE],
//!     migrations: &[Migration { name: "0000_notes_init.sql", sql: "…" }],
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let remote = Remote::to("file:///srv/notes.db", &NoSecrets)?;
//! fastest_sync::migrate(&*remote.primary, &NOTES).await?;
//! let mut db = Database::open_for("notes.db".as_ref(), &NOTES, "team-1")?;
//! db.save(&Note { id: "n1".into(), team: "team-1".into(), text: "milk".into() })?;
//! db.push_all(&remote).await?;
//! db.pull_all(&remote).await?;
//! assert_eq!(db.find::<Note>(Note::TEXT, "milk")?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Reads and writes are local, and need nobody. Any number of processes use one file at once; one of
//! them pushes at a time, and the others wait for it.
//!
//! What is written is checked as far as this device can know ([`WriteError`]). The primary may still
//! refuse it, since a value that must be unique was taken elsewhere for instance: then the push fails
//! with the primary's words, nothing of its statement was applied, and the rows go on waiting until
//! the application changes or deletes the one that is wrong. A row that releases a unique value goes
//! before the one that takes it, in the same statement. In a circle, as where two rows swap names, no
//! order works: push one of them with another name in between.
//!
//! A value arrives as it was written, reals bit by bit; NaN is refused, for SQLite would store null.
//! Where someone writes a value on the primary that does not fit its column, the row is held back
//! ([`Database::held`]), and all others arrive.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastest_schema::value::named_values;
use fastest_schema::{Row, Schema, SchemaError, Value};
use rusqlite::{Connection, OpenFlags, params};

use crate::clock;
use crate::conflict::Resolution;
use crate::error::SyncError;
use crate::local_write::WriteError;
use crate::pull::{Pulled, pull_scope};
use crate::push::{Pushed, push_alone};
use crate::remote::Remote;
use crate::replica::{Replica, ReplicaError, Session, decode, try_values_of};
use crate::report::{HeldRow, ResolveReport, RowConflict};
use crate::waiting::{self, TELL_AFTER};

/// How often to ask whether another process has ended its push.
const LOCK_ASKED_EVERY: Duration = Duration::from_millis(20);

/// Why a database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The schema cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The row cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file was made for another scope, or for any.
    #[error("{} was made for {}, not for {}: choose another file", path.display(), named(held.as_deref()), named(asked.as_deref()))]
    OtherScope {
        /// The file.
        path: PathBuf,
        /// The scope that it holds; `None` for any.
        held: Option<String>,
        /// The scope that was asked for.
        asked: Option<String>,
    },
    /// The table has no such column.
    #[error("table {table} has no column {column:?}")]
    NoColumn {
        /// The table.
        table: &'static str,
        /// The name given.
        column: String,
    },
    /// Push, pull or a conflict's settlement failed.
    #[error(transparent)]
    Sync(#[from] SyncError),
}

fn named(scope: Option<&str>) -> String {
    scope.map_or_else(|| "any scope".to_owned(), |scope| format!("scope {scope:?}"))
}

impl From<ReplicaError> for DatabaseError {
    fn from(error: ReplicaError) -> Self {
        Self::Sync(error.into())
    }
}

impl DatabaseError {
    /// Whether what was written waits, and a later try may succeed without anything being mended.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Sync(error) if error.is_unreachable())
    }
}

/// The rows of an application on this device.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    replica: Replica,
    /// The one scope that the file is for.
    scope: Option<String>,
}

impl Database {
    /// Opens the file at `path`, making it where it is missing, for rows of any scope.
    pub fn open(path: &Path, schema: &'static Schema) -> Result<Self, DatabaseError> {
        Self::open_file(path, schema, None)
    }

    /// Opens the file at `path`, making it where it is missing, for the rows of one scope: those of
    /// another are neither written nor pulled, so that no query has to leave them out.
    pub fn open_for(
        path: &Path,
        schema: &'static Schema,
        scope: &str,
    ) -> Result<Self, DatabaseError> {
        Self::open_file(path, schema, Some(scope.to_owned()))
    }

    fn open_file(
        path: &Path,
        schema: &'static Schema,
        scope: Option<String>,
    ) -> Result<Self, DatabaseError> {
        schema.check()?;
        if schema.is_fastest() {
            // Its rows need packs: `Device` is their door.
            return Err(SchemaError::Owner(schema.owner).into());
        }
        let mut replica = Replica::open(path, schema)?;
        if !replica.read().is_introduced()? {
            replica.write(|session| session.introduce_file(scope.as_deref()))?;
        }
        let held = replica.read().file_scope()?;
        match held == scope {
            true => Ok(Self { path: path.to_owned(), replica, scope }),
            false => {
                let path = path.to_owned();
                Err(DatabaseError::OtherScope { path, held, asked: scope })
            }
        }
    }

    /// Writes a row, whether or not one of its key is there, and queues it for the primary. Its scope
    /// is the one that its table declares.
    pub fn save<R: Row>(&mut self, row: &R) -> Result<(), DatabaseError> {
        let held = self.scope.as_deref();
        self.replica.write(|session| {
            session.check_table(R::TABLE)?;
            let values = try_values_of(row)
                .map_err(|source| WriteError::Unwritable { table: R::TABLE.name, source })?;
            Ok(session.write_row(held, R::TABLE, &values)?)
        })
    }

    /// Writes a new row, its absent columns by their defaults, and gives it back.
    pub fn insert<R: Row>(&mut self, new: &R::New) -> Result<R, DatabaseError> {
        let held = self.scope.as_deref();
        self.replica.write(|session| {
            session.check_table(R::TABLE)?;
            let given = named_values(new)
                .map_err(|source| WriteError::Unwritable { table: R::TABLE.name, source })?;
            Ok(decode(session.insert_row(held, R::TABLE, &given)?)?)
        })
    }

    /// Deletes a row, and what refers to it as its foreign keys declare. Gives whether it was there.
    pub fn delete<R: Row>(&mut self, key: &str) -> Result<bool, DatabaseError> {
        let held = self.scope.as_deref();
        self.replica.write(|session| {
            session.check_table(R::TABLE)?;
            Ok(session.delete_row(held, R::TABLE, key)?)
        })
    }

    /// The row of this key.
    pub fn get<R: Row>(&self, key: &str) -> Result<Option<R>, DatabaseError> {
        let session = self.replica.read();
        session.check_table(R::TABLE)?;
        Ok(session.row(key)?)
    }

    /// Every row of a table, by key.
    pub fn all<R: Row>(&self) -> Result<Vec<R>, DatabaseError> {
        let session = self.replica.read();
        session.check_table(R::TABLE)?;
        Ok(session.rows_where(None)?)
    }

    /// The rows whose `column`, one of the constants of the row's type, holds `value`; by key.
    pub fn find<R: Row>(
        &self,
        column: &str,
        value: impl Into<Value>,
    ) -> Result<Vec<R>, DatabaseError> {
        let session = self.replica.read();
        session.check_table(R::TABLE)?;
        if R::TABLE.column(column).is_none() {
            let (table, column) = (R::TABLE.name, column.to_owned());
            return Err(DatabaseError::NoColumn { table, column });
        }
        let value = value.into();
        // Bound to a statement it would be null, and find what has no value.
        if value.is_nan() {
            return Ok(Vec::new());
        }
        Ok(session.rows_where(Some((column, &value)))?)
    }

    /// The file, open for reading alone: for joins, counts and whatever else SQL can say.
    pub fn connection(&self) -> Result<Connection, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(crate::sqlite::BUSY_TIMEOUT)?;
            Ok(connection)
        });
        connection.map_err(|source| self.replica.read().failed(source).into())
    }

    /// Sends what waits in a scope to the primary. A delete waits until what it takes along in other
    /// scopes has been sent.
    pub async fn push(&mut self, remote: &Remote, scope: &str) -> Result<Pushed, DatabaseError> {
        self.check_scope(scope)?;
        let _lock = self.lock_push().await?;
        Ok(push_alone(&mut self.replica, None, remote, scope).await?)
    }

    /// Sends all that waits; of a file for one scope, that one's.
    pub async fn push_all(&mut self, remote: &Remote) -> Result<(), DatabaseError> {
        let scopes = match &self.scope {
            Some(scope) => vec![scope.clone()],
            None => self.waiting()?,
        };
        for scope in scopes {
            self.push(remote, &scope).await?;
        }
        // Deletes that had to wait for another scope, once for each generation of what they take.
        let mut waiting = self.replica.read().waiting_deletes()?;
        while waiting > 0 && self.scope.is_none() {
            for scope in self.waiting()? {
                self.push(remote, &scope).await?;
            }
            let left = self.replica.read().waiting_deletes()?;
            if left >= waiting {
                break;
            }
            waiting = left;
        }
        Ok(())
    }

    /// Brings the rows of a scope up to date with the primary.
    pub async fn pull(&mut self, remote: &Remote, scope: &str) -> Result<Pulled, DatabaseError> {
        self.check_scope(scope)?;
        Ok(pull_scope(&mut self.replica, None, remote, scope).await?)
    }

    /// Brings the rows of every scope that the file holds up to date; of a file for one scope, that
    /// one's.
    pub async fn pull_all(&mut self, remote: &Remote) -> Result<(), DatabaseError> {
        let scopes = match &self.scope {
            Some(scope) => vec![scope.clone()],
            None => self.replica.read().scopes()?,
        };
        for scope in scopes {
            self.pull(remote, &scope).await?;
        }
        Ok(())
    }

    /// The scopes in which something waits for the primary, the longest waiting first.
    pub fn waiting(&self) -> Result<Vec<String>, DatabaseError> {
        Ok(self.replica.read().waiting_scopes()?)
    }

    /// Rows that this device and the primary changed, each in its own way, the oldest first. The
    /// primary's stand, and both versions are kept until [`Database::resolve`] settles them.
    pub fn conflicts(&self) -> Result<Vec<RowConflict>, DatabaseError> {
        Ok(self.replica.read().conflicts(None)?)
    }

    /// Rows that the primary has and this device cannot keep, since a value there does not fit its
    /// column. They stay here as they were, and what was written to them waits, until they are mended
    /// on the primary and pulled.
    pub fn held(&self) -> Result<Vec<HeldRow>, DatabaseError> {
        Ok(self.replica.read().held(None)?)
    }

    /// Settles a conflict, which is named by its id or the beginning of one. A choice is a write like
    /// any other: it is checked alike, and goes out with the next push.
    pub fn resolve(
        &mut self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, DatabaseError> {
        self.replica.write(|session| match session.resolve(id, resolution) {
            Err(SyncError::Write(error)) => Err(error.into()),
            settled => Ok(settled?),
        })
    }

    fn check_scope(&self, scope: &str) -> Result<(), DatabaseError> {
        match &self.scope {
            Some(held) if held != scope => {
                let (path, asked) = (self.path.clone(), Some(scope.to_owned()));
                Err(DatabaseError::OtherScope { path, held: Some(held.clone()), asked })
            }
            _ => Ok(()),
        }
    }

    /// Waits for other pushes from this file, without holding up what else runs on the thread.
    async fn lock_push(&self) -> Result<File, SyncError> {
        let mut name = self.path.clone().into_os_string();
        name.push("-push.lock");
        let path = PathBuf::from(name);
        let began = Instant::now();
        let mut is_told = false;
        loop {
            if let Some(lock) = waiting::try_lock(&path)? {
                return Ok(lock);
            }
            if !is_told && began.elapsed() > TELL_AFTER {
                let what = format!("the turn to push from {}", self.path.display());
                waiting::tell(&waiting::waiting(&path, &what));
                is_told = true;
            }
            tokio::time::sleep(LOCK_ASKED_EVERY).await;
        }
    }
}

impl Session<'_> {
    fn is_introduced(&self) -> Result<bool, ReplicaError> {
        Ok(self.get::<i64>("SELECT 1 FROM fastest_local_device", [])?.is_some())
    }

    /// Gives the file its device id and its scope, the first time.
    fn introduce_file(&self, scope: Option<&str>) -> Result<(), ReplicaError> {
        if self.is_introduced()? {
            return Ok(());
        }
        self.run("UPDATE fastest_local_schema SET scope = ?1", params![scope])?;
        // Who the user is, is the application's own affair.
        let sql = "INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, ?1, '')";
        self.run(sql, [clock::new_id()]).map(drop)
    }

    /// The one scope that the file is for.
    pub(crate) fn file_scope(&self) -> Result<Option<String>, ReplicaError> {
        Ok(self.get::<Option<String>>("SELECT scope FROM fastest_local_schema", [])?.flatten())
    }
}
