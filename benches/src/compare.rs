//! The side-by-side run: Fastest beside what people use today, on a tree that the caller names.
//!
//! Peers take turns within each run: each step is done by all of them before the next one begins, and
//! another one is first in each run. What a step did is checked, outside of the time.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::folder::{self, Entry, Keeps, Listing};
use crate::measure::Memory;
use crate::results::{Results, Unit};
use crate::{fastest, machine, made};

mod bench;
mod git;
mod mirror;
mod ours;
mod restic;

/// How often a short step is timed in each run.
const STATUS_REPEATS: usize = 15;
/// How often a step is timed in each run that changes a file.
const ONE_FILE_REPEATS: usize = 7;
/// Files that are changed are no larger: what is measured is one change, not one file.
const CHANGED_BYTES_MAX: u64 = 64 << 10;

/// The copy of the caller's tree that all others are made of, in the folder of the work.
const ORIGINAL: &str = "original";

/// What is measured, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All files are stored for the first time.
    FirstSnapshot,
    /// What that takes: the lengths of the files.
    Stored,
    /// The same, as the disk counts it.
    StoredOnDisk,
    /// Finding that nothing changed.
    Status,
    /// Storing one file that changed.
    OneFileSnapshot,
    /// Sending all to another place for the first time.
    FirstPush,
    /// Storing and sending one file that changed.
    OneFilePush,
    /// All files in a new folder.
    Clone,
}

impl Step {
    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 8] = [
        Self::FirstSnapshot,
        Self::Stored,
        Self::StoredOnDisk,
        Self::Status,
        Self::OneFileSnapshot,
        Self::FirstPush,
        Self::OneFilePush,
        Self::Clone,
    ];

    /// Its row in the results.
    pub fn row(self) -> (&'static str, Unit) {
        match self {
            Self::FirstSnapshot => ("first snapshot", Unit::Seconds),
            Self::Stored => ("stored size", Unit::Bytes),
            Self::StoredOnDisk => ("stored size on disk", Unit::Bytes),
            Self::Status => ("status, nothing changed", Unit::Seconds),
            Self::OneFileSnapshot => ("one file changed: snapshot", Unit::Seconds),
            Self::FirstPush => ("first push", Unit::Seconds),
            Self::OneFilePush => ("one file changed: snapshot and push", Unit::Seconds),
            Self::Clone => ("clone", Unit::Seconds),
        }
    }

    /// How often it is timed in each run, where it can be repeated.
    fn repeats(self) -> Option<usize> {
        match self {
            Self::Status => Some(STATUS_REPEATS),
            Self::OneFileSnapshot | Self::OneFilePush => Some(ONE_FILE_REPEATS),
            _ => None,
        }
    }
}

/// One step of one peer.
#[derive(Debug)]
pub struct Job {
    /// What is run, one after the other, and timed together.
    commands: Vec<Command>,
    /// What is read before, so that it is in the page cache.
    warm: Option<PathBuf>,
}

/// Someone who does these steps, or some of them.
trait Peer {
    /// Its column in the results.
    fn name(&self) -> &'static str;
    /// Makes what it needs, untimed. The tree is there.
    fn set_up(&mut self) -> Result<()>;
    /// What to time for the step; none where it does not do that. A step that changes a file changes
    /// another one for each `number`.
    fn job(&mut self, step: Step, number: usize) -> Result<Option<Job>>;
    /// Fails unless the job did what it is for. `output` is what its last command wrote to stdout.
    fn check(&mut self, step: Step, number: usize, output: &[u8]) -> Result<()>;
    /// Where it stores what it was given.
    fn stored(&self) -> Option<PathBuf>;
}

/// What a peer has in one run.
#[derive(Debug, Clone)]
struct Place {
    /// Its folder, whose files are emptied after the run.
    folder: PathBuf,
    /// A copy of the caller's tree: its own, where it changes files.
    tree: PathBuf,
    /// Files to change, by path from the tree's root, in an order.
    files: Vec<PathBuf>,
}

impl Place {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn tree(&self) -> PathBuf {
        self.tree.clone()
    }

    /// The file that this step changes at this number.
    fn changed(&self, step: Step, number: usize) -> &Path {
        let first = if step == Step::OneFilePush { ONE_FILE_REPEATS + 1 } else { 0 };
        &self.files[(first + number) % self.files.len()]
    }

    /// Changes the file of this step and number.
    fn change(&self, step: Step, number: usize) -> Result<()> {
        made::change(&self.tree.join(self.changed(step, number)), number as u64)
    }
}

