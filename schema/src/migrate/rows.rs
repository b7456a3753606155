//! Statements of migrations for existing rows and their entries in `fastest_changes`.

use crate::record::model::{ColumnRecord, TableRecord};
use crate::sql::quote::{literal, quote};

/// The beginning of each guard. A guard is a statement that changes nothing, and fails if the
/// migration must not continue.
pub const GUARD: &str = "SELECT json(";

/// Returns a guard that fails if a table that is not in `ours` would lose rows or values when
/// `table` is dropped. Our own tables are checked when the migration is planned.
pub fn others_guard(table: &str, ours: &[&str]) -> String {
    let what = format!("rows of another application refer to {table}, and would go with it");
    let (tbl, what) = (literal(table), literal(&what));
    let ours: Vec<String> = ours.iter().map(|name| literal(name)).collect();
    format!(
        "{GUARD}{what}) FROM (
    WITH t AS MATERIALIZED (SELECT name FROM sqlite_master WHERE type = 'table'
      AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*')
    SELECT 1 FROM t JOIN pragma_foreign_key_list(t.name) AS f
    WHERE f.\"table\" = {tbl} COLLATE NOCASE AND t.name NOT IN ({})
      AND f.on_delete NOT IN ('NO ACTION', 'RESTRICT'))",
        ours.join(", ")
    )
}

/// Creates or renews the entry of each row of a table that becomes synced, or whose triggers were
/// detached, so that devices pull it.
pub fn backfill(table: &TableRecord) -> String {
    let (name, pk) = (quote(&table.name), quote(&table.pk));
    let tbl = literal(&table.name);
    let scope = scope(table);
    format!(
        "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
  SELECT {tbl}, pk, scope, 1,
    row_number() OVER (PARTITION BY scope ORDER BY pk) + coalesce(
      (SELECT max(seq) FROM fastest_changes AS c WHERE c.scope = r.scope), 0), 0
  FROM (SELECT t.{pk} AS pk, {scope} AS scope FROM {name} AS t) AS r
  WHERE true
  ON CONFLICT(tbl, pk) DO UPDATE SET version = version + 1, seq = excluded.seq,
    scope = excluded.scope, deleted = 0"
    )
}

/// SQL for the next sequence numbers of each scope, in the order of the keys.
pub const NEXT: &str = "row_number() OVER (PARTITION BY scope ORDER BY pk)
    + (SELECT max(seq) FROM fastest_changes AS c WHERE c.scope = e.scope)";

/// Leaves a tombstone (`deleted` = 2) for each row whose scope has changed, in the scope in which
/// devices know the row.
pub fn leave_tombstones(table: &TableRecord) -> String {
    let (name, pk, tbl) = (quote(&table.name), quote(&table.pk), literal(&table.name));
    let scope = scope(table);
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

/// Returns SQL for the scope of the row `t`; the scope is an empty text if the row has none.
pub fn scope(table: &TableRecord) -> String {
    let Some(scope) = &table.scope else { return "''".to_owned() };
    let column = quote(&scope.column);
    match &scope.by {
        None => format!("coalesce(t.{column}, '')"),
        Some(by) => {
            let [parent, key, target] = [&by.table, &by.key, &by.target].map(|name| quote(name));
            format!(
                "coalesce((SELECT p.{target} FROM {parent} AS p WHERE p.{key} = t.{column}), '')"
            )
        }
    }
}

/// Updates each row without changing it, so that the triggers record it again.
pub fn touch(table: &TableRecord) -> String {
    let (name, pk) = (quote(&table.name), quote(&table.pk));
    format!("UPDATE {name} SET {pk} = {pk}")
}

/// Fills a new column that mirrors the lock version.
pub fn mirror(table: &TableRecord, column: &ColumnRecord) -> String {
    let (name, pk, tbl) = (quote(&table.name), quote(&table.pk), literal(&table.name));
    let column = quote(&column.name);
    format!(
        "UPDATE {name} SET {column} = coalesce((SELECT version FROM fastest_changes
  WHERE tbl = {tbl} AND pk = {name}.{pk}), {column})"
    )
}

/// Marks all rows of a table as deleted. Their entries are kept, because sequence numbers must
/// never repeat.
pub fn mark_deleted(name: &str) -> String {
    let tbl = literal(name);
    format!(
        "UPDATE fastest_changes SET version = version + 1, deleted = 1 WHERE tbl = {tbl} AND deleted = 0"
    )
}

/// Moves the entries of a table to its new name.
pub fn rename(old: &str, new: &str) -> String {
    let (old, new) = (literal(old), literal(new));
    format!("UPDATE OR REPLACE fastest_changes SET tbl = {new} WHERE tbl = {old}")
}
