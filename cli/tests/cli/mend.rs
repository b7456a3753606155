//! Packs that are damaged, missing, or fetched again: `doctor` finds them, and helps to repair
//! them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;

use crate::scene::Scene;
use crate::world::{Copy, Random, edit, list, sharing};

/// The packs of a store, largest first.
fn packs(copy: &Copy<'_>) -> Vec<PathBuf> {
    let mut packs = Vec::new();
    for shard in fs::read_dir(copy.scene.path(&copy.store).join("objects/packs")).unwrap() {
        packs.extend(fs::read_dir(shard.unwrap().path()).unwrap().map(|pack| pack.unwrap().path()));
    }
    packs.sort_by_key(|pack| std::cmp::Reverse(fs::metadata(pack).unwrap().len()));
    packs
}

fn problems(copy: &Copy<'_>, words: &[&str]) -> usize {
    let output = copy.command(words).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = report["problems"].as_array().unwrap().len();
    assert_eq!(output.status.code(), Some(if count == 0 { 0 } else { 2 }), "{report}");
    count
}

fn damaged_and_mended(damage: fn(&PathBuf)) {
    let mut random = Random::new(5);
    let scene = sharing(&["here", "there"]);
    fs::create_dir(scene.path("mine")).unwrap();
    edit(&scene.path("mine"), 300, &mut random);
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    edit(&mine.root(), 3, &mut random);
    mine.run(&["push"]);
    scene.run("there", "", "clone app yours");
    let yours = Copy::new(&scene, "there", "yours");

    packs(&yours).iter().for_each(damage);
    assert!(problems(&yours, &["doctor"]) > 0);
    problems(&yours, &["doctor", "--mend"]);
    yours.run(&["pull"]);
    assert_eq!(problems(&yours, &["doctor"]), 0);
    scene.run("there", "", "clone app again");
    assert_eq!(list(&mine.root()), list(&scene.path("again")));
}

#[test]
fn damaged_packs_come_back_from_the_primary() {
    damaged_and_mended(|pack| {
        let mut bytes = fs::read(pack).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x40;
        fs::write(pack, bytes).unwrap();
    });
}

#[test]
fn truncated_packs_come_back_from_the_primary() {
    damaged_and_mended(|pack| {
        let bytes = fs::read(pack).unwrap();
        fs::write(pack, &bytes[..bytes.len() / 3]).unwrap();
    });
}

#[test]
fn packs_that_are_gone_come_back_from_the_primary() {
    damaged_and_mended(|pack| fs::remove_file(pack).unwrap());
}

#[test]
fn what_was_never_pushed_is_stored_again_from_its_working_copy() {
    let mut random = Random::new(6);
    let scene = sharing(&["here"]);
    fs::create_dir(scene.path("mine")).unwrap();
    edit(&scene.path("mine"), 100, &mut random);
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["snapshot"]);
    packs(&mine).iter().for_each(|pack| fs::remove_file(pack).unwrap());
    assert!(problems(&mine, &["doctor", "--mend"]) > 0);
    mine.run(&["snapshot"]);
    mine.run(&["push"]);
    scene.run("here", "", "clone app again");
    assert_eq!(list(&mine.root()), list(&scene.path("again")));
}

/// A store with packs of work that was never pushed, and the number of packs.
fn never_pushed(scene: &Scene) -> (Copy<'_>, usize) {
    fs::create_dir(scene.path("mine")).unwrap();
    let mine = Copy::new(scene, "here", "mine");
    scene.run("here", "", "remote set file:///nowhere/p.db");
    mine.run(&["init", "--name", "app"]);
    let mut random = Random::new(7);
    for name in ["a", "b", "c", "d"] {
        let bytes: Vec<u8> = (0..3_000).map(|_| random.next() as u8).collect();
        fs::write(scene.path("mine").join(name), bytes).unwrap();
        mine.run(&["snapshot"]);
    }
    let count = packs(&mine).len();
    (mine, count)
}

