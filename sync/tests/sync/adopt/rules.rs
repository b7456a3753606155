//! The application's own constraints, on each kind of primary: a device checks unique values
//! itself, cascades along any unique column, replaces no row of another device, and is told which
//! row keeps one from being deleted.

use std::path::Path;

use fastest_schema::record::model::TableRecord;
use fastest_schema::{Migration, Row, Schema, statements, table};
use fastest_sync::device::report::RefusedTransaction;
use fastest_sync::migrations::{Chosen, Source, adopt, apply};
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, Remote, World, migrate};

use crate::run;
use crate::values::{by_hand, primaries, rows_of};

#[table(
    name = "teams",
    policy = versioned("the application and every device change its rows"),
    scope = org,
    external,
)]
struct Team {
    #[pk]
    id: String,
    org: String,
    #[unique]
    no: i64,
}

#[table(
    name = "pages",
    policy = versioned("the application and every device change its rows"),
    scope = org,
    external,
    replaces,
    unique(org, lang, title),
    unique_sql("`org`", "lower(`slug`)", filter = "gone IS NULL"),
)]
struct Page {
    #[pk]
    id: String,
    org: String,
    #[references(teams.no, on_delete = cascade)]
    team: i64,
    lang: String,
    title: String,
    slug: String,
    gone: Option<i64>,
    #[unique]
    code: Option<String>,
    editor: Option<String>,
    author: Option<String>,
}

const APPLICATION: &str = "CREATE TABLE teams(id text PRIMARY KEY NOT NULL, org text NOT NULL, no integer NOT NULL UNIQUE)
--> statement-breakpoint
CREATE TABLE pages(id text PRIMARY KEY NOT NULL, org text NOT NULL,
  team integer NOT NULL REFERENCES teams(no) ON DELETE CASCADE,
  lang text NOT NULL, title text NOT NULL, slug text COLLATE NOCASE NOT NULL, gone integer,
  code text UNIQUE ON CONFLICT REPLACE, editor text REFERENCES people(id),
  author text REFERENCES people, UNIQUE (org, lang, title))
--> statement-breakpoint
CREATE UNIQUE INDEX pages_slug ON pages(org, slug) WHERE gone IS NULL
--> statement-breakpoint
CREATE TABLE people(id text PRIMARY KEY)
--> statement-breakpoint
INSERT INTO people VALUES ('ann')
--> statement-breakpoint
CREATE TABLE comments(id integer PRIMARY KEY, page text REFERENCES pages(id))";

fn page(id: &str, title: &str, slug: &str) -> Page {
    let (id, title, slug) = (id.into(), title.into(), slug.into());
    let (org, lang) = ("o".into(), "en".into());
    let [code, editor, author] = [None, None, None];
    Page { id, org, team: 7, lang, title, slug, gone: None, code, editor, author }
}

/// Adopts the application's tables in two steps, and returns the schema that its devices have.
fn adopted(remote: &Remote, dir: &Path) -> &'static Schema {
    statements(APPLICATION).for_each(|sql| by_hand(remote, sql));
    for table in ["teams", "pages"] {
        let chosen = [Chosen::versioned(table, "org")];
        let written = run(adopt(&*remote.primary, dir, "team", &chosen)).unwrap();
        let notes = written.notes.join("\n");
        let told = notes.contains("`comments` is not synced, and refers to `pages` over (page)");
        assert_eq!(told, table == "pages", "{notes}");
        run(apply(&*remote.primary, &Source::folder(dir).unwrap())).unwrap();
    }
    let source = Source::folder(dir).unwrap();
    let tables = [Team::TABLE, Page::TABLE];
    assert_eq!(source.record.tables, tables.map(TableRecord::from));
    Box::leak(Box::new(Schema { tables: tables.to_vec().leak(), ..*source.schema }))
}

fn keys<R: Row>(device: &Database) -> Vec<String> {
    let rows = device.all::<R>().unwrap();
    let key = |row: &R| serde_json::to_value(row).unwrap()["id"].as_str().unwrap().to_owned();
    rows.iter().map(key).collect()
}

/// Returns the one transaction that the primary refuses.
fn refused_by(remote: &Remote, device: &mut Database) -> RefusedTransaction {
    run(device.push_all(remote)).unwrap();
    let mut refused = device.refused().unwrap();
    assert_eq!(refused.len(), 1, "{refused:?}");
    refused.remove(0)
}

