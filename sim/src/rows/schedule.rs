//! What happens in a run of an application.

use std::fmt;

use fastest_fixtures::random::Random;

use crate::network::{FAULTS, Planned};
use crate::rows::application::{APPLICATION, Ledger, NEWEST};
use crate::rows::device::team_of;
use crate::schedule::{self, Faults, SKEWS, STEPS, Schedule};

/// One thing that happens. Devices are named by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An application writes rows, in one transaction.
    Write { device: u8, edits: Vec<Edit> },
    /// A device pushes.
    Push { device: u8, faults: Vec<Planned> },
    /// A device pulls.
    Pull { device: u8, faults: Vec<Planned> },
    /// Two processes push or pull at the same time, on one device or on two. The number determines the
    /// order of their requests.
    Race { racers: [Racer; 2], order: u64 },
    /// Somebody writes on the primary, with SQL.
    Hand(Edit),
    /// A device's oldest conflict is settled.
    Resolve { device: u8, takes_ours: bool },
    /// A device's transactions that the primary refused are dropped, or tried again.
    Refused { device: u8, drops: bool },
    /// The process of a device ends, and another one opens its file.
    Reopen { device: u8 },
    /// The wall clock of a device jumps.
    Skew { device: u8, ms: i64 },
    /// The disk of a device is full, or has room again.
    Full { device: u8, is_full: bool },
    /// Requests of a device arrive late.
    Deliver { device: u8 },
    /// The file of a device is backed up.
    Backup { device: u8 },
    /// The file of a device is put back from its last backup.
    Restore { device: u8 },
    /// The file of one device is copied over that of another.
    Copy { from: u8, to: u8 },
    /// The primary is backed up.
    BackupPrimary,
    /// The primary is put back from its last backup.
    RestorePrimary,
    /// The primary gets the next version of the schema.
    Migrate,
    /// A device gets the next version of the application.
    Upgrade { device: u8 },
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write { device, edits } if edits.is_empty() => {
                write!(f, "d{device} commits a transaction in which it writes nothing")
            }
            Self::Write { device, edits } => {
                write!(f, "d{device} writes in one transaction:")?;
                let team = team_of(*device);
                edits.iter().try_for_each(|edit| write!(f, " {};", Told { edit, team }))
            }
            Self::Push { device, faults } => write!(f, "d{device} pushes{}", Faults(faults)),
            Self::Pull { device, faults } => write!(f, "d{device} pulls{}", Faults(faults)),
            Self::Race { racers: [one, other], .. } => {
                write!(f, "at the same time, {one} and {other}")
            }
            Self::Hand(edit) => {
                let told = Told { edit, team: None };
                write!(f, "somebody writes on the primary with SQL: {told}")
            }
            Self::Resolve { device, takes_ours } => {
                let side = if *takes_ours { "its own" } else { "the primary's" };
                write!(f, "d{device} settles its oldest conflict with {side} side")
            }
            Self::Refused { device, drops } => {
                let what = if *drops { "drops" } else { "tries again" };
                write!(f, "d{device} {what} what the primary refused")
            }
            Self::Reopen { device } => write!(f, "the process of d{device} is restarted"),
            Self::Skew { device, ms } => write!(f, "the clock of d{device} is wrong by {ms} ms"),
            Self::Full { device, is_full: true } => write!(f, "the disk of d{device} is full"),
            Self::Full { device, .. } => write!(f, "the disk of d{device} has room again"),
            Self::Deliver { device } => write!(f, "late requests of d{device} arrive"),
            Self::Backup { device } => write!(f, "d{device} is backed up"),
            Self::Restore { device } => write!(f, "d{device} is put back from its backup"),
            Self::Copy { from, to } => write!(f, "d{to} becomes a copy of d{from}"),
            Self::BackupPrimary => write!(f, "the primary is backed up"),
            Self::RestorePrimary => write!(f, "the primary is put back from its backup"),
            Self::Migrate => write!(f, "the primary gets the next version of the schema"),
            Self::Upgrade { device } => {
                write!(f, "d{device} gets the next version of the application")
            }
        }
    }
}

/// An edit by somebody who writes rows of this scope, or of any.
struct Told<'a> {
    edit: &'a Edit,
    team: Option<&'static str>,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let edit = self.edit;
        let table = edit.table(NEWEST);
        let team = edit.team(self.team);
        if table.is_append_only {
            return write!(f, "add a row of {team} to {}", table.name);
        }
        let key = edit.key(table, team);
        if edit.columns == 0 {
            return write!(f, "delete {key}");
        }
        // Which of them are new is known only when the edit is carried out.
        write!(f, "save {key} (if it is there, only:")?;
        for (place, column) in table.columns.iter().enumerate() {
            if edit.columns & (1 << place) != 0 {
                write!(f, " {column}")?;
            }
            match *column {
                _ if edit.columns & (1 << place) == 0 => {}
                "folder" => write!(f, " {}", edit.folder(team))?,
                "slug" => edit.slug().map_or(Ok(()), |slug| write!(f, " {slug}"))?,
                _ => {}
            }
        }
        write!(f, ")")
    }
}

/// One of two commands that run at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Racer {
    /// The device.
    pub device: u8,
    /// Whether it pushes; otherwise it pulls.
    pub pushes: bool,
    /// What happens to its requests.
    pub faults: Vec<Planned>,
}

impl fmt::Display for Racer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, pushes, faults } = self;
        let what = if *pushes { "pushes" } else { "pulls" };
        write!(f, "d{device} {what}{}", Faults(faults))
    }
}

