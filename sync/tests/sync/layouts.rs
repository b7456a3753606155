//! Files of older versions are migrated, with the rows that wait in them.

use std::path::Path;

use fastest_schema::tables::auth::User;
use fastest_schema::value::wire::list_to_wire;
use fastest_schema::{FASTEST, Row, statements};
use fastest_sync::internals::{Outbox, RemoteRow, Replica, ReplicaError};
use fastest_sync::{Database, World};
use rusqlite::Connection;

use super::machine::query;

/// The tables that layouts 1 and 2 had in common.
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

/// Ten rows were written. The seventh waits, and one scope is being read.
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

/// Makes a file with the tables of the first migration.
fn old_file(path: &Path, remote: &str) {
    let file = Connection::open(path).unwrap();
    let first = statements(FASTEST.migrations[0].sql);
    let ours = ["fastest_meta", "fastest_pushes", "TRIGGER", "VIEW"];
    let tables = first.filter(|sql| !ours.iter().any(|word| sql.contains(word)));
    let tables: String = tables.collect();
    file.execute_batch(&format!("{tables}\n{OLD_DDL}\n{remote}\n{CONTENT}")).unwrap();
}

fn tables_of(path: &Path) -> Vec<String> {
    let sql = "SELECT name || ' ' || sql FROM sqlite_master WHERE sql IS NOT NULL
               AND name NOT GLOB 'fastest_local_*' ORDER BY name";
    query(path, sql).iter().map(|sql| sql.replace('"', "`").replace([' ', '\n'], "")).collect()
}

#[test]
fn older_files_are_brought_up_to_date() {
    for remote in [REMOTE_1_DDL, REMOTE_2_DDL] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("replica.db");
        old_file(&path, remote);
        let mut replica = Replica::open(&path, &FASTEST, World::system()).unwrap();
        let session = replica.read();
        assert_eq!(RemoteRow(session).get().unwrap().packs.name(), "rows");
        let [entry] = &Outbox(session).entries(&"p".into()).unwrap()[..] else {
            panic!("one row waits")
        };
        assert_eq!((entry.revision, entry.base_version, entry.key.as_str()), (7, 2, "u"));
        assert_eq!(entry.row.as_ref().unwrap()[2], "U".into());
        assert_eq!(query(&path, "SELECT scope FROM fastest_local_cursor"), ["p"]);
        assert_eq!(query(&path, "SELECT scope FROM fastest_local_reading"), ["p"]);
        assert_eq!(query(&path, "SELECT owner FROM fastest_local_schema"), ["fastest"]);
        // A row that waited can be deleted now, and revisions are counted on from there.
        let gone =
            replica.write(|session| Outbox(session).remove(&"p".into(), User::TABLE, &"u".into()));
        assert!(gone.unwrap());
        let entry = Outbox(replica.read()).entry(User::TABLE, &"u".into()).unwrap().unwrap();
        assert_eq!((entry.revision, entry.row), (11, None));
        drop(replica);
        Replica::open(&path, &FASTEST, World::system()).unwrap();
        let new = folder.path().join("new.db");
        Replica::open(&new, &FASTEST, World::system()).unwrap();
        assert_eq!(tables_of(&path), tables_of(&new));
    }
}

#[test]
fn a_file_of_a_newer_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch("PRAGMA user_version = 10").unwrap();
    let refused = Replica::open(&path, &FASTEST, World::system()).unwrap_err();
    assert!(matches!(refused, ReplicaError::Newer { found: 10, .. }), "{refused}");
}

/// The tables of an application, before and after a change of its schema.
mod before {
    use fastest_schema::{Migration, Row, Schema, table};

    /// A task.
    #[table(name = "tasks", policy = versioned("a test"), scope = team, index(team))]
    pub struct Task {
        #[pk]
        pub id: String,
        pub team: String,
        pub title: String,
        pub colour: Option<String>,
        pub done: i64,
    }

    pub static SCHEMA: Schema = Schema {
        owner: "app",
        tables: &[Task::TABLE],
        migrations: &[Migration { name: "0000_app_init.sql", sql: "" }],
    };
}

mod after {
    use fastest_schema::{Migration, Row, Schema, table};

