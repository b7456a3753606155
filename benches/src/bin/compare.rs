//! Runs Fastest beside git, restic, rsync, tar with zstd, and cp on a tree that you name.
//!
//! `cargo build --release && cargo run --release -p fastest-benches --bin compare -- TREE`

use std::path::PathBuf;

use clap::Parser;
use fastest_benches::compare::{Options, run};
use fastest_benches::error::{Error, Result};
use fastest_benches::report::Common;
use fastest_benches::results::Unit;
use fastest_benches::table::amount;

/// Run Fastest beside git, restic, rsync, tar with zstd, and cp, taking turns, and check each result.
/// The folder to work in needs room for twenty times the tree, and inodes for twelve copies of it for
/// each run
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder whose files are stored; it is copied, not changed
    tree: PathBuf,
    /// The number of runs
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    #[command(flatten)]
    common: Common,
}

fn main() -> Result<()> {
    let Arguments { tree, runs, common } = Arguments::parse();
    let fastest = common.fastest()?;
    let tree = tree.canonicalize().map_err(Error::at(&tree))?;
    let work = common.work(Some(&tree))?;
    common.check_files()?;
    let options = Options { tree, runs: runs as usize, work: work.path().to_owned(), fastest };
    let (results, about) = run(options, |results, about| common.keep(results, about))?;
    let of = |name: &str, unit| amount(about["tree"][name].as_f64().unwrap_or_default(), unit);
    let (files, bytes) = (of("files", Unit::Count), of("bytes", Unit::Bytes));
    let title = format!("Fastest beside others: {files} files, {bytes}; medians of {runs} runs");
    common.hand_over(&results, &title, &about)
}
