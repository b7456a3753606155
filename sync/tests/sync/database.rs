//! An application's own tables, some with the names of Fastest's: two devices, one primary.

mod follows;

use std::path::Path;
use std::sync::LazyLock;

use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::remote::primary::{Primary, PrimaryError};
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Database, Remote, Resolution, SyncError, World, WriteError, migrate};

use super::machine::query;
use super::run;

/// Named as one of Fastest's, with other columns.
#[table(
    name = "projects",
    policy = versioned("names are edited on any device"),
    scope = tenant,
    unique(tenant, name),
)]
struct Project {
    #[pk]
    id: String,
    tenant: String,
    name: String,
    #[default("open")]
    state: Option<String>,
    #[lock_version]
    #[default(1)]
    lock: i64,
}

#[table(
    name = "workspaces",
    policy = versioned("tasks are edited on any device"),
    scope = project_id -> projects.tenant,
)]
struct Task {
    #[pk]
    id: String,
    #[references(projects.id, on_delete = cascade)]
    project_id: String,
    title: String,
    #[default(0.5)]
    share: f64,
    #[default(now)]
    created_at: String,
}

#[table(name = "invoices", policy = versioned("a test"), scope = tenant)]
struct Invoice {
    #[pk]
    id: String,
    tenant: String,
    #[references(projects.id)]
    project_id: Option<String>,
}

#[table(name = "events", policy = append_only("what happened has happened"), scope = tenant)]
struct Event {
    #[pk]
    id: String,
    tenant: String,
    what: String,
}

#[table(name = "users", policy = private("it holds passwords"))]
struct User {
    #[pk]
    id: String,
    password: String,
}

static DESK: LazyLock<Schema> = LazyLock::new(|| {
    let tables =
        vec![Project::TABLE, Task::TABLE, Invoice::TABLE, Event::TABLE, User::TABLE].leak();
    let sql = init_sql(tables).leak();
    let migrations = vec![Migration { name: "0000_desk_init.sql", sql }].leak();
    Schema { owner: "desk", tables, migrations }
});

fn file(path: &Path) -> Remote {
    Remote::of(Box::new(Embedded::new(path, World::system())))
}

/// Returns a folder with a primary that is set up.
fn primary() -> (tempfile::TempDir, Remote) {
    let folder = tempfile::tempdir().unwrap();
    let remote = file(&folder.path().join("primary.db"));
    run(migrate(&*remote.primary, &DESK)).unwrap();
    (folder, remote)
}

fn open(folder: &Path, name: &str) -> Database {
    Database::open(&folder.join(name), &DESK, World::system()).unwrap()
}

fn project(id: &str, tenant: &str, name: &str) -> Project {
    let (id, tenant, name) = (id.into(), tenant.into(), name.into());
    Project { id, tenant, name, state: None, lock: 1 }
}

fn task(id: &str, project_id: &str, title: &str) -> NewTask {
    let (id, project_id, title) = (id.into(), project_id.into(), title.into());
    NewTask { id, project_id, title, share: None, created_at: None }
}

fn sync(db: &mut Database, remote: &Remote) {
    run(db.push_all(remote)).unwrap();
    run(db.pull_all(remote)).unwrap();
}

fn keys<R: Row>(db: &Database) -> Vec<String> {
    let rows = db.all::<R>().unwrap();
    let key = |row: &R| serde_json::to_value(row).unwrap()["id"].as_str().unwrap().to_owned();
    rows.iter().map(key).collect()
}

