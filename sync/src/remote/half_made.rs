//! Finishes a primary whose first set-up was cut short, and tells it from one that an older version
//! made.
//!
//! Each migration is applied as a whole or not at all. If the first push is killed between two of
//! them, the primary has only the first ones, as if an older version had made it. The difference is
//! whether the primary is in use. If no table has a row, except those that the engine fills itself,
//! the primary is unused, like an empty database, and the first device decides its version. If a
//! table has a row, the primary is in use, and its owner decides when it is migrated.
//!
//! The check and the migration are one transaction, so that a row that is written in between is not
//! missed.

use fastest_schema::{Migration, statements};

use crate::remote::cause::Cause;
use crate::remote::primary::{Primary, PrimaryError, ask_list};

/// Lists the tables in which a row means that the primary is in use: all except virtual tables and
/// those of SQLite, of Cloudflare and of the engine. Two of the engine's count as well, because
/// they never become empty again: `fastest_changes` has a row after the first write to a synced
/// table, and `fastest_pushes` after the first push.
const USAGE_TABLES: &str = "SELECT ?1, (SELECT json_group_array(name) FROM sqlite_master
  WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'
    AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations'
    AND (name NOT GLOB 'fastest_*' OR name IN ('fastest_changes', 'fastest_pushes')))";

/// Applies the migrations that a half-made primary lacks. Returns `false` at the first one that
/// finds the primary in use: then an older version made it.
pub(crate) async fn finish(
    primary: &dyn Primary,
    lacked: &[Migration],
) -> Result<bool, PrimaryError> {
    for Migration { name, sql } in lacked {
        // An application's migration may create, drop and rename tables, so they are listed each time.
        let tables = ask_list(primary, USAGE_TABLES, &primary.world().new_id()).await?;
        let guards: Vec<String> = tables.iter().map(|table| fails_where_used(table)).collect();
        let all: Vec<&str> = guards.iter().map(String::as_str).chain(statements(sql)).collect();
        match primary.migrate(name, &all).await {
            // The error that `fails_where_used` causes.
            Err(PrimaryError::Failed { cause: Cause::IntegerOverflow, .. }) => return Ok(false),
            done => done?,
        }
    }
    Ok(true)
}

/// Returns a statement that fails if a table has a row, which rolls back the transaction.
fn fails_where_used(table: &str) -> String {
    let table = table.replace('"', "\"\"");
    format!("SELECT abs(iif(EXISTS (SELECT 1 FROM \"{table}\"), -9223372036854775808, 0))")
}
