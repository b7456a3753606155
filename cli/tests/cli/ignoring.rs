//! Ignoring a file does not delete it: tests with two devices, through the command line.

use std::fs;
use std::process::Command;

use crate::scene::Scene;
use crate::world::{Copy, sharing};

/// A project in `mine`, and a clone of it in `yours`.
fn two(files: &[(&str, &str)]) -> Scene {
    let scene = sharing(&["here", "there"]);
    files.iter().for_each(|(name, text)| scene.write(format!("mine/{name}"), text));
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    assert!(scene.run("there", "", "clone app yours").starts_with("exit 0"));
    scene
}

fn mine<'s>(scene: &'s Scene) -> Copy<'s> {
    Copy::new(scene, "here", "mine")
}

fn yours<'s>(scene: &'s Scene) -> Copy<'s> {
    Copy::new(scene, "there", "yours")
}

fn git(scene: &Scene, folder: &str, words: &[&str]) {
    let ran = Command::new("git").args(words).current_dir(scene.path(folder)).output().unwrap();
    assert!(ran.status.success(), "git {words:?}");
}

#[test]
fn what_one_device_begins_to_ignore_stays_on_the_others() {
    let scene = two(&[(".env.local", "KEY=1"), ("data/set.bin", "1"), ("x", "1")]);
    scene.write("mine/.gitignore", ".env.local\ndata/\n");
    let status = mine(&scene).run(&["status"]);
    assert_eq!(status["deleted"], serde_json::json!([]), "{status}");
    assert_eq!(status["untracked"], serde_json::json!([".env.local", "data/set.bin"]));
    mine(&scene).run(&["push"]);
    let pull = yours(&scene).run(&["pull"]);
    assert_eq!(pull["untracked"], serde_json::json!([".env.local", "data/set.bin"]), "{pull}");
    assert_eq!(scene.read("yours/.env.local"), "KEY=1");
    assert_eq!(scene.read("yours/data/set.bin"), "1");
    scene.write("yours/.env.local", "KEY=2");
    assert_eq!(yours(&scene).run(&["status"])["dirty"], false);
}

#[test]
fn an_untracked_file_stays_on_every_device() {
    let scene = two(&[("a b[1]", "1"), ("sub/data/set", "1"), ("x", "1")]);
    let report = mine(&scene).run(&["untrack", "a b[1]", "sub/data"]);
    assert_eq!(report["untracked"], serde_json::json!(["a b[1]", "sub/data"]), "{report}");
    mine(&scene).run(&["push"]);
    yours(&scene).run(&["pull"]);
    for copy in ["mine", "yours"] {
        assert_eq!(scene.read(&format!("{copy}/a b[1]")), "1");
        assert_eq!(scene.read(&format!("{copy}/sub/data/set")), "1");
        scene.write(format!("{copy}/sub/data/new"), "private");
    }
    for copy in [mine(&scene), yours(&scene)] {
        assert_eq!(copy.run(&["status"])["dirty"], false);
    }
}

#[test]
fn both_devices_may_untrack_at_once() {
    let scene = two(&[("a.key", "1"), ("b.key", "1"), ("x", "1")]);
    yours(&scene).run(&["untrack", "b.key"]);
    yours(&scene).run(&["push"]);
    mine(&scene).run(&["untrack", "a.key"]);
    mine(&scene).run(&["push"]);
    let pull = yours(&scene).run(&["pull"]);
    assert_eq!(pull["conflicts"], serde_json::json!([]), "{pull}");
    yours(&scene).run(&["push"]);
    mine(&scene).run(&["pull", "yours"]);
    for copy in ["mine", "yours"] {
        assert_eq!(scene.read(&format!("{copy}/.fastestignore")).lines().count(), 2);
        for key in ["a.key", "b.key"] {
            assert_eq!(scene.read(&format!("{copy}/{key}")), "1");
            scene.write(format!("{copy}/{key}"), "private");
        }
    }
    for copy in [mine(&scene), yours(&scene)] {
        assert_eq!(copy.run(&["status"])["dirty"], false);
    }
}

