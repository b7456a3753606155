//! Carries out a schedule of working copies.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fastest_core::object::id::TreeId;
use fastest_core::object::tree::read::read_directory;
use fastest_core::store::open::Store;
use fastest_sync::device::activity::Activity;
use fastest_sync::device::diff::{DiffRequest, Limits, States};
use fastest_sync::remote::state::Packs;
use fastest_sync::{Device, SyncError};
use tokio::runtime::Runtime;

use crate::events::{Events, digest};
use crate::files::desk::Desk;
use crate::files::folder;
use crate::files::model::Model;
use crate::files::schedule::{Edit, PATHS, Step};
use crate::files::shared;
use crate::files::tree::{Item, Tree, own_path};
use crate::files::trouble::{Disk, Trouble};
use crate::finding::{Finding, Kind, Outcome};
use crate::folders::copy_folder;
use crate::network::Planned;
use crate::schedule::Schedule;

/// How many requests a command may make, besides one that checks every pack.
const REQUESTS_MAX: u32 = 80;

/// How often all working copies push and pull until they agree.
const ROUNDS_MAX: u32 = 6;

/// The name of the project.
const PROJECT: &str = "app";

/// Carries out a schedule in `root`, an empty folder.
pub fn run(schedule: &Schedule<Step>, runtime: &Runtime, root: &Path, events: &Events) -> Outcome {
    let mut run = Run::new(schedule, runtime, root, events);
    run.set_up();
    for (number, step) in schedule.steps.iter().enumerate() {
        if !run.findings.is_empty() {
            break;
        }
        run.events.add(format!("{number}: {step:?}"));
        run.step(step);
    }
    let is_at_end = run.findings.is_empty();
    if is_at_end {
        run.settle();
    }
    Outcome { findings: run.findings, is_at_end, requests: run.requests }
}

/// A working copy.
struct Copy {
    /// The number of its device.
    device: usize,
    /// Its folder.
    root: PathBuf,
}

struct Run<'a> {
    runtime: &'a Runtime,
    root: PathBuf,
    events: Events,
    model: Model,
    desks: Vec<Desk>,
    copies: Vec<Copy>,
    /// Whether each copy must have of each other copy what that one was at some time. Not after a
    /// store was put back: what its working copies had pulled then looks like their own edits.
    is_strict: bool,
    /// Whether the last command met trouble.
    was_met: bool,
    has_backup: bool,
    /// What the next command meets.
    trouble: Option<Trouble>,
    now: Duration,
    /// Counts the contents that were written.
    contents: u32,
    requests: u64,
    findings: Vec<Finding>,
    /// Dropped last: what is open goes through it.
    disk: Disk,
}

impl<'a> Run<'a> {
    fn new(schedule: &Schedule<Step>, runtime: &'a Runtime, root: &Path, events: &Events) -> Self {
        let disk = Disk::new(schedule.seed, root);
        fs::create_dir(root.join("primary")).expect("the folder of the run is empty");
        let devices = usize::from(schedule.devices);
        // One more, which is a stranger until the end.
        let desk = |number| Desk::new(number, schedule.seed, root, events);
        let desks: Vec<Desk> = (0..=devices).map(desk).collect();
        let place = |copy: usize| {
            let device = copy % devices;
            Copy { device, root: desks[device].place(&format!("w{copy}")) }
        };
        let copies: Vec<Copy> = (0..=devices).map(place).collect();
        Self {
            runtime,
            root: root.to_owned(),
            model: Model::new(copies.len()),
            desks,
            copies,
            is_strict: true,
            was_met: false,
            has_backup: false,
            trouble: None,
            now: Duration::ZERO,
            contents: 0,
            requests: 0,
            findings: Vec::new(),
            events: events.clone(),
            disk,
        }
    }

    fn found(&mut self, kind: Kind, text: String) {
        let text = self.events.plain(&text);
        self.events.add(format!("FOUND {text}"));
        self.findings.push(Finding { kind, text });
    }

