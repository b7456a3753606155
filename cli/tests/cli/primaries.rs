//! Primaries that change while a device uses them: another one, a restored backup, a lost disk.

use std::fs;

use crate::scene::Scene;

/// Runs a command that must succeed.
fn done(scene: &Scene, store: &str, dir: &str, words: &str) -> String {
    let told = scene.run(store, dir, words);
    assert!(told.starts_with("exit 0"), "{words}: {told}");
    told
}

/// Returns the bytes of the primary's file. With `back`, first replaces the file by these bytes,
/// and removes the files that SQLite keeps beside it.
fn backup(scene: &Scene, back: Option<Vec<u8>>) -> Vec<u8> {
    let path = scene.path("disk/p.db");
    match back {
        None => fs::read(&path).unwrap(),
        Some(bytes) => {
            for ending in ["", "-wal", "-shm"] {
                let _ = fs::remove_file(scene.path(format!("disk/p.db{ending}")));
            }
            fs::write(&path, &bytes).unwrap();
            bytes
        }
    }
}

fn remote(scene: &Scene, store: &str, disk: &str) {
    fs::create_dir_all(scene.path(disk)).unwrap();
    let url = format!("file://{}", scene.path(disk).join("p.db").display());
    done(scene, store, "", &format!("remote set {url}"));
}

#[test]
fn devices_that_move_to_a_new_primary_see_each_others_heads() {
    let scene = Scene::new();
    scene.write("app/a.txt", "one\n");
    remote(&scene, "ours", "disk");
    remote(&scene, "theirs", "disk");
    done(&scene, "ours", "app", "push");
    done(&scene, "theirs", "", "clone app copy");
    remote(&scene, "ours", "new");
    scene.write("app/a.txt", "two\n");
    done(&scene, "ours", "app", "push");
    remote(&scene, "theirs", "new");
    done(&scene, "theirs", "copy", "pull");
    assert_eq!(scene.read("copy/a.txt"), "two\n");
}

#[test]
fn a_backup_is_put_back_and_another_project_pushed_first() {
    let scene = Scene::new();
    remote(&scene, "store", "disk");
    for project in ["app", "lib"] {
        scene.write(format!("{project}/a.txt"), "one\n");
        done(&scene, "store", project, "push");
    }
    let old = backup(&scene, None);
    for text in ["two\n", "three\n"] {
        scene.write("app/a.txt", text);
        done(&scene, "store", "app", "push");
    }
    backup(&scene, Some(old));
    scene.write("lib/a.txt", "two\n");
    done(&scene, "store", "lib", "push");
    scene.write("app/a.txt", "four\n");
    done(&scene, "store", "app", "push");
    // Everything that the backup lacked is there again.
    remote(&scene, "other", "disk");
    done(&scene, "other", "", "clone app copy");
    assert_eq!(scene.read("copy/a.txt"), "four\n");
    assert_eq!(scene.text("other", "copy", "log").lines().count(), 4);
}

#[test]
fn a_backup_is_put_back_and_a_new_workspace_pushed_first() {
    let scene = Scene::new();
    remote(&scene, "store", "disk");
    scene.write("app/a.txt", "one\n");
    done(&scene, "store", "app", "push");
    let old = backup(&scene, None);
    scene.write("app/a.txt", "two\n");
    done(&scene, "store", "app", "push");
    backup(&scene, Some(old));
    done(&scene, "store", "app", "workspace new side ../side");
    scene.write("side/b.txt", "b\n");
    done(&scene, "store", "side", "push");
    remote(&scene, "other", "disk");
    done(&scene, "other", "", "clone app copy");
    done(&scene, "other", "copy", "pull side");
    assert_eq!(scene.read("copy/a.txt") + &scene.read("copy/b.txt"), "two\nb\n");
}

#[test]
fn a_disk_that_is_gone_leaves_its_folder_empty() {
    let scene = Scene::new();
    remote(&scene, "store", "disk");
    scene.write("app/a.txt", "one\n");
    done(&scene, "store", "app", "push");
    fs::rename(scene.path("disk"), scene.path("elsewhere")).unwrap();
    fs::create_dir(scene.path("disk")).unwrap();
    scene.write("app/a.txt", "two\n");
    let told = scene.run("store", "app", "push");
    assert!(told.starts_with("exit 3") && told.contains("its file is gone"), "{told}");
    assert_eq!(fs::read_dir(scene.path("disk")).unwrap().count(), 0);
    fs::remove_dir(scene.path("disk")).unwrap();
    fs::rename(scene.path("elsewhere"), scene.path("disk")).unwrap();
    done(&scene, "store", "app", "push");
    // The primary is gone for good, but the device has everything.
    fs::remove_dir_all(scene.path("disk")).unwrap();
    remote(&scene, "store", "disk");
    done(&scene, "store", "app", "push");
    remote(&scene, "other", "disk");
    done(&scene, "other", "", "clone app copy");
    assert_eq!(scene.read("copy/a.txt"), "two\n");
}

#[test]
fn rows_that_cannot_be_read_do_not_come_in() {
    for damage in ["parent_snapshot_ids = 'nonsense'", "manifest_hash = 'zz'"] {
        let scene = Scene::new();
        for store in ["ours", "theirs"] {
            remote(&scene, store, "disk");
        }
        scene.write("app/a.txt", "one\n");
        done(&scene, "ours", "app", "push");
        done(&scene, "theirs", "", "clone app copy");
        scene.write("app/a.txt", "two\n");
        done(&scene, "ours", "app", "push");
        let primary = rusqlite::Connection::open(scene.path("disk/p.db")).unwrap();
        primary.execute(&format!("UPDATE snapshots SET {damage}"), []).unwrap();
        let told = scene.run("theirs", "copy", "pull");
        assert!(told.starts_with("exit 2") && told.contains("cannot be read"), "{told}");
        scene.write("copy/b.txt", "b\n");
        for words in ["snapshot", "status", "log", "doctor"] {
            done(&scene, "theirs", "copy", words);
        }
    }
}
