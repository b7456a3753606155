//! Mistakes of users, and failures around them: the message, the hint, the exit status.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::scene::Scene;

fn demo() -> Scene {
    let scene = Scene::new();
    scene.write("demo/a.txt", "one\n");
    scene
}

/// Like [`demo`], pushed once.
fn saved() -> Scene {
    let scene = demo();
    let pushed = scene.run("store", "demo", "push");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    scene
}

#[test]
fn no_project() {
    let scene = demo();
    let told = scene.run("store", "demo", "status");
    assert_snapshot!(told, @r"
    exit 2
    --- stderr
    error: [TMP]/demo is not in a Fastest project
    hint: run `fastest init` to make the folder a project, `fastest push` to save it too, or `fastest clone PROJECT --here` to join it to one
    ");
    for command in ["snapshot", "pull", "drift", "diff", "log", "restore", "workspace list"] {
        assert_eq!(scene.run("store", "demo", command), told, "{command}");
    }
    assert_snapshot!(scene.run("store", "demo", "status --json"), @r#"
    exit 2
    --- stdout
    {"error":{"code":"no_project","message":"[TMP]/demo is not in a Fastest project","hint":"run `fastest init` to make the folder a project, `fastest push` to save it too, or `fastest clone PROJECT --here` to join it to one"}}
    "#);
}

#[test]
fn a_project_already() {
    let scene = saved();
    assert_snapshot!(scene.run("store", "", "init demo"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo is a Fastest project already
    hint: `fastest status` shows it
    ");
}

#[test]
fn names() {
    let scene = saved();
    fs::create_dir(scene.path("other")).unwrap();
    assert_snapshot!(scene.run("store", "", "init other --name demo"), @r#"
    exit 2
    --- stderr
    error: there is a project named "demo" already, with id [ID]
    hint: choose another name with `--name NAME`, or join the folder to that project with `fastest clone PROJECT --here`
    "#);
    assert_snapshot!(scene.run("store", "demo", "workspace new main"), @r#"
    exit 2
    --- stderr
    error: there is a workspace named "main" already
    hint: `fastest workspace list` shows the names in use
    "#);
    assert_snapshot!(scene.run("store", "", "clone demo copy --workspace main"), @r#"
    exit 2
    --- stderr
    error: there is a workspace named "main" already
    hint: choose another name with `--workspace NAME`
    "#);
    // The engine words the reason, so only the code is checked.
    for name in ["", "a/b", "..", "a\nb", "-x"] {
        let name = format!("--name={name}");
        let told = scene.run_args("store", "", &["init", "other", &name, "--json"]);
        assert!(
            told.starts_with("exit 2\n--- stdout\n{\"error\":{\"code\":\"bad_name\""),
            "{told}"
        );
        assert!(told.contains("choose another name with `--name NAME`"), "{told}");
    }
    assert!(!scene.path("other/.fastest").exists());
}

#[test]
fn unknown_names() {
    let scene = saved();
    assert_snapshot!(scene.run("store", "demo", "pull mian"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "mian"; did you mean "main"?
    hint: `fastest workspace list` shows the workspaces there are
    "#);
    assert_snapshot!(scene.run("store", "demo", "drift elsewhere"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "elsewhere"
    hint: `fastest workspace list` shows the workspaces there are
    "#);
    assert_snapshot!(scene.run("store", "demo", "workspace set-main mian"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "mian"; did you mean "main"?
    hint: `fastest workspace list` shows the workspaces there are
    "#);
    assert_snapshot!(scene.run("store", "", "clone demi copy"), @r#"
    exit 2
    --- stderr
    error: there is no project "demi"; did you mean "demo"?
    hint: `fastest remote show` tells which primary was asked
    "#);
    assert_snapshot!(scene.run("store", "demo", "cat snap-zzz a.txt"), @r#"
    exit 2
    --- stderr
    error: there is no snapshot "snap-zzz"
    hint: `fastest log` shows the snapshots there are
    "#);
    let mut id = scene.field("store", "demo", "push", "snapshot_id");
    // No id contains `U`.
    id.replace_range(id.len() - 1.., "U");
    let told = scene.run("store", "demo", &format!("restore --to {id}"));
    assert!(told.starts_with("exit 2\n--- stderr\nerror: there is no snapshot \"snap-"), "{told}");
    assert!(told.contains("; did you mean \"snap-"), "{told}");
}

#[test]
fn paths() {
    let scene = saved();
    scene.write("demo/src/b.txt", "two\n");
    let id = scene.field("store", "demo", "push", "snapshot_id");
    assert_snapshot!(scene.run("store", "demo", &format!("cat {id} gone.txt")), @r#"
    exit 2
    --- stderr
    error: snapshot snap-[ID] has no "gone.txt"
    hint: name a file, by its path from the project's root
    "#);
    assert_snapshot!(scene.run("store", "demo", &format!("cat {id} src")), @r#"
    exit 2
    --- stderr
    error: "src" is a directory in snapshot snap-[ID]
    hint: name a file, by its path from the project's root
    "#);
    assert_snapshot!(scene.run("store", "demo", &format!("restore gone.txt --to {id}")), @r#"
    exit 2
    --- stderr
    error: snapshot snap-[ID] has no "gone.txt"
    hint: `fastest log` shows other snapshots
    "#);
    let told = scene.run("store", "demo", "restore ../elsewhere --json");
    assert!(
        told.starts_with("exit 2\n--- stdout\n{\"error\":{\"code\":\"outside_path\""),
        "{told}"
    );
}

#[test]
fn folders() {
    let scene = saved();
    assert_snapshot!(scene.run("store", "", "init demo/a.txt"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo/a.txt is not a folder
    ");
    assert_snapshot!(scene.run("store", "", "clone demo demo/a.txt"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo/a.txt is not a folder
    ");
    scene.write("full/file", "");
    assert_snapshot!(scene.run("store", "", "clone demo full"), @r"
    exit 2
    --- stderr
    error: [TMP]/full is not empty
    hint: choose a folder that is empty or not there yet, or join this one with `--here`
    ");
    assert_eq!(scene.read("full/file"), "");
}

#[test]
fn a_home_folder_is_no_project_by_the_way() {
    let scene = demo();
    fs::create_dir(scene.path("home")).unwrap();
    assert_snapshot!(scene.run("store", "home", "push"), @r"
    exit 2
    --- stderr
    error: [TMP]/home is too much to be made a project without being asked
    hint: run `fastest init` there first if you mean it
    ");
}

#[test]
fn a_store_of_a_newer_version() {
    let scene = saved();
    fs::write(scene.path("store/format"), "999\n").unwrap();
    let told = scene.run("store", "demo", "status");
    assert_snapshot!(told, @r"
    exit 2
    --- stderr
    error: [TMP]/store/format was made by a newer version of Fastest (format 999)
    hint: upgrade fastest on this device
    ");
    assert_eq!(scene.run("store", "demo", "doctor"), told);
}

#[test]
fn a_working_copy_of_another_store() {
    let scene = saved();
    let told = scene.run("other", "demo", "status");
    assert!(told.starts_with("exit 2\n--- stderr\nerror: "), "{told}");
    assert!(told.contains("/demo belongs to workspace "), "{told}");
    assert!(told.contains("\nhint: name the store that it was made with by `--store`"), "{told}");
}

#[test]
fn addresses() {
    let scene = demo();
    for address in ["primary.db", "https://example.com/x", "file:///"] {
        let told = scene.run("store", "", &format!("remote set {address}"));
        assert!(
            told.starts_with(&format!("exit 2\n--- stderr\nerror: \"{address}\" is no")),
            "{told}"
        );
        let hint = "\nhint: for example: `fastest remote set file:///path/primary.db`";
        assert!(told.ends_with(hint), "{told}");
    }
}

#[test]
fn a_primary_out_of_reach() {
    let scene = demo();
    fs::create_dir(scene.path("disk")).unwrap();
    let path = scene.path("disk").canonicalize().unwrap().join("primary.db");
    scene.run("store", "", &format!("remote set file://{}", path.display()));
    scene.run("store", "demo", "push");
    // The disk is unplugged.
    fs::rename(scene.path("disk"), scene.path("unplugged")).unwrap();
    scene.write("demo/a.txt", "two\n");
    let pushed = scene.run("store", "demo", "push");
    assert!(pushed.starts_with("exit 3\n--- stdout\nSaved snap-"), "{pushed}");
    assert!(pushed.contains("\nwarning: saved on this device only: "), "{pushed}");
    assert!(!pushed.contains("Pushed"), "{pushed}");
    let pushed = scene.run("store", "demo", "push --json");
    assert!(pushed.starts_with("exit 3\n--- stdout\n{"), "{pushed}");
    assert!(pushed.contains(r#""pushed":false"#), "{pushed}");
    let pulled = scene.run("store", "demo", "pull");
    assert!(pulled.starts_with("exit 0"), "{pulled}");
    assert!(pulled.contains("warning: the primary is out of reach"), "{pulled}");
    let checked = scene.run("store", "", "remote check");
    assert!(checked.starts_with("exit 2\n--- stdout\n"), "{checked}");
    assert!(checked.contains("\nproblem name: the folder "), "{checked}");
    assert!(checked.contains("\n        make sure that the folder or the host"), "{checked}");
    // The disk is back, and the queued snapshots arrive.
    fs::rename(scene.path("unplugged"), scene.path("disk")).unwrap();
    let pushed = scene.run("store", "demo", "push");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    let status = scene.run("store", "demo", "status");
    assert!(!status.contains("not pushed"), "{status}");
}

#[test]
fn a_store_in_a_folder_of_something_else() {
    let scene = demo();
    assert_snapshot!(scene.run("demo", "demo", "push"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo holds other files: a store needs a folder of its own
    hint: choose a store folder that is empty or not there yet
    ");
    let left: Vec<_> = fs::read_dir(scene.path("demo")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_damaged_index_is_named_and_mended() {
    let scene = saved();
    let index = fs::read_dir(scene.path("store/objects/index")).unwrap().next();
    let index = index.unwrap().unwrap().path();
    let sound = fs::read(&index).unwrap();
    for damage in [3, 150, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[damage] ^= 0xff;
        fs::write(&index, bytes).unwrap();
        let told = scene.run("store", "demo", "doctor --mend");
        assert!(told.starts_with("exit 0"), "{damage}: {told}");
        let told = scene.run("store", "demo", "restore");
        assert!(told.starts_with("exit 0"), "{damage}: {told}");
    }
}

#[test]
fn a_stray_file_among_the_packs() {
    let scene = saved();
    scene.write("store/objects/packs/.DS_Store", "");
    assert_snapshot!(scene.run("store", "demo", "doctor"), @r"
    exit 2
    --- stdout
    [TMP]/store/objects/packs/.DS_Store: it lies among the packs and is none
        move the file out of the store
    Checked 1 pack, 2 objects, 1 snapshot: 1 problem
    --- stderr
    hint: `fastest doctor --mend` mends what can be mended
    ");
}

#[test]
fn many_processes_at_once() {
    let scene = demo();
    let all = |dir: &str, words: &[&str]| {
        let each = words.iter().map(|words| {
            let mut command = scene.command("store", dir);
            command.args(words.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        });
        let running: Vec<_> = each.collect();
        running.into_iter().all(|mut one| one.wait().unwrap().success())
    };
    assert!(all("demo", &["push"; 8]), "a push failed");
    let list = scene.text("store", "demo", "workspace list");
    assert_eq!(list.lines().count(), 1, "{list}");
    let clones = ["clone demo 1/w", "clone demo 2/w", "clone demo 3/w", "clone demo 4/w"];
    assert!(all("", &clones), "a clone failed");
    let list = scene.text("store", "demo", "workspace list");
    let names = list.lines().map(|line| line[2..].split(' ').next().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), ["main", "w", "w-2", "w-3", "w-4"].into(), "{list}");
    let doctor = scene.run("store", "", "doctor");
    assert!(doctor.starts_with("exit 0"), "{doctor}");
    let log = scene.text("store", "demo", "log");
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_merge_that_meets_an_obstacle_is_made_once() {
    let scene = saved();
    scene.run("store", "", "clone demo copy");
    scene.write("copy/.gitignore", "*.log\n");
    scene.write("copy/x.log", "mine\n");
    scene.run("store", "copy", "snapshot");
    scene.write("demo/x.log", "theirs\n");
    scene.run("store", "demo", "push");
    for _ in 0..2 {
        let told = scene.run("store", "copy", "pull");
        assert!(
            told.starts_with("exit 1") && told.contains("x.log was left as it was found"),
            "{told}"
        );
    }
    assert_eq!(scene.read("copy/x.log"), "mine\n");
    assert_eq!(scene.text("store", "copy", "log").lines().count(), 4);
}
