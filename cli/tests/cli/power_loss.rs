//! Power loss after a command has reported that it is done: its effects are still there.
//!
//! A file system in an image is mounted. The image is copied while it is mounted, as a disk is when
//! the power fails, and the copy is mounted in its place. `FASTEST_POWER_ROUNDS` is the number of
//! rounds. Only root may mount: for others, or without the file system's tools, a test prints that
//! it is skipped.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Copy, Random, edit};

const IMAGE_BYTES: u64 = 400 << 20;

/// A file system of its own, mounted in the scene.
struct Disk {
    image: PathBuf,
    at: PathBuf,
}

impl Disk {
    /// Creates and mounts it. If that fails, prints why, and returns `None`.
    fn mount(kind: &str, scene: &Scene) -> Option<Self> {
        let (image, at) = (scene.path("image"), scene.path("disk"));
        fs::create_dir(&at).unwrap();
        File::create(&image).unwrap().set_len(IMAGE_BYTES).unwrap();
        let make = run(&format!("mkfs.{kind}"), &["-q", image.to_str().unwrap()]);
        let disk = Self { image, at };
        match make.and_then(|()| disk.attach()) {
            Ok(()) => Some(disk),
            Err(why) => {
                println!("skipped: power loss on {kind}: {why}");
                None
            }
        }
    }

    fn attach(&self) -> Result<(), String> {
        let [image, at] = [&self.image, &self.at].map(|path| path.to_str().unwrap());
        run("mount", &["-o", "loop", image, at])
    }

    fn sync(&self) {
        run("sync", &["-f", self.at.to_str().unwrap()]).unwrap();
    }

    /// Replaces the disk by its image as it is now, without what is only in memory.
    fn cut_power(&self) {
        let copy = self.image.with_extension("copy");
        let [from, to] = [&self.image, &copy].map(|path| path.to_str().unwrap());
        run("cp", &["--sparse=always", from, to]).unwrap();
        run("umount", &[self.at.to_str().unwrap()]).unwrap();
        fs::rename(copy, &self.image).unwrap();
        self.attach().unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", self.at.to_str().unwrap()]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// Returns the contents of all files by path, and the targets of links.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: &PathBuf| {
        let full = root.join(path);
        fs::read_link(&full)
            .map(|to| to.into_os_string().into_encoded_bytes())
            .or_else(|_| fs::read(&full))
            .unwrap_or_default()
    };
    crate::world::list(root).into_keys().map(|path| (path.clone(), read(&path))).collect()
}

/// Checks that the folder has the files `expected`. `what` names the command before the power loss.
fn check(copy: &Copy<'_>, expected: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    let found = contents(&copy.root());
    assert!(found == *expected, "{what}: {}", differing(&found, expected));
}

fn differing(one: &BTreeMap<PathBuf, Vec<u8>>, other: &BTreeMap<PathBuf, Vec<u8>>) -> String {
    let paths = one.keys().chain(other.keys());
    let differ = paths.filter(|path| one.get(*path) != other.get(*path));
    differ.map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn is_clean(copy: &Copy<'_>) -> bool {
    copy.run(&["status"])["dirty"] == Value::Bool(false)
}

fn power_goes(kind: &str) {
    let scene = Scene::new();
    let Some(disk) = Disk::mount(kind, &scene) else { return };
    let mut random = Random::new(14);
    let rounds = std::env::var("FASTEST_POWER_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let primary = format!("file://{}", scene.path("disk/primary.db").display());
    fs::create_dir(scene.path("a")).unwrap();
    for store in ["store-a", "disk/store-b"] {
        scene.run(store, "", &format!("remote set {primary}"));
    }
    let a = Copy::new(&scene, "store-a", "a");
    edit(&a.root(), 80, &mut random);
    a.run(&["init", "--name", "p"]);
    a.run(&["push"]);
    scene.run("disk/store-b", "", "clone p disk/b");
    let b = Copy::new(&scene, "disk/store-b", "disk/b");
    let workspaces = b.run(&["workspace", "list"]);
    let mut workspaces = workspaces["workspaces"].as_array().unwrap().iter();
    let workspace = workspaces.find(|workspace| workspace["current"] == Value::Bool(true)).unwrap();
    let workspace = workspace["name"].as_str().unwrap().to_owned();
    for round in 0..rounds {
        let told = |what: &str| format!("{what} on {kind}, round {round}");
        let before = (contents(&b.root()), b.log()[0].clone());
        edit(&a.root(), *random.pick(&[1, 3, 10, 40]), &mut random);
        a.run(&["push"]);
        disk.cut_power();
        let pushed = contents(&a.root());

        b.run(&["pull", "main"]);
        disk.cut_power();
        check(&b, &pushed, &told("pull, after a push to this disk"));
        assert!(is_clean(&b), "{}", told("pull"));

        let now = b.log()[0].clone();
        b.run(&["restore", "--to", &before.1]);
        disk.cut_power();
        check(&b, &before.0, &told("restore"));
        b.run(&["restore", "--to", &now]);

        scene.run("disk/store-b", "", "clone p disk/c");
        disk.cut_power();
        let c = Copy::new(&scene, "disk/store-b", "disk/c");
        check(&c, &pushed, &told("clone"));
        assert!(is_clean(&c), "{}", told("clone"));
        fs::remove_dir_all(c.root()).unwrap();

        edit(&b.root(), *random.pick(&[1, 3, 10]), &mut random);
        // Writes of an editor that nobody synced may be lost.
        disk.sync();
        b.run(&["push"]);
        disk.cut_power();
        assert!(is_clean(&b), "{}", told("push"));
        assert_eq!(b.run(&["doctor"])["problems"], Value::from(Vec::<Value>::new()));
        a.run(&["pull", &workspace]);
        check(&a, &contents(&b.root()), &told("push"));
    }
    println!("{rounds} rounds of power loss on {kind}");
}

#[test]
fn what_was_done_is_there_after_the_power_goes_on_ext4() {
    power_goes("ext4");
}

#[test]
fn what_was_done_is_there_after_the_power_goes_on_xfs() {
    power_goes("xfs");
}

#[test]
fn what_was_done_is_there_after_the_power_goes_on_btrfs() {
    power_goes("btrfs");
}
