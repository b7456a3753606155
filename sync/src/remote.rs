//! The remote of a device: its primary, and where large packs go.

use std::path::{Path, PathBuf};

use fastest_schema::{D1_MIGRATIONS_DDL, migrations, statements};
use rusqlite::params;

use crate::embedded::Embedded;
use crate::pack_store::{Directory, PackStore};
use crate::primary::{Primary, PrimaryError};
use crate::push_plan::LargePacks;
use crate::replica::{ReplicaError, Session};

/// What a device remembers of its remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteState {
    /// The address that the user set; without one, the primary lies in the device's store.
    pub url: Option<String>,
    /// Whether packs of any size go into rows of the primary.
    pub inline_packs: bool,
    /// The primary's epoch, once it has answered.
    pub epoch: Option<String>,
    /// The last push that it accepted from here.
    pub last_push_id: Option<String>,
}

/// An open remote.
pub struct Remote {
    /// The database that orders writes.
    pub primary: Box<dyn Primary>,
    /// Where packs lie that are not in its rows.
    pub packs: Box<dyn PackStore>,
    /// Where large packs are put.
    pub large: LargePacks,
}

impl Remote {
    /// The remote that `state` describes, for the device whose store is in `store_dir`.
    pub fn open(state: &RemoteState, store_dir: &Path) -> Result<Self, PrimaryError> {
        let (path, own) = match &state.url {
            Some(url) => (file_path(url)?, false),
            None => (store_dir.join("primary").join("primary.db"), true),
        };
        let large = if state.inline_packs { LargePacks::Rows } else { LargePacks::Stored };
        let packs = Directory::new(&packs_dir(&path), own);
        // The one in the store goes with the store; another one has answered before.
        let primary = match state.epoch.is_some() && !own {
            true => Embedded::existing(&path),
            false => Embedded::new(&path),
        };
        Ok(Self { primary: Box::new(primary), packs: Box::new(packs), large })
    }
}

/// The folder of packs beside a primary's file.
pub fn packs_dir(primary: &Path) -> PathBuf {
    let mut name = primary.file_name().unwrap_or_default().to_owned();
    name.push(".packs");
    primary.with_file_name(name)
}

/// The path in a `file://` address.
pub fn file_path(url: &str) -> Result<PathBuf, PrimaryError> {
    let bad = |reason: &str| PrimaryError::BadUrl { url: url.to_owned(), reason: reason.into() };
    let parsed = url::Url::parse(url)
        .map_err(|_| bad("write file:///path/to/primary.db, with an absolute path"))?;
    if parsed.scheme() != "file" {
        return Err(bad("this version syncs with file:// primaries only"));
    }
    let path = parsed.to_file_path().map_err(|()| bad("the path must be absolute"))?;
    match path.file_name() {
        Some(_) if !path.is_dir() && !url.ends_with('/') => Ok(path),
        _ => Err(bad("it names a folder; name the database file in it")),
    }
}

/// Brings a primary up to date: every migration that it lacks, in order, each whole or not at all.
pub async fn migrate(primary: &dyn Primary) -> Result<(), PrimaryError> {
    primary.run(D1_MIGRATIONS_DDL, &[]).await?;
    let applied = primary.run("SELECT name FROM d1_migrations ORDER BY name", &[]).await?;
    let applied: Vec<String> = applied.into_iter().flatten().flatten().collect();
    check_migration(primary, applied.last().map(String::as_str))?;
    for migration in migrations() {
        if !applied.iter().any(|name| name == migration.name) {
            let statements: Vec<&str> = statements(migration.sql).collect();
            primary.migrate(migration.name, &statements).await?;
        }
    }
    Ok(())
}

/// Refuses a primary whose last migration this build does not know.
pub fn check_migration(primary: &dyn Primary, last: Option<&str>) -> Result<(), PrimaryError> {
    match last {
        Some(last) if migrations().iter().all(|migration| migration.name != last) => {
            Err(PrimaryError::Newer { url: primary.url().to_owned(), found: last.to_owned() })
        }
        _ => Ok(()),
    }
}

impl Session<'_> {
    /// What the device remembers of its remote.
    pub fn remote(&self) -> Result<RemoteState, ReplicaError> {
        let sql = "SELECT url, inline_packs, epoch, last_push_id FROM fastest_local_remote";
        let mut found = self.all(sql, [], |row| {
            Ok(RemoteState {
                url: row.get(0)?,
                inline_packs: row.get(1)?,
                epoch: row.get(2)?,
                last_push_id: row.get(3)?,
            })
        })?;
        Ok(found.pop().unwrap_or_default())
    }

    pub(crate) fn put_remote(&self, remote: &RemoteState) -> Result<(), ReplicaError> {
        self.run(
            "INSERT OR REPLACE INTO fastest_local_remote(one, url, inline_packs, epoch, last_push_id)
             VALUES (1, ?1, ?2, ?3, ?4)",
            params![remote.url, remote.inline_packs, remote.epoch, remote.last_push_id],
        )?;
        Ok(())
    }
}