    /// Makes the project, and all working copies.
    fn set_up(&mut self) {
        let url = format!("file://{}", self.root.join("primary").join("primary.db").display());
        for device in 0..self.desks.len() - 1 {
            self.command(device, "choose the primary", &[], async |device| {
                device.remote_set(Some(&url), Packs::Default).await.map(drop)
            });
        }
        let root = self.copies[0].root.clone();
        self.command(0, "begin", &[], async |device| device.init(&root, Some(PROJECT)).map(drop));
        let time = SystemTime::UNIX_EPOCH + self.desks[0].party.wall_time();
        let made = shared::create(&self.copies[0].root, self.copies.len(), time);
        made.expect("the folder can be written");
        self.push(0, &[]);
        for copy in 1..self.copies.len() {
            let Copy { device, root } = &self.copies[copy];
            let (device, root, name) = (*device, root.clone(), format!("w{copy}"));
            self.command(device, "clone", &[], async |device| {
                let activity = Activity::default();
                device.clone_project(PROJECT, &root, Some(&name), &activity).await.map(drop)
            });
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Edit { copy, edits } => self.edit(*copy, edits),
            Step::Snapshot { copy } => self.snapshot(self.copy(*copy)),
            Step::Push { copy, faults } => self.push(self.copy(*copy), faults),
            Step::Pull { copy, from, faults } => {
                self.pull(self.copy(*copy), self.copy(*from), faults)
            }
            Step::Drift { copy, from, faults } => {
                self.drift(self.copy(*copy), self.copy(*from), faults);
                self.diff(self.copy(*copy));
            }
            Step::Restore { copy, back, path } => self.restore(self.copy(*copy), *back, *path),
            Step::Reopen { device } => self.desk(*device).close(),
            Step::Skew { device, ms } => self.desk(*device).party.set_skew(*ms),
            Step::Deliver { device } => {
                let (runtime, line) = (self.runtime, self.desk(*device).line());
                runtime.block_on(line.deliver());
            }
            Step::Backup { device } => {
                self.desk(*device).back_up().expect("there is room for a backup");
            }
            Step::PutBack { device } => self.put_back(*device),
            Step::Trouble(trouble) => self.trouble = Some(*trouble),
            Step::BackupPrimary => {
                let (from, to) = (self.root.join("primary"), self.root.join("primary.backup"));
                copy_folder(&from, &to).expect("there is room for a backup");
                self.has_backup = true;
            }
            Step::RestorePrimary => self.restore_primary(),
        }
    }

    fn copy(&self, copy: u8) -> usize {
        usize::from(copy) % self.copies.len()
    }

    fn desk(&mut self, device: u8) -> &mut Desk {
        let count = self.desks.len() - 1;
        &mut self.desks[usize::from(device) % count]
    }

    fn tree(&self, copy: usize) -> Tree {
        folder::read(&self.copies[copy].root).expect("the folder can be read")
    }

    fn edit(&mut self, copy: u8, edits: &[Edit]) {
        let copy = self.copy(copy);
        let root = self.copies[copy].root.clone();
        for &edit in edits {
            self.contents += 1;
            self.now += Duration::from_millis(10);
            let time = self.desks[self.copies[copy].device].party.wall_time();
            folder::edit(&root, copy, edit, self.contents, time).expect("the folder can be edited");
        }
        let tree = self.tree(copy);
        self.events.add(format!("c{copy} is {}", digest(&tree)));
        self.model.edited(copy, &tree);
    }

