//! Runs schedules.

mod jobs;

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use clap::builder::RangedU64ValueParser;
use fastest_fixtures::memory;
use fastest_fixtures::output::{say, say_line};
use fastest_sim::finding::Played;
use fastest_sim::panics;
use fastest_sim::play::{PROGRAM, play, story};
use tokio::runtime::Runtime;

use crate::jobs::Seeds;

/// Runs schedules of devices, an application and a primary, and checks that nothing is lost
///
/// Without options, seeds 0 to 999 are run. The exit code is 0 if nothing was found, 1 if something
/// was, and 2 if nothing could be run, or nobody read what was printed.
#[derive(Debug, Parser)]
struct Args {
    /// Run this seed, and print its events
    #[arg(long)]
    seed: Option<u64>,
    /// Print the events of the smallest story that leads to the same finding instead
    #[arg(long, requires = "seed", conflicts_with = "brief")]
    smallest: bool,
    /// Run these seeds: `A..B`, without B [default: 0..1000]
    #[arg(long, value_parser = Seeds::parse, conflicts_with = "seed")]
    seeds: Option<Seeds>,
    /// Run fresh seeds for so many minutes
    #[arg(long, value_parser = RangedU64ValueParser::<u64>::new().range(1..=MINUTES_MAX))]
    #[arg(conflicts_with_all = ["seed", "seeds"])]
    minutes: Option<u64>,
    /// Do not look for the smallest story of a finding, which takes a while
    #[arg(long)]
    brief: bool,
    /// The number of processes [default: one for each processor]
    #[arg(long, value_parser = RangedU64ValueParser::<u64>::new().range(1..=JOBS_MAX))]
    #[arg(conflicts_with = "seed")]
    jobs: Option<u64>,
    /// Run in this process, which ends with the one that has this id
    #[arg(long, hide = true)]
    child_of: Option<u32>,
}

/// A year.
const MINUTES_MAX: u64 = 366 * 24 * 60;

/// More processes than any machine has processors.
const JOBS_MAX: u64 = 1024;

/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let args = Args::parse();
    if let Err(error) = begin(&args) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    if let Some(seed) = args.seed {
        return one(&runtime, seed, &args);
    }
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let seeds = match (args.seeds, args.minutes) {
        (Some(seeds), _) => seeds,
        (None, Some(_)) => fresh(),
        (None, None) => Seeds { from: 0, to: 1000 },
    };
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    match args.jobs.unwrap_or(processors).min(seeds.count()) {
        jobs if jobs > 1 && args.child_of.is_none() => {
            jobs::at_once(seeds, args.minutes, jobs, args.brief)
        }
        _ => in_turn(&runtime, seeds, until, args.brief),
    }
}

/// Prepares this process and the place of its runs.
fn begin(args: &Args) -> Result<(), String> {
    panics::be_quiet();
    match args.child_of {
        Some(parent) => memory::end_with_parent(parent).map_err(|error| error.to_string()),
        None => memory::prepare(PROGRAM),
    }
}

/// Returns seeds that were hardly ever run.
fn fresh() -> Seeds {
    let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    let from = (time ^ u64::from(std::process::id()) << 32) & !u64::from(u32::MAX);
    Seeds { from, to: from | u64::from(u32::MAX) }
}

/// Runs one seed, and prints its events.
fn one(runtime: &Runtime, seed: u64, args: &Args) -> ExitCode {
    let played = play(seed, runtime);
    if !args.smallest {
        say(&played.events);
    }
    if !played.outcome.findings.is_empty() {
        tell(runtime, seed, &played, args.smallest, args.brief);
        return ExitCode::FAILURE;
    }
    let so = if args.smallest { ", so there is no smallest story" } else { "" };
    say_line(&format!("seed {seed}: no finding, {} requests{so}", played.outcome.requests));
    ExitCode::SUCCESS
}

/// Runs seeds one after the other. What was found is told at once, and how far it is each minute.
fn in_turn(runtime: &Runtime, seeds: Seeds, until: Option<Instant>, is_brief: bool) -> ExitCode {
    let began = Instant::now();
    let (mut failed, mut requests, mut count, mut told) = (0, 0, 0, began);
    let so_far = |count: u64, failed: u64, requests: u64| {
        let (Seeds { from, .. }, minutes) = (seeds, began.elapsed().as_secs_f64() / 60.0);
        let rate = count as f64 / minutes;
        format!(
            "seeds {from}..{}: {count} schedules, {failed} with findings, {requests} requests, \
             {rate:.0} schedules a minute",
            from + count
        )
    };
    for seed in seeds.from..seeds.to {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        let played = play(seed, runtime);
        (requests, count) = (requests + played.outcome.requests, count + 1);
        if !played.outcome.findings.is_empty() {
            failed += 1;
            tell(runtime, seed, &played, false, is_brief);
        }
        if told.elapsed() > TOLD_EVERY {
            eprintln!("so far, {}", so_far(count, failed, requests));
            told = Instant::now();
        }
    }
    say_line(&so_far(count, failed, requests));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells what was found and, unless it is to be brief, the smallest story that leads to it, after its
/// events if they are asked for.
fn tell(runtime: &Runtime, seed: u64, played: &Played, with_events: bool, is_brief: bool) {
    let first = &played.outcome.findings[0];
    if is_brief {
        return say_line(&format!("seed {seed}: {first}"));
    }
    let Some(story) = story(seed, first.kind, runtime) else {
        say_line(&format!("seed {seed}: {first}"));
        return say_line(
            "  It did not come again, so something does not depend on the seed alone.",
        );
    };
    if with_events {
        say(&story.events);
    }
    say_line(&format!("seed {seed}: {}", story.finding));
    if story.finding.text != first.text {
        say_line(&format!("  The whole schedule leads to: {first}"));
    }
    say(&story.text);
}