    /// A job: a task of before.
    #[table(
        name = "jobs",
        policy = versioned("a test"),
        scope = team,
        unique(team, name),
    )]
    pub struct Job {
        #[pk]
        pub id: String,
        #[default(7)]
        pub rank: i64,
        pub team: String,
        pub name: String,
        pub done: String,
    }

    pub static SCHEMA: Schema = Schema {
        owner: "app",
        tables: &[Job::TABLE],
        migrations: &[
            Migration { name: "0000_app_init.sql", sql: "" },
            Migration {
                name: "0001_app_jobs.sql",
                sql: r#"-- fastest: {"rename_table":["tasks","jobs"]}
-- fastest: {"rename_column":["jobs","title","name"]}
-- fastest: {"drop_column":["jobs","colour"]}
"#,
            },
        ],
    };
}

#[test]
fn rows_that_wait_follow_the_schema() {
    use after::Job;
    use before::Task;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    let mut replica = Replica::open(&path, &before::SCHEMA, World::system()).unwrap();
    let task = |id: &str, title: &str| Task {
        id: id.into(),
        team: "t".into(),
        title: title.into(),
        colour: Some("red".into()),
        done: 1,
    };
    let wrote = replica.write(|session| {
        Outbox(session).save(&"t".into(), &task("a", "first"))?;
        Outbox(session).save(&"t".into(), &task("b", "second"))?;
        Outbox(session).remove(&"t".into(), Task::TABLE, &"b".into())
    });
    wrote.unwrap();
    drop(replica);
    let replica = Replica::open(&path, &after::SCHEMA, World::system()).unwrap();
    let job =
        Job { id: "a".into(), rank: 7, team: "t".into(), name: "first".into(), done: "1".into() };
    assert_eq!(replica.read().row::<Job>(&"a".into()).unwrap(), Some(job));
    let [entry] = &Outbox(replica.read()).entries(&"t".into()).unwrap()[..] else {
        panic!("one row waits")
    };
    let row = entry.row.as_ref().map(|row| list_to_wire(row));
    assert_eq!((entry.table.name, row.as_deref()), ("jobs", Some(r#"["a",7,"t","first","1"]"#)));
    drop(replica);
    let fresh = folder.path().join("fresh.db");
    Replica::open(&fresh, &after::SCHEMA, World::system()).unwrap();
    assert_eq!(tables_of(&path), tables_of(&fresh));
    let refused = Replica::open(&path, &before::SCHEMA, World::system()).unwrap_err();
    assert!(refused.to_string().contains("was brought to 0001_app_jobs.sql by a newer version"));
}

/// The tables of an application that was not opened for two releases: `tasks` became `jobs`, whose
/// `title` became `name`. Then `jobs` became `works`, and a new `title` and a new `tasks` were
/// added.
mod much_later {
    use fastest_schema::{Migration, Row, Schema, table};

    /// A job of before.
    #[table(name = "works", policy = versioned("a test"), scope = team)]
    pub struct Work {
        #[pk]
        pub id: String,
        #[default("none")]
        pub title: String,
        pub team: String,
        pub name: String,
        pub done: i64,
    }

    /// Unrelated to the earlier tasks.
    #[table(name = "tasks", policy = versioned("a test"), scope = team)]
    pub struct Task {
        #[pk]
        pub id: String,
        pub team: String,
    }

    const LAST: &str = r#"-- fastest: {"rename_table":["jobs","works"]}
-- fastest: {"drop_column":["works","rank"]}
"#;

    pub static SCHEMA: Schema = Schema {
        owner: "app",
        tables: &[Work::TABLE, Task::TABLE],
        migrations: &[
            super::after::SCHEMA.migrations[0],
            super::after::SCHEMA.migrations[1],
            Migration { name: "0002_app_works.sql", sql: LAST },
        ],
    };
}

#[test]
fn releases_that_were_slept_through_are_followed_one_by_one() {
    use before::Task;
    use much_later::Work;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    let mut replica = Replica::open(&path, &before::SCHEMA, World::system()).unwrap();
    let task =
        Task { id: "a".into(), team: "t".into(), title: "one".into(), colour: None, done: 1 };
    replica.write(|session| Outbox(session).save(&"t".into(), &task)).unwrap();
    let file = Connection::open(&path).unwrap();
    let conflict = "INSERT INTO fastest_local_conflict(id, scope, tbl, pk, columns, ours, theirs, at)
        VALUES ('c', 't', 'tasks', 'a', 'title,colour', '[\"a\",\"t\",\"ours\",null,1]', 'null', '')";
    file.execute_batch(conflict).unwrap();
    drop((replica, file));
    let replica = Replica::open(&path, &much_later::SCHEMA, World::system()).unwrap();
    let session = replica.read();
    let work = Work {
        id: "a".into(),
        title: "none".into(),
        team: "t".into(),
        name: "one".into(),
        done: 1,
    };
    assert_eq!(session.row::<Work>(&"a".into()).unwrap(), Some(work));
    assert_eq!(session.row::<much_later::Task>(&"a".into()).unwrap(), None);
    let [entry] = &Outbox(session).entries(&"t".into()).unwrap()[..] else {
        panic!("one row waits")
    };
    let row = list_to_wire(entry.row.as_ref().unwrap());
    assert_eq!((entry.table.name, &row[..]), ("works", r#"["a","none","t","one",1]"#));
    let kept = "SELECT tbl || ' ' || columns || ' ' || ours FROM fastest_local_conflict";
    assert_eq!(query(&path, kept), [r#"works name ["a","none","t","ours",1]"#]);
}

/// Table names that are reused: `b` became `c`, and then `a` became `b`.
mod passed_on {
    use fastest_schema::{Migration, Row, Schema, table};

    macro_rules! tables {
        ($module:ident, $first:ident = $one:literal, $second:ident = $two:literal, $migrations:expr) => {
            pub mod $module {
                use super::*;

                #[table(name = $one, policy = versioned("a test"), scope = id)]
                pub struct $first {
                    #[pk]
                    pub id: String,
                    pub of: String,
                }

                #[table(name = $two, policy = versioned("a test"), scope = id)]
                pub struct $second {
                    #[pk]
                    pub id: String,
                    pub of: String,
                }

                pub static SCHEMA: Schema = Schema {
                    owner: "app",
                    tables: &[$first::TABLE, $second::TABLE],
                    migrations: $migrations,
                };
            }
        };
    }

    const FIRST: Migration = Migration { name: "0000_app_init.sql", sql: "" };
    const LATER: Migration = Migration {
        name: "0001_app_names.sql",
        sql: "-- fastest: {\"rename_table\":[\"b\",\"c\"]}\n-- fastest: {\"rename_table\":[\"a\",\"b\"]}\n",
    };
    tables!(old, A = "a", B = "b", &[FIRST]);
    tables!(new, B = "b", C = "c", &[FIRST, LATER]);
}

#[test]
fn what_waits_keeps_to_its_table_when_names_are_passed_on() {
    use passed_on::{new, old};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    let mut replica = Replica::open(&path, &old::SCHEMA, World::system()).unwrap();
    let wrote = replica.write(|session| {
        for id in ["1", "2"] {
            Outbox(session).save(&"s".into(), &old::A { id: id.into(), of: "a".into() })?;
        }
        Outbox(session).save(&"s".into(), &old::B { id: "1".into(), of: "b".into() })
    });
    wrote.unwrap();
    drop(replica);
    let replica = Replica::open(&path, &new::SCHEMA, World::system()).unwrap();
    let session = replica.read();
    assert_eq!(session.row::<new::C>(&"1".into()).unwrap().unwrap().of, "b");
    let waiting: Vec<String> = Outbox(session)
        .entries(&"s".into())
        .unwrap()
        .iter()
        .map(|entry| format!("{} {}", entry.table.name, entry.row.as_ref().unwrap()[1]))
        .collect();
    assert_eq!(waiting, [r#"b "a""#, r#"b "a""#, r#"c "b""#]);
}

/// A column of which only the type changed.
mod retyped {
    use fastest_schema::{Migration, Row, Schema, table};

    pub mod text {
        use super::*;

        #[table(name = "counts", policy = versioned("a test"), scope = id)]
        pub struct Count {
            #[pk]
            pub id: String,
            pub n: String,
        }

        pub static SCHEMA: Schema = Schema {
            owner: "app",
            tables: &[Count::TABLE],
            migrations: &[Migration { name: "0000_app_init.sql", sql: "" }],
        };
    }

    pub mod number {
        use super::*;

        #[table(name = "counts", policy = versioned("a test"), scope = id)]
        pub struct Count {
            #[pk]
            pub id: String,
            pub n: i64,
        }

        pub static SCHEMA: Schema = Schema {
            owner: "app",
            tables: &[Count::TABLE],
            migrations: &[
                Migration { name: "0000_app_init.sql", sql: "" },
                Migration { name: "0001_app_number.sql", sql: "" },
            ],
        };
    }
}

#[test]
fn what_waits_and_fits_no_more_is_kept_as_a_conflict() {
    use retyped::{number, text};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    let mut replica = Replica::open(&path, &text::SCHEMA, World::system()).unwrap();
    let wrote = replica.write(|session| {
        for (id, n) in [("fits", "12"), ("not", "abc")] {
            Outbox(session).save(&"s".into(), &text::Count { id: id.into(), n: n.into() })?;
        }
        Ok::<_, ReplicaError>(())
    });
    wrote.unwrap();
    drop(replica);
    let replica = Replica::open(&path, &number::SCHEMA, World::system()).unwrap();
    let rows: Vec<_> = Outbox(replica.read())
        .entries(&"s".into())
        .unwrap()
        .into_iter()
        .map(|entry| entry.row.unwrap())
        .collect();
    let rows: Vec<String> = rows.iter().map(|row: &Vec<_>| list_to_wire(row)).collect();
    assert_eq!(rows, [r#"["fits",12]"#, r#"["not",0]"#]);
    let kept = "SELECT pk || ' ' || columns || ' ' || ours FROM fastest_local_conflict";
    assert_eq!(query(&path, kept), [r#"not n ["not","abc"]"#]);
}

/// The engine's own tables in layout 4.
const LAYOUT_4_DDL: &str = "
CREATE TABLE fastest_local_schema(
  one INTEGER PRIMARY KEY CHECK (one = 1),
  owner TEXT NOT NULL, scope TEXT, migration TEXT, record TEXT NOT NULL);
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
CREATE TABLE fastest_local_copy(
  root BLOB PRIMARY KEY, project_id TEXT NOT NULL, workspace_id TEXT NOT NULL, head TEXT,
  folder TEXT)
  WITHOUT ROWID;
PRAGMA user_version = 4;
";

/// A table with reals, which builds with layout 4 kept in lists as decimals.
mod gauges {
    use fastest_schema::{Migration, Row, Schema, table};

    #[table(name = "gauges", policy = versioned("a test"), scope = of)]
    pub struct Gauge {
        #[pk]
        pub id: String,
        pub of: String,
        pub level: f64,
        pub least: Option<f64>,
    }

    pub static SCHEMA: Schema = Schema {
        owner: "app",
        tables: &[Gauge::TABLE],
        migrations: &[Migration { name: "0000_app_init.sql", sql: "" }],
    };
}

/// The tables that layout 5 added.
const LAYOUT_5_DDL: &str = "
CREATE TABLE fastest_local_held(
  tbl TEXT NOT NULL, pk TEXT NOT NULL, scope TEXT NOT NULL, version INTEGER NOT NULL,
  column TEXT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (tbl, pk))
  WITHOUT ROWID;
PRAGMA user_version = 5;
";

#[test]
fn what_waits_in_a_file_of_layout_4_or_5_is_read() {
    for ddl in [LAYOUT_4_DDL.to_owned(), format!("{LAYOUT_4_DDL}{LAYOUT_5_DDL}")] {
        what_waits_is_read(&ddl);
    }
}

fn what_waits_is_read(ddl: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    let file = Connection::open(&path).unwrap();
    file.execute_batch(ddl).unwrap();
    file.execute_batch(&fastest_schema::replica_ddl(gauges::SCHEMA.tables).join(";\n")).unwrap();
    let record = fastest_schema::replica_record("app", gauges::SCHEMA.tables);
    let mut record = serde_json::to_value(&record).unwrap();
    record["engine"] = 1.into();
    let insert = "INSERT INTO fastest_local_schema(one, owner, migration, record)
                  VALUES (1, 'app', '0000_app_init.sql', ?1)";
    file.execute(insert, [record.to_string()]).unwrap();
    file.execute_batch(
        r#"
        INSERT INTO fastest_local_device(one, device_id, user_id) VALUES (1, 'd', '');
        INSERT INTO gauges VALUES ('g', 's', 0.1, NULL);
        INSERT INTO fastest_local_sent VALUES (1, 'p', 'd', '{"v":1,"counter":1}', '{"scope":"s","rows":[],"patch":null}');
        INSERT INTO fastest_local_outbox(scope, tbl, pk, base_version, base, row) VALUES
          ('s', 'gauges', 'g', 3, '["g","s",1e-7,2.0]', '["g","s",0.1,null]');
        INSERT INTO fastest_local_conflict VALUES
          ('c', 's', 'gauges', 'g', 'level', NULL, '["g","s",123456789.12345679,7]', NULL, 'then');
        "#,
    )
    .unwrap();
    drop(file);
    let replica = Replica::open(&path, &gauges::SCHEMA, World::system()).unwrap();
    let entry = Outbox(replica.read()).entry(gauges::Gauge::TABLE, &"g".into()).unwrap().unwrap();
    let real = |real: f64| fastest_schema::value::sql_value::Value::Real(real);
    assert_eq!(entry.base.unwrap()[2..], [real(1e-7), real(2.0)]);
    assert_eq!(entry.row.unwrap()[2..], [real(0.1), fastest_schema::value::sql_value::Value::Null]);
    assert_eq!(entry.joined, None);
    assert_eq!(query(&path, "PRAGMA user_version"), ["9"]);
    assert_eq!(query(&path, "SELECT count(*) FROM fastest_local_held"), ["0"]);
    assert_eq!(query(&path, "SELECT count(*) FROM fastest_local_refused"), ["0"]);
    assert_eq!(query(&path, "SELECT push_id FROM fastest_local_sent"), ["p"], "it waits still");
    let [conflict] =
        &Database::open(&path, &gauges::SCHEMA, World::system()).unwrap().conflicts().unwrap()[..]
    else {
        panic!("one conflict")
    };
    assert_eq!(conflict.columns[2].ours, 123_456_789.123_456_79);
}

#[test]
fn a_file_of_layout_6_learns_which_snapshots_follow_which() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    let file = Connection::open(&path).unwrap();
    // Layout 6 has neither the table of children nor its triggers.
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         DROP TRIGGER fastest_local_child_add;
         DROP TRIGGER fastest_local_child_drop;
         DROP INDEX fastest_local_snapshot_random;
         DROP TABLE fastest_local_child;
         ALTER TABLE fastest_local_remote DROP COLUMN mark;
         DROP TABLE fastest_local_operation; DROP TABLE fastest_local_preview;
         PRAGMA user_version = 6;
         INSERT INTO snapshots(id, project_id, manifest_hash, parent_snapshot_ids) VALUES
           ('snap-1', 'p', '', '[]'), ('snap-2', 'p', '', '[\"snap-1\"]'),
           ('snap-3', 'p', '', '[\"snap-1\",\"snap-2\"]'), ('snap-4', 'p', '', 'damaged');",
    )
    .unwrap();
    drop(file);
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    let children = "SELECT parent || ' ' || child FROM fastest_local_child";
    let filled = ["snap-1 snap-2", "snap-1 snap-3", "snap-2 snap-3"];
    assert_eq!(query(&path, children), filled);
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         DELETE FROM snapshots WHERE id = 'snap-3';
         INSERT INTO snapshots(id, project_id, manifest_hash, parent_snapshot_ids)
           VALUES ('snap-5', 'p', '', '[\"snap-2\"]');",
    )
    .unwrap();
    assert_eq!(query(&path, children), ["snap-1 snap-2", "snap-2 snap-5"]);
}

#[test]
fn a_file_of_layout_7_has_seen_no_push_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "ALTER TABLE fastest_local_remote DROP COLUMN mark;
         DROP TABLE fastest_local_operation; DROP TABLE fastest_local_preview;
         INSERT INTO fastest_local_remote(one, url, packs, epoch, last_push_id)
           VALUES (1, 'file:///p.db', 'rows', 'e', 'p1');
         PRAGMA user_version = 7;",
    )
    .unwrap();
    drop(file);
    let replica = Replica::open(&path, &FASTEST, World::system()).unwrap();
    let state = RemoteRow(replica.read()).get().unwrap();
    assert_eq!((state.epoch.as_deref(), state.last_push_id), (Some("e"), Some("p1".into())));
    assert_eq!(state.mark, None);
}

#[test]
fn a_file_of_layout_8_has_no_operations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("replica.db");
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    let file = Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE fastest_local_operation; DROP TABLE fastest_local_preview;
         PRAGMA user_version = 8;",
    )
    .unwrap();
    drop(file);
    Replica::open(&path, &FASTEST, World::system()).unwrap();
    assert_eq!(query(&path, "SELECT count(*) FROM fastest_local_operation"), ["0"]);
    assert_eq!(query(&path, "PRAGMA user_version"), ["9"]);
}
