//! The tables of a replica's file, and what brings those of an older file up to date.
//!
//! The engine's own tables have a version, kept in `user_version`. The synced tables have none: they
//! are compared with what the schema declares, and where columns were added a table is made anew
//! with its rows. An older build refuses a file that a newer one has brought further.

use fastest_schema::{Schema, Table, create_table, parents_first, replica_ddl};
use rusqlite::params;
use serde_json::Value;

use crate::replica::{ReplicaError, Session};

/// Version of the replica's layout, kept in `user_version`.
pub(crate) const LAYOUT_VERSION: i64 = 3;

const LOCAL_DDL: &str = "
CREATE TABLE fastest_local_schema(
  one INTEGER PRIMARY KEY CHECK (one = 1), owner TEXT NOT NULL, scope TEXT);
CREATE TABLE fastest_local_device(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device_id TEXT NOT NULL, user_id TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fastest_local_remote(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  url TEXT, packs TEXT, epoch TEXT, last_push_id TEXT);
CREATE TABLE fastest_local_cursor(scope TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fastest_local_reading(scope TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE fastest_local_outbox(
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  base_version INTEGER NOT NULL, base TEXT, row TEXT, UNIQUE (tbl, pk));
CREATE INDEX fastest_local_outbox_scope ON fastest_local_outbox(scope, revision);
CREATE TABLE fastest_local_sent(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  push_id TEXT NOT NULL, device_id TEXT NOT NULL, payload TEXT NOT NULL, entries TEXT NOT NULL);
CREATE TABLE fastest_local_conflict(
  id TEXT PRIMARY KEY, scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  columns TEXT NOT NULL, base TEXT, ours TEXT NOT NULL, theirs TEXT, at TEXT NOT NULL)
  WITHOUT ROWID;
CREATE TABLE fastest_local_part(
  pack_id TEXT NOT NULL, part INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (pack_id, part))
  WITHOUT ROWID;
CREATE TABLE fastest_local_queued(
  place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL UNIQUE, since TEXT NOT NULL);
";

/// From layout 1 to 2.
const LAYOUT_2_DDL: &str = "
ALTER TABLE fastest_local_remote ADD COLUMN packs TEXT;
UPDATE fastest_local_remote SET packs = 'rows' WHERE inline_packs;
ALTER TABLE fastest_local_remote DROP COLUMN inline_packs;
DELETE FROM fastest_packs WHERE part > 0;
CREATE TABLE fastest_local_queued(
  place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL UNIQUE, since TEXT NOT NULL);
";

/// From layout 2 to 3: rows may wait to be deleted, files say whose they are, and scopes may be any
/// text. Revisions go on counting, since a push that is on its way names them.
const LAYOUT_3_DDL: &str = "
CREATE TABLE fastest_local_schema(
  one INTEGER PRIMARY KEY CHECK (one = 1), owner TEXT NOT NULL, scope TEXT);
INSERT INTO fastest_local_schema(one, owner) VALUES (1, 'fastest');
CREATE TABLE fastest_local_reading(scope TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO fastest_local_reading
  SELECT substr(scope, length('reading ') + 1) FROM fastest_local_cursor WHERE scope GLOB 'reading *';
DELETE FROM fastest_local_cursor WHERE scope GLOB 'reading *';
DROP INDEX fastest_local_outbox_scope;
ALTER TABLE fastest_local_outbox RENAME TO fastest_local_outbox_2;
CREATE TABLE fastest_local_outbox(
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  base_version INTEGER NOT NULL, base TEXT, row TEXT, UNIQUE (tbl, pk));
CREATE INDEX fastest_local_outbox_scope ON fastest_local_outbox(scope, revision);
INSERT INTO fastest_local_outbox(revision, scope, tbl, pk, base_version, base, row)
  SELECT revision, scope, tbl, pk, base_version, base, row FROM fastest_local_outbox_2;
DELETE FROM sqlite_sequence WHERE name = 'fastest_local_outbox';
INSERT INTO sqlite_sequence(name, seq)
  SELECT 'fastest_local_outbox', seq FROM sqlite_sequence WHERE name = 'fastest_local_outbox_2';
DROP TABLE fastest_local_outbox_2;
";

/// Stands for a table's rows while it is made anew.
const KEPT: &str = "fastest_local_kept";

impl Session<'_> {
    /// Makes the tables, or brings those of an older file up to date.
    pub(crate) fn lay_out(&self) -> Result<(), ReplicaError> {
        // Another process may have been first.
        let version: i64 = self.get("PRAGMA user_version", [])?.unwrap_or(0);
        let steps = match version {
            LAYOUT_VERSION => "",
            0 => LOCAL_DDL,
            1 => &[LAYOUT_2_DDL, LAYOUT_3_DDL].concat(),
            _ => LAYOUT_3_DDL,
        };
        self.batch(&format!("{steps}\nPRAGMA user_version = {LAYOUT_VERSION};"))?;
        if version == 0 {
            self.batch(&ddl_of(self.schema, &replica_ddl(self.schema.tables)))?;
            let sql = "INSERT INTO fastest_local_schema(one, owner) VALUES (1, ?1)";
            self.run(sql, [self.schema.owner])?;
        }
        self.check_owner()?;
        self.follow_schema()
    }

    /// Refuses a file of another application.
    pub(crate) fn check_owner(&self) -> Result<(), ReplicaError> {
        let owner: Option<String> = self.get("SELECT owner FROM fastest_local_schema", [])?;
        match owner {
            Some(found) if found != self.schema.owner => {
                let (path, asked) = (self.path.to_owned(), self.schema.owner);
                Err(ReplicaError::Foreign { path, found, asked })
            }
            _ => Ok(()),
        }
    }

    /// Whether every synced table has the columns that are declared, in their order.
    pub(crate) fn follows_schema(&self) -> Result<bool, ReplicaError> {
        for table in self.schema.synced() {
            if self.columns_held(table)? != names(table) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes tables and columns that were declared since the file was made. Rows are read anew
    /// from the primary after that: it may hold more in the new columns than their defaults.
    fn follow_schema(&self) -> Result<(), ReplicaError> {
        let mut grown = false;
        for table in parents_first(self.schema.tables) {
            if self.schema.synced_table(table.name).is_none() {
                continue;
            }
            let held = self.columns_held(table)?;
            let declared = names(table);
            if held == declared {
                continue;
            }
            if let Some(column) = held.iter().find(|name| !declared.contains(&name.as_str())) {
                let (path, table, column) = (self.path.to_owned(), table.name, column.clone());
                return Err(ReplicaError::NewerSchema { path, table, column });
            }
            let create = ddl_of(self.schema, &create_table(table));
            match held.is_empty() {
                true => self.batch(&create)?,
                false => {
                    self.make_anew(table, &held, &create)?;
                    self.widen(table, &held)?;
                }
            }
            grown = true;
        }
        if grown {
            self.run("DELETE FROM fastest_local_cursor", [])?;
        }
        Ok(())
    }

    /// The columns of a table in the file; none where it is not there.
    fn columns_held(&self, table: &Table) -> Result<Vec<String>, ReplicaError> {
        let sql = "SELECT name FROM pragma_table_info(?1) ORDER BY cid";
        self.all(sql, [table.name], |row| row.get(0))
    }

    /// New columns take their defaults.
    fn make_anew(&self, table: &Table, held: &[String], create: &str) -> Result<(), ReplicaError> {
        let name = table.name;
        let columns: Vec<String> = held.iter().map(|column| format!("`{column}`")).collect();
        let columns = columns.join(",");
        self.batch(&format!(
            "CREATE TABLE {KEPT} AS SELECT {columns} FROM `{name}`;
             DROP TABLE `{name}`;
             {create}
             INSERT INTO `{name}`({columns}) SELECT {columns} FROM {KEPT};
             DROP TABLE {KEPT};"
        ))
    }

    /// Gives the versions of rows that are kept as lists their new columns, with the values that the
    /// rows have there now.
    fn widen(&self, table: &'static Table, held: &[String]) -> Result<(), ReplicaError> {
        let lists = [
            ("outbox", "base"),
            ("outbox", "row"),
            ("conflict", "base"),
            ("conflict", "ours"),
            ("conflict", "theirs"),
        ];
        for (holder, list) in lists {
            let place = format!("fastest_local_{holder}");
            let found = self.all(
                &format!(
                    "SELECT DISTINCT pk, {list} FROM {place} WHERE tbl = ?1 AND {list} IS NOT NULL"
                ),
                [table.name],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            for (key, text) in found {
                let Ok(Value::Array(old)) = serde_json::from_str(&text) else { continue };
                let now = self.values(table, &key)?;
                let value = |at: usize, name: &str| match held.iter().position(|held| held == name)
                {
                    Some(at) => old.get(at).cloned().unwrap_or_default(),
                    None => now.as_ref().map(|now| now[at].clone()).unwrap_or_default(),
                };
                let columns = table.columns.iter().enumerate();
                let wide: Vec<Value> = columns.map(|(at, column)| value(at, column.name)).collect();
                let sql = format!(
                    "UPDATE {place} SET {list} = ?4 WHERE tbl = ?1 AND pk = ?2 AND {list} = ?3"
                );
                self.run(&sql, params![table.name, key, text, Value::from(wide).to_string()])?;
            }
        }
        Ok(())
    }

    fn batch(&self, sql: &str) -> Result<(), ReplicaError> {
        self.connection.execute_batch(sql).map_err(|source| self.failed(source))
    }
}

fn names(table: &Table) -> Vec<&'static str> {
    table.columns.iter().map(|column| column.name).collect()
}

/// Statements as one batch. What is unique is the primary's to enforce: a row that waits here must
/// not keep the primary's row of the same value out. An application is told when it saves one.
fn ddl_of(schema: &Schema, statements: &[String]) -> String {
    let relaxed = statements.iter().map(|sql| match sql.strip_prefix("CREATE UNIQUE INDEX") {
        Some(rest)
            if !schema.is_fastest()
                && !rest.contains("`fastest_")
                && !rest.contains(" fastest_") =>
        {
            format!("CREATE INDEX{rest};\n")
        }
        _ => format!("{sql};\n"),
    });
    relaxed.collect()
}