#[test]
fn the_applications_constraints_hold_on_every_primary() {
    let folder = tempfile::tempdir().unwrap();
    let (remotes, _sqld) = primaries(folder.path());
    for (name, remote) in &remotes {
        let dir = folder.path().join(name);
        let schema = adopted(remote, &dir.join("migrations"));
        let open =
            |file: &str| Database::open_for(&dir.join(file), schema, "o", World::system()).unwrap();
        let (mut one, mut two) = (open("one.db"), open("two.db"));
        one.save(&Team { id: "t".into(), org: "o".into(), no: 7 }).unwrap();
        one.save(&page("a", "Home", "Home")).unwrap();

        // A unique value that is taken here is found before the primary is asked.
        let error = one.save(&page("b", "Home", "other")).unwrap_err().to_string();
        assert!(error.contains("row a of pages has the same org, lang, title"), "{error}");
        let error = one.save(&page("b", "Other", "HOME")).unwrap_err().to_string();
        assert!(error.contains("has the same `org`, lower(`slug`)"), "{error}");
        one.save(&Page { gone: Some(1), ..page("c", "Gone", "hOmE") }).unwrap();
        run(one.push_all(remote)).unwrap_or_else(|error| panic!("{name}: {error}"));
        run(two.pull_all(remote)).unwrap();
        assert_eq!(keys::<Page>(&two), ["a", "c"], "{name}");

        // One row takes over a value that another releases, in one push.
        one.save(&page("b", "Other", "other")).unwrap();
        one.delete::<Page>("a").unwrap();
        one.save(&page("b", "Other", "home")).unwrap();
        run(one.push_all(remote)).unwrap_or_else(|error| panic!("{name}: {error}"));
        // Rows that swap their values arrive one after the other.
        by_hand(remote, "UPDATE pages SET slug = 'x', gone = 2 WHERE id = 'b'");
        by_hand(remote, "UPDATE pages SET slug = 'HOME', gone = NULL WHERE id = 'c'");
        run(two.pull_all(remote)).unwrap_or_else(|error| panic!("{name}: {error}"));
        run(one.pull_all(remote)).unwrap();
        assert_eq!(two.get::<Page>("c").unwrap().unwrap().slug, "HOME", "{name}");

        // `ON CONFLICT REPLACE` does not delete a row of another device.
        let held = one.get::<Page>("b").unwrap().unwrap();
        one.save(&Page { code: Some("k".into()), ..held }).unwrap();
        run(one.push_all(remote)).unwrap();
        let other = two.get::<Page>("c").unwrap().unwrap();
        two.save(&Page { code: Some("k".into()), ..other.clone() }).unwrap();
        let refused = refused_by(remote, &mut two);
        assert_eq!(refused.column.as_deref(), Some("code"), "{name}: {refused}");
        assert!(refused.why.contains("UNIQUE constraint failed: pages.code"), "{name}: {refused}");
        assert_eq!(rows_of(remote, "SELECT count(*) FROM pages")[0][0].as_deref(), Some("2"));
        two.save(&other).unwrap();
        run(two.push_all(remote)).unwrap();
        run(two.pull_all(remote)).unwrap();

        // A row may refer to a table of the application's by its key without naming it.
        let [author, editor] = [Some("ann".into()), Some("bob".into())];
        two.save(&Page { author: author.clone(), editor, ..other.clone() }).unwrap();
        let refused = refused_by(remote, &mut two);
        assert_eq!(refused.column.as_deref(), Some("editor"), "{name}: {refused}");
        two.save(&Page { author, ..other }).unwrap();
        run(two.push_all(remote)).unwrap();
        assert!(two.refused().unwrap().is_empty(), "{name}");

        // A row that one of the application's tables refers to is kept, and the refusal names that
        // row.
        by_hand(remote, "INSERT INTO comments VALUES (3, 'c')");
        assert!(two.delete::<Team>("t").unwrap());
        assert!(keys::<Page>(&two).is_empty(), "{name}: along a key that is a number");
        let refused = refused_by(remote, &mut two);
        let row = format!("{} {}", refused.table, refused.key);
        let why = "row 3 of comments refers to it over (page), which devices do not follow";
        assert_eq!((&*row, &*refused.why), ("pages c", why), "{name}");
        by_hand(remote, "DELETE FROM comments");
        two.retry_refused(refused.id).unwrap();
        run(two.push_all(remote)).unwrap_or_else(|error| panic!("{name}: {error}"));
        run(one.pull_all(remote)).unwrap();
        assert!(keys::<Page>(&one).is_empty() && keys::<Team>(&one).is_empty(), "{name}");
    }
}