/// Goes through everything on any primary: insert, update, conflict, delete, a row that moves, and
/// a table that is never sent.
fn two_devices(remote: &Remote) {
    run(migrate(&*remote.primary, &DESK)).unwrap();
    assert!(run(migrate(&*remote.primary, &DESK)).unwrap().is_empty());
    let sql = "INSERT INTO users(id, password) VALUES ('u', 'hush')";
    run(remote.primary.run(Statement::once(sql), &[])).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut one = open(folder.path(), "one.db");
    let mut two =
        Database::open_for(&folder.path().join("two.db"), &DESK, "a", World::system()).unwrap();

    one.save(&project("p", "a", "first")).unwrap();
    let made: Task = one.insert(&task("t", "p", "plan")).unwrap();
    assert_eq!((made.share, made.created_at.len()), (0.5, 24));
    sync(&mut one, remote);
    sync(&mut two, remote);
    assert_eq!(two.get::<Task>("t").unwrap(), Some(made.clone()));

    // Both change the same column.
    two.save(&Task { title: "build".into(), share: 0.75, ..made.clone() }).unwrap();
    sync(&mut two, remote);
    one.save(&Task { title: "rest".into(), ..made.clone() }).unwrap();
    sync(&mut one, remote);
    let stands = one.get::<Task>("t").unwrap().unwrap();
    assert_eq!((stands.title.as_str(), stands.share), ("build", 0.75));
    let [conflict] = &one.conflicts().unwrap()[..] else { panic!("one conflict") };
    assert_eq!((conflict.columns.len(), &conflict.columns[0].column[..]), (1, "title"));
    assert!(one.resolve(conflict.id.as_str(), &Resolution::Ours).unwrap().written);
    sync(&mut one, remote);
    sync(&mut two, remote);
    assert_eq!(two.find::<Task>(Task::TITLE, "rest").unwrap().len(), 1);

    // A project moves to another tenant, and its task with it.
    let moved = one.get::<Project>("p").unwrap().unwrap();
    one.save(&Project { tenant: "b".into(), ..moved }).unwrap();
    one.save(&project("q", "a", "second")).unwrap();
    sync(&mut one, remote);
    sync(&mut two, remote);
    assert_eq!((keys::<Project>(&two), keys::<Task>(&two)), (vec!["q".to_owned()], vec![]));
    assert_eq!((keys::<Project>(&one).len(), keys::<Task>(&one).len()), (2, 1));

    // A delete there removes the row here, with what refers to it.
    let _: Task = two.insert(&task("u", "q", "sow")).unwrap();
    sync(&mut two, remote);
    run(one.pull(remote, "a")).unwrap();
    assert!(one.delete::<Project>("q").unwrap());
    assert_eq!(keys::<Task>(&one), ["t"]);
    sync(&mut one, remote);
    sync(&mut two, remote);
    assert!(keys::<Project>(&two).is_empty() && keys::<Task>(&two).is_empty());
    assert!(one.waiting().unwrap().is_empty() && one.conflicts().unwrap().is_empty());

    let tables = "SELECT count(*) FROM sqlite_master WHERE name = 'users'";
    for db in [&one, &two] {
        let count: i64 = db.connection().unwrap().query_row(tables, [], |row| row.get(0)).unwrap();
        assert_eq!(count, 0, "a private table is on the primary alone");
    }
}

#[test]
fn two_devices_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    two_devices(&file(&folder.path().join("primary.db")));
}

#[test]
fn two_devices_share_real_servers() {
    let (sqld, d1) = (SqldServer::start(), D1Server::shared());
    for url in [sqld.url(), format!("d1://local/{}?api={}", d1.fresh(), d1.api())] {
        two_devices(
            &Remote::to(&url, &fastest_fixtures::keys::Keys::s3(), World::system()).unwrap(),
        );
    }
}

/// Returns two devices and a primary that all hold the same row.
fn pair() -> (tempfile::TempDir, Remote, Database, Database) {
    let (folder, remote) = primary();
    let (mut one, mut two) = (open(folder.path(), "one.db"), open(folder.path(), "two.db"));
    one.save(&project("p", "a", "first")).unwrap();
    sync(&mut one, &remote);
    run(two.pull(&remote, "a")).unwrap();
    (folder, remote, one, two)
}

fn rename(db: &mut Database, name: &str) {
    let held = db.get::<Project>("p").unwrap().unwrap();
    db.save(&Project { name: name.into(), ..held }).unwrap();
}

#[test]
fn deleted_here_and_changed_there_keeps_both() {
    let (_folder, remote, mut one, mut two) = pair();
    rename(&mut one, "changed");
    sync(&mut one, &remote);
    two.delete::<Project>("p").unwrap();
    sync(&mut two, &remote);
    assert_eq!(two.get::<Project>("p").unwrap().unwrap().name, "changed");
    let [conflict] = &two.conflicts().unwrap()[..] else { panic!("one conflict") };
    assert!(conflict.deleted_here && !conflict.deleted);
    assert!(conflict.columns.iter().all(|column| column.ours.is_null()));
    let name = conflict.columns.iter().find(|column| column.column == "name").unwrap();
    assert_eq!(name.theirs, Some("changed".into()));
    assert!(two.resolve(conflict.id.as_str(), &Resolution::Ours).unwrap().written);
    sync(&mut two, &remote);
    sync(&mut one, &remote);
    assert!(keys::<Project>(&one).is_empty() && keys::<Project>(&two).is_empty());
    assert!(two.conflicts().unwrap().is_empty());
}

