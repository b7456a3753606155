//! A disk that fails: the process dies at one of its changes of the disk, or the disk is full from there
//! on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use fastest_core::files::disk::watch::{Change, Needs, Watcher, watch};
use rustix::io::Errno;

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

/// Calls `work`, which is a process, and meets this trouble. Returns what `work` returns, unless it dies,
/// and whether it met the trouble. Where it dies, nothing that it does afterwards reaches the disk, until
/// `bury` has returned, which lets go of what it held.
pub fn in_trouble<H, T>(
    trouble: Option<Trouble>,
    process: &mut H,
    work: impl FnOnce(&mut H) -> T,
    bury: impl FnOnce(&mut H),
) -> (Option<T>, bool) {
    let Some(trouble) = trouble else { return (Some(work(process)), false) };
    let disk = Arc::new(Disk { trouble, state: Mutex::default() });
    watch(Some(Arc::<Disk>::clone(&disk)));
    let done = catch_unwind(AssertUnwindSafe(|| work(process)));
    let State { is_met, .. } = *disk.state.lock().unwrap_or_else(PoisonError::into_inner);
    let is_dead = is_met && trouble.what == What::Death;
    if is_dead {
        bury(process);
    }
    watch(None);
    match done {
        // It may have been told by a thread of its own, and have returned.
        Ok(_) if is_dead => (None, true),
        Ok(done) => (Some(done), is_met),
        Err(_) if is_dead => (None, true),
        Err(panic) => resume_unwind(panic),
    }
}

struct Disk {
    trouble: Trouble,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    changes: u32,
    is_met: bool,
}

impl Watcher for Disk {
    fn begins(&self, needs: Needs) -> Result<(), Errno> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.changes += 1;
        if state.changes <= self.trouble.at {
            return Ok(());
        }
        match (self.trouble.what, needs) {
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
}
