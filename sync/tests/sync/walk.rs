//! A schema goes through every kind of change, one migration each, on a database of each kind, with
//! rows in every table. Then a device that was not opened all the while comes back.

mod scene;
mod steps;

use fastest_fixtures::servers::D1Server;
use fastest_schema::{Row, Schema, table};
use fastest_sync::migrations::live;
use fastest_sync::remote::primary::Primary;
use fastest_sync::{Database, Remote, World};
use scene::{Walk, list, rows_of};

use super::run;

#[table(name = "teams", policy = versioned("a test"), scope = id)]
struct Team {
    #[pk]
    id: String,
    name: String,
}

#[table(name = "people", policy = versioned("a test"), scope = team_id)]
struct Person {
    #[pk]
    id: String,
    #[references(teams.id, on_delete = restrict)]
    team_id: String,
    email: String,
}

#[table(name = "projects", policy = versioned("a test"), scope = team_id)]
struct Project {
    #[pk]
    id: String,
    #[references(teams.id)]
    team_id: String,
    name: String,
    #[default(1)]
    priority: i64,
    #[lock_version]
    #[default(1)]
    lock: i64,
}

#[table(name = "tasks", policy = versioned("a test"), scope = project_id -> projects.team_id)]
struct Task {
    #[pk]
    id: String,
    #[references(projects.id, on_delete = cascade)]
    project_id: String,
    #[references(people.id, on_delete = set_null)]
    assignee: Option<String>,
    reviewer: Option<String>,
    title: String,
    estimate: Option<i64>,
}

#[table(name = "events", policy = append_only("a test"), scope = team_id)]
struct Event {
    #[pk]
    id: String,
    team_id: String,
    #[references(tasks.id)]
    task_id: Option<String>,
    what: String,
}

#[table(name = "drafts", policy = private("a test"))]
struct Draft {
    #[pk]
    id: String,
    #[references(teams.id, on_delete = cascade)]
    team_id: String,
    text: String,
}

const FIRST_ROWS: [&str; 6] = [
    "INSERT INTO teams(id, name) VALUES ('red', 'Red'), ('blue', 'Blue')",
    "INSERT INTO people(id, team_id, email) VALUES ('ada', 'red', 'ada@x'), ('bo', 'blue', 'bo@x')",
    "INSERT INTO projects(id, team_id, name) VALUES ('house', 'red', 'House'), ('shed', 'blue', '')",
    "INSERT INTO tasks(id, project_id, assignee, reviewer, title, estimate) VALUES
     ('dig', 'house', 'ada', 'bo', 'Dig', 3), ('saw', 'shed', NULL, NULL, 'It''s', NULL)",
    "INSERT INTO events(id, team_id, task_id, what) VALUES
     ('e1', 'red', 'dig', 'begun'), ('e2', 'blue', NULL, 'rain')",
    "INSERT INTO drafts(id, team_id, text) VALUES ('d1', 'red', 'hush'), ('d2', 'blue', '')",
];

#[test]
fn a_schema_lives() {
    let tables =
        vec![Team::TABLE, Person::TABLE, Project::TABLE, Task::TABLE, Event::TABLE, Draft::TABLE];
    let mut walk = Walk::new(&tables);
    FIRST_ROWS.iter().for_each(|sql| walk.run(sql));
    let migrations = walk.schema().migrations;
    let first = Schema { owner: "studio", tables: tables.leak(), migrations };
    let first: &'static Schema = Box::leak(Box::new(first));
    let asleep: Vec<_> = walk.urls.iter().map(|url| fall_asleep(url, first)).collect();
    steps::what_would_lose_rows_is_refused(&mut walk);
    steps::columns_come(&mut walk);
    steps::names_change_and_columns_go(&mut walk);
    steps::columns_change(&mut walk);
    steps::keys_change(&mut walk);
    steps::indexes_and_checks_come_and_go(&mut walk);
    steps::types_and_policies_change(&mut walk);
    wrangler_applies_the_same(&walk);
    for (folder, url) in asleep.iter().zip(&walk.urls) {
        an_older_build_is_refused(folder.path(), url, first);
        the_sleeper_wakes(folder.path(), url, walk.schema());
    }
}

/// Applies all files at once with wrangler, on an empty database.
fn wrangler_applies_the_same(walk: &Walk) {
    let uuid = "00000000-0000-4000-8000-00000000000c";
    let mut d1 = D1Server::start(&[("migrated", uuid)]);
    d1.wrangler_migrate(uuid, &walk.migrations()).unwrap();
    let found = |url: &str| run(live(&*remote(url).primary)).unwrap();
    let url = format!("d1://local/{uuid}?api={}", d1.api());
    assert_eq!(found(&url), found(&walk.urls[0]));
}

