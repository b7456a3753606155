//! Many processes at once: on one store and one primary, on one workspace, and on copies of one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};

use serde_json::Value;

use crate::world::{Copy, Random, accepted, edit, sharing};

/// Waits for pushes that run in parallel. Returns the snapshots that they published.
fn all_end(pushes: Vec<Child>) -> BTreeSet<String> {
    let end = |push: Child| {
        let report = accepted(&["push"], &push.wait_with_output().unwrap());
        assert_eq!(report["pushed"], Value::Bool(true), "{report}");
        report["snapshot_id"].as_str().unwrap().to_owned()
    };
    pushes.into_iter().map(end).collect()
}

fn assert_in_log(copy: &Copy<'_>, snapshots: &BTreeSet<String>) {
    let log: BTreeSet<String> = copy.log().into_iter().collect();
    let lost: Vec<_> = snapshots.difference(&log).collect();
    assert!(lost.is_empty(), "not in the log: {lost:?}");
    assert_eq!(copy.run(&["doctor"])["problems"], Value::Array(Vec::new()));
}

#[test]
fn eight_workspaces_of_one_project() {
    let mut random = Random::new(8);
    let scene = sharing(&["store"]);
    fs::create_dir(scene.path("w0")).unwrap();
    edit(&scene.path("w0"), 200, &mut random);
    let copies: Vec<_> = (0..8).map(|n| Copy::new(&scene, "store", &format!("w{n}"))).collect();
    copies[0].run(&["init", "--name", "app"]);
    copies[0].run(&["push"]);
    for copy in &copies[1..] {
        let folder = copy.root();
        copies[0].run(&["workspace", "new", &copy.folder, folder.to_str().unwrap()]);
    }
    let mut snapshots = BTreeSet::new();
    for _ in 0..4 {
        copies.iter().for_each(|copy| edit(&copy.root(), 5, &mut random));
        snapshots.append(&mut all_end(copies.iter().map(|copy| copy.start(&["push"])).collect()));
    }
    assert_in_log(&copies[3], &snapshots);
    assert!(snapshots.len() >= 4 * 7, "edits of five files seldom undo themselves");
}

#[test]
fn four_pushes_to_one_workspace() {
    let scene = sharing(&["store"]);
    scene.write("w/first", "1");
    let copy = Copy::new(&scene, "store", "w");
    copy.run(&["init", "--name", "app"]);
    let mut snapshots = BTreeSet::new();
    for round in 0..4 {
        let push = |n| {
            scene.write(format!("w/file-{round}-{n}"), "text");
            copy.start(&["push"])
        };
        snapshots.append(&mut all_end((0..4).map(push).collect()));
    }
    assert_in_log(&copy, &snapshots);
    assert_eq!(copy.run(&["status"])["dirty"], Value::Bool(false));
}

#[test]
fn four_devices_push_copies_of_one_working_copy() {
    let stores = ["s0", "s1", "s2", "s3"];
    let scene = sharing(&stores);
    scene.write("c0/first", "1");
    let copies: Vec<_> = (0..4).map(|n| Copy::new(&scene, stores[n], &format!("c{n}"))).collect();
    copies[0].run(&["init", "--name", "app"]);
    copies[0].run(&["push"]);
    for copy in &copies[1..] {
        // The clone brings the project into the store. The folder itself is a copy of the first
        // one.
        scene.run(&copy.store, "", &format!("clone app {}-other", copy.folder));
        copy_folder(&scene.path("c0"), &copy.root());
    }
    let mut snapshots = BTreeSet::new();
    for round in 0..3 {
        let push = |copy: &Copy<'_>| {
            scene.write(format!("{}/file-{round}-{}", copy.folder, copy.folder), "text");
            copy.start(&["push"])
        };
        snapshots.append(&mut all_end(copies.iter().map(push).collect()));
    }
    for copy in copies.iter().chain(&copies) {
        copy.run(&["pull"]);
        copy.run(&["push"]);
    }
    for copy in &copies {
        copy.run(&["pull"]);
        assert_in_log(copy, &snapshots);
        for (round, other) in (0..3).flat_map(|round| (0..4).map(move |other| (round, other))) {
            let file = copy.root().join(format!("file-{round}-c{other}"));
            assert!(file.is_file(), "{} is missing", file.display());
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}
