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
//! What belongs together is written in one transaction ([`Database::transaction`]), and arrives at the
//! primary as one. Transactions go in the order in which they were written, of all scopes alike. One that
//! writes to a row which waits from another becomes one with it: a row that every transaction writes, such
//! as a counter, ties them all together, and one that is refused keeps the others. A row that another
//! device changed meanwhile is merged, as any; where both changed one column, the primary's stands there,
//! the conflict is kept ([`Database::conflicts`]), and the rest of the transaction goes on.
//!
//! What is written is checked as far as this device can know ([`WriteError`]). The primary may still
//! refuse it, since a value that must be unique was taken elsewhere for instance. Then that transaction
//! is set aside with the row, the column and the primary's reason ([`Database::refused`]), and
//! everything that does not need it goes on. Write to one of its rows, and the next push tries it again;
//! or retry it as it is, or drop it.
//!
//! A row that releases a unique value goes before the one that takes it, in the same statement. In a
//! circle, as where two rows swap names, no order works: push one of them with another name in between.
//!
//! A value arrives as it was written, reals bit by bit; NaN is refused, for SQLite would store null.
//! Where someone writes a value on the primary that does not fit its column, the row is held back
//! ([`Database::held`]), and all others arrive.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastest_schema::record::model::{Record, TableRecord};
use fastest_schema::{FASTEST, Migration, Row, Schema, SchemaError, Table, Value};
use rusqlite::{Connection, OpenFlags};

use crate::base::sqlite::{BUSY_TIMEOUT, words};
use crate::base::waiting::{self, TELL_AFTER};
use crate::database::error::DatabaseError;
use crate::database::transaction::Transaction;
use crate::error::SyncError;
use crate::exchange::pull::{Pulled, pull_scope};
use crate::exchange::push::push_locked;
use crate::exchange::push::state::Pushed;
use crate::exchange::refused;
use crate::remote::open::Remote;
use crate::replica::error::ReplicaError;
use crate::replica::layout::LAYOUT_VERSION;
use crate::replica::layout::follow::declared;
use crate::replica::local::device_row::DeviceRow;
use crate::replica::local::held::{Held, HeldRow};
use crate::replica::local::outbox::Outbox;
use crate::replica::local::refused::{Refused, RefusedTransaction};
use crate::replica::local::schema_row::{self, SchemaRow};
use crate::replica::open::Replica;
use crate::replica::scope::Scopes;
use crate::replica::session::Session;
use crate::rows::resolve::{Resolution, ResolveError, ResolveReport, Resolver, RowConflict};
use crate::rows::transactions::join_since;
use crate::rows::write_error::WriteError;

/// How often to ask whether another process has ended its push.
const LOCK_ASKED_EVERY: Duration = Duration::from_millis(20);

impl DatabaseError {
    /// Whether what was written waits, and a later try may succeed without anything being mended.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Sync(error) if error.is_unreachable())
    }
}

/// Why a transaction was not written.
enum Failed<E> {
    /// What it was to do failed.
    Work(E),
    /// The file did not take it.
    Own(DatabaseError),
}

impl<E> From<ReplicaError> for Failed<E> {
    fn from(error: ReplicaError) -> Self {
        Self::Own(error.into())
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

    /// Opens a file that an application made, by what the file says of its tables: to look at what
    /// waits there, without the application.
    ///
    /// # Errors
    ///
    /// [`DatabaseError::Unreadable`] where it is no such file, or one of another version: nothing is
    /// changed in it.
    pub fn open_recorded(path: &Path) -> Result<Self, DatabaseError> {
        let (schema, scope) = recorded(path)?;
        Self::open_file(path, schema, scope)
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
        if !DeviceRow(replica.read()).is_introduced()? {
            replica.write(|session| introduce(session, scope.as_deref()))?;
        }
        let held = SchemaRow(replica.read()).scope()?;
        match held == scope {
            true => Ok(Self { path: path.to_owned(), replica, scope }),
            false => {
                let path = path.to_owned();
                Err(DatabaseError::OtherScope { path, held, asked: scope })
            }
        }
    }

    /// Runs several writes as one: they are here together or, where `work` fails, not at all; and so it
    /// is on the primary, which takes them together or refuses them together ([`Database::refused`]).
    ///
    /// A row that waits already from another transaction makes one of both, up to 1 MB: past that, the
    /// earlier one goes first, without the row.
    pub fn transaction<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let scope = self.scope.as_deref();
        let done = self.replica.write(|session| {
            let begun = Outbox(session).last_revision()?;
            let done = work(&Transaction::new(session, scope)).map_err(Failed::Work)?;
            join_since(session, begun).map_err(|error| Failed::Own(error.into()))?;
            Ok(done)
        });
        done.map_err(|failed| match failed {
            Failed::Work(error) => error,
            Failed::Own(error) => error.into(),
        })
    }

