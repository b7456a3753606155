//! Runs fuzz targets on stable Rust.

mod findings;
mod rounds;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use fastest_fixtures::memory;
use fastest_fixtures::output::{say, say_line};
use fastest_fuzz::drive::{self, Budget, Done};
use fastest_fuzz::target::{TARGETS, Target};
use fastest_fuzz::{corpus, place, target};

use crate::findings::Findings;
use crate::rounds::Rounds;

/// Runs decoders on mutations of their corpora, and checks what must always hold
///
/// The exit code is 0 if nothing was found, 1 if something was, and 2 if nothing could be run, or
/// nobody read what was printed.
#[derive(Debug, Parser)]
struct Args {
    /// The targets to run [default: all]
    targets: Vec<String>,
    /// Run for so many seconds in all, and for at least one for each target
    #[arg(long, default_value_t = 60)]
    #[arg(value_parser = RangedU64ValueParser::<u64>::new().range(1..=SECONDS_MAX))]
    seconds: u64,
    /// Run so many inputs of each target instead
    #[arg(long)]
    executions: Option<u64>,
    /// Draw inputs from this seed [default: a fresh one]
    #[arg(long)]
    seed: Option<u64>,
    /// Run one target on the input in this file
    #[arg(long)]
    file: Option<PathBuf>,
    /// Save inputs that fail in this folder
    #[arg(long, default_value = "target/fuzz")]
    findings: PathBuf,
    /// The number of targets that run at the same time [default: one for each processor]
    #[arg(long, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1024))]
    jobs: Option<usize>,
    /// Write the seeds of the targets to their corpora, and do not run them
    #[arg(long)]
    write_seeds: bool,
    /// Print the dictionary of the targets for libFuzzer, and do not run them
    #[arg(long)]
    dictionary: bool,
    /// Run one target in this process, with its current input in this file
    #[arg(long, hide = true, requires = "child_of")]
    current: Option<PathBuf>,
    /// End with the process that has this id
    #[arg(long, hide = true)]
    child_of: Option<u32>,
}

/// A year.
const SECONDS_MAX: u64 = 366 * 24 * 60 * 60;

fn main() -> ExitCode {
    let args = Args::parse();
    match targets(&args).and_then(|targets| work(&args, &targets)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Returns the targets that are asked for, each once.
fn targets(args: &Args) -> Result<Vec<&'static Target>, String> {
    let mut targets: Vec<&'static Target> = Vec::new();
    for name in &args.targets {
        let Some(target) = target::find(name) else {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            return Err(format!("there is no target {name}; there are {}", names.join(", ")));
        };
        if targets.iter().all(|known| known.name != target.name) {
            targets.push(target);
        }
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    Ok(targets)
}

/// Does what the arguments ask for. Returns whether nothing was found.
fn work(args: &Args, targets: &[&'static Target]) -> Result<bool, String> {
    if args.write_seeds {
        for target in targets {
            let count = corpus::write_seeds(target);
            let count = count.map_err(|error| at(&corpus::folder(target), &error))?;
            say_line(&format!("{}: {count} seeds", target.name));
        }
        return Ok(true);
    }
    if args.dictionary {
        targets.iter().for_each(|target| say(&corpus::dictionary(target)));
        return Ok(true);
    }
    if let Some(file) = &args.file {
        let [target] = targets else {
            return Err("--file needs exactly one target".to_owned());
        };
        drive::run_one(target, fs::read(file).map_err(|error| at(file, &error))?);
        say_line(&format!("{}: no finding", target.name));
        return Ok(true);
    }
    let seed = args.seed.unwrap_or_else(fresh);
    let jobs = args.jobs.unwrap_or_else(processors).clamp(1, targets.len());
    let budget = match args.executions {
        Some(count) => Budget::Executions(count),
        // As many rounds as there are targets for each job.
        None => {
            Budget::Time(Duration::from_secs(args.seconds) * jobs as u32 / targets.len() as u32)
        }
    };
    if let (Some(current), Some(parent)) = (&args.current, args.child_of) {
        memory::end_with_parent(parent).map_err(|error| error.to_string())?;
        let done = drive::run(targets[0], seed, budget, current);
        let Done { corpus, executions, seconds } = done.map_err(|error| error.to_string())?;
        say_line(&format!("{corpus} {executions} {seconds}"));
        return Ok(true);
    }
    memory::prepare(place::PROGRAM)?;
    let findings = Findings::new(&args.findings)
        .map_err(|error| format!("findings cannot be saved in {}", at(&args.findings, &error)))?;
    Rounds { findings, seed, budget }.all(targets, jobs)
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Returns a seed that was hardly ever run.
fn fresh() -> u64 {
    let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    time ^ u64::from(std::process::id()) << 32
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