#[test]
fn changed_here_and_deleted_there_keeps_both() {
    let (_folder, remote, mut one, mut two) = pair();
    one.delete::<Project>("p").unwrap();
    sync(&mut one, &remote);
    rename(&mut two, "changed");
    sync(&mut two, &remote);
    assert!(keys::<Project>(&two).is_empty());
    let [conflict] = &two.conflicts().unwrap()[..] else { panic!("one conflict") };
    assert!(conflict.deleted && !conflict.deleted_here);
    two.resolve(conflict.id.as_str(), &Resolution::Ours).unwrap();
    sync(&mut two, &remote);
    sync(&mut one, &remote);
    assert_eq!(one.get::<Project>("p").unwrap().unwrap().name, "changed");
}

#[test]
fn deleted_on_both_sides_is_no_conflict() {
    let (_folder, remote, mut one, mut two) = pair();
    for db in [&mut one, &mut two] {
        assert!(db.delete::<Project>("p").unwrap());
        assert!(!db.delete::<Project>("p").unwrap());
        sync(db, &remote);
        assert!(db.conflicts().unwrap().is_empty() && db.waiting().unwrap().is_empty());
    }
    // A row with the same key may be inserted again.
    two.save(&project("p", "a", "again")).unwrap();
    sync(&mut two, &remote);
    sync(&mut one, &remote);
    assert_eq!(keys::<Project>(&one), ["p"]);
}

#[test]
fn a_touched_row_stays_deleted() {
    let (_folder, remote, mut one, mut two) = pair();
    two.delete::<Project>("p").unwrap();
    let touch = "UPDATE projects SET name = name WHERE id = 'p'";
    run(remote.primary.run(Statement::once(touch), &[])).unwrap();
    sync(&mut two, &remote);
    sync(&mut one, &remote);
    assert!(two.conflicts().unwrap().is_empty() && keys::<Project>(&one).is_empty());
}

#[test]
fn what_was_never_pushed_leaves_no_trace() {
    let (folder, remote) = primary();
    let mut db = open(folder.path(), "one.db");
    db.save(&project("p", "a", "first")).unwrap();
    db.delete::<Project>("p").unwrap();
    assert!(db.waiting().unwrap().is_empty());
    sync(&mut db, &remote);
    let rows = query(&folder.path().join("primary.db"), "SELECT pk FROM fastest_changes");
    assert!(rows.is_empty());
}

fn refused(result: Result<impl std::fmt::Debug, DatabaseError>) -> WriteError {
    match result {
        Err(DatabaseError::Write(error)) => error,
        other => panic!("it should be refused: {other:?}"),
    }
}

#[test]
fn writes_are_checked_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut db =
        Database::open_for(&folder.path().join("a.db"), &DESK, "a", World::system()).unwrap();
    let user = User { id: "u".into(), password: "hush".into() };
    assert!(matches!(refused(db.save(&user)), WriteError::Private { .. }));
    let error = refused(db.save(&project("p", "b", "x")));
    assert!(matches!(error, WriteError::OtherScope { .. }), "{error}");
    let error = refused(db.insert::<Task>(&task("t", "nowhere", "x")));
    assert!(matches!(error, WriteError::NoScope { .. }), "{error}");
    assert!(keys::<Task>(&db).is_empty(), "an insert that is refused leaves nothing");

    db.save(&project("p", "a", "x")).unwrap();
    let error = refused(db.save(&project("q", "a", "x")));
    assert_eq!(error.to_string(), "row p of projects has the same tenant, name");
    let event = Event { id: "e".into(), tenant: "a".into(), what: "one".into() };
    db.save(&event).unwrap();
    db.save(&event).unwrap();
    let error = refused(db.save(&Event { what: "two".into(), ..event.clone() }));
    assert!(matches!(error, WriteError::Exists { .. }), "{error}");
    assert!(db.delete::<Event>("e").unwrap(), "it never left this device");
    db.save(&event).unwrap();
    let error = refused(db.insert::<Project>(&NewProject {
        id: "p".into(),
        tenant: "a".into(),
        name: "y".into(),
        state: None,
        lock: None,
    }));
    assert!(matches!(error, WriteError::Exists { .. }), "{error}");
    assert_eq!((keys::<Project>(&db), keys::<Event>(&db).len()), (vec!["p".to_owned()], 1));
    assert!(matches!(db.find::<Project>("colour", "x"), Err(DatabaseError::NoColumn { .. })));
    let write = db.connection().unwrap().execute("DELETE FROM projects", []);
    assert!(write.is_err(), "the application's own SQL reads");
}

