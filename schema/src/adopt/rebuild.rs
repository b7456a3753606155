//! A rebuild by the tool that made the tables: it drops a table and gives its name to another, which
//! SQLite refuses while triggers read it, and which takes the triggers on it along. So the engine's
//! are taken away before such a migration, and put back after.

use crate::migrate::rows;
use crate::record::model::{Object, Record, TableRecord};
use crate::sql::quote::{literal, quote};

/// What takes the engine's triggers and view away, as far as they are there. No push is taken until
/// [`hold_sql`] is run.
pub fn release_sql(record: &Record) -> Vec<String> {
    record.objects.iter().rev().map(Object::drop_if_exists_sql).collect()
}

/// What puts them back, and has devices hear of whatever became of the rows in the meantime. The
/// rows themselves are not written, so no trigger of the application's runs.
pub fn hold_sql(record: &Record) -> Vec<String> {
    let mut statements: Vec<String> =
        record.objects.iter().map(|object| object.sql.clone()).collect();
    for table in record.tables.iter().filter(|table| table.external && table.is_synced()) {
        statements.extend([gone(table), rows::left(table), rows::backfill(table)]);
    }
    statements
}

/// Entries of rows that are there no more say so.
fn gone(table: &TableRecord) -> String {
    let (name, pk, tbl) = (quote(&table.name), quote(&table.pk), literal(&table.name));
    let next = rows::NEXT;
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
  SELECT tbl, pk, scope, version + 1, {next}, 1
  FROM fastest_changes AS e
  WHERE tbl = {tbl} AND deleted = 0 AND pk NOT IN (SELECT {pk} FROM {name})
  ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq, deleted = 1"
    )
}
