//! A real tree, the Rust toolchain's own folder: pushed, cloned on a second device and compared
//! byte for byte; edited at random, pushed, pulled and compared again; then the two drift apart,
//! and `drift` names exactly what a naive comparison names. `FASTEST_TREE` names another tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::world::{Copy, Found, Random, edit, list, sharing};

fn tree() -> PathBuf {
    if let Some(tree) = std::env::var_os("FASTEST_TREE") {
        return tree.into();
    }
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let output = output.expect("rustc runs, or FASTEST_TREE names a tree");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

#[test]
fn a_real_tree_travels_whole() {
    let mut random = Random::new(52_073);
    let scene = sharing(&["here", "there"]);
    let copied = Command::new("cp").arg("-a").arg(tree()).arg(scene.path("mine")).status();
    assert!(copied.unwrap().success());
    let mine = Copy::new(&scene, "here", "mine");
    mine.run(&["init", "--name", "app"]);
    mine.run(&["push"]);
    scene.run("there", "", "clone app yours");
    let yours = Copy::new(&scene, "there", "yours");
    assert_same(&mine, &yours);

    edit(&mine.root(), 100, &mut random);
    mine.run(&["push"]);
    yours.run(&["pull"]);
    assert_same(&mine, &yours);

    fs::write(mine.root().join("one more file"), "text").unwrap();
    let pushed = mine.run(&["push"]);
    assert_eq!(pushed["requests"], Value::from(1), "a small push is one request");
    assert!(pushed["objects_new"].as_u64().unwrap() <= 12, "{pushed}");
    let small = yours.run(&["pull"]);
    assert_eq!(small["requests"], Value::from(1), "a small pull is one request");
    let nothing = yours.run(&["pull"]);
    assert_eq!(nothing["requests"], Value::from(1), "a pull with nothing new is one request");

    edit(&yours.root(), 60, &mut random);
    edit(&mine.root(), 60, &mut random);
    mine.run(&["push"]);
    let drift = yours.run(&["drift"]);
    let naive = compare(&mine.root(), &yours.root());
    assert_eq!(sorted(&drift["source_only"]), naive.left_only);
    assert_eq!(sorted(&drift["workspace_only"]), naive.right_only);
    assert_eq!(sorted(&drift["both_different"]), naive.different);
    assert!(naive.different.len() + naive.right_only.len() > 10, "the edits made drift");
}

/// How two folders differ: paths as the command line shows them, sorted.
#[derive(Debug, Default)]
struct Compared {
    left_only: Vec<String>,
    right_only: Vec<String>,
    different: Vec<String>,
}

/// Compares two folders entry by entry, reading every file of both.
fn compare(left: &Path, right: &Path) -> Compared {
    let (lefts, rights) = (list(left), list(right));
    let mut compared = Compared::default();
    // An empty folder and a file of the same name are two entries, not one that differs.
    let pair = |found: &Found, other: Option<&Found>| {
        other.is_some_and(|other| is_folder(found) == is_folder(other))
    };
    for (path, found) in &lefts {
        if !pair(found, rights.get(path)) {
            compared.left_only.push(shown(path, found));
        }
    }
    for (path, found) in &rights {
        if !pair(found, lefts.get(path)) {
            compared.right_only.push(shown(path, found));
        } else if lefts[path] != *found || !same_bytes(&left.join(path), &right.join(path), found) {
            compared.different.push(shown(path, found));
        }
    }
    [&mut compared.left_only, &mut compared.right_only, &mut compared.different]
        .into_iter()
        .for_each(|paths| paths.sort());
    compared
}

fn same_bytes(left: &Path, right: &Path, found: &Found) -> bool {
    !matches!(found, Found::File { .. }) || fs::read(left).unwrap() == fs::read(right).unwrap()
}

fn is_folder(found: &Found) -> bool {
    *found == Found::EmptyFolder
}

fn shown(path: &Path, found: &Found) -> String {
    let path = fastest_sync::device::path::show(path.as_os_str().as_encoded_bytes());
    if is_folder(found) { path + "/" } else { path }
}

fn sorted(paths: &Value) -> Vec<String> {
    let paths = paths.as_array().unwrap().iter();
    let mut paths: Vec<String> = paths.map(|path| path.as_str().unwrap().to_owned()).collect();
    paths.sort();
    paths
}

fn assert_same(mine: &Copy<'_>, yours: &Copy<'_>) {
    let compared = compare(&mine.root(), &yours.root());
    let Compared { left_only, right_only, different } = &compared;
    assert!(left_only.is_empty() && right_only.is_empty() && different.is_empty(), "{compared:?}");
}
