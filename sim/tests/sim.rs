//! Some schedules of each build: the same ones each time, and fresh ones.

use std::time::SystemTime;

use fastest_sim::finding::Outcome;
use fastest_sim::play;

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

fn play(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    play::play(seed, &runtime)
}

fn hold(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let Outcome { findings, requests, .. } = play(seed);
        assert!(findings.is_empty(), "fastest-sim --seed {seed}: {findings:?}");
        assert!(requests > 0, "seed {seed} does nothing");
    }
}

#[test]
fn a_seed_is_a_run_to_the_byte() {
    for seed in [7, 44, 127, 5, 20] {
        let [first, again] = [play(seed), play(seed)];
        assert!(first.events.lines().count() > 300);
        assert!(first.events == again.events, "seed {seed}");
    }
    assert_ne!(play(7).events, play(8).events);
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
