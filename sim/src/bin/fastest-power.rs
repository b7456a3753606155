//! Crashes commands at each point, and checks what is left on the disk (`sim/POWER.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use fastest_fixtures::memory;
use fastest_fixtures::output::say_line;
use fastest_sim::panics;
use fastest_sim::power::run::{COMMANDS, Command, Doubt, Effort, Outcome, doubt, run, story};

/// Crashes commands at each point, and checks what is left on the disk
///
/// The exit code is 0 if no disk was found that is not as it should be, 1 if one was, and 2 if nothing
/// could be run, or nobody read what was printed.
#[derive(Debug, Parser)]
struct Args {
    /// The first seed [default: 0]
    #[arg(long)]
    seed: Option<u64>,
    /// How many seeds to run
    #[arg(long, default_value_t = 1, value_parser = RangedU64ValueParser::<u64>::new().range(1..))]
    count: u64,
    /// Run fresh seeds for so many minutes
    #[arg(long, value_parser = RangedU64ValueParser::<u64>::new().range(1..=MINUTES_MAX))]
    #[arg(conflicts_with_all = ["seed", "count"])]
    minutes: Option<u64>,
    /// Only this command. May be given several times
    #[arg(long, value_enum, ignore_case = true)]
    command: Vec<Command>,
    /// Ways to crash that are drawn at each point, for each kind of file systems
    #[arg(long, default_value_t = 4)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(0..=1000))]
    drawn: usize,
    /// At most so many disks for each seed and command [default: all]
    #[arg(long, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    disks: Option<usize>,
    /// Stop at the first disk that is not as it should be
    #[arg(long)]
    first: bool,
    /// Only tell what each command changes
    #[arg(long, conflicts_with = "doubt")]
    story: bool,
    /// Take each kind of sync away, and look whether that is found
    #[arg(long)]
    doubt: bool,
}

/// A year.
const MINUTES_MAX: u64 = 366 * 24 * 60;

/// What the names of the folders of runs begin with.
const PROGRAM: &str = "fastest-power";

fn main() -> ExitCode {
    let args = Args::parse();
    panics::be_quiet();
    match seeds(&args).and_then(|seeds| memory::prepare(PROGRAM).map(|()| seeds)) {
        Ok(seeds) => all(&args, seeds),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Returns the first seed and the last one.
fn seeds(args: &Args) -> Result<RangeInclusive<u64>, String> {
    if args.minutes.is_some() {
        let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
        return Ok(time..=u64::MAX);
    }
    let (from, count) = (args.seed.unwrap_or(0), args.count);
    let last = from.checked_add(count - 1);
    Ok(from..=last.ok_or_else(|| format!("there are no {count} seeds from {from} on"))?)
}

fn all(args: &Args, seeds: RangeInclusive<u64>) -> ExitCode {
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let effort = Effort { drawn: args.drawn, disks_max: args.disks, until, first: args.first };
    let is_wanted = |command: &Command| args.command.is_empty() || args.command.contains(command);
    let (mut all, mut has_failed) = (BTreeMap::<Command, Outcome>::new(), false);
    'seeds: for seed in seeds {
        for command in COMMANDS.into_iter().filter(is_wanted) {
            if until.is_some_and(|until| Instant::now() > until) {
                break 'seeds;
            }
            if args.story || args.doubt {
                let told = if args.story {
                    in_memory(seed, |folder| story(command, seed, folder))
                } else {
                    let doubts = in_memory(seed, |folder| doubt(command, seed, effort, folder));
                    let tell = |doubt: &Doubt| tell_doubt(command, doubt);
                    doubts.map(|doubts| doubts.iter().map(tell).collect())
                };
                has_failed |= told.is_err();
                match told {
                    Ok(lines) => lines.iter().for_each(|line| say_line(line)),
                    Err(error) => {
                        say_line(&format!("seed {seed}, {command}, without a crash: {error}"))
                    }
                }
                continue;
            }
            let began = Instant::now();
            let outcome = in_memory(seed, |folder| run(command, seed, effort, folder));
            tell(seed, command, &outcome, began.elapsed());
            let is_bad = !outcome.faults.is_empty();
            has_failed |= is_bad;
            all.entry(command).or_default().add(outcome);
            if is_bad && args.first {
                break 'seeds;
            }
        }
    }
    if !all.is_empty() {
        sum_up(&all);
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Works in a folder in memory, if there is such a place.
fn in_memory<T>(seed: u64, work: impl FnOnce(&Path) -> T) -> T {
    work(memory::folder(PROGRAM, &seed.to_string()).path())
}

fn tell_doubt(command: Command, Doubt { without, found }: &Doubt) -> String {
    match found {
        Some((disks, what)) => format!("{command} without {without}: disk {disks}: {what}"),
        None => format!("{command} without {without}: NOT FOUND"),
    }
}

/// Tells what was tried, and each fault of another kind once.
fn tell(seed: u64, command: Command, outcome: &Outcome, time: Duration) {
    let Outcome { points, disks, mended, faults } = outcome;
    say_line(&format!(
        "seed {seed}, {command}: {points} points, {disks} disks, {mended} mended, {} faults, {:.1} s",
        faults.len(),
        time.as_secs_f64()
    ));
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for fault in faults {
        if known.insert(&fault.what) && known.len() <= 8 {
            say_line(&format!("  {fault}"));
        }
    }
}

fn sum_up(all: &BTreeMap<Command, Outcome>) {
    say_line("command         points    disks  mended  faults");
    for (command, outcome) in all {
        say_line(&format!(
            "{:<13} {:>8} {:>8} {:>7} {:>7}",
            command.to_string(),
            outcome.points,
            outcome.disks,
            outcome.mended,
            outcome.faults.len()
        ));
    }
}
