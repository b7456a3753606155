//! Clones and new workspaces that were stopped halfway, by a full disk or a kill: the same command
//! again succeeds, and takes no second name.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;

/// A project `demo` with files that fill some space.
fn saved() -> Scene {
    let scene = Scene::new();
    for number in 0_u64..20 {
        // Text without a pattern, so that it compresses little.
        let mut state = number + 1;
        let mut step = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b' ' + (state >> 58) as u8)
        };
        let text: String = (0..30_000).map(&mut step).collect();
        scene.write(format!("demo/{number}"), &text);
    }
    assert!(scene.run("store", "demo", "push").starts_with("exit 0"));
    scene
}

fn workspaces(scene: &Scene) -> Vec<String> {
    let list = scene.text("store", "demo", "workspace list --json");
    let list: Value = serde_json::from_str(&list).unwrap();
    let all = list["workspaces"].as_array().unwrap().iter();
    all.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

/// A file system of 2 MiB, which is unmounted when this is dropped.
struct Disk<'s>(&'s Path);

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_nothing_and_no_name() {
    let scene = saved();
    let place = scene.path("disk");
    fs::create_dir(&place).unwrap();
    let mut mount = Command::new("mount");
    let mounted = mount.args(["-t", "tmpfs", "-o", "size=2m", "none"]).arg(&place).output();
    if !mounted.is_ok_and(|mounted| mounted.status.success()) {
        eprintln!("skipped a_full_disk_leaves_nothing_and_no_name: no file system can be mounted");
        return;
    }
    let _disk = Disk(&place);
    let filler = place.join("filler");
    for (at, free) in [0, 4, 8, 12, 16, 64, 400].into_iter().enumerate() {
        for (words, dir) in [
            (format!("clone demo ../disk/cloned --workspace c{at}"), "cloned"),
            (format!("workspace new w{at} ../disk/new"), "new"),
        ] {
            let fill = fs::write(&filler, vec![0; (2048 - free) << 10]);
            fill.unwrap_or_else(|_| assert!(free == 0, "{free} KiB are to be free"));
            let told = scene.run("store", "demo", &words);
            assert!(told.starts_with("exit 2"), "{free} KiB free, {words}: {told}");
            assert!(!place.join(dir).exists(), "{free} KiB free, {words}");
            let before = workspaces(&scene).len();
            fs::remove_file(&filler).unwrap();
            let told = scene.run("store", "demo", &words);
            assert!(told.starts_with("exit 0"), "{free} KiB had been free, {words}: {told}");
            assert_eq!(workspaces(&scene).len(), before + 1, "{words}");
            assert_eq!(fs::read_dir(place.join(dir)).unwrap().count(), 21);
            fs::remove_dir_all(place.join(dir)).unwrap();
        }
    }
}

/// Undoes the last step of a command that created a working copy in `other`: the store has a note
/// that it was begun, and no entry in the list of working copies.
fn forget(scene: &Scene, store: &str) {
    let forget = "DELETE FROM fastest_local_copy WHERE CAST(root AS TEXT) LIKE '%/other'";
    let replica = rusqlite::Connection::open(scene.path(store).join("replica.db")).unwrap();
    assert_eq!(replica.execute(forget, []).unwrap(), 1);
    let begun = "SELECT id FROM workspaces WHERE local_path LIKE '%/other'";
    let begun: String = replica.query_row(begun, [], |row| row.get(0)).unwrap();
    fs::write(scene.path(store).join("begun").join(begun), "").unwrap();
}

fn remove_content(scene: &Scene) {
    for number in 0..20 {
        fs::remove_file(scene.path(format!("other/{number}"))).unwrap();
    }
    fs::remove_file(scene.path("other/.fastest/head")).unwrap();
    fs::remove_file(scene.path("other/.fastest/index")).unwrap();
}

/// A device that has no other working copy looks at every command for those of earlier builds. One
/// that was cut short is none of them.
#[test]
fn the_first_clone_of_a_device_is_gone_on_with() {
    let scene = saved();
    let primary = scene.path("store/primary/primary.db");
    let told = scene.run("second", "", &format!("remote set file://{}", primary.display()));
    assert!(told.starts_with("exit 0"), "{told}");
    let told = scene.run("second", "", "clone demo other");
    assert!(told.starts_with("exit 0"), "{told}");
    forget(&scene, "second");
    remove_content(&scene);
    for words in ["doctor", "clone demo other"] {
        let told = scene.run("second", "", words);
        assert!(told.starts_with("exit 0"), "{words}: {told}");
    }
    assert_eq!(fs::read_dir(scene.path("other")).unwrap().count(), 21);
}

