//! Merges what a public history has merged, and compares the results with those of `git merge-tree`.
//!
//! `cargo run --release -p fastest-benches --bin merges -- path/to/repository`

use std::path::PathBuf;

use clap::Parser;
use fastest_benches::merges::{Options, Result, run};

/// Merge the parents of each merge in a git repository again, and compare trees and conflicts with
/// those of `git merge-tree`
#[derive(Debug, Parser)]
struct Arguments {
    /// The repository
    repository: PathBuf,
    /// At most so many merges, the newest first
    #[arg(long, default_value_t = usize::MAX)]
    count: usize,
    /// Do not let git find renames
    #[arg(long)]
    no_renames: bool,
    /// Only this merge
    #[arg(long)]
    commit: Option<String>,
}

fn main() -> Result<()> {
    let Arguments { repository, count, no_renames, commit } = Arguments::parse();
    let summary = run(&repository, &Options { count, no_renames, commit })?;
    print!("{summary}");
    Ok(())
}
