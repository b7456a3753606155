//! SQLite databases of applications among the files: what is sent of them, and what a pull does to
//! those that it replaces.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Copy, sharing};

const SIDES: [&str; 3] = ["-wal", "-shm", "-journal"];

fn beside(path: &Path, side: &str) -> PathBuf {
    format!("{}{side}", path.display()).into()
}

/// Opens an application's connection. When it is dropped it leaves its log behind, as if its
/// process had been killed.
fn open(path: &Path, journal_mode: &str) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    connection.pragma_update(None, "synchronous", "OFF").unwrap();
    connection.pragma_update(None, "journal_mode", journal_mode).unwrap();
    connection.execute_batch("CREATE TABLE IF NOT EXISTS notes (n INTEGER)").unwrap();
    connection
}

fn add(connection: &Connection, n: i64) {
    connection.execute("INSERT INTO notes VALUES (?1)", [n]).unwrap();
}

/// Returns the rows of a database, and checks its integrity.
fn rows(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let check: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut rows = connection.prepare("SELECT n FROM notes ORDER BY n").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Two devices that share a primary, and the folder of the first one's project.
fn project() -> Scene {
    let scene = sharing(&["here", "there"]);
    scene.write("mine/other.txt", "other");
    scene
}

fn here(scene: &Scene) -> Copy<'_> {
    Copy::new(scene, "here", "mine")
}

/// The second device's copy.
fn cloned(scene: &Scene) -> Copy<'_> {
    let told = scene.run("there", "", "clone app yours");
    assert!(told.starts_with("exit 0"), "{told}");
    Copy::new(scene, "there", "yours")
}

