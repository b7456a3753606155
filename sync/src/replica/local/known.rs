//! What the primary is known to hold: the table `fastest_changes`, as the primary keeps it too.

use fastest_schema::{Pack, Row, Scope, Seen, Table};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::own::Own;
use crate::replica::session::Session;

/// The lock version, scope and sequence number of each row that the primary was seen to hold.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a>(pub(crate) Session<'a>);

impl Known<'_> {
    /// The scope under which a row is known.
    pub(crate) fn scope(&self, table: &Table, key: &str) -> Result<Option<String>, ReplicaError> {
        let sql = "SELECT scope FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        self.0.get(sql, params![table.name, key])
    }

    /// Whether a row is known under this scope, or under none.
    pub(crate) fn is_under(
        &self,
        scope: &str,
        table: &Table,
        key: &str,
    ) -> Result<bool, ReplicaError> {
        Ok(self.scope(table, key)?.is_none_or(|known| known == scope))
    }

    /// How many parts of a pack the primary is known to have; `stem` is the keys' beginning.
    pub(crate) fn parts(&self, stem: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_changes
                   WHERE tbl = ?1 AND pk >= ?2 AND pk < ?3 AND deleted = 0";
        // What follows a slash.
        let end = format!("{}0", stem.trim_end_matches('/'));
        Ok(self.0.get(sql, params![Pack::TABLE.name, stem, end])?.unwrap_or(0))
    }

    /// The lock version of a row on the primary, as last known; 0 where it was never there.
    pub fn version(&self, table: &Table, key: &str) -> Result<i64, ReplicaError> {
        let sql = "SELECT version FROM fastest_changes WHERE tbl = ?1 AND pk = ?2";
        Ok(self.0.get(sql, params![table.name, key])?.unwrap_or(0))
    }

    /// The change that the replica saw at a place of a scope: proof of what the primary once held.
    /// `None` where it holds no longer, since the row was written from here in the meantime.
    pub(crate) fn seen(&self, scope: &str, seq: i64) -> Result<Option<Seen>, ReplicaError> {
        let sql = "SELECT tbl, pk, version FROM fastest_changes WHERE scope = ?1 AND seq = ?2";
        let mut found = self.0.all(sql, params![scope, seq], |row| {
            Ok(Seen(row.get(0)?, row.get(1)?, row.get(2)?, seq))
        })?;
        Ok(found.pop())
    }

    /// Records what the primary holds of a row: its lock version, and where its last change
    /// stands in the scope (`None`: accepted from us, and not seen in a pull yet). Where a later version is
    /// known already, another process has pulled it meanwhile, and that stands.
    pub(crate) fn put(
        &self,
        scope: &str,
        (table, key): (&Table, &str),
        version: i64,
        seq: Option<i64>,
        deleted: bool,
    ) -> Result<(), ReplicaError> {
        let seq = match seq {
            Some(seq) => seq,
            // Below zero and unique: no sequence number of a primary's.
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

    /// The rows of a table that the primary is known to hold: each key, and its scope.
    pub(crate) fn of_table(&self, table: &Table) -> Result<Vec<(String, String)>, ReplicaError> {
        let sql = "SELECT pk, scope FROM fastest_changes WHERE tbl = ?1 AND deleted = 0";
        self.0.all(sql, [table.name], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// Whether a row is known to be deleted.
    pub(crate) fn is_deleted(&self, table: &Table, key: &str) -> Result<bool, ReplicaError> {
        let sql = "SELECT 1 FROM fastest_changes WHERE tbl = ?1 AND pk = ?2 AND deleted = 1";
        Ok(self.0.get::<i64>(sql, params![table.name, key])?.is_some())
    }

    /// The scopes of which rows are known, but for those that all rows have left.
    pub(crate) fn scopes(&self) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT DISTINCT scope FROM fastest_changes WHERE deleted < 2";
        self.0.all(sql, [], |row| row.get(0))
    }

    /// The projects of which rows are known, by id.
    pub(crate) fn projects(&self) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT DISTINCT scope FROM fastest_changes
                   WHERE scope IN (SELECT id FROM projects) ORDER BY scope";
        self.0.all(sql, [], |row| row.get(0))
    }

    /// Forgets all that is known.
    pub(crate) fn clear(&self) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_changes", []).map(drop)
    }

    /// The keys of a table's rows in `scope` that the primary is not known to hold.
    pub(crate) fn unknown(&self, table: &Table, scope: &str) -> Result<Vec<String>, ReplicaError> {
        let sql = format!(
            "SELECT `{pk}` FROM `{name}` AS t WHERE {scope} = ?1 AND {unknown}",
            pk = table.pk,
            name = table.name,
            scope = scope_sql(table),
            unknown = unknown_sql(table, self.0.own(table))
        );
        self.0.all(&sql, [scope], |row| row.get(0))
    }
}

/// Whether the primary is not known to have a row `t` of the replica, or all of it, in SQL.
fn unknown_sql(table: &Table, own: Option<Own>) -> String {
    let (name, pk) = (table.name, table.pk);
    let known = format!("FROM fastest_changes WHERE tbl = '{name}'");
    match own {
        // The rows of its parts, whose keys end with their numbers.
        Some(Own::Pack) => format!(
            "(SELECT count(*) {known} AND pk >= substr(t.id, 1, length(t.id) - 1)
              AND pk < substr(t.id, 1, length(t.id) - 2) || '0') < t.parts"
        ),
        _ => format!("NOT EXISTS (SELECT 1 {known} AND pk = t.`{pk}`)"),
    }
}

/// The scope of a row `t` of the replica, in SQL.
fn scope_sql(table: &Table) -> String {
    match table.scope {
        Some(Scope::Column(column)) => format!("t.`{column}`"),
        Some(Scope::Path { column, table, key, target }) => {
            format!("(SELECT p.`{target}` FROM `{table}` AS p WHERE p.`{key}` = t.`{column}`)")
        }
        None => "NULL".to_owned(),
    }
}
