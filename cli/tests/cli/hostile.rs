//! Folders that somebody else has made: unpacked from an archive, or shared with other users.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use insta::assert_snapshot;

use crate::scene::{Scene, told};

const COMMANDS: [&str; 13] = [
    "status",
    "drift",
    "diff",
    "log",
    "workspace list",
    "conflicts",
    "snapshot",
    "push",
    "pull",
    "restore .",
    "workspace new x",
    "untrack a",
    "clone demo --here",
];

/// A saved project `demo`, and a file beside it that is not part of it.
fn saved() -> Scene {
    let scene = Scene::new();
    scene.write("demo/a", "one\n");
    scene.write("precious", "precious");
    let pushed = scene.run("store", "demo", "push");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    scene
}

#[test]
fn no_command_follows_a_link_out_of_the_state_folder() {
    let scene = saved();
    for name in ["lock", "head", "index", "checkout", "left", "git-tracked", "tmp", ".gitignore"] {
        let path = scene.path("demo/.fastest").join(name);
        for command in COMMANDS {
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
            symlink("../../precious", &path).unwrap();
            let told = scene.run("store", "demo", command);
            assert_eq!(scene.read("precious"), "precious", "{name}, {command}: {told}");
        }
        for command in ["status", "push"] {
            let _ = fs::remove_dir_all(&path);
            let _ = fs::remove_file(&path);
            symlink("../../made", &path).unwrap();
            let told = scene.run("store", "demo", command);
            assert!(!scene.path("made").exists(), "{name}, {command}: {told}");
        }
        let _ = fs::remove_dir_all(&path);
        let _ = fs::remove_file(&path);
    }
}

#[test]
fn a_lock_that_is_a_link_is_named() {
    let scene = saved();
    fs::remove_file(scene.path("demo/.fastest/lock")).unwrap();
    symlink("../../precious", scene.path("demo/.fastest/lock")).unwrap();
    assert_snapshot!(scene.run("store", "demo", "push"), @r"
    exit 2
    --- stderr
    error: cannot open [TMP]/demo/.fastest/lock: it is a symbolic link where a file should be; delete it
    ");
}

#[test]
fn a_state_folder_that_is_a_link_is_named() {
    let scene = saved();
    fs::rename(scene.path("demo/.fastest"), scene.path("elsewhere")).unwrap();
    symlink("../elsewhere", scene.path("demo/.fastest")).unwrap();
    assert_snapshot!(scene.run("store", "demo", "status"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo/.fastest is damaged: it is a symbolic link, which is not followed
    hint: put the file back from a backup, or clone the project again
    ");
}

/// A working copy of another store, with a pending journal, is not changed.
#[test]
fn a_journal_of_a_folder_that_the_store_does_not_know_stays() {
    let scene = saved();
    scene.write("demo/.fastest/checkout", "a journal");
    for command in ["status", "push"] {
        let told = scene.run("other", "demo", command);
        assert!(told.starts_with("exit 2") && told.contains("does not know"), "{command}: {told}");
    }
    assert_eq!(scene.read("demo/.fastest/checkout"), "a journal");
}

/// Makes another user the owner of a path. Returns whether this worked: only root may do it.
fn give_away(scene: &Scene, path: &str) -> bool {
    let given = Command::new("chown").args(["-h", "54321"]).arg(scene.path(path)).output();
    given.is_ok_and(|given| given.status.success())
}

#[test]
fn what_belongs_to_another_user_is_not_believed() {
    let scene = saved();
    fs::create_dir_all(scene.path("demo/sub")).unwrap();
    if !give_away(&scene, "demo/.fastest/workspace.json") {
        eprintln!("skipped what_belongs_to_another_user_is_not_believed: only root may chown");
        return;
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"you are \d+", "you are [UID]");
    let _bound = settings.bind_to_scope();
    assert_snapshot!(scene.run("store", "demo/sub", "status"), @r"
    exit 2
    --- stderr
    error: [TMP]/demo/.fastest/workspace.json belongs to the user with id 54321, and you are [UID]: it is not used unless you list it as safe
    hint: if you trust its owner, write the project's folder into FASTEST_SAFE_FOLDERS, or as a line into the file `safe-folders` of the store; `fastest init` makes a project of your own where you are
    ");
    for command in COMMANDS {
        let told = scene.run("store", "demo", command);
        assert!(told.starts_with("exit 2") && told.contains("54321"), "{command}: {told}");
    }
    // The folder can be trusted by a variable, by sudo, and by the store's list.
    let run = |name: &str, value: &str| {
        let mut command = scene.command("store", "demo/sub");
        told(&command.env(name, value).arg("status").output().unwrap())
    };
    let demo = scene.path("demo").canonicalize().unwrap().display().to_string();
    let all = format!("{}/*", scene.path("").canonicalize().unwrap().display());
    for safe in ["*", &demo, &all, &format!("/nowhere:{demo}")] {
        assert!(run("FASTEST_SAFE_FOLDERS", safe).starts_with("exit 0"), "{safe}");
    }
    for unsafe_list in ["/", "/nowhere", &format!("{demo}/sub"), ""] {
        assert!(run("FASTEST_SAFE_FOLDERS", unsafe_list).starts_with("exit 2"), "{unsafe_list}");
    }
    assert!(run("SUDO_UID", "54321").starts_with("exit 0"));
    assert!(run("SUDO_UID", "54322").starts_with("exit 2"));
    scene.write("store/safe-folders", &format!("# of a colleague\n{demo}\n"));
    assert!(scene.run("store", "demo/sub", "status").starts_with("exit 0"));
    fs::remove_file(scene.path("store/safe-folders")).unwrap();
    // Only the folder `.fastest` belongs to the other user.
    fs::remove_dir_all(scene.path("demo/.fastest")).unwrap();
    assert!(scene.run("store", "demo", "status").starts_with("exit 0"));
    assert!(give_away(&scene, "demo/.fastest"));
    assert!(scene.run("store", "demo", "status").starts_with("exit 2"));
    // A project of the user's own inside it needs no permission.
    assert!(scene.run("store", "demo/sub", "init --name sub").starts_with("exit 0"));
    assert!(scene.run("store", "demo/sub", "status").starts_with("exit 0"));
}

#[test]
fn no_project_is_made_in_a_folder_of_another_user() {
    let scene = saved();
    for dir in ["theirs", "mine"] {
        fs::create_dir(scene.path(dir)).unwrap();
    }
    if !give_away(&scene, "theirs") {
        eprintln!("skipped no_project_is_made_in_a_folder_of_another_user: only root may chown");
        return;
    }
    let theirs = scene.path("theirs").display().to_string();
    for words in [
        "init theirs".to_owned(),
        "clone demo theirs".to_owned(),
        "clone demo theirs --here".to_owned(),
        format!("-C demo workspace new x {theirs}"),
        "-C theirs push".to_owned(),
    ] {
        let told = scene.run("store", "", &words);
        assert!(told.starts_with("exit 2") && told.contains("54321"), "{words}: {told}");
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0, "{words}");
    }
    assert!(scene.run("store", "", "clone demo mine").starts_with("exit 0"));
    let mut command = scene.command("store", "");
    command.env("FASTEST_SAFE_FOLDERS", "*").args(["clone", "demo", "theirs"]);
    assert!(told(&command.output().unwrap()).starts_with("exit 0"));
}
