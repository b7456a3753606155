//! Conflicts of files: they stay until somebody settles them, on whatever device, and every command shows them.

use std::fs;

use insta::assert_snapshot;

use crate::scene::Scene;

const TEXT: &str = "1\n2\n3\n4\n5\n6\n7\n";

/// Device `here` has main in `demo`, and device `there` the workspace `agent` in `agent`. Both have changed and
/// pushed a text, a binary file and a file that the other one deleted, and main has pulled agent.
fn parted() -> Scene {
    let scene = Scene::new();
    let primary = format!("file://{}", scene.path("primary.db").display());
    for store in ["here", "there"] {
        scene.write("home/x", "");
        scene.run(store, "home", &format!("remote set {primary}"));
    }
    scene.write("demo/text", TEXT);
    scene.write("demo/picture", "\0one");
    scene.write("demo/mine", "one\n");
    scene.write("demo/yours", "one\n");
    scene.run("here", "demo", "push -q");
    scene.run("there", "home", "clone demo ../agent --workspace agent");
    scene.write("demo/text", &TEXT.replace("2\n", "main\n").replace("7\n", "seven\n"));
    scene.write("demo/picture", "\0main");
    scene.write("demo/mine", "main\n");
    fs::remove_file(scene.path("demo/yours")).unwrap();
    scene.run("here", "demo", "push -q");
    scene.write("agent/text", &TEXT.replace("2\n", "agent\n").replace("5\n", "five\n"));
    scene.write("agent/picture", "\0agent");
    scene.write("agent/yours", "agent\n");
    fs::remove_file(scene.path("agent/mine")).unwrap();
    scene.run("there", "agent", "push -q");
    scene
}

/// The same, and main has pulled agent.
fn pulled() -> Scene {
    let scene = parted();
    let pulled = scene.run("here", "demo", "pull agent -q");
    assert!(pulled.starts_with("exit 1"), "{pulled}");
    scene
}

/// The name of agent's picture beside main's.
fn beside(scene: &Scene, folder: &str) -> String {
    let names = fs::read_dir(scene.path(folder)).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.find(|name| name.starts_with("picture.conflict-agent-")).expect("it is there")
}

