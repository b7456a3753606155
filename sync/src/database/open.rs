//! A file with an application's rows, in tables that the application declares.
//!
//! ```no_run
//! # use fastest_schema::{Migration, Row, Schema, table};
//! # use fastest_sync::remote::secret::NoSecrets;
//! # use fastest_sync::{Database, Remote, World};
//! /// A note that a team shares.
//! #[table(name = "notes", policy = versioned("notes are edited on any device"), scope = team)]
//! pub struct Note {
//!     /// ULID.
//!     #[pk]
//!     pub id: String,
//!     /// The team that owns it.
//!     pub team: String,
//!     /// The text.
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
//! let remote = Remote::to("file:///srv/notes.db", &NoSecrets, World::system())?;
//! fastest_sync::migrate(&*remote.primary, &NOTES).await?;
//! let mut db = Database::open_for("notes.db".as_ref(), &NOTES, "team-1", World::system())?;
//! db.save(&Note { id: "n1".into(), team: "team-1".into(), text: "milk".into() })?;
//! db.push_all(&remote).await?;
//! db.pull_all(&remote).await?;
//! assert_eq!(db.find::<Note>(Note::TEXT, "milk")?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Reads and writes are local, and need no network. Any number of processes may use one file at once.
//! One of them pushes at a time, and the others wait for it. The asynchronous methods need a tokio
//! runtime.
//!
//! Writes that belong together go into one transaction ([`Database::transaction`]), which reaches
//! the primary as a whole. Transactions are sent in the order in which they were written, across
//! all scopes. A transaction that writes to a row of a transaction that is still queued is joined
//! with it. So a row that every transaction writes, such as a counter, ties all of them together,
//! and a refused one holds up the others. A row that another device changed meanwhile is merged, as
//! it is outside of a transaction. Where both changed the same column, the primary's value is used,
//! the conflict is kept ([`Database::conflicts`]), and the rest of the transaction is sent.
//!
//! A write is checked as far as this device can know ([`WriteError`]). The primary may still refuse it,
//! for example because a unique value was taken by another device. Then the transaction is set aside with
//! the row, the column and the primary's reason ([`Database::refused`]), and everything that does not
//! depend on it is sent. Once one of its rows is written again, the next push tries it again. It can also
//! be retried unchanged, or dropped.
//!
//! A row that releases a unique value is sent before the row that takes it, also within one
//! statement. In a cycle, such as two rows that swap names, no order works: push one of them with a
//! third name first.
//!
//! Values arrive as they were written, reals bit by bit. NaN is refused, because SQLite would store null.
//! If someone writes a value on the primary that does not fit its column, that row is held back
//! ([`Database::held`]), and all others arrive.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastest_schema::record::model::{Record, TableRecord};
use fastest_schema::{FASTEST, Migration, Row, Schema, SchemaError, ScopeId, Table, Value};
use rusqlite::{Connection, OpenFlags};

use crate::base::own_thread::OwnThread;
use crate::base::rules::Rules;
use crate::base::sqlite::{BUSY_TIMEOUT, words};
use crate::base::waiting::{self, TELL_AFTER};
use crate::base::world::World;
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

/// How often to check whether another process has finished its push.
const LOCK_ASKED_EVERY: Duration = Duration::from_millis(20);

impl DatabaseError {
    /// Whether the primary was unreachable. Writes stay queued, and the same call may succeed
    /// later.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Sync(error) if error.is_unreachable())
    }
}

/// The error of a transaction that was not written.
enum Failed<E> {
    /// The caller's work failed.
    Work(E),
    /// The database failed.
    Database(DatabaseError),
}

impl<E> From<ReplicaError> for Failed<E> {
    fn from(error: ReplicaError) -> Self {
        Self::Database(error.into())
    }
}

/// The rows of an application on this device.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    replica: OwnThread<Replica>,
    /// The file's scope; `None` if it may hold rows of any scope.
    scope: Option<ScopeId>,
}

impl Database {
    /// Opens the file at `path` for rows of any scope, and creates it if it is missing. Times and
    /// ids come from `world`.
    pub fn open(path: &Path, schema: &'static Schema, world: World) -> Result<Self, DatabaseError> {
        Self::open_file(path, schema, None, world)
    }