#[test]
fn what_cannot_be_untracked_is_left_with_its_rules() {
    let scene = two(&[("tracked", "1"), ("hidden/data", "1"), ("line\nbreak", "1")]);
    git(&scene, "mine", &["init", "-q"]);
    git(&scene, "mine", &["add", "tracked"]);
    fs::write(scene.path("mine/.git/info/exclude"), "hidden/\n").unwrap();
    std::os::unix::fs::symlink(scene.path("yours"), scene.path("mine/link")).unwrap();
    for (path, why) in [
        ("tracked", "git tracks tracked"),
        ("hidden/data", "does not reach other devices"),
        ("line\nbreak", "cannot be untracked"),
        (".fastestignore", "cannot be untracked"),
        ("link/tracked", "is not this project's"),
        (".fastest/head", "is not this project's"),
        ("nowhere", "is neither in the folder nor in its last snapshot"),
        (".", "the whole project cannot be untracked"),
    ] {
        let told = scene.run_args("here", "mine", &["untrack", path]);
        assert!(told.starts_with("exit 2") && told.contains(why), "{path}: {told}");
    }
    for file in ["mine/.fastestignore", "mine/hidden/.fastestignore", "yours/.fastestignore"] {
        assert!(!scene.path(file).exists(), "{file}");
    }
}

#[test]
fn a_tools_own_ignore_file_deletes_nothing_elsewhere() {
    let scene = two(&[("cache/data", "1"), ("x", "1")]);
    scene.write("mine/cache/.gitignore", "*\n");
    scene.write("mine/cache/new", "stays out");
    mine(&scene).run(&["push"]);
    yours(&scene).run(&["pull"]);
    assert_eq!(scene.read("yours/cache/data"), "1");
    assert!(!scene.path("yours/cache/new").exists());
}

#[test]
fn an_ignore_file_that_cannot_be_used_stops_what_saves() {
    let scene = two(&[("x", "1")]);
    scene.write("mine/.gitignore", &"?*x\n".repeat(10_001));
    scene.write("mine/secret", "1");
    for words in [&["snapshot"][..], &["push"], &["untrack", "x"]] {
        let told = scene.run_args("here", "mine", words);
        assert!(told.starts_with("exit 2") && told.contains("10000 lines"), "{words:?}: {told}");
    }
    scene.write("yours/x", "2");
    yours(&scene).run(&["push"]);
    for words in [&["status"][..], &["log"], &["pull", "yours"], &["restore", "x"]] {
        let told = scene.run_args("here", "mine", words);
        assert!(told.starts_with("exit 0"), "{words:?}: {told}");
    }
    let status = mine(&scene).run(&["status"]);
    assert_eq!(status["added"], serde_json::json!([]), "{status}");
}

