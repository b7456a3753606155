//! The remote of a device: its primary, and where large packs go.

use std::path::{Path, PathBuf};

use fastest_schema::{
    D1_MIGRATIONS_DDL, Migration, Schema, applied_migrations_sql, engine_sql, statements,
};
use rusqlite::params;

use crate::address::Address;
use crate::clock;
use crate::d1::{self, D1};
use crate::embedded::Embedded;
use crate::error::SyncError;
use crate::guard::Given;
use crate::half_made;
use crate::meter::Meter;
use crate::pack_store::{Directory, NoPackStore, PackAddress, PackStore, PackStoreError, S3};
use crate::primary::{Denial, Primary, PrimaryError, STRAY_ANSWERS_MAX, ask_list};
use crate::push_plan::LargePacks;
use crate::replica::{ReplicaError, Session};
use crate::retry::{RetryPolicy, Retrying};
use crate::secret::{Secret, Secrets};
use crate::turso::LibsqlPrimary;

/// What a device remembers of its remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteState {
    /// The address that the user set; without one, the primary lies in the device's store.
    pub url: Option<String>,
    /// Where packs go that do not travel inline.
    pub packs: Packs,
    /// The primary's epoch, once it has answered.
    pub epoch: Option<String>,
    /// The last push that it accepted from here.
    pub last_push_id: Option<String>,
}

/// Where packs go that are too large to travel inline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Packs {
    /// A folder beside the primary's file; rows of a primary that is no file.
    #[default]
    Default,
    /// Rows of the primary.
    Rows,
    /// The pack store at this address.
    At(String),
}

/// An open remote.
pub struct Remote {
    /// The database that orders writes.
    pub primary: Box<dyn Primary>,
    /// Where packs lie that are not in its rows.
    pub packs: Box<dyn PackStore>,
    /// Where large packs are put.
    pub large: LargePacks,
    /// What both have sent and received.
    pub meter: Meter,
    /// The address of the primary as the device remembers it.
    pub chosen: Option<String>,
}

impl Remote {
    /// The remote that `state` describes, for the device whose store is in `store_dir`. What it is
    /// given of `secrets` is in no error that comes from it.
    pub fn open(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
    ) -> Result<Self, SyncError> {
        Self::open_patiently(state, store_dir, secrets, RetryPolicy::default())
    }

    /// The same, with a patience of the caller's own.
    pub fn open_patiently(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
        policy: RetryPolicy,
    ) -> Result<Self, SyncError> {
        let given = Given::new(secrets);
        match Self::open_unguarded(state, store_dir, &given, policy) {
            Ok(remote) => Ok(given.guard(remote)),
            Err(error) => Err(given.clean_any(error)),
        }
    }

    fn open_unguarded(
        state: &RemoteState,
        store_dir: &Path,
        secrets: &dyn Secrets,
        policy: RetryPolicy,
    ) -> Result<Self, SyncError> {
        let meter = Meter::default();
        let (path, own) = match &state.url {
            Some(url) => match Address::parse(url)? {
                Address::File(path) => (path, false),
                server => {
                    let primary = open_server(server, url, secrets, policy, meter.clone())?;
                    let (packs, large) = pack_store(state, None, secrets, &meter)?;
                    return Ok(Self { primary, packs, large, meter, chosen: Some(url.clone()) });
                }
            },
            None => (store_dir.join("primary").join("primary.db"), true),
        };
        let beside = Directory::beside(&path, own);
        let (packs, large) = pack_store(state, Some(beside), secrets, &meter)?;
        // The one in the store goes with the store; another one has answered before.
        let primary = match state.epoch.is_some() {
            _ if own => Embedded::inside_store(&path),
            true => Embedded::existing(&path),
            false => Embedded::new(&path),
        };
        let primary = Box::new(primary.metered(meter.clone()));
        let chosen = state.url.clone();
        Ok(Self { primary, packs, large, meter, chosen })
    }
}

