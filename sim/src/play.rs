//! Runs the schedule of a seed, of whichever kind it is.

use std::path::Path;
use std::sync::{Once, PoisonError, RwLock};

use fastest_fixtures::memory;
use tokio::runtime::Runtime;

use crate::events::Events;
use crate::files;
use crate::finding::{Finding, Kind, Outcome, Played};
use crate::panics;
use crate::rows;
use crate::schedule::{Schedule, Step};
use crate::story::{Story, smallest};

/// What the names of the folders of runs begin with.
pub const PROGRAM: &str = "fastest-sim";

/// One seed in so many is a run of working copies, which take longer.
const FILES_EVERY: u64 = 5;

/// Runs the schedule of a seed.
pub fn play(seed: u64, runtime: &Runtime) -> Played {
    if seed.is_multiple_of(FILES_EVERY) {
        one(&Schedule::<files::schedule::Step>::draw(seed), runtime, files::run::run)
    } else {
        one(&Schedule::<rows::schedule::Step>::draw(seed), runtime, rows::run::run)
    }
}

/// Tells the smallest story that leads to a finding of this kind; `None` if it does not come again.
pub fn story(seed: u64, kind: Kind, runtime: &Runtime) -> Option<Story> {
    if seed.is_multiple_of(FILES_EVERY) {
        let schedule = Schedule::<files::schedule::Step>::draw(seed);
        smallest(&schedule, kind, |schedule| one(schedule, runtime, files::run::run))
    } else {
        let schedule = Schedule::<rows::schedule::Step>::draw(seed);
        smallest(&schedule, kind, |schedule| one(schedule, runtime, rows::run::run))
    }
}

/// Carries out a schedule in an empty folder.
type Run<S> = fn(&Schedule<S>, &Runtime, &Path, &Events) -> Outcome;

/// Held by a run that watches the disk, of which a process has only one.
static DISK: RwLock<()> = RwLock::new(());

/// Carries out a schedule in a folder in memory, if there is one. A panic is a finding.
fn one<S: Step>(schedule: &Schedule<S>, runtime: &Runtime, run: Run<S>) -> Played {
    static ONE_THREAD: Once = Once::new();
    // Objects are packed in the order in which threads find them. If the pool is there already, it is
    // this one.
    ONE_THREAD.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
        pool.expect("nobody has used the pool yet");
    });
    // Should the process be killed, the name of the folder says by which seed.
    let folder = memory::folder(PROGRAM, &schedule.seed.to_string());
    let root = folder.path().canonicalize().expect("it was just made");
    let events = Events::new(&root);
    let run = || panics::caught(|| run(schedule, runtime, &root, &events));
    let done = if S::WATCHES_DISK {
        let _disk = DISK.write().unwrap_or_else(PoisonError::into_inner);
        run()
    } else {
        let _disk = DISK.read().unwrap_or_else(PoisonError::into_inner);
        run()
    };
    let outcome = done.unwrap_or_else(|panic| {
        let text = events.plain(&panic);
        events.add(format!("FOUND {text}"));
        let findings = vec![Finding { kind: Kind::Panicked, text }];
        Outcome { findings, is_at_end: false, requests: 0 }
    });
    Played { outcome, events: events.text() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_finding() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let schedule = Schedule::<rows::schedule::Step>::draw(1);
        let played = one(&schedule, &runtime, |_, _, root, events| {
            events.add("before".to_owned());
            panic!("in {}", root.display())
        });
        let [finding] = &played.outcome.findings[..] else { panic!("{played:?}") };
        assert_eq!(finding.kind, Kind::Panicked);
        assert!(finding.text.ends_with("in /run"), "{finding}");
        assert_eq!(played.events, format!("before\nFOUND {finding}\n"));
    }
}
