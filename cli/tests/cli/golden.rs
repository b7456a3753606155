//! The life of a project, with the real engine: from the first push to a second device.
//!
//! Two stores stand for two devices; a file in the scene is the primary that they share.

use std::fs;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::scene::{Scene, told};

/// A project `demo` with two files, and the folder of a primary.
fn demo() -> Scene {
    let scene = Scene::new();
    scene.write("demo/a.txt", "one\n");
    scene.write("demo/src/b.txt", "two\n");
    fs::create_dir(scene.path("primary")).unwrap();
    scene
}

fn primary(scene: &Scene) -> String {
    let path = scene.path("primary").canonicalize().unwrap().join("primary.db");
    format!("file://{}", path.display())
}

/// Like [`demo`], pushed from store `here` to a primary that both stores use.
fn shared() -> Scene {
    let scene = demo();
    let set = format!("remote set {}", primary(&scene));
    for store in ["here", "there"] {
        let set = scene.run(store, "", &set);
        assert!(set.starts_with("exit 0"), "{set}");
    }
    let pushed = scene.run("here", "demo", "push -m first");
    assert!(pushed.starts_with("exit 0"), "{pushed}");
    scene
}

/// Like [`shared`], cloned to `copy` in store `there`.
fn cloned() -> Scene {
    let scene = shared();
    let cloned = scene.run("there", "", "clone demo copy --workspace theirs");
    assert!(cloned.starts_with("exit 0"), "{cloned}");
    scene
}

