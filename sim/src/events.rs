//! The log of a run: what happened, in order. It is the same for each run of a seed.

use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A log. Clones are the same log.
#[derive(Debug, Clone)]
pub struct Events {
    lines: Arc<Mutex<Vec<String>>>,
    /// The folder of the run, which is another one each time.
    root: Arc<str>,
}

impl Events {
    /// Makes an empty log of a run in `root`.
    pub fn new(root: &Path) -> Self {
        Self { lines: Arc::default(), root: root.display().to_string().into() }
    }

    /// Returns a text without the path of the run's folder.
    pub fn plain(&self, text: &str) -> String {
        text.replace(&*self.root, "/run")
    }

    /// Adds a line.
    pub fn add(&self, line: String) {
        self.lines().push(line);
    }

    /// Returns all lines.
    pub fn text(&self) -> String {
        self.lines().join("\n") + "\n"
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a short name for a value, by which two runs can be compared.
pub fn digest(value: &impl Debug) -> String {
    let hash = blake3::hash(format!("{value:?}").as_bytes());
    hash.to_hex()[..12].to_owned()
}