fn remote(url: &str) -> Remote {
    Remote::to(url, &fastest_fixtures::keys::Keys::default(), World::system()).unwrap()
}

/// Makes a device with the first schema that has pulled, and has rows that wait. Returns its
/// folder.
fn fall_asleep(url: &str, first: &'static Schema) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut db = Database::open(&folder.path().join("device.db"), first, World::system()).unwrap();
    run(db.pull(&remote(url), "red")).unwrap();
    let dig = db.get::<Task>("dig").unwrap().unwrap();
    db.save(&Task { title: "Dig deeper".into(), ..dig }).unwrap();
    let new = NewTask {
        id: "fill".into(),
        project_id: "house".into(),
        assignee: Some("ada".into()),
        reviewer: None,
        title: "Fill".into(),
        estimate: Some(8),
    };
    let _: Task = db.insert(&new).unwrap();
    let what = "slept".to_owned();
    db.save(&Event { id: "e9".into(), team_id: "red".into(), task_id: None, what }).unwrap();
    let ada = db.get::<Person>("ada").unwrap().unwrap();
    db.save(&Person { email: "ada@y".into(), ..ada }).unwrap();
    let house = db.get::<Project>("house").unwrap().unwrap();
    db.save(&Project { name: "Mansion".into(), ..house }).unwrap();
    folder
}

/// Returns everything that a push could change.
fn state(primary: &dyn Primary) -> Vec<String> {
    let changes = "SELECT json_array(tbl, pk, scope, version, seq, deleted) FROM fastest_changes
                   ORDER BY tbl, pk";
    let mut state = list(primary, changes);
    state.extend(list(primary, "SELECT id FROM fastest_pushes ORDER BY id"));
    state.extend(rows_of(primary, "tasks", &["id", "title", "colour"]));
    state
}

fn an_older_build_is_refused(folder: &std::path::Path, url: &str, first: &'static Schema) {
    let remote = remote(url);
    let before = state(&*remote.primary);
    let mut db = Database::open(&folder.join("device.db"), first, World::system()).unwrap();
    for error in [run(db.push_all(&remote)).unwrap_err(), run(db.pull_all(&remote)).unwrap_err()] {
        let error = error.to_string();
        assert!(error.contains("which this version does not know"), "{error}");
    }
    assert_eq!(state(&*remote.primary), before);
    assert!(!db.waiting().unwrap().is_empty());
}

fn the_sleeper_wakes(folder: &std::path::Path, url: &str, last: &'static Schema) {
    let remote = remote(url);
    let path = folder.join("device.db");
    let mut db = Database::open(&path, last, World::system()).unwrap();
    run(db.push_all(&remote)).unwrap();
    for scope in ["red", "house"] {
        run(db.pull(&remote, scope)).unwrap();
    }
    assert_eq!(db.waiting().unwrap(), [""; 0]);
    let conflicts = db.conflicts().unwrap();
    assert!(conflicts.is_empty(), "{conflicts:?}");
    let primary = &*remote.primary;
    let tasks = rows_of(primary, "tasks", &["id", "assignee", "title", "estimate", "colour"]);
    let expected = [
        r#"["dig","ada","Dig deeper","3","grey"]"#,
        r#"["fill","ada","Fill","8","grey"]"#,
        r#"["saw",null,"It's",null,"grey"]"#,
    ];
    assert_eq!(tasks, expected);
    let members = rows_of(primary, "members", &["id", "email"]);
    assert_eq!(members, [r#"["ada","ada@y"]"#, r#"["bo","bo@x"]"#]);
    let projects = rows_of(primary, "projects", &["id", "title", "state"]);
    assert_eq!(projects, [r#"["house","Mansion","open"]"#, r#"["shed","","open"]"#]);
    let slept = list(primary, "SELECT what FROM events WHERE id = 'e9'");
    assert_eq!(slept, ["slept"]);
    // It has the same rows of its scopes as the primary.
    for table in last.synced() {
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let scopes = format!(
            "{} WHERE id IN (SELECT pk FROM fastest_changes
             WHERE tbl = '{0}' AND scope IN ('red', 'house') AND deleted = 0)",
            table.name
        );
        let there = rows_of(primary, &scopes, &names);
        let texts: Vec<String> = names.iter().map(|name| format!("CAST({name} AS TEXT)")).collect();
        let sql =
            format!("SELECT json_array({}) FROM {} ORDER BY id", texts.join(", "), table.name);
        assert_eq!(super::machine::query(&path, &sql), there, "{}", table.name);
    }
}
