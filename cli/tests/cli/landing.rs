//! `push --to`: the road into main, from any workspace, and for several at once.

use std::fs;
use std::thread;

use insta::assert_snapshot;

use crate::scene::Scene;

/// A project in `main` on device `here`, with the workspace `agent` beside it.
fn project() -> Scene {
    let scene = Scene::new();
    scene.write("main/text", "1\n2\n3\n4\n5\n");
    scene.write("home/x", "");
    let primary = format!("file://{}", scene.path("primary.db").display());
    for store in ["here", "there"] {
        scene.run(store, "home", &format!("remote set {primary}"));
    }
    scene.run("here", "main", "init --name app");
    scene.run("here", "main", "push -q");
    scene.run("here", "main", "workspace new agent ../agent");
    scene
}

#[test]
fn work_lands_in_main_from_another_folder() {
    let scene = project();
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "push --to main -m first"), @r"
    exit 0
    --- stdout
    Saved snap-[ID]: 1 file modified; 1 file, 12 B in all
    Pushed app/agent to file://[TMP]/primary.db (version 2, [SIZE] sent)
    Landed in main
    ");
    // Main's own folder learns of it, and keeps what is unsaved there.
    scene.write("main/text", "1\n2\n3\n4\nfive\n");
    assert_snapshot!(scene.run("here", "main", "status"), @r"
    exit 0
    --- stdout
    M text
    app/main: 1 file modified since snap-[ID]
    --- stderr
    warning: workspace main has moved on: `fastest pull main` brings it here
    ");
    assert_snapshot!(scene.run("here", "main", "pull main"), @r"
    exit 0
    --- stdout
    M text
    Pulled from main: 1 file modified; now at snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_eq!(scene.read("main/text"), "one\n2\n3\n4\nfive\n");
    // A device without a folder of main lands as well.
    scene.run("there", "home", "clone app ../other --workspace other");
    scene.write("other/new", "new\n");
    let landed = scene.run("there", "other", "push --to main");
    assert!(landed.ends_with("\nLanded in main"), "{landed}");
    scene.run("here", "main", "push");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/new"), "new\n");
    // From main itself, it is a push like any other.
    let pushed = scene.run("here", "main", "push --to main --json");
    assert!(pushed.starts_with("exit 0") && pushed.contains(r#""landed":null"#), "{pushed}");
}

#[test]
fn what_is_in_conflict_lands_only_if_that_is_said() {
    let scene = project();
    scene.write("main/text", "main\n2\n3\n4\n5\n");
    scene.run("here", "main", "push -q");
    scene.write("agent/text", "agent\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "push --to main"), @r"
    exit 1
    --- stdout
    C text (changed in agent and in main)
    Saved snap-[ID]: 1 file modified; 1 file, 117 B in all
    Pushed app/agent to file://[TMP]/primary.db (version 2, [SIZE] sent, merged with others' work)
    --- stderr
    warning: 1 file is in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    warning: it did not land in main: settle the conflicts first
    hint: then run `fastest push --to main` again; `--with-conflicts` lands them as they are
    ");
    assert_eq!(scene.text("here", "main", "cat main@ text"), "main\n2\n3\n4\n5\n");
    scene.run("here", "agent", "resolve text --ours");
    assert_snapshot!(scene.run("here", "agent", "push --to main"), @r"
    exit 0
    --- stdout
    Nothing to save since snap-[ID]
    app/agent is in sync with file://[TMP]/primary.db (version 3)
    Landed in main
    ");
    assert_eq!(scene.text("here", "main", "cat main@ text"), "agent\n2\n3\n4\n5\n");
    // If the conflict lands, anybody who pulls main can settle it.
    scene.run("here", "main", "pull main -q");
    scene.write("main/text", "main\n2\n3\n4\n5\n");
    scene.run("here", "main", "push -q");
    scene.write("agent/text", "other\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "push --to main --with-conflicts"), @r"
    exit 1
    --- stdout
    C text (changed in agent and in main)
    Saved snap-[ID]: 1 file modified; 1 file, 121 B in all
    Pushed app/agent to file://[TMP]/primary.db (version 4, [SIZE] sent, merged with others' work)
    Landed in main
    --- stderr
    warning: 1 file is in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    let pulled = scene.run("here", "main", "pull main");
    assert!(pulled.starts_with("exit 1"), "{pulled}");
    scene.run("here", "main", "resolve . --ours");
    assert_eq!(scene.read("main/text"), "main\n2\n3\n4\n5\n");
}

/// The row of main waits here with a head that main never had, and must not hide what others do there.
#[test]
fn a_landing_that_was_given_up_hides_nothing_of_main() {
    let scene = project();
    scene.run("there", "home", "clone app ../other --workspace other");
    scene.write("main/text", "main\n2\n3\n4\n5\n");
    scene.run("here", "main", "push -q");
    scene.write("other/text", "other\n2\n3\n4\n5\n");
    assert!(scene.run("there", "other", "push --to main -q").starts_with("exit 1"));
    scene.write("main/later", "later\n");
    scene.run("here", "main", "push -q");
    let pulled = scene.run("there", "other", "pull main");
    assert!(pulled.contains("\nA later\n"), "{pulled}");
    scene.run("there", "other", "resolve text --ours");
    let landed = scene.run("there", "other", "push --to main");
    assert!(landed.ends_with("\nLanded in main"), "{landed}");
}

#[test]
fn what_cannot_land_is_told() {
    let scene = project();
    assert_snapshot!(scene.run("here", "agent", "push --to mian"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "mian"; did you mean "main"?
    hint: `fastest workspace list` shows the workspaces there are
    "#);
    assert_snapshot!(scene.run("here", "agent", "push --with-conflicts"), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      --to <WORKSPACE>

    Usage: fastest push --to <WORKSPACE> --with-conflicts

    For more information, try '--help'.
    ");
    // Without the primary, the work is saved, and lands when it is asked for again.
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    fs::rename(scene.path("primary.db"), scene.path("away.db")).unwrap();
    fs::create_dir(scene.path("primary.db")).unwrap();
    let told = scene.run("here", "agent", "push --to main");
    assert!(!told.contains("Landed"), "{told}");
    fs::remove_dir(scene.path("primary.db")).unwrap();
    fs::rename(scene.path("away.db"), scene.path("primary.db")).unwrap();
    let told = scene.run("here", "agent", "push --to main");
    assert!(told.ends_with("\nLanded in main"), "{told}");
    assert_eq!(scene.text("here", "main", "cat main@ text"), "one\n2\n3\n4\n5\n");
}

/// Workspaces on two devices land at the same time, each several times, and each of their edits is in main.
#[test]
fn all_that_land_at_once_get_in() {
    let scene = project();
    let stores = ["here", "there"];
    let names: Vec<String> = (0..6).map(|number| format!("w{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let clone = format!("clone app ../{name} --workspace {name}");
        let cloned = scene.run(stores[number % 2], "home", &clone);
        assert!(cloned.starts_with("exit 0"), "{cloned}");
    }
    thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let scene = &scene;
            scope.spawn(move || {
                for round in 0..3 {
                    scene.write(format!("{name}/{name}.{round}"), "");
                    scene.write(format!("{name}/last.{name}"), &format!("{round}\n"));
                    let pushed = (0..10).find_map(|_| {
                        let told = scene.run(stores[number % 2], name, "push --to main -q");
                        // After too many lost races, push gives up, and can be run again.
                        told.starts_with("exit 0").then_some(told)
                    });
                    assert!(pushed.is_some(), "{name} does not land");
                }
            });
        }
    });
    scene.run("there", "home", "clone app ../all --workspace all");
    for name in &names {
        assert_eq!(scene.read(&format!("all/last.{name}")), "2\n");
        assert!((0..3).all(|round| scene.path(format!("all/{name}.{round}")).exists()), "{name}");
    }
}
