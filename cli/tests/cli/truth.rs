//! Reports are accurate: about what was not done, why, and what others wrote.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use serde_json::Value;

use crate::scene::{Scene, told};

/// A project `demo` with three files, pushed in two versions; and the first snapshot's id.
fn saved_twice() -> (Scene, String) {
    let scene = Scene::new();
    for text in ["one", "two"] {
        for name in ["a", "b", "c"] {
            scene.write(format!("demo/{name}"), text);
        }
        assert!(scene.run("store", "demo", "push").starts_with("exit 0"));
    }
    let log: Value = serde_json::from_str(&scene.text("store", "demo", "log --json")).unwrap();
    let first = log["snapshots"][1]["id"].as_str().unwrap().to_owned();
    (scene, first)
}

#[test]
fn a_restore_says_what_it_left_and_why() {
    let (scene, first) = saved_twice();
    let set = |flag: &str| {
        let set = Command::new("chattr").arg(flag).arg(scene.path("demo/b")).output();
        set.is_ok_and(|set| set.status.success())
    };
    if !set("+i") {
        eprintln!("skipped a_restore_says_what_it_left_and_why: chattr +i is not allowed here");
        return;
    }
    let json = scene.command("store", "demo").args(["restore", "--to", &first, "--json"]).output();
    let text = scene.run("store", "demo", &format!("restore --to {first}"));
    assert!(set("-i"));
    let json = json.unwrap();
    assert_eq!(json.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["kept"], serde_json::json!(["b"]));
    assert_eq!(json["restored"], serde_json::json!(["a", "c"]));
    let warnings = json["warnings"].to_string();
    assert!(warnings.contains("b is left as it is: Operation not permitted"), "{warnings}");
    assert_snapshot!(text, @r"
    exit 1
    --- stdout
    Restored 0 files from snap-[ID]
    --- stderr
    warning: b is left as it is: Operation not permitted (os error 1)
    ");
    assert_eq!(scene.read("demo/a"), "one");
    assert_eq!(scene.read("demo/b"), "two");
}

/// Removes write permission from everything at and below a path, and makes `uid` its owner.
fn forbid_writing(path: &Path, uid: Option<u32>) {
    let data = fs::symlink_metadata(path).unwrap();
    if data.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| forbid_writing(&entry.unwrap().path(), uid));
    }
    std::os::unix::fs::lchown(path, uid, None).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(data.mode() & 0o555)).unwrap();
}

#[test]
fn a_store_that_cannot_be_written_is_read() {
    let (scene, first) = saved_twice();
    scene.write("demo/new", "1");
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    // Permissions do not bind root, so the commands run as another user.
    let user = is_root.then_some(54321);
    forbid_writing(&scene.path("store"), user);
    if let Some(user) = user {
        let owner = user.to_string();
        let chown = Command::new("chown").args(["-R", &owner]).arg(scene.path("demo")).status();
        assert!(chown.unwrap().success());
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(scene.path(""), open).unwrap();
    }
    // The binary that cargo built may be in a folder that only its owner may enter.
    let binary = scene.path("fastest");
    fs::copy(env!("CARGO_BIN_EXE_fastest"), &binary).unwrap();
    let run = |words: &str| {
        let mut command = Command::new(&binary);
        command.env_clear().env("FASTEST_KEYRING", "off").env("HOME", scene.path("home"));
        command.arg("--store").arg(scene.path("store")).current_dir(scene.path("demo"));
        user.map(|user| command.uid(user));
        told(&command.args(words.split(' ')).output().unwrap())
    };
    let answers = [
        ("status", "exit 0", "A new"),
        ("log", "exit 0", first.as_str()),
        ("drift", "exit 1", "+ new"),
        (&format!("cat {first} a"), "exit 0", "one"),
        ("workspace list", "exit 0", "main"),
        ("conflicts", "exit 0", "Nothing"),
        ("project list", "exit 0", "demo"),
        ("remote show", "exit 0", "inside the store"),
    ];
    for (words, status, expect) in answers {
        let told = run(words);
        assert!(told.starts_with(status) && told.contains(expect), "{words}: {told}");
    }
    assert!(run("status").contains("the store cannot be written"));
    for words in ["workspace rename main other", "snapshot"] {
        let told = run(words);
        assert!(told.starts_with("exit 2"), "{words}: {told}");
    }
    let open = Command::new("chmod").args(["-R", "u+w"]).arg(scene.path("store")).status();
    assert!(open.unwrap().success());
}

#[test]
fn no_text_turns_the_direction_of_what_is_shown() {
    let scene = Scene::new();
    let hostile = "a\u{202e}b\u{2066}c\u{200f}d\u{61c}e\u{2028}f\u{85}g";
    let escaped = r"a\u{202e}b\u{2066}c\u{200f}d\u{61c}e\u{2028}f\u{85}g".to_owned();
    scene.write(format!("demo/{hostile}"), "1");
    let clean = |words: &[&str]| {
        let told = scene.run_args("store", "demo", words);
        let is_hostile = |letter: char| hostile.contains(letter) && !letter.is_ascii();
        assert!(!told.contains(is_hostile), "{words:?}: {told}");
        told
    };
    clean(&["init", "--name", "demo"]);
    assert!(clean(&["status"]).contains(&format!("A {escaped}")));
    clean(&["push", "-m", hostile]);
    assert!(clean(&["log"]).ends_with(&escaped));
    let named = hostile.replace('\u{85}', "");
    clean(&["workspace", "new", &named, "../beside"]);
    assert!(clean(&["workspace", "list"]).contains(r"a\u{202e}b"));
    assert!(clean(&["drift", &format!("{named}?")]).contains(r"a\u{202e}b"));
    assert!(clean(&["cat", &format!("{hostile}x"), hostile]).contains(r"a\u{202e}b"));
    assert!(clean(&["remote", "check", hostile]).contains("unexpected argument"));
    clean(&["remote", "set", &format!("file:///nowhere/{hostile}")]);
    scene.write(format!("demo/{hostile}"), "2");
    clean(&["restore", "."]);
    // JSON has the text unchanged.
    let log: Value = serde_json::from_str(&scene.text("store", "demo", "log --json")).unwrap();
    let messages = log["snapshots"].as_array().unwrap().iter().map(|entry| &entry["message"]);
    assert!({ messages }.any(|message| message == hostile), "{log}");
}
