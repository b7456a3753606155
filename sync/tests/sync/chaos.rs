//! A bad network between several devices and a real server, by seeds.
//!
//! Whatever happens on the way, in the end all devices and the primary agree, every acknowledged
//! snapshot is there exactly once, and the number of requests is bounded. `FASTEST_SEEDS=1000` runs
//! that many seeds for each server, and `FASTEST_SEED=7` replays that one.

use std::collections::BTreeSet;

use fastest_fixtures::proxy::{Fault, Plan, Proxy};
use fastest_fixtures::servers::{D1Server, SqldServer};
use fastest_sync::World;
use fastest_sync::device::activity::Activity;
use fastest_sync::remote::open::Remote;
use fastest_sync::remote::primary::Primary;
use fastest_sync::remote::retry::RetryPolicy;
use fastest_sync::remote::secret::NoSecrets;
use fastest_sync::remote::state::{Packs, RemoteState};
use fastest_sync::remote::statement::Statement;

use super::machine::{Machine, noise};
use super::run;

const SEEDS: u64 = 25;
const DEVICES: usize = 3;
const STEPS: usize = 10;
/// A step's push may take a few statements, each with a few attempts.
const REQUESTS_PER_STEP_MAX: u64 = 60;

/// No waiting, because the faults are planned and do not come from load.
const IMPATIENT: RetryPolicy = RetryPolicy {
    attempts: 5,
    base: std::time::Duration::ZERO,
    max_wait: std::time::Duration::ZERO,
    max_total: std::time::Duration::from_secs(60),
};

#[test]
fn sqld_behind_a_bad_network() {
    let server = SqldServer::start();
    let proxy = Proxy::start(server.address(), Plan::calm());
    every_seed(&proxy, &proxy.url(), &server.url());
}

#[test]
fn d1_behind_a_bad_network() {
    let server = D1Server::shared();
    let proxy = Proxy::start(server.address(), Plan::calm());
    let database = server.fresh();
    let url = |base: &str| format!("d1://local/{database}?api={base}");
    let through = server.api().replace(&server.address().to_string(), &proxy.address().to_string());
    every_seed(&proxy, &url(&through), &url(&server.api()));
}

/// Returns a plan with every fault, which hits three requests of ten. A server that asks for
/// patience asks for zero seconds.
fn rough(seed: u64) -> Plan {
    let hurried = |fault| match fault {
        Fault::TooMany { .. } => Fault::TooMany { retry_after_seconds: 0 },
        fault => fault,
    };
    let plan = Plan::rough(seed);
    Plan { faults: plan.faults.iter().copied().map(hurried).collect(), ..plan }
}

fn every_seed(proxy: &Proxy, url: &str, direct: &str) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("FASTEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FASTEST_SEEDS").unwrap_or(SEEDS),
    };
    let (mut requests, mut harmed) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let teller = TellsSeed { seed, proxy };
        let of_seed = one_seed(proxy, url, direct, seed);
        drop(teller);
        println!("seed {seed}: {} requests, {} harmed", of_seed.0, of_seed.1);
        requests += of_seed.0;
        harmed += of_seed.1;
    }
    println!("{count} seeds, {requests} requests, {harmed} of them harmed");
}

/// Prints the seed that failed, and what the proxy did.
struct TellsSeed<'a> {
    seed: u64,
    proxy: &'a Proxy,
}

impl Drop for TellsSeed<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("FASTEST_SEED={}", self.seed);
            for event in self.proxy.log() {
                println!("{event:?}");
            }
        }
    }
}

/// Random numbers from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Devices of one project: the first made it, the second cloned it, the third is a copy of the
/// first, store and all.
struct Crowd {
    machines: Vec<Machine>,
    /// Snapshots that a push has acknowledged.
    acknowledged: BTreeSet<String>,
    files: u64,
}

const FOLDERS: [&str; DEVICES] = ["app", "desk", "app"];

impl Crowd {
    fn gather(url: &str, project: &str) -> Self {
        let machine = || {
            let mut machine = Machine::new().with_retries(IMPATIENT);
            run(machine.device.remote_set(Some(url), Packs::Rows)).unwrap();
            machine
        };
        let mut one = machine();
        one.write("app/begun", project);
        let dir = one.path("app");
        one.device.init(&dir, Some(project)).unwrap();
        one.push("app");
        let mut two = machine();
        two.clone_project(project, "desk");
        let three = one.copied().with_retries(IMPATIENT);
        Self { machines: vec![one, two, three], acknowledged: BTreeSet::new(), files: 0 }
    }

    fn step(&mut self, dice: &mut Dice) {
        let at = dice.below(DEVICES as u64) as usize;
        let folder = FOLDERS[at];
        match dice.below(10) {
            0..=5 => self.save(at, dice),
            6 => drop(self.machines[at].snapshot(folder)),
            _ => self.pull(at),
        }
    }

