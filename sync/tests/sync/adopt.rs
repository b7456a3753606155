//! Databases that real drizzle-kit made, adopted on each kind of primary and written from both
//! sides. `FASTEST_BLESS=1` rewrites the declarations that an adoption emits.

mod rules;
#[rustfmt::skip]
mod schema;

use std::path::Path;

use fastest_fixtures::drizzle;
use fastest_fixtures::keys::Keys;
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::{Policy, Row, Schema, Table, statements, table};
use fastest_sync::migrations::{
    Chosen, NewMigration, Source, adopt, apply, attach, check, detach, generate, live,
};
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, World};
use schema::{Member, NewTask, Organisation, Project, Task};

use super::run;
use super::values::by_hand;

fn open(url: &str) -> Remote {
    Remote::to(url, &Keys::default(), World::system()).unwrap()
}

/// Returns the rows of a query, each as one text.
fn query(remote: &Remote, sql: &str) -> Vec<String> {
    let rows = run(remote.primary.run(Statement::reads(sql), &[]))
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join("|")).collect()
}

/// Does what the application's ORM did: two migrations, with rows inserted in between. The second
/// migration selects a column that does not exist yet. libSQL refuses that, and gets a mended text;
/// elsewhere SQLite takes the double-quoted name for a string.
fn application(remote: &Remote, mended: bool) {
    let [first, mut second] = drizzle::migrations();
    if mended {
        let broken = second.rfind("\"blocked\" FROM").expect("it is the last that is selected");
        second.replace_range(broken..broken + "\"blocked\"".len(), "false");
    }
    statements(&first).for_each(|sql| by_hand(remote, sql));
    for sql in [
        "INSERT INTO organisations(id, name, slug) VALUES ('o', 'Acme', 'acme'), ('x', 'X', 'x')",
        "INSERT INTO members(id, organisationId, email) VALUES ('m', 'o', 'm@example.org')",
        "INSERT INTO projects(id, organisationId, leadId, title) VALUES ('p', 'o', 'm', 'Moon')",
        "INSERT INTO projects(id, organisationId, title) VALUES ('q', 'x', 'Mars')",
        "INSERT INTO tasks(id, projectId, labels) VALUES ('t', 'p', '[\"now\"]'), ('s', 'q', '[]')",
    ] {
        by_hand(remote, sql);
    }
    // The statements with which drizzle-kit rebuilds a table need one transaction.
    let second: Vec<&str> = statements(&second).collect();
    run(remote.primary.run(Statement::repeatable(fastest_schema::D1_MIGRATIONS_DDL), &[])).unwrap();
    run(remote.primary.migrate("0001_later.sql", &second)).unwrap();
}

fn chosen() -> [Chosen; 4] {
    [
        ("organisations", "id"),
        ("members", "organisationId"),
        ("projects", "organisationId"),
        ("tasks", "projectId:projects.organisationId"),
    ]
    .map(|(table, scope)| Chosen {
        table: table.to_owned(),
        scope: scope.to_owned(),
        policy: Policy::Versioned,
    })
}

/// Returns the address of an empty primary of each kind, and the server that must outlive them.
fn urls(folder: &Path) -> ([String; 3], SqldServer) {
    let (d1, sqld) = (D1Server::shared(), SqldServer::start());
    let file = url::Url::from_file_path(folder.join("p.db")).unwrap();
    let d1 = format!("d1://local/{}?api={}", d1.fresh(), d1.api());
    ([String::from(file), d1, sqld.url()], sqld)
}

#[test]
fn what_drizzle_kit_made_syncs_on_every_primary() {
    let folder = tempfile::tempdir().unwrap();
    let (urls, _server) = urls(folder.path());
    for (number, url) in urls.iter().enumerate() {
        let remote = open(url);
        let mended = number == 2;
        application(&remote, mended);
        there_and_back(&remote, &folder.path().join(format!("{number}")), mended);
    }
}

