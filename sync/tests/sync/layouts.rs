//! Files of older versions are brought up to date, with what waits in them.

use std::path::Path;

use fastest_schema::auth::User;
use fastest_schema::workspaces::Workspace;
use fastest_schema::{FASTEST, Row, replica_ddl};
use fastest_sync::replica::{Replica, ReplicaError};
use rusqlite::Connection;

use super::machine::query;

/// What layout 1 and layout 2 have in common, as it was then.
const OLD_DDL: &str = "
CREATE TABLE fastest_local_device(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  device_id TEXT NOT NULL, user_id TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0);
CREATE TABLE fastest_local_cursor(scope TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE fastest_local_outbox(
  revision INTEGER PRIMARY KEY AUTOINCREMENT,
  scope TEXT NOT NULL, tbl TEXT NOT NULL, pk TEXT NOT NULL,
  base_version INTEGER NOT NULL, base TEXT, row TEXT NOT NULL, UNIQUE (tbl, pk));
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
";

const REMOTE_1_DDL: &str = "
CREATE TABLE fastest_local_remote(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  url TEXT, inline_packs INTEGER NOT NULL DEFAULT 0, epoch TEXT, last_push_id TEXT);
INSERT INTO fastest_local_remote(one, url, inline_packs) VALUES (1, 'file:///x', 1);
PRAGMA user_version = 1;
";

const REMOTE_2_DDL: &str = "
CREATE TABLE fastest_local_remote(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  url TEXT, packs TEXT, epoch TEXT, last_push_id TEXT);
CREATE TABLE fastest_local_queued(
  place INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL UNIQUE, since TEXT NOT NULL);
INSERT INTO fastest_local_remote(one, url, packs) VALUES (1, 'file:///x', 'rows');
PRAGMA user_version = 2;
";

/// Ten rows were written; the seventh waits, and one scope is being read.
const CONTENT: &str = r#"
INSERT INTO fastest_local_device(one, device_id, user_id, counter) VALUES (1, 'd', 'u', 3);
INSERT INTO fastest_local_cursor VALUES ('p', 5), ('reading p', 0);
INSERT INTO users(id, email) VALUES ('u', 'u@example.org');
INSERT INTO fastest_local_outbox(revision, scope, tbl, pk, base_version, row)
  VALUES (10, 'p', 'users', 'x', 0, '["x","x",null,null,"2026"]');
DELETE FROM fastest_local_outbox;
INSERT INTO fastest_local_outbox(revision, scope, tbl, pk, base_version, base, row) VALUES
  (7, 'p', 'users', 'u', 2, '["u","u@example.org",null,null,"2026"]', '["u","u@example.org","U",null,"2026"]');
"#;

fn old_file(path: &Path, remote: &str) {
    let file = Connection::open(path).unwrap();
    let tables = replica_ddl(FASTEST.tables).join(";\n");
    file.execute_batch(&format!("{tables};\n{OLD_DDL}\n{remote}\n{CONTENT}")).unwrap();
}

#[test]
fn older_files_are_brought_up_to_date() {
    for remote in [REMOTE_1_DDL, REMOTE_2_DDL] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replica.db");
        old_file(&path, remote);
        let mut replica = Replica::open(&path, &FASTEST).unwrap();
        let session = replica.read();
        assert_eq!(session.remote().unwrap().packs.name(), "rows");
        let [entry] = &session.entries("p").unwrap()[..] else { panic!("one row waits") };
        assert_eq!((entry.revision, entry.base_version, &entry.key[..]), (7, 2, "u"));
        assert_eq!(entry.row.as_ref().unwrap()[2], "U");
        assert_eq!(query(&path, "SELECT scope FROM fastest_local_cursor"), ["p"]);
        assert_eq!(query(&path, "SELECT scope FROM fastest_local_reading"), ["p"]);
        assert_eq!(query(&path, "SELECT owner FROM fastest_local_schema"), ["fastest"]);
        // A row that waited can be deleted now, and revisions go on counting.
        let gone = replica.write(|session| session.remove("p", User::TABLE, "u"));
        assert!(gone.unwrap());
        let entry = replica.read().entry(User::TABLE, "u").unwrap().unwrap();
        assert_eq!((entry.revision, entry.row), (11, None));
        drop(replica);
        Replica::open(&path, &FASTEST).unwrap();
    }
}

#[test]
fn a_file_of_a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST).unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch("PRAGMA user_version = 4").unwrap();
    let refused = Replica::open(&path, &FASTEST).unwrap_err();
    assert!(matches!(refused, ReplicaError::Newer { found: 4, .. }), "{refused}");
}

#[test]
fn a_table_that_lacks_a_column_is_made_anew_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST).unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO workspaces(id, project_id, name) VALUES ('w', 'p', 'main');
         INSERT INTO fastest_local_cursor VALUES ('p', 5);
         ALTER TABLE workspaces DROP COLUMN machine_id;",
    )
    .unwrap();
    let replica = Replica::open(&path, &FASTEST).unwrap();
    let row = replica.read().row::<Workspace>("w").unwrap().unwrap();
    assert_eq!((&row.name[..], row.machine_id, row.version), ("main", None, 1));
    let indexes = "SELECT count(*) FROM pragma_index_list('workspaces') WHERE origin = 'c'";
    assert_eq!(query(&path, indexes), ["1"]);
    let cursors = query(&path, "SELECT scope FROM fastest_local_cursor");
    assert!(cursors.is_empty(), "the new column is read from the primary");
}