#[test]
fn foreign_keys_are_kept_as_far_as_they_are_known() {
    let (_folder, remote, mut one, _two) = pair();
    let invoice = |id: &str, project: &str| Invoice {
        id: id.into(),
        tenant: "a".into(),
        project_id: Some(project.into()),
    };
    one.save(&invoice("i", "elsewhere")).unwrap();
    one.delete::<Invoice>("i").unwrap();
    one.save(&invoice("i", "p")).unwrap();
    let error = refused(one.delete::<Project>("p"));
    assert_eq!(
        error.to_string(),
        "row p of projects cannot be deleted: row i of invoices refers to it"
    );
    assert_eq!(keys::<Project>(&one), ["p"], "nothing is deleted then");
    one.delete::<Invoice>("i").unwrap();
    one.delete::<Project>("p").unwrap();
    for _ in 0..2 {
        let error = refused(one.save(&invoice("j", "p")));
        assert!(matches!(error, WriteError::Deleted { .. }), "{error}");
        sync(&mut one, &remote);
    }
}

#[test]
fn a_value_taken_elsewhere_holds_up_no_pull() {
    let (_folder, remote, mut one, mut two) = pair();
    two.save(&project("r", "a", "same")).unwrap();
    one.save(&project("q", "a", "same")).unwrap();
    sync(&mut one, &remote);
    let refused = run(two.push(&remote, "a")).unwrap().refused;
    assert!(refused[0].why.contains("UNIQUE") && refused[0].key == "r", "{refused:?}");
    run(two.pull(&remote, "a")).unwrap();
    assert_eq!(keys::<Project>(&two), ["p", "q", "r"]);
    two.save(&project("r", "a", "other")).unwrap();
    sync(&mut two, &remote);
    sync(&mut one, &remote);
    assert_eq!(keys::<Project>(&one), ["p", "q", "r"]);
}

#[test]
fn a_row_that_moves_is_merged_with_what_others_wrote() {
    let (_folder, remote, mut one, mut two) = pair();
    rename(&mut two, "renamed");
    sync(&mut two, &remote);
    let held = one.get::<Project>("p").unwrap().unwrap();
    one.save(&Project { tenant: "b".into(), ..held }).unwrap();
    run(one.push(&remote, "b")).unwrap();
    assert!(one.waiting().unwrap().is_empty());
    sync(&mut one, &remote);
    let moved = one.get::<Project>("p").unwrap().unwrap();
    assert_eq!((&moved.tenant[..], &moved.name[..]), ("b", "renamed"));
    sync(&mut two, &remote);
    assert!(keys::<Project>(&two).is_empty(), "it left the scope that the other device holds");
    run(two.pull(&remote, "b")).unwrap();
    assert_eq!(two.get::<Project>("p").unwrap(), Some(moved));
}

#[test]
fn a_row_may_take_the_place_of_one_that_goes() {
    let (_folder, remote, mut one, mut two) = pair();
    one.delete::<Project>("p").unwrap();
    one.save(&project("q", "a", "first")).unwrap();
    sync(&mut one, &remote);
    sync(&mut two, &remote);
    assert_eq!(keys::<Project>(&two), ["q"]);
    assert!(one.waiting().unwrap().is_empty());
}

#[test]
fn a_file_is_for_its_schema_and_its_scope() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let mut db = Database::open_for(&path, &DESK, "a", World::system()).unwrap();
    let other = Database::open_for(&path, &DESK, "b", World::system()).unwrap_err();
    assert!(matches!(other, DatabaseError::OtherScope { .. }), "{other}");
    assert!(Database::open(&path, &DESK, World::system()).is_err());
    let (_folder, remote) = primary();
    assert!(run(db.pull(&remote, "b")).is_err() && run(db.push(&remote, "b")).is_err());
    static NOTES: Schema = Schema { owner: "notes", tables: &[], migrations: &[] };
    let error = Database::open_for(&path, &NOTES, "a", World::system()).unwrap_err().to_string();
    assert!(error.contains("holds the rows of \"desk\", not of \"notes\""), "{error}");
    assert!(
        Database::open(&folder.path().join("f.db"), &fastest_schema::FASTEST, World::system())
            .is_err()
    );
}

