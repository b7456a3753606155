//! Things that come back: projects deleted on the primary, stores from a backup, folders of files.

use std::process::Command;

use crate::world::{Copy, sharing};

#[test]
fn what_was_deleted_on_the_primary_comes_back() {
    let scene = sharing(&["here", "there"]);
    scene.write("mine/a", "1");
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    let primary = rusqlite::Connection::open(scene.path("primary.db")).unwrap();
    primary
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM projects; DELETE FROM snapshots;
             DELETE FROM fastest_packs",
        )
        .unwrap();
    mine.run(&["pull"]);
    scene.write("mine/a", "2");
    assert_eq!(mine.run(&["push"])["pushed"], true);
    scene.run("there", "", "clone app yours");
    assert_eq!(scene.read("yours/a"), "2");
    assert_eq!(Copy::new(&scene, "there", "yours").log(), mine.log());
}

#[test]
fn a_store_from_a_backup_goes_on() {
    let scene = sharing(&["here"]);
    scene.write("mine/a", "1");
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    let copy = |from: &str, to: &str| {
        let copied =
            Command::new("cp").arg("-a").arg(scene.path(from)).arg(scene.path(to)).status();
        assert!(copied.unwrap().success());
    };
    copy("here", "backup");
    scene.write("mine/a", "2");
    mine.run(&["push"]);
    scene.write("mine/b", "3");
    mine.run(&["snapshot"]);
    std::fs::remove_dir_all(scene.path("here")).unwrap();
    copy("backup", "here");
    scene.write("mine/c", "4");
    // Other commands give the same warning that the push will give.
    let says = |report: &serde_json::Value| {
        let warnings = report["warnings"].as_array().unwrap().iter();
        let mut texts = warnings.map(|warning| warning.as_str().unwrap());
        assert!(texts.any(|text| text.contains("as after a restored backup")), "{report}");
    };
    let status = mine.run(&["status"]);
    says(&status);
    assert_eq!(status["added"], serde_json::Value::from(vec!["b", "c"]));
    assert_eq!(status["modified"], serde_json::Value::from(vec!["a"]));
    says(&mine.run(&["drift"]));
    says(&mine.run(&["workspace", "new", "fork", "../fork"]));
    let pushed = mine.run(&["push"]);
    assert_eq!(pushed["pushed"], true);
    says(&pushed);
    assert_eq!(mine.run(&["status"])["dirty"], false);
    scene.run("here", "", "clone app other");
    for (file, text) in [("a", "2"), ("b", "3"), ("c", "4")] {
        assert_eq!(scene.read(&format!("other/{file}")), text, "{file}");
    }
}

#[test]
fn a_folder_and_a_file_in_it_are_restored() {
    let scene = sharing(&["here"]);
    scene.write("mine/d/f", "1");
    scene.write("mine/d/g", "2");
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["snapshot"]);
    let head = mine.log().remove(0);
    std::fs::remove_dir_all(scene.path("mine/d")).unwrap();
    mine.run(&["restore", "--to", &head, "d/f", "d", "d/f"]);
    assert_eq!(scene.read("mine/d/f") + &scene.read("mine/d/g"), "12");
}
