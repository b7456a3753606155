//! Measures how much a device's store and the primary grow when a project gets many workspaces,
//! each with one changed file.
//!
//! Working copies are made and removed one after the other, so that there are never more than two.

use std::collections::BTreeSet;
use std::path::Path;

use super::Bench;
use crate::error::{Error, Result, check};
use crate::fastest::{Fastest, number, text};
use crate::folder::{self, CHANGED_BYTES_MAX, count, list};
use crate::made;
use crate::results::{Results, Unit};
use crate::table::amount;

/// Number of files in the generated tree, and their size in bytes: minimum, and exclusive maximum.
const FILES: u64 = 2000;
const BYTES: (u64, u64) = (10_000, 40_000);

/// Measures this many workspaces of `tree`, or of a generated tree if it is `None`.
pub fn run(
    bench: &Bench,
    tree: Option<&Path>,
    workspaces: u64,
    results: &mut Results,
) -> Result<()> {
    let folder = bench.folder("workspaces")?;
    let first = folder.join("first");
    match tree {
        Some(tree) => folder::copy(tree, &first)?,
        None => made::tree(&first, FILES, BYTES)?,
    }
    let listing = list(&first)?;
    let (bytes, files) = (count(&listing).2, folder::changeable(&listing));
    if files.is_empty() {
        let text = format!("the tree needs a file of 1 to {CHANGED_BYTES_MAX} bytes to change");
        return Err(Error::Unusable(text));
    }

    let device = bench.device(&folder)?;
    device.ask(&first, &["init", "--name", "tree"])?;
    device.ask(&first, &["push"])?;
    let before = sizes(&folder, &device)?;
    for number in 1..workspaces {
        let index = number as usize * files.len() / workspaces as usize;
        add(&device, &folder, number, &files[index])?;
        eprintln!("workspace {} of {workspaces} done", number + 1);
    }
    check_all(&device, &first, workspaces)?;
    let after = sizes(&folder, &device)?;

    let step = format!("workspaces 2 to {workspaces} of {}", amount(bytes as f64, Unit::Bytes));
    for (what, before, after) in
        [("the device's store", before.0, after.0), ("the primary", before.1, after.1)]
    {
        let added = after as f64 - before as f64;
        for (what, unit, value) in [
            (format!("{what} before"), Unit::Bytes, before as f64),
            (format!("{what} grows by"), Unit::Bytes, added),
            (format!("{what} grows by, of the tree"), Unit::Share, added / bytes as f64),
        ] {
            results.add((&format!("{step}: {what}"), unit), "fastest", 0, value);
        }
    }
    folder::remove(&folder)
}

/// Adds a workspace, changes and pushes one file in it, and removes its working copy.
fn add(device: &Fastest, folder: &Path, turn: u64, path: &Path) -> Result<()> {
    let copy = folder.join("copy");
    let name = format!("workspace-{turn:04}");
    let arguments = ["clone", "tree", &*copy.to_string_lossy(), "--workspace", &name];
    device.ask(folder, &arguments)?;
    made::change(&copy.join(path), turn)?;
    let said = device.ask(&copy, &["push"])?;
    let pushed = said["pushed"] == true && number(&said, "modified")? == 1;
    check(pushed, || format!("not pushed: {said}"))?;
    device.check_holds(&copy, &said, path)?;
    std::fs::remove_dir_all(&copy).map_err(Error::at(&copy))
}

/// Checks that there are this many workspaces, each with a snapshot of its own, and that nothing
/// waits to be pushed.
fn check_all(device: &Fastest, first: &Path, workspaces: u64) -> Result<()> {
    let listed = device.ask(first, &["workspace", "list"])?;
    let all = listed["workspaces"].as_array().into_iter().flatten();
    let heads =
        all.map(|workspace| text(workspace, "snapshot_id")).collect::<Result<BTreeSet<_>>>()?;
    check(heads.len() as u64 == workspaces, || format!("not {workspaces} heads: {listed}"))?;
    let status = device.ask(first, &["status"])?;
    check(number(&status, "waiting_rows")? == 0, || format!("something waits: {status}"))
}

/// Returns the bytes of the device's whole store, and of the primary with its packs.
fn sizes(folder: &Path, device: &Fastest) -> Result<(u64, u64)> {
    let primary = folder::size(&folder.join("primary"))?.bytes;
    Ok((folder::size(device.store())?.bytes, primary))
}
