//! Creates the tables of a replica's file, and brings those of an older file up to date.
//!
//! The engine's own tables have a version, which is kept in `user_version`. The synced tables follow
//! what the schema declares ([`follow`]).

pub(crate) mod follow;

use fastest_schema::{FASTEST, replica_ddl};

use crate::replica::error::ReplicaError;
use crate::replica::local::children::Children;
use crate::replica::local::schema_row::SchemaRow;
use crate::replica::session::Session;

/// The current layout.
pub(crate) const LAYOUT_VERSION: i64 = 9;

const LOCAL_DDL: &str = "
CREATE TABLE fastest_local_schema(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL, scope TEXT, migration TEXT, record TEXT NOT NULL);
CREATE TABLE fastest_local_device(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device_id TEXT NOT NULL, user_id TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fastest_local_remote(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  url TEXT, packs TEXT, epoch TEXT, last_push_id TEXT, mark TEXT);
CREATE TABLE fastest_local_cursor(scope TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fastest_local_reading(scope TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE fastest_local_outbox(
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  base_version INTEGER NOT NULL, base TEXT, row TEXT, joined INTEGER, UNIQUE (tbl, pk));
CREATE INDEX fastest_local_outbox_scope ON fastest_local_outbox(scope, revision);
CREATE INDEX fastest_local_outbox_joined ON fastest_local_outbox(joined)
  WHERE joined IS NOT NULL;
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
CREATE TABLE fastest_local_copy(
  root BLOB PRIMARY KEY, project_id TEXT NOT NULL, workspace_id TEXT NOT NULL, head TEXT,
  folder TEXT)
  WITHOUT ROWID;
CREATE TABLE fastest_local_held(
  tbl TEXT NOT NULL, pk TEXT NOT NULL, scope TEXT NOT NULL, version INTEGER NOT NULL,
  column TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (tbl, pk))
  WITHOUT ROWID;
CREATE TABLE fastest_local_refused(
  tx INTEGER PRIMARY KEY, tbl TEXT NOT NULL, pk TEXT NOT NULL, column TEXT,
  why TEXT NOT NULL, at TEXT NOT NULL, named INTEGER NOT NULL);
CREATE TABLE fastest_local_child(
  parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE TABLE fastest_local_operation(
  number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, project_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL, root BLOB NOT NULL, command TEXT NOT NULL, undoes INTEGER,
  undone_by INTEGER, finished INTEGER NOT NULL, effect TEXT NOT NULL);
CREATE INDEX fastest_local_operation_workspace ON fastest_local_operation(workspace_id, number);
CREATE INDEX fastest_local_operation_undone ON fastest_local_operation(undone_by)
  WHERE undone_by IS NOT NULL;
CREATE INDEX fastest_local_operation_unfinished ON fastest_local_operation(workspace_id)
  WHERE NOT finished;
CREATE TABLE fastest_local_preview(id TEXT PRIMARY KEY, at TEXT NOT NULL, preview TEXT NOT NULL)
  WITHOUT ROWID;
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

/// The tables of a file of layout 1 or 2, as a record.
const RECORD_2: &str = include_str!("layout/replica_2.json");
/// The last migration that a build of layout 1 or 2 knew.
const MIGRATION_2: &str = "0001_fastest_push_history.sql";

/// From layout 2 to 3: deletes can be queued, a file records its owner, and a scope may be any
/// text. Revisions continue from where they were, because a push without an answer refers to them.
const LAYOUT_3_DDL: &str = "
CREATE TABLE fastest_local_schema(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL, scope TEXT, migration TEXT, record TEXT NOT NULL);
DROP INDEX users_email_unique;
CREATE INDEX `users_email_idx` ON `users`(`email`);
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

/// From layout 3 to 4: the device remembers its working copies.
const LAYOUT_4_DDL: &str = "
CREATE TABLE fastest_local_copy(
  root BLOB PRIMARY KEY, project_id TEXT NOT NULL, workspace_id TEXT NOT NULL, head TEXT,
  folder TEXT)
  WITHOUT ROWID;
";

/// From layout 4 to 5: rows that cannot be stored are recorded.
const LAYOUT_5_DDL: &str = "
CREATE TABLE fastest_local_held(
  tbl TEXT NOT NULL, pk TEXT NOT NULL, scope TEXT NOT NULL, version INTEGER NOT NULL,
  column TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (tbl, pk))
  WITHOUT ROWID;
";

/// From layout 5 to 6: rows that were written in one transaction are pushed in one, and
/// transactions that the primary refused are recorded.
const LAYOUT_6_DDL: &str = "
ALTER TABLE fastest_local_outbox ADD COLUMN joined INTEGER;
CREATE INDEX fastest_local_outbox_joined ON fastest_local_outbox(joined)
  WHERE joined IS NOT NULL;
CREATE TABLE fastest_local_refused(
  tx INTEGER PRIMARY KEY, tbl TEXT NOT NULL, pk TEXT NOT NULL, column TEXT,
  why TEXT NOT NULL, at TEXT NOT NULL, named INTEGER NOT NULL);
";

/// From layout 6 to 7: the children of a snapshot are found without reading all snapshots.
const LAYOUT_7_DDL: &str = "
CREATE TABLE fastest_local_child(
  parent TEXT NOT NULL, child TEXT NOT NULL, PRIMARY KEY (parent, child)) WITHOUT ROWID;
";

/// From layout 7 to 8: the device remembers the last push of others too.
const LAYOUT_8_DDL: &str = "ALTER TABLE fastest_local_remote ADD COLUMN mark TEXT;";

/// From layout 8 to 9: commands are recorded, so that they can be taken back.
const LAYOUT_9_DDL: &str = "
CREATE TABLE fastest_local_operation(
  number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, project_id TEXT NOT NULL,
  workspace_id TEXT NOT NULL, root BLOB NOT NULL, command TEXT NOT NULL, undoes INTEGER,
  undone_by INTEGER, finished INTEGER NOT NULL, effect TEXT NOT NULL);
CREATE INDEX fastest_local_operation_workspace ON fastest_local_operation(workspace_id, number);
CREATE INDEX fastest_local_operation_undone ON fastest_local_operation(undone_by)
  WHERE undone_by IS NOT NULL;
CREATE INDEX fastest_local_operation_unfinished ON fastest_local_operation(workspace_id)
  WHERE NOT finished;
CREATE TABLE fastest_local_preview(id TEXT PRIMARY KEY, at TEXT NOT NULL, preview TEXT NOT NULL)
  WITHOUT ROWID;
";

/// The SQL that upgrades each layout to the next one, beginning with layout 1.
const STEPS: [&str; LAYOUT_VERSION as usize - 1] = [
    LAYOUT_2_DDL,
    LAYOUT_3_DDL,
    LAYOUT_4_DDL,
    LAYOUT_5_DDL,
    LAYOUT_6_DDL,
    LAYOUT_7_DDL,
    LAYOUT_8_DDL,
    LAYOUT_9_DDL,
];

/// The tables of a replica's file.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a>(pub(crate) Session<'a>);

impl Layout<'_> {
    /// Creates the tables, or brings those of an older file up to date.
    pub(crate) fn lay_out(&self) -> Result<(), ReplicaError> {
        // Another process may have been first.
        let version: i64 = self.0.get("PRAGMA user_version", [])?.unwrap_or(0);
        let steps = match version {
            LAYOUT_VERSION => "",
            0 => LOCAL_DDL,
            _ => &STEPS[version.clamp(1, LAYOUT_VERSION) as usize - 1..].concat(),
        };
        self.batch(&format!("{steps}\nPRAGMA user_version = {LAYOUT_VERSION};"))?;
        let row = SchemaRow(self.0);
        match version {
            3.. => {}
            0 => {
                self.batch(&replica_ddl(self.0.schema.tables).join(";\n"))?;
                row.put(self.0.schema.owner, self.newest(), self.0.declared)?;
            }
            _ => row.put(FASTEST.owner, Some(MIGRATION_2), RECORD_2)?,
        }
        row.check_owner()?;
        self.follow_schema()?;
        if self.0.rules.has_engine_tables { Children(self.0).attach() } else { Ok(()) }
    }

    fn batch(&self, sql: &str) -> Result<(), ReplicaError> {
        self.0.connection.execute_batch(sql).map_err(|source| self.0.failed(source))
    }
}
