//! Makes way for a tool that rebuilds the tables it made.
//!
//! Such a tool drops a table and gives its name to another. SQLite refuses that while triggers read
//! the table, or drops them with it; so they are taken away before, and put back after.

use fastest_schema::adopt::changed::changed;
use fastest_schema::adopt::error::AdoptError;
use fastest_schema::adopt::rebuild::{hold_sql, release_sql};

use crate::base::clock;
use crate::migrations::check::live;
use crate::migrations::error::MigrationsError;
use crate::migrations::source::Source;
use crate::remote::primary::Primary;

/// Takes the engine's triggers away. Until [`attach`], pushes are refused, and devices do not hear of
/// what is written.
pub async fn detach(primary: &dyn Primary, source: &Source) -> Result<(), MigrationsError> {
    run_whole(primary, release_sql(&source.record)).await
}

/// Puts the engine's triggers on the tables again, and tells devices of what became of the rows in the
/// meantime. Refuses tables that are not what their record says: a trigger on a column that is gone would
/// fail each of the application's own writes.
pub async fn attach(primary: &dyn Primary, source: &Source) -> Result<(), MigrationsError> {
    let refused = changed(&live(primary).await?, &source.record.tables);
    if !refused.is_empty() {
        return Err(AdoptError::all(refused).into());
    }
    let statements = release_sql(&source.record).into_iter().chain(hold_sql(&source.record));
    run_whole(primary, statements.collect()).await
}

/// How such runs are recorded: whatever runs as a whole is, and no name is run twice.
const RECORDED: &str = "attached ";

/// Runs statements, all or none. The record of earlier such runs goes.
async fn run_whole(primary: &dyn Primary, statements: Vec<String>) -> Result<(), MigrationsError> {
    let forget = format!("DELETE FROM d1_migrations WHERE name GLOB '{RECORDED}*'");
    let texts: Vec<&str> =
        [forget.as_str()].into_iter().chain(statements.iter().map(String::as_str)).collect();
    Ok(primary.migrate(&format!("{RECORDED}{}", clock::new_id()), &texts).await?)
}
