//! `undo`, `redo` and `op log`: the stories that people are afraid of.

use std::fs;

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

/// Others push to main, and `agent` has something unsaved.
fn others_move_on(scene: &Scene) {
    scene.write("main/theirs", "theirs\n");
    scene.run("here", "main", "push -q");
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
}

#[test]
fn a_pull_is_taken_back_with_what_was_unsaved() {
    let scene = project();
    others_move_on(&scene);
    scene.run("here", "agent", "pull main");
    scene.write("agent/later", "later\n");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    D theirs
    Undid 3 (pull main): 1 file deleted; now at snap-[ID]
    ");
    assert_snapshot!(scene.run("here", "agent", "status"), @r"
    exit 0
    --- stdout
    A later
    M text
    app/agent: 1 file added, 1 modified since snap-[ID]
    ");
    assert_snapshot!(scene.run("here", "agent", "log"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main
    snap-[ID] [TIME] main
    ");
    // It can be pulled again, and nobody's work is missing in main afterwards.
    assert_snapshot!(scene.run("here", "agent", "pull main"), @r"
    exit 0
    --- stdout
    A theirs
    Pulled from main: 1 file added; now at snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/theirs"), "theirs\n");
    assert_eq!(scene.read("main/text"), "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "doctor");
}

#[test]
fn a_pull_that_was_sent_stays() {
    let scene = project();
    others_move_on(&scene);
    scene.run("here", "agent", "pull main");
    scene.run("here", "agent", "push -q");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 2
    --- stderr
    error: the pull of operation 3 was pushed: a snapshot that takes it out here would take the work of others out wherever this lands
    hint: `fastest restore --to SNAPSHOT` brings files back as they were, if you mean just that
    ");
    assert_eq!(scene.read("agent/theirs"), "theirs\n");
}

#[test]
fn what_a_restore_threw_away_comes_back_and_is_in_no_push() {
    let scene = project();
    scene.write("agent/text", "a secret\n");
    assert_snapshot!(scene.run("here", "agent", "restore"), @r"
    exit 0
    --- stdout
    text
    Restored 1 file from snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_snapshot!(scene.run("here", "agent", "restore"), @r"
    exit 0
    --- stdout
    Restored 0 files from snap-[ID]
    ");
    assert_snapshot!(scene.run("here", "agent", "log"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main
    ");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    M text
    Undid 2 (restore): 1 file modified; now at snap-[ID]
    ");
    assert_eq!(scene.read("agent/text"), "a secret\n");
    scene.run("here", "agent", "redo");
    assert_eq!(scene.read("agent/text"), "1\n2\n3\n4\n5\n");
    // Once more is nothing.
    assert_snapshot!(scene.run("here", "agent", "redo"), @r"
    exit 2
    --- stderr
    error: there is nothing to redo: no operation of this workspace was undone
    hint: `fastest op log` shows the operations there are
    ");
    assert_snapshot!(scene.run("here", "agent", "op log"), @r"
    exit 0
    --- stdout
    5 [TIME] redo 2 (restore)
    4 [TIME] undo 2 (restore) (undone by 5)
    2 [TIME] restore
    ");
}

#[test]
fn a_snapshot_that_was_taken_back_is_not_sent_and_not_lost() {
    let scene = project();
    scene.write("agent/text", "a secret\n");
    let id = scene.field("here", "agent", "snapshot", "snapshot_id");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    Undid 2 (snapshot): no files changed; now at snap-[ID]
    ");
    assert_eq!(scene.read("agent/text"), "a secret\n", "it is unsaved again");
    scene.write("agent/text", "1\n");
    scene.run("here", "agent", "push -q");
    scene.run("there", "home", "clone app ../clone --workspace clone");
    let log = scene.run("there", "clone", "log");
    assert!(!log.contains(&id), "{log}");
    assert!(!packs(&scene).iter().any(|pack| pack.contains("a secret")), "no pack has it");
    // This device has it still.
    assert_eq!(scene.text("here", "agent", &format!("cat {id} text")), "a secret\n");
    scene.run("here", "agent", "doctor");
}

/// Returns the contents of the folder of packs, as far as they are text.
fn packs(scene: &Scene) -> Vec<String> {
    let Ok(entries) = fs::read_dir(scene.path("primary.db.packs")) else { return Vec::new() };
    let read = |entry: fs::DirEntry| fs::read(entry.path()).unwrap_or_default();
    entries.flatten().map(|entry| String::from_utf8_lossy(&read(entry)).into_owned()).collect()
}

#[test]
fn a_first_push_that_was_sent_is_taken_back() {
    let scene = project();
    assert_snapshot!(scene.run("here", "main", "undo"), @r"
    exit 0
    --- stdout
    Undid 1 (push): no files changed; now at snap-[ID]
    --- stderr
    hint: others may have it: `fastest push` sends the snapshot that takes it out
    ");
    assert_snapshot!(scene.run("here", "main", "status"), @r"
    exit 0
    --- stdout
    A text
    app/main: 1 file added since snap-[ID]; 1 snapshot not pushed
    ");
    scene.run("here", "main", "push -q");
    let problems = scene.run("here", "main", "doctor");
    assert!(problems.starts_with("exit 0"), "{problems}");
}

#[test]
fn a_landing_is_taken_back_and_lands_again() {
    let scene = project();
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "main", "pull main");
    // Others land on top of it.
    scene.run("there", "home", "clone app ../other --workspace other");
    scene.write("other/new", "new\n");
    scene.run("there", "other", "push -q --to main");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    Undid 2 (push --to main): no files changed; now at snap-[ID]
    --- stderr
    hint: others see it in main after `fastest push`; the work itself stays here, and can land again
    ");
    // And once more, before the undo is sent.
    scene.write("other/newer", "newer\n");
    scene.run("there", "other", "push -q --to main");
    scene.run("here", "agent", "push -q");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/text"), "1\n2\n3\n4\n5\n");
    assert_eq!(
        (scene.read("main/new"), scene.read("main/newer")),
        ("new\n".into(), "newer\n".into())
    );
    // The author has the work still, and main does not take it away.
    scene.run("here", "agent", "pull main");
    assert_eq!(scene.read("agent/text"), "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/text"), "one\n2\n3\n4\n5\n");
}

#[test]
fn what_others_landed_after_a_landing_stays_when_that_is_taken_back_and_lands_again() {
    let scene = project();
    scene.run("there", "home", "clone app ../other --workspace other");
    scene.write("agent/mine", "mine\n");
    scene.run("here", "agent", "push -q --to main");
    scene.write("other/theirs", "theirs\n");
    scene.run("there", "other", "push -q --to main");
    scene.run("here", "agent", "undo");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "main", "pull main");
    assert_eq!(
        (scene.read("main/mine"), scene.read("main/theirs")),
        ("mine\n".into(), "theirs\n".into())
    );
    scene.run("there", "other", "pull main");
    assert_eq!(scene.read("other/theirs"), "theirs\n");
}

#[test]
fn a_landing_that_merged_main_keeps_the_work_that_was_saved_before_it() {
    let scene = project();
    others_move_on(&scene);
    scene.run("here", "agent", "push -q");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "agent", "undo");
    scene.run("here", "agent", "push -q");
    scene.run("here", "agent", "pull main");
    assert_eq!(scene.read("agent/text"), "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/text"), "one\n2\n3\n4\n5\n");
}

#[test]
fn what_main_had_not_sent_is_no_part_of_a_landing_that_is_taken_back() {
    let scene = project();
    scene.write("main/unsent", "unsent\n");
    scene.run("here", "main", "snapshot -q");
    scene.write("agent/mine", "mine\n");
    scene.run("here", "agent", "push -q --to main");
    scene.run("here", "agent", "undo");
    scene.run("here", "agent", "push -q");
    scene.run("here", "main", "pull main");
    assert_eq!(scene.read("main/unsent"), "unsent\n");
}

#[test]
fn a_secret_that_was_taken_back_is_in_no_push_whatever_else_waits() {
    let scene = project();
    scene.write("agent/first", "first\n");
    scene.run("here", "agent", "snapshot -q");
    scene.write("agent/secret", "a secret\n");
    scene.run("here", "agent", "snapshot -q");
    scene.run("here", "agent", "undo");
    fs::remove_file(scene.path("agent/secret")).unwrap();
    scene.write("agent/other", "other\n");
    scene.run("here", "agent", "snapshot -q -m other");
    // Neither does a failed attempt to have it again publish it.
    scene.run("here", "agent", "redo");
    let log = scene.text("here", "agent", "op log");
    let undo = log.lines().find(|line| line.contains("undo")).unwrap();
    scene.run("here", "agent", &format!("undo {}", undo.split(' ').next().unwrap()));
    scene.run("here", "agent", "push -q");
    scene.run("there", "home", "clone app ../clone --workspace clone");
    let log = scene.run("there", "clone", "log");
    assert_eq!(log.lines().filter(|line| line.starts_with("snap-")).count(), 3, "{log}");
}

#[test]
fn what_was_edited_after_a_killed_pull_is_no_part_of_it() {
    let scene = project();
    others_move_on(&scene);
    // As if the process had been killed right after it had begun.
    scene.run("here", "agent", "snapshot -q");
    let replica = rusqlite::Connection::open(scene.path("here/replica.db")).unwrap();
    scene.run("here", "agent", "pull main");
    scene.run("here", "agent", "undo");
    replica
        .execute_batch(
            "DELETE FROM fastest_local_operation WHERE undoes IS NOT NULL;
             UPDATE fastest_local_operation SET undone_by = NULL, finished = 0 WHERE command = 'pull main'",
        )
        .unwrap();
    scene.write("agent/later", "two hours of work\n");
    scene.run("here", "agent", "undo");
    assert_eq!(scene.read("agent/later"), "two hours of work\n");
}

#[test]
fn a_landing_that_others_built_upon_stays() {
    let scene = project();
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push -q --to main");
    scene.run("there", "home", "clone app ../other --workspace other");
    scene.write("other/text", "one and more\n2\n3\n4\n5\n");
    scene.run("there", "other", "push -q --to main");
    scene.run("here", "agent", "drift -q");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 2
    --- stderr
    error: operation 2 cannot be taken out by itself: later changes are in the same places of text
    hint: undo the later ones first (`fastest op log` shows them), or take it out by hand
    ");
}

#[test]
fn a_landing_that_waits_is_taken_back() {
    let scene = project();
    fs::rename(scene.path("primary.db"), scene.path("away")).unwrap();
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    let waits = scene.run("here", "agent", "push --to main");
    assert!(waits.starts_with("exit 3"), "{waits}");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    Undid 2 (push --to main): no files changed; now at snap-[ID]
    --- stderr
    hint: others see it in main after `fastest push`; the work itself stays here, and can land again
    ");
    fs::rename(scene.path("away"), scene.path("primary.db")).unwrap();
    // The push may have reached the primary. Sent again, it is taken back there, too.
    scene.run("here", "agent", "workspace new next ../next");
    scene.run("here", "next", "pull main");
    assert_eq!(scene.read("next/text"), "1\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "status"), @r"
    exit 0
    --- stdout
    M text
    app/agent: 1 file modified since snap-[ID]
    ");
}

#[test]
fn a_resolve_and_a_rename_are_taken_back() {
    let scene = project();
    others_move_on(&scene);
    scene.write("main/text", "uno\n2\n3\n4\n5\n");
    scene.run("here", "main", "push -q");
    scene.run("here", "agent", "pull main");
    let conflicts = scene.run("here", "agent", "conflicts");
    let text = scene.read("agent/text");
    scene.run("here", "agent", "resolve --ours text");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 1
    --- stdout
    M text
    C text (changed in agent and in main)
    Undid 5 (resolve --ours text): 1 file modified; now at snap-[ID]
    --- stderr
    warning: 1 file is in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert_eq!(scene.run("here", "agent", "conflicts"), conflicts);
    assert_eq!(scene.read("agent/text"), text);
    scene.run("here", "agent", "workspace rename agent bot");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    Undid 7 (workspace rename agent bot): no files changed; now at snap-[ID]
    ");
    assert!(scene.run("here", "agent", "workspace list").contains("agent"));
}

#[test]
fn what_cannot_be_undone_says_why() {
    let scene = project();
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 2
    --- stderr
    error: there is nothing to undo in this workspace on this device
    hint: `fastest op log` shows the operations there are
    ");
    assert_snapshot!(scene.run("here", "agent", "redo"), @r"
    exit 2
    --- stderr
    error: there is nothing to redo: no operation of this workspace was undone
    hint: `fastest op log` shows the operations there are
    ");
    assert_snapshot!(scene.run("here", "agent", "undo 99"), @r"
    exit 2
    --- stderr
    error: this workspace has no operation 99 on this device
    hint: `fastest op log` shows the operations there are
    ");
    assert_snapshot!(scene.run("here", "agent", "undo last"), @r"
    exit 2
    --- stderr
    error: invalid value 'last' for '[OP]': invalid digit found in string

    For more information, try '--help'.
    ");
    scene.write("agent/text", "saved\n");
    scene.run("here", "agent", "snapshot -m saved");
    scene.run("here", "agent", "undo");
    scene.run("here", "agent", "snapshot -m again");
    assert_snapshot!(scene.run("here", "agent", "redo"), @r"
    exit 2
    --- stderr
    error: there is nothing to redo: since the last undo came 4 (snapshot)
    hint: `fastest op log` shows the operations there are
    ");
    let log = scene.text("here", "agent", "op log");
    let undone = log.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    let told = scene.run("here", "agent", &format!("undo {undone}"));
    assert!(told.starts_with("exit 2") && told.contains("was undone by"), "{told}");
}
