//! Runs schedules.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant, SystemTime};

use clap::Parser;
use fastest_sim::finding::Outcome;
use fastest_sim::play::{play, story};
use tokio::runtime::Runtime;

/// Runs schedules of devices, an application and a primary, and checks that nothing is lost.
#[derive(Debug, Parser)]
struct Args {
    /// Run this seed, and print its events
    #[arg(long)]
    seed: Option<u64>,
    /// Print the events of the smallest story that leads to the same finding instead
    #[arg(long, requires = "seed")]
    smallest: bool,
    /// Run these seeds: `A..B`, without B
    #[arg(long, value_parser = range, conflicts_with = "seed")]
    seeds: Option<(u64, u64)>,
    /// Run fresh seeds for so many minutes
    #[arg(long, conflicts_with_all = ["seed", "seeds"])]
    minutes: Option<u64>,
    /// Do not look for the smallest story of a finding, which takes a while
    #[arg(long)]
    brief: bool,
    /// The number of processes [default: one for each processor]
    #[arg(long)]
    jobs: Option<u64>,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("two numbers with `..` between them")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
    Ok((number(from)?, number(to)?))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    if let Some(seed) = args.seed {
        let outcome = play(seed, &runtime);
        if !args.smallest {
            print!("{}", outcome.events);
        }
        return tell(&runtime, seed, &outcome, args.smallest, args.brief);
    }
    let began = Instant::now();
    let (seeds, until) = match (args.seeds, args.minutes) {
        (Some(seeds), _) => (seeds, None),
        (None, Some(minutes)) => {
            let from = fresh();
            ((from, from + (1 << 32)), Some(began + Duration::from_secs(60 * minutes)))
        }
        (None, None) => ((0, 1000), None),
    };
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    match args.jobs.unwrap_or(processors) {
        0 | 1 => in_turn(&runtime, seeds, until, args.brief),
        jobs => at_once(seeds, args.minutes, jobs, args.brief),
    }
}

/// Returns a seed that was hardly ever run.
fn fresh() -> u64 {
    let time = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos() as u64);
    (time ^ u64::from(std::process::id()) << 32) & !((1 << 32) - 1)
}

/// Runs a part of the seeds in each of several processes.
fn at_once((from, to): (u64, u64), minutes: Option<u64>, jobs: u64, is_brief: bool) -> ExitCode {
    let program = std::env::current_exe().expect("this program has a path");
    let each = (to - from).div_ceil(jobs);
    let start = |job: u64| {
        let begin = (from + job * each).min(to);
        let mut command = Command::new(&program);
        command.args(["--jobs", "1"]);
        if is_brief {
            command.arg("--brief");
        }
        match minutes {
            Some(minutes) => command.arg("--minutes").arg(minutes.to_string()),
            None => command.arg("--seeds").arg(format!("{begin}..{}", (begin + each).min(to))),
        };
        command.spawn().expect("this program can be started")
    };
    let running: Vec<_> = (0..jobs).map(start).collect();
    let ended = running.into_iter().map(|mut child| child.wait().is_ok_and(|end| end.success()));
    let results: Vec<bool> = ended.collect();
    if results.into_iter().all(|ok| ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn in_turn(
    runtime: &Runtime,
    (from, to): (u64, u64),
    until: Option<Instant>,
    is_brief: bool,
) -> ExitCode {
    let (began, mut failed, mut requests, mut count) = (Instant::now(), 0, 0, 0);
    for seed in from..to {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        let outcome = play(seed, runtime);
        (requests, count) = (requests + outcome.requests, count + 1);
        if !outcome.findings.is_empty() {
            failed += 1;
            tell(runtime, seed, &outcome, false, is_brief);
        }
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!(
        "seeds {from}..{}: {count} schedules, {failed} with findings, {requests} requests, {:.0} \
         schedules a minute",
        from + count,
        count as f64 / minutes
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Tells what was found and, unless it is to be brief, the smallest story that leads to it, after its
/// events if they are asked for.
fn tell(
    runtime: &Runtime,
    seed: u64,
    outcome: &Outcome,
    with_events: bool,
    is_brief: bool,
) -> ExitCode {
    let Some(first) = outcome.findings.first() else { return ExitCode::SUCCESS };
    if is_brief {
        println!("seed {seed}: {first}");
        return ExitCode::FAILURE;
    }
    let story = story(seed, first.kind, runtime);
    if with_events {
        print!("{}", story.events);
    }
    println!("seed {seed}: {first}");
    print!("{}", story.text);
    ExitCode::FAILURE
}
