//! Runs fuzz targets on stable Rust.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, SystemTime};

use clap::Parser;
use fastest_fuzz::drive::{self, Budget, Done, read_current};
use fastest_fuzz::target::{TARGETS, Target};
use fastest_fuzz::{corpus, place, target};

/// Runs decoders on mutations of their corpora, and checks what must always hold.
#[derive(Debug, Parser)]
struct Args {
    /// The targets to run [default: all]
    targets: Vec<String>,
    /// Run for so many seconds in all
    #[arg(long, default_value_t = 60)]
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
    #[arg(long)]
    jobs: Option<usize>,
    /// Write the seeds of the targets to their corpora, and do not run them
    #[arg(long)]
    write_seeds: bool,
    /// Print the dictionary of the targets for libFuzzer, and do not run them
    #[arg(long)]
    dictionary: bool,
    /// Run one target in this process, with its current input in this file
    #[arg(long, hide = true)]
    current: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut targets = Vec::new();
    for name in &args.targets {
        match target::find(name) {
            Some(target) => targets.push(target),
            None => {
                let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
                eprintln!("there is no target {name}; there are {}", names.join(", "));
                return ExitCode::from(2);
            }
        }
    }
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    match work(&args, &targets) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Does what the arguments ask for. Returns whether nothing was found.
fn work(args: &Args, targets: &[&'static Target]) -> io::Result<bool> {
    if args.write_seeds {
        for target in targets {
            println!("{}: {} seeds", target.name, corpus::write_seeds(target)?);
        }
        return Ok(true);
    }
    if args.dictionary {
        targets.iter().for_each(|target| print!("{}", corpus::dictionary(target)));
        return Ok(true);
    }
    if let Some(file) = &args.file {
        let input = fs::read(file)?;
        targets.iter().for_each(|target| drive::run_one(target, input.clone()));
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
    if let Some(current) = &args.current {
        let Done { corpus, executions, seconds } = drive::run(targets[0], seed, budget, current)?;
        println!("{corpus} {executions} {seconds}");
        return Ok(true);
    }
    Rounds { args, seed, budget }.all(targets, jobs)
}

/// Returns a seed that was hardly ever run.
fn fresh() -> u64 {
    let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    time ^ u64::from(std::process::id()) << 32
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs of targets, each in a process of its own.
struct Rounds<'a> {
    args: &'a Args,
    seed: u64,
    budget: Budget,
}

impl Rounds<'_> {
    fn all(&self, targets: &[&'static Target], jobs: usize) -> io::Result<bool> {
        println!("seed {}", self.seed);
        println!("{:<14} {:>7} {:>12} {:>10}", "target", "corpus", "executions", "a second");
        let (folder, mut is_clean) = (place::folder(), true);
        let mut waiting = targets.iter();
        let mut running = Vec::new();
        loop {
            while running.len() < jobs
                && let Some(target) = waiting.next()
            {
                let current = folder.path().join(target.name);
                running.push((*target, self.start(target, &current)?, current));
            }
            if running.is_empty() {
                return Ok(is_clean);
            }
            let (target, child, current) = running.remove(0);
            is_clean &= self.end(target, child, &current)?;
        }
    }

    fn start(&self, target: &Target, current: &Path) -> io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(target.name).args(["--seed", &self.seed.to_string()]);
        command.arg("--current").arg(current);
        match self.budget {
            Budget::Time(time) => command.args(["--seconds", &time.as_secs().max(1).to_string()]),
            Budget::Executions(count) => command.args(["--executions", &count.to_string()]),
        };
        // Blocks are read on all threads, which the limit on memory must not depend on.
        command.env("RAYON_NUM_THREADS", "2");
        command.stdout(Stdio::piped()).spawn()
    }

    /// Waits for a run, and tells what it did. Returns whether nothing was found.
    fn end(&self, target: &Target, child: Child, current: &Path) -> io::Result<bool> {
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Vec<f64> =
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        if let ([corpus, executions, seconds], true) = (&figures[..], output.status.success()) {
            let rate = executions / seconds;
            println!("{:<14} {corpus:>7} {executions:>12} {rate:>10.0}", target.name);
            return Ok(true);
        }
        println!("{:<14} FAILED ({})", target.name, output.status);
        let input = read_current(current)?;
        let name = format!("{}-{}", target.name, &blake3::hash(&input).to_hex()[..16]);
        fs::create_dir_all(&self.args.findings)?;
        let path = self.args.findings.join(name);
        fs::write(&path, input)?;
        println!(
            "  cargo run --release -p fastest-fuzz -- {} --file {}",
            target.name,
            path.display()
        );
        println!("  found with --seed {}", self.seed);
        Ok(false)
    }
}