/// A child that this device does not know keeps its parent, whether it refers to it by a number or
/// by a text.
#[test]
fn a_child_that_is_not_here_keeps_its_parent_by_a_number() {
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    let schema = adopted(&remote, &folder.path().join("migrations"));
    let mut device =
        Database::open_for(&folder.path().join("device.db"), schema, "o", World::system()).unwrap();
    device.save(&Team { id: "t".into(), org: "o".into(), no: 7 }).unwrap();
    run(device.push_all(&remote)).unwrap();
    // A row of a scope that the device does not hold.
    by_hand(
        &remote,
        "INSERT INTO pages VALUES ('p', 'away', 7, 'en', 'T', 's', NULL, NULL, NULL, NULL)",
    );
    device.delete::<Team>("t").unwrap();
    run(device.push_all(&remote)).unwrap();
    assert_eq!(keys::<Team>(&device), ["t"]);
    assert_eq!(device.conflicts().unwrap().len(), 1, "that it was deleted is kept");
}

#[test]
fn migrations_of_the_applications_own_lock_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    let primary = &*remote.primary;
    // A migration with the number and the owner of our first.
    by_hand(&remote, fastest_schema::D1_MIGRATIONS_DDL);
    by_hand(&remote, "INSERT INTO d1_migrations(name) VALUES ('0000_team_init.sql')");
    let schema = adopted(&remote, &folder.path().join("migrations"));
    let mut device =
        Database::open_for(&folder.path().join("device.db"), schema, "o", World::system()).unwrap();
    let mut sync = |no: i64| {
        device.save(&Team { id: format!("t{no}"), org: "o".into(), no }).unwrap();
        run(device.push_all(&remote))?;
        run(device.pull_all(&remote))
    };
    sync(1).unwrap();
    for name in ["0001_team_b.sql", "0002_team_settings.sql", "0107_team_settings.sql"] {
        by_hand(&remote, &format!("INSERT INTO d1_migrations(name) VALUES ('{name}')"));
    }
    sync(2).unwrap();
    assert_eq!(run(migrate(primary, schema)).unwrap(), [""; 0]);
    // A migration of ours that this build does not know.
    let sql = "INSERT INTO d1_migrations(name) VALUES ('fastest:0002_team_later.sql');";
    let later = Migration { name: "0002_team_later.sql", sql };
    let migrations: Vec<Migration> = schema.migrations.iter().copied().chain([later]).collect();
    let newer = Schema { migrations: migrations.leak(), ..*schema };
    assert_eq!(run(migrate(primary, &newer)).unwrap(), ["0002_team_later.sql"]);
    let error = sync(3).unwrap_err().to_string();
    assert!(error.contains("has migration 0002_team_later.sql"), "{error}");
    let error = run(migrate(primary, schema)).unwrap_err().to_string();
    assert!(error.contains("has migration 0002_team_later.sql"), "{error}");
}

/// A primary that an earlier build migrated has no marks: there, migrations are recognised by their
/// numbers.
#[test]
fn migrations_without_marks_are_told_by_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let remote =
        Remote::of(Box::new(Embedded::new(&folder.path().join("primary.db"), World::system())));
    let schema = adopted(&remote, &folder.path().join("migrations"));
    let mut device =
        Database::open_for(&folder.path().join("device.db"), schema, "o", World::system()).unwrap();
    by_hand(&remote, "DELETE FROM d1_migrations WHERE name GLOB 'fastest:*'");
    by_hand(&remote, "INSERT INTO d1_migrations(name) VALUES ('0007_team_settings.sql')");
    run(device.pull_all(&remote)).unwrap();
    assert_eq!(run(migrate(&*remote.primary, schema)).unwrap(), [""; 0]);
    by_hand(&remote, "INSERT INTO d1_migrations(name) VALUES ('0002_team_later.sql')");
    let error = run(device.pull_all(&remote)).unwrap_err().to_string();
    assert!(error.contains("has migration 0002_team_later.sql"), "{error}");
}
