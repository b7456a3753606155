//! What happens in a run of working copies.

use std::fmt;

use fastest_fixtures::random::Random;

use crate::files::tree::own_path;
use crate::files::trouble::{self, Trouble};
use crate::network::{FAULTS, Planned};
use crate::schedule::{self, Faults, SKEWS, STEPS, Schedule};

/// One thing that happens. Working copies and devices are named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Somebody changes files of a working copy.
    Edit { copy: u8, edits: Vec<Edit> },
    /// A working copy is saved.
    Snapshot { copy: u8 },
    /// A working copy is pushed.
    Push { copy: u8, faults: Vec<Planned> },
    /// A working copy is pushed, and lands in the workspace of c0.
    Land { copy: u8, faults: Vec<Planned>, with_conflicts: bool },
    /// A working copy pulls the workspace of another one.
    Pull { copy: u8, from: u8, faults: Vec<Planned> },
    /// A working copy is compared with the workspace of another one.
    Drift { copy: u8, from: u8, faults: Vec<Planned> },
    /// Files of a working copy are restored from its history: from the snapshot so many before the
    /// newest. `path` is one of the copy's own; without it, the whole tree is restored.
    Restore { copy: u8, back: u8, path: Option<u8> },
    /// The conflicts of the contested file are settled in a working copy: with our lines, with theirs, or with
    /// both.
    Settle { copy: u8, how: u8 },
    /// What was done last in a working copy is taken back, and done again if that is said.
    Undo { copy: u8, redo: bool },
    /// The process of a device ends, and another one opens its store.
    Reopen { device: u8 },
    /// The wall clock of a device jumps.
    Skew { device: u8, ms: i64 },
    /// Requests of a device arrive late.
    Deliver { device: u8 },
    /// The store of a device is backed up.
    Backup { device: u8 },
    /// The store of a device is put back from its last backup. Its working copies stay as they are.
    PutBack { device: u8 },
    /// The disk fails during the next command.
    Trouble(Trouble),
    /// The primary is backed up, with its packs.
    BackupPrimary,
    /// The primary is put back from its last backup.
    RestorePrimary,
}

/// A change of one path of a working copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// Which of the copy's own paths.
    pub path: u8,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A small file with new content.
    Small,
    /// A file that is too large to be sent inline.
    Large,
    /// A small file that may be executed.
    Executable,
    /// A link to nowhere.
    Link,
    /// A folder with a file.
    Folder,
    /// An empty folder.
    EmptyFolder,
    /// Nothing.
    Nothing,
    /// What was at another path, which is empty afterwards.
    MovedFrom(u8),
    /// A file that exists gets a new time.
    Touched,
    /// The path stays as it is: the copy's lines of the shared file become others.
    Lines,
    /// The path stays as it is: a line of the contested file comes or goes.
    Contested,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit { copy, edits } => {
                write!(f, "c{copy} is edited:")?;
                let copy = usize::from(*copy);
                edits.iter().try_for_each(|Edit { path, what }| {
                    write!(f, " {} becomes {};", own_path(copy, *path), what.told(copy))
                })
            }
            Self::Snapshot { copy } => write!(f, "c{copy} is saved"),
            Self::Push { copy, faults } => write!(f, "c{copy} is pushed{}", Faults(faults)),
            Self::Land { copy, faults, with_conflicts } => {
                let with = if *with_conflicts { ", conflicts and all" } else { "" };
                write!(f, "c{copy} lands in c0{with}{}", Faults(faults))
            }
            Self::Pull { copy, from, faults } => {
                write!(f, "c{copy} pulls c{from}{}", Faults(faults))
            }
            Self::Drift { copy, from, faults } => {
                write!(f, "c{copy} is compared with c{from}{}", Faults(faults))
            }
            Self::Restore { copy, back, path } => {
                let what = match path {
                    Some(path) => own_path((*copy).into(), *path),
                    None => "all its paths".to_owned(),
                };
                write!(f, "c{copy} restores {what} from {back} snapshots ago")
            }
            Self::Settle { copy, how } => {
                let with = ["our lines", "their lines", "both"][usize::from(*how) % 3];
                write!(f, "c{copy} settles its conflicts with {with}")
            }
            Self::Undo { copy, redo } => {
                let redo = if *redo { ", and does it again" } else { "" };
                write!(f, "c{copy} takes back what it did last{redo}")
            }
            Self::Reopen { device } => write!(f, "the process of d{device} is restarted"),
            Self::Skew { device, ms } => write!(f, "the clock of d{device} is wrong by {ms} ms"),
            Self::Deliver { device } => write!(f, "late requests of d{device} arrive"),
            Self::Backup { device } => write!(f, "the store of d{device} is backed up"),
            Self::PutBack { device } => {
                write!(f, "the store of d{device} is put back from its backup")
            }
            Self::Trouble(trouble) => write!(f, "{trouble}"),
            Self::BackupPrimary => write!(f, "the primary is backed up"),
            Self::RestorePrimary => write!(f, "the primary is put back from its backup"),
        }
    }
}

impl What {
    /// Tells what becomes of a path of a working copy.
    fn told(self, copy: usize) -> String {
        let text = match self {
            Self::Small => "a small file",
            Self::Large => "a large file",
            Self::Executable => "an executable file",
            Self::Link => "a link to nowhere",
            Self::Folder => "a folder with a file",
            Self::EmptyFolder => "an empty folder",
            Self::Nothing => "nothing",
            Self::MovedFrom(path) => return format!("what was {}", own_path(copy, path)),
            Self::Touched => "newer, if it is a file",
            Self::Lines => "what it was, and the lines of the shared file others",
            Self::Contested => "what it was, and the contested file has a line more or less",
        };
        text.to_owned()
    }
}

