//! Compares Fastest with tools that people use today, on a tree that the caller names.
//!
//! The peers take turns within each run: all of them do a step before the next one begins, and
//! their order changes with each run. The outcome of each step is checked after its time was
//! measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use self::peers::{NAMES, Peers};
use self::place::Place;
use crate::error::{Error, Result};
use crate::folder::{self, CHANGED_BYTES_MAX, Keeps, Listing, Size};
use crate::measure::Memory;
use crate::results::{Results, Unit};
use crate::room::Room;
use crate::{fastest, machine};

mod bench;
mod git;
mod mirror;
mod ours;
mod peers;
mod place;
mod restic;

/// How many times a short step is timed in each run.
const STATUS_REPEATS: usize = 15;
/// How many times a step that changes a file is timed in each run.
const ONE_FILE_REPEATS: usize = 7;

/// The copy of the caller's tree, in the work folder, from which all other copies are made.
const ORIGINAL: &str = "original";

/// The measured steps, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Storing all files for the first time.
    FirstSnapshot,
    /// The size of the peer's store after that: the sum of the lengths of its files.
    Stored,
    /// The space that this store takes on disk.
    StoredOnDisk,
    /// Finding that nothing changed.
    Status,
    /// Storing one file that changed.
    OneFileSnapshot,
    /// Sending everything to another place for the first time.
    FirstPush,
    /// Storing and sending one file that changed.
    OneFilePush,
    /// Writing all files to a new folder.
    Clone,
}

impl Step {
    /// All steps, in the order in which they are done.
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

    /// Returns the name and the unit of the step's row in the results.
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

    /// Returns how many times the step is timed in each run; `None` if it is not repeated.
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
    /// The commands, which run one after the other and are timed together.
    commands: Vec<Command>,
    /// Files that are read first, so that they are in the page cache.
    warm: Option<PathBuf>,
}

/// A tool that does these steps, or some of them.
trait Peer {
    /// Returns the name of the peer's column in the results.
    fn name(&self) -> &'static str;
    /// Creates what the peer needs, untimed. The tree exists already.
    fn set_up(&mut self) -> Result<()>;
    /// Returns the job to time for a step; `None` if the peer does not do it. A step that changes a
    /// file changes a different one for each `number`.
    fn job(&mut self, step: Step, number: usize) -> Result<Option<Job>>;
    /// Fails unless the job achieved its purpose. `output` is what its last command wrote to
    /// stdout.
    fn check(&mut self, step: Step, number: usize, output: &[u8]) -> Result<()>;
    /// Returns the file or folder whose size counts as the peer's store; `None` if it has no store.
    fn stored(&self) -> Option<PathBuf>;
}

/// What the caller chose.
#[derive(Debug)]
pub struct Options {
    /// The tree.
    pub tree: PathBuf,
    /// The number of runs.
    pub runs: usize,
    /// The work folder. It needs room for twenty times the tree.
    pub work: PathBuf,
    /// The binary of Fastest.
    pub fastest: PathBuf,
}

/// Measures all steps of all peers that are installed. Returns the results and a description of
/// what was measured. `keep` gets both after each run, so that nothing is lost if a later run
/// fails.
///
/// # Errors
///
/// If there is no room, a step fails or does not achieve its purpose, or `keep` fails.
pub fn run(
    options: Options,
    keep: impl Fn(&Results, &Value) -> Result<()>,
) -> Result<(Results, Value)> {
    let Peers { versions, left_out } = Peers::find(&options.fastest);
    let (listing, tree) = prepare(&options)?;
    let memory = Memory::new(&options.work);
    let mut notes = NOTES.map(str::to_owned).to_vec();
    notes.extend(left_out.iter().map(|(name, why)| format!("{name} is left out: {why}.")));
    if !memory.is_measured() {
        notes.push("GNU time is not installed: memory was not measured.".to_owned());
    }
    let mut about = json!({
        "tree": tree,
        "runs": 0,
        "machine": machine::facts(&options.work),
        "binary": fastest::binary(&options.fastest)?,
        "versions": versions,
        "missing": left_out.keys().collect::<Vec<_>>(),
        "notes": notes,
    });
    let peers: Vec<_> = NAMES.into_iter().filter(|name| versions.contains_key(name)).collect();
    let files = changed(&folder::changeable(&listing))?;
    let bench = bench::Bench { options, peers, files, memory };
    let mut results = Results::new(&bench.peers);
    for run in 0..bench.options.runs {
        bench.run(run, &mut results)?;
        about["runs"] = json!(run + 1);
        keep(&results, &about)?;
        eprintln!("run {} of {} done", run + 1, bench.options.runs);
    }
    Ok((results, about))
}

/// What a reader must know to interpret the figures.
const NOTES: [&str; 9] = [
    "Fastest's steps, and restic's, are on disk when they end. git, tar, rsync and cp run as people run \
     them: git waits for the disk with a pack that it receives and keeps (a push of 100 objects or more), \
     and not with loose objects (a commit, a smaller push); the others do not wait.",
    "git status has feature.manyFiles and the untracked cache. git clone links the files of the bare \
     repository where it can, and does not copy them.",
    "stored size: Fastest's is the object store, git's all of .git, restic's the repository, tar+zstd's \
     the archive.",
    "status: restic backs up what did not change; rsync -an compares times and lengths with a mirror.",
    "clone: restic restores; tar+zstd unpacks its archive; rsync and cp copy the tree.",
    "tar+zstd is zstd -1 with two threads (-T2), whatever cores there are. restic has its cache.",
    "Peers take turns in another order in each run. They know no settings of the user's.",
    "Steps that are repeated are done once more before, untimed; memory is measured there.",
    "Files have the page cache: all are read before they are needed.",
];

/// The space that runs need, as a multiple of the tree's: in one run, each peer has a copy or two
/// and stores them once or twice. All of these files are emptied at the end of the run.
const ROOM_FACTOR: u64 = 20;
/// The inodes that one run leaves in use, as a multiple of the tree's: emptied copies, and git's
/// loose objects.
const COPIES_PER_RUN: u64 = 12;

/// Returns the disk space that all runs need.
fn room(tree: Size, runs: u64) -> Room {
    let inodes = tree.inodes.saturating_mul(COPIES_PER_RUN.saturating_mul(runs).saturating_add(1));
    Room { bytes: tree.on_disk.saturating_mul(ROOM_FACTOR), inodes }
}

/// Makes the copy from which all others are made. Returns its listing, and a description of it for
/// the results.
fn prepare(options: &Options) -> Result<(Listing, Value)> {
    room(folder::size_to_copy(&options.tree)?, options.runs as u64).check(&options.work)?;
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

/// Chooses the files that steps change, spread over the tree.
fn changed(all: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let wanted = 2 * (ONE_FILE_REPEATS + 1);
    if all.len() < wanted {
        let text =
            format!("the tree needs {wanted} files of 1 to {CHANGED_BYTES_MAX} bytes to change");
        return Err(Error::Unusable(text));
    }
    Ok((0..wanted).map(|index| all[index * all.len() / wanted].clone()).collect())
}

/// Fails unless `copy` equals the tree, as far as `keeps` demands.
fn check_copy(place: &Place, copy: &Path, keeps: Keeps) -> Result<()> {
    folder::same(&place.tree(), copy, keeps)
}

#[cfg(test)]
mod tests;
