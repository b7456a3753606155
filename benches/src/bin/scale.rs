//! Measures how time and space grow with a project, on generated trees.
//!
//! `cargo build --release && cargo run --release -p fastest-benches --bin scale`

use clap::Parser;
use fastest_benches::error::Result;
use fastest_benches::report::Common;
use fastest_benches::scale::{Options, run};

/// Measure trees of up to a million files, an insertion into a large file, and many workspaces of one
/// project. The folder to work in needs room for all of them: some 12 GB
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    common: Common,
}

fn main() -> Result<()> {
    let Arguments { options, common } = Arguments::parse();
    let (fastest, work) = (common.fastest()?, common.work(options.tree.as_deref())?);
    common.check_files()?;
    let keep = |results: &_, about: &_| common.keep(results, about);
    let (results, about) = run(&options, &fastest, work.path(), &keep)?;
    common.hand_over(&results, "Fastest as a project grows", &about)
}
