//! What `doctor` finds it helps to mend: packs that are damaged, gone, or fetched again.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

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
    fs::remove_file(mine.root().join(".fastest/index")).unwrap();
    mine.run(&["snapshot"]);
    mine.run(&["push"]);
    scene.run("here", "", "clone app again");
    assert_eq!(list(&mine.root()), list(&scene.path("again")));
}
