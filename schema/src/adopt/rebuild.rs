//! A rebuild by the tool that made the tables: it drops a table and gives its name to another, which
//! SQLite refuses while triggers read it, and which takes the triggers on it along. So the engine's
//! are taken away before such a migration, and put back after.

use crate::ddl::{literal, quote};
use crate::diff::rows;
use crate::record::{Object, Record, TableRecord};

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
        statements.extend([gone(table), left(table), rows::backfill(table)]);
    }
    statements
}

/// The next sequence numbers of each scope, in the order of the keys.
const NEXT: &str = "row_number() OVER (PARTITION BY scope ORDER BY pk)
    + (SELECT max(seq) FROM fastest_changes AS c WHERE c.scope = e.scope)";

/// Entries of rows that are there no more say so.
fn gone(table: &TableRecord) -> String {
    let (name, pk, tbl) = (quote(&table.name), quote(&table.pk), literal(&table.name));
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
  SELECT tbl, pk, scope, version + 1, {NEXT}, 1
  FROM fastest_changes AS e
  WHERE tbl = {tbl} AND deleted = 0 AND pk NOT IN (SELECT {pk} FROM {name})
  ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq, deleted = 1"
    )
}

/// Rows that are in another scope leave a tombstone of kind 2 in the one where devices know them.
fn left(table: &TableRecord) -> String {
    let (name, pk, tbl) = (quote(&table.name), quote(&table.pk), literal(&table.name));
    let scope = rows::scope(table);
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
  SELECT tbl, json_array(pk, scope), scope, version, {NEXT}, 2
  FROM (
    SELECT k.tbl, k.pk, k.scope, k.version, {scope} AS now
    FROM fastest_changes AS k JOIN {name} AS t ON t.{pk} = k.pk WHERE k.tbl = {tbl}
  ) AS e
  WHERE scope IS NOT now
  ON CONFLICT(tbl, pk) DO UPDATE SET version = excluded.version, seq = excluded.seq"
    )
}
