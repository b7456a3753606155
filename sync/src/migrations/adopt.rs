//! Adopts tables that another tool maintains, so that they sync.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use fastest_schema::adopt::chosen::{Chosen, adopt as records};
use fastest_schema::adopt::declarations::declarations;
use fastest_schema::adopt::error::AdoptError;
use fastest_schema::adopt::misfits::{misfits, misfits_sql};
use fastest_schema::adopt::notes::notes;
use fastest_schema::migrate::folder::Folder;
use fastest_schema::record::model::TableRecord;
use fastest_schema::{Schema, Table};
use serde::Serialize;

use crate::migrations::check::live;
use crate::migrations::error::MigrationsError;
use crate::migrations::folder;
use crate::migrations::generate::{Generated, NewMigration, generate_locked};
use crate::remote::primary::{Primary, PrimaryError, ask_decoded};

/// The outcome of an adoption: the files that it wrote, and notes for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// The migration.
    #[serde(flatten)]
    pub generated: Generated,
    /// The file with the declarations, in Rust.
    pub declarations: PathBuf,
    /// What devices do not hold or follow, what may refuse a push, and what the application must
    /// observe; one sentence each.
    pub notes: Vec<String>,
}

/// Reads the `chosen` tables of a live database, and writes their declarations and the migration
/// that makes them sync for `owner` to `dir`. The database is only read. Tables that were adopted
/// into the folder before stay adopted.
pub async fn adopt(
    primary: &dyn Primary,
    dir: &Path,
    owner: &str,
    chosen: &[Chosen],
) -> Result<Adopted, MigrationsError> {
    let found = live(primary).await?;
    let earlier = earlier(folder::read(dir)?, chosen);
    let mut tables = records(&found, chosen, &earlier)?;
    let mut refused = Vec::new();
    for table in &tables {
        refused.extend(look_at_values(primary, table).await?);
    }
    if !refused.is_empty() {
        return Err(AdoptError::all(refused).into());
    }
    let notes = notes(&found, &tables, &earlier);
    let _lock = folder::lock(dir)?;
    // Other tables may have been adopted meanwhile.
    tables.extend(self::earlier(folder::read_locked(dir)?, chosen));
    let leaked: Vec<&'static Table> = tables.iter().map(TableRecord::leak).collect();
    let schema = Schema { owner: owner.to_owned().leak(), tables: leaked.leak(), migrations: &[] };
    let names: Vec<&str> = chosen.iter().map(|chosen| chosen.table.as_str()).collect();
    let new = NewMigration { name: file_name(&names), ..NewMigration::default() };
    let generated = generate_locked(dir, &schema, &new, primary.world())?;
    // Named after the migration, because an earlier file of declarations may have been edited
    // since.
    let name = generated.name.as_deref().unwrap_or("adopted.sql");
    let path = dir.join(name).with_extension("rs");
    write_whole(dir, &path, &declarations(&tables))?;
    Ok(Adopted { generated, declarations: path, notes })
}

/// Returns the recorded tables of a folder that are not in `chosen`.
fn earlier(folder: Folder, chosen: &[Chosen]) -> Vec<TableRecord> {
    let mut tables = folder.record.map(|record| record.tables).unwrap_or_default();
    tables.retain(|table| chosen.iter().all(|chosen| chosen.table != table.name));
    tables
}

/// Returns an error for each column with values that devices could not store.
async fn look_at_values(
    primary: &dyn Primary,
    table: &TableRecord,
) -> Result<Vec<AdoptError>, PrimaryError> {
    let sql = misfits_sql(table);
    ask_decoded(primary, &sql, |request, answer| misfits(table, request, answer)).await
}

/// Returns `adopt_` and the tables' names, cut to 50 bytes.
fn file_name(tables: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words: Vec<String> =
        tables.iter().map(|table| table.to_ascii_lowercase().replace(|c| !plain(c), "_")).collect();
    let mut name = format!("adopt_{}", words.join("_"));
    name.truncate(50);
    name
}

fn write_whole(dir: &Path, path: &Path, text: &str) -> Result<(), MigrationsError> {
    let failed = || MigrationsError::io("write", path);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed())?;
    file.write_all(text.as_bytes()).map_err(failed())?;
    file.as_file().sync_all().map_err(failed())?;
    // A file of this name may have been edited, so it is not replaced.
    file.persist_noclobber(path).map_err(|error| failed()(error.error))?;
    folder::sync(dir)
}
