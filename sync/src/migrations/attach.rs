//! Removes the engine's triggers while another tool rebuilds its tables.
//!
//! Such a tool drops a table and renames another to its name. SQLite refuses that while triggers
//! read the table, or drops them with it. So the triggers are removed before, and created again
//! afterwards.

use fastest_schema::adopt::changed::changed;
use fastest_schema::adopt::error::AdoptError;
use fastest_schema::adopt::rebuild::{hold_sql, release_sql};

use crate::migrations::check::live;
use crate::migrations::error::MigrationsError;
use crate::migrations::source::Source;
use crate::remote::primary::Primary;

/// Removes the engine's triggers. Until [`attach`], pushes are refused, and devices do not learn of
/// writes.
pub async fn detach(primary: &dyn Primary, source: &Source) -> Result<(), MigrationsError> {
    run_whole(primary, release_sql(&source.record)).await
}

/// Creates the engine's triggers again, and marks the rows that changed in the meantime, so that
/// devices pull them. Refuses tables that differ from their record, because a trigger on a missing
/// column would make each of the application's own writes fail.
pub async fn attach(primary: &dyn Primary, source: &Source) -> Result<(), MigrationsError> {
    let refused = changed(&live(primary).await?, &source.record.tables);
    if !refused.is_empty() {
        return Err(AdoptError::all(refused).into());
    }
    let statements = release_sql(&source.record).into_iter().chain(hold_sql(&source.record));
    run_whole(primary, statements.collect()).await
}

/// The prefix of the names under which these runs are recorded. [`Primary::migrate`] records each
/// run, and runs no name twice.
const RECORDED: &str = "attached ";

/// Runs statements, all or none, and deletes the records of earlier such runs.
async fn run_whole(primary: &dyn Primary, statements: Vec<String>) -> Result<(), MigrationsError> {
    let forget = format!("DELETE FROM d1_migrations WHERE name GLOB '{RECORDED}*'");
    let texts: Vec<&str> =
        [forget.as_str()].into_iter().chain(statements.iter().map(String::as_str)).collect();
    Ok(primary.migrate(&format!("{RECORDED}{}", primary.world().new_id()), &texts).await?)
}
