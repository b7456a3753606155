//! Row conflicts between two devices, and refused transactions: how they are shown and resolved.

use std::fs;

use fastest_schema::{Migration, Row, Schema, init_sql, table};
use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, Remote, World, migrate};
use insta::assert_snapshot;
use serde_json::Value;

use crate::scene::Scene;
use fastest_sync::remote::statement::Statement;

/// Devices `here` and `there` have made different workspaces of project `app` the main one, while
/// the primary was away. `here` has pushed its choice, `there` has pushed after it.
fn scene() -> Scene {
    let scene = Scene::new();
    fs::create_dir(scene.path("disk")).unwrap();
    let url = format!("file://{}", scene.path("disk").canonicalize().unwrap().display());
    scene.write("app/a.txt", "one\n");
    for store in ["here", "there"] {
        done(&scene, store, "", &format!("remote set {url}/p.db"));
    }
    done(&scene, "here", "app", "push");
    done(&scene, "here", "app", "workspace new left ../left");
    done(&scene, "here", "left", "push");
    done(&scene, "there", "", "clone app copy --workspace right");
    done(&scene, "there", "copy", "push");
    fs::rename(scene.path("disk"), scene.path("away")).unwrap();
    done(&scene, "here", "app", "workspace set-main left");
    done(&scene, "there", "copy", "workspace set-main right");
    assert!(scene.run("there", "copy", "push").starts_with("exit 3"));
    fs::rename(scene.path("away"), scene.path("disk")).unwrap();
    done(&scene, "here", "app", "push");
    done(&scene, "there", "copy", "push");
    scene
}

fn done(scene: &Scene, store: &str, dir: &str, words: &str) {
    let told = scene.run(store, dir, words);
    assert!(told.starts_with("exit 0"), "{words}: {told}");
}

fn json(scene: &Scene, store: &str, dir: &str, words: &str) -> Value {
    serde_json::from_str(&scene.text(store, dir, &format!("{words} --json"))).unwrap()
}

/// Returns the name of the main workspace, according to a device.
fn main(scene: &Scene, store: &str, dir: &str) -> String {
    let list = json(scene, store, dir, "workspace list");
    let entries = list["workspaces"].as_array().unwrap();
    let main = entries.iter().find(|entry| entry["main"] == true).unwrap();
    main["name"].as_str().unwrap().to_owned()
}

/// Syncs both devices, and checks that no conflict is left and that they agree on the main
/// workspace. Returns its name.
fn agree(scene: &Scene) -> String {
    done(scene, "there", "copy", "push");
    done(scene, "here", "app", "pull");
    let (here, there) = (main(scene, "here", "app"), main(scene, "there", "copy"));
    assert_eq!(here, there);
    assert_eq!(json(scene, "there", "copy", "conflicts")["conflicts"], Value::Array(vec![]));
    here
}

