//! The side-by-side run: Fastest beside what people use today, on a tree that the caller names.
//!
//! Peers take turns within each run: each step is done by all of them before the next one begins, and
//! their order is another one in each run. What a step did is checked, outside of the time.

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

/// How often a short step is timed in each run.
const STATUS_REPEATS: usize = 15;
/// How often a step is timed in each run that changes a file.
const ONE_FILE_REPEATS: usize = 7;

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

/// What the caller chose.
#[derive(Debug)]
pub struct Options {
    /// The tree.
    pub tree: PathBuf,
    /// How often all is done.
    pub runs: usize,
    /// Where all is done; twenty times the tree must find room.
    pub work: PathBuf,
    /// The binary of Fastest.
    pub fastest: PathBuf,
}

/// Measures all steps of all peers that are installed. Gives the results, and what they are of; `keep`
/// is given both after each run, so that nothing is lost where a later one fails.
///
/// # Errors
///
/// Where there is no room, a step fails, or did not do what it is for; and those of `keep`.
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

/// What has to be known to read the figures.
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

/// What runs need, of what the tree takes on disk: in one run each peer has a copy or two and stores
/// them once or twice, which goes at its end.
const ROOM_FACTOR: u64 = 20;
/// Copies of the tree that one run leaves as files without content, and git's loose objects.
const COPIES_PER_RUN: u64 = 12;

/// What all runs need on the disk.
fn room(tree: Size, runs: u64) -> Room {
    let inodes = tree.inodes.saturating_mul(COPIES_PER_RUN.saturating_mul(runs).saturating_add(1));
    Room { bytes: tree.on_disk.saturating_mul(ROOM_FACTOR), inodes }
}

/// Makes the copy that all others are made of, and says what is in it.
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

/// The files that steps change, from all over the tree.
fn changed(all: &[PathBuf]) -> Result<Vec<PathBuf>> {
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
