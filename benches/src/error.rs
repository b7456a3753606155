//! Why a run could not be finished.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::{fmt, io};

/// Short for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What ends a run: figures of a step that failed, or did something else, are not kept.
#[derive(thiserror::Error)]
pub enum Error {
    /// The command that is measured is not built.
    #[error(
        "{} is not there: build it with `cargo build --release -p fastest-cli`, or name another \
         with --fastest",
        path.display()
    )]
    NoFastest {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    Start {
        /// The program.
        program: String,
        /// Why.
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
        /// Why.
        source: io::Error,
    },
    /// A program said that all went well, and it did not.
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
        /// What is needed.
        needed: String,
        /// What there is.
        free: String,
    },
    /// The tree, or the folder to work in, is of no use for this run.
    #[error("{0}")]
    Unusable(String),
}

/// `main` shows an error by this: as its text, not as its fields.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    /// For `map_err`: an error of the file system at this path.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::File { path: path.to_owned(), source }
    }
}

/// Fails with [`Error::Wrong`] where what was checked does not hold.
///
/// # Errors
///
/// The text of `what`, where `holds` is false.
pub fn check(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(Error::Wrong(what())) }
}
