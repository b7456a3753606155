//! Carries out a schedule of working copies.

mod end;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fastest_sync::device::activity::Activity;
use fastest_sync::device::diff::{DiffRequest, Limits, Side, States};
use fastest_sync::device::report::ConflictReport;
use fastest_sync::remote::state::Packs;
use fastest_sync::{Device, SyncError};
use tokio::runtime::Runtime;

use crate::events::{Events, digest};
use crate::files::contested::{self, Lines};
use crate::files::desk::Desk;
use crate::files::folder;
use crate::files::model::Model;
use crate::files::schedule::{Edit, PATHS, Step};
use crate::files::shared;
use crate::files::tree::{Tree, own_path};
use crate::files::trouble::{Disk, Trouble};
use crate::finding::{Finding, Kind, Outcome};
use crate::folders::copy_folder;
use crate::network::Planned;
use crate::schedule::Schedule;

/// How many requests a command may make, besides one that checks every pack.
const REQUESTS_MAX: u32 = 80;

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
    /// The lines of the contested file.
    lines: Lines,
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
            lines: Lines::default(),
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
        contested::create(&self.copies[0].root, time).expect("the folder can be written");
        self.lines.changed("", &contested::read(&self.copies[0].root));
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
            Step::Land { copy, faults, with_conflicts } => {
                self.push_to(self.copy(*copy), faults, Some(*with_conflicts));
            }
            Step::Pull { copy, from, faults } => {
                self.pull(self.copy(*copy), self.copy(*from), faults)
            }
            Step::Drift { copy, from, faults } => {
                self.drift(self.copy(*copy), self.copy(*from), faults);
                self.diff(self.copy(*copy));
            }
            Step::Restore { copy, back, path } => self.restore(self.copy(*copy), *back, *path),
            Step::Undo { copy, redo } => self.undo(self.copy(*copy), *redo),
            Step::Settle { copy, how } => self.settle_conflicts(self.copy(*copy), *how),
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
        let before = contested::read(&root);
        for &edit in edits {
            self.contents += 1;
            self.now += Duration::from_millis(10);
            let time = self.desks[self.copies[copy].device].party.wall_time();
            folder::edit(&root, copy, edit, self.contents, time).expect("the folder can be edited");
        }
        self.lines.changed(&before, &contested::read(&root));
        let tree = self.tree(copy);
        self.events.add(format!("c{copy} is {}", digest(&tree)));
        self.model.edited(copy, &tree);
    }

    /// Settles the conflicts of the contested file. Whatever is gone then, somebody has taken out.
    fn settle_conflicts(&mut self, copy: usize, how: u8) {
        let root = self.copies[copy].root.clone();
        let before = contested::read(&root);
        let side = match how % 3 {
            0 => Side::Ours,
            1 => Side::Theirs,
            _ => {
                let time = self.desks[self.copies[copy].device].party.wall_time();
                let done = contested::take_markers_out(&root, SystemTime::UNIX_EPOCH + time);
                done.expect("the folder can be edited");
                return self.lines.changed(&before, &contested::read(&root));
            }
        };
        let (_, tree) = self.at(copy, "resolve", &[], async |device, root| {
            let copy = device.find(root)?;
            let (paths, activity) = ([contested::NAME.into()], Activity::default());
            match device.resolve_files(&copy, root, &paths, Some(side), &activity) {
                // There is none, or a line was put between its markers where it nests in another one.
                Err(SyncError::NoFileConflict { .. } | SyncError::OddMarkers { .. }) => Ok(None),
                done => done.map(Some),
            }
        });
        self.lines.changed(&before, &contested::read(&root));
        self.look(copy, &tree);
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
        let text = contested::read(&root);
        let done = self.command(device, what, faults, async |device| command(device, &root).await);
        let mut after = self.tree(copy);
        self.events.add(format!("c{copy} is {}", digest(&after)));
        // What a restore replaces is in no snapshot: only an undo brings it back.
        if !TAKES_BACK.contains(&what) {
            self.model.replaced(device, &before, &after);
        }
        let lost = self.lines.lost(&text, &contested::read(&self.copies[copy].root));
        let is_meant = what == "resolve" || TAKES_BACK.contains(&what);
        if !is_meant && self.is_strict && !lost.is_empty() {
            self.found(Kind::Lost, format!("c{copy} loses the lines {lost:?} by {what}"));
        }
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
        self.push_to(copy, faults, None);
    }

    /// Pushes, and lands in main if it is said whether conflicts may land as well.
    fn push_to(&mut self, copy: usize, faults: &[Planned], landing: Option<bool>) {
        let (done, tree) = self.at(copy, "push", faults, async |device, root| {
            let activity = Activity::default();
            match landing {
                Some(with_conflicts) => {
                    device.land(root, None, "main", with_conflicts, &activity).await
                }
                None => device.push(root, None, &activity).await,
            }
        });
        if let Some(done) = done {
            let (id, conflicts) = (&done.snapshot.snapshot_id, &done.snapshot.conflicts);
            let (pushed, landed) = (done.pushed, &done.landed);
            self.events.add(format!("{id} {pushed} {landed:?} {conflicts:?}"));
            let should_land = landing.is_some_and(|with_conflicts| {
                copy > 0 && pushed && (with_conflicts || conflicts.is_empty())
            });
            if landed.is_some() != should_land {
                self.found(Kind::Failed, format!("c{copy} landed: {landed:?}"));
            }
            self.model.saved(self.copies[copy].device, &tree, done.pushed);
            if !done.pushed && faults.is_empty() {
                self.found(Kind::Failed, format!("c{copy} is queued: {:?}", done.queued_because));
            }
            self.expect_no_conflict(copy, conflicts);
        }
        self.look(copy, &tree);
    }

    /// Only the contested file may be in conflict.
    fn expect_no_conflict(&mut self, copy: usize, conflicts: &[ConflictReport]) {
        if self.is_strict && conflicts.iter().any(|conflict| conflict.path != contested::NAME) {
            self.found(Kind::Conflict, format!("c{copy} has conflicts: {conflicts:?}"));
        }
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
            self.expect_no_conflict(copy, conflicts);
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
            if done.operation.is_some() && done.kept.is_empty() {
                self.take_back_and_again(copy, [&before, &tree]);
            }
        } else if before != tree && done.is_some() {
            self.found(Kind::Failed, format!("c{copy}: a restore that failed changed files"));
        }
        self.model.edited(copy, &tree);
        self.look(copy, &tree);
    }

    /// A restore that is taken back leaves what was there before it, and done again what it had made.
    fn take_back_and_again(&mut self, copy: usize, [before, after]: [&Tree; 2]) {
        for (what, expected) in [("undo", before), ("redo", after)] {
            let (done, tree) = self.at(copy, what, &[], async |device, root| {
                let copy = device.find(root)?;
                let activity = Activity::default();
                match what {
                    "undo" => device.undo(&copy, None, &activity),
                    _ => device.redo(&copy, &activity),
                }
            });
            if done.is_some() && tree != *expected {
                let text = format!("c{copy} has {tree:?} after {what}, not {expected:?}");
                self.found(Kind::Lost, text);
            }
        }
    }

    fn undo(&mut self, copy: usize, redo: bool) {
        let (before, text) = (self.tree(copy), contested::read(&self.copies[copy].root));
        let (done, tree) = self.at(copy, "undo", &[], async |device, root| {
            let copy = device.find(root)?;
            let activity = Activity::default();
            match device.undo(&copy, None, &activity) {
                Err(
                    SyncError::NothingToUndo
                    | SyncError::BuiltUpon { .. }
                    | SyncError::NotNewest { .. }
                    | SyncError::PulledAndSent { .. }
                    | SyncError::Unknown { .. },
                ) => return Ok(false),
                done => drop(done?),
            }
            if redo {
                device.redo(&copy, &activity)?;
            }
            Ok(true)
        });
        if done == Some(true) && redo && tree != before {
            self.found(Kind::Lost, format!("c{copy} has {tree:?} after undo and redo"));
        }
        // What was saved may be in no snapshot now, and others see what they had not seen for long.
        self.is_strict = false;
        self.model.taken_back(self.copies[copy].device);
        self.model.forget_seen();
        self.lines.changed(&text, &contested::read(&self.copies[copy].root));
        self.model.edited(copy, &tree);
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
}

/// Commands that replace files by what was there before.
const TAKES_BACK: [&str; 3] = ["restore", "undo", "redo"];

/// Returns the name of the workspace of a working copy; none for the main one.
fn workspace(copy: usize) -> Option<String> {
    (copy > 0).then(|| format!("w{copy}"))
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
