//! What file systems have besides names and bytes: symlinks in paths, modes, holes, special files;
//! and clocks that disagree.

use std::fs::{self, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Copy, sharing};

/// A project in `mine`, and a clone of it in `yours`.
fn two(files: &[(&str, &str)]) -> Scene {
    let scene = sharing(&["here", "there"]);
    for (name, text) in files {
        scene.write(format!("mine/{name}"), text);
    }
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    assert!(scene.run("there", "", "clone app yours").starts_with("exit 0"));
    scene
}

#[test]
fn paths_that_lead_through_a_link_are_inside() {
    let scene = two(&[("f", "1"), ("d/g", "1")]);
    let head = Copy::new(&scene, "here", "mine").log().remove(0);
    symlink(scene.path(""), scene.path("link")).unwrap();
    symlink(scene.path("mine/d"), scene.path("into")).unwrap();
    let link = scene.path("link/mine");
    let link = link.to_str().unwrap();
    for (dir, path) in [
        ("mine", format!("{link}/f")),
        ("link/mine", format!("{link}/d/../f")),
        ("link/mine", "f".into()),
        ("mine/d", format!("{link}/d/g")),
        ("mine", scene.path("into/g").to_str().unwrap().into()),
    ] {
        scene.write("mine/f", "2");
        scene.write("mine/d/g", "2");
        let told = scene.run_args("here", dir, &["restore", &path, "--to", &head]);
        assert!(told.starts_with("exit 0"), "{path}: {told}");
        let file = if path.ends_with('g') { "mine/d/g" } else { "mine/f" };
        assert_eq!(scene.read(file), "1", "{path}");
    }
    for path in [format!("{link}/f"), "f".into(), "/f".into()] {
        let told = scene.run_args("here", "mine", &["cat", &head, &path]);
        assert_eq!(told, "exit 0\n--- stdout\n1", "{path}");
    }
    let told = scene.run_args("here", "mine", &["restore", &format!("{link}/../f")]);
    assert!(told.contains("outside of the working copy"), "{told}");
}

#[test]
fn a_file_that_only_its_owner_may_read_stays_so() {
    let scene = two(&[("pulled", "1"), ("restored", "1"), ("executable", "1")]);
    let files = ["pulled", "restored", "executable"];
    for file in files {
        let path = scene.path(format!("yours/{file}"));
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    scene.write("mine/pulled", "2");
    fs::set_permissions(scene.path("mine/executable"), Permissions::from_mode(0o755)).unwrap();
    Copy::new(&scene, "here", "mine").run(&["push"]);
    let yours = Copy::new(&scene, "there", "yours");
    yours.run(&["pull"]);
    assert_eq!(yours.run(&["status"])["dirty"], false);
    fs::write(scene.path("yours/restored"), "2").unwrap();
    yours.run(&["restore", "restored"]);
    // The conflict copy of their version is as private as ours.
    fs::write(scene.path("yours/pulled"), "ours\0").unwrap();
    scene.write("mine/pulled", "theirs\0");
    Copy::new(&scene, "here", "mine").run(&["push"]);
    let theirs = yours.run(&["pull"])["conflicts"][0]["theirs"].as_str().unwrap().to_owned();
    let theirs = fs::metadata(scene.path("yours").join(theirs)).unwrap().permissions().mode();
    assert_eq!(theirs & 0o777, 0o600);
    let modes = files.map(|file| {
        fs::metadata(scene.path(format!("yours/{file}"))).unwrap().permissions().mode() & 0o777
    });
    assert_eq!(modes, [0o600, 0o600, 0o700]);
}

#[test]
fn sparse_files_stay_sparse() {
    let scene = two(&[("f", "1")]);
    let large = fs::File::create(scene.path("mine/disk.img")).unwrap();
    large.set_len(100 << 20).unwrap();
    large.write_all_at(b"data", 50_000_000).unwrap();
    let kept = |path: &str| fs::metadata(scene.path(path)).unwrap().blocks() * 512;
    if kept("mine/disk.img") > 1 << 20 {
        return; // The file system does not support holes.
    }
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["push"]);
    Copy::new(&scene, "there", "yours").run(&["pull"]);
    scene.run("there", "", "clone app clone");
    fs::remove_file(scene.path("mine/disk.img")).unwrap();
    mine.run(&["restore", "disk.img"]);
    for path in ["yours/disk.img", "clone/disk.img", "mine/disk.img"] {
        assert!(kept(path) <= 1 << 20, "{path}: {} bytes", kept(path));
        let bytes = fs::read(scene.path(path)).unwrap();
        assert!(bytes.len() == 100 << 20 && bytes[50_000_000..].starts_with(b"data"), "{path}");
    }
}

