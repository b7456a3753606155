//! Crashes a command at each point, in each way, and checks what is left.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use fastest_core::files::disk::watch::watch;
use fastest_fixtures::random::Random;
use tokio::runtime::Runtime;

use crate::panics;
use crate::power::build::Disk;
use crate::power::check::{Held, How, check};
use crate::power::crash::{Bytes, Kind, Names, Variant, points, reached, variants};
use crate::power::record::Recorder;
pub use crate::power::scene::{COMMANDS, Command};
use crate::power::scene::{Places, Scene};
use crate::power::story::Paths;

/// How much is tried.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The ways to crash that are drawn at each point, for each kind of file systems.
    pub drawn: usize,
    /// At most so many disks, chosen from all; `None` for all.
    pub disks_max: Option<usize>,
    /// When to stop.
    pub until: Option<Instant>,
    /// Whether to stop at the first fault.
    pub first: bool,
}

/// What is wrong with a disk.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The seed of the scene.
    pub seed: u64,
    /// The command that was interrupted.
    pub command: Command,
    /// After how many changes the crash came, and in which way; `None` if something failed without one.
    pub crash: Option<(usize, Variant)>,
    /// What is wrong.
    pub what: String,
    /// The last changes before the crash.
    pub story: Vec<String>,
    /// Where the disk is kept, if it is.
    pub kept: Option<PathBuf>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, command, crash, what, kept, .. } = self;
        write!(f, "seed {seed}, {command}, ")?;
        match crash {
            Some((point, variant)) => write!(f, "crash after change {point}, {variant}: {what}")?,
            None => write!(f, "without a crash: {what}")?,
        }
        kept.iter().try_for_each(|kept| write!(f, " (kept in {})", kept.display()))
    }
}

/// What was tried, and what was found.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Changes after which a crash was tried.
    pub points: usize,
    /// Disks that were built and checked. Equal ones count once.
    pub disks: usize,
    /// Those of them that `doctor --mend` had to mend.
    pub mended: usize,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Outcome {
    /// Adds another outcome.
    pub fn add(&mut self, other: Self) {
        self.points += other.points;
        self.disks += other.disks;
        self.mended += other.mended;
        self.faults.extend(other.faults);
    }
}

/// Only one scene is played at a time: the watcher of the disk is the process's.
static PLAYING: Mutex<()> = Mutex::new(());

/// Plays a command once, and then crashes it. `folder` is empty, and on a file system that does not
/// use inodes twice, such as tmpfs.
pub fn run(command: Command, seed: u64, effort: Effort, folder: &Path) -> Outcome {
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let outcome = match Crashes::of(command, seed, folder) {
        Ok(crashes) => crashes.all(effort),
        Err(what) => {
            let fault = Fault { seed, command, crash: None, what, story: Vec::new(), kept: None };
            Outcome { faults: vec![fault], ..Outcome::default() }
        }
    };
    watch(None);
    outcome
}

/// Plays a command once, and tells what it changes.
///
/// # Errors
/// Why the command failed.
pub fn story(command: Command, seed: u64, folder: &Path) -> Result<Vec<String>, String> {
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let crashes = Crashes::of(command, seed, folder)?;
    watch(None);
    let all = Variant {
        kind: Kind::Free,
        names: Names::Without(usize::MAX),
        bytes: Bytes::Kept,
        commits_lost: 0,
    };
    Ok(crashes.story(crashes.scene.record.ops.len(), &all))
}

/// A kind of sync that was taken away.
#[derive(Debug)]
pub struct Doubt {
    /// What is not synced.
    pub without: String,
    /// How many disks were checked until one was not as it should be, and what was wrong with it.
    pub found: Option<(usize, String)>,
}

/// Plays a command once. Then takes each kind of sync away, one after the other, and crashes the
/// command until that is found. The disks are not kept: they are not as the engine leaves them.
///
/// # Errors
/// Why the command failed.
pub fn doubt(
    command: Command,
    seed: u64,
    effort: Effort,
    folder: &Path,
) -> Result<Vec<Doubt>, String> {
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut crashes = Crashes { keeps: false, ..Crashes::of(command, seed, folder)? };
    let whole = crashes.scene.record.clone();
    let mut names = Paths::of(&whole.before);
    let labels: BTreeSet<String> = whole
        .ops
        .iter()
        .filter_map(|op| {
            names.follow(op);
            names.label(op)
        })
        .collect();
    let mut doubts = Vec::new();
    for without in labels {
        crashes.scene.record = whole.without(&without);
        let outcome = crashes.all(Effort { first: true, ..effort });
        let found = outcome.faults.first().map(|fault| (outcome.disks, fault.to_string()));
        doubts.push(Doubt { without, found });
    }
    watch(None);
    Ok(doubts)
}

struct Crashes {
    scene: Scene,
    recorder: Arc<Recorder>,
    runtime: Runtime,
    seed: u64,
    /// Whether disks that are not as they should be are kept.
    keeps: bool,
}