    /// Writes a row, whether or not one of its key is there, and queues it for the primary. Its scope
    /// is the one that its table declares.
    pub fn save<R: Row>(&mut self, row: &R) -> Result<(), DatabaseError> {
        self.transaction(|tx| tx.save(row))
    }

    /// Writes a new row, its absent columns by their defaults, and gives it back.
    pub fn insert<R: Row>(&mut self, new: &R::New) -> Result<R, DatabaseError> {
        self.transaction(|tx| tx.insert(new))
    }

    /// Deletes a row, and what refers to it as its foreign keys declare. Returns whether it was there.
    /// More rows than one statement holds go in several, those first that refer to others.
    pub fn delete<R: Row>(&mut self, key: &str) -> Result<bool, DatabaseError> {
        let scope = self.scope.as_deref();
        self.replica.write(|session| {
            let begun = Outbox(session).last_revision()?;
            let was_there = Transaction::new(session, scope).delete::<R>(key)?;
            join_or_part(session, begun)?;
            Ok(was_there)
        })
    }

    /// The row of this key.
    pub fn get<R: Row>(&self, key: &str) -> Result<Option<R>, DatabaseError> {
        self.reading().get(key)
    }

    /// Every row of a table, by key.
    pub fn all<R: Row>(&self) -> Result<Vec<R>, DatabaseError> {
        self.reading().all()
    }

    /// The rows whose `column`, one of the constants of the row's type, holds `value`; by key.
    pub fn find<R: Row>(
        &self,
        column: &str,
        value: impl Into<Value>,
    ) -> Result<Vec<R>, DatabaseError> {
        self.reading().find(column, value)
    }

