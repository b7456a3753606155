//! Private columns and tables stay on the primary: neither a pull nor a push brings a byte of them
//! to a device.

use std::fs;
use std::path::{Path, PathBuf};

use fastest_core::store::open::Store;
use fastest_schema::{
    Column, FASTEST, Kind, PUSH_1_SQL, Policy, Refusal, TABLES, Table, parents_first, pull_sql,
};
use fastest_sync::internals::{RemoteRow, Replica, pull_scope};
use fastest_sync::remote::state::Packs;
use fastest_sync::remote::statement::Statement;
use fastest_sync::{Remote, World};

use super::machine::{Machine, query};
use super::run;

const HUSH: &str = "hush-which-nobody-may-hear";
/// Values of eight bytes that can be recognised in SQLite's files, which store them in this order.
const HUSH_INTEGER: i64 = 0x1122_3344_5566_7788;
const HUSH_REAL: f64 = 1_234.567_890_123_4;
const NEWS: &str = "news-for-all-who-share";

fn is_private(table: &Table) -> bool {
    table.policy == Policy::Private
}

/// Inserts a row into each table, parents first, except for the tables of a device's own work.
/// Every column gets a value.
fn fill(primary: &Path) {
    let database = rusqlite::Connection::open(primary).unwrap();
    database.pragma_update(None, "foreign_keys", true).unwrap();
    let tables = parents_first(TABLES);
    let has_rows =
        |table: &Table| query(primary, &format!("SELECT count(*) FROM {}", table.name)) != ["0"];
    for table in tables.into_iter().filter(|table| !has_rows(table)) {
        let columns = table.columns.iter().filter(|column| !column.lock_version);
        let (names, values): (Vec<_>, Vec<_>) =
            columns.map(|column| (column.name, value(primary, table, column))).unzip();
        let (names, values) = (names.join(", "), values.join(", "));
        let sql = format!("INSERT INTO {}({names}) VALUES ({values})", table.name);
        database.execute(&sql, []).unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
}

/// Returns the key of an existing row, or a value that is marked as secret or shared.
fn value(primary: &Path, table: &Table, column: &Column) -> String {
    if let Some(to) = &column.references {
        let keys = query(primary, &format!("SELECT {} FROM {} LIMIT 1", to.column, to.table));
        return format!("'{}'", keys[0]);
    }
    // The scope of a row that has no foreign key to it.
    if column.name == "project_id" {
        return format!("'{}'", query(primary, "SELECT id FROM projects")[0]);
    }
    let text = if is_private(table) { HUSH } else { NEWS };
    match (column.kind, is_private(table)) {
        (Kind::Text, _) => format!("'{text} {}.{}'", table.name, column.name),
        (Kind::Integer, true) => HUSH_INTEGER.to_string(),
        (Kind::Real, true) => HUSH_REAL.to_string(),
        (Kind::Integer, false) => "7".to_owned(),
        (Kind::Real, false) => "0.5".to_owned(),
    }
}

/// Pulls every scope on the primary, whoever owns it.
fn pull_everything(device: &Machine, primary: &Path) {
    let store = Store::open(&device.store_dir().join("objects")).unwrap();
    let mut replica =
        Replica::open(&device.store_dir().join("replica.db"), &FASTEST, World::system()).unwrap();
    let url = url::Url::from_file_path(primary).unwrap();
    let state = RemoteRow(replica.read()).get().unwrap();
    assert_eq!(state.url.as_deref(), Some(url.as_str()));
    let remote = Remote::open(
        &state,
        &device.store_dir(),
        &fastest_fixtures::keys::Keys::default(),
        World::system(),
    );
    let remote = remote.unwrap();
    let scopes = "SELECT DISTINCT scope FROM fastest_changes UNION SELECT id FROM users
                  UNION SELECT id FROM projects";
    for scope in query(primary, scopes) {
        run(pull_scope(&mut replica, Some(&store), &remote, &scope.as_str().into())).unwrap();
    }
}

/// Returns every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

/// Returns the names of the files that contain any of these bytes.
fn holders(folder: &Path, bytes: &[&[u8]]) -> Vec<String> {
    let holds = |path: &PathBuf| {
        let content = fs::read(path).unwrap();
        bytes.iter().any(|bytes| content.windows(bytes.len()).any(|window| window == *bytes))
    };
    let found = files(folder).into_iter().filter(holds);
    found.map(|path| path.display().to_string()).collect()
}

#[test]
fn what_is_private_stays_on_the_primary() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let mut one = Machine::following(&primary, Packs::Default);
    one.write("app/a", "one");
    one.push("app");
    fill(&primary);
    let mut two = Machine::following(&primary, Packs::Default);
    two.clone_project("app", "desk");
    pull_everything(&two, &primary);
    two.write("desk/b", "two");
    two.push("desk");
    two.check();

    let replica = two.store_dir().join("replica.db");
    for table in TABLES {
        let rows = format!("SELECT count(*) FROM {}", table.name);
        assert_ne!(query(&primary, &rows), ["0"], "{} is filled", table.name);
        match is_private(table) {
            true => {
                let named =
                    format!("SELECT count(*) FROM sqlite_master WHERE tbl_name = '{}'", table.name);
                assert_eq!(query(&replica, &named), ["0"], "{}", table.name);
                let marked = table.columns.iter().filter(|column| column.kind == Kind::Text);
                let marked: Vec<_> =
                    marked.map(|column| format!("{} GLOB '{HUSH}*'", column.name)).collect();
                let rows = format!("{rows} WHERE {}", marked.join(" OR "));
                assert_eq!(query(&primary, &rows), ["1"], "{} is marked", table.name);
            }
            false => assert_ne!(query(&replica, &rows), ["0"], "{} was pulled", table.name),
        }
    }
    let hush = [
        (Kind::Text, HUSH.as_bytes()),
        (Kind::Integer, &HUSH_INTEGER.to_be_bytes()),
        (Kind::Real, &HUSH_REAL.to_be_bytes()),
    ];
    let texts = [HUSH_INTEGER.to_string(), HUSH_REAL.to_string()];
    let mut all: Vec<&[u8]> = hush.iter().map(|(_, bytes)| *bytes).collect();
    all.extend(texts.iter().map(|text| text.as_bytes()));
    for folder in [two.store_dir(), two.path("desk")] {
        assert_eq!(holders(&folder, &all), [""; 0]);
    }
    let kinds = |kind| {
        let private = TABLES.iter().filter(|table| is_private(table));
        private.flat_map(|table| table.columns).any(|column| column.kind == kind)
    };
    assert!(kinds(Kind::Text) && kinds(Kind::Integer));
    for (_, bytes) in hush.iter().filter(|(kind, _)| kinds(*kind)) {
        assert_ne!(holders(folder.path(), &[bytes]), [""; 0], "the primary has it");
    }
    let news = holders(&two.store_dir(), &[NEWS.as_bytes()]);
    let replica = replica.display().to_string();
    assert!(news.iter().any(|path| path.starts_with(&replica)), "{news:?}");
}

