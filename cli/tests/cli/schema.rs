//! `schema …`: tables of primaries, folders of migrations, and what is wrong with either.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::scene::Scene;
use crate::world::Random;

/// The number of times that a command is killed.
const KILLS: u32 = 50;

fn url(scene: &Scene, name: &str) -> String {
    format!("file://{}", scene.path("").canonicalize().unwrap().join(name).display())
}

/// A copy of Fastest's own folder of migrations.
fn copy_migrations(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations");
    fs::create_dir_all(to.join("meta")).unwrap();
    for dir in ["", "meta"] {
        for entry in fs::read_dir(from.join(dir)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(dir).join(entry.file_name())).unwrap();
            }
        }
    }
}

#[test]
fn a_primary_is_made_and_checked() {
    let scene = Scene::new();
    let url = url(&scene, "p.db");
    assert_snapshot!(scene.run("", "", &format!("schema check --remote {url}")), @r"
    exit 2
    --- stderr
    error: there is no database [TMP]/p.db
    hint: mend the address, or let `fastest schema migrate` make it
    ");
    let made = scene.run("", "", &format!("schema migrate --remote {url}"));
    assert!(made.starts_with("exit 0\n--- stdout\napplied 0000_init.sql\napplied 0001_"), "{made}");
    assert_snapshot!(scene.run("", "", &format!("schema migrate --remote {url}")), @r"
    exit 0
    --- stdout
    file://[TMP]/p.db is up to date
    ");
    assert_snapshot!(scene.run("", "", &format!("schema check --remote {url}")), @r"
    exit 0
    --- stdout
    file://[TMP]/p.db is as its migrations say
    ");
    // The same file by an escaped address; and the primary in the store, which does not exist yet.
    let escaped = format!("schema check --quiet --remote {}", url.replace("p.db", "%70.db"));
    assert_eq!(scene.run("", "", &escaped), "exit 0");
    let told = scene.run("empty", "", "schema check");
    assert!(told.contains("error: there is no database"), "{told}");
    assert!(!scene.path("empty/primary/primary.db").exists(), "looking at one makes none");
    let primary = Connection::open(scene.path("p.db")).unwrap();
    primary
        .execute_batch(
            "DROP TRIGGER fastest_users_insert; DROP INDEX users_email_unique;
             ALTER TABLE auth_codes DROP COLUMN used; ALTER TABLE auth_codes ADD COLUMN used text;
             ALTER TABLE users ADD COLUMN zip text COLLATE NOCASE;
             DROP TABLE jobs; CREATE TABLE fastest_notes(id);
             CREATE TABLE directus_users(id); CREATE TABLE alembic_version(v); CREATE TABLE mine(id);
             CREATE TRIGGER mine_too AFTER INSERT ON mine BEGIN SELECT 1; END;",
        )
        .unwrap();
    assert_snapshot!(scene.run("", "", &format!("schema check --remote {url}")), @r"
    exit 1
    --- stdout
    changed column auth_codes: used (expected integer NOT NULL DEFAULT 0; found text) [fastest]
    extra table fastest_notes [fastest]
    missing table jobs [fastest]
    extra column users: zip [fastest]
    missing index users: users_email_unique [fastest]
    missing trigger users: fastest_users_insert [fastest]
    left alone: alembic_version (Alembic, for migrations)
    left alone: directus_users (Directus)
    left alone: mine (another application)
    file://[TMP]/p.db: 6 differences
    ");
    assert!(!scene.path("store").exists(), "an address needs no store");
    let json = scene.text("", "", &format!("schema check --remote {url} --json"));
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["differences"].as_array().unwrap().len(), 6);
    assert_eq!(report["theirs"][0]["table"], "alembic_version");
}

/// A primary as an earlier build left it.
fn earlier_primary(scene: &Scene, name: &str) {
    let database = Connection::open(scene.path(name)).unwrap();
    database
        .execute_batch("CREATE TABLE d1_migrations(id INTEGER PRIMARY KEY, name TEXT)")
        .unwrap();
    for file in ["0000_init.sql", "0001_fastest_push_history.sql"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations");
        database.execute_batch(&fs::read_to_string(folder.join(file)).unwrap()).unwrap();
        database.execute("INSERT INTO d1_migrations(name) VALUES (?1)", [file]).unwrap();
    }
}

#[test]
fn a_primary_of_an_earlier_build_is_brought_up_to_date() {
    let scene = Scene::new();
    scene.write("app/file", "text");
    scene.run("store", "app", "init --name app");
    scene.run("store", "app", "snapshot");
    // The primary inside the store is used by no other device, so the push migrates it.
    fs::create_dir_all(scene.path("store/primary")).unwrap();
    earlier_primary(&scene, "store/primary/primary.db");
    let told = scene.run("store", "app", "push");
    assert!(told.starts_with("exit 0"), "{told}");
    // Another primary that is in use may have devices that a migration would shut out.
    earlier_primary(&scene, "team.db");
    Connection::open(scene.path("team.db"))
        .unwrap()
        .execute("INSERT INTO users(id, email) VALUES ('u', 'a@b.c')", [])
        .unwrap();
    let url = url(&scene, "team.db");
    scene.run("store", "", &format!("remote set {url}"));
    assert_snapshot!(scene.run("store", "app", "push"), @r"
    exit 2
    --- stderr
    error: the primary file://[TMP]/team.db lacks migration 0006_fastest_conflicts.sql: apply it, and try again
    hint: `fastest schema migrate` does; devices with an older fastest must be upgraded then
    ");
    assert!(scene.run("store", "", "schema migrate").starts_with("exit 0"));
    let told = scene.run("store", "app", "push");
    assert!(told.starts_with("exit 0"), "{told}");
}

#[test]
fn tables_are_printed() {
    let scene = Scene::new();
    let text = scene.run("", "", "schema print --table device_codes");
    assert!(text.contains("CREATE TABLE `device_codes`("), "{text}");
    assert!(!text.contains("TRIGGER"), "a private table has none: {text}");
    let text = scene.run("", "", "schema print --table conversations");
    assert!(text.contains("CREATE TRIGGER `fastest_conversations_insert`"), "{text}");
    let text = scene.run("", "", "schema print --format mermaid");
    assert!(text.contains("\n  sessions }o--|| users : user_id\n"), "{text}");
    let text = scene.run("", "", "schema print --table nothing");
    assert!(
        text.starts_with(
            "exit 2\n--- stderr\nerror: there is no table `nothing`; there are: users, "
        )
    );
    // The printed SQL creates the whole schema.
    let text = scene.text("", "", "schema print");
    Connection::open_in_memory().unwrap().execute_batch(&text).unwrap();
}

#[test]
fn a_folder_that_is_not_as_it_was_is_refused() {
    let scene = Scene::new();
    let check = |change: &dyn Fn(&Path), expect: &str| {
        let dir = scene.path("m");
        copy_migrations(&dir);
        change(&dir);
        let url = url(&scene, "untouched.db");
        for command in [
            format!("schema migrate --remote {url} --dir m"),
            "schema print --dir m".to_owned(),
            "schema generate --name x --dir m".to_owned(),
        ] {
            let told = scene.run("", "", &command).replace(scene.path("").to_str().unwrap(), "");
            assert!(told.starts_with(&format!("exit 2\n--- stderr\nerror: m{expect}")), "{told}");
        }
        assert!(!scene.path("untouched.db").exists());
        fs::remove_dir_all(&dir).unwrap();
    };
    let first = "0000_init.sql";
    let push = "0001_fastest_push_history.sql";
    check(
        &|dir| fs::remove_file(dir.join(push)).unwrap(),
        ": 0000_init.sql is followed by 0002_fastest_intelligence.sql: there is no migration 0001",
    );
    check(
        &|dir| fs::write(dir.join("0001_fastest_again.sql"), "").unwrap(),
        ": 0001_fastest_again.sql and 0001_fastest_push_history.sql have the same number",
    );
    check(
        &|dir| {
            let text = fs::read_to_string(dir.join(first)).unwrap();
            fs::write(dir.join(first), text.replacen('\n', "\r\n", 2)).unwrap();
        },
        ": 0000_init.sql, line 1: a line has a carriage return",
    );
    check(
        &|dir| {
            let text = fs::read_to_string(dir.join(first)).unwrap();
            fs::write(dir.join(first), text + "\n").unwrap();
        },
        ": 0000_init.sql was edited after it was generated",
    );
    check(
        &|dir| fs::write(dir.join("meta/_journal.json"), "{\n  \"version\": 1,\n").unwrap(),
        ": meta/_journal.json, line 3: EOF while parsing",
    );
    check(
        &|dir| fs::write(dir.join(first), b"--\n\xff").unwrap(),
        "/0000_init.sql, line 2: the file is not UTF-8",
    );
    check(
        &|dir| {
            for file in [first, push, "0002_fastest_intelligence.sql"] {
                fs::remove_file(dir.join(file)).unwrap();
            }
        },
        ": the folder's beginning is followed by 0003_",
    );
}

#[test]
fn statements_of_ones_own_become_a_migration() {
    let scene = Scene::new();
    copy_migrations(&scene.path("m"));
    scene.write("own.sql", "UPDATE users SET name = trim(name);\nDELETE FROM jobs;\n");
    let generate = "schema generate --name tidy --dir m --sql own.sql";
    assert_snapshot!(scene.run("", "", generate), @r"
    exit 0
    --- stdout
    wrote [TMP]/m/0007_fastest_tidy.sql: 1 statement
    ");
    assert_snapshot!(scene.read("m/0007_fastest_tidy.sql"), @r"
    UPDATE users SET name = trim(name);
    DELETE FROM jobs;
    ");
    scene.write("own.sql", "SELECT 1;\n--> statement-breakpoint\nUPDATE nowhere SET name = 1;\n");
    assert_snapshot!(scene.run("", "", "schema generate --name bad --dir m --sql own.sql"), @r"
    exit 2
    --- stderr
    error: 0008_fastest_bad.sql, line 3: no such table: nowhere
    ");
    scene.write("own.sql", "DROP INDEX users_email_unique;");
    assert_snapshot!(scene.run("", "", "schema generate --name bad --dir m --sql own.sql"), @r"
    exit 2
    --- stderr
    error: no migration was written: with it, the schema would not be the declared one: missing index users: users_email_unique
    ");
    assert!(!scene.path("m/0008_fastest_bad.sql").exists());
    let url = url(&scene, "p.db");
    let told = scene.run("", "", &format!("schema migrate --remote {url} --dir m"));
    assert!(told.ends_with("applied 0007_fastest_tidy.sql"), "{told}");
    // This build does not know it.
    assert_snapshot!(scene.run("", "", &format!("schema migrate --remote {url}")), @r"
    exit 2
    --- stderr
    error: the primary file://[TMP]/p.db has migration 0007_fastest_tidy.sql, which this version does not know
    hint: upgrade fastest on this device
    ");
}

#[test]
fn each_refusal_of_an_adoption_has_a_line() {
    let scene = Scene::new();
    Connection::open(scene.path("p.db"))
        .unwrap()
        .execute_batch("CREATE TABLE counted(id integer PRIMARY KEY); CREATE VIEW seen AS SELECT 1")
        .unwrap();
    let adopt = format!(
        "schema adopt --remote {} --table counted --scope id --table seen --scope id",
        url(&scene, "p.db")
    );
    assert_snapshot!(scene.run("", "", &adopt), @r"
    exit 2
    --- stderr
    error: `counted.id` is an integer key: devices would give the same numbers to different rows; a text key, such as a ULID or UUID, is needed
    error: `seen` is a view: choose the tables that it shows
    ");
    let json = scene.text("", "", &format!("{adopt} --json"));
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report["error"]["message"].as_str().unwrap().lines().count(), 2, "{report}");
}

/// Starts a command and kills it at a random moment. Returns whether it was still running. The
/// first command is not killed: how long it takes depends on the machine.
fn kill(scene: &Scene, words: &str, usual: &mut Option<Duration>, random: &mut Random) -> bool {
    let begun = Instant::now();
    let mut command = scene.command("", "");
    let mut child = command.args(words.split(' ')).spawn().unwrap();
    let Some(expected) = *usual else {
        child.wait().unwrap();
        *usual = Some(begun.elapsed());
        return false;
    };
    std::thread::sleep(expected.mul_f64(random.below(1000) as f64 / 1000.0));
    child.kill().unwrap();
    let killed = child.wait().unwrap().code().is_none();
    *usual = Some(match killed {
        true => expected.mul_f64(1.05),
        false => begun.elapsed().mul_f64(0.9),
    });
    killed
}

#[test]
fn a_migration_that_is_killed_is_whole_or_absent() {
    let scene = Scene::new();
    let mut random = Random::new(20_261_123);
    let mut usual = None;
    let (mut killed, mut round) = (0, 0);
    while killed < KILLS {
        round += 1;
        assert!(round < 10 * KILLS, "it ends before it can be killed");
        let name = format!("{round}.db");
        let url = url(&scene, &name);
        let migrate = format!("schema migrate --quiet --remote {url}");
        killed += u32::from(kill(&scene, &migrate, &mut usual, &mut random));
        if scene.path(&name).exists() {
            let found = |sql: &str| -> i64 {
                let database = Connection::open(scene.path(&name)).unwrap();
                database.query_row(sql, [], |row| row.get(0)).unwrap_or(0)
            };
            let recorded = found("SELECT count(*) FROM d1_migrations");
            let tables = found(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table'
                 AND name NOT IN ('d1_migrations', 'sqlite_sequence')",
            );
            assert_eq!(
                tables,
                [0, 10, 10, 21, 32, 33, 33, 33][recorded as usize],
                "{recorded} migrations"
            );
        }
        assert_eq!(scene.run("", "", &migrate), "exit 0");
        assert_eq!(scene.run("", "", &format!("schema check --quiet --remote {url}")), "exit 0");
    }
}

#[test]
fn a_generate_that_is_killed_is_whole_or_absent() {
    let scene = Scene::new();
    let mut random = Random::new(20_261_123);
    let mut usual = None;
    copy_migrations(&scene.path("m"));
    scene.write("own.sql", "SELECT 1;\n");
    let count = || {
        let names = fs::read_dir(scene.path("m")).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name != "meta").count()
    };
    let (mut killed, mut round) = (0, 0);
    while killed < KILLS {
        round += 1;
        assert!(round < 10 * KILLS, "it ends before it can be killed");
        let generate = format!("schema generate --quiet --name n{round} --dir m --sql own.sql");
        killed += u32::from(kill(&scene, &generate, &mut usual, &mut random));
        // The next command finishes the work, or finds none.
        let told = scene.run("", "", "schema print --quiet --dir m");
        assert!(told.starts_with("exit 0"), "{told}");
        let journal = scene.read("m/meta/_journal.json");
        assert_eq!(count(), journal.matches("\"tag\"").count());
        let left: Vec<_> = fs::read_dir(scene.path("m/meta"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name == ".next")
            .collect();
        assert_eq!(left, [""; 0]);
    }
    scene.run("", "", "schema generate --name last --dir m --sql own.sql");
    let in_meta = fs::read_dir(scene.path("m/meta")).unwrap().count();
    assert_eq!(in_meta, 2, "what was broken off is cleared away");
}

#[test]
fn an_export_is_mended_whole_or_not_at_all() {
    let scene = Scene::new();
    scene.write(
        "export.sql",
        "CREATE TABLE t(x);\nCREATE TRIGGER g INSTEAD OF INSERT ON v BEGIN\n  SELECT 1;\nEND;\n\
         CREATE VIEW v AS SELECT 1;\n",
    );
    assert_snapshot!(scene.run("", "", "schema mend-export export.sql"), @r"
    exit 0
    --- stdout
    wrote [TMP]/export.mended.sql: 3 statements, 1 trigger last
    ");
    let mended = scene.read("export.mended.sql");
    assert!(
        mended.find("CREATE VIEW").unwrap() < mended.find("CREATE TRIGGER").unwrap(),
        "{mended}"
    );
    Connection::open_in_memory().unwrap().execute_batch(&mended).unwrap();
    scene.write("cut.sql", "CREATE TABLE t(x);\nINSERT INTO t VALUES('x");
    assert_snapshot!(scene.run("", "", "schema mend-export cut.sql --output out.sql"), @r"
    exit 2
    --- stderr
    error: cannot mend [TMP]/cut.sql: it ends in the middle of a statement, line 1: export it again
    ");
    assert!(!scene.path("out.sql").exists());
    // Neither the export nor an existing file is replaced.
    for output in ["export.sql", "export.mended.sql"] {
        let before = scene.read(output);
        let told = scene.run("", "", &format!("schema mend-export export.sql --output {output}"));
        assert!(told.starts_with("exit 2") && told.contains("it is there already"), "{told}");
        assert_eq!(scene.read(output), before);
    }
    let told = scene.run("", "", "schema mend-export nowhere.sql");
    assert!(told.starts_with("exit 2") && told.contains("nowhere.sql"), "{told}");
}
