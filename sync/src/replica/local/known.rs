//! The rows that the primary is known to have: the table `fastest_changes`, which the primary has
//! too.

use fastest_schema::{Pack, ProjectId, Row, RowKey, Scope, ScopeId, Seen, Table};
use rusqlite::params;

use crate::replica::engine_table::EngineTable;
use crate::replica::error::ReplicaError;
use crate::replica::session::Session;

/// The lock version, scope and sequence number of each row that was seen on the primary.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a>(pub(crate) Session<'a>);

impl Known<'_> {
    /// Returns the scope under which a row is known.
    pub(crate) fn scope(
        &self,
        table: &Table,
        key: &RowKey,
    ) -> Result<Option<ScopeId>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        self.0.get(sql, params![table.name, key])
    }

    /// Whether a row is known under this scope, or is not known at all.
    pub(crate) fn is_under(
        &self,
        scope: &ScopeId,
        table: &Table,
        key: &RowKey,
    ) -> Result<bool, ReplicaError> {
        Ok(self.scope(table, key)?.is_none_or(|known| known == *scope))
    }

    /// Returns how many parts of a pack the primary is known to have. `stem` is the prefix of their
    /// keys.
    pub(crate) fn parts(&self, stem: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_changes
                   WHERE tbl = ?1 AND pk >= ?2 AND pk < ?3 AND deleted = 0";
        // `0` is the character after `/`.
        let end = format!("{}0", stem.trim_end_matches('/'));
        Ok(self.0.get(sql, params![Pack::TABLE.name, stem, end])?.unwrap_or(0))
    }

    /// Returns the lock version of a row on the primary, as last known; 0 if it was never there.
    pub fn version(&self, table: &Table, key: &RowKey) -> Result<i64, ReplicaError> {
        let sql = "SELECT version FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        Ok(self.0.get(sql, params![table.name, key])?.unwrap_or(0))
    }

    /// Returns the change that was seen at the sequence number `seq` of a scope, as proof of what
    /// the primary once had. `None` if that proof is gone, because this device has written the row
    /// since.
    pub(crate) fn seen(&self, scope: &ScopeId, seq: i64) -> Result<Option<Seen>, ReplicaError> {
        let sql = "SELECT tbl, pk, version FROM fastest_changes WHERE scope = ?1 AND seq = ?2";
        let mut found = self.0.all(sql, params![scope, seq], |row| {
            Ok(Seen(row.get(0)?, row.get(1)?, row.get(2)?, seq))
        })?;
        Ok(found.pop())
    }

    /// Records the state of a row on the primary: its lock version, and the sequence number of its
    /// last change in the scope (`None` if a push of ours was accepted, and has not been seen in a
    /// pull yet). If a later version is recorded already, because another process has pulled it,
    /// that one is kept.
    pub(crate) fn put(
        &self,
        scope: &ScopeId,
        (table, key): (&Table, &RowKey),
        version: i64,
        seq: Option<i64>,
        deleted: bool,
    ) -> Result<(), ReplicaError> {
        let seq = match seq {
            Some(seq) => seq,
            // Negative and unique, unlike any sequence number of a primary.
            None => {
                let sql = "SELECT min(0, min(seq)) - 1 FROM fastest_changes WHERE scope = ?1";
                self.0.get::<Option<i64>>(sql, [scope])?.flatten().unwrap_or(-1)
            }
        };
        self.0.run(
            "INSERT INTO fastest_changes(tbl, pk, scope, version, seq, deleted)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT(tbl, pk) DO UPDATE SET scope = excluded.scope,
               version = excluded.version, seq = excluded.seq, deleted = excluded.deleted
             WHERE excluded.version >= version",
            params![table.name, key, scope, version, seq, deleted],
        )?;
        Ok(())
    }

    /// Returns the key and the scope of each row of a table that the primary is known to have.
    pub(crate) fn of_table(&self, table: &Table) -> Result<Vec<(RowKey, ScopeId)>, ReplicaError> {
        let sql = "SELECT pk, scope FROM fastest_changes WHERE tbl = ?1 AND deleted = 0";
        self.0.all(sql, [table.name], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Returns the key and the scope of each row of a table that is known to be deleted.
    pub(crate) fn deleted(&self, table: &Table) -> Result<Vec<(RowKey, ScopeId)>, ReplicaError> {
        let sql = "SELECT pk, scope FROM fastest_changes WHERE tbl = ?1 AND deleted = 1";
        self.0.all(sql, [table.name], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Whether a row is known to be deleted.
    pub(crate) fn is_deleted(&self, table: &Table, key: &RowKey) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_changes WHERE tbl = ?1 AND pk = ?2 AND deleted = 1";
        Ok(self.0.get::<i64>(sql, params![table.name, key])?.is_some())
    }

    /// Returns the scopes with known rows. Rows that have left a scope (`deleted` 2) do not count.
    pub(crate) fn scopes(&self) -> Result<Vec<ScopeId>, ReplicaError> {
        let sql = "SELECT DISTINCT scope FROM fastest_changes WHERE deleted < 2";
        self.0.all(sql, [], |row| row.get(0))
    }

    /// Returns the ids of the projects with known rows.
    pub(crate) fn projects(&self) -> Result<Vec<ProjectId>, ReplicaError> {
        let sql = "SELECT DISTINCT scope FROM fastest_changes
                   WHERE scope IN (SELECT id FROM projects) ORDER BY scope";
        self.0.all(sql, [], |row| row.get(0))
    }

    /// Forgets everything that is known.
    pub(crate) fn clear(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_changes", []).map(drop)
    }

    /// Returns the keys of a table's rows in `scope` that the primary is not known to have.
    pub(crate) fn unknown(
        &self,
        table: &Table,
        scope: &ScopeId,
    ) -> Result<Vec<RowKey>, ReplicaError> {
        let sql = format!(
            "SELECT `{pk}` FROM `{name}` AS t WHERE {scope} = ?1 AND {unknown}",
            pk = table.pk,
            name = table.name,
            scope = scope_sql(table),
            unknown = unknown_sql(table, self.0.engine_table(table))
        );
        self.0.all(&sql, [scope], |row| row.get(0))
    }
}

/// Returns an SQL condition: the primary is not known to have the row `t` of the replica. A pack
/// counts as known if all of its parts are.
fn unknown_sql(table: &Table, own: Option<EngineTable>) -> String {
    let (name, pk) = (table.name, table.pk);
    let known = format!("FROM fastest_changes WHERE tbl = '{name}'");
    match own {
        // On the primary, each part of a pack has a row, whose key ends with the number of the
        // part.
        Some(EngineTable::Pack) => format!(
            "(SELECT count(*) {known} AND pk >= substr(t.id, 1, length(t.id) - 1)
              AND pk < substr(t.id, 1, length(t.id) - 2) || '0') < t.parts"
        ),
        _ => format!("NOT EXISTS (SELECT 1 {known} AND pk = t.`{pk}`)"),
    }
}

/// Returns an SQL expression for the scope of the row `t` of the replica.
fn scope_sql(table: &Table) -> String {
    match table.scope {
        Some(Scope::Column(column)) => format!("t.`{column}`"),
        Some(Scope::Path { column, table, key, target }) => {
            format!("(SELECT p.`{target}` FROM `{table}` AS p WHERE p.`{key}` = t.`{column}`)")
        }
        None => "NULL".to_owned(),
    }
}