impl Crashes {
    /// Plays a command.
    ///
    /// # Errors
    /// Why it failed, although nothing crashed. The disk is not watched then.
    fn of(command: Command, seed: u64, folder: &Path) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let folder = folder.canonicalize().expect("the folder exists");
        let places = Places { disk: folder.join("disk"), elsewhere: folder.join("elsewhere") };
        fs::create_dir(&places.disk).expect("a new folder");
        let recorder = Recorder::new(&places.disk);
        let played = panics::caught(|| Scene::play(command, places, seed, &recorder, &runtime));
        match played.and_then(|scene| scene.map_err(|error| error.to_string())) {
            Ok(scene) => Ok(Self { scene, recorder, runtime, seed, keeps: true }),
            Err(what) => {
                watch(None);
                Err(what)
            }
        }
    }

    fn all(&self, effort: Effort) -> Outcome {
        let mut random = Random::new(self.seed ^ 0xDEAD);
        let points = points(&self.scene.record.ops);
        let mut all: Vec<(usize, Variant)> = Vec::new();
        for point in points {
            let variants = variants(&self.scene.record, point, &mut random, effort.drawn);
            all.extend(variants.into_iter().map(|variant| (point, variant)));
        }
        if let Some(most) = effort.disks_max {
            // A few more, since some are equal. Each point has the same chance, and the end has a
            // good one: what was acknowledged must stay.
            let (end, count) = (self.scene.record.ops.len(), all.len());
            let last: Vec<_> = all.iter().copied().filter(|(point, _)| *point == end).collect();
            all = (0..most * 2)
                .map(|draw| match draw % 4 {
                    0 => last[random.below(last.len())],
                    _ => all[random.below(count)],
                })
                .collect();
        }
        let mut outcome = Outcome { points: self.scene.record.ops.len(), ..Outcome::default() };
        let mut known = HashSet::new();
        for (point, variant) in all {
            let is_over = effort.until.is_some_and(|until| Instant::now() > until)
                || effort.first && !outcome.faults.is_empty();
            if is_over || effort.disks_max.is_some_and(|most| outcome.disks >= most) {
                break;
            }
            let disk = Disk::after(&self.scene.record, point, &variant);
            let acknowledged = point == self.scene.record.ops.len();
            if known.insert((disk.digest(), acknowledged)) {
                self.one(point, variant, &disk, &mut outcome);
            }
        }
        outcome
    }

    fn one(&self, point: usize, variant: Variant, disk: &Disk, outcome: &mut Outcome) {
        let acknowledged = point == self.scene.record.ops.len();
        self.write(disk);
        outcome.disks += 1;
        let how = How {
            acknowledged,
            doctor_first: outcome.disks.is_multiple_of(2),
            elsewhere: outcome.disks.is_multiple_of(8),
        };
        let checked = panics::caught(|| check(&self.scene, how, &self.runtime));
        let what = match checked.and_then(|checked| checked) {
            Ok(Held::Well) => return,
            Ok(Held::Mended) => {
                outcome.mended += 1;
                return;
            }
            Err(what) => what,
        };
        let (seed, command, crash) = (self.seed, self.scene.command, Some((point, variant)));
        let story = self.story(point, &variant);
        let mut fault = Fault { seed, command, crash, what, story, kept: None };
        if self.keeps && outcome.faults.iter().all(|known| known.what != fault.what) {
            fault.kept = self.keep(disk, &fault, point);
        }
        outcome.faults.push(fault);
    }

    fn write(&self, disk: &Disk) {
        let masks = disk.write(&self.scene.places.disk).expect("the disk can be built");
        self.recorder.show(masks);
    }

    /// Keeps a disk that is not as it should be, with the story of the crash. Returns where, or nothing
    /// if it cannot be kept: it can be built again by its seed.
    fn keep(&self, disk: &Disk, fault: &Fault, point: usize) -> Option<PathBuf> {
        let name = format!("{}-{}-{point}", fault.command, fault.seed);
        let to = std::env::temp_dir().join("fastest-power").join(name);
        let _ = fs::remove_dir_all(&to);
        let kept = fs::create_dir_all(to.join("disk"))
            .and_then(|()| disk.write(&to.join("disk")))
            .and_then(|_| fs::File::create(to.join("story.txt")))
            .and_then(|mut file| {
                writeln!(file, "{fault}")?;
                fault.story.iter().try_for_each(|line| writeln!(file, "{line}"))
            });
        kept.is_ok().then_some(to)
    }

    /// Tells each change, and how much of it reached the disk.
    fn story(&self, point: usize, variant: &Variant) -> Vec<String> {
        let record = &self.scene.record;
        let mut names = Paths::of(&record.before);
        let each = record.ops[..point].iter().zip(reached(record, point, variant)).enumerate();
        let tell = |(at, (op, reached))| {
            names.follow(op);
            format!("{at} {reached:?} {}", names.tell(op))
        };
        each.map(tell).collect()
    }
}