fn push_all(copy: &Copy<'_>) -> Value {
    let output = copy.command(&["push"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// An application writes row after row while the project is pushed and cloned.
fn arrives_while_it_is_written(journal_mode: &str) {
    let scene = project();
    let path = scene.path("mine/app.db");
    let application = open(&path, journal_mode);
    (0..100).for_each(|n| add(&application, n));
    let mine = here(&scene);
    mine.run(&["init", "--name", "app"]);
    let (is_over, written) = (&AtomicBool::new(false), &AtomicI64::new(100));
    let known = std::thread::scope(|scope| {
        let work = move || {
            while !is_over.load(Ordering::Relaxed) {
                let n = written.load(Ordering::SeqCst);
                add(&application, n);
                written.store(n + 1, Ordering::SeqCst);
            }
        };
        let application = scope.spawn(work);
        let mut known = 0;
        let mut reports = Vec::new();
        for _ in 0..5 {
            scene.write("mine/other.txt", &format!("other {known}"));
            known = written.load(Ordering::SeqCst);
            reports.push(push_all(&mine));
        }
        is_over.store(true, Ordering::Relaxed);
        application.join().unwrap();
        for report in reports {
            assert_eq!(report["skipped"], serde_json::json!([]), "{report}");
        }
        known
    });
    let yours = cloned(&scene);
    let arrived = rows(&yours.root().join("app.db"));
    assert!(arrived.len() as i64 >= known, "{} of {known}", arrived.len());
    assert_eq!(arrived, (0..arrived.len() as i64).collect::<Vec<_>>());
    assert!(fs::read_to_string(yours.root().join("other.txt")).unwrap().starts_with("other "));
    for side in SIDES {
        assert_eq!(scene.run("here", "mine", &format!("cat app.db{side}")).find("exit 0"), None);
    }
}

#[test]
fn a_database_with_a_log_arrives_whole_while_it_is_written() {
    arrives_while_it_is_written("WAL");
}

#[test]
fn a_database_with_a_journal_arrives_whole_while_it_is_written() {
    arrives_while_it_is_written("DELETE");
}

#[test]
fn a_database_that_nobody_wrote_to_is_the_same_with_its_log_and_without() {
    let scene = project();
    let path = scene.path("mine/app.db");
    let application = open(&path, "WAL");
    (0..1000).for_each(|n| add(&application, n));
    let mine = here(&scene);
    mine.run(&["init", "--name", "app"]);
    let first = mine.run(&["snapshot"]);
    let log = fs::read(beside(&path, "-wal")).unwrap();
    for _ in 0..2 {
        assert_eq!(mine.run(&["snapshot"])["manifest_hash"], first["manifest_hash"]);
        assert_eq!(mine.run(&["status"])["dirty"], false);
    }
    assert_eq!(fs::read(beside(&path, "-wal")).unwrap(), log);
    // The application ends, and its log becomes part of the main file.
    application.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).unwrap();
    drop(application);
    assert!(!beside(&path, "-wal").exists());
    assert_eq!(mine.run(&["snapshot"])["created"], false);
    // A row that is only in the log counts as a change, although the main file is the same.
    add(&open(&path, "WAL"), 1000);
    mine.run(&["snapshot"]);
    add(&open(&path, "WAL"), 1001);
    assert_eq!(mine.run(&["status"])["modified"], serde_json::json!(["app.db"]));
}

#[test]
fn a_transaction_that_a_crash_cut_off_is_rolled_back_in_the_copy() {
    let scene = project();
    let path = scene.path("app.db");
    let application = open(&path, "DELETE");
    (0..2000).for_each(|n| add(&application, n));
    application.execute_batch("PRAGMA cache_size = 2; BEGIN; UPDATE notes SET n = -1").unwrap();
    for side in ["", "-journal"] {
        fs::copy(beside(&path, side), beside(&scene.path("mine/app.db"), side)).unwrap();
    }
    let mine = here(&scene);
    mine.run(&["init", "--name", "app"]);
    push_all(&mine);
    let arrived = cloned(&scene).root().join("app.db");
    assert!(!beside(&arrived, "-journal").exists());
    assert_eq!(rows(&arrived), (0..2000).collect::<Vec<_>>());
    assert!(beside(&scene.path("mine/app.db"), "-journal").exists());
}

/// A project with a database. The first device has a log beside it, ignored as in many projects;
/// the second device has pushed other rows.
fn with_stale_log(scene: &Scene) -> (Copy<'_>, PathBuf) {
    scene.write("mine/.gitignore", "*-wal\n*-shm\n");
    let path = scene.path("mine/app.db");
    let application = open(&path, "WAL");
    (0..500).for_each(|n| add(&application, n));
    drop(application);
    let mine = here(scene);
    mine.run(&["init", "--name", "app"]);
    push_all(&mine);
    let yours = cloned(scene);
    let theirs = Connection::open(yours.root().join("app.db")).unwrap();
    theirs.execute_batch("UPDATE notes SET n = n + 10000").unwrap();
    theirs.close().unwrap();
    push_all(&yours);
    (mine, path)
}

#[test]
fn a_pull_leaves_no_stale_log_beside_a_database() {
    let scene = project();
    let (mine, path) = with_stale_log(&scene);
    assert!(fs::metadata(beside(&path, "-wal")).unwrap().len() > 0);
    let report = mine.run(&["pull", "yours"]);
    assert_eq!(report["kept"], serde_json::json!([]), "{report}");
    SIDES.iter().for_each(|side| assert!(!beside(&path, side).exists(), "{side}"));
    assert_eq!(rows(&path), (10_000..10_500).collect::<Vec<_>>());
    assert_eq!(mine.run(&["status"])["dirty"], false);
}

#[test]
fn a_pull_that_deletes_a_database_deletes_what_stands_beside_it() {
    let scene = project();
    let (mine, path) = with_stale_log(&scene);
    let yours = Copy::new(&scene, "there", "yours");
    fs::remove_file(yours.root().join("app.db")).unwrap();
    push_all(&yours);
    mine.run(&["pull", "yours"]);
    ["", "-wal", "-shm"].iter().for_each(|side| assert!(!beside(&path, side).exists(), "{side}"));
}

#[test]
fn a_restore_leaves_no_stale_log_beside_a_database() {
    for paths in [&["app.db"][..], &[]] {
        let scene = project();
        let path = scene.path("mine/app.db");
        let mine = here(&scene);
        let application = open(&path, "WAL");
        add(&application, 1);
        mine.run(&["init", "--name", "app"]);
        mine.run(&["snapshot"]);
        let first = mine.log()[0].clone();
        (2..300).for_each(|n| add(&application, n));
        drop(application);
        let report = mine.run(&[&["restore", "--to", &first], paths].concat());
        assert_eq!(report["kept"], serde_json::json!([]), "{report}");
        SIDES.iter().for_each(|side| assert!(!beside(&path, side).exists(), "{side}"));
        assert_eq!(rows(&path), [1]);
        // The unsaved rows come back.
        assert!(report["operation"].is_number(), "{report}");
        mine.run(&["undo"]);
        assert_eq!(rows(&path), (1..300).collect::<Vec<_>>());
    }
}

fn theirs(scene: &Scene) -> Copy<'_> {
    Copy::new(scene, "there", "yours")
}

#[test]
fn a_database_that_an_application_has_open_is_left_until_it_is_closed() {
    let scene = project();
    let (mine, path) = with_stale_log(&scene);
    let application = open(&path, "WAL");
    let count = |sql| application.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM notes"), 500);
    scene.write("yours/late.txt", "1");
    theirs(&scene).run(&["push"]);
    let none = serde_json::json!([]);
    let report = mine.run(&["pull", "yours"]);
    assert_eq!(
        (&report["left"], &report["kept"]),
        (&serde_json::json!(["app.db"]), &none),
        "{report}"
    );
    let text = report["warnings"].to_string();
    assert!(text.contains("an application has this database open; close it"), "{text}");
    assert_eq!(scene.read("mine/late.txt"), "1");
    // Nothing was edited here, so later changes elsewhere conflict with nothing.
    scene.write("yours/late.txt", "2");
    theirs(&scene).run(&["push"]);
    let report = mine.run(&["pull", "yours"]);
    assert_eq!((&report["left"], &report["conflicts"]), (&serde_json::json!(["app.db"]), &none));
    assert_eq!(scene.read("mine/late.txt"), "2");
    assert_eq!(rows(&path), (0..500).collect::<Vec<_>>());
    assert_eq!(mine.run(&["status"])["dirty"], false);
    drop(application);
    // The last connection to close applies the log and deletes it.
    assert_eq!(rows(&path), (0..500).collect::<Vec<_>>());
    let report = mine.run(&["pull", "yours"]);
    assert_eq!((&report["left"], &report["conflicts"]), (&none, &none), "{report}");
    assert_eq!(report["added"], serde_json::json!(["app.db"]));
    assert_eq!(rows(&path), rows(&scene.path("yours/app.db")));
}

#[test]
fn names_that_end_like_a_log_are_files_as_any() {
    let scene = project();
    let begins_alike = format!("SQLite format 3\0{}", "not a database".repeat(50));
    for (name, text) in [("notes", "text"), ("alike.db", &begins_alike)] {
        scene.write(format!("mine/{name}"), text);
        scene.write(format!("mine/{name}-wal"), "a log?");
        scene.write(format!("mine/{name}-journal"), "a journal?");
    }
    scene.write("mine/alone-wal", "of nothing");
    let mine = here(&scene);
    mine.run(&["init", "--name", "app"]);
    let report = push_all(&mine);
    assert_eq!(report["skipped"], serde_json::json!([]), "{report}");
    cloned(&scene);
    let names = ["notes", "notes-wal", "notes-journal", "alike.db-wal", "alone-wal", "alike.db"];
    for name in names {
        let (here, there) =
            (scene.read(&format!("mine/{name}")), scene.read(&format!("yours/{name}")));
        assert_eq!(here, there, "{name}");
    }
}
