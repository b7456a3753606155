//! Conflicts that wait for the user's choice: the table `fastest_local_conflict`.

use fastest_schema::value::wire::list_to_wire;
use fastest_schema::{RowKey, ScopeId, Table, id_type};
use rusqlite::params;

use crate::replica::error::ReplicaError;
use crate::replica::local::outbox::{Entry, from_text};
use crate::replica::session::Session;
use crate::replica::values::Values;

id_type! {
    /// The id of a conflict: a ULID.
    pub struct ConflictId;
}

/// A conflict, decoded.
pub(crate) struct KeptConflict {
    pub(crate) id: ConflictId,
    pub(crate) scope: ScopeId,
    pub(crate) table: &'static Table,
    pub(crate) key: RowKey,
    pub(crate) columns: Vec<String>,
    pub(crate) base: Option<Values>,
    /// `None` if the row was deleted here.
    pub(crate) ours: Option<Values>,
    /// `None` if the row was deleted on the primary.
    pub(crate) theirs: Option<Values>,
    pub(crate) at: String,
}

/// A conflict as it is stored: its values are lists in the order that the table's columns had.
pub(crate) struct ConflictLists {
    pub(crate) id: ConflictId,
    pub(crate) key: RowKey,
    /// The columns that both sides changed, separated by commas.
    pub(crate) columns: String,
    /// The base, ours and theirs.
    pub(crate) lists: [Option<String>; 3],
}

/// The conflicts that wait for the user's choice.
#[derive(Clone, Copy)]
pub(crate) struct Conflicts<'a>(pub(crate) Session<'a>);

impl Conflicts<'_> {
    /// Returns every conflict, oldest first.
    pub(crate) fn all(&self) -> Result<Vec<KeptConflict>, ReplicaError> {
        let sql = "SELECT id, scope, tbl, pk, columns, base, ours, theirs, at
                   FROM fastest_local_conflict ORDER BY id";
        let found = self.0.all(sql, params![], |row| {
            let cell = |at: usize| row.get::<_, String>(at);
            let maybe = |at: usize| row.get::<_, Option<String>>(at);
            Ok((
                (row.get(0)?, row.get(1)?, row.get(3)?),
                [cell(2)?, cell(4)?, cell(6)?, cell(8)?],
                [maybe(5)?, maybe(7)?],
            ))
        })?;
        let mut all = Vec::with_capacity(found.len());
        for ((id, scope, key), [table, columns, ours, at], [base, theirs]) in found {
            // This build does not know the table. A build that knows it shows the conflict.
            let Some(table) = self.0.schema.synced_table(&table) else { continue };
            let values = |text: &str| from_text(table, &key, text);
            all.push(KeptConflict {
                base: base.as_deref().map(values).transpose()?,
                ours: if ours == "null" { None } else { Some(values(&ours)?) },
                theirs: theirs.as_deref().map(values).transpose()?,
                columns: columns.split(',').filter(|c| !c.is_empty()).map(Into::into).collect(),
                id,
                scope,
                table,
                key,
                at,
            });
        }
        Ok(all)
    }

    /// Stores both versions of a row, as null if it was deleted. In the table, the caller lets the
    /// primary's version win.
    pub(crate) fn keep(
        &self,
        entry: &Entry,
        theirs: Option<&Values>,
        columns: &[&str],
    ) -> Result<(), ReplicaError> {
        let base = entry.known_base().map(|base| list_to_wire(base));
        let ours = entry.row.as_deref().map_or_else(|| "null".to_owned(), list_to_wire);
        let theirs = theirs.map(|values| list_to_wire(values));
        let lists = [base.as_deref(), Some(ours.as_str()), theirs.as_deref()];
        self.keep_lists(&entry.scope, (entry.table, &entry.key), &columns.join(","), lists)
    }

    /// Stores the base of a row, this device's version and the primary's, each as a list.
    pub(crate) fn keep_lists(
        &self,
        scope: &ScopeId,
        (table, key): (&Table, &RowKey),
        columns: &str,
        [base, ours, theirs]: [Option<&str>; 3],
    ) -> Result<(), ReplicaError> {
        let (id, at) = (self.0.world.new_id(), self.0.world.now_text());
        let sql = "INSERT INTO
                   fastest_local_conflict(id, scope, tbl, pk, columns, base, ours, theirs, at)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let row = params![id, scope, table.name, key, columns, base, ours, theirs, at];
        self.0.run(sql, row).map(drop)
    }

    /// Returns the conflicts of a table as they are stored, which may be for columns that it had
    /// before.
    pub(crate) fn lists_of(&self, table: &Table) -> Result<Vec<ConflictLists>, ReplicaError> {
        let sql = "SELECT id, pk, columns, base, ours, theirs FROM fastest_local_conflict
                   WHERE tbl = ?1";
        self.0.all(sql, [table.name], |row| {
            Ok(ConflictLists {
                id: row.get(0)?,
                key: row.get(1)?,
                columns: row.get(2)?,
                lists: [row.get(3)?, row.get(4)?, row.get(5)?],
            })
        })
    }

    /// Replaces the columns and the values of a conflict.
    pub(crate) fn set_lists(&self, kept: &ConflictLists) -> Result<(), ReplicaError> {
        let ConflictLists { id, columns, lists: [base, ours, theirs], .. } = kept;
        let sql = "UPDATE fastest_local_conflict
                   SET columns = ?2, base = ?3, ours = ?4, theirs = ?5 WHERE id = ?1";
        self.0.run(sql, params![id, columns, base, ours, theirs]).map(drop)
    }

    /// Removes a conflict that was resolved.
    pub(crate) fn remove(&self, id: &ConflictId) -> Result<(), ReplicaError> {
        self.0.run("DELETE FROM fastest_local_conflict WHERE id = ?1", [id]).map(drop)
    }

    /// Returns how many conflicts a scope has.
    pub(crate) fn count(&self, scope: &ScopeId) -> Result<u64, ReplicaError> {
        let sql = "SELECT count(*) FROM fastest_local_conflict WHERE scope = ?1";
        Ok(self.0.get::<i64>(sql, [scope])?.unwrap_or(0) as u64)
    }

    /// Renames a table in the conflicts, for a migration of the schema.
    pub(crate) fn rename_table(&self, from: &str, to: &str) -> Result<(), ReplicaError> {
        self.0
            .run("UPDATE fastest_local_conflict SET tbl = ?2 WHERE tbl = ?1", [from, to])
            .map(drop)
    }
}