#[test]
fn init_snapshot_status() {
    let scene = demo();
    assert_snapshot!(scene.run("here", "", "init demo"), @r"
    exit 0
    --- stdout
    Made project demo in [TMP]/demo, workspace main
    --- stderr
    hint: `fastest push` saves its files and sends them to the primary
    ");
    assert_snapshot!(scene.run("here", "demo", "status"), @r"
    exit 0
    --- stdout
    A a.txt
    A src/b.txt
    demo/main: 2 files added and no snapshot yet
    ");
    assert_snapshot!(scene.run("here", "demo", "snapshot -m first"), @r"
    exit 0
    --- stdout
    Saved snap-[ID]: 2 files added; 2 files, 8 B in all
    ");
    assert_snapshot!(scene.run("here", "demo", "snapshot"), @r"
    exit 0
    --- stdout
    Nothing to save since snap-[ID]
    ");
    scene.write("demo/a.txt", "one, and more\n");
    scene.write("demo/c.txt", "three\n");
    fs::remove_file(scene.path("demo/src/b.txt")).unwrap();
    assert_snapshot!(scene.run("here", "demo", "status"), @r"
    exit 0
    --- stdout
    A c.txt
    A src/
    M a.txt
    D src/b.txt
    demo/main: 1 file added, 1 modified, 1 deleted since snap-[ID]; 1 snapshot not pushed
    ");
    // From a folder inside the project, and from outside with -C: paths start at the root.
    let status = scene.run("here", "demo", "status");
    assert_eq!(scene.run("here", "demo/src", "status"), status);
    assert_eq!(scene.run("here", "", "-C demo status"), status);
    assert_eq!(scene.run("here", "demo", "snapshot --quiet"), "exit 0");
}

#[test]
fn names_that_are_not_text_are_shown_escaped() {
    let scene = demo();
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(b"demo/caf\xe9");
        scene.write(name, "latin\n");
    }
    #[cfg(not(target_os = "linux"))]
    return;
    scene.write("demo/back\\slash", "");
    scene.write("demo/line\nbreak", "");
    scene.run("here", "", "init demo");
    assert_snapshot!(scene.run("here", "demo", "status"), @r"
    exit 0
    --- stdout
    A a.txt
    A back\\slash
    A caf\xe9
    A line\nbreak
    A src/b.txt
    demo/main: 5 files added and no snapshot yet
    ");
    let id = scene.field("here", "demo", "snapshot", "snapshot_id");
    // The argument is the real name, not the form in which it is shown.
    #[cfg(target_os = "linux")]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let args = [OsStr::new("cat"), OsStr::new(&id), OsStr::from_bytes(b"caf\xe9")];
        assert_eq!(scene.run_args("here", "demo", &args), "exit 0\n--- stdout\nlatin");
        fs::remove_file(scene.path(OsStr::from_bytes(b"demo/caf\xe9"))).unwrap();
        let args = [OsStr::new("restore"), OsStr::from_bytes(b"caf\xe9")];
        let restored = scene.run_args("here", "demo", &args);
        assert!(restored.starts_with("exit 0\n--- stdout\ncaf\\xe9\n"), "{restored}");
    }
}

#[test]
fn push_into_the_store() {
    let scene = demo();
    assert_snapshot!(scene.run("here", "demo", "push -m first"), @r"
    exit 0
    --- stdout
    Made project demo, workspace main
    Saved snap-[ID]: 2 files added; 2 files, 8 B in all
    Pushed demo/main to file://[TMP]/here/primary/primary.db (version 1, [SIZE] sent)
    --- stderr
    hint: it is on this device only: `fastest remote set file:///path/primary.db` shares it
    hint: a second working copy here: `fastest clone demo DIR` or `fastest workspace new NAME`
    ");
    assert_snapshot!(scene.run("here", "demo", "push --quiet"), @"exit 0");
}

#[test]
fn push_to_a_shared_primary() {
    let scene = demo();
    assert_snapshot!(scene.run("here", "", &format!("remote set {}", primary(&scene))), @r"
    exit 0
    --- stdout
    The primary is file://[TMP]/primary/primary.db
    --- stderr
    hint: `fastest push` in each project sends it there
    ");
    assert_snapshot!(scene.run("here", "demo", "push"), @r"
    exit 0
    --- stdout
    Made project demo, workspace main
    Saved snap-[ID]: 2 files added; 2 files, 8 B in all
    Pushed demo/main to file://[TMP]/primary/primary.db (version 1, [SIZE] sent)
    --- stderr
    hint: on another device: `fastest remote set file://[TMP]/primary/primary.db`, then `fastest clone demo DIR`
    ");
    assert_snapshot!(scene.run("here", "demo", "push"), @r"
    exit 0
    --- stdout
    Nothing to save since snap-[ID]
    demo/main is in sync with file://[TMP]/primary/primary.db (version 1)
    --- stderr
    hint: on another device: `fastest remote set file://[TMP]/primary/primary.db`, then `fastest clone demo DIR`
    ");
}

#[test]
fn push_in_json() {
    let scene = demo();
    assert_snapshot!(scene.run("here", "demo", "push --json"), @r#"
    exit 0
    --- stdout
    {"project":"demo","project_id":"[ID]","workspace":"main","project_created":true,"snapshot_id":"snap-[ID]","manifest_hash":"[HASH]","files":2,"bytes":8,"added":2,"modified":0,"deleted":0,"created":true,"objects_new":"[NUMBER]","conflicts":[],"skipped":[],"warnings":[],"version":1,"pushed":true,"requests":"[NUMBER]","bytes_sent":"[NUMBER]","primary":"file://[TMP]/here/primary/primary.db","merged":false,"landed":null,"queued_because":null,"operation":1}
    "#);
}

#[test]
fn clone_pull_drift_on_a_second_device() {
    let scene = shared();
    assert_snapshot!(scene.run("there", "", "clone demo copy --workspace theirs"), @r"
    exit 0
    --- stdout
    Cloned demo/theirs in [TMP]/copy: 2 files, 8 B, from snap-[ID]
    ");
    assert_eq!(scene.read("copy/src/b.txt"), "two\n");
    assert_snapshot!(scene.run("there", "copy", "drift"), @r"
    exit 0
    --- stdout
    theirs is the same as main: 2 files
    ");
    scene.write("demo/a.txt", "changed here\n");
    scene.write("demo/new.txt", "new\n");
    scene.run("here", "demo", "push");
    scene.write("copy/own.txt", "own\n");
    assert_snapshot!(scene.run("there", "copy", "drift"), @r"
    exit 1
    --- stdout
    - new.txt
    + own.txt
    ! a.txt
    theirs drifts from main: 1 file added, 1 modified, 1 deleted (12 B); 1 file the same
    since they parted at snap-[ID]: 1 file changed here, 2 in main; on both sides: none
    ");
    assert_snapshot!(scene.run("there", "copy", "pull"), @r"
    exit 0
    --- stdout
    A new.txt
    M a.txt
    Pulled from main: 1 file added, 1 modified; now at snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_eq!(scene.read("copy/a.txt"), "changed here\n");
    assert_snapshot!(scene.run("there", "copy", "pull main"), @r"
    exit 0
    --- stdout
    Up to date with main
    ");
    assert_snapshot!(scene.run("there", "copy", "drift main --committed"), @r"
    exit 1
    --- stdout
    + own.txt
    theirs drifts from main: 1 file added (4 B); 3 files the same
    since they parted at snap-[ID]: 1 file changed here, 0 in main; on both sides: none
    ");
}

#[test]
fn a_conflict_is_told() {
    let scene = cloned();
    scene.write("demo/a.txt", "here\n");
    scene.run("here", "demo", "push");
    scene.write("copy/a.txt", "there\n");
    let pulled = scene.run("there", "copy", "pull");
    assert!(pulled.starts_with("exit 1\n--- stdout\n"), "{pulled}");
    assert!(pulled.contains("\nC a.txt (changed in theirs and in main)"), "{pulled}");
    assert!(pulled.contains("\nhint: edit what stands between the markers"), "{pulled}");
    // `--quiet` does not hide what needs attention.
    scene.write("demo/src/b.txt", "here\n");
    scene.run("here", "demo", "push");
    scene.write("copy/src/b.txt", "there\n");
    let pulled = scene.run("there", "copy", "pull --quiet");
    assert!(pulled.starts_with("exit 1\n--- stdout\nC src/b.txt"), "{pulled}");
}

#[test]
fn two_edits_of_one_file_are_both_kept() {
    let scene = cloned();
    let text = |first: &str, last: &str| format!("{first}\n2\n3\n4\n{last}\n");
    scene.write("demo/a.txt", &text("1", "5"));
    scene.run("here", "demo", "push");
    scene.run("there", "copy", "pull");
    scene.write("demo/a.txt", &text("here", "5"));
    scene.run("here", "demo", "push");
    scene.write("copy/a.txt", &text("1", "there"));
    assert_snapshot!(scene.run("there", "copy", "pull"), @r"
    exit 0
    --- stdout
    M a.txt
    Pulled from main: 1 file modified; now at snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_eq!(scene.read("copy/a.txt"), text("here", "there"));
    scene.run("there", "copy", "push");
    let pulled = scene.run("here", "demo", "pull theirs");
    assert!(pulled.starts_with("exit 0"), "{pulled}");
    assert_eq!(scene.read("demo/a.txt"), text("here", "there"));
}

#[test]
fn log_restore_cat() {
    let scene = demo();
    let first = scene.field("here", "demo", "push -m first", "snapshot_id");
    scene.write("demo/a.txt", "two\n");
    scene.run("here", "demo", "snapshot -m second");
    assert_snapshot!(scene.run("here", "demo", "log"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main second
    snap-[ID] [TIME] main first
    ");
    assert_snapshot!(scene.run("here", "demo", "log -n 1"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main second
    ");
    assert_eq!(scene.text("here", "demo", &format!("cat {first} a.txt")), "one\n");
    assert_eq!(scene.text("here", "demo", &format!("cat {first} a.txt --json")), "one\n");
    // Paths are relative to the folder that the command runs in.
    scene.write("demo/src/b.txt", "unsaved\n");
    assert_snapshot!(scene.run("here", "demo/src", &format!("restore b.txt --to {first}")), @r"
    exit 0
    --- stdout
    src/b.txt
    Restored 1 file from snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_eq!(scene.read("demo/src/b.txt"), "two\n");
    assert_eq!(scene.read("demo/a.txt"), "two\n");
    let restored = scene.run("here", "demo", &format!("restore --to {first} --quiet"));
    assert!(restored.starts_with("exit 0"), "{restored}");
    assert_eq!(scene.read("demo/a.txt"), "one\n");
}

#[test]
fn workspaces() {
    let scene = demo();
    scene.run("here", "demo", "push");
    assert_snapshot!(scene.run("here", "demo", "workspace new fix ../fix"), @r"
    exit 0
    --- stdout
    Made demo/fix in [TMP]/fix: 2 files, 8 B, from snap-[ID]
    ");
    assert_snapshot!(scene.run("here", "demo", "workspace list"), @r"
    exit 0
    --- stdout
    * main snap-[ID] [TMP]/demo (main)
      fix  snap-[ID] [TMP]/fix
    ");
    assert_snapshot!(scene.run("here", "demo", "workspace set-main fix"), @r"
    exit 0
    --- stdout
    fix is the main workspace of demo
    --- stderr
    hint: `fastest push` tells the primary
    ");
    assert_snapshot!(scene.run("here", "fix", "workspace list"), @r"
    exit 0
    --- stdout
      main snap-[ID] [TMP]/demo
    * fix  snap-[ID] [TMP]/fix (main)
    ");
}

#[test]
fn remotes() {
    let scene = shared();
    assert_snapshot!(scene.run("here", "", "remote show"), @r"
    exit 0
    --- stdout
    primary: file://[TMP]/primary/primary.db
    large packs: beside the primary
    ");
    assert_snapshot!(scene.run("here", "", "remote check"), @r"
    exit 0
    --- stdout
    primary: file://[TMP]/primary/primary.db
    large packs: beside the primary
    ok      name: it answers in [MS] ms
    ok      token: none is needed
    ok      permission: it may be written to
    ok      schema: [MIGRATION]
    ok      clock: as the primary's
    ok      packs: stored, read and compared
    ");
    let inline = format!("remote set {} --inline-packs", primary(&scene));
    scene.run("here", "", &inline);
    assert!(scene.run("here", "", "remote show").contains("large packs: in the primary's rows"));
    assert_snapshot!(scene.run("here", "", "remote set --default --quiet"), @"exit 0");
    assert_snapshot!(scene.run("here", "", "remote show"), @r"
    exit 0
    --- stdout
    primary: file://[TMP]/here/primary/primary.db (inside the store)
    large packs: beside the primary
    ");
}

#[test]
fn doctor() {
    let scene = demo();
    scene.run("here", "demo", "push");
    let healthy = scene.run("here", "", "doctor");
    assert!(healthy.starts_with("exit 0\n--- stdout\nChecked "), "{healthy}");
    assert!(healthy.ends_with(", 1 snapshot: no problems"), "{healthy}");
    let json = scene.run("here", "", "doctor --mend --json");
    assert!(json.contains(r#""problems":[]"#), "{json}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let scene = demo();
    let id = scene.field("here", "demo", "push", "snapshot_id");
    for words in ["status", "log", &format!("cat {id} a.txt"), "log --json"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = scene.command("here", "demo");
        command.args(words.split_whitespace()).stdout(Stdio::from(writer));
        let output = command.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(told(&output), "exit 0", "{words}");
    }
}