/// For an application, whose rows have no packs.
impl Remote {
    /// The primary at an address: `file:`, `d1:` or `libsql:`. What it is given of `secrets` is in no
    /// error that comes from it.
    pub fn to(url: &str, secrets: &dyn Secrets) -> Result<Self, SyncError> {
        let (url, packs) = (Some(url.to_owned()), Packs::Rows);
        let state = RemoteState { url, packs, ..RemoteState::default() };
        // Only a primary without an address lies in a store.
        let remote = Self::open(&state, Path::new(""), secrets)?;
        Ok(Self { chosen: None, ..remote })
    }

    /// A primary that is open already.
    pub fn of(primary: Box<dyn Primary>) -> Self {
        let (packs, large) = (Box::new(NoPackStore), LargePacks::Rows);
        Self { primary, packs, large, meter: Meter::default(), chosen: None }
    }
}

const D1_TOKEN: &str = "CLOUDFLARE_API_TOKEN";
const LIBSQL_TOKEN: &str = "TURSO_AUTH_TOKEN";

/// The primary at an address that is no file's.
fn open_server(
    address: Address,
    url: &str,
    secrets: &dyn Secrets,
    policy: RetryPolicy,
    meter: Meter,
) -> Result<Box<dyn Primary>, PrimaryError> {
    Ok(match address {
        Address::File(path) => Box::new(Embedded::new(&path).metered(meter)),
        Address::D1(address) => {
            let (token, problem) = token(secrets, D1_TOKEN, url);
            let primary = D1::new(address, token, meter);
            let primary = primary.map_err(|error| wants_token(error, problem))?;
            Box::new(Retrying::new(primary, policy))
        }
        Address::Libsql(address) => {
            let (token, problem) = token(secrets, LIBSQL_TOKEN, url);
            let primary = LibsqlPrimary::new(address, token, meter)?.without_token_because(problem);
            Box::new(Retrying::new(primary, policy))
        }
    })
}

/// A token, or why there is none: a keyring that cannot be asked holds none.
fn token(secrets: &dyn Secrets, name: &str, url: &str) -> (Option<Secret>, Option<String>) {
    match secrets.get(name, url) {
        Ok(token) => (token, None),
        Err(problem) => (None, Some(format!("there is no {name}: {problem}"))),
    }
}

/// Adds to an error that a token is missing what the keyring said.
fn wants_token(error: PrimaryError, problem: Option<String>) -> PrimaryError {
    match (error, problem) {
        (PrimaryError::Denied { url, denial: Denial::NoToken, .. }, Some(message)) => {
            PrimaryError::Denied { url, denial: Denial::NoToken, message }
        }
        (error, _) => error,
    }
}

/// The address with the id of its database in the place of its name, where that can be asked for by
/// now: D1 knows databases by id, and each look-up takes a request.
pub(crate) async fn name_to_id(url: String, secrets: &dyn Secrets) -> Result<String, PrimaryError> {
    let Address::D1(address) = Address::parse(&url)? else { return Ok(url) };
    let (token, _) = token(secrets, D1_TOKEN, &url);
    match d1::resolve(address, token).await {
        Ok(found) => Ok(found.to_text()),
        Err(PrimaryError::Denied { .. } | PrimaryError::Unreachable { .. }) => Ok(url),
        Err(error) => Err(error),
    }
}

/// Where packs lie, and where large ones go: beside a primary that is a file, where nothing else is
/// chosen, and in the rows of one that is none. Small ones travel inline whatever is chosen, and rows
/// that name a pack in a store are read wherever there is one.
fn pack_store(
    state: &RemoteState,
    beside: Option<Directory>,
    secrets: &dyn Secrets,
    meter: &Meter,
) -> Result<(Box<dyn PackStore>, LargePacks), PackStoreError> {
    let url = match (&state.packs, beside) {
        (Packs::At(url), _) => url,
        (_, None) => return Ok((Box::new(NoPackStore), LargePacks::Rows)),
        (Packs::Default, Some(dir)) => return Ok((Box::new(dir), LargePacks::Stored)),
        (Packs::Rows, Some(dir)) => return Ok((Box::new(dir), LargePacks::Rows)),
    };
    let packs: Box<dyn PackStore> = match PackAddress::parse(url)? {
        PackAddress::Directory(dir) => Box::new(Directory::chosen(&dir)),
        PackAddress::S3(address) => Box::new(S3::new(&address, url, secrets, meter.clone())?),
    };
    Ok((packs, LargePacks::Stored))
}

