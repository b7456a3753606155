//! Who may read a store and a primary: only their owner, or a named group, whatever the umask.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::scene::{Scene, told};
use crate::world::Random;

const UMASKS: [&str; 3] = ["000", "022", "077"];

/// Runs the binary under a umask, as the current user, or as `user`: an id and its groups.
fn run(
    scene: &Scene,
    user: Option<(u32, &str)>,
    umask: &str,
    at: (&str, &str),
    words: &str,
) -> String {
    let command = scene.command(at.0, at.1);
    let mut shell = match user {
        None => Command::new("sh"),
        Some((id, groups)) => {
            let mut other = Command::new("setpriv");
            other.args([
                format!("--reuid={id}"),
                format!("--regid={id}"),
                format!("--groups={groups}"),
            ]);
            other.arg("sh");
            other
        }
    };
    shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args()).args(words.split_whitespace());
    let variables = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(variables).env_remove("FASTEST_LOG").current_dir(scene.path(at.1));
    told(&shell.output().expect("a shell runs"))
}

fn done(told: String) {
    assert!(told.starts_with("exit 0"), "{told}");
}

/// Returns each path at and below `root` that has another mode than expected, with that mode.
fn others(root: &Path, dir_mode: u32, file_mode: u32) -> Vec<String> {
    let data = fs::symlink_metadata(root).unwrap();
    let expected = if data.is_dir() { dir_mode } else { file_mode };
    let mut found = Vec::new();
    if data.mode() & 0o7777 != expected {
        found.push(format!("{} has {:o}", root.display(), data.mode() & 0o7777));
    }
    if data.is_dir() {
        for entry in fs::read_dir(root).unwrap() {
            found.extend(others(&entry.unwrap().path(), dir_mode, file_mode));
        }
    }
    found
}

/// A project with content for rows and for the folder of packs.
fn project(scene: &Scene, name: &str, letter: u8) {
    scene.write(format!("{name}/small"), "text");
    let mut random = Random::new(u64::from(letter));
    let noise: String = (0..400_000).map(|_| char::from(b'0' + random.below(64) as u8)).collect();
    scene.write(format!("{name}/large"), &noise);
}

#[test]
fn a_new_store_and_a_new_primary_are_for_their_owner_alone() {
    for umask in UMASKS {
        let scene = Scene::new();
        project(&scene, "app", 1);
        fs::create_dir(scene.path("team")).unwrap();
        fs::set_permissions(scene.path("team"), fs::Permissions::from_mode(0o700)).unwrap();
        // With the primary inside the store, and with one that is a file.
        done(run(&scene, None, umask, ("store", "app"), "push"));
        let url = format!("file://{}", scene.path("team/p.db").display());
        done(run(&scene, None, umask, ("store", "app"), &format!("remote set {url}")));
        // While the databases are open, there are more files.
        let open = ["team/p.db", "store/replica.db"].map(|name| {
            let database = Connection::open(scene.path(name)).unwrap();
            database.execute_batch("SELECT * FROM sqlite_master").unwrap();
            database
        });
        done(run(&scene, None, umask, ("store", "app"), "push"));
        for name in [
            "team/p.db-wal",
            "store/replica.db-shm",
            "team/p.db.packs",
            "store/primary/primary.db.packs",
        ] {
            assert!(scene.path(name).exists(), "{name}");
        }
        for root in ["store", "team"] {
            assert_eq!(others(&scene.path(root), 0o700, 0o600), [""; 0], "umask {umask}");
        }
        drop(open);
    }
}

