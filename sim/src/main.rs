//! The simulator. `sim/README.md` says what it does and how to run it.

mod application;
mod device;
mod events;
mod model;
mod network;
mod run;
mod schedule;
mod sql;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::schedule::Schedule;

/// Runs schedules of devices, applications and a primary, and checks that nothing is lost.
#[derive(Debug, Parser)]
struct Args {
    /// Run this seed, and print its events
    #[arg(long)]
    seed: Option<u64>,
    /// Run these seeds: `A..B`
    #[arg(long, value_parser = range)]
    seeds: Option<(u64, u64)>,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("two numbers with `..` between them")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number"));
    Ok((number(from)?, number(to)?))
}

fn main() -> ExitCode {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("it is the first pool");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (from, to) = args.seed.map(|seed| (seed, seed + 1)).or(args.seeds).unwrap_or((0, 100));
    let (began, mut failed, mut requests) = (Instant::now(), 0, 0);
    for seed in from..to {
        let root = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
        let outcome = run::run(&Schedule::draw(seed), &runtime, root.path());
        requests += outcome.requests;
        if args.seed.is_some() {
            print!("{}", outcome.events);
        }
        if !outcome.findings.is_empty() {
            failed += 1;
            println!("seed {seed}: {}", outcome.findings.join("\n  "));
        }
    }
    let (count, seconds) = (to - from, began.elapsed().as_secs_f64());
    println!(
        "{count} schedules, {failed} with findings, {requests} requests, {:.0} schedules a minute",
        count as f64 / seconds * 60.0
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
