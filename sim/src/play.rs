//! Runs the schedule of a seed, of whichever kind it is.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Once, PoisonError, RwLock};

use tokio::runtime::Runtime;

use crate::files;
use crate::finding::{Kind, Outcome};
use crate::rows;
use crate::schedule::{Schedule, Step};
use crate::shrink::shrink;

/// One seed in so many is a run of working copies, which take longer.
const FILES_EVERY: u64 = 5;

/// Runs the schedule of a seed.
pub fn play(seed: u64, runtime: &Runtime) -> Outcome {
    if seed.is_multiple_of(FILES_EVERY) {
        one(&Schedule::<files::schedule::Step>::draw(seed), runtime, files::run::run)
    } else {
        one(&Schedule::<rows::schedule::Step>::draw(seed), runtime, rows::run::run)
    }
}

/// Tells the smallest story that leads to a finding of this kind, and what happens in it.
pub fn story(seed: u64, kind: Kind, runtime: &Runtime) -> Story {
    if seed.is_multiple_of(FILES_EVERY) {
        smallest(&Schedule::<files::schedule::Step>::draw(seed), kind, runtime, files::run::run)
    } else {
        smallest(&Schedule::<rows::schedule::Step>::draw(seed), kind, runtime, rows::run::run)
    }
}

/// The smallest schedule that leads to a finding.
#[derive(Debug)]
pub struct Story {
    /// The schedule and the finding, as a person can read them.
    pub text: String,
    /// What happens in it, in order.
    pub events: String,
}

/// Carries out a schedule in an empty folder.
type Run<S> = fn(&Schedule<S>, &Runtime, &Path) -> Outcome;

/// Held by a run whose disk may fail, of which a process has only one.
static DISK: RwLock<()> = RwLock::new(());

/// Carries out a schedule in a folder in memory, if there is one.
fn one<S: Step>(schedule: &Schedule<S>, runtime: &Runtime, run: Run<S>) -> Outcome {
    static ONE_THREAD: Once = Once::new();
    // Objects are packed in the order in which threads find them. If the pool is there already, it is
    // this one.
    ONE_THREAD.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
        pool.expect("nobody has used the pool yet");
    });
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let root = tempfile::tempdir_in(place).expect("a temporary folder can be made");
    let run = || run(schedule, runtime, &root.path().canonicalize().expect("it was just made"));
    if schedule.steps.iter().any(Step::is_of_disk) {
        let _disk = DISK.write().unwrap_or_else(PoisonError::into_inner);
        run()
    } else {
        let _disk = DISK.read().unwrap_or_else(PoisonError::into_inner);
        run()
    }
}

fn smallest<S: Step>(schedule: &Schedule<S>, kind: Kind, runtime: &Runtime, run: Run<S>) -> Story {
    // What is left out may uncover faults of other kinds.
    let fails = |schedule: &Schedule<S>| {
        one(schedule, runtime, run).findings.iter().any(|finding| finding.kind == kind)
    };
    let small = shrink(schedule, fails);
    let outcome = one(&small, runtime, run);
    let mut text = format!("  with {} devices and {} steps:\n", small.devices, small.steps.len());
    for step in &small.steps {
        writeln!(text, "    {step}").expect("a text takes everything");
    }
    for finding in outcome.findings {
        writeln!(text, "  {finding}").expect("a text takes everything");
    }
    Story { text, events: outcome.events }
}
