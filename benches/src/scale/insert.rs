//! Inserts a few bytes in the middle of a large file of random bytes, and measures what is stored
//! and sent.

use super::Bench;
use crate::error::{Error, Result, check};
use crate::fastest::{answer, number};
use crate::results::{Results, Unit};
use crate::table::amount;
use crate::{folder, made};

/// The number of bytes that are inserted.
const INSERTED: usize = 4096;
/// The large file's name.
const FILE: &str = "large.bin";

/// Runs once, with a file of `bytes` bytes. One run is enough: the bytes stored and sent depend on
/// the content alone. The time is that of a single run.
pub fn run(bench: &Bench, bytes: u64, results: &mut Results) -> Result<()> {
    let folder = bench.folder("insert")?;
    let tree = folder.join("tree");
    std::fs::create_dir(&tree).map_err(Error::at(&tree))?;
    let (device, file) = (bench.device(&folder)?, tree.join(FILE));
    made::large_file(&file, bytes, 0)?;
    device.ask(&tree, &["init", "--name", "tree"])?;
    device.ask(&tree, &["push"])?;
    let packs = || folder::size(&device.store().join("objects/packs"));
    let before = packs()?.bytes;

    made::large_file(&file, bytes, INSERTED)?;
    folder::settle()?;
    let (measured, peak) = bench.memory.time(vec![device.command(&tree, &["push"])])?;
    let said = answer(&measured.output)?;
    let grown = number(&said, "bytes")? == bytes + INSERTED as u64;
    check(said["pushed"] == true && grown, || format!("not pushed: {said}"))?;
    device.check_holds(&tree, &said, FILE.as_ref())?;

    let size = amount(bytes as f64, Unit::Bytes);
    let step = format!("{INSERTED} bytes inserted in {size}");
    let row = |what: &str| format!("{step}: {what}");
    let push = (&*row("snapshot and push"), Unit::Seconds);
    results.add(push, "fastest", 0, measured.seconds);
    results.add_memory(push, "fastest", peak);
    let (stored, sent) = (packs()?.bytes as f64 - before as f64, number(&said, "bytes_sent")?);
    results.add((&row("bytes stored"), Unit::Bytes), "fastest", 0, stored);
    results.add((&row("bytes sent"), Unit::Bytes), "fastest", 0, sent as f64);
    folder::remove(&folder)
}