    /// Runs a command of a device. Returns its result, if it did not fail.
    fn command<T>(
        &mut self,
        device: usize,
        what: &str,
        faults: &[Planned],
        command: impl AsyncFnOnce(&mut Device) -> Result<T, SyncError>,
    ) -> Option<T> {
        let runtime = self.runtime;
        let desk = &mut self.desks[device];
        desk.party.advance_to(self.now);
        let line = desk.line();
        line.begin(faults);
        let work = |desk: &mut Desk| match desk.open() {
            Ok(device) => runtime.block_on(command(device)),
            Err(error) => Err(error),
        };
        let (result, is_met) = self.disk.meet(self.trouble.take(), desk, work, Desk::close);
        self.was_met = is_met;
        let ended = line.end();
        let requests = ended.requests;
        if ended.died() {
            desk.close();
        }
        self.now = self.now.max(desk.party.passed()) + Duration::from_millis(10);
        self.requests += u64::from(requests);
        if requests > REQUESTS_MAX && what != "check" {
            self.found(Kind::Requests, format!("d{device}: {requests} requests to {what}"));
        }
        match result {
            None => {
                self.events.add(format!("d{device} dies at {what}"));
                None
            }
            Some(Ok(done)) => {
                self.events.add(format!("d{device} {what}: done"));
                Some(done)
            }
            Some(Err(error)) => {
                let text = self.events.plain(&error.to_string());
                self.events.add(format!("d{device} cannot {what}: {text}"));
                // Without a connection, a device does not hear of a new workspace.
                let is_unreachable =
                    error.is_unreachable() || matches!(error, SyncError::Unknown { .. });
                let is_excused = ended.excuses(is_unreachable) || is_met && is_of_full_disk(&error);
                if !is_excused {
                    self.found(Kind::Failed, format!("d{device} cannot {what}: {text}"));
                }
                None
            }
        }
    }

    /// Runs a command of a working copy, and looks at its files before and after. Returns the result
    /// and the files.
    fn at<T>(
        &mut self,
        copy: usize,
        what: &str,
        faults: &[Planned],
        command: impl AsyncFnOnce(&mut Device, &Path) -> Result<T, SyncError>,
    ) -> (Option<T>, Tree) {
        let Copy { device, root } = &self.copies[copy];
        let (device, root, before) = (*device, root.clone(), self.tree(copy));
        let done = self.command(device, what, faults, async |device| command(device, &root).await);
        let mut after = self.tree(copy);
        self.events.add(format!("c{copy} is {}", digest(&after)));
        self.model.replaced(device, &before, &after);
        if std::mem::take(&mut self.was_met) {
            after = self.recover(copy);
        }
        (done, after)
    }

    /// Saves a working copy after trouble. Whatever was left half done, it is whole then.
    fn recover(&mut self, copy: usize) -> Tree {
        let (done, tree) = self.at(copy, "recover", &[], async |device, root| {
            let copy = device.find(root)?;
            device.snapshot(&copy, None, &Activity::default())
        });
        if done.is_some() {
            self.model.saved(self.copies[copy].device, &tree, false);
        }
        tree
    }

    fn look(&mut self, copy: usize, tree: &Tree) {
        if self.is_strict {
            for wrong in self.model.look(copy, tree) {
                self.found(Kind::WentBack, wrong);
            }
        }
    }

    fn snapshot(&mut self, copy: usize) {
        let (done, tree) = self.at(copy, "save", &[], async |device, root| {
            let copy = device.find(root)?;
            device.snapshot(&copy, None, &Activity::default())
        });
        if let Some(done) = done {
            self.events.add(format!("{} {:?}", done.snapshot_id, done.skipped));
            self.model.saved(self.copies[copy].device, &tree, false);
        }
        self.look(copy, &tree);
    }

    fn push(&mut self, copy: usize, faults: &[Planned]) {
        let (done, tree) = self.at(copy, "push", faults, async |device, root| {
            device.push(root, None, &Activity::default()).await
        });
        if let Some(done) = done {
            let (id, conflicts) = (&done.snapshot.snapshot_id, &done.conflicts);
            self.events.add(format!("{id} {} {conflicts:?}", done.pushed));
            self.model.saved(self.copies[copy].device, &tree, done.pushed);
            if !done.pushed && faults.is_empty() {
                self.found(Kind::Failed, format!("c{copy} is queued: {:?}", done.queued_because));
            }
            if !conflicts.is_empty() && self.is_strict {
                self.found(Kind::Conflict, format!("c{copy} has conflicts: {conflicts:?}"));
            }
        }
        self.look(copy, &tree);
    }

    fn pull(&mut self, copy: usize, from: usize, faults: &[Planned]) {
        let name = workspace(from);
        let (done, tree) = self.at(copy, "pull", faults, async |device, root| {
            let copy = device.find(root)?;
            device.pull(&copy, name.as_deref(), &Activity::default()).await
        });
        if let Some(done) = done {
            let (id, conflicts) = (&done.snapshot_id, &done.conflicts);
            self.events.add(format!("{id:?} {} {conflicts:?} {:?}", done.up_to_date, done.kept));
            if !conflicts.is_empty() && self.is_strict {
                self.found(Kind::Conflict, format!("c{copy} has conflicts: {conflicts:?}"));
            }
            if !done.kept.is_empty() {
                self.found(Kind::Failed, format!("c{copy} keeps {:?}", done.warnings));
            }
        }
        self.look(copy, &tree);
    }

