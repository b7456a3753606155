//! Time and space by the number of files: first snapshot, unchanged status, one file changed.

use std::path::Path;
use std::process::Command;

use super::Bench;
use crate::error::{Result, check};
use crate::fastest::{Fastest, answer, number};
use crate::measure::time;
use crate::results::{Results, Unit};
use crate::table::amount;
use crate::{folder, made};

/// How many times a short step is timed in each run.
const REPEATS: u64 = 3;
/// The fewest files that a tree may have: each turn changes a different file.
pub const FILES_MIN: u64 = REPEATS + 2;
/// Sizes of files in bytes: at least the first, and less than the second.
const BYTES: (u64, u64) = (20, 200);

/// One tree, and what is measured on it.
struct Tree<'a> {
    bench: &'a Bench<'a>,
    root: &'a Path,
    files: u64,
    run: usize,
    results: &'a mut Results,
}

/// Measures trees of these sizes.
pub fn run(bench: &Bench, sizes: &[u64], runs: usize, results: &mut Results) -> Result<()> {
    for &files in sizes {
        let folder = bench.folder("growth")?;
        let root = folder.join("tree");
        made::tree(&root, files, BYTES)?;
        for run in 0..runs {
            let place = folder.join("run");
            std::fs::create_dir(&place).map_err(crate::error::Error::at(&place))?;
            let device = bench.device(&place)?;
            folder::settle()?;
            Tree { bench, root: &root, files, run, results }.measure(&device)?;
            folder::remove(&place)?;
            folder::remove(&root.join(".fastest"))?;
            (bench.keep)(results)?;
            eprintln!("{files} files: run {} of {runs} done", run + 1);
        }
        folder::remove(&folder)?;
    }
    Ok(())
}

impl Tree<'_> {
    fn measure(&mut self, device: &Fastest) -> Result<()> {
        device.ask(self.root, &["init", "--name", "tree"])?;
        self.first_snapshot(device)?;
        for turn in 0..=REPEATS {
            self.status(device, turn)?;
            self.find(turn)?;
        }
        for turn in 0..=REPEATS {
            self.one_file(device, turn)?;
        }
        Ok(())
    }

    /// The row of a step. Its name ends with the number of files in the tree.
    fn row(&self, step: &str) -> String {
        format!("{step}, {} files", amount(self.files as f64, Unit::Count))
    }

    fn first_snapshot(&mut self, device: &Fastest) -> Result<()> {
        let row = self.row("first snapshot");
        folder::warm(self.root)?;
        let commands = vec![device.command(self.root, &["snapshot"])];
        let (measured, peak) = self.bench.memory.time(commands)?;
        let said = answer(&measured.output)?;
        check(number(&said, "files")? == self.files, || format!("not all files: {said}"))?;
        self.results.add((&row, Unit::Seconds), "fastest", self.run, measured.seconds);
        self.results.add_memory((&row, Unit::Seconds), "fastest", peak);
        Ok(())
    }

    fn status(&mut self, device: &Fastest, turn: u64) -> Result<()> {
        let row = self.row("status, nothing changed");
        let output = self.timed(&row, "fastest", turn, device.command(self.root, &["status"]))?;
        let said = answer(&output)?;
        check(said["dirty"] == false, || format!("status finds changes: {said}"))
    }

    fn find(&mut self, turn: u64) -> Result<()> {
        let row = self.row("status, nothing changed");
        let mut find = Command::new("find");
        find.arg(self.root).args(["-type", "f", "-newermt", "2030-01-01"]);
        let output = self.timed(&row, "find", turn, find)?;
        check(output.is_empty(), || format!("find: {}", String::from_utf8_lossy(&output)))
    }

    /// Measures a snapshot with one changed file: its time, and the space that it adds.
    fn one_file(&mut self, device: &Fastest, turn: u64) -> Result<()> {
        let path = made::path((self.files / FILES_MIN) * (turn + 1));
        made::change(&self.root.join(&path), self.run as u64)?;
        let before = packs(device)?;
        let row = self.row("one file changed: snapshot");
        let output = self.timed(&row, "fastest", turn, device.command(self.root, &["snapshot"]))?;
        let said = answer(&output)?;
        check(number(&said, "modified")? == 1, || format!("not one file changed: {said}"))?;
        device.check_holds(self.root, &said, &path)?;
        let added = packs(device)? - before;
        let objects = number(&said, "objects_new")? as f64;
        for (what, unit, value) in
            [("new objects", Unit::Count, objects), ("bytes stored", Unit::Bytes, added)]
        {
            let row = self.row(&format!("one file changed: {what}"));
            self.results.add((&row, unit), "fastest", self.run, value);
        }
        Ok(())
    }

    /// Runs one turn of a repeated step. Turn 0 measures memory; every other turn is timed.
    fn timed(&mut self, row: &str, column: &str, turn: u64, command: Command) -> Result<Vec<u8>> {
        let row = (row, Unit::Seconds);
        if turn == 0 {
            let (measured, peak) = self.bench.memory.time(vec![command])?;
            self.results.add_memory(row, column, peak);
            return Ok(measured.output);
        }
        let measured = time(&mut [command])?;
        self.results.add(row, column, self.run, measured.seconds);
        Ok(measured.output)
    }
}

/// Returns the total size of a device's packs in bytes, as a float because a difference may be negative.
fn packs(device: &Fastest) -> Result<f64> {
    Ok(folder::size(&device.store().join("objects/packs"))?.bytes as f64)
}
