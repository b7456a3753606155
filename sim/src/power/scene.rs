//! The commands that are interrupted, and what is on the disk before each.
//!
//! The disk has a store, a working copy, and a primary that is a file. A second device is elsewhere:
//! the crash does not touch it.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use fastest_core::files::disk::watch::watch;
use fastest_fixtures::random::Random;
use fastest_sync::device::activity::Activity;
use fastest_sync::{Device, Identity, SnapshotId, SyncError, World};
use tokio::runtime::Runtime;

use crate::power::files::{self, Files, edit, first, noise};
use crate::power::record::{Record, Recorder};

/// A command that is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum Command {
    /// A new store, a new project in a folder that has files, and its first snapshot.
    SetUp,
    /// The first snapshot of a project.
    FirstSnapshot,
    /// A snapshot of a change.
    Snapshot,
    /// The choice of a primary and the first push, whose pack goes into the primary's folder of packs.
    FirstPush,
    /// The first push to the primary in the store. Its packs are links to those of the store.
    OwnPush,
    /// A push of a change that goes into the primary's database.
    Push,
    /// A push of a change whose pack goes into the folder of packs.
    LargePush,
    /// A pull of what another device has pushed, with an edit of the folder's own.
    Pull,
    /// A restore of an older snapshot, with an edit that is not saved.
    Restore,
    /// A clone.
    Clone,
}

/// All commands.
pub const COMMANDS: [Command; 10] = [
    Command::SetUp,
    Command::FirstSnapshot,
    Command::Snapshot,
    Command::FirstPush,
    Command::OwnPush,
    Command::Push,
    Command::LargePush,
    Command::Pull,
    Command::Restore,
    Command::Clone,
];

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The databases on the disk.
const DATABASES: [&str; 3] = ["store/replica.db", "store/primary/primary.db", "remote/primary.db"];

/// The name of the project.
pub const PROJECT: &str = "app";

/// The files of over a mebibyte are cut into chunks.
const LARGE_BYTES: usize = 1_500_000;

/// Where everything is.
#[derive(Debug, Clone)]
pub struct Places {
    /// The disk that crashes.
    pub disk: PathBuf,
    /// Where other devices are.
    pub elsewhere: PathBuf,
}

impl Places {
    /// The store on the disk.
    pub fn store(&self) -> PathBuf {
        self.disk.join("store")
    }

    /// The working copy on the disk.
    pub fn copy(&self) -> PathBuf {
        self.disk.join("copy")
    }

    /// The address of the primary: the one in the store, if no other was chosen.
    fn primary(&self) -> String {
        let chosen = self.disk.join("remote");
        let folder = if chosen.exists() { chosen } else { self.store().join("primary") };
        format!("file://{}", folder.join("primary.db").display())
    }

    /// Opens the store on the disk.
    pub fn open(&self) -> Result<Device, SyncError> {
        Device::open(&self.store(), identity("desk"), World::system())
    }

    /// Creates a store of another device.
    pub fn other(&self, name: &str, runtime: &Runtime) -> Result<Device, SyncError> {
        let store = self.elsewhere.join(name);
        let mut device = Device::open(&store, identity(name), World::system())?;
        runtime.block_on(device.remote_set(Some(&self.primary()), None))?;
        Ok(device)
    }
}

fn identity(machine: &str) -> Identity {
    Identity { user_name: Some("someone".to_owned()), machine: Some(machine.to_owned()) }
}

/// A command that ran to its end, and what was there before and after it.
#[derive(Debug)]
pub struct Scene {
    /// The command.
    pub command: Command,
    /// Where everything is.
    pub places: Places,
    /// The working copy before it.
    pub before: Files,
    /// The working copy after it.
    pub after: Files,
    /// The snapshots that were acknowledged before it.
    pub saved: Vec<SnapshotId>,
    /// The snapshots after it.
    pub saved_after: Vec<SnapshotId>,
    /// The snapshot to restore.
    to: Option<SnapshotId>,
    /// What it changed on the disk.
    pub record: Record,
}

impl Scene {
    /// Sets the disk up, and runs and records the command.
    pub fn play(
        command: Command,
        places: Places,
        seed: u64,
        recorder: &Arc<Recorder>,
        runtime: &Runtime,
    ) -> Result<Self, SyncError> {
        let mut random = Random::new(seed);
        let folders: &[&str] = match command {
            Command::SetUp => &[],
            Command::OwnPush => &["store"],
            _ => &["store", "remote"],
        };
        for folder in folders {
            fs::create_dir(places.disk.join(folder)).expect("a new folder");
        }
        fs::create_dir_all(&places.elsewhere).expect("a new folder");
        let to = set_up(command, &places, &mut random, runtime)?;
        let before = files::read(&places.copy()).expect("the copy can be read");
        let is_known = !matches!(command, Command::SetUp | Command::Clone);
        let saved = if is_known { snapshots(&places)? } else { Vec::new() };
        recorder.begin(&DATABASES);
        watch(Some(Arc::clone(recorder) as _));
        let done = run(command, &places, to.as_ref(), runtime);
        let record = recorder.end();
        done?;
        let after = files::read(&places.copy()).expect("the copy can be read");
        let saved_after = snapshots(&places)?;
        Ok(Self { command, places, before, after, saved, saved_after, to, record })
    }

    /// Runs the command again.
    pub fn repeat(&self, runtime: &Runtime) -> Result<(), SyncError> {
        run(self.command, &self.places, self.to.as_ref(), runtime)
    }
}

