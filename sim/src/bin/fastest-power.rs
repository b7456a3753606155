//! Crashes commands at each point, and checks what is left on the disk (`sim/POWER.md`).

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use fastest_sim::power::run::{COMMANDS, Command, Doubt, Effort, Outcome, doubt, run, story};

/// Crashes commands at each point, and checks what is left on the disk
#[derive(Debug, Parser)]
struct Args {
    /// The first seed
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds to run
    #[arg(long, default_value_t = 1)]
    count: u64,
    /// Run fresh seeds for so many minutes
    #[arg(long, conflicts_with_all = ["seed", "count"])]
    minutes: Option<u64>,
    /// Only these commands, such as `Pull`
    #[arg(long)]
    command: Vec<String>,
    /// Ways to crash that are drawn at each point, for each kind of file systems
    #[arg(long, default_value_t = 4)]
    drawn: usize,
    /// At most so many disks for each seed and command
    #[arg(long)]
    disks: Option<usize>,
    /// Stop at the first disk that is not as it should be
    #[arg(long)]
    first: bool,
    /// Only tell what each command changes
    #[arg(long)]
    story: bool,
    /// Take each kind of sync away, and look whether that is found
    #[arg(long)]
    doubt: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let fresh = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    let from = args.seed.unwrap_or_else(|| if until.is_some() { fresh() } else { 0 });
    let count = if until.is_some() { u64::MAX - from } else { args.count };
    let effort = Effort { drawn: args.drawn, disks_max: args.disks, until, first: args.first };
    let is_wanted =
        |command: &Command| args.command.is_empty() || args.command.contains(&command.to_string());
    let mut all: BTreeMap<Command, Outcome> = BTreeMap::new();
    'seeds: for seed in from..from + count {
        for command in COMMANDS.into_iter().filter(is_wanted) {
            if until.is_some_and(|until| Instant::now() > until) {
                break 'seeds;
            }
            let began = Instant::now();
            if args.story {
                let story = in_memory(|folder| story(command, seed, folder));
                story.iter().for_each(|line| println!("{line}"));
                continue;
            }
            if args.doubt {
                in_memory(|folder| doubt(command, seed, effort, folder)).iter().for_each(|doubt| {
                    tell_doubt(command, doubt);
                });
                continue;
            }
            let outcome = in_memory(|folder| run(command, seed, effort, folder));
            let Outcome { points, disks, mended, faults } = &outcome;
            println!(
                "seed {seed}, {command}: {points} points, {disks} disks, {mended} mended, {} faults, {:.1} s",
                faults.len(),
                began.elapsed().as_secs_f64()
            );
            tell(&outcome);
            let is_bad = !outcome.faults.is_empty();
            all.entry(command).or_default().add(outcome);
            if is_bad && args.first {
                break 'seeds;
            }
        }
    }
    sum_up(&all)
}

/// Runs one command, in a folder in memory if there is one.
fn in_memory<T>(work: impl FnOnce(&Path) -> T) -> T {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix("fastest-power-").tempdir_in(place);
    work(folder.expect("a temporary folder can be made").path())
}

fn tell_doubt(command: Command, Doubt { without, found }: &Doubt) {
    match found {
        Some((disks, what)) => println!("{command} without {without}: disk {disks}: {what}"),
        None => println!("{command} without {without}: NOT FOUND"),
    }
}

/// Tells each fault of another kind once.
fn tell(outcome: &Outcome) {
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for fault in &outcome.faults {
        let count = known.entry(&fault.what).or_default();
        *count += 1;
        if *count == 1 && known.len() <= 8 {
            println!("  {fault}");
        }
    }
}

fn sum_up(all: &BTreeMap<Command, Outcome>) -> ExitCode {
    println!("command         points    disks  mended  faults");
    let mut faults = 0;
    for (command, outcome) in all {
        faults += outcome.faults.len();
        println!(
            "{:<13} {:>8} {:>8} {:>7} {:>7}",
            command.to_string(),
            outcome.points,
            outcome.disks,
            outcome.mended,
            outcome.faults.len()
        );
    }
    if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