#[test]
fn a_conflict_is_shown() {
    let scene = scene();
    // The primary's choice applies until the conflict is resolved.
    assert_eq!(main(&scene, "there", "copy"), "left");
    assert_snapshot!(scene.run("there", "copy", "conflicts"), @r#"
    exit 1
    --- stdout
    [ID] app: projects [ID]
      main_workspace_id: ours "[ID]"
      main_workspace_id: theirs "[ID]"
    --- stderr
    hint: `fastest resolve ID --ours`, `--theirs` or `--value JSON` settles one
    "#);
    let status = scene.run("there", "copy", "status");
    assert!(status.contains("warning: 1 row conflict with the primary: "), "{status}");
    assert_snapshot!(scene.run("there", "copy", "conflicts --json"), @r#"
    exit 1
    --- stdout
    {"conflicts":[{"id":"[ID]","project":"app","table":"projects","key":"[ID]","deleted":false,"at":"[TIME]","columns":[{"column":"main_workspace_id","base":"[ID]","ours":"[ID]","theirs":"[ID]","now":"[ID]"}]}]}
    "#);
    // The conflict is also shown outside of the project, and not on the other device.
    assert!(scene.run("there", "", "conflicts").starts_with("exit 1"));
    assert_eq!(scene.run("here", "app", "conflicts"), "exit 0\n--- stdout\nNothing is in conflict");
}

#[test]
fn ours() {
    let scene = scene();
    let id = scene.field("there", "copy", "conflicts", "id");
    assert_snapshot!(scene.run("there", "copy", &format!("resolve {id} --ours")), @r"
    exit 0
    --- stdout
    Settled app: projects [ID]
    --- stderr
    hint: `fastest push` tells the primary
    ");
    assert_eq!(main(&scene, "there", "copy"), "right");
    assert_eq!(agree(&scene), "right");
}

#[test]
fn theirs() {
    let scene = scene();
    let id = scene.field("there", "copy", "conflicts", "id");
    assert_snapshot!(scene.run("there", "copy", &format!("resolve {id} --theirs")), @r"
    exit 0
    --- stdout
    Settled app: projects [ID]
    ");
    assert_eq!(agree(&scene), "left");
}

#[test]
fn another_value() {
    let scene = scene();
    let id = scene.field("there", "copy", "conflicts", "id");
    let list = json(&scene, "there", "copy", "workspace list");
    let entries = list["workspaces"].as_array().unwrap();
    let other = entries.iter().find(|entry| entry["name"] == "main").unwrap();
    let value = format!(r#"{{"main_workspace_id":{}}}"#, other["id"]);
    // A prefix of the id is enough.
    let told =
        scene.run_args("there", "copy", &["resolve", &id[..20], "--value", &value, "--json"]);
    assert!(told.starts_with("exit 0") && told.contains(r#""written":true"#), "{told}");
    assert_eq!(agree(&scene), "main");
}

#[test]
fn what_cannot_be_settled_so() {
    let scene = scene();
    let id = scene.field("there", "copy", "conflicts", "id");
    assert_snapshot!(scene.run("there", "copy", "resolve 01ZZZ --ours"), @r#"
    exit 2
    --- stderr
    error: there is no conflict "01ZZZ"
    hint: `fastest conflicts` shows those there are
    "#);
    let told = scene.run_args("there", "copy", &["resolve", "", "--ours"]);
    assert!(told.starts_with("exit 2\n--- stderr\nerror: a value is required"), "{told}");
    assert_snapshot!(scene.run("there", "copy", &format!("resolve {id}")), @r"
    exit 2
    --- stderr
    error: a row's conflict is settled by its id, with one of --ours, --theirs and --value
    ");
    let value = |value: &str| {
        let args = ["resolve", &id, "--value", value];
        scene.run_args("there", "copy", &args)
    };
    assert_snapshot!(value("[1]"), @r#"
    exit 2
    --- stderr
    error: the value of --value must be a JSON object of columns: it is no object
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    assert_snapshot!(value("{"), @r#"
    exit 2
    --- stderr
    error: the value of --value must be a JSON object of columns: EOF while parsing an object at line 1 column 1
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    assert_snapshot!(value(r#"{"colour":"red"}"#), @r#"
    exit 2
    --- stderr
    error: column "colour" of projects: there is no such column
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    assert_snapshot!(value(r#"{"main_workspace_id":7}"#), @r#"
    exit 2
    --- stderr
    error: column "main_workspace_id" of projects: it cannot hold this value
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    assert_snapshot!(value(r#"{"name":null}"#), @r#"
    exit 2
    --- stderr
    error: column "name" of projects: it cannot hold this value
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    assert_snapshot!(value(r#"{"id":"x"}"#), @r#"
    exit 2
    --- stderr
    error: column "id" of projects: it cannot be chosen
    hint: `fastest conflicts` shows the columns; write `--value '{"column":"text"}'`
    "#);
    // Exactly one choice is required.
    let told = scene.run("there", "copy", &format!("resolve {id}"));
    assert!(told.starts_with("exit 2") && told.contains("--ours"), "{told}");
    let told = scene.run("there", "copy", &format!("resolve {id} --ours --theirs"));
    assert!(told.starts_with("exit 2") && told.contains("cannot be used with"), "{told}");
    // The conflict is unchanged by all of these.
    assert_eq!(scene.field("there", "copy", "conflicts", "id"), id);
}

#[table(name = "notes", policy = versioned("a test"), scope = team)]
struct Note {
    #[pk]
    id: String,
    team: String,
    title: String,
}

/// Returns an application's database with a refused transaction of two rows.
fn refused(scene: &Scene) -> Database {
    let tables = vec![Note::TABLE].leak();
    let migrations = vec![Migration { name: "0000_app_init.sql", sql: init_sql(tables).leak() }];
    let schema = Schema { owner: "app", tables, migrations: migrations.leak() };
    let schema: &'static Schema = Box::leak(Box::new(schema));
    let remote = Remote::of(Box::new(Embedded::new(&scene.path("rows.db"), World::system())));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(migrate(&*remote.primary, schema)).unwrap();
    let rule = "CREATE TRIGGER no_spam BEFORE INSERT ON notes WHEN NEW.title = 'spam'
                BEGIN SELECT RAISE(ABORT, 'no spam, please'); END";
    runtime.block_on(remote.primary.run(Statement::once(rule), &[])).unwrap();
    let mut database =
        Database::open_for(&scene.path("app.db"), schema, "t", World::system()).unwrap();
    let note =
        |id: &str, title: &str| Note { id: id.into(), team: "t".into(), title: title.into() };
    let written = database.transaction(|tx| {
        tx.save(&note("a", "spam"))?;
        tx.save(&note("b", "ham"))
    });
    written.unwrap_or_else(|error: DatabaseError| panic!("{error}"));
    assert_eq!(runtime.block_on(database.push_all(&remote)).unwrap().refused.len(), 1);
    database
}

#[test]
fn what_was_refused_of_an_application_is_told_tried_again_or_dropped() {
    let scene = Scene::new();
    let database = refused(&scene);
    assert_snapshot!(scene.run("here", "", "conflicts --database app.db"), @r#"
    exit 1
    --- stdout
    2 row a of notes was refused: no spam, please (one more row was written with it, and waits too)
    --- stderr
    hint: write or delete the row in its application, or `--retry ID` what was mended on the primary, or `--drop ID` it
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --database app.db --json"), @r#"
    exit 1
    --- stdout
    {"conflicts":[],"refused":[{"id":2,"table":"notes","key":"a","column":null,"why":"no spam, please","at":"[TIME]","named":true,"rows":[{"scope":"t","table":"notes","key":"a","deleted":false},{"scope":"t","table":"notes","key":"b","deleted":false}]}]}
    "#);
    let id = database.refused().unwrap()[0].id;
    assert_snapshot!(scene.run("here", "", &format!("conflicts --database app.db --retry {id}")), @r#"
    exit 0
    --- stdout
    The next push tries it again
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --database app.db"), @r#"
    exit 0
    --- stdout
    Nothing is in conflict
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --database app.db --drop 99"), @r#"
    exit 2
    --- stderr
    error: there is no refused transaction "99"
    hint: `fastest conflicts --database FILE` shows those there are
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --database rows.db"), @r#"
    exit 2
    --- stderr
    error: [TMP]/rows.db cannot be read as the rows of an application: no application has made it with Fastest
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --database none.db"), @r#"
    exit 2
    --- stderr
    error: [TMP]/none.db cannot be read as the rows of an application: unable to open database file: [TMP]/none.db
    "#);
    assert_snapshot!(scene.run("here", "", "conflicts --retry 1"), @r#"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --database <FILE>

    Usage: fastest conflicts --database <FILE> --retry <ID>

    For more information, try '--help'.
    "#);
    assert_eq!(database.all::<Note>().unwrap().len(), 2);
}

#[test]
fn what_was_refused_is_taken_back() {
    let scene = Scene::new();
    let database = refused(&scene);
    let id = database.refused().unwrap()[0].id;
    assert_snapshot!(scene.run("here", "", &format!("conflicts --database app.db --drop {id}")), @r#"
    exit 0
    --- stdout
    Took back row a of notes
    Took back row b of notes
    "#);
    assert!(database.all::<Note>().unwrap().is_empty() && database.waiting().unwrap().is_empty());
}
