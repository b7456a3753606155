//! `remote …`: the primary is inspected, migrated, and given a token.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::Value;

use crate::scene::{Scene, told};

fn set(scene: &Scene) -> String {
    fs::create_dir_all(scene.path("disk")).unwrap();
    let url = format!("file://{}", scene.path("disk").canonicalize().unwrap().display());
    let told = scene.run("store", "", &format!("remote set {url}/p.db"));
    assert!(told.starts_with("exit 0"), "{told}");
    told
}

/// Returns the name of each check of `remote check`, and whether it passed.
fn steps(scene: &Scene) -> Vec<(String, bool)> {
    let text = scene.text("store", "", "remote check --json");
    let report: Value = serde_json::from_str(&text).unwrap();
    let checks = report["checks"].as_array().unwrap().iter();
    let step = |check: &Value| (check["name"].as_str().unwrap().to_owned(), check["ok"] == true);
    let steps: Vec<_> = checks.map(step).collect();
    assert_eq!(report["problem"].is_null(), steps.iter().all(|(_, ok)| *ok), "{text}");
    steps
}

#[test]
fn a_new_primary_is_checked_and_migrated() {
    let scene = Scene::new();
    set(&scene);
    assert_snapshot!(scene.run("store", "", "remote check"), @r"
    exit 0
    --- stdout
    primary: file://[TMP]/disk/p.db
    large packs: beside the primary
    ok      name: it answers in [MS] ms
    ok      token: none is needed
    ok      permission: not set up yet: the first push does it
    ok      schema: none yet: the first push makes it
    ok      clock: as the primary's
    ok      packs: stored, read and compared
    ");
    let told = scene.run("store", "", "remote migrate");
    assert!(told.starts_with("exit 0\n--- stdout\napplied 0000_init.sql\n"), "{told}");
    assert!(told.contains("/disk/p.db is set up, at 0"), "{told}");
    let told = scene.run("store", "", "remote check");
    assert!(told.contains("\nok      permission: it may be written to\n"), "{told}");
    let told = scene.run("store", "", "remote migrate");
    assert!(told.contains("/disk/p.db is up to date, at 0"), "{told}");
    let json = scene.run("store", "", "remote migrate --json");
    assert!(json.contains(r#""applied":[]"#), "{json}");
    // The checks have left nothing behind.
    let primary = rusqlite::Connection::open(scene.path("disk/p.db")).unwrap();
    for table in ["fastest_pushes", "fastest_changes"] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(primary.query_row(&count, [], |row| row.get::<_, i64>(0)), Ok(0), "{table}");
    }
    assert_eq!(fs::read_dir(scene.path("disk/p.db.packs")).unwrap().count(), 0);
}

#[test]
fn a_schema_that_is_behind_or_ahead() {
    let scene = Scene::new();
    set(&scene);
    scene.run("store", "", "remote migrate");
    let primary = rusqlite::Connection::open(scene.path("disk/p.db")).unwrap();
    let all = ["name", "token", "permission", "schema", "clock", "packs"];
    let but_schema = || all.map(|name| (name.to_owned(), name != "schema"));
    primary.execute("DELETE FROM d1_migrations WHERE name > '0001'", []).unwrap();
    assert_eq!(steps(&scene), but_schema());
    let told = scene.run("store", "", "remote check");
    assert!(told.contains("\n        run `fastest remote migrate`\n"), "{told}");
    primary
        .execute("INSERT INTO d1_migrations(name) VALUES ('9999_fastest_later.sql')", [])
        .unwrap();
    assert_eq!(steps(&scene), but_schema());
    let told = scene.run("store", "", "remote check");
    assert!(told.contains("\n        upgrade fastest on this device\n"), "{told}");
    let told = scene.run("store", "", "remote migrate --json");
    assert!(told.starts_with("exit 2") && told.contains("newer_primary"), "{told}");
}

#[test]
#[cfg(unix)]
fn packs_that_cannot_be_written() {
    let scene = Scene::new();
    set(&scene);
    fs::remove_dir_all(scene.path("disk/p.db.packs")).unwrap();
    scene.write("disk/p.db.packs", "in the way");
    assert_eq!(steps(&scene).last().unwrap(), &("packs".to_owned(), false));
    let told = set(&scene);
    assert!(told.contains("\nwarning: cannot create "), "{told}");
    assert!(told.contains("\nhint: mend it, or put packs elsewhere: "), "{told}");
}

#[test]
fn a_primary_that_is_not_there() {
    let scene = Scene::new();
    set(&scene);
    fs::remove_dir_all(scene.path("disk")).unwrap();
    assert_snapshot!(scene.run("store", "", "remote check"), @r"
    exit 2
    --- stdout
    primary: file://[TMP]/disk/p.db
    large packs: beside the primary
    problem name: the folder [TMP]/disk is not there
            make sure that the folder or the host is there; pushes wait until then
    ");
    assert_eq!(steps(&scene), [("name".to_owned(), false)]);
}

#[test]
fn a_place_for_packs_that_is_none() {
    let scene = Scene::new();
    fs::create_dir(scene.path("disk")).unwrap();
    let url = format!("file://{}/p.db", scene.path("disk").display());
    let told = scene.run("store", "", &format!("remote set {url} --packs ftp://x"));
    assert_snapshot!(told, @r#"
    exit 2
    --- stderr
    error: "ftp://x" is no address of a pack store: it begins with neither file:// nor s3://
    hint: write `--packs rows`, `--packs file:///folder` or `--packs s3://BUCKET/PREFIX`
    "#);
    let shown = scene.text("store", "", "remote show --json");
    assert!(shown.contains(r#""packs":"default""#), "{shown}");
    let elsewhere = format!("file://{}", scene.path("packs").display());
    let told = scene.run("store", "", &format!("remote set {url} --packs {elsewhere}"));
    assert!(told.starts_with("exit 0"), "{told}");
    let shown = scene.text("store", "", "remote show --json");
    assert!(shown.contains(&format!(r#""packs":"{elsewhere}""#)), "{shown}");
    scene.run("store", "", &format!("remote set {url} --packs rows"));
    let shown = scene.text("store", "", "remote show --json");
    assert!(shown.contains(r#""inline_packs":true,"packs":"rows""#), "{shown}");
}

#[test]
fn a_file_needs_no_token() {
    let scene = Scene::new();
    set(&scene);
    let needs_none = "exit 0\n--- stdout\nfile://";
    for words in ["remote login", "remote logout"] {
        let told = scene.run("store", "", words);
        assert!(told.starts_with(needs_none) && told.ends_with(" needs no token"), "{told}");
    }
    assert_snapshot!(scene.run("store", "", "remote login --json"), @r#"
    exit 0
    --- stdout
    {"url":"file://[TMP]/disk/p.db","needs_token":false,"kept":false,"checked":false,"problem":null}
    "#);
    assert_snapshot!(scene.run("store", "", "remote logout --json"), @r#"
    exit 0
    --- stdout
    {"url":"file://[TMP]/disk/p.db","needs_token":false,"deleted":false}
    "#);
}

/// Runs `remote login` with this text on stdin.
fn login(scene: &Scene, stdin: &str) -> String {
    let mut command = scene.command("store", "");
    command.args(["remote", "login"]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    told(&child.wait_with_output().unwrap())
}

#[test]
fn what_is_no_token() {
    let scene = Scene::new();
    scene.run("store", "", "remote set http://127.0.0.1:1");
    assert_snapshot!(login(&scene, ""), @r#"
    exit 2
    --- stderr
    error: no token was given
    hint: for example: `echo "$TOKEN" | fastest remote login`
    "#);
    assert_eq!(login(&scene, " \n"), login(&scene, ""));
    assert_snapshot!(login(&scene, "two words\n"), @r#"
    exit 2
    --- stderr
    error: what was given is no token: it has spaces or other letters
    hint: for example: `echo "$TOKEN" | fastest remote login`
    "#);
    // A token cannot be given as an argument.
    let told = scene.run("store", "", "remote login secret");
    assert!(told.starts_with("exit 2") && told.contains("unexpected argument"), "{told}");
}

#[test]
fn no_keyring() {
    let scene = Scene::new();
    scene.run("store", "", "remote set http://127.0.0.1:1");
    assert_snapshot!(login(&scene, "token\n"), @r"
    exit 2
    --- stderr
    error: the system's keyring cannot be used: it is not asked for a primary on this machine; set TURSO_AUTH_TOKEN
    ");
    assert_snapshot!(scene.run("store", "", "remote logout"), @r"
    exit 2
    --- stderr
    error: the system's keyring cannot be used: FASTEST_KEYRING turns it off; nothing is deleted
    ");
}

#[test]
fn logs_are_off_until_asked_for() {
    let scene = Scene::new();
    set(&scene);
    let logged = |filter: &str| {
        let mut command = scene.command("store", "");
        told(&command.args(["remote", "check"]).env("FASTEST_LOG", filter).output().unwrap())
    };
    assert!(!logged("").contains("--- stderr"));
    assert!(!logged("off").contains("--- stderr"));
    assert!(!logged("hyper=trace").contains("--- stderr"));
    for filter in ["debug", "trace", "fastest_sync=debug"] {
        let told = logged(filter);
        assert!(told.contains("DEBUG fastest_sync::remote::guard: statement run"), "{told}");
        assert!(!told.contains('\x1b'), "{told}");
    }
    assert_snapshot!(logged("fastest_sync=loud"), @r#"
    exit 2
    --- stderr
    error: FASTEST_LOG: "fastest_sync=loud" is no filter of logs: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    hint: for example: FASTEST_LOG=debug
    "#);
}

#[test]
fn a_primary_is_found_in_a_folder_of_any_name() {
    let scene = Scene::new();
    scene.write("demo/a", "1");
    for (number, name) in
        ["a b", "100%", "a#b", "a?b", "a%20b", "\u{434}\u{43e}\u{43c}", "it's", "a+b", "a&b=c"]
            .into_iter()
            .enumerate()
    {
        let (store, other) = (format!("store-{number}"), format!("other-{number}"));
        fs::create_dir(scene.path(name)).unwrap();
        let top = scene.path(name).canonicalize().unwrap();
        let (url, packs) =
            (format!("file://{}/p.db", top.display()), format!("file://{}/packs", top.display()));
        let told = scene.run_args(&store, "", &["remote", "set", &url, "--packs", &packs]);
        assert!(told.starts_with("exit 0"), "{name}: {told}");
        let told = scene.run(&store, "demo", "push");
        assert!(told.starts_with("exit 0"), "{name}: {told}");
        assert!(top.join("p.db").is_file() && top.join("packs").is_dir(), "{name}");
        // The address that reports show can be set again.
        let shown = scene.field(&store, "demo", "push", "primary");
        assert_eq!(shown, scene.field(&store, "", "remote show", "url"), "{name}");
        let told = scene.run_args(&other, "", &["remote", "set", &shown, "--packs", &packs]);
        assert!(told.starts_with("exit 0"), "{name}: {told}");
        let told = scene.run(&other, "", &format!("clone demo copy-{number}"));
        assert!(told.starts_with("exit 0"), "{name}: {told}");
        fs::remove_dir_all(scene.path("demo/.fastest")).unwrap();
        // Two of these names are the same address while both folders exist.
        fs::remove_dir_all(&top).unwrap();
    }
}