#[test]
fn no_statement_of_a_device_names_what_is_private() {
    let pull = pull_sql(&FASTEST);
    let words: Vec<&str> = pull.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    assert!(words.contains(&"workspaces"));
    for table in TABLES.iter().filter(|table| is_private(table)) {
        assert!(!words.contains(&table.name), "{}", table.name);
    }
}

#[test]
fn a_push_to_a_private_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let primary = folder.path().join("primary.db");
    let mut one = Machine::following(&primary, Packs::Default);
    one.write("app/a", "one");
    one.push("app");
    let remote = Remote::to(
        url::Url::from_file_path(&primary).unwrap().as_str(),
        &fastest_fixtures::keys::Keys::default(),
        World::system(),
    );
    let remote = remote.unwrap();
    for table in TABLES.iter().filter(|table| is_private(table)) {
        for (part, row) in [("rows", "{}"), ("patch", "{}"), ("delete", "\"x\"")] {
            let payload = format!(r#"{{"v":1,"counter":1,"{part}":{{"{}":[{row}]}}}}"#, table.name);
            let error =
                run(remote.primary.run(Statement::push(PUSH_1_SQL), &["push", "device", &payload]));
            assert_eq!(error.unwrap_err().refusal(), Some(Refusal::UnknownTable), "{payload}");
        }
    }
}
