//! A primary whose first set-up was cut short: told from one that an older version made, and finished.
//!
//! Each migration is applied whole or not at all. Where the first push is killed between two of them,
//! the primary holds the first ones only, and looks as an older version leaves it. What tells the two
//! apart is use. A primary in which no table has a row, but for those that the engine fills itself, is
//! nobody's yet, as an empty database is, and whoever comes first decides its version. One with a row is
//! somebody's, and its owner decides when it is migrated.
//!
//! The look and the migration are one transaction: a row that is written in between is not passed over.

use fastest_schema::{Migration, statements};

use crate::base::clock;
use crate::remote::primary::{Primary, PrimaryError, ask_list};

/// The tables that tell of use: all but those of SQLite, of Cloudflare and of the engine, of which the
/// changes and pushes count. Either gets a row with the first write to a table that is synced, and keeps it.
const TELLING_TABLES: &str = "SELECT ?1, (SELECT json_group_array(name) FROM sqlite_master
  WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL TABLE%'
    AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations'
    AND (name NOT GLOB 'fastest_*' OR name IN ('fastest_changes', 'fastest_pushes')))";

/// What SQLite says of the sum that [`fails_where_used`] works out.
const USED: &str = "integer overflow";

/// Applies the migrations that a half-made primary lacks. Gives `false`, and changes nothing, where it is
/// in use: an older version made it.
pub(crate) async fn finish(
    primary: &dyn Primary,
    lacked: &[Migration],
) -> Result<bool, PrimaryError> {
    for Migration { name, sql } in lacked {
        // An application's migration may make, drop and rename tables.
        let tables = ask_list(primary, TELLING_TABLES, &clock::new_id()).await?;
        let guards: Vec<String> = tables.iter().map(|table| fails_where_used(table)).collect();
        let all: Vec<&str> = guards.iter().map(String::as_str).chain(statements(sql)).collect();
        match primary.migrate(name, &all).await {
            Err(PrimaryError::Failed { message, .. }) if message.contains(USED) => {
                return Ok(false);
            }
            done => done?,
        }
    }
    Ok(true)
}

/// A statement that fails, and takes back what runs with it, where a table has a row.
fn fails_where_used(table: &str) -> String {
    let table = table.replace('"', "\"\"");
    format!("SELECT abs(iif(EXISTS (SELECT 1 FROM \"{table}\"), -9223372036854775808, 0))")
}