fn there_and_back(remote: &Remote, dir: &Path, mended: bool) {
    let migrations = dir.join("migrations");
    let url = remote.primary.url();
    let adopted = || run(adopt(&*remote.primary, &migrations, "team", &chosen()));
    if !mended {
        let error = adopted().unwrap_err().to_string();
        assert!(error.contains("`tasks.blocked` holds 2 value(s) of another"), "{url}: {error}");
        assert!(!migrations.exists(), "nothing is written");
        by_hand(remote, "UPDATE tasks SET blocked = false");
    }
    let before = run(live(&*remote.primary)).unwrap();
    let written = adopted().unwrap();
    assert_eq!(run(live(&*remote.primary)).unwrap(), before, "{url} is only read");
    let name = "0000_team_adopt_organisations_members_projects_tasks.sql";
    assert_eq!(written.generated.name.as_deref(), Some(name));
    check_declarations(&written.declarations);

    let source = Source::folder(&migrations).unwrap();
    assert_eq!(run(apply(&*remote.primary, &source)).unwrap(), [name]);
    by_hand(remote, "CREATE TRIGGER theirs AFTER DELETE ON tasks BEGIN SELECT 1; END");
    let checked = run(check(&*remote.primary, &source)).unwrap();
    by_hand(remote, "DROP TRIGGER theirs");
    assert_eq!(checked.differences, [], "{url}");
    let theirs: Vec<&str> = checked.theirs.iter().map(|theirs| theirs.table.as_str()).collect();
    assert_eq!(theirs, ["auditLog", "taskMembers"]);
    let after = run(live(&*remote.primary)).unwrap();
    for (name, table) in &before.tables {
        assert_eq!(after.tables.get(name), Some(table), "{url}: their own DDL stays");
    }

    let tables = vec![Organisation::TABLE, Member::TABLE, Project::TABLE, Task::TABLE];
    let schema = with_tables(&source, tables);
    let mut device =
        Database::open_for(&dir.join("device.db"), schema, "o", World::system()).unwrap();
    run(device.pull_all(remote)).unwrap();
    assert_eq!(device.all::<Organisation>().unwrap().len(), 1, "rows of others stay away");
    assert_eq!(device.get::<Task>("t").unwrap().unwrap().labels.as_deref(), Some("[\"now\"]"));

    by_hand(remote, "UPDATE tasks SET title = 'by hand' WHERE id = 't'");
    by_hand(remote, "INSERT INTO tasks(id, projectId) VALUES ('by hand', 'p')");
    by_hand(remote, "DELETE FROM members WHERE id = 'm'");
    run(device.pull_all(remote)).unwrap();
    assert_eq!(device.get::<Task>("t").unwrap().unwrap().title, "by hand");
    assert!(device.get::<Task>("by hand").unwrap().is_some());
    assert_eq!(device.get::<Member>("m").unwrap(), None);
    assert_eq!(
        device.get::<Project>("p").unwrap().unwrap().leadId,
        None,
        "set null by the ORM's key"
    );

    let task = device.get::<Task>("t").unwrap().unwrap();
    device.save(&Task { title: "by a device".into(), ..task }).unwrap();
    let new = NewTask {
        id: "new".into(),
        projectId: "p".into(),
        title: None,
        estimate: None,
        position: None,
        labels: None,
        doneAt: None,
        blocked: None,
    };
    device.insert::<Task>(&new).unwrap();
    device.delete::<Task>("by hand").unwrap();
    run(device.push_all(remote)).unwrap();
    let rows =
        "SELECT id || ':' || title || ':' || estimate FROM tasks WHERE projectId = 'p' ORDER BY id";
    assert_eq!(query(remote, rows), ["new:it's new:1.5", "t:by a device:0.5"], "{url}");

    // The ORM rebuilds a table; meanwhile one row is lost and another inserted.
    run(detach(&*remote.primary, &source)).unwrap();
    let error = run(device.push_all(remote)).unwrap_err().to_string();
    assert!(error.contains("fastest schema attach"), "{error}");
    let made = query(remote, "SELECT sql FROM sqlite_master WHERE name = 'tasks'").remove(0);
    let made = made.replacen("tasks", "__new_tasks", 1);
    let rebuild = [
        "PRAGMA defer_foreign_keys = ON",
        "CREATE TABLE __new_members AS SELECT * FROM members",
        "DELETE FROM tasks WHERE id = 'new'",
        "UPDATE tasks SET title = 'meanwhile' WHERE id = 't'",
        "INSERT INTO tasks(id, projectId) VALUES ('late', 'p')",
        &made,
        "INSERT INTO __new_tasks SELECT * FROM tasks",
        "DROP TABLE tasks",
        "ALTER TABLE __new_tasks RENAME TO tasks",
        "DROP TABLE __new_members",
    ];
    run(remote.primary.migrate("0002_rebuild.sql", &rebuild)).unwrap();
    by_hand(remote, "ALTER TABLE tasks RENAME COLUMN title TO name");
    let error = run(attach(&*remote.primary, &source)).unwrap_err().to_string();
    assert!(error.contains("`tasks.title` is not there any more"), "{url}: {error}");
    by_hand(remote, "ALTER TABLE tasks RENAME COLUMN name TO title");
    run(attach(&*remote.primary, &source)).unwrap();
    run(device.pull_all(remote)).unwrap();
    let mut tasks = device.all::<Task>().unwrap();
    tasks.sort_by(|one, other| one.id.cmp(&other.id));
    let titles: Vec<_> = tasks.iter().map(|task| (&task.id[..], &task.title[..])).collect();
    assert_eq!(titles, [("late", "it's new"), ("t", "meanwhile")], "{url}");
    assert_eq!(query(remote, "SELECT count(*) FROM d1_migrations WHERE name GLOB 'att*'"), ["1"]);

    // If tables are chosen one by one, the earlier ones stay adopted.
    let more = Chosen { table: "organisations".into(), ..chosen()[0].clone() };
    let error = run(adopt(&*remote.primary, &migrations, "team", &[more])).unwrap_err();
    assert!(error.to_string().contains("synced already"), "{error}");
}