/// A change of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// The table, by its place in the version of the application.
    pub table: u8,
    /// Which of its rows.
    pub key: u8,
    /// Which scope, if the device has several.
    pub team: u8,
    /// Which columns get a new value, as bits. The row is deleted if there are none.
    pub columns: u8,
    /// Chooses among values that are not new: which folder, which slug.
    pub choice: u8,
}

impl Edit {
    /// Returns its table, in a version of the application.
    pub fn table(&self, version: usize) -> &'static Ledger {
        &APPLICATION[version].tables[usize::from(self.table)]
    }

    /// Returns the scope of its row, if who writes it has only one, or any.
    pub fn team(&self, only: Option<&'static str>) -> &'static str {
        only.unwrap_or(["red", "blue"][usize::from(self.team)])
    }

    /// Returns the key of its row, in a table whose rows change.
    pub fn key(&self, table: &Ledger, team: &str) -> String {
        format!("{team}-{}{}", table.name, self.key)
    }

    /// Returns the key of the folder that it refers to, if there is such a folder.
    pub fn folder(&self, team: &str) -> String {
        format!("{team}-folders{}", self.choice)
    }

    /// Returns the slug that it sets; `None` for a new one.
    pub fn slug(&self) -> Option<String> {
        (self.choice == 0).then(|| format!("slug-{}", self.key % 3))
    }
}

impl schedule::Step for Step {
    const WATCHES_DISK: bool = false;

    const END: &str = "then the primary and all devices are upgraded, disks have room, late requests \
        arrive and all clocks are right, and each device drops what was refused, pushes and pulls, \
        until nothing changes";

    fn parts(&self) -> usize {
        match self {
            Self::Write { edits, .. } => edits.len(),
            Self::Push { faults, .. } | Self::Pull { faults, .. } => faults.len(),
            Self::Race { racers: [one, other], .. } => one.faults.len() + other.faults.len(),
            _ => 0,
        }
    }

    fn leave_out(&mut self, part: usize) {
        match self {
            Self::Write { edits, .. } => drop(edits.remove(part)),
            Self::Push { faults, .. } | Self::Pull { faults, .. } => {
                faults.remove(part);
            }
            Self::Race { racers: [one, other], .. } => match part.checked_sub(one.faults.len()) {
                None => {
                    one.faults.remove(part);
                }
                Some(part) => {
                    other.faults.remove(part);
                }
            },
            _ => {}
        }
    }
}

impl Schedule<Step> {
    /// Draws the schedule of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let devices = 2 + random.below(7) as u8;
        let count = STEPS.start + random.below(STEPS.len());
        // Some runs have no faults of the network, and in some nothing is put back: a fault that hides
        // behind another one is found there.
        let mut dice =
            Dice { faults: random.below(3), disasters: random.below(3), devices, random };
        let steps = (0..count).map(|_| dice.step()).collect();
        Self { seed, devices, steps }
    }
}

struct Dice {
    random: Random,
    devices: u8,
    faults: usize,
    disasters: usize,
}

impl Dice {
    fn below(&mut self, end: usize) -> u8 {
        self.random.below(end) as u8
    }

    fn device(&mut self) -> u8 {
        self.below(self.devices.into())
    }

    fn faults(&mut self) -> Vec<Planned> {
        if self.faults == 0 || self.below(3) > 0 {
            return Vec::new();
        }
        let count = 1 + self.below(self.faults * 2);
        let planned = |dice: &mut Self| {
            let fault = FAULTS[dice.random.below(FAULTS.len())];
            Planned { request: dice.below(8), fault }
        };
        (0..count).map(|_| planned(self)).collect()
    }

    fn edit(&mut self) -> Edit {
        let table = [0, 1, 1, 1, 2, 2][self.random.below(6)];
        let columns = if self.below(8) == 0 { 0 } else { 1 + self.below(31) };
        let (key, team, choice) = (self.below(6), self.below(2), self.below(8));
        Edit { table, key, team, columns, choice }
    }

    fn step(&mut self) -> Step {
        let device = self.device();
        match self.random.below(100) {
            0..38 => {
                let count = 1 + self.below(4);
                Step::Write { device, edits: (0..count).map(|_| self.edit()).collect() }
            }
            38..58 => Step::Push { device, faults: self.faults() },
            58..63 => {
                let other = if self.below(3) == 0 { device } else { self.device() };
                Step::Race {
                    racers: [self.racer(device), self.racer(other)],
                    order: self.random.number(),
                }
            }
            63..80 => Step::Pull { device, faults: self.faults() },
            80..83 => Step::Hand(self.edit()),
            83..86 => Step::Resolve { device, takes_ours: self.below(2) == 0 },
            86..89 => Step::Refused { device, drops: self.below(2) == 0 },
            89..92 => Step::Reopen { device },
            92 => Step::Deliver { device },
            93 => Step::Full { device, is_full: self.below(3) == 0 },
            94 => Step::Skew { device, ms: SKEWS[self.random.below(SKEWS.len())] },
            95 if self.below(3) == 0 => Step::Migrate,
            95..97 => Step::Upgrade { device },
            _ => self.disaster(device),
        }
    }

    fn racer(&mut self, device: u8) -> Racer {
        Racer { device, pushes: self.below(3) > 0, faults: self.faults() }
    }

    fn disaster(&mut self, device: u8) -> Step {
        if self.disasters == 0 {
            return Step::Reopen { device };
        }
        match self.below(7) {
            0 | 1 => Step::Backup { device },
            2 => Step::Restore { device },
            3 | 4 => Step::BackupPrimary,
            5 => Step::RestorePrimary,
            _ => Step::Copy { from: self.device(), to: device },
        }
    }
}