#[test]
fn the_names_of_conflict_copies_are_text() {
    // Long names: a cut may fall at any byte of a character.
    let cyrillic = (0..2).map(|shift| "x".repeat(shift) + &"\u{434}".repeat(125));
    let chinese = (0..3).map(|shift| "x".repeat(shift) + &"\u{6587}".repeat(84));
    let long: Vec<String> = cyrillic.chain(chinese).chain(["x".repeat(251) + ".txt"]).collect();
    let files: Vec<(&str, &str)> = long.iter().map(|name| (name.as_str(), "1")).collect();
    let scene = two(&files);
    for name in &long {
        scene.write(format!("mine/{name}"), "mine\0");
        scene.write(format!("yours/{name}"), "yours\0");
    }
    Copy::new(&scene, "here", "mine").run(&["push"]);
    Copy::new(&scene, "there", "yours").run(&["pull"]);
    let names: Vec<_> = fs::read_dir(scene.path("yours"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2 * long.len() + 1);
    assert!(names.iter().all(|name| name.to_str().is_some()), "{names:?}");
}

#[test]
fn what_is_skipped_is_told_by_every_command_that_looks() {
    let scene = two(&[("f", "1")]);
    let fifo = Command::new("mkfifo").arg(scene.path("yours/pipe")).status().unwrap();
    assert!(fifo.success());
    scene.write("mine/f", "2");
    Copy::new(&scene, "here", "mine").run(&["push"]);
    let yours = Copy::new(&scene, "there", "yours");
    let commands: [&[&str]; 5] = [&["status"], &["drift"], &["restore", "f"], &["pull"], &["push"]];
    for words in commands {
        if words != ["push"] {
            scene.write("yours/f", "unsaved");
        }
        let report = yours.run(words);
        assert_eq!(report["skipped"], Value::from(vec!["pipe (FIFO)"]), "{words:?}: {report}");
        let told = scene.run_args("there", "yours", words);
        // A pull that has nothing to do does not scan.
        assert!(words == ["pull"] || told.contains("warning: skipped pipe: FIFO"), "{told}");
    }
    // `drift` also has a field for what an interrupted checkout left.
    let drift = yours.run(&["drift"]);
    assert!(drift["warnings"].is_array(), "{drift}");
}

#[test]
fn no_parent_stands_above_its_child_in_the_log_whatever_the_clock() {
    let scene = two(&[("f", "1")]);
    let mine = Copy::new(&scene, "here", "mine");
    for text in ["2", "3", "4"] {
        scene.write("mine/f", text);
        mine.run(&["snapshot"]);
    }
    let expect = mine.log();
    let rows = rusqlite::Connection::open(scene.path("here/replica.db")).unwrap();
    for (at, year) in [(0, 2001), (1, 2031), (2, 2002), (3, 2030)] {
        let sql = "UPDATE snapshots SET created_at = ?1 WHERE id = ?2";
        rows.execute(sql, [&format!("{year}-01-01T00:00:00.000Z"), &expect[at]]).unwrap();
    }
    drop(rows);
    assert_eq!(mine.log(), expect);
    let two = mine.run(&["log", "-n", "2"]);
    let ids = two["snapshots"].as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), expect[..2]);
}