/// SQLite rewrites the engine's triggers and views when a column is renamed, so devices continue to
/// use the old name, until the triggers are created again from declarations that know only the new
/// one.
#[test]
fn a_column_that_the_tool_renames_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let (urls, _server) = urls(folder.path());
    for (number, url) in urls.iter().enumerate() {
        let remote = open(url);
        for sql in [
            "CREATE TABLE people(id text PRIMARY KEY NOT NULL, team text NOT NULL, email text NOT NULL)",
            "INSERT INTO people VALUES ('p', 't', 'first')",
        ] {
            by_hand(&remote, sql);
        }
        let dir = folder.path().join(number.to_string());
        let chosen = [Chosen::versioned("people", "team")];
        run(adopt(&*remote.primary, &dir, "team", &chosen)).unwrap();
        let source = Source::folder(&dir).unwrap();
        run(apply(&*remote.primary, &source)).unwrap();
        let schema = with_tables(&source, vec![Person::TABLE]);
        let mut device =
            Database::open_for(&dir.join("device.db"), schema, "t", World::system()).unwrap();
        run(device.pull_all(&remote)).unwrap();

        // Views first, since their triggers are dropped with them.
        let of_people = "FROM sqlite_master WHERE type IN ('view', 'trigger')
                         AND name GLOB 'fastest_*' AND sql LIKE '%people%' ORDER BY type DESC, name";
        let named = query(&remote, &format!("SELECT type || ' IF EXISTS ' || name {of_people}"));
        let made = query(&remote, &format!("SELECT sql {of_people}"));
        by_hand(&remote, "ALTER TABLE people RENAME COLUMN email TO mail");
        by_hand(&remote, "UPDATE people SET mail = 'by hand'");
        run(device.pull_all(&remote)).unwrap();
        let mut person = device.get::<Person>("p").unwrap().unwrap();
        assert_eq!(person.email, "by hand", "{url}");
        person.email = "by a device".into();
        device.save(&person).unwrap();
        run(device.push_all(&remote)).unwrap();
        assert_eq!(query(&remote, "SELECT mail FROM people"), ["by a device"], "{url}");

        let refused = run(attach(&*remote.primary, &source)).unwrap_err().to_string();
        assert!(refused.contains("`people.email` is not there any more"), "{url}: {refused}");
        // As an older build would do, which did not check.
        for object in &named {
            by_hand(&remote, &format!("DROP {object}"));
        }
        for sql in &made {
            by_hand(&remote, sql);
        }
        person.email = "waits".into();
        device.save(&person).unwrap();
        let pushed = run(device.push_all(&remote)).unwrap_err().to_string();
        let pulled = run(device.pull_all(&remote)).unwrap_err().to_string();
        for said in [pushed, pulled] {
            let expect = "its table `people` has no `email`: another tool renamed or dropped it";
            assert!(said.contains(expect) && said.contains("#[renamed_from]"), "{url}: {said}");
        }
        drop(device);

        let schema = with_tables(&source, vec![renamed::Person::TABLE]);
        let new = NewMigration { name: "mail".into(), ..NewMigration::default() };
        generate(&dir, schema, &new, &World::system()).unwrap();
        let source = Source::folder(&dir).unwrap();
        run(apply(&*remote.primary, &source)).unwrap();
        assert_eq!(run(check(&*remote.primary, &source)).unwrap().differences, [], "{url}");
        let schema = with_tables(&source, vec![renamed::Person::TABLE]);
        let mut device =
            Database::open_for(&dir.join("device.db"), schema, "t", World::system()).unwrap();
        run(device.push_all(&remote)).unwrap();
        run(device.pull_all(&remote)).unwrap();
        assert_eq!(query(&remote, "SELECT mail FROM people"), ["waits"], "{url}");
        assert_eq!(device.get::<renamed::Person>("p").unwrap().unwrap().mail, "waits", "{url}");
    }
}

#[table(name = "people", policy = versioned("a test"), scope = team, external)]
struct Person {
    #[pk]
    id: String,
    team: String,
    email: String,
}

mod renamed {
    use fastest_schema::table;

    #[table(name = "people", policy = versioned("a test"), scope = team, external)]
    pub struct Person {
        #[pk]
        id: String,
        team: String,
        #[renamed_from(email)]
        pub mail: String,
    }
}

/// Returns the migrations of a folder, with the declarations of an application.
fn with_tables(source: &Source, tables: Vec<&'static Table>) -> &'static Schema {
    Box::leak(Box::new(Schema { owner: "team", tables: tables.leak(), ..*source.schema }))
}

fn check_declarations(written: &Path) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sync/adopt/schema.rs");
    let text = std::fs::read_to_string(written).unwrap();
    if std::env::var_os("FASTEST_BLESS").is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&place).unwrap(), text, "stale: see FASTEST_BLESS");
}