    /// What is here, each statement for itself.
    fn reading(&self) -> Transaction<'_> {
        Transaction::new(self.replica.read(), self.scope.as_deref())
    }

    /// The file, open for reading alone: for joins, counts and whatever else SQL can say.
    pub fn connection(&self) -> Result<Connection, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        });
        connection.map_err(|source| self.replica.read().failed(source).into())
    }

    /// Sends what waits in a scope to the primary, with what was written in the same transactions. What
    /// needs something of another scope that waits too stays until that was sent.
    pub async fn push(&mut self, remote: &Remote, scope: &str) -> Result<Pushed, DatabaseError> {
        self.check_scope(scope)?;
        let _lock = lock_push(&self.path).await?;
        Ok(push_locked(&mut self.replica, None, remote, Some(scope)).await?)
    }

    /// Sends all that waits. What the primary refuses is named in the answer, and stays
    /// ([`Database::refused`]); all else goes.
    pub async fn push_all(&mut self, remote: &Remote) -> Result<Pushed, DatabaseError> {
        let _lock = lock_push(&self.path).await?;
        Ok(push_locked(&mut self.replica, None, remote, self.scope.as_deref()).await?)
    }

    /// Brings the rows of a scope up to date with the primary.
    pub async fn pull(&mut self, remote: &Remote, scope: &str) -> Result<Pulled, DatabaseError> {
        self.check_scope(scope)?;
        Ok(pull_scope(&mut self.replica, None, remote, scope).await?)
    }

    /// Brings the rows of every scope that the file holds up to date; of a file for one scope, that
    /// one's. Returns the sum over the scopes.
    pub async fn pull_all(&mut self, remote: &Remote) -> Result<Pulled, DatabaseError> {
        let scopes = match &self.scope {
            Some(scope) => vec![scope.clone()],
            None => Scopes(self.replica.read()).held()?,
        };
        let mut all = Pulled::default();
        for scope in scopes {
            let pulled = self.pull(remote, &scope).await?;
            all.changes += pulled.changes;
            all.primary_went_back |= pulled.primary_went_back;
            all.behind = pulled.behind.or(all.behind);
        }
        Ok(all)
    }

    /// The scopes in which something waits for the primary, the longest waiting first.
    pub fn waiting(&self) -> Result<Vec<String>, DatabaseError> {
        Ok(Outbox(self.replica.read()).scopes()?)
    }

    /// Rows that this device and the primary changed, each in its own way, the oldest first. The
    /// primary's stand, and both versions are kept until [`Database::resolve`] settles them.
    pub fn conflicts(&self) -> Result<Vec<RowConflict>, DatabaseError> {
        Ok(Resolver(self.replica.read()).conflicts(None)?)
    }

    /// Rows that the primary has and this device cannot keep, since a value there does not fit its
    /// column. They stay here as they were, and what was written to them waits, until they are mended
    /// on the primary and pulled.
    pub fn held(&self) -> Result<Vec<HeldRow>, DatabaseError> {
        Ok(Held(self.replica.read()).of(None)?)
    }

    /// Transactions that the primary refused, those that were written first before others. They wait
    /// until a row of theirs is written again, here or on the primary, or until they are tried again or
    /// dropped.
    pub fn refused(&self) -> Result<Vec<RefusedTransaction>, DatabaseError> {
        Ok(Outbox(self.replica.read()).refused()?)
    }

    /// Lets the next push try a refused transaction again, for the primary may take it by now.
    pub fn retry_refused(&mut self, id: i64) -> Result<(), DatabaseError> {
        Ok(self.replica.write(|session| refused::retry(session, id))?)
    }

    /// Lets the next push try all refused transactions again.
    pub fn retry_all_refused(&mut self) -> Result<(), DatabaseError> {
        Ok(self.replica.write(|session| Refused(session).retry_all())?)
    }

    /// Takes back what was written in a refused transaction: its rows are again as the primary was last
    /// seen to have them. Returns what was dropped.
    pub fn drop_refused(&mut self, id: i64) -> Result<RefusedTransaction, DatabaseError> {
        Ok(self.replica.write(|session| refused::drop(session, id))?)
    }

    /// Settles a conflict, which is named by its id or the beginning of one. A choice is a write like
    /// any other: it is checked alike, and goes out with the next push.
    pub fn resolve(
        &mut self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, DatabaseError> {
        self.replica.write(|session| {
            let begun = Outbox(session).last_revision()?;
            let settled = match Resolver(session).resolve(id, resolution) {
                Err(ResolveError::Write(error)) => return Err(error.into()),
                settled => settled.map_err(SyncError::from)?,
            };
            join_or_part(session, begun)?;
            Ok(settled)
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
}

/// Waits for other pushes from this file, without holding up what else runs on the thread.
async fn lock_push(database: &Path) -> Result<File, SyncError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-push.lock");
    let path = PathBuf::from(name);
    let began = Instant::now();
    let mut is_told = false;
    loop {
        if let Some(lock) = waiting::try_lock(&path)? {
            return Ok(lock);
        }
        if !is_told && began.elapsed() > TELL_AFTER {
            let what = format!("the turn to push from {}", database.display());
            waiting::tell(&waiting::waiting(&path, &what));
            is_told = true;
        }
        tokio::time::sleep(LOCK_ASKED_EVERY).await;
    }
}

/// Makes one transaction of what a delete came to, but where that is too large for one.
fn join_or_part(session: Session<'_>, begun: i64) -> Result<(), DatabaseError> {
    match join_since(session, begun) {
        Err(WriteError::TransactionTooLarge { .. }) => Ok(()),
        joined => Ok(joined?),
    }
}

/// The schema of a file by its own record, and the scope that it is for.
fn recorded(path: &Path) -> Result<(&'static Schema, Option<String>), DatabaseError> {
    let unreadable = |why: &str| {
        let (path, why) = (path.to_owned(), why.to_owned());
        DatabaseError::Unreadable { path, why }
    };
    let failed = |error: rusqlite::Error| unreadable(&words(&error));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = Connection::open_with_flags(path, flags).map_err(failed)?;
    file.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    let layout: i64 =
        file.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let is_ours = schema_row::is_there(&file).map_err(failed)?;
    match layout {
        _ if !is_ours => return Err(unreadable("no application has made it with Fastest")),
        ..LAYOUT_VERSION => {
            return Err(unreadable(
                "it is of an older version: let its application open it, built with this one",
            ));
        }
        LAYOUT_VERSION => {}
        _ => return Err(unreadable("it is of a newer version: upgrade")),
    }
    let (record, migration, scope) = schema_row::read(&file).map_err(failed)?;
    let held: Record = serde_json::from_str(&record)
        .map_err(|error| unreadable(&format!("what it says of its tables is damaged: {error}")))?;
    if held.owner == FASTEST.owner {
        return Err(unreadable("it is a store's own: run the command in a project"));
    }
    let tables: Vec<&'static Table> = held.tables.iter().map(TableRecord::leak).collect();
    let migration = migration.map(|name| Migration { name: name.leak(), sql: "" });
    let migrations = Vec::from_iter(migration).leak();
    let schema = Schema { owner: held.owner.leak(), tables: tables.leak(), migrations };
    // Opened, it would be brought to what this build makes of it.
    match declared(&schema) == record {
        true => Ok((Box::leak(Box::new(schema)), scope)),
        false => Err(unreadable("another version has made it: open it with its application's own")),
    }
}

/// Assigns a file its device id and its scope, the first time.
fn introduce(session: Session<'_>, scope: Option<&str>) -> Result<(), ReplicaError> {
    if DeviceRow(session).introduce_file()? {
        SchemaRow(session).set_scope(scope)?;
    }
    Ok(())
}