/// The folder of packs beside a primary's file.
pub fn packs_dir(primary: &Path) -> PathBuf {
    let mut name = primary.file_name().unwrap_or_default().to_owned();
    name.push(".packs");
    primary.with_file_name(name)
}

/// Brings a primary up to date: every migration of the schema that it lacks, in order, each whole or
/// not at all. Gives the names of those. Refuses a database that another application's engine holds.
pub async fn migrate(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<Vec<&'static str>, PrimaryError> {
    let lacked = lacked(primary, schema).await?;
    for migration in &lacked {
        let statements: Vec<&str> = statements(migration.sql).collect();
        primary.migrate(migration.name, &statements).await?;
    }
    Ok(lacked.into_iter().map(|migration| migration.name).collect())
}

/// Sets up a primary that lacks the engine's tables or views, or finishes what a set-up that was cut
/// short has left.
///
/// # Errors
/// [`PrimaryError::Behind`] where an older version has set it up, and it is in use: its owner decides
/// when to migrate it.
pub(crate) async fn set_up(primary: &dyn Primary, schema: &Schema) -> Result<(), PrimaryError> {
    let lacked = lacked(primary, schema).await?;
    match lacked.last() {
        Some(last) if lacked.len() < schema.migrations.len() => {
            match half_made::finish(primary, &lacked).await? {
                true => Ok(()),
                false => {
                    Err(PrimaryError::Behind { url: primary.url().to_owned(), needed: last.name })
                }
            }
        }
        None if !schema.migrations.is_empty() => {
            let what = "its migrations are applied, and the engine's views are not there: if they were \
                        detached, run `fastest schema attach`";
            Err(PrimaryError::Occupied { url: primary.url().to_owned(), what: what.to_owned() })
        }
        _ => migrate(primary, schema).await.map(drop),
    }
}