/// Failing to open a pack for the moment says nothing about its content.
#[test]
fn doctor_does_not_take_what_it_cannot_open_for_damaged() {
    let scene = sharing(&["here"]);
    let (mine, count) = never_pushed(&scene);
    let mut met = 0;
    for handles in 12..40 {
        let command = mine.command(&["doctor", "--mend"]);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {handles}; exec \"$0\" \"$@\"")]);
        shell.arg(command.get_program()).args(command.get_args());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let told = shell.current_dir(mine.root()).output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout);
        met += usize::from(told.contains("Too many open files"));
        assert!(!told.contains("forgot") && !told.contains("aside"), "{handles}: {told}");
        assert_eq!(packs(&mine).len(), count, "{handles}: {told}");
    }
    println!("{met} runs were out of handles");
    assert_eq!(problems(&mine, &["doctor"]), 0);
}

/// The state after root has pushed once in a user's store.
#[test]
fn doctor_does_not_take_what_it_may_not_read_for_damaged() {
    let scene = sharing(&["here"]);
    let (mine, count) = never_pushed(&scene);
    let of_another = &packs(&mine)[0];
    fs::set_permissions(of_another, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(of_another).is_ok() {
        println!("skipped doctor_does_not_take_what_it_may_not_read_for_damaged: root reads all");
        return;
    }
    let output = mine.command(&["doctor", "--mend"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("Permission denied") && !told.contains("forgot"), "{told}");
    assert_eq!((output.status.code(), packs(&mine).len()), (Some(2), count), "{told}");
    fs::set_permissions(of_another, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(problems(&mine, &["doctor"]), 0);
}

/// Packs are added while `doctor` reads, and it finds nothing wrong with them.
#[test]
fn doctor_gives_no_false_alarm_beside_commands_that_run() {
    let scene = sharing(&["here"]);
    let (mine, _) = never_pushed(&scene);
    std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for round in 0..30 {
                fs::write(mine.root().join("a"), format!("{round}")).unwrap();
                mine.run(&["snapshot"]);
            }
        });
        while !writer.is_finished() {
            let report = mine.command(&["doctor"]).output().unwrap();
            let told = String::from_utf8_lossy(&report.stdout);
            assert_eq!(report.status.code(), Some(0), "{told}");
        }
    });
}

/// If a pack was never pushed, its intact parts exist nowhere else.
#[test]
fn what_is_sound_of_a_damaged_pack_that_was_never_pushed_is_saved() {
    let mut random = Random::new(8);
    let scene = sharing(&["here"]);
    fs::create_dir(scene.path("mine")).unwrap();
    let mut names: Vec<(&str, Vec<u8>)> = Vec::new();
    // Each is large enough for a block of the pack.
    for name in ["a", "b", "c"] {
        names.push((name, (0..1 << 20).map(|_| random.next() as u8).collect()));
    }
    for (name, bytes) in &names {
        fs::write(scene.path("mine").join(name), bytes).unwrap();
    }
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["snapshot"]);
    let pack = &packs(&mine)[0];
    let mut bytes = fs::read(pack).unwrap();
    bytes[100_000] ^= 0x40;
    fs::write(pack, bytes).unwrap();
    problems(&mine, &["doctor", "--mend"]);
    let snapshot = mine.log()[0].clone();
    let is_here = |name: &str, bytes: &[u8]| {
        let output = scene.command("here", "mine").args(["cat", &snapshot, name]).output().unwrap();
        output.status.success() && output.stdout == bytes
    };
    let here = names.iter().filter(|(name, bytes)| is_here(name, bytes)).count();
    assert_eq!(here, 2, "one block was damaged");
    // Files that are still in the folder are stored again, and then everything can be pushed.
    fs::write(mine.root().join("d"), "more").unwrap();
    mine.run(&["push"]);
    assert_eq!(problems(&mine, &["doctor"]), 0);
    scene.run("here", "", "clone app again");
    assert_eq!(list(&mine.root()), list(&scene.path("again")));
}