    fn drift(&mut self, copy: usize, from: usize, faults: &[Planned]) {
        let name = workspace(from);
        let (done, tree) = self.at(copy, "compare", faults, async |device, root| {
            let copy = device.find(root)?;
            device.drift(&copy, name.as_deref(), false, &Activity::default()).await
        });
        if let Some(done) = done {
            self.events.add(format!("{:?} {:?}", done.source_only, done.workspace_only));
        }
        self.look(copy, &tree);
    }

    /// Compares a working copy with its head, line by line. It must read everything that differs, and change
    /// nothing.
    fn diff(&mut self, copy: usize) {
        let before = self.tree(copy);
        let (done, tree) = self.at(copy, "show the difference", &[], async |device, root| {
            let copy = device.find(root)?;
            let states = States::Copy { since: None };
            let request = DiffRequest { states, base: root.to_owned(), paths: Vec::new() };
            let found = device.diff(&copy, &request, &Activity::default())?;
            let mut files = 0;
            device.diff_contents(&found, Limits::default(), |_, _| {
                files += 1;
                Ok::<_, SyncError>(())
            })?;
            Ok((files, found.changes.len()))
        });
        if let Some((files, listed)) = done {
            self.events.add(format!("{files} files differ"));
            if files != listed {
                self.found(Kind::Failed, format!("c{copy}: {files} of {listed} files are shown"));
            }
        }
        if before != tree {
            self.found(Kind::Failed, format!("c{copy}: a diff changed files"));
        }
        self.look(copy, &tree);
    }

    fn restore(&mut self, copy: usize, back: u8, path: Option<u8>) {
        let paths: Vec<PathBuf> = match path {
            Some(path) => vec![own_path(copy, path).into()],
            None => (0..PATHS).map(|path| own_path(copy, path).into()).collect(),
        };
        let before = self.tree(copy);
        let (done, tree) = self.at(copy, "restore", &[], async |device, root| {
            let copy = device.find(root)?;
            let log = device.log(&copy, Some(usize::from(back) + 1))?;
            let Some(snapshot) = log.snapshots.last().map(|entry| entry.id.to_string()) else {
                return Ok(None);
            };
            let activity = Activity::default();
            match device.restore(&copy, root, &paths, Some(&snapshot), &activity) {
                // There is no such file, there or here.
                Err(SyncError::NoPath { .. }) => Ok(None),
                done => done.map(Some),
            }
        });
        if let Some(Some(done)) = done {
            self.events.add(format!("{} {:?} {:?}", done.snapshot_id, done.restored, done.kept));
        } else if before != tree && done.is_some() {
            self.found(Kind::Failed, format!("c{copy}: a restore that failed changed files"));
        }
        self.model.edited(copy, &tree);
        self.look(copy, &tree);
    }

    fn put_back(&mut self, device: u8) {
        let desk = self.desk(device);
        let number = desk.number;
        if desk.put_back().expect("the backup is there") {
            self.model.device_put_back(number);
            self.is_strict = false;
        }
    }

    fn restore_primary(&mut self) {
        if !self.has_backup {
            return;
        }
        self.desks.iter_mut().for_each(Desk::hang_up);
        let (from, to) = (self.root.join("primary.backup"), self.root.join("primary"));
        copy_folder(&from, &to).expect("the backup is there");
        self.model.primary_put_back();
        self.model.forget_seen();
    }