#[test]
fn a_database_of_another_application_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = |error: PrimaryError, words: &[&str]| {
        assert!(matches!(error, PrimaryError::Occupied { .. }), "{error:?}");
        let error = error.to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    };
    // As drizzle and wrangler name their first migration.
    let shop = Embedded::new(&folder.path().join("shop.db"), World::system());
    run(shop.run(Statement::repeatable(fastest_schema::D1_MIGRATIONS_DDL), &[])).unwrap();
    run(shop.migrate("0000_init.sql", &["CREATE TABLE goods(id TEXT)"])).unwrap();
    let error = run(migrate(&shop, &fastest_schema::FASTEST)).unwrap_err();
    occupied(error, &["0000_init.sql", "fastest_meta is not there", "Use another database"]);
    // An application of another name can share the database.
    run(migrate(&shop, &DESK)).unwrap();
    let error = run(migrate(&shop, &fastest_schema::FASTEST)).unwrap_err();
    occupied(error, &["of another application", "0000_desk_init.sql, 0000_init.sql"]);

    let desk = Embedded::new(&folder.path().join("desk.db"), World::system());
    run(migrate(&desk, &DESK)).unwrap();
    let error = run(migrate(&desk, &fastest_schema::FASTEST)).unwrap_err();
    occupied(error, &["of another application", "0000_desk_init.sql"]);
    static NOTES: Schema = Schema {
        owner: "notes",
        tables: &[],
        migrations: &[Migration { name: "0000_notes_init.sql", sql: "SELECT 1" }],
    };
    let mut notes =
        Database::open(&folder.path().join("notes-here.db"), &NOTES, World::system()).unwrap();
    match run(notes.pull(&Remote::of(Box::new(desk)), "x")).unwrap_err() {
        DatabaseError::Sync(SyncError::Primary(error)) => {
            occupied(error, &["0000_desk_init.sql", "Use another database for notes"]);
        }
        error => panic!("{error}"),
    }
}

#[test]
fn a_push_that_the_primary_no_longer_takes_is_planned_anew() {
    let (folder, remote, mut one, _two) = pair();
    rename(&mut one, "renamed");
    // As left by a process that died before its answer arrived.
    let path = folder.path().join("one.db");
    let sent = rusqlite::Connection::open(&path).unwrap();
    let version = query(
        &folder.path().join("primary.db"),
        "SELECT version FROM fastest_changes WHERE tbl = 'projects' AND pk = 'p'",
    )
    .remove(0);
    let payload = format!(
        r#"{{"v":2,"counter":9,"locks":[["projects","p",{version}]],"ops":[["projects","p",{{"hue":1}}]]}}"#
    );
    sent.execute(
        "INSERT INTO fastest_local_sent(one, push_id, device_id, payload, entries)
         VALUES (1, 'x', 'd', ?1, '{\"scope\":\"a\",\"rows\":[],\"patch\":null}')",
        [payload],
    )
    .unwrap();
    run(one.push(&remote, "a")).unwrap();
    assert_eq!(query(&path, "SELECT push_id FROM fastest_local_sent"), Vec::<String>::new());
    let names = query(&folder.path().join("primary.db"), "SELECT name FROM projects");
    assert_eq!(names, ["renamed"]);
}

#[test]
fn what_is_on_its_way_may_lack_a_column() {
    let (folder, remote, mut one, _two) = pair();
    rename(&mut one, "renamed");
    let path = folder.path().join("one.db");
    let sent = rusqlite::Connection::open(&path).unwrap();
    let payload = r#"{"v":1,"counter":9,"locks":[["projects","p",1]],
                      "rows":{"projects":[{"id":"p","name":"sent"}]}}"#;
    // As recorded before the key's column was renamed.
    let entries = r#"{"scope":"a","patch":null,"rows":[{"table":"projects","key":"p",
                      "revision":0,"lock":1,"columns":{"name":"sent"},"more":false}]}"#;
    sent.execute(
        "INSERT INTO fastest_local_sent(one, push_id, device_id, payload, entries)
         VALUES (1, 'x', 'd', ?1, ?2)",
        [payload, entries],
    )
    .unwrap();
    sync(&mut one, &remote);
    let names = query(&folder.path().join("primary.db"), "SELECT name || lock FROM projects");
    assert_eq!(names, ["renamed3"]);
}

