//! `drift`, three ways: what each side changed since the two parted, all pairs, and the reports of earlier runs.

use std::fs::{self, File};

use insta::assert_snapshot;
use serde_json::Value;

use crate::scene::Scene;

const LINES: &str = "1\n2\n3\n4\n5\n";

/// A project in `main` on device `here`, with the workspace `agent` beside it, and a shared primary.
fn project() -> Scene {
    let scene = Scene::new();
    scene.write("main/text", LINES);
    scene.write("main/other", LINES);
    scene.write("home/x", "");
    fs::create_dir(scene.path("disk")).unwrap();
    let primary = format!("file://{}", scene.path("disk/primary.db").display());
    for store in ["here", "there"] {
        scene.run(store, "home", &format!("remote set {primary}"));
    }
    scene.run("here", "main", "init --name app");
    scene.run("here", "main", "push -q");
    scene.run("here", "main", "workspace new agent ../agent");
    scene
}

fn json(scene: &Scene, dir: &str, words: &str) -> Value {
    let text = scene.text("here", dir, &format!("{words} --json"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Returns the names, the counts and the paths of each pair.
fn pairs(report: &Value) -> Vec<String> {
    let pairs = report["pairs"].as_array().expect("there are pairs").iter();
    let told = pairs.map(|pair| {
        let text = |field: &str| pair[field].as_str().expect("it is a text").to_owned();
        format!(
            "{} {} {}+{} {} {}",
            text("ours"),
            text("theirs"),
            pair["ours_changed"],
            pair["theirs_changed"],
            pair["overlap"],
            pair["conflicting"]
        )
    });
    told.collect()
}

#[track_caller]
fn exits(scene: &Scene, dir: &str, words: &str, code: u8) {
    let told = scene.run("here", dir, words);
    assert!(told.starts_with(&format!("exit {code}")), "{words}: {told}");
}

#[test]
fn what_each_side_changed_is_told() {
    let scene = project();
    assert_snapshot!(scene.run("here", "agent", "drift"), @r"
    exit 0
    --- stdout
    agent is the same as main: 2 files
    ");
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    scene.write("agent/new", "new\n");
    scene.write("main/other", "1\n2\n3\n4\nfive\n");
    scene.run("here", "main", "push -q");
    assert_snapshot!(scene.run("here", "agent", "drift"), @r"
    exit 1
    --- stdout
    + new
    ! other
    ! text
    agent drifts from main: 1 file added, 2 modified (26 B); 0 files the same
    since they parted at snap-[ID]: 2 files changed here, 1 in main; on both sides: none
    ");
    let report = json(&scene, "agent", "drift");
    assert!(report["base_snapshot_id"].as_str().unwrap().starts_with("snap-"));
    assert_eq!((&report["ours_changed"], &report["theirs_changed"]), (&2.into(), &1.into()));
    exits(&scene, "agent", "drift --fail-on any", 1);
    exits(&scene, "agent", "drift --fail-on overlap", 0);
    exits(&scene, "agent", "drift --fail-on conflict", 0);

    // The same file at its two ends.
    scene.write("agent/other", "one\n2\n3\n4\n5\n");
    assert_snapshot!(scene.run("here", "agent", "drift"), @r"
    exit 1
    --- stdout
    + new
    ! other
    ! text
    agent drifts from main: 1 file added, 2 modified (28 B); 0 files the same
    since they parted at snap-[ID]: 3 files changed here, 1 in main; on both sides: other
    ");
    exits(&scene, "agent", "drift --fail-on overlap", 1);
    exits(&scene, "agent", "drift --fail-on conflict", 0);

    // The same line.
    scene.write("agent/other", "1\n2\n3\n4\nFIVE\n");
    scene.run("here", "agent", "snapshot -q");
    assert_snapshot!(scene.run("here", "agent", "drift --committed"), @r"
    exit 1
    --- stdout
    + new
    ! other
    ! text
    agent drifts from main: 1 file added, 2 modified (29 B); 0 files the same
    since they parted at snap-[ID]: 3 files changed here, 1 in main; on both sides: other (conflicts)
    ");
    exits(&scene, "agent", "drift --fail-on conflict", 1);
    // A pull finds the conflict that drift has told of.
    let pulled = scene.run("here", "agent", "pull");
    assert!(pulled.contains("\nC other"), "{pulled}");
    // Settled as main has it, it is no drift any more.
    scene.run("here", "agent", "resolve other --theirs");
    let report = json(&scene, "agent", "drift");
    assert_eq!((&report["ours_changed"], &report["theirs_changed"]), (&2.into(), &0.into()));
}

#[test]
fn all_pairs_are_compared_with_what_is_unsaved_next_door() {
    let scene = project();
    scene.run("here", "main", "workspace new other ../other");
    assert_snapshot!(scene.run("here", "agent", "drift --all"), @r"
    exit 0
    --- stdout
    3 workspaces, 3 pairs: 0 in conflict, 0 with the same files changed, 0 with other files changed, 3 the same
    ");
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    scene.write("other/text", "ONE\n2\n3\n4\n5\n");
    scene.write("main/text", "1\n2\n3\n4\nfive\n");
    scene.write("main/more", "");
    scene.run("here", "main", "push -q");
    assert_snapshot!(scene.run("here", "agent", "drift --all"), @r"
    exit 1
    --- stdout
    conflicts  overlaps  changed
            1         1      1+1  agent* and other*: text (conflicts)
            0         1      1+2  agent* and main: text
            0         1      1+2  other* and main: text
    3 workspaces, 3 pairs: 1 in conflict, 2 with the same files changed, 0 with other files changed, 0 the same
    --- stderr
    note: * has unsaved changes, which are compared too
    ");
    let report = json(&scene, "agent", "drift --all");
    let first = r#"agent other 1+1 ["text"] ["text"]"#;
    assert_eq!(pairs(&report)[0], first);
    assert_eq!(report["pairs"][0]["unsaved_seen"], true);
    assert_eq!(report["workspaces"][0]["name"], "agent");
    assert_eq!(report["workspaces"][2]["name"], "main");
    exits(&scene, "agent", "drift --all --fail-on conflict", 1);
    // In snapshots, only main has changed.
    assert_snapshot!(scene.run("here", "agent", "drift --all --committed"), @r"
    exit 1
    --- stdout
    conflicts  overlaps  changed
            0         0      0+2  agent and main
            0         0      0+2  other and main
    3 workspaces, 3 pairs: 0 in conflict, 0 with the same files changed, 2 with other files changed, 1 the same
    ");
    exits(&scene, "agent", "drift --all --committed --fail-on overlap", 0);
    // Nothing was recorded, and no folder was changed.
    assert_snapshot!(scene.run("here", "agent", "drift --history other"), @r"
    exit 0
    --- stderr
    note: agent was not compared with other yet
    ");
    assert_snapshot!(scene.run("here", "other", "status"), @r"
    exit 0
    --- stdout
    M text
    app/other: 1 file modified since snap-[ID]
    ");
}

#[test]
fn what_cannot_be_looked_at_is_compared_by_its_snapshot() {
    let scene = project();
    scene.run("there", "home", "clone app ../far --workspace far");
    scene.write("far/text", "far\n2\n3\n4\n5\n");
    scene.run("there", "far", "push -q");
    scene.write("far/other", "unseen\n");
    scene.write("agent/text", "agent\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push -q");
    // The primary is asked once, and tells of the workspace on another device.
    let report = json(&scene, "main", "drift --all");
    assert!(pairs(&report).contains(&r#"agent far 1+1 ["text"] ["text"]"#.to_owned()), "{report}");
    assert_eq!(report["pairs"][0]["unsaved_seen"], false);
    // Another command works in the folder.
    scene.write("agent/other", "agent\n");
    let lock = File::open(scene.path("agent/.fastest/lock")).unwrap();
    lock.lock().unwrap();
    let told = scene.run("here", "main", "drift --all");
    let warning = "warning: workspace agent is compared by its newest snapshot: another command is at work in";
    assert!(told.contains(warning), "{told}");
    drop(lock);
    let report = json(&scene, "main", "drift --all");
    assert!(pairs(&report).contains(&r#"agent far 2+1 ["text"] ["text"]"#.to_owned()), "{report}");
    // The folder is gone.
    fs::remove_dir_all(scene.path("agent")).unwrap();
    let told = scene.run("here", "main", "drift --all");
    assert!(told.contains("agent is gone"), "{told}");
    assert!(
        told.contains("        1         1      1+1  agent and far: text (conflicts)"),
        "{told}"
    );
    // Without the primary, everything is as it was last seen.
    fs::rename(scene.path("disk"), scene.path("unplugged")).unwrap();
    let report = json(&scene, "main", "drift --all");
    assert_eq!(report["offline"], true);
    assert!(pairs(&report).contains(&r#"agent far 1+1 ["text"] ["text"]"#.to_owned()), "{report}");
}

/// Of two folders of one workspace, one is compared, and the other is named.
#[test]
fn a_second_folder_of_a_workspace_is_named() {
    let scene = project();
    let copied = std::process::Command::new("cp")
        .args(["-r", "agent", "twin"])
        .current_dir(scene.path(""))
        .status();
    assert!(copied.expect("cp runs").success());
    scene.run("here", "twin", "status");
    let told = scene.run("here", "main", "drift --all");
    assert!(told.contains("/twin is also workspace agent: only "), "{told}");
    // Only one of the two commands is in the workspace's folder that counts.
    scene.write("twin/text", "twin\n");
    assert_eq!(pairs(&json(&scene, "twin", "drift --all")), ["agent main 1+0 [] []"]);
    assert_eq!(pairs(&json(&scene, "main", "drift --all")), ["main agent 0+0 [] []"]);
}

/// The content of an unsaved file is read from its folder, also if it is so large that it is cut into chunks.
#[test]
fn large_files_are_compared_by_line_before_they_are_saved() {
    let scene = project();
    let lines: Vec<String> = (0..200_000).map(|number| format!("line {number}\n")).collect();
    let text = lines.concat();
    scene.write("main/large", &text);
    scene.run("here", "main", "push -q");
    scene.run("here", "agent", "pull -q");
    scene.write("agent/large", &text.replacen("line 7\n", "agent\n", 1));
    scene.write("main/large", &text.replacen("line 190000\n", "main\n", 1));
    let report = json(&scene, "agent", "drift --all");
    assert_eq!(pairs(&report), [r#"agent main 1+1 ["large"] []"#]);
    scene.write("main/large", &text.replacen("line 7\n", "main\n", 1));
    let report = json(&scene, "agent", "drift --all");
    assert_eq!(pairs(&report), [r#"agent main 1+1 ["large"] ["large"]"#]);
    assert_eq!(report["warnings"], Value::Array(vec![]));
}

/// Main's folder is behind main: somebody has landed there. Both what landed and what is unsaved is compared.
#[test]
fn a_folder_that_is_behind_hides_nothing() {
    let scene = project();
    scene.run("here", "main", "workspace new other ../other");
    scene.write("agent/text", "agent\n2\n3\n4\n5\n");
    scene.run("here", "agent", "push --to main -q");
    scene.write("main/other", "main\n2\n3\n4\n5\n");
    scene.write("other/text", "other\n2\n3\n4\n5\n");
    scene.write("other/other", "other\n2\n3\n4\n5\n");
    let report = json(&scene, "other", "drift --all");
    let all = pairs(&report);
    assert_eq!(all[0], r#"other main 2+2 ["other","text"] ["other","text"]"#);
    assert!(all.contains(&r#"agent main 0+1 [] []"#.to_owned()), "{all:?}");
}

#[test]
fn workspaces_without_a_common_past() {
    let scene = Scene::new();
    scene.write("main/text", LINES);
    scene.run("here", "main", "init --name app");
    scene.run("here", "main", "workspace new agent ../agent");
    scene.write("agent/text", "agent\n");
    scene.write("agent/new", "");
    assert_snapshot!(scene.run("here", "agent", "drift --all"), @r"
    exit 1
    --- stdout
    conflicts  overlaps  changed
            1         1      2+1  agent* and main* (without a common past): text (conflicts)
    2 workspaces, 1 pair: 1 in conflict, 0 with the same files changed, 0 with other files changed, 0 the same
    --- stderr
    note: * has unsaved changes, which are compared too
    note: agent has no snapshot yet
    note: main has no snapshot yet
    ");
    // Each takes its first snapshot.
    scene.run("here", "main", "snapshot -q");
    scene.run("here", "agent", "snapshot -q");
    assert_snapshot!(scene.run("here", "agent", "drift main"), @r"
    exit 1
    --- stdout
    + new
    ! text
    agent drifts from main: 1 file added, 1 modified (6 B); 0 files the same
    without a common past: 2 files changed here, 1 in main; on both sides: text (conflicts)
    ");
    assert_snapshot!(scene.run("here", "agent", "drift --all --committed"), @r"
    exit 1
    --- stdout
    conflicts  overlaps  changed
            1         1      2+1  agent and main (without a common past): text (conflicts)
    2 workspaces, 1 pair: 1 in conflict, 0 with the same files changed, 0 with other files changed, 0 the same
    ");
    let report = json(&scene, "agent", "drift main");
    assert_eq!(report["base_snapshot_id"], Value::Null);
    assert_eq!(report["common_base"], false);
}

#[test]
fn reports_are_kept() {
    let scene = project();
    scene.write("agent/text", "one\n2\n3\n4\n5\n");
    scene.run("here", "agent", "drift");
    scene.write("agent/new", "new\n");
    scene.run("here", "agent", "drift");
    assert_snapshot!(scene.run("here", "agent", "drift --history"), @r"
    exit 0
    --- stdout
    [TIME] snap-[ID] snap-[ID] 1 file added, 1 modified (16 B); changed here: 2, there: 0, on both sides: 0, in conflict: 0
    [TIME] snap-[ID] snap-[ID] 1 file modified (12 B); changed here: 1, there: 0, on both sides: 0, in conflict: 0
    ");
    let report = json(&scene, "agent", "drift --history main");
    let added: Vec<&Value> =
        report["reports"].as_array().unwrap().iter().map(|one| &one["files_added"]).collect();
    assert_eq!(added, [1, 0]);
    // The other way round, nothing was compared.
    let report = json(&scene, "main", "drift --history agent");
    assert_eq!(report["reports"], Value::Array(vec![]));
    assert_snapshot!(scene.run("here", "main", "drift --history nobody"), @r#"
    exit 2
    --- stderr
    error: there is no workspace "nobody"
    hint: `fastest workspace list` shows the workspaces there are
    "#);
}

#[test]
fn options_that_exclude_each_other() {
    let scene = Scene::new();
    for words in ["drift main --all", "drift --all --history", "drift --history --committed"] {
        let told = scene.run("", "", words);
        assert!(told.contains("cannot be used with"), "{told}");
    }
    let told = scene.run("", "", "drift --fail-on nothing");
    assert!(told.contains("[possible values: any, overlap, conflict]"), "{told}");
}
