//! The log of a run: what happened, in order. It is the same for each run of a seed.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A log. Clones are the same log.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Adds a line.
    pub fn add(&self, line: String) {
        self.lines().push(line);
    }

    /// Returns all lines.
    pub fn text(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a short name for a value, by which two runs can be compared.
pub fn digest(value: &impl Debug) -> String {
    let hash = blake3::hash(format!("{value:?}").as_bytes());
    hash.to_hex()[..12].to_owned()
}