/// Returns the snapshots that the store on the disk knows.
pub fn snapshots(places: &Places) -> Result<Vec<SnapshotId>, SyncError> {
    let mut device = places.open()?;
    let copy = device.find(&places.copy())?;
    Ok(device.log(&copy, None)?.snapshots.into_iter().map(|entry| entry.id).collect())
}

/// Brings the disk to what it is before the command. Returns the snapshot to restore.
fn set_up(
    command: Command,
    places: &Places,
    random: &mut Random,
    runtime: &Runtime,
) -> Result<Option<SnapshotId>, SyncError> {
    let (activity, copy) = (Activity::default(), places.copy());
    let large = if command == Command::Push { 3_000 } else { LARGE_BYTES };
    if command == Command::SetUp {
        first(&copy, random, large);
        return Ok(None);
    }
    let mut device = places.open()?;
    if !matches!(command, Command::FirstPush | Command::OwnPush) {
        runtime.block_on(device.remote_set(Some(&places.primary()), None))?;
    }
    if command == Command::Clone {
        let (mut other, desk) = (places.other("other", runtime)?, places.elsewhere.join("desk"));
        other.init(&desk, Some(PROJECT))?;
        first(&desk, random, large);
        runtime.block_on(other.push(&desk, None, &activity))?;
        return Ok(None);
    }
    device.init(&copy, Some(PROJECT))?;
    first(&copy, random, large);
    match command {
        Command::Pull => {
            runtime.block_on(device.push(&copy, None, &activity))?;
            push_elsewhere(places, random, runtime)?;
            if random.below(2) == 0 {
                fs::write(copy.join("own.txt"), b"not saved\n").expect("a file");
            }
        }
        Command::Snapshot | Command::Restore => {
            let found = device.find(&copy)?;
            let saved = device.snapshot(&found, None, &activity)?;
            edit(&copy, random);
            if command == Command::Restore {
                device.snapshot(&found, None, &activity)?;
                fs::write(copy.join("readme.md"), b"not saved\n").expect("a file");
                return Ok(Some(saved.snapshot_id));
            }
        }
        Command::Push | Command::LargePush => {
            runtime.block_on(device.push(&copy, None, &activity))?;
            edit(&copy, random);
            if command == Command::LargePush {
                fs::write(copy.join("more.bin"), noise(random, large)).expect("a file");
            }
        }
        // Nothing else is there before these.
        Command::SetUp
        | Command::FirstSnapshot
        | Command::FirstPush
        | Command::OwnPush
        | Command::Clone => {}
    }
    Ok(None)
}

/// Another device clones the project, edits it, and pushes.
fn push_elsewhere(
    places: &Places,
    random: &mut Random,
    runtime: &Runtime,
) -> Result<(), SyncError> {
    let activity = Activity::default();
    let (mut other, desk) = (places.other("other", runtime)?, places.elsewhere.join("desk"));
    runtime.block_on(other.clone_project(PROJECT, &desk, Some("other"), &activity))?;
    edit(&desk, random);
    runtime.block_on(other.push(&desk, None, &activity))?;
    Ok(())
}

fn run(
    command: Command,
    places: &Places,
    to: Option<&SnapshotId>,
    runtime: &Runtime,
) -> Result<(), SyncError> {
    let (activity, root) = (Activity::default(), places.copy());
    let mut device = places.open()?;
    match command {
        Command::SetUp | Command::FirstSnapshot | Command::Snapshot => {
            if command == Command::SetUp {
                match device.init(&root, Some(PROJECT)) {
                    // Repeated after a crash.
                    Err(SyncError::AlreadyProject { .. }) => {}
                    made => drop(made?),
                }
            }
            let copy = device.find(&root)?;
            device.snapshot(&copy, None, &activity)?;
        }
        Command::FirstPush | Command::OwnPush | Command::Push | Command::LargePush => {
            if command == Command::FirstPush {
                runtime.block_on(device.remote_set(Some(&places.primary()), None))?;
            }
            let pushed = runtime.block_on(device.push(&root, None, &activity))?;
            assert!(pushed.pushed, "the primary is there: {:?}", pushed.queued_because);
        }
        Command::Pull => {
            let copy = device.find(&root)?;
            let pulled = runtime.block_on(device.pull(&copy, Some("other"), &activity))?;
            assert!(pulled.kept.is_empty() && pulled.left.is_empty(), "{:?}", pulled.warnings);
        }
        Command::Restore => {
            let copy = device.find(&root)?;
            let to = to.map(SnapshotId::as_str);
            let restored = device.restore(&copy, &root, &[], to, &activity)?;
            assert!(restored.kept.is_empty(), "{:?}", restored.warnings);
        }
        Command::Clone => {
            runtime.block_on(device.clone_project(PROJECT, &root, None, &activity))?;
        }
    }
    Ok(())
}

/// Clones the project to a new device, and returns its files.
pub fn cloned_elsewhere(
    places: &Places,
    name: &str,
    runtime: &Runtime,
) -> Result<Files, SyncError> {
    let place: &Path = &places.elsewhere;
    let folder = place.join(format!("{name}-copy"));
    for old in [&folder, &place.join(name)] {
        let _ = fs::remove_dir_all(old);
    }
    let mut device = places.other(name, runtime)?;
    runtime.block_on(device.clone_project(PROJECT, &folder, None, &Activity::default()))?;
    Ok(files::read(&folder).expect("the clone can be read"))
}