impl schedule::Step for Step {
    const WATCHES_DISK: bool = true;

    const END: &str = "then all late requests arrive and all clocks are right, each working copy is \
        pushed, pulls c0, and is pulled by c0, until nothing changes, all stores are checked, and a \
        new device clones the project";

    fn parts(&self) -> usize {
        match self {
            Self::Edit { edits, .. } => edits.len(),
            Self::Push { faults, .. }
            | Self::Land { faults, .. }
            | Self::Pull { faults, .. }
            | Self::Drift { faults, .. } => faults.len(),
            _ => 0,
        }
    }

    fn leave_out(&mut self, part: usize) {
        match self {
            Self::Edit { edits, .. } => drop(edits.remove(part)),
            Self::Push { faults, .. }
            | Self::Land { faults, .. }
            | Self::Pull { faults, .. }
            | Self::Drift { faults, .. } => {
                faults.remove(part);
            }
            _ => {}
        }
    }
}

/// The seeds whose schedules take things back: after that, less can be said about who must have what.
const UNDOES_EVERY: u64 = 20;

/// How many paths each working copy has for itself.
pub const PATHS: u8 = 6;

impl Schedule<Step> {
    /// Draws the schedule of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let devices = 2 + random.below(3) as u8;
        let count = STEPS.start + random.below(STEPS.len());
        // As for rows: a fault that hides behind another one is found in runs without that one.
        let (faults, disasters) = (random.below(3), random.below(3));
        let undoes = seed.is_multiple_of(UNDOES_EVERY);
        let mut dice = Dice { random, devices, faults, disasters, undoes };
        let steps = (0..count).map(|_| dice.step()).collect();
        Self { seed, devices, steps }
    }
}

struct Dice {
    random: Random,
    devices: u8,
    faults: usize,
    disasters: usize,
    /// Whether things are taken back.
    undoes: bool,
}

impl Dice {
    fn below(&mut self, end: usize) -> u8 {
        self.random.below(end) as u8
    }

    /// The first device has two working copies.
    fn copy(&mut self) -> u8 {
        self.below(usize::from(self.devices) + 1)
    }

    fn faults(&mut self) -> Vec<Planned> {
        if self.faults == 0 || self.below(3) > 0 {
            return Vec::new();
        }
        let count = 1 + self.below(self.faults * 2);
        let planned = |dice: &mut Self| {
            let fault = FAULTS[dice.random.below(FAULTS.len())];
            Planned { request: dice.below(6), fault }
        };
        (0..count).map(|_| planned(self)).collect()
    }

    fn edit(&mut self) -> Edit {
        let path = self.below(PATHS.into());
        let what = match self.below(22) {
            0..7 => What::Small,
            7 => What::Large,
            8 => What::Executable,
            9 => What::Link,
            10 => What::Folder,
            11 => What::EmptyFolder,
            12 | 13 => What::Nothing,
            14 => What::MovedFrom(self.below(PATHS.into())),
            15 => What::Touched,
            16..19 => What::Contested,
            _ => What::Lines,
        };
        Edit { path, what }
    }

    fn step(&mut self) -> Step {
        let (device, copy) = (self.below(self.devices.into()), self.copy());
        match self.random.below(100) {
            0..34 => {
                let count = 1 + self.below(3);
                Step::Edit { copy, edits: (0..count).map(|_| self.edit()).collect() }
            }
            34..40 => Step::Snapshot { copy },
            40..44 => self.trouble(copy),
            44..57 => Step::Push { copy, faults: self.faults() },
            57..62 => {
                Step::Land { copy, faults: self.faults(), with_conflicts: self.below(2) == 0 }
            }
            62..80 => Step::Pull { copy, from: self.copy(), faults: self.faults() },
            80..83 if self.undoes => Step::Undo { copy, redo: self.below(3) == 0 },
            80..83 => Step::Drift { copy, from: self.copy(), faults: self.faults() },
            83 => Step::Settle { copy, how: self.below(3) },
            84..87 => {
                let path = (self.below(3) > 0).then(|| self.below(PATHS.into()));
                Step::Restore { copy, back: self.below(6), path }
            }
            87..90 => Step::Reopen { device },
            90..93 => Step::Deliver { device },
            93 => Step::Skew { device, ms: SKEWS[self.random.below(SKEWS.len())] },
            _ => self.disaster(device),
        }
    }

    fn trouble(&mut self, copy: u8) -> Step {
        if self.faults == 0 {
            return Step::Snapshot { copy };
        }
        // Most commands make few changes, and some of them hundreds.
        let most = 8 << self.below(6);
        let at = self.random.below(most) as u32;
        let what = if self.below(4) == 0 { trouble::What::Full } else { trouble::What::Death };
        Step::Trouble(Trouble { at, what })
    }

    fn disaster(&mut self, device: u8) -> Step {
        match (self.disasters, self.below(6)) {
            (0, _) => Step::Reopen { device },
            (_, 0 | 1) => Step::BackupPrimary,
            (_, 2) => Step::RestorePrimary,
            (_, 3 | 4) => Step::Backup { device },
            (_, _) => Step::PutBack { device },
        }
    }
}
