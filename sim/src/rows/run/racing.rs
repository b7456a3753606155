//! Two commands at the same time.

use std::panic::resume_unwind;
use std::sync::Arc;

use fastest_sync::database::error::DatabaseError;
use fastest_sync::{Database, Remote};
use tokio::runtime::Builder;

use crate::baton::Runner;
use crate::network::Line;
use crate::rows::run::Run;
use crate::rows::schedule::Racer;
use crate::world::Party;

/// A process that takes part in a race.
struct Process {
    device: u8,
    pushes: bool,
    database: Database,
    remote: Remote,
    line: Line,
    party: Arc<Party>,
}

/// What came of a command.
type Outcome = Result<String, DatabaseError>;

impl Process {
    fn run(&mut self) -> Outcome {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let Self { database, remote, pushes, .. } = self;
        runtime.block_on(async {
            if *pushes {
                database.push_all(remote).await.map(|done| format!("{done:?}"))
            } else {
                database.pull_all(remote).await.map(|done| format!("{done:?}"))
            }
        })
    }
}

impl Run<'_> {
    /// Runs two commands at the same time.
    pub(super) fn race(&mut self, racers: &[Racer; 2], order: u64) {
        let mut processes = Vec::new();
        for (place, racer) in racers.iter().enumerate() {
            match self.process(racer, order.wrapping_add(place as u64)) {
                Ok(process) => processes.push(process),
                Err(error) => return self.failed(racer.device, "open", &error, false),
            }
        }
        let runners = Runner::pair(order);
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let mut started = Vec::new();
            for (process, runner) in processes.iter_mut().zip(runners) {
                process.line.set_runner(Some(runner.clone()));
                process.party.set_runner(Some(runner.clone()));
                started.push(scope.spawn(move || runner.run(|| process.run())));
            }
            // Both have ended before a panic of one of them goes on.
            let ended: Vec<_> = started.into_iter().map(|thread| thread.join()).collect();
            let outcome = |ended: std::thread::Result<Outcome>| {
                ended.unwrap_or_else(|panic| resume_unwind(panic))
            };
            ended.into_iter().map(outcome).collect()
        });
        self.see_primary();
        for (process, outcome) in processes.into_iter().zip(outcomes) {
            self.finish(process, outcome);
        }
    }

    /// Starts a process of a device, beside the one that the device has.
    fn process(&mut self, racer: &Racer, seed: u64) -> Result<Process, DatabaseError> {
        let (root, events) = (self.root.clone(), self.events.clone());
        let at = self.at(racer.device);
        // The file is created by the device's own process, with its ids.
        at.open()?;
        let party = Party::new(seed);
        party.advance_to(at.party.passed());
        party.set_full(at.party.is_full());
        let database = at.open_as(&party)?;
        let (line, remote) = at.connect_as(&party, &root, &events);
        line.begin(&racer.faults);
        let Racer { device, pushes, .. } = *racer;
        Ok(Process { device, pushes, database, remote, line, party })
    }

    fn finish(&mut self, process: Process, outcome: Outcome) {
        let Process { device, pushes, line, party, .. } = process;
        let what = if pushes { "push" } else { "pull" };
        let ended = line.end();
        self.count(device, what, ended.requests);
        self.at(device).party.advance_to(party.passed());
        self.done(device);
        match outcome {
            Ok(done) => {
                self.events.add(format!("d{device} {what}: {done}"));
                if pushes {
                    self.acknowledge(device);
                }
            }
            Err(error) => {
                let may_fail = ended.excuses(error.is_unreachable());
                self.failed(device, what, &error, may_fail);
            }
        }
        self.look(device);
    }
}