#[test]
fn a_pull_that_cannot_merge_says_what_it_left() {
    let scene = parted();
    let pulled = scene.run("here", "demo", "pull agent");
    let name = beside(&scene, "demo");
    assert_snapshot!(pulled.replace(&name, "picture.conflict-agent-[END]"), @r"
    exit 1
    --- stdout
    A picture.conflict-agent-[END]
    A yours
    M text
    C mine (changed in main, deleted in agent)
    C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
    C text (changed in main and in agent)
    C yours (deleted in main, changed in agent)
    Pulled from agent: 2 files added, 1 modified, 4 conflicts; now at snap-[ID]
    --- stderr
    warning: 4 files are in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_snapshot!(scene.read("demo/text"), @r"
    1
    <<<<<<< main (conflict 3baaab1f6cf2)
    main
    ||||||| base
    2
    =======
    agent
    >>>>>>> agent (conflict 3baaab1f6cf2)
    3
    4
    five
    6
    seven
    ");
}

#[test]
fn every_command_shows_what_is_open() {
    let scene = pulled();
    let name = beside(&scene, "demo");
    let shown = |words: &str| {
        scene.run("here", "demo", words).replace(&name, "picture.conflict-agent-[END]")
    };
    assert_snapshot!(shown("status"), @r"
    exit 0
    --- stdout
    C mine (changed in main, deleted in agent)
    C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
    C text (changed in main and in agent)
    C yours (deleted in main, changed in agent)
    demo/main: no files changed since snap-[ID]; 1 snapshot not pushed
    --- stderr
    warning: 4 files are in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_snapshot!(shown("conflicts"), @r"
    exit 1
    --- stdout
    C mine (changed in main, deleted in agent)
    C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
    C text (changed in main and in agent)
    C yours (deleted in main, changed in agent)
    --- stderr
    warning: 4 files are in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_snapshot!(shown("log -n 2"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main (merge) (4 conflicts) Merge agent
    snap-[ID] [TIME] agent
    ");
    assert_snapshot!(shown("push"), @r"
    exit 1
    --- stdout
    C mine (changed in main, deleted in agent)
    C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
    C text (changed in main and in agent)
    C yours (deleted in main, changed in agent)
    Nothing to save since snap-[ID]
    demo/main is in sync with file://[TMP]/primary.db (version 3)
    --- stderr
    warning: 4 files are in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    hint: on another device: `fastest remote set file://[TMP]/primary.db`, then `fastest clone demo DIR`
    ");
    assert_snapshot!(shown("workspace list"), @r"
    exit 0
    --- stdout
    * main  snap-[ID] [TMP]/demo (main) (4 conflicts)
      agent snap-[ID] [TMP]/agent (on another device) (2 behind main)
    ");
    assert_snapshot!(shown("conflicts --json"), @r#"
    exit 1
    --- stdout
    {"conflicts":[],"files":[{"id":"09fe5facbdb8","path":"mine","kind":"deleted_by_them","markers":false,"ours_name":"main","theirs_name":"agent","theirs":null},{"id":"ffe0aa4f8275","path":"picture","kind":"both_changed","markers":false,"ours_name":"main","theirs_name":"agent","theirs":"picture.conflict-agent-[END]"},{"id":"3baaab1f6cf2","path":"text","kind":"both_changed","markers":true,"ours_name":"main","theirs_name":"agent","theirs":null},{"id":"001c695e4b58","path":"yours","kind":"deleted_by_us","markers":false,"ours_name":"main","theirs_name":"agent","theirs":null}]}
    "#);
    // The other device sees them as what they are.
    assert_snapshot!(
        scene.run("there", "agent", "pull main").replace(&name, "picture.conflict-agent-[END]"),
        @r"
        exit 1
        --- stdout
        A mine
        A picture.conflict-agent-[END]
        M picture
        M text
        C mine (changed in main, deleted in agent)
        C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
        C text (changed in main and in agent)
        C yours (deleted in main, changed in agent)
        Pulled from main: 2 files added, 2 modified, 4 conflicts; now at snap-[ID]
        --- stderr
        warning: 4 files are in conflict: nothing of either side is lost
        hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
        "
    );
    assert_eq!(scene.read("agent/text"), scene.read("demo/text"));
    assert!(scene.run("there", "agent", "conflicts").starts_with("exit 1"));
    assert!(scene.run("there", "agent", "drift main").contains("note: main has 4 open conflicts"));
}

#[test]
fn what_was_settled_elsewhere_is_settled() {
    let scene = pulled();
    scene.run("here", "demo", "push -q");
    scene.run("there", "agent", "pull main -q");
    let name = beside(&scene, "agent");
    let resolve = |words: &str| {
        scene.run("there", "agent", words).replace(&name, "picture.conflict-agent-[END]")
    };
    assert_snapshot!(resolve("resolve text"), @r"
    exit 2
    --- stderr
    error: text still has the markers of its conflict
    hint: edit the file until no marker is left, or take one side with `--ours` or `--theirs`
    ");
    assert_snapshot!(resolve("resolve text --ours"), @r"
    exit 0
    --- stdout
    Settled text
    C mine (changed in main, deleted in agent)
    C picture (changed in main and in agent; the one of agent is picture.conflict-agent-[END])
    C yours (deleted in main, changed in agent)
    --- stderr
    warning: 3 files are in conflict: nothing of either side is lost
    hint: run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    // Ours is agent's side here. What did not conflict stays as it was merged.
    assert_eq!(scene.read("agent/text"), "1\nagent\n3\n4\nfive\n6\nseven\n");
    assert_snapshot!(resolve("resolve picture mine --ours"), @r"
    exit 0
    --- stdout
    Settled mine
    Settled picture
    C yours (deleted in main, changed in agent)
    --- stderr
    warning: 1 file is in conflict: nothing of either side is lost
    hint: run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_eq!(fs::read(scene.path("agent/picture")).unwrap(), b"\0agent");
    assert!(!scene.path("agent").join(&name).exists() && !scene.path("agent/mine").exists());
    assert_snapshot!(resolve("resolve yours"), @r"
    exit 0
    --- stdout
    Settled yours
    ");
    assert_eq!(scene.read("agent/yours"), "agent\n");
    assert_snapshot!(resolve("conflicts"), @r"
    exit 0
    --- stdout
    Nothing is in conflict
    ");
    assert_snapshot!(resolve("push"), @r"
    exit 0
    --- stdout
    Nothing to save since snap-[ID]
    demo/agent is in sync with file://[TMP]/primary.db (version 3)
    --- stderr
    hint: on another device: `fastest remote set file://[TMP]/primary.db`, then `fastest clone demo DIR`
    ");
    // Main has edited another line meanwhile.
    let text = scene.read("demo/text");
    scene.write("demo/text", &text.replace("4\n", "four\n"));
    let pulled = scene.run("here", "demo", "pull agent");
    assert!(pulled.starts_with("exit 0"), "{pulled}");
    assert_eq!(scene.read("demo/text"), "1\nagent\n3\nfour\nfive\n6\nseven\n");
    assert!(scene.run("here", "demo", "conflicts").starts_with("exit 0"));
}

#[test]
fn a_file_without_its_markers_is_settled_and_that_is_said() {
    let scene = pulled();
    scene.write("demo/text", "1\nboth\n3\n");
    let name = beside(&scene, "demo");
    fs::remove_file(scene.path("demo").join(&name)).unwrap();
    fs::remove_file(scene.path("demo/mine")).unwrap();
    let status = scene.run("here", "demo", "status");
    assert_snapshot!(status.replace(&name, "picture.conflict-agent-[END]"), @r"
    exit 0
    --- stdout
    M text
    D mine
    D picture.conflict-agent-[END]
    C yours (deleted in main, changed in agent)
    demo/main: 1 file modified, 2 deleted since snap-[ID]; 1 snapshot not pushed
    --- stderr
    warning: the conflict in mine counts as settled: it is gone
    warning: the conflict in picture counts as settled: theirs is not beside it any more
    warning: the conflict in text counts as settled: its markers are gone
    warning: 1 file is in conflict: nothing of either side is lost
    hint: run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_snapshot!(scene.run("here", "demo", "snapshot"), @r"
    exit 0
    --- stdout
    C yours (deleted in main, changed in agent)
    Saved snap-[ID]: 1 file modified, 2 deleted; 3 files, 20 B in all
    --- stderr
    warning: the conflict in mine counts as settled: it is gone
    warning: the conflict in picture counts as settled: theirs is not beside it any more
    warning: the conflict in text counts as settled: its markers are gone
    ");
    assert_snapshot!(scene.run("here", "demo", "resolve ."), @r"
    exit 0
    --- stdout
    Settled yours
    ");
    assert_snapshot!(scene.run("here", "demo", "log -n 4"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main Resolve yours
    snap-[ID] [TIME] main (1 conflict)
    snap-[ID] [TIME] main (merge) (4 conflicts) Merge agent
    snap-[ID] [TIME] agent
    ");
}

#[test]
fn what_was_merged_since_is_not_undone_by_a_choice() {
    let scene = pulled();
    scene.write("agent/yours", "agent, later\n");
    scene.write("agent/picture", "\0agent, later");
    scene.run("there", "agent", "push -q");
    scene.run("here", "demo", "pull agent -q");
    assert_eq!(scene.read("demo/yours"), "agent, later\n");
    scene.write("demo/mine", "main, later\n");
    assert!(scene.run("here", "demo", "resolve yours --theirs").starts_with("exit 0"));
    assert!(scene.run("here", "demo", "resolve mine --ours").starts_with("exit 0"));
    assert_eq!(scene.read("demo/yours"), "agent, later\n");
    assert_eq!(scene.read("demo/mine"), "main, later\n");
    // Agent's later picture is another version that main has to choose from, one by one.
    assert_snapshot!(scene.run("here", "demo", "resolve picture --ours"), @r"
    exit 2
    --- stderr
    error: picture is in several conflicts, which one choice cannot settle
    hint: settle them one by one, by their ids (`fastest conflicts` shows them) in place of the path
    ");
    let listed = scene.text("here", "demo", "conflicts --json");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let files = listed["files"].as_array().unwrap();
    let of_picture = files.iter().filter(|it| it["path"] == "picture");
    let ids: Vec<&str> = of_picture.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 2);
    for id in ids {
        let told = scene.run("here", "demo", &format!("resolve {id} --ours"));
        assert!(told.starts_with("exit 0"), "{told}");
    }
    assert_eq!(fs::read(scene.path("demo/picture")).unwrap(), b"\0main");
    let names = fs::read_dir(scene.path("demo")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.contains(".conflict-")));
}

#[test]
fn two_that_pull_each_other_have_the_same_conflicts() {
    let scene = parted();
    // Agent has what main had pushed before it pulls, and the reverse.
    scene.run("there", "agent", "pull main -q");
    scene.run("here", "demo", "pull agent -q");
    for _ in 0..3 {
        for (store, folder) in [("there", "agent"), ("here", "demo")] {
            scene.run(store, folder, "push -q");
        }
        scene.run("there", "agent", "pull main -q");
        scene.run("here", "demo", "pull agent -q");
    }
    assert_eq!(scene.read("demo/text"), scene.read("agent/text"));
    let count = |folder: &str| fs::read_dir(scene.path(folder)).unwrap().count();
    assert_eq!((count("demo"), count("agent")), (6, 6));
    assert!(scene.run("there", "agent", "resolve . --ours").starts_with("exit 0"));
    assert_eq!(fs::read(scene.path("agent/picture")).unwrap(), b"\0agent");
    assert_eq!(scene.read("agent/text"), "1\nagent\n3\n4\nfive\n6\nseven\n");
}

/// A file with markers is a side of another conflict, and is put beside it.
#[test]
fn a_conflict_within_a_side_of_another_one_stays() {
    let scene = parted();
    scene.run("there", "agent", "workspace new third ../third");
    scene.write("third/text", "no\0text");
    scene.run("here", "demo", "pull agent -q");
    scene.run("here", "demo", "push -q");
    scene.run("there", "third", "pull main -q");
    let listed = scene.run("there", "third", "conflicts");
    assert!(listed.contains("\nC text (changed in third and in main;"), "{listed}");
    assert!(listed.contains("\nC text.conflict-main-"), "{listed}");
    assert!(scene.run("there", "third", "resolve text --theirs").starts_with("exit 0"));
    let listed = scene.run("there", "third", "conflicts");
    assert!(listed.contains("\nC text (changed in main and in agent)"), "{listed}");
    // Neither side is third's: ours is the one that merged.
    assert!(scene.run("there", "third", "resolve text --ours").starts_with("exit 0"));
    assert_eq!(scene.read("third/text"), "1\nmain\n3\n4\nfive\n6\nseven\n");
}

#[test]
fn a_file_that_was_moved_takes_its_conflict_along() {
    let scene = pulled();
    fs::create_dir(scene.path("demo/sub")).unwrap();
    fs::rename(scene.path("demo/text"), scene.path("demo/sub/moved")).unwrap();
    scene.run("here", "demo", "snapshot");
    assert!(scene.run("here", "demo", "conflicts").contains("\nC sub/moved (changed in main"));
    fs::rename(scene.path("demo/sub/moved"), scene.path("demo/text")).unwrap();
    assert!(scene.run("here", "demo", "resolve text --ours").starts_with("exit 0"));
    assert_eq!(scene.read("demo/text"), "1\nmain\n3\n4\nfive\n6\nseven\n");
}

#[test]
fn decisions_that_differ_are_a_conflict_again() {
    let scene = pulled();
    scene.run("here", "demo", "push -q");
    scene.run("there", "agent", "pull main -q");
    // Each keeps its own: main what it edited, agent what it deleted.
    assert!(scene.run("here", "demo", "resolve mine picture --ours").starts_with("exit 0"));
    assert!(scene.run("there", "agent", "resolve mine picture --ours").starts_with("exit 0"));
    scene.run("here", "demo", "push -q");
    let pulled = scene.run("there", "agent", "pull main");
    assert!(pulled.contains("\nC mine (deleted in agent, changed in main)"), "{pulled}");
    assert!(pulled.contains("\nC picture (changed in agent and in main;"), "{pulled}");
    assert_eq!(fs::read(scene.path("agent/picture")).unwrap(), b"\0agent");
    assert_eq!(scene.read("agent/mine"), "main\n");
}

#[test]
fn a_file_that_comes_back_is_in_conflict_again() {
    let scene = pulled();
    fs::remove_file(scene.path("demo/text")).unwrap();
    let restored = scene.run("here", "demo", "restore text");
    assert!(restored.starts_with("exit 0"), "{restored}");
    assert!(scene.run("here", "demo", "conflicts").contains("\nC text "));
    scene.run("here", "demo", "resolve . --ours");
    assert!(scene.run("here", "demo", "conflicts").starts_with("exit 0"));
    scene.run("here", "demo", "restore --to @-");
    assert!(scene.run("here", "demo", "conflicts").contains("\nC text "));
}

#[test]
fn a_store_that_lost_the_tree_goes_on_and_says_what_it_lost() {
    let scene = pulled();
    fs::remove_dir_all(scene.path("here/objects")).unwrap();
    let saved = scene.run("here", "demo", "snapshot");
    assert!(saved.starts_with("exit 0"), "{saved}");
    assert!(saved.contains("the store has lost which files are in conflict (4)"), "{saved}");
}

#[test]
fn markers_of_others_settle_nothing() {
    let scene = Scene::new();
    scene.write("demo/doc", "<<<<<<< how\nto\n=======\nmerge\n>>>>>>> it\n");
    scene.run("here", "demo", "push -q");
    scene.run("here", "demo", "workspace new agent ../agent");
    scene.write("demo/doc", "<<<<<<< how\nmain\n=======\nmerge\n>>>>>>> it\n");
    scene.run("here", "demo", "push -q");
    scene.write("agent/doc", "<<<<<<< how\nagent\n=======\nmerge\n>>>>>>> it\n");
    scene.run("here", "agent", "pull main -q");
    assert_snapshot!(scene.read("agent/doc"), @r"
    <<<<<<< how
    <<<<<<<< main (conflict 1827f0053751)
    main
    |||||||| base
    to
    ========
    agent
    >>>>>>>> agent (conflict 1827f0053751)
    =======
    merge
    >>>>>>> it
    ");
    // Neither side can be told apart without a marker.
    scene.write("agent/doc", &scene.read("agent/doc").replace("========\n", ""));
    assert_snapshot!(scene.run("here", "agent", "resolve doc --ours"), @r"
    exit 2
    --- stderr
    error: the markers of the conflict in doc were changed, so neither side can be told apart
    hint: edit the file until no marker is left
    ");
    scene.run("here", "agent", "restore doc --to @-");
    assert_snapshot!(scene.run("here", "agent", "resolve doc --ours"), @r"
    exit 0
    --- stdout
    Settled doc
    ");
    assert_eq!(scene.read("agent/doc"), "<<<<<<< how\nagent\n=======\nmerge\n>>>>>>> it\n");
}

#[test]
fn mistakes_are_told() {
    let scene = pulled();
    assert_snapshot!(scene.run("here", "demo", "resolve none --ours"), @r#"
    exit 2
    --- stderr
    error: there is no conflict "none"
    hint: `fastest conflicts` shows those there are
    "#);
    assert_snapshot!(scene.run("here", "demo", "resolve ../home --ours"), @r#"
    exit 2
    --- stderr
    error: "../home" is outside of the working copy
    "#);
    assert_snapshot!(scene.run("here", "demo", "resolve text --ours --theirs"), @r"
    exit 2
    --- stderr
    error: the argument '--ours' cannot be used with '--theirs'

    Usage: fastest resolve --ours <PATH|ID>...

    For more information, try '--help'.
    ");
    assert_snapshot!(scene.run("here", "demo", "resolve text --value {}"), @r#"
    exit 2
    --- stderr
    error: there is no conflict "text"
    hint: `fastest conflicts` shows those there are
    "#);
    assert_snapshot!(scene.run("here", "home", "resolve text --ours"), @r#"
    exit 2
    --- stderr
    error: there is no conflict "text"
    hint: `fastest conflicts` shows those there are
    "#);
    assert_snapshot!(scene.run("here", "demo", "resolve"), @r"
    exit 2
    --- stderr
    error: the following required arguments were not provided:
      <PATH|ID>...

    Usage: fastest resolve <PATH|ID>...

    For more information, try '--help'.
    ");
    assert!(scene.run("here", "demo", "conflicts").starts_with("exit 1"));
}
