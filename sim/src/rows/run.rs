//! Carries out a schedule of rows.

mod disasters;
mod racing;
mod settling;
mod watching;
mod writing;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastest_sync::database::error::DatabaseError;
use fastest_sync::remote::embedded::Embedded;
use fastest_sync::{Database, migrate};
use rusqlite::Connection;
use tokio::runtime::Runtime;

use crate::events::Events;
use crate::finding::{Finding, Kind, Outcome};
use crate::network::Planned;
use crate::rows::application::APPLICATION;
use crate::rows::device::Device;
use crate::rows::model::Model;
use crate::rows::schedule::Step;
use crate::schedule::Schedule;
use crate::world::Party;

/// How many requests a command may make.
const REQUESTS_MAX: u32 = 80;

/// Carries out a schedule in `root`, an empty folder.
pub fn run(schedule: &Schedule<Step>, runtime: &Runtime, root: &Path, events: &Events) -> Outcome {
    let mut run = Run::new(schedule, runtime, root, events);
    for (number, step) in schedule.steps.iter().enumerate() {
        run.events.add(format!("{number}: {step:?}"));
        run.step(step);
        if !run.findings.is_empty() {
            break;
        }
    }
    let is_at_end = run.findings.is_empty();
    if is_at_end {
        run.settle();
    }
    Outcome { findings: run.findings, is_at_end, requests: run.requests }
}

struct Run<'a> {
    runtime: &'a Runtime,
    root: PathBuf,
    events: Events,
    model: Model,
    devices: Vec<Device>,
    /// The version of the application whose tables the primary has.
    version: usize,
    /// The simulator's own look at the primary.
    primary: Connection,
    /// The version of the primary's backup, and which transactions it has.
    backup: Option<(usize, BTreeSet<usize>)>,
    /// The first transaction since the primary was last put back.
    whole_from: usize,
    now: Duration,
    /// Counts the values that were written.
    values: u32,
    requests: u64,
    findings: Vec<Finding>,
}

impl<'a> Run<'a> {
    fn new(schedule: &Schedule<Step>, runtime: &'a Runtime, root: &Path, events: &Events) -> Self {
        std::fs::create_dir(root.join("primary")).expect("the folder of the run is empty");
        let world = Party::new(schedule.seed).world();
        let path = root.join("primary").join("primary.db");
        let primary = Embedded::new(&path, world);
        runtime.block_on(migrate(&primary, APPLICATION[0].schema)).expect("the primary is new");
        drop(primary);
        let device = |number| Device::new(number, schedule.seed, root, events);
        let devices = (0..schedule.devices).map(device).collect();
        Self {
            runtime,
            root: root.to_owned(),
            model: Model::default(),
            devices,
            version: 0,
            primary: look_at(&path),
            backup: None,
            whole_from: 0,
            now: Duration::ZERO,
            values: 0,
            requests: 0,
            findings: Vec::new(),
            events: events.clone(),
        }
    }

