//! Runs Fastest beside git, restic, rsync, tar with zstd, and cp on a tree that you name.
//!
//! `cargo build --release && cargo run --release -p fastest-benches --bin compare -- TREE`

use std::env;
use std::path::PathBuf;

use clap::Parser;
use fastest_benches::compare::{Options, run};
use fastest_benches::error::{Error, Result};
use fastest_benches::report::Files;
use fastest_benches::{fastest, machine};

/// Run Fastest beside git, restic, rsync, tar with zstd, and cp, taking turns, and check each result
#[derive(Debug, Parser)]
struct Arguments {
    /// The folder whose files are stored; it is copied, and not changed
    tree: PathBuf,
    /// How often all is done
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Work in a new folder in this one; there must be room for twelve times the tree
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The binary of Fastest; by default the one beside this one
    #[arg(long, value_name = "FILE")]
    fastest: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let fastest = fastest::find(arguments.fastest.as_deref())?;
    let tree = arguments.tree.canonicalize().map_err(Error::at(&arguments.tree))?;
    let parent = arguments.work.unwrap_or_else(env::temp_dir);
    let parent = parent.canonicalize().map_err(Error::at(&parent))?;
    let work = tempfile::Builder::new().prefix("fastest-compare.").tempdir_in(&parent);
    let work = work.map_err(Error::at(&parent))?;
    let options =
        Options { tree, runs: arguments.runs as usize, work: work.path().to_owned(), fastest };
    let (results, about) = run(options)?;
    let title = format!(
        "{} files, {} bytes; {} runs; {}",
        about["tree"]["files"],
        about["tree"]["bytes"],
        about["runs"],
        machine::line(&about["machine"])
    );
    arguments.files.hand_over(&results, &title, about)
}