    /// Opens the file at `path` for the rows of one scope, and creates it if it is missing. Rows of
    /// other scopes are neither written nor pulled, so no query has to filter by scope.
    pub fn open_for(
        path: &Path,
        schema: &'static Schema,
        scope: &str,
        world: World,
    ) -> Result<Self, DatabaseError> {
        Self::open_file(path, schema, Some(ScopeId::from(scope)), world)
    }

    /// Opens a file that an application created, with the schema recorded in the file. Its
    /// conflicts and refused transactions can then be inspected and resolved without the
    /// application.
    ///
    /// # Errors
    ///
    /// Returns [`DatabaseError::Unreadable`], and leaves the file unchanged, if it is not an
    /// application's file or was created by another version.
    pub fn open_recorded(path: &Path, world: World) -> Result<Self, DatabaseError> {
        let (schema, scope) = recorded(path)?;
        Self::open_file(path, schema, scope, world)
    }

    fn open_file(
        path: &Path,
        schema: &'static Schema,
        scope: Option<ScopeId>,
        world: World,
    ) -> Result<Self, DatabaseError> {
        schema.check()?;
        if Rules::of(schema).has_engine_tables {
            // Its rows need packs: they are accessed through `Device`.
            return Err(SchemaError::Owner(schema.owner).into());
        }
        let mut replica = Replica::open(path, schema, world)?;
        if !DeviceRow(replica.read()).is_introduced()? {
            replica.write(|session| introduce(session, scope.as_ref()))?;
        }
        let held = SchemaRow(replica.read()).scope()?;
        if held == scope {
            Ok(Self { path: path.to_owned(), replica: OwnThread::new(replica), scope })
        } else {
            let path = path.to_owned();
            Err(DatabaseError::OtherScope { path, held, asked: scope })
        }
    }