    /// With no more faults, lets all working copies agree, and compares them.
    fn settle(&mut self) {
        self.trouble = None;
        for device in 0..self.desks.len() as u8 - 1 {
            self.step(&Step::Deliver { device });
            self.desk(device).party.set_skew(0);
        }
        for round in 0.. {
            let before: Vec<Tree> = (0..self.copies.len()).map(|copy| self.tree(copy)).collect();
            for copy in 0..self.copies.len() {
                self.push(copy, &[]);
                self.pull(copy, 0, &[]);
                self.push(copy, &[]);
                self.pull(0, copy, &[]);
                self.push(0, &[]);
                if !self.findings.is_empty() {
                    return;
                }
            }
            let after: Vec<Tree> = (0..self.copies.len()).map(|copy| self.tree(copy)).collect();
            if after == before {
                break;
            }
            if round == ROUNDS_MAX {
                return self.found(Kind::Unsettled, "the copies do not settle".to_owned());
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        let main = self.tree(0);
        for copy in 1..self.copies.len() {
            let tree = self.tree(copy);
            if tree != main {
                let differ = differences(&main, &tree);
                self.found(Kind::Differs, format!("c{copy} differs from c0: {differ:?}"));
            }
        }
        for device in 0..self.desks.len() - 1 {
            let checked = self.command(device, "check", &[], async |device| {
                device.doctor_with_remote(false, true, &Activity::default()).await
            });
            if let Some(problems) = checked.map(|report| report.problems)
                && !problems.is_empty()
            {
                self.found(Kind::Damaged, format!("d{device}: {problems:?}"));
            }
        }
        self.arrive(&main);
    }

    /// A device that was never seen clones the project, and must find everything.
    fn arrive(&mut self, main: &Tree) {
        let stranger = self.desks.len() - 1;
        let url = format!("file://{}", self.root.join("primary").join("primary.db").display());
        let root = self.desks[stranger].place("clone");
        let snapshots = self.command(stranger, "clone", &[], async |device| {
            device.remote_set(Some(&url), Packs::Default).await?;
            let activity = Activity::default();
            device.clone_project(PROJECT, &root, None, &activity).await?;
            let copy = device.find(&root)?;
            Ok(device.log(&copy, None)?.snapshots)
        });
        let Some(snapshots) = snapshots else { return };
        let tree = folder::read(&root).expect("the folder can be read");
        if tree != *main {
            let differ = differences(main, &tree);
            self.found(Kind::Differs, format!("the clone differs from c0: {differ:?}"));
        }
        let store = Store::open(&self.desks[stranger].store().join("objects"));
        let store = store.expect("the clone has a store");
        let (mut files, mut done) = (BTreeSet::new(), BTreeSet::new());
        for snapshot in &snapshots {
            let root: TreeId = snapshot.manifest_hash.parse().expect("a hash is a hash");
            collect(&store, root, &mut files, &mut done);
        }
        self.events.add(format!("{} snapshots with {} files", snapshots.len(), files.len()));
        for lost in self.model.lost(|hash| files.contains(hash)) {
            self.found(Kind::Lost, lost);
        }
    }
}

/// Returns the name of the workspace of a working copy; none for the main one.
fn workspace(copy: usize) -> Option<String> {
    (copy > 0).then(|| format!("w{copy}"))
}

/// Adds the hashes of all files below a folder of a snapshot.
fn collect(
    store: &Store,
    folder: TreeId,
    files: &mut BTreeSet<String>,
    done: &mut BTreeSet<TreeId>,
) {
    if !done.insert(folder) {
        return;
    }
    for (_, item) in read_directory(&folder, store).expect("the snapshot is whole") {
        match item.tree_id() {
            Some(below) => collect(store, below, files, done),
            None => drop(files.insert(blake3::Hash::from_bytes(item.id).to_hex().to_string())),
        }
    }
}

/// Returns the paths at which two trees differ, with what the second one has.
fn differences<'a>(
    one: &'a Tree,
    two: &'a Tree,
) -> Vec<(&'a String, Option<&'a Item>, Option<&'a Item>)> {
    let paths: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
    let differ = paths.into_iter().filter(|path| one.get(*path) != two.get(*path));
    differ.map(|path| (path, one.get(path), two.get(path))).collect()
}

/// Whether an error says that there was no room.
fn is_of_full_disk(error: &SyncError) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    std::iter::from_fn(|| {
        let text = next?.to_string();
        next = next?.source();
        Some(text)
    })
    .any(|text| text.contains("No space left on device"))
}