    fn save(&mut self, at: usize, dice: &mut Dice) {
        let (machine, folder) = (&mut self.machines[at], FOLDERS[at]);
        self.files += 1;
        // Some packs are too large to be sent inline.
        let size = if dice.below(8) == 0 { 900_000 } else { 200 };
        machine.write(&format!("{folder}/{at}/{}", self.files), noise(size, dice.below(1 << 40)));
        match machine.try_push(folder) {
            Ok(report) if report.pushed => {
                self.acknowledged.insert(report.snapshot.snapshot_id.into());
            }
            Ok(report) => assert!(report.queued_because.is_some(), "{report:?}"),
            Err(error) => assert!(error.is_unreachable(), "{error}"),
        }
    }

    fn pull(&mut self, at: usize) {
        let (machine, folder) = (&mut self.machines[at], FOLDERS[at]);
        let copy = machine.copy(folder);
        match run(machine.device.pull(&copy, Some("main"), &Activity::default())) {
            Ok(report) => assert!(report.conflicts.is_empty() && report.kept.is_empty()),
            Err(error) => assert!(error.is_unreachable(), "{error}"),
        }
    }

    /// With the network mended, pushes and pulls until nothing changes any more.
    fn settle(&mut self) {
        for round in 0.. {
            let before = self.acknowledged.len();
            for (machine, folder) in self.machines.iter_mut().zip(FOLDERS) {
                machine.push(folder);
                let pulled = machine.pull(folder, "main");
                assert!(pulled.conflicts.is_empty() && pulled.kept.is_empty(), "{pulled:?}");
                let pushed = machine.push(folder).snapshot.snapshot_id;
                self.acknowledged.insert(pushed.into());
            }
            assert!(round < 6, "they do not settle");
            if round > 0 && self.acknowledged.len() == before {
                break;
            }
        }
        for (machine, folder) in self.machines.iter_mut().zip(FOLDERS) {
            machine.pull(folder, "main");
            let copy = machine.copy(folder);
            let status = machine.device.status(&copy, &Activity::default()).unwrap();
            assert!(status.queued_since.is_none() && status.waiting_rows == 0, "{status:?}");
        }
    }
}

/// Runs one seed. Returns the number of requests, and of those that were hit by a fault.
fn one_seed(proxy: &Proxy, url: &str, direct: &str, seed: u64) -> (u64, u64) {
    proxy.set_plan(Plan::calm());
    let project = format!("p{seed}-{}", ulid::Ulid::generate());
    let mut crowd = Crowd::gather(url, &project);
    let mut dice = Dice(seed);
    proxy.set_plan(rough(seed));
    proxy.set_faults(true);
    for _ in 0..STEPS {
        crowd.step(&mut dice);
    }
    let requests = proxy.requests();
    let harmed = proxy.log().iter().filter(|event| event.fault != Fault::Pass).count() as u64;
    assert!(requests <= STEPS as u64 * REQUESTS_PER_STEP_MAX, "{requests} requests");
    proxy.set_faults(false);
    crowd.settle();
    let scope = crowd.machines[0].copy("app").project_id;
    agreed(&mut crowd, direct, scope.as_str());
    (requests, harmed)
}

/// Checks that all devices and the primary have the same rows, and each acknowledged snapshot once.
fn agreed(crowd: &mut Crowd, direct: &str, scope: &str) {
    let state = RemoteState { url: Some(direct.to_owned()), ..RemoteState::default() };
    let store = tempfile::tempdir().unwrap();
    let primary = Remote::open(&state, store.path(), &NoSecrets, World::system()).unwrap().primary;
    let ids = ask(&*primary, scope, "SELECT id FROM snapshots WHERE project_id = ?1 ORDER BY id");
    let known: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(ids.len(), known.len());
    for id in &crowd.acknowledged {
        assert!(known.contains(id), "{id} was acknowledged and is lost");
    }
    let rewritten = "SELECT tbl || ' ' || pk FROM fastest_changes WHERE scope = ?1 AND version > 1
                     AND tbl IN ('snapshots', 'activity_events', 'fastest_packs')";
    assert_eq!(ask(&*primary, scope, rewritten), [""; 0], "each row is written once");
    let heads = "SELECT json_array(id, name, current_snapshot_id, version) FROM workspaces
                 WHERE project_id = ?1 ORDER BY id";
    let events = "SELECT id FROM activity_events WHERE project_id = ?1 ORDER BY id";
    let files = crowd.machines[0].files(FOLDERS[0]);
    for (machine, folder) in crowd.machines.iter_mut().zip(FOLDERS) {
        assert_eq!(machine.snapshots(folder), ids);
        for sql in [heads, events] {
            let here = machine.replica(&sql.replace("?1", &format!("'{scope}'")));
            assert_eq!(here, ask(&*primary, scope, sql), "{sql}");
        }
        if folder == FOLDERS[0] {
            assert_eq!(machine.files(folder), files);
        }
        machine.check();
    }
}

fn ask(primary: &dyn Primary, scope: &str, sql: &str) -> Vec<String> {
    let rows = run(primary.run(Statement::reads(sql), &[scope])).unwrap();
    rows.into_iter().flatten().map(Option::unwrap_or_default).collect()
}
