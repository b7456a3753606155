//! Why a run could not be finished.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{fmt, io};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// An error that ends a run. Figures of a step that failed or did something else are not kept.
#[derive(thiserror::Error)]
pub enum Error {
    /// The `fastest` binary does not exist.
    #[error(
        "{} is not there: build it with `cargo build --release -p fastest-cli`, or name another \
         with --fastest",
        path.display()
    )]
    NoFastest {
        /// The path where it was expected.
        path: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: io::Error,
    },
    /// A program ended with an error.
    #[error("{command} failed ({status}): {said}")]
    Failed {
        /// The program with its arguments.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it wrote to stderr.
        said: String,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A program reported success, but the outcome is wrong.
    #[error("wrong result: {0}")]
    Wrong(String),
    /// The folder to work in is too small.
    #[error(
        "the run needs {needed}, and {} has {free} free: name a folder on another disk with --work, \
         or do less",
        folder.display()
    )]
    Room {
        /// The folder.
        folder: PathBuf,
        /// The space that is needed.
        needed: String,
        /// The space that is free.
        free: String,
    },
    /// The tree or the work folder cannot be used for this run.
    #[error("{0}")]
    Unusable(String),
}

/// `main` prints an error by Debug, so Debug prints its message instead of its fields.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// Returns a function for `map_err` that adds this path to an error of the file system.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::File { path: path.to_owned(), source }
    }
}

/// Fails with [`Error::Wrong`] if a check does not hold.
///
/// # Errors
///
/// If `holds` is false, with the text of `what`.
pub fn check(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Wrong(what())) }
}