/// What the caller chose.
#[derive(Debug)]
pub struct Options {
    /// The tree.
    pub tree: PathBuf,
    /// How often all is done.
    pub runs: usize,
    /// Where all is done; some twelve times the tree must find room.
    pub work: PathBuf,
    /// The binary of Fastest.
    pub fastest: PathBuf,
}

/// Measures all steps of all peers that are installed. Gives the results, and what they are of.
///
/// # Errors
///
/// Where a step fails, or did not do what it is for.
pub fn run(options: Options) -> Result<(Results, Value)> {
    let (versions, missing) = peers(&options.fastest);
    let (listing, about) = prepare(&options)?;
    let names: Vec<_> = versions.iter().map(|(name, _)| *name).collect();
    let memory = Memory::new(&options.work);
    let mut notes = NOTES.map(str::to_owned).to_vec();
    notes.extend(missing.iter().map(|name| format!("{name} is not installed: left out.")));
    if !memory.is_measured() {
        notes.push("GNU time is not installed: memory was not measured.".to_owned());
    }
    let about = json!({
        "tree": about,
        "runs": options.runs,
        "machine": machine::facts(&options.work),
        "versions": versions.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "missing": missing,
        "notes": notes,
    });
    let bench = bench::Bench { options, peers: names, files: changeable(&listing)?, memory };
    let mut results = Results::new(&bench.peers);
    for run in 0..bench.options.runs {
        bench.run(run, &mut results)?;
        eprintln!("run {} of {} done", run + 1, bench.options.runs);
    }
    Ok((results, about))
}

/// What has to be known to read the figures.
const NOTES: [&str; 6] = [
    "Fastest's steps, and restic's, are on disk when they end. git, tar, rsync and cp run as people run \
     them, and do not wait for the disk.",
    "git status has feature.manyFiles and the untracked cache. git clone links the files of the bare \
     repository where it can, and does not copy them.",
    "status: restic backs up what did not change; rsync -an compares times and lengths with a mirror.",
    "clone: restic restores; tar+zstd unpacks its archive; rsync and cp copy the tree.",
    "Steps that are repeated are done once more before, untimed; memory is measured there.",
    "Files have the page cache: all are read before they are needed.",
];

/// The peers that are here, with their versions, and the names of those that are not.
fn peers(program: &Path) -> (Vec<(&'static str, String)>, Vec<&'static str>) {
    let tar = machine::version("tar", &["--version"]).zip(machine::version("zstd", &["--version"]));
    let found = [
        ("fastest", Some(fastest::version(program))),
        ("git", machine::version("git", &["--version"])),
        ("restic", machine::version("restic", &["version"])),
        ("rsync", machine::version("rsync", &["--version"])),
        ("tar+zstd", tar.map(|(tar, zstd)| format!("{tar}; {zstd}"))),
        ("cp", machine::version("cp", &["--version"])),
    ];
    let missing = found.iter().filter(|(_, version)| version.is_none()).map(|(name, _)| *name);
    let missing = missing.collect();
    let here = found.into_iter().filter_map(|(name, version)| Some((name, version?)));
    (here.collect(), missing)
}

/// Makes the copy that all others are made of, and says what is in it.
fn prepare(options: &Options) -> Result<(Listing, Value)> {
    let copy = options.work.join(ORIGINAL);
    folder::copy(&options.tree, &copy)?;
    let listing = folder::list(&copy)?;
    let (files, folders, bytes) = folder::count(&listing);
    let about = json!({
        "path": options.tree.display().to_string(),
        "files": files,
        "folders": folders,
        "bytes": bytes,
    });
    eprintln!("{files} files in {folders} folders, {bytes} bytes");
    Ok((listing, about))
}

/// The files that steps change, from all over the tree.
fn changeable(listing: &Listing) -> Result<Vec<PathBuf>> {
    let small = |entry: &Entry| match entry {
        Entry::File { mode, bytes } => mode & 0o200 != 0 && (1..=CHANGED_BYTES_MAX).contains(bytes),
        _ => false,
    };
    let named = listing.iter().filter(|(path, entry)| small(entry) && path.to_str().is_some());
    let all: Vec<_> = named.map(|(path, _)| path.clone()).collect();
    let wanted = 2 * (ONE_FILE_REPEATS + 1);
    if all.len() < wanted {
        let text =
            format!("the tree needs {wanted} files of 1 to {CHANGED_BYTES_MAX} bytes to change");
        return Err(Error::Unusable(text));
    }
    Ok((0..wanted).map(|index| all[index * all.len() / wanted].clone()).collect())
}

/// Fails unless a peer gave the tree back.
fn check_copy(place: &Place, copy: &Path, keeps: Keeps) -> Result<()> {
    folder::same(&place.tree(), copy, keeps)
}

#[cfg(test)]
mod tests;
