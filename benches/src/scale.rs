//! Measures how time and space grow with a project, on generated trees.
//!
//! - `growth`: trees of 1,000 to 1,000,000 files
//! - `insert`: a few bytes inserted in the middle of a large file
//! - `workspaces`: many workspaces of one project on one device

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::measure::Memory;
use crate::results::Results;
use crate::{fastest, machine};

mod growth;
mod insert;
mod workspaces;

/// The command-line options.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Parts to measure
    #[arg(long, value_delimiter = ',', default_value = "growth,insert,workspaces")]
    parts: Vec<Part>,
    /// How often each size of `growth` is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// `growth`: how many files
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1000,10000,100000,1000000",
        value_parser = clap::value_parser!(u64).range(growth::FILES_MIN..)
    )]
    sizes: Vec<u64>,
    /// `insert`: bytes of the large file
    #[arg(long, default_value_t = 1_000_000_000, value_parser = clap::value_parser!(u64).range(1 << 20..))]
    large_bytes: u64,
    /// `workspaces`: the project's folder [default: 2,000 generated files of about 25 KB]
    #[arg(long, value_name = "FOLDER")]
    pub tree: Option<PathBuf>,
    /// `workspaces`: how many, the first one included
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(2..))]
    workspaces: u64,
}

/// A part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Growth,
    Insert,
    Workspaces,
}

/// The work folder, and the binary.
struct Bench<'a> {
    work: &'a Path,
    program: &'a Path,
    memory: Memory,
    keep: &'a dyn Fn(&Results) -> Result<()>,
}

/// Measures the chosen parts with the binary `program`, in the folder `work`. Returns the results, and
/// a description of what was measured. Calls `keep` with both after each run and each part, so that
/// nothing is lost if a later one fails.
///
/// # Errors
///
/// If a step fails, if a check of its result fails, or if `keep` fails.
pub fn run(
    options: &Options,
    program: &Path,
    work: &Path,
    keep: &dyn Fn(&Results, &Value) -> Result<()>,
) -> Result<(Results, Value)> {
    let about = json!({
        "runs": options.runs,
        "machine": machine::facts(work),
        "binary": fastest::binary(program)?,
        "versions": {
            "fastest": fastest::version(program),
            "find": machine::version("find", &["--version"]),
        },
        "notes": NOTES,
    });
    let keep = |results: &Results| keep(results, &about);
    let bench = Bench { work, program, memory: Memory::new(work), keep: &keep };
    let mut results = Results::new(&["fastest", "find"]);
    for part in &options.parts {
        match part {
            Part::Growth => {
                growth::run(&bench, &options.sizes, options.runs as usize, &mut results)?
            }
            Part::Insert => insert::run(&bench, options.large_bytes, &mut results)?,
            Part::Workspaces => {
                workspaces::run(&bench, options.tree.as_deref(), options.workspaces, &mut results)?;
            }
        }
        keep(&results)?;
    }
    Ok((results, about))
}

/// What a reader must know to interpret the figures.
const NOTES: [&str; 3] = [
    "find looks at every file's times (-type f -newermt 2030-01-01): what any status without a watcher \
     must do at the least.",
    "Short steps are repeated in each run, and done once more before, untimed; memory is measured there.",
    "Bytes are the lengths of files: of the packs for what a snapshot adds; of all files of the device's \
     store, or of the primary with its packs, for workspaces.",
];

impl Bench<'_> {
    /// A new folder for one part.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.work.join(name);
        std::fs::create_dir(&folder).map_err(Error::at(&folder))?;
        Ok(folder)
    }

    /// A device with a store and a primary in this folder.
    fn device(&self, folder: &Path) -> Result<fastest::Fastest> {
        let primary = folder.join("primary");
        std::fs::create_dir(&primary).map_err(Error::at(&primary))?;
        let device = fastest::Fastest::new(self.program, &folder.join("store"));
        device.set_primary(&primary.join("primary.db"))?;
        Ok(device)
    }
}
