//! Measures what becomes of time and space as a project grows, on trees that it makes.
//!
//! `cargo build --release && cargo run --release -p fastest-benches --bin scale`

use std::env;
use std::path::PathBuf;

use clap::Parser;
use fastest_benches::error::{Error, Result};
use fastest_benches::report::Files;
use fastest_benches::scale::{Options, run};
use fastest_benches::{fastest, machine};

/// Measure trees of up to a million files, an insertion into a large file, and many workspaces of one
/// project
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Work in a new folder in this one; a million files and 3 GB must find room
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
    let parent = arguments.work.unwrap_or_else(env::temp_dir);
    let parent = parent.canonicalize().map_err(Error::at(&parent))?;
    let work = tempfile::Builder::new().prefix("fastest-scale.").tempdir_in(&parent);
    let work = work.map_err(Error::at(&parent))?;
    let (results, about) = run(&arguments.options, &fastest, work.path())?;
    arguments.files.hand_over(&results, &machine::line(&about["machine"]), about)
}
