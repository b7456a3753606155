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

    /// Returns a text without the path of the run's folder, and without the names of temporary files,
    /// which are random.
    pub fn plain(&self, text: &str) -> String {
        without_temporary_names(&text.replace(&*self.root, "/run"))
    }

    /// Adds a line, made plain.
    pub fn add(&self, line: String) {
        let line = self.plain(&line);
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

/// What names of temporary files begin with (`core/src/files/disk.rs`).
const TEMPORARY: &str = "/new-";

/// How many random letters and digits follow.
const RANDOM_CHARS: usize = 6;

fn without_temporary_names(text: &str) -> String {
    let mut parts = text.split(TEMPORARY);
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let random = part.bytes().take(RANDOM_CHARS).take_while(u8::is_ascii_alphanumeric).count();
        plain.push_str(TEMPORARY);
        if random == RANDOM_CHARS {
            plain.push('*');
            plain.push_str(&part[RANDOM_CHARS..]);
        } else {
            plain.push_str(part);
        }
    }
    plain
}

/// Returns a short name for a value, by which two runs can be compared.
pub fn digest(value: &impl Debug) -> String {
    let hash = blake3::hash(format!("{value:?}").as_bytes());
    hash.to_hex()[..12].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_runs_is_left_out() {
        let events = Events::new(Path::new("/dev/shm/x"));
        let check = |text: &str, plain: &str| assert_eq!(events.plain(text), plain);
        check("/dev/shm/x/d0/tmp/new-XJVwvd: No space", "/run/d0/tmp/new-*: No space");
        check("/a/new-one/b, /new-XJVwvd/c /new-", "/a/new-one/b, /new-*/c /new-");
    }
}
