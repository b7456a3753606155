//! Lets the tool that owns adopted tables rebuild them. Such a migration drops a table and renames
//! another to its name. SQLite refuses that while triggers read the table, and drops the triggers
//! on the table with it. So the engine's triggers are dropped before the migration, and created
//! again after it.

use crate::migrate::rows;
use crate::record::model::{Object, Record, TableRecord};
use crate::sql::quote::{literal, quote};

/// Returns the statements that drop the engine's triggers and views, if they exist. The primary
/// accepts no push until [`hold_sql`] is run.
pub fn release_sql(record: &Record) -> Vec<String> {
    record.objects.iter().rev().map(Object::drop_if_exists_sql).collect()
}

/// Returns the statements that create the triggers and views again, and then record the changes to
/// rows in the meantime, so that devices pull them. They do not write to the adopted tables, so no
/// trigger of the application fires.
pub fn hold_sql(record: &Record) -> Vec<String> {
    let mut statements: Vec<String> =
        record.objects.iter().map(|object| object.sql.clone()).collect();
    for table in record.tables.iter().filter(|table| table.external && table.is_synced()) {
        statements.extend([
            mark_missing_deleted(table),
            rows::leave_tombstones(table),
            rows::backfill(table),
        ]);
    }
    statements
}

/// Marks entries in `fastest_changes` as deleted if their row no longer exists.
fn mark_missing_deleted(table: &TableRecord) -> String {
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