#[test]
fn a_delete_of_a_row_on_its_way_goes_after_it() {
    let (folder, remote) = primary();
    let path = folder.path().join("primary.db");
    let mut db = open(folder.path(), "one.db");
    db.save(&project("p", "a", "first")).unwrap();
    let gone = Remote::of(Box::new(Lost { inner: Embedded::new(&path, World::system()) }));
    assert!(run(db.push(&gone, "a")).unwrap_err().is_unreachable());
    assert_eq!(query(&path, "SELECT id FROM projects"), ["p"], "it was applied all the same");
    db.delete::<Project>("p").unwrap();
    run(db.push(&remote, "a")).unwrap();
    assert_eq!(query(&path, "SELECT id FROM projects"), Vec::<String>::new());
    assert!(db.waiting().unwrap().is_empty());
}

/// A primary that loses its answers to pushes.
struct Lost {
    inner: Embedded,
}

#[async_trait::async_trait]
impl Primary for Lost {
    fn url(&self) -> &str {
        self.inner.url()
    }

    fn world(&self) -> &World {
        self.inner.world()
    }

    async fn run(
        &self,
        statement: Statement<'_>,
        parameters: &[&str],
    ) -> Result<fastest_sync::remote::primary::Rows, PrimaryError> {
        let answer = self.inner.run(statement, parameters).await?;
        if statement.sql != fastest_schema::PUSH_SQL {
            return Ok(answer);
        }
        let (url, reason) = (self.url().to_owned(), "the answer was lost".to_owned());
        let failure = fastest_sync::remote::primary::Failure::Lost;
        Err(PrimaryError::Unreachable { url, reason, failure })
    }

    async fn migrate(&self, name: &str, statements: &[&str]) -> Result<(), PrimaryError> {
        self.inner.migrate(name, statements).await
    }
}

#[test]
fn a_primary_put_back_is_given_what_it_lost() {
    let (folder, remote, mut one, mut two) = pair();
    let (now, then) = (folder.path().join("primary.db"), folder.path().join("then.db"));
    run(remote.primary.run(Statement::once("VACUUM INTO ?1"), &[&then.display().to_string()]))
        .unwrap();
    one.save(&project("q", "a", "second")).unwrap();
    one.delete::<Project>("p").unwrap();
    sync(&mut one, &remote);
    drop(remote);
    for end in ["-wal", "-shm", ""] {
        let _ = std::fs::remove_file(format!("{}{end}", now.display()));
    }
    std::fs::rename(&then, &now).unwrap();
    let remote = file(&now);
    assert!(run(one.pull(&remote, "a")).unwrap().primary_went_back);
    sync(&mut one, &remote);
    sync(&mut two, &remote);
    assert!(keys::<Project>(&two).contains(&"q".to_owned()), "{:?}", keys::<Project>(&two));
    assert_eq!(keys::<Project>(&one), keys::<Project>(&two));
}

#[test]
fn processes_share_a_file() {
    let (folder, _remote) = primary();
    let path = folder.path().join("shared.db");
    let primary = folder.path().join("primary.db");
    let at_work = |worker: usize| {
        let mut db = Database::open_for(&path, &DESK, "a", World::system()).unwrap();
        let remote = file(&primary);
        for number in 0..10 {
            let id = format!("{worker}-{number}");
            db.save(&project(&id, "a", &id)).unwrap();
            if number % 3 == 0 {
                assert!(db.delete::<Project>(&id).unwrap());
            }
            run(db.push_all(&remote)).unwrap();
        }
    };
    std::thread::scope(|threads| {
        for worker in 0..4 {
            threads.spawn(move || at_work(worker));
        }
    });
    assert_eq!(query(&primary, "SELECT count(*) || '' FROM projects"), ["24"]);
    assert_eq!(
        query(&primary, "SELECT DISTINCT version FROM fastest_changes WHERE deleted = 0"),
        ["1"]
    );
    let devices = query(&primary, "SELECT count(DISTINCT device) || '' FROM fastest_pushes");
    assert_eq!(devices, ["1"], "a file is one device");
    let db = Database::open_for(&path, &DESK, "a", World::system()).unwrap();
    assert!(db.waiting().unwrap().is_empty() && db.conflicts().unwrap().is_empty());
}
