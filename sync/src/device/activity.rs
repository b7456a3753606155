//! Progress of a long command, for a progress bar on another thread.

use std::sync::{Arc, Mutex};

use fastest_core::progress::{Counts, Progress};

/// The phase that a command is in, and its counts. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    phase: Arc<Mutex<Phase>>,
}

#[derive(Debug, Default)]
struct Phase {
    name: &'static str,
    progress: Arc<Progress>,
}

impl Activity {
    /// Begins a phase, named as a participle: `Scanning`, `Writing files`.
    pub(crate) fn begin(&self, name: &'static str) -> Arc<Progress> {
        let mut phase = self.phase.lock().expect("no holder panics");
        *phase = Phase { name, progress: Arc::default() };
        Arc::clone(&phase.progress)
    }

    /// Returns the current phase, which is empty before the first, and its counts.
    pub fn now(&self) -> (&'static str, Counts) {
        let phase = self.phase.lock().expect("no holder panics");
        (phase.name, phase.progress.counts())
    }
}