    /// Runs several writes as one: they are applied together here or, if `work` fails, not at all.
    /// The primary, too, accepts them together or refuses them together ([`Database::refused`]).
    ///
    /// If another transaction that is still queued has one of the rows, both are joined, up to 1
    /// MB. Beyond that, the earlier one is sent first, without the row.
    pub fn transaction<T, E: From<DatabaseError>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let scope = self.scope.as_ref();
        let done = self.replica.lock().write(|session| {
            let begun = Outbox(session).last_revision()?;
            let done = work(&Transaction::new(session, scope)).map_err(Failed::Work)?;
            join_since(session, begun).map_err(|error| Failed::Database(error.into()))?;
            Ok(done)
        });
        done.map_err(|failed| match failed {
            Failed::Work(error) => error,
            Failed::Database(error) => error.into(),
        })
    }

    /// Inserts or updates a row, and queues it for the primary. Its scope is the one that its table
    /// declares.
    pub fn save<R: Row>(&mut self, row: &R) -> Result<(), DatabaseError> {
        self.transaction(|tx| tx.save(row))
    }

    /// Inserts a new row, with defaults for absent columns, and returns it.
    pub fn insert<R: Row>(&mut self, new: &R::New) -> Result<R, DatabaseError> {
        self.transaction(|tx| tx.insert(new))
    }

    /// Deletes a row, and the rows that refer to it as their foreign keys declare. Returns whether
    /// the row was there. If there are more rows than one statement can hold, they are sent in
    /// several, children first.
    pub fn delete<R: Row>(&mut self, key: &str) -> Result<bool, DatabaseError> {
        let scope = self.scope.as_ref();
        self.replica.lock().write(|session| {
            let begun = Outbox(session).last_revision()?;
            let was_there = Transaction::new(session, scope).delete::<R>(key)?;
            join_or_part(session, begun)?;
            Ok(was_there)
        })
    }

    /// Returns the row with this key.
    pub fn get<R: Row>(&self, key: &str) -> Result<Option<R>, DatabaseError> {
        self.read(|rows| rows.get(key))
    }

    /// Returns every row of a table, ordered by key.
    pub fn all<R: Row>(&self) -> Result<Vec<R>, DatabaseError> {
        self.read(|rows| rows.all())
    }

    /// Returns the rows whose `column` holds `value`, ordered by key. Columns are named by
    /// constants of the row's type.
    pub fn find<R: Row>(
        &self,
        column: &str,
        value: impl Into<Value>,
    ) -> Result<Vec<R>, DatabaseError> {
        self.read(|rows| rows.find(column, value))
    }

    /// Reads outside of a transaction, each statement on its own.
    fn read<T>(&self, read: impl FnOnce(Transaction<'_>) -> T) -> T {
        read(Transaction::new(self.replica.lock().read(), self.scope.as_ref()))
    }

    /// Opens the file for reading only: for joins, counts and other queries in SQL.
    pub fn connection(&self) -> Result<Connection, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).and_then(|connection| {
            connection.busy_timeout(BUSY_TIMEOUT)?;
            Ok(connection)
        });
        connection.map_err(|source| self.replica.lock().read().failed(source).into())
    }

    /// Sends the queued rows of a scope to the primary, together with the other rows of the same
    /// transactions. A transaction that depends on a queued one of another scope stays queued until
    /// that one was sent.
    pub async fn push(&mut self, remote: &Remote, scope: &str) -> Result<Pushed, DatabaseError> {
        let scope = ScopeId::from(scope);
        self.check_scope(&scope)?;
        self.push_some(remote, Some(scope)).await
    }

    /// Sends everything that is queued. Transactions that the primary refuses are named in the
    /// result and stay ([`Database::refused`]); all others are sent.
    pub async fn push_all(&mut self, remote: &Remote) -> Result<Pushed, DatabaseError> {
        self.push_some(remote, self.scope.clone()).await
    }

    async fn push_some(
        &mut self,
        remote: &Remote,
        scope: Option<ScopeId>,
    ) -> Result<Pushed, DatabaseError> {
        let (path, remote) = (self.path.clone(), remote.clone());
        let push = async move |replica: &mut Replica| {
            let _lock = lock_push(&path, replica.world()).await?;
            Ok(push_locked(replica, None, &remote, scope.as_ref()).await?)
        };
        self.replica.run(push).await
    }

    /// Brings the rows of a scope up to date with the primary.
    pub async fn pull(&mut self, remote: &Remote, scope: &str) -> Result<Pulled, DatabaseError> {
        let scope = ScopeId::from(scope);
        self.check_scope(&scope)?;
        self.pull_some(remote, Some(scope)).await
    }

    /// Brings the rows of every scope that the file holds up to date; of a file for one scope, only
    /// that one's. Returns the sum over the scopes. A new file for any scope holds none yet: pull
    /// each by its name first ([`Database::pull`]).
    pub async fn pull_all(&mut self, remote: &Remote) -> Result<Pulled, DatabaseError> {
        self.pull_some(remote, self.scope.clone()).await
    }

    async fn pull_some(
        &mut self,
        remote: &Remote,
        scope: Option<ScopeId>,
    ) -> Result<Pulled, DatabaseError> {
        let remote = remote.clone();
        let pull = async move |replica: &mut Replica| {
            let scopes = match scope {
                Some(scope) => vec![scope],
                None => Scopes(replica.read()).held()?,
            };
            let mut all = Pulled::default();
            for scope in scopes {
                let pulled = pull_scope(replica, None, &remote, &scope).await?;
                all.changes += pulled.changes;
                all.primary_went_back |= pulled.primary_went_back;
                all.behind = pulled.behind.or(all.behind);
            }
            Ok(all)
        };
        self.replica.run(pull).await
    }

    /// Returns the scopes that have queued rows, the one with the oldest first.
    pub fn waiting(&self) -> Result<Vec<String>, DatabaseError> {
        Ok(Outbox(self.replica.lock().read()).scopes()?.into_iter().map(String::from).collect())
    }

    /// Returns the rows that this device and the primary changed differently, the oldest first. The
    /// primary's version is used, and both are kept until [`Database::resolve`] resolves the
    /// conflict.
    pub fn conflicts(&self) -> Result<Vec<RowConflict>, DatabaseError> {
        Ok(Resolver(self.replica.lock().read()).conflicts(None)?)
    }

    /// Returns the rows that the primary has and this device cannot store, because a value does not
    /// fit its column. Here they stay as they were, and writes to them wait, until they are
    /// corrected on the primary and pulled.
    pub fn held(&self) -> Result<Vec<HeldRow>, DatabaseError> {
        Ok(Held(self.replica.lock().read()).of(None)?)
    }

    /// Returns the transactions that the primary refused, in the order in which they were written.
    /// They wait until one of their rows is written again, here or on the primary, or until they
    /// are retried or dropped.
    pub fn refused(&self) -> Result<Vec<RefusedTransaction>, DatabaseError> {
        Ok(Outbox(self.replica.lock().read()).refused()?)
    }

    /// Lets the next push try a refused transaction again, in case the primary accepts it by now.
    pub fn retry_refused(&mut self, id: i64) -> Result<(), DatabaseError> {
        Ok(self.replica.lock().write(|session| refused::retry(session, id))?)
    }

    /// Lets the next push try all refused transactions again.
    pub fn retry_all_refused(&mut self) -> Result<(), DatabaseError> {
        Ok(self.replica.lock().write(|session| Refused(session).retry_all())?)
    }

    /// Reverts the writes of a refused transaction: its rows become what the primary was last known
    /// to have. Returns the dropped transaction.
    pub fn drop_refused(&mut self, id: i64) -> Result<RefusedTransaction, DatabaseError> {
        Ok(self.replica.lock().write(|session| refused::drop(session, id))?)
    }

    /// Resolves a conflict, named by its id or a prefix of one. The choice is a write like any
    /// other: it is checked in the same way, and sent with the next push.
    pub fn resolve(
        &mut self,
        id: &str,
        resolution: &Resolution,
    ) -> Result<ResolveReport, DatabaseError> {
        self.replica.lock().write(|session| {
            let begun = Outbox(session).last_revision()?;
            let settled = match Resolver(session).resolve(id, resolution) {
                Err(ResolveError::Write(error)) => return Err(error.into()),
                settled => settled.map_err(SyncError::from)?,
            };
            join_or_part(session, begun)?;
            Ok(settled)
        })
    }

    fn check_scope(&self, scope: &ScopeId) -> Result<(), DatabaseError> {
        match &self.scope {
            Some(held) if held != scope => {
                let (path, asked) = (self.path.clone(), Some(scope.to_owned()));
                Err(DatabaseError::OtherScope { path, held: Some(held.clone()), asked })
            }
            _ => Ok(()),
        }
    }
}