#[test]
fn a_store_that_others_could_read_is_closed_when_it_is_opened() {
    let scene = Scene::new();
    project(&scene, "app", 1);
    done(scene.run("store", "app", "push"));
    let open = |name: &str, mode| {
        fs::set_permissions(scene.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    for dir in ["store", "store/objects", "store/primary", "store/primary/primary.db.packs"] {
        open(dir, 0o755);
    }
    for file in ["store/replica.db", "store/primary/primary.db", "store/format"] {
        open(file, 0o644);
    }
    done(scene.run("store", "app", "log"));
    assert_eq!(others(&scene.path("store"), 0o700, 0o600), [""; 0]);
}

#[test]
fn a_primary_for_a_group_is_the_groups_under_any_umask() {
    for umask in UMASKS {
        let scene = Scene::new();
        fs::create_dir(scene.path("team")).unwrap();
        let group = fs::metadata(scene.path("team")).unwrap().gid();
        let url = format!("file://{}", scene.path("team/p.db").display());
        let set = format!("remote set {url} --shared {group}");
        project(&scene, "app", 1);
        done(run(&scene, None, umask, ("one", "app"), &set));
        let open = Connection::open(scene.path("team/p.db")).unwrap();
        open.execute_batch("SELECT * FROM sqlite_master").unwrap();
        done(run(&scene, None, umask, ("one", "app"), "push"));
        // The second device is not told of the group.
        done(run(&scene, None, umask, ("two", ""), &format!("remote set {url}")));
        project(&scene, "other", 2);
        done(run(&scene, None, umask, ("two", "other"), "push"));
        assert!(scene.path("team/p.db-wal").exists() && scene.path("team/p.db-shm").exists());
        assert!(fs::read_dir(scene.path("team/p.db.packs")).unwrap().count() == 2);
        assert_eq!(others(&scene.path("team"), 0o2770, 0o660), [""; 0], "umask {umask}");
        for store in ["one", "two"] {
            assert_eq!(others(&scene.path(store), 0o700, 0o600), [""; 0], "umask {umask}");
        }
        drop(open);
        // A primary that is in use can be shared later, and more than once.
        let packs = scene.path("team/p.db.packs");
        fs::set_permissions(&packs, fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(scene.path("team/p.db"), fs::Permissions::from_mode(0o600)).unwrap();
        done(run(&scene, None, umask, ("one", "app"), &set));
        assert_eq!(others(&scene.path("team"), 0o2770, 0o660), [""; 0], "umask {umask}");
    }
}

#[test]
fn a_primary_that_was_shared_by_hand_stays_so() {
    let scene = Scene::new();
    fs::create_dir(scene.path("team")).unwrap();
    let url = format!("file://{}", scene.path("team/p.db").display());
    fs::write(scene.path("team/p.db"), "").unwrap();
    fs::set_permissions(scene.path("team/p.db"), fs::Permissions::from_mode(0o664)).unwrap();
    project(&scene, "app", 1);
    done(run(&scene, None, "077", ("store", "app"), &format!("remote set {url}")));
    done(run(&scene, None, "077", ("store", "app"), "push"));
    assert_eq!(fs::metadata(scene.path("team/p.db")).unwrap().mode() & 0o7777, 0o664);
    assert_eq!(others(&scene.path("team/p.db.packs"), 0o2775, 0o664), [""; 0]);
}

#[test]
fn what_cannot_be_shared_is_refused() {
    let scene = Scene::new();
    scene.write("home/notes", "mine");
    let url = format!("file://{}", scene.path("home/p.db").display());
    let set = |words: &str| scene.run("store", "", &format!("remote set {words}"));
    assert_snapshot!(set(&format!("{url} --shared nosuchgroup")), @r#"
    exit 2
    --- stderr
    error: there is no group "nosuchgroup" in /etc/group: name one of those, or give its number
    "#);
    // The folder holds other things.
    assert_snapshot!(set(&format!("{url} --shared 4242")), @"
    exit 2
    --- stderr
    error: group 4242 may not make files in [TMP]/home, as SQLite does beside a database: take a folder of its own (mkdir DIR && chgrp 4242 DIR && chmod 2770 DIR)
    ");
    assert_snapshot!(set("http://127.0.0.1:1 --shared 4242"), @"
    exit 2
    --- stderr
    error: http://127.0.0.1:1 is not a file: --shared is for a primary that is a file
    ");
    assert!(set("--default --shared 4242").starts_with("exit 2"));
    assert!(!scene.path("home/p.db").exists());
    assert_eq!(fs::metadata(scene.path("home")).unwrap().mode() & 0o2000, 0);
}

/// Two users of one group, and a third who is not in it.
#[test]
fn two_users_of_a_group_share_a_primary_and_a_third_reads_nothing() {
    const GROUP: u32 = 33_333;
    let (ada, bob, eve) = ((23_331, "33333"), (23_332, "33333"), (23_333, "23333"));
    let scene = Scene::new();
    let may = Command::new("setpriv")
        .args(["--reuid=23331", "--regid=23331", "--clear-groups", "true"])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) || chown(scene.path(""), Some(0), Some(0)).is_err()
    {
        println!(
            "skipped two_users_of_a_group_share_a_primary_and_a_third_reads_nothing: not root"
        );
        return;
    }
    fs::set_permissions(scene.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let give = |name: &str, user: u32| {
        fs::create_dir_all(scene.path(name)).unwrap();
        for entry in fs::read_dir(scene.path(name)).unwrap() {
            chown(entry.unwrap().path(), Some(user), Some(user)).unwrap();
        }
        chown(scene.path(name), Some(user), Some(user)).unwrap();
    };
    project(&scene, "a/app", 1);
    for (name, user) in
        [("a", ada.0), ("a/app", ada.0), ("b", bob.0), ("e", eve.0), ("team", ada.0)]
    {
        give(name, user);
    }
    let url = format!("file://{}", scene.path("team/p.db").display());
    let (of_ada, of_bob) = (("a/store", "a/app"), ("b/store", "b"));
    done(run(&scene, Some(ada), "077", of_ada, &format!("remote set {url} --shared {GROUP}")));
    done(run(&scene, Some(ada), "077", of_ada, "push"));
    done(run(&scene, Some(bob), "077", of_bob, &format!("remote set {url}")));
    done(run(&scene, Some(bob), "077", of_bob, "clone app desk --workspace bobs"));
    assert_eq!(scene.read("b/desk/large"), scene.read("a/app/large"));
    project(&scene, "b/desk", 3);
    give("b/desk", bob.0);
    done(run(&scene, Some(bob), "077", ("b/store", "b/desk"), "push"));
    done(run(&scene, Some(ada), "022", of_ada, "pull bobs"));
    assert_eq!(scene.read("a/app/large"), scene.read("b/desk/large"));
    // The last process to close the primary removes the files that others left beside it.
    done(run(&scene, Some(bob), "077", ("b/store", "b/desk"), "pull"));
    let told = run(&scene, Some(eve), "022", ("e/store", "e"), &format!("remote set {url}"));
    assert!(
        told.contains("problem") || told.contains("warning") || told.starts_with("exit 2"),
        "{told}"
    );
    let told = run(&scene, Some(eve), "022", ("e/store", "e"), "clone app desk");
    assert!(!told.starts_with("exit 0") && !scene.path("e/desk/large").exists(), "{told}");
    // She may not share the primary with the group either.
    let told = run(
        &scene,
        Some(eve),
        "022",
        ("e/store", "e"),
        &format!("remote set {url} --shared {GROUP}"),
    );
    assert!(told.starts_with("exit 2"), "{told}");
}
