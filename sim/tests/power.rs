//! Some crashes of each build: the same ones each time, and fresh ones.

use std::path::Path;
use std::time::SystemTime;

use fastest_fixtures::memory;
use fastest_sim::power::run::{COMMANDS, Command, Effort, Outcome, doubt, run};

fn in_memory<T>(work: impl FnOnce(&Path) -> T) -> T {
    work(memory::folder("fastest-power", "test").path())
}

fn crash(command: Command, seed: u64, disks: usize) {
    let effort = Effort { drawn: 2, disks_max: Some(disks), until: None, first: false };
    let Outcome { disks, faults, .. } = in_memory(|folder| run(command, seed, effort, folder));
    assert!(disks > 1, "seed {seed}, {command}: {disks} disks");
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(faults.is_empty(), "{} of {disks} disks:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn known_crashes_are_survived() {
    for command in COMMANDS {
        crash(command, 1, 8);
    }
}

#[test]
fn fresh_crashes_are_survived() {
    let fresh = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    for command in COMMANDS {
        crash(command, fresh, 8);
    }
}

/// A sync that is taken away is found.
#[test]
fn syncs_are_needed() {
    let effort = Effort { drawn: 4, disks_max: Some(60), until: None, first: true };
    let doubts = in_memory(|folder| doubt(Command::Snapshot, 1, effort, folder)).unwrap();
    for without in ["commit in store/replica.db", "sync of store/objects/packs/*"] {
        let found = doubts.iter().find(|doubt| doubt.without == without);
        let found = found.unwrap_or_else(|| panic!("nothing is {without}: {doubts:?}"));
        assert!(found.found.is_some(), "{without} is not missed");
    }
}
