//! The disk of a run. It fails where a schedule says so: the process dies at one of its changes of the
//! disk, or the disk is full from there on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastest_core::files::disk::watch::{Change, Needs, Watcher, watch};
use rustix::io::Errno;

use crate::files::clock::Clock;

/// What happens to a command at one of its changes of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The change, counted from 0.
    pub at: u32,
    /// What happens there.
    pub what: What,
}

/// What happens at a change of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The process dies before it.
    Death,
    /// The disk is full, until the command has ended.
    Full,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Death => write!(f, "the next command dies at change {} of the disk", self.at),
            What::Full => write!(f, "the disk is full from change {} of the next command", self.at),
        }
    }
}

/// The disk, which this process has only one of. It is watched until this is dropped.
pub struct Disk(Arc<Watched>);

impl Disk {
    /// Watches the disk of a run in `root`.
    pub fn new(seed: u64, root: &Path) -> Self {
        let clock = Clock::new(seed, &root.join("clock")).expect("the folder of the run is empty");
        let state = State { trouble: None, changes: 0, is_met: false };
        let watched = Arc::new(Watched { state: Mutex::new(state), clock: Mutex::new(clock) });
        watch(Some(Arc::<Watched>::clone(&watched)));
        Self(watched)
    }

    /// Calls `work`, which is a process, and meets this trouble. Returns what `work` returns, unless it
    /// dies, and whether it met the trouble. Where it dies, nothing that it does afterwards reaches the
    /// disk, until `bury` has returned, which lets go of what it held.
    pub fn meet<H, T>(
        &self,
        trouble: Option<Trouble>,
        process: &mut H,
        work: impl FnOnce(&mut H) -> T,
        bury: impl FnOnce(&mut H),
    ) -> (Option<T>, bool) {
        let Some(trouble) = trouble else { return (Some(work(process)), false) };
        *self.0.state() = State { trouble: Some(trouble), changes: 0, is_met: false };
        let done = catch_unwind(AssertUnwindSafe(|| work(process)));
        let is_met = self.0.state().is_met;
        let is_dead = is_met && trouble.what == What::Death;
        if is_dead {
            bury(process);
        }
        self.0.state().trouble = None;
        match done {
            // It may have been told by a thread of its own, and have returned.
            Ok(_) if is_dead => (None, true),
            Ok(done) => (Some(done), is_met),
            Err(_) if is_dead => (None, true),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        watch(None);
    }
}

struct Watched {
    state: Mutex<State>,
    clock: Mutex<Clock>,
}

#[derive(Debug)]
struct State {
    /// What the running command meets.
    trouble: Option<Trouble>,
    /// The changes that it made.
    changes: u32,
    is_met: bool,
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Watched {
    fn begins(&self, needs: Needs) -> Result<(), Errno> {
        let mut state = self.state();
        let Some(trouble) = state.trouble else { return Ok(()) };
        state.changes += 1;
        if state.changes <= trouble.at {
            return Ok(());
        }
        match (trouble.what, needs) {
            (What::Full, Needs::Nothing) => Ok(()),
            (What::Full, Needs::Room) => {
                state.is_met = true;
                Err(Errno::NOSPC)
            }
            (What::Death, _) if std::mem::replace(&mut state.is_met, true) => Err(Errno::IO),
            (What::Death, _) => {
                drop(state);
                // Without the message of a panic.
                resume_unwind(Box::new("the process dies"))
            }
        }
    }

    fn changed(&self, _change: Change) {}

    fn racy(&self, ctime_ns: i64, _is_racy: bool) -> bool {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner).is_racy(ctime_ns)
    }
}