/// Waits for other pushes from this file, without blocking the thread.
async fn lock_push(database: &Path, world: &World) -> Result<File, SyncError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-push.lock");
    let path = PathBuf::from(name);
    let stopwatch = world.stopwatch();
    let mut is_told = false;
    loop {
        if let Some(lock) = waiting::try_lock(&path)? {
            return Ok(lock);
        }
        if !is_told && stopwatch.passed() > TELL_AFTER {
            let what = format!("the turn to push from {}", database.display());
            waiting::tell(&waiting::waiting(&path, &what));
            is_told = true;
        }
        world.wait(LOCK_ASKED_EVERY).await;
    }
}

/// Joins all rows written since revision `begun` into one transaction, unless that would be too
/// large.
fn join_or_part(session: Session<'_>, begun: i64) -> Result<(), DatabaseError> {
    match join_since(session, begun) {
        Err(WriteError::TransactionTooLarge { .. }) => Ok(()),
        joined => Ok(joined?),
    }
}

/// Returns the schema that a file records, and the scope that it is for.
fn recorded(path: &Path) -> Result<(&'static Schema, Option<ScopeId>), DatabaseError> {
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
    // Opening the file would migrate it if this build recorded the schema differently.
    if declared(&schema) == record {
        Ok((Box::leak(Box::new(schema)), scope))
    } else {
        Err(unreadable("another version has made it: open it with its application's own"))
    }
}

/// Assigns a new file its device id and its scope.
fn introduce(session: Session<'_>, scope: Option<&ScopeId>) -> Result<(), ReplicaError> {
    if DeviceRow(session).introduce_file()? {
        SchemaRow(session).set_scope(scope)?;
    }
    Ok(())
}