/// The migrations that a primary lacks. Refuses one that is not for this schema, or is past it.
pub(crate) async fn lacked(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<Vec<Migration>, PrimaryError> {
    let engine = engine(primary).await?;
    let ours = ask_list(primary, &applied_migrations_sql(schema), &clock::new_id()).await?;
    let applied = engine.applied(schema, &ours);
    check_migration(primary, schema, applied.last().map(|name| name.as_str()))?;
    if let Some(what) = engine.of_another(schema, &applied) {
        let (url, what) = (primary.url().to_owned(), primary.said(&what));
        return Err(PrimaryError::Occupied { url, what });
    }
    let is_lacked = |migration: &&Migration| applied.iter().all(|name| *name != migration.name);
    Ok(schema.migrations.iter().filter(is_lacked).copied().collect())
}

/// What a primary says of who set it up.
struct Engine {
    /// The engine's tables that are there, of those that tell whose they are.
    tables: Vec<String>,
    /// Names of migrations, of anyone's.
    recorded: Vec<String>,
}

impl Engine {
    /// The migrations of a schema that are recorded: those that this build knows, and those that the
    /// primary takes for its own. Without the engine, what is unknown is none of ours.
    fn applied(&self, schema: &Schema, ours: &[String]) -> Vec<&String> {
        let is_known = |name: &str| schema.migrations.iter().any(|known| known.name == name);
        let is_ours = |name: &String| self.has("fastest_meta") && ours.contains(name);
        self.recorded.iter().filter(|name| is_known(name) || is_ours(name)).collect()
    }

    fn has(&self, name: &str) -> bool {
        self.tables.iter().any(|table| table == name)
    }

    /// Why a database is not one for this schema: what is recorded there and the engine's tables do
    /// not belong together. Without migrations nothing is ours to judge.
    fn of_another(&self, schema: &Schema, applied: &[&String]) -> Option<String> {
        let owner = schema.owner;
        // Fastest's first migration is named as others name theirs.
        let ours = !applied.is_empty() && (self.has("fastest_packs") || !schema.is_fastest());
        match (self.has("fastest_meta"), applied.first()) {
            _ if schema.migrations.is_empty() => None,
            (false, Some(first)) => Some(format!(
                "{first} is recorded in d1_migrations, and the table fastest_meta is not there: \
                 another application made that migration. Use another database for {owner}, or let \
                 the other application record its migrations in another table"
            )),
            (true, _) if !ours => {
                let by = match &self.recorded[..] {
                    [] => "by hand".to_owned(),
                    names => format!("by {}", names.join(", ")),
                };
                Some(format!(
                    "it holds the sync engine of another application, made {by}. Use another \
                     database for {owner}"
                ))
            }
            _ => None,
        }
    }
}

/// Asks a primary who set it up; makes the table that migrations are recorded in.
async fn engine(primary: &dyn Primary) -> Result<Engine, PrimaryError> {
    for _ in 0..STRAY_ANSWERS_MAX {
        primary.run(D1_MIGRATIONS_DDL, &[]).await?;
        match ask_list(primary, engine_sql(), &clock::new_id()).await {
            // What said that it was made was the answer to something else.
            Err(PrimaryError::NotMigrated { .. }) => {}
            answer => {
                let all = answer?.into_iter();
                let (tables, recorded) = all.partition(|name| name.starts_with("fastest_"));
                return Ok(Engine { tables, recorded });
            }
        }
    }
    Err(PrimaryError::stray_answer(primary))
}

/// Refuses a primary that a newer version of an application has migrated, before anything is written:
/// a name may mean something else there by now. Fastest's own migrations only add.
pub(crate) async fn check_not_newer(
    primary: &dyn Primary,
    schema: &Schema,
) -> Result<(), PrimaryError> {
    if schema.is_fastest() || schema.migrations.is_empty() {
        return Ok(());
    }
    match ask_list(primary, &applied_migrations_sql(schema), &clock::new_id()).await {
        Ok(applied) => check_migration(primary, schema, applied.last().map(String::as_str)),
        // The push finds the same, and knows what to do about it.
        Err(PrimaryError::NotMigrated { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Refuses a primary whose last migration of the schema this build does not know.
pub fn check_migration(
    primary: &dyn Primary,
    schema: &Schema,
    last: Option<&str>,
) -> Result<(), PrimaryError> {
    match last {
        Some(last) if schema.migrations.iter().all(|migration| migration.name != last) => {
            let (url, found) = (primary.url().to_owned(), primary.said(last));
            Err(PrimaryError::Newer { url, found })
        }
        _ => Ok(()),
    }
}

impl Session<'_> {
    /// What the device remembers of its remote.
    pub fn remote(&self) -> Result<RemoteState, ReplicaError> {
        let sql = "SELECT url, packs, epoch, last_push_id FROM fastest_local_remote";
        let mut found = self.all(sql, [], |row| {
            Ok(RemoteState {
                url: row.get(0)?,
                packs: Packs::from_cell(row.get(1)?),
                epoch: row.get(2)?,
                last_push_id: row.get(3)?,
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    /// Refuses to go on where the user has chosen another remote in the meantime: what was asked of
    /// the one is not so of the other.
    pub(crate) fn check_remote(&self, remote: &Remote) -> Result<(), SyncError> {
        match self.remote()?.url == remote.chosen {
            true => Ok(()),
            false => Err(SyncError::RemoteChanged),
        }
    }

    pub(crate) fn put_remote(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        self.run(
            "INSERT OR REPLACE INTO
             fastest_local_remote(one, url, packs, epoch, last_push_id)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![remote.url, remote.packs.to_cell(), remote.epoch, remote.last_push_id],
        )?;
        Ok(())
    }
}

impl Packs {
    const ROWS: &str = "rows";

    fn from_cell(cell: Option<String>) -> Self {
        match cell {
            None => Self::Default,
            Some(text) if text == Self::ROWS => Self::Rows,
            Some(url) => Self::At(url),
        }
    }

    /// As the user names it: `default`, `rows`, or the address.
    pub fn name(&self) -> &str {
        self.to_cell().unwrap_or("default")
    }

    fn to_cell(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Rows => Some(Self::ROWS),
            Self::At(url) => Some(url),
        }
    }
}
