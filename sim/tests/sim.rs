//! Some schedules of each build: the same ones each time, and fresh ones.

use std::fs::File;
use std::process::Command;
use std::time::{Duration, SystemTime};

use fastest_fixtures::random::Random;
use fastest_sim::finding::{Outcome, Played};
use fastest_sim::play;
use rustix::process::{Pid, Signal, kill_process};

/// Seeds that found something (`sim/FOUND.md`), in the engine or in a model.
const KNOWN: [u64; 12] = [
    295,
    20_223,
    60_361,
    70_170,
    200_082,
    300_461,
    300_731,
    301_371,
    301_496,
    304_235,
    1_795_785_921_640_005_731,
    1_795_788_732_171_762_067,
];

fn play(seed: u64) -> Played {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    play::play(seed, &runtime)
}

fn hold(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let Outcome { findings, requests, .. } = play(seed).outcome;
        assert!(findings.is_empty(), "fastest-sim --seed {seed}: {findings:?}");
        assert!(requests > 0, "seed {seed} does nothing");
    }
}

#[test]
fn a_seed_is_a_run_to_the_byte() {
    for seed in [7, 44, 127, 5, 20, 515, 110, 340] {
        let [first, again] = [play(seed), play(seed)];
        assert!(first.events.lines().count() > 300);
        assert!(first.events == again.events, "seed {seed}");
    }
    assert_ne!(play(7).events, play(8).events);
}

/// Runs a seed in a process of its own, and stops it now and then. Returns what it prints.
fn play_with_pauses(seed: u64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let mut child = Command::new(env!("CARGO_BIN_EXE_fastest-sim"))
        .args(["--seed", &seed.to_string()])
        .stdout(File::create(&path).unwrap())
        .spawn()
        .unwrap();
    let process = Pid::from_child(&child);
    let mut random = Random::new(seed);
    let mut wait = || std::thread::sleep(Duration::from_millis(2 + random.number() % 30));
    while child.try_wait().unwrap().is_none() {
        wait();
        kill_process(process, Signal::STOP).unwrap();
        wait();
        kill_process(process, Signal::CONT).unwrap();
    }
    std::fs::read_to_string(path).unwrap()
}

/// How long a process takes changes nothing: 515 once died at another command, where files were racy
/// that were not before. 110 and 340 have errors with the names of temporary files.
#[test]
fn a_pause_changes_nothing() {
    for seed in [515, 110, 340] {
        let Played { outcome, events } = play(seed);
        let verdict = format!("seed {seed}: no finding, {} requests\n", outcome.requests);
        assert!(play_with_pauses(seed) == events + &verdict, "seed {seed}");
    }
}

#[test]
fn known_seeds_hold() {
    hold((0..100).chain(KNOWN));
}

#[test]
fn fresh_seeds_hold() {
    let fresh = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    hold(fresh..fresh + 100);
}