/// Runs a command that creates a working copy in `other`. `stop` undoes its last steps, as if it
/// had been stopped before them. Then runs the command again.
fn again(words: &str, stop: impl Fn(&Scene)) {
    let scene = saved();
    let made = scene.run("store", "demo", words);
    assert!(made.starts_with("exit 0"), "{words}: {made}");
    let names = workspaces(&scene);
    forget(&scene, "store");
    stop(&scene);
    let told = scene.run("store", "demo", words);
    assert!(told.starts_with("exit 0"), "{words}: {told}");
    assert_eq!(workspaces(&scene), names, "{words}");
    let status: Value =
        serde_json::from_str(&scene.text("store", "other", "status --json")).unwrap();
    assert_eq!(status["dirty"], false, "{words}: {status}");
    assert!(status["snapshot_id"].is_string(), "{words}: {status}");
    assert_eq!(fs::read_dir(scene.path("other")).unwrap().count(), 21, "{words}");
}

#[test]
fn what_a_killed_command_began_is_gone_on_with() {
    for words in ["clone demo ../other", "workspace new other ../other"] {
        // The workspace's name was taken, and nothing else was done.
        again(words, |scene| fs::remove_dir_all(scene.path("other")).unwrap());
        // The folder was a working copy, with no file in it; or not even that.
        again(words, remove_content);
        again(words, |scene| {
            remove_content(scene);
            fs::remove_file(scene.path("other/.fastest/workspace.json")).unwrap();
        });
        // Some of its files were there, or all.
        again(words, |scene| {
            fs::remove_file(scene.path("other/.fastest/head")).unwrap();
            fs::remove_file(scene.path("other/7")).unwrap();
        });
        again(words, |_| ());
    }
}

#[test]
fn a_working_copy_that_is_finished_is_not_taken_for_one_that_is_not() {
    let scene = saved();
    for words in ["clone demo ../other", "workspace new other ../other"] {
        scene.run("store", "demo", words);
        let told = scene.run("store", "demo", words);
        assert!(told.starts_with("exit 2"), "{words}: {told}");
    }
    assert_eq!(workspaces(&scene), ["main", "other"]);
}

/// An ext4 with blocks of 1 KiB. SQLite allocates only one in four of them when it maps its `-shm`
/// file.
#[test]
fn a_full_disk_under_the_store_is_an_error_and_no_crash() {
    let scene = Scene::new();
    let (image, place) = (scene.path("image"), scene.path("disk"));
    fs::create_dir(&place).unwrap();
    fs::File::create(&image).unwrap().set_len(12 << 20).unwrap();
    let done = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    let made = done(Command::new("mkfs.ext4").args(["-q", "-b", "1024", "-m", "0"]).arg(&image));
    if !made || !done(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&place)) {
        eprintln!(
            "skipped a_full_disk_under_the_store_is_an_error_and_no_crash: no image can be mounted"
        );
        return;
    }
    let _disk = Disk(&place);
    scene.write("demo/a", "1");
    assert!(scene.run("disk/store", "demo", "push").starts_with("exit 0"));
    let filler = place.join("filler");
    // Most of the disk is filled once; what is left, for each round.
    let fill = |bytes: usize| {
        let mut file = fs::File::create(&filler).unwrap();
        let written = (0..bytes / 1024).map_while(|_| file.write_all(&[1; 1024]).ok()).count();
        drop(file);
        written * 1024
    };
    let all = fill(usize::MAX);
    for free in (0..64).step_by(2).chain((240..300).step_by(4)) {
        fill(usize::MAX);
        let file = fs::OpenOptions::new().write(true).open(&filler).unwrap();
        file.set_len((all.saturating_sub(free << 10)) as u64).unwrap();
        file.sync_all().unwrap();
        for words in ["status", "workspace rename main main"] {
            // A command that a signal ended has no exit status, and `run` panics.
            let told = scene.run("disk/store", "demo", words);
            let ended = told.starts_with("exit 0") || told.starts_with("exit 2");
            assert!(ended, "{free} KiB free, {words}: {told}");
        }
    }
    fs::remove_file(&filler).unwrap();
    assert!(scene.run("disk/store", "demo", "push").starts_with("exit 0"));
}

#[test]
fn what_a_killed_clone_left_is_removed_even_if_that_was_killed_too() {
    let scene = saved();
    // The remains, after more and more of them was removed. The lock goes last.
    let states: [&[&str]; 4] =
        [&["lock", "head", "tmp/1/a", "tmp/b"], &["lock", "tmp/b"], &["lock"], &[]];
    for (number, remains) in states.into_iter().enumerate() {
        let state = scene.path("cloned").join(".fastest");
        fs::create_dir_all(&state).unwrap();
        for file in remains {
            fs::create_dir_all(state.join(file).parent().unwrap()).unwrap();
            fs::write(state.join(file), "").unwrap();
        }
        let told =
            scene.run("store", "demo", &format!("clone demo ../cloned --workspace c{number}"));
        assert!(told.starts_with("exit 0"), "{remains:?}: {told}");
        assert!(!state.join("tmp/b").exists() && !state.join("1").exists());
        fs::remove_dir_all(scene.path("cloned")).unwrap();
    }
    // What may be somebody else's is no remains.
    fs::create_dir_all(scene.path("cloned/.fastest")).unwrap();
    scene.write("cloned/.fastest/mine", "mine");
    let told = scene.run("store", "demo", "clone demo ../cloned --workspace other");
    assert!(told.contains("is not empty"), "{told}");
}
