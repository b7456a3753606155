//! `merge`: what it would do, and that it does that and nothing else.

use insta::assert_snapshot;

use crate::scene::Scene;

/// A project in `main`, with the workspace `agent` beside it. Both change `text`, main at the ends given, and
/// main has a new file.
fn project(main: &str) -> Scene {
    let scene = Scene::new();
    scene.write("main/text", "1\n2\n3\n4\n5\n");
    scene.write("main/other", "other\n");
    scene.run("here", "main", "init --name app");
    scene.run("here", "main", "push -q");
    scene.run("here", "main", "workspace new agent ../agent");
    scene.write("main/text", main);
    scene.write("main/new", "new\n");
    scene.run("here", "main", "push -q");
    scene.write("agent/text", "1\n2\n3\n4\nfive\n");
    scene
}

/// Returns the id of a preview.
fn preview(scene: &Scene) -> String {
    scene.field("here", "agent", "merge main --dry-run", "preview")
}

#[test]
fn a_merge_shows_what_it_would_do_and_does_that() {
    let scene = project("one\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "merge --dry-run"), @r"
    exit 0
    --- stdout
    A new
    M text
    A merge of main would bring: 1 file added, 1 modified
    --- stderr
    hint: `fastest merge main --preview [ID]` does just that, within 30 minutes and if neither side moves
    ");
    assert_eq!(scene.read("agent/text"), "1\n2\n3\n4\nfive\n", "nothing has changed");
    assert_snapshot!(scene.run("here", "agent", "log"), @r"
    exit 0
    --- stdout
    snap-[ID] [TIME] main
    snap-[ID] [TIME] main
    ");
    let id = preview(&scene);
    assert_snapshot!(scene.run("here", "agent", &format!("merge main --preview {id}")), @r"
    exit 0
    --- stdout
    A new
    M text
    Pulled from main: 1 file added, 1 modified; now at snap-[ID]
    --- stderr
    note: `fastest undo` brings back how things were before
    ");
    assert_eq!(scene.read("agent/text"), "one\n2\n3\n4\nfive\n");
    assert_snapshot!(scene.run("here", "agent", "merge --dry-run"), @r"
    exit 0
    --- stdout
    Up to date with main
    ");
    assert_snapshot!(scene.run("here", "agent", "undo"), @r"
    exit 0
    --- stdout
    M text
    D new
    Undid 3 (pull main): 1 file modified, 1 deleted; now at snap-[ID]
    ");
}

#[test]
fn a_preview_is_refused_once_either_side_has_moved() {
    let scene = project("one\n2\n3\n4\n5\n");
    let run = |id: &str| scene.run("here", "agent", &format!("merge main --preview {id}"));
    let refused = |told: String, why: &str| {
        assert!(told.starts_with("exit 2") && told.contains(why), "{why}: {told}");
    };
    let id = preview(&scene);
    scene.write("agent/other", "changed meanwhile\n");
    refused(run(&id), "files here have changed");
    let id = preview(&scene);
    scene.run("here", "agent", "snapshot -q");
    refused(run(&id), "this working copy has moved on");
    let id = preview(&scene);
    scene.write("main/later", "later\n");
    scene.run("here", "main", "push -q");
    refused(run(&id), "main has moved on");
    refused(run("no-such-id"), "older than 30 minutes, or was made elsewhere");
    assert_eq!(scene.read("agent/text"), "1\n2\n3\n4\nfive\n", "nothing was merged");
    assert!(run(&preview(&scene)).starts_with("exit 0"));
}

#[test]
fn one_side_settles_what_conflicts() {
    for (side, expected) in [("ours", "1\n2\n3\n4\nfive\n"), ("theirs", "1\n2\n3\n4\nFIVE\n")] {
        let scene = project("1\n2\n3\n4\nFIVE\n");
        let shown = scene.run("here", "agent", "merge main --dry-run");
        assert!(shown.starts_with("exit 1") && shown.contains("C text"), "{shown}");
        let told = scene.run("here", "agent", &format!("merge main --{side}"));
        assert!(told.starts_with("exit 0"), "{told}");
        assert_eq!(scene.read("agent/text"), expected, "{side}");
        assert_eq!(scene.read("agent/new"), "new\n", "what does not conflict is merged");
        assert!(scene.run("here", "agent", "conflicts").starts_with("exit 0"));
    }
}

#[test]
fn what_cannot_be_merged_says_why() {
    let scene = project("one\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "merge agent"), @r#"
    exit 2
    --- stderr
    error: this working copy is workspace "agent": there is nothing to merge with itself
    hint: name another workspace: `fastest workspace list` shows them
    "#);
    assert_snapshot!(scene.run("here", "agent", "merge nobody"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "nobody"
    hint: `fastest workspace list` shows the workspaces there are
    "#);
    assert_snapshot!(scene.run("here", "agent", "merge main --ours --theirs"), @r"
    exit 2
    --- stderr
    error: the argument '--ours' cannot be used with '--theirs'

    Usage: fastest merge --ours <WORKSPACE>

    For more information, try '--help'.
    ");
}

#[test]
fn workspaces_without_a_common_past_are_merged_on_demand() {
    let scene = Scene::new();
    scene.write("main/x", "");
    std::fs::remove_file(scene.path("main/x")).unwrap();
    scene.run("here", "main", "init --name app");
    scene.run("here", "main", "push -q");
    scene.run("here", "main", "workspace new agent ../agent");
    scene.write("main/text", "main\n");
    scene.write("agent/text", "agent\n");
    scene.run("here", "main", "push -q");
    scene.run("here", "agent", "push -q");
    assert_snapshot!(scene.run("here", "agent", "merge main"), @r"
    exit 2
    --- stderr
    error: agent and main have no snapshot in common
    hint: `--allow-unrelated` merges them; every file that differs is in conflict then
    ");
    assert_eq!(scene.read("agent/text"), "agent\n");
    assert_snapshot!(scene.run("here", "agent", "merge main --allow-unrelated"), @r"
    exit 1
    --- stdout
    M text
    C text (changed in agent and in main)
    Pulled from main: 1 file modified, 1 conflict; now at snap-[ID]
    --- stderr
    warning: 1 file is in conflict: nothing of either side is lost
    hint: edit what stands between the markers in the files marked C, or run `fastest resolve PATH`, with --ours or --theirs for one side
    ");
    assert!(scene.read("agent/text").contains("main\n"));
}