    fn found(&mut self, kind: Kind, text: String) {
        let text = self.events.plain(&text);
        self.events.add(format!("FOUND {text}"));
        self.findings.push(Finding { kind, text });
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Write { device, edits } => self.write(*device, edits),
            Step::Push { device, faults } => self.push(*device, faults),
            Step::Pull { device, faults } => self.pull(*device, faults),
            Step::Race { racers, order } => self.race(racers, *order),
            Step::Hand(edit) => self.hand(*edit),
            Step::Resolve { device, takes_ours } => self.resolve(*device, *takes_ours),
            Step::Refused { device, drops } => self.refused(*device, *drops),
            Step::Reopen { device } => self.at(*device).close(),
            Step::Skew { device, ms } => self.at(*device).party.set_skew(*ms),
            Step::Full { device, is_full } => self.fill(*device, *is_full),
            Step::Deliver { device } => self.deliver(*device),
            Step::Backup { device } => self.back_up(*device),
            Step::Restore { device } => self.restore(*device),
            Step::Copy { from, to } => self.copy(*from, *to),
            Step::BackupPrimary => self.back_up_primary(),
            Step::RestorePrimary => self.restore_primary(),
            Step::Migrate => self.migrate(),
            Step::Upgrade { device } => self.upgrade(*device),
        }
    }

    /// Returns a device, whose clock has moved to the time of the run.
    fn at(&mut self, device: u8) -> &mut Device {
        let count = self.devices.len();
        let device = &mut self.devices[usize::from(device) % count];
        device.party.advance_to(self.now);
        device
    }

    /// Moves the time of the run on to that of a device.
    fn done(&mut self, device: u8) {
        self.now = self.now.max(self.at(device).party.passed()) + Duration::from_millis(10);
    }

    /// Notes that something failed. That is as it should be only if `may_fail`, or if the disk is full.
    fn failed(&mut self, device: u8, what: &str, error: &DatabaseError, may_fail: bool) {
        let text = self.events.plain(&error.to_string());
        self.events.add(format!("d{device} cannot {what}: {text}"));
        self.primary_rows();
        let at = self.at(device);
        let (version, is_full) = (at.version, at.party.is_full());
        if !(may_fail || is_full || version != self.version) {
            self.found(Kind::Failed, format!("d{device} cannot {what}: {text}"));
        }
    }

    /// Runs a command of a device against the primary. Returns its result, unless the device died.
    fn command<T: Debug>(
        &mut self,
        device: u8,
        what: &str,
        faults: &[Planned],
        command: impl AsyncFnOnce(&mut Database, &fastest_sync::Remote) -> Result<T, DatabaseError>,
    ) -> Option<T> {
        let runtime = self.runtime;
        let at = self.at(device);
        if let Err(error) = at.open() {
            self.failed(device, "open", &error, false);
            return None;
        }
        at.line.begin(faults);
        let database = at.database.as_mut().expect("it was opened above");
        let result = runtime.block_on(command(database, &at.remote));
        let ended = at.line.end();
        if ended.died() {
            at.close();
        }
        self.done(device);
        self.count(device, what, ended.requests);
        match result {
            Ok(done) => {
                self.events.add(format!("d{device} {what}: {done:?}"));
                Some(done)
            }
            Err(error) => {
                let may_fail = ended.excuses(error.is_unreachable());
                self.failed(device, what, &error, may_fail);
                None
            }
        }
    }

    /// Counts the requests of a command.
    fn count(&mut self, device: u8, what: &str, requests: u32) {
        self.requests += u64::from(requests);
        if requests > REQUESTS_MAX {
            self.found(Kind::Requests, format!("d{device}: {requests} requests to {what}"));
        }
    }

    fn push(&mut self, device: u8, faults: &[Planned]) {
        let pushed = self.command(device, "push", faults, async |database, remote| {
            database.push_all(remote).await
        });
        self.see_primary();
        if let Some(pushed) = pushed {
            self.acknowledge(device);
            if faults.is_empty() && pushed.refused.is_empty() && pushed.diverged.is_empty() {
                self.nothing_waits(device);
            }
        }
        self.look(device);
    }

    fn pull(&mut self, device: u8, faults: &[Planned]) {
        let teams = self.at(device).team.map_or(vec!["red", "blue"], |team| vec![team]);
        for team in teams {
            let pulled = self.command(device, "pull", faults, async |database, remote| {
                database.pull(remote, team).await
            });
            self.look(device);
            if pulled.is_none() {
                break;
            }
        }
    }

    fn deliver(&mut self, device: u8) {
        let (runtime, line) = (self.runtime, self.at(device).line.clone());
        runtime.block_on(line.deliver());
        self.see_primary();
    }
}

/// Opens the primary for the simulator itself.
fn look_at(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the primary is there");
    connection.pragma_update(None, "foreign_keys", true).expect("SQLite has foreign keys");
    connection
}