#[test]
fn what_stands_in_a_pulls_way_is_left_and_tried_again() {
    let scene = two(&[(".gitignore", "config.json\n"), ("x", "1"), ("f", "1"), ("gone", "1")]);
    scene.write("yours/config.json", "mine");
    scene.write("mine/.gitignore", "");
    scene.write("mine/config.json", "theirs");
    scene.write("mine/x", "2");
    fs::remove_file(scene.path("mine/gone")).unwrap();
    mine(&scene).run(&["push"]);
    let told = scene.run("there", "yours", "pull");
    assert!(told.starts_with("exit 1") && told.contains("move or rename it"), "{told}");
    assert_eq!(scene.read("yours/x"), "2");
    let status = yours(&scene).run(&["status"]);
    assert_eq!(status["dirty"], false, "{status}");
    // The files that did arrive are not edits of this device: they neither conflict nor undo later
    // changes.
    scene.write("mine/x", "3");
    scene.write("mine/gone", "again");
    mine(&scene).run(&["push"]);
    assert!(scene.run("there", "yours", "pull").starts_with("exit 1"));
    assert_eq!((scene.read("yours/x"), scene.read("yours/gone")), ("3".into(), "again".into()));
    assert_eq!(scene.read("yours/config.json"), "mine");
    fs::rename(scene.path("yours/config.json"), scene.path("aside")).unwrap();
    let pull = yours(&scene).run(&["pull"]);
    assert_eq!(
        (&pull["conflicts"], &pull["left"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
    assert_eq!(scene.read("yours/config.json"), "theirs");
    assert_eq!(scene.read("yours/.gitignore"), "");
}

#[test]
fn what_was_left_is_protected_through_restores_and_a_lost_state_folder() {
    let scene = two(&[(".gitignore", "secret\n"), ("d/x", "1")]);
    scene.write("yours/secret", "private");
    scene.write("mine/.gitignore", "");
    scene.write("mine/secret", "theirs");
    mine(&scene).run(&["push"]);
    assert!(scene.run("there", "yours", "pull").starts_with("exit 1"));
    let published = || {
        scene.write("yours/d/y", "more");
        yours(&scene).run(&["push"]);
        let shown = scene.run("there", "yours", "cat HEAD secret");
        fs::remove_file(scene.path("yours/d/y")).unwrap();
        yours(&scene).run(&["push"]);
        (scene.read("yours/secret"), shown.contains("private"))
    };
    assert_eq!(published(), ("private".into(), false));
    yours(&scene).run(&["restore", "d"]);
    assert_eq!(published(), ("private".into(), false));
    scene.run("there", "yours", "restore");
    assert_eq!(published(), ("private".into(), false));
    fs::remove_dir_all(scene.path("yours/.fastest")).unwrap();
    assert_eq!(published(), ("private".into(), false));
    let log = mine(&scene).run(&["pull", "yours"]);
    assert_eq!(scene.read("mine/secret"), "theirs", "{log}");
}

#[test]
fn a_file_that_another_project_of_the_device_has_is_still_ones_own() {
    let scene = two(&[(".gitignore", ".env\n"), ("x", "1")]);
    scene.write("other/.env", "KEY=1");
    let other = Copy::new(&scene, "there", "other");
    other.run(&["init", "--name", "other"]);
    other.run(&["snapshot"]);
    scene.write("yours/.env", "KEY=1");
    scene.write("mine/.gitignore", "");
    scene.write("mine/.env", "KEY=theirs");
    mine(&scene).run(&["push"]);
    let pull = yours(&scene).run(&["pull"]);
    assert_eq!(pull["left"], serde_json::json!([".env"]), "{pull}");
    assert_eq!(scene.read("yours/.env"), "KEY=1");
}

#[test]
fn rules_of_another_devices_private_ignore_file_delete_nothing() {
    let scene = two(&[("a.key", "1"), ("x", "1")]);
    git(&scene, "yours", &["init", "-q"]);
    scene.write("yours/.git/info/exclude", ".gitignore\n");
    scene.write("yours/.gitignore", "*.key\n");
    scene.write("mine/.gitignore", "*.log\n");
    scene.write("mine/b.key", "1");
    mine(&scene).run(&["push"]);
    yours(&scene).run(&["pull"]);
    scene.write("yours/y", "1");
    scene.write("yours/c.log", "private");
    yours(&scene).run(&["push"]);
    mine(&scene).run(&["pull", "yours"]);
    for name in ["a.key", "b.key", "y"] {
        assert_eq!(scene.read(&format!("mine/{name}")), "1", "{name}");
    }
    assert!(!scene.path("mine/c.log").exists());
}

#[test]
fn special_files_and_read_only_folders_stop_no_pull() {
    let scene = two(&[("pipe/a", "1"), ("f", "1"), ("x", "1")]);
    fs::remove_dir_all(scene.path("yours/pipe")).unwrap();
    let made = Command::new("mkfifo").arg(scene.path("yours/pipe")).status().unwrap();
    assert!(made.success());
    scene.write("mine/pipe/a", "2");
    scene.write("mine/x", "2");
    mine(&scene).run(&["push"]);
    let pull = scene.run("there", "yours", "pull");
    assert!(pull.starts_with("exit 1"), "{pull}");
    assert_eq!(scene.read("yours/x"), "2");
    // A FIFO in place of an ignore file hides its rules, so the push is refused.
    let made = Command::new("mkfifo").arg(scene.path("yours/.gitignore")).status().unwrap();
    assert!(made.success());
    let told = scene.run("there", "yours", "push");
    assert!(told.starts_with("exit 2") && told.contains("FIFO"), "{told}");
}

#[test]
fn a_damaged_list_of_what_was_left_is_named_with_what_to_do() {
    let scene = two(&[("x", "1")]);
    scene.write("yours/.fastest/left", "damaged");
    for command in ["status", "pull", "push", "restore"] {
        let told = scene.run("there", "yours", command);
        assert!(told.starts_with("exit 2") && told.contains("delete it"), "{command}: {told}");
    }
    let told = scene.run("there", "yours", "doctor");
    assert!(told.starts_with("exit 2") && told.contains(".fastest/left"), "{told}");
    fs::remove_file(scene.path("yours/.fastest/left")).unwrap();
    yours(&scene).run(&["pull"]);
}

#[test]
fn a_folder_that_joins_publishes_nothing_that_its_machine_ignores() {
    let scene = two(&[("secret", "theirs"), ("x", "1")]);
    scene.write("joined/secret", "private");
    scene.write("joined/x", "edited");
    git(&scene, "joined", &["init", "-q"]);
    scene.write("joined/.git/info/exclude", "secret\n");
    let joined = Copy::new(&scene, "there", "joined");
    let report = joined.run(&["clone", "app", "--here"]);
    assert_eq!(report["modified"], serde_json::json!(["x"]), "{report}");
    assert!(report["warnings"].to_string().contains("secret was left as it was found"), "{report}");
    joined.run(&["push"]);
    mine(&scene).run(&["pull", "joined"]);
    assert_eq!(scene.read("mine/secret"), "theirs");
    assert_eq!(
        (scene.read("mine/x"), scene.read("joined/secret")),
        ("edited".into(), "private".into())
    );
}
