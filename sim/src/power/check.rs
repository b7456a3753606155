//! What must hold on a disk after a crash.

use std::fmt::Display;

use fastest_sync::SyncError;
use fastest_sync::device::activity::Activity;
use tokio::runtime::Runtime;

use crate::power::files::{self, Entry, Files, differing};
use crate::power::scene::{Command, Scene, cloned_elsewhere, snapshots};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// All is well.
    Well,
    /// `doctor` named a problem, and mended it.
    Mended,
}

/// How a disk is checked.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// Whether the command had ended before the crash.
    pub acknowledged: bool,
    /// Whether `doctor` runs before anything else. It indexes packs that no segment names.
    pub doctor_first: bool,
    /// Whether another device clones the project also where the command pushes nothing.
    pub elsewhere: bool,
}

/// Checks a disk.
///
/// # Errors
/// What is wrong.
pub fn check(
    scene: &Scene,
    How { acknowledged, doctor_first, elsewhere }: How,
    runtime: &Runtime,
) -> Result<Held, String> {
    raw(scene)?;
    let mut held = if doctor_first { doctor(scene)? } else { Held::Well };
    let is_new = matches!(scene.command, Command::Clone | Command::SetUp);
    let is_copy = !is_new || acknowledged;
    if is_copy {
        entered(scene, acknowledged)?;
    }
    if acknowledged && is_pushed(scene.command) {
        on_primary(scene, runtime)?;
    }
    match scene.repeat(runtime) {
        // The clone had come to its end. Whether it is whole is checked below.
        Err(SyncError::NotEmpty { .. }) if scene.command == Command::Clone => {}
        repeated => repeated.map_err(|error| told("the command, repeated", &error))?,
    }
    is("after the command, repeated", &read(scene)?, &scene.after)?;
    is_clean(scene)?;
    if doctor(scene)? == Held::Mended {
        held = Held::Mended;
    }
    if is_pushed(scene.command) || elsewhere && !is_local(scene.command) {
        on_primary(scene, runtime)?;
    }
    Ok(held)
}

fn is_pushed(command: Command) -> bool {
    use Command::{FirstPush, LargePush, OwnPush, Push};
    matches!(command, FirstPush | OwnPush | Push | LargePush)
}

/// Whether nothing of a command's project is on the primary.
fn is_local(command: Command) -> bool {
    use Command::{FirstSnapshot, Restore, SetUp, Snapshot};
    matches!(command, SetUp | FirstSnapshot | Snapshot | Restore)
}

fn read(scene: &Scene) -> Result<Files, String> {
    files::read(&scene.places.copy()).map_err(|error| told("reading the copy", &error))
}

fn told(what: &str, error: &dyn Display) -> String {
    format!("{what}: {error}")
}

fn is(when: &str, found: &Files, expected: &Files) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{when}, other files: {}", differing(found, expected).join(", ")))
    }
}

/// Before anything is opened: each file is as before or as after.
fn raw(scene: &Scene) -> Result<(), String> {
    for (path, entry) in read(scene)? {
        let known = [scene.before.get(&path), scene.after.get(&path)];
        let is_known = known.into_iter().flatten().any(|known| *known == entry);
        if !is_known && entry != Entry::Folder {
            let what = match entry {
                Entry::File(bytes, _) if bytes.is_empty() => "empty",
                Entry::File(..) => "neither as before nor as after",
                _ => "of another kind",
            };
            return Err(format!("after the crash, {} is {what}", path.display()));
        }
    }
    Ok(())
}

fn doctor(scene: &Scene) -> Result<Held, String> {
    let mut device = scene.places.open().map_err(|error| told("opening the store", &error))?;
    let mut problems = |mend| -> Result<Vec<String>, String> {
        let report = device.doctor(mend, &Activity::default());
        let report = report.map_err(|error| told("doctor", &error))?;
        Ok(report
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.place, problem.what))
            .collect())
    };
    let first = problems(false)?;
    if first.is_empty() {
        return Ok(Held::Well);
    }
    problems(true)?;
    let left = problems(false)?;
    if left.is_empty() {
        Ok(Held::Mended)
    } else {
        Err(format!("doctor does not mend: {}", left.join("; ")))
    }
}

/// With the working copy entered by a command, which finishes an interrupted checkout: it is as
/// before or as after, and no snapshot is lost.
fn entered(scene: &Scene, acknowledged: bool) -> Result<(), String> {
    let mut device = scene.places.open().map_err(|error| told("opening the store", &error))?;
    let copy =
        device.find(&scene.places.copy()).map_err(|error| told("finding the copy", &error))?;
    device.status(&copy, &Activity::default()).map_err(|error| told("status", &error))?;
    drop(device);
    let found = read(scene)?;
    if acknowledged || found != scene.before {
        is("with the crash recovered", &found, &scene.after)?;
    }
    if found != scene.before {
        is_edit_kept(scene)?;
    }
    let known = snapshots(&scene.places).map_err(|error| told("log", &error))?;
    let saved = if acknowledged { &scene.saved_after } else { &scene.saved };
    match saved.iter().find(|saved| !known.contains(saved)) {
        Some(lost) => Err(format!("the snapshot {lost} was acknowledged, and is lost")),
        None => Ok(()),
    }
}

/// What was not saved before a restore is brought back by `undo`, and `redo` leaves the result again.
fn is_edit_kept(scene: &Scene) -> Result<(), String> {
    let path = std::path::Path::new("readme.md");
    let (Command::Restore, Some(edit)) = (scene.command, scene.before.get(path)) else {
        return Ok(());
    };
    let mut device = scene.places.open().map_err(|error| told("opening the store", &error))?;
    let copy =
        device.find(&scene.places.copy()).map_err(|error| told("finding the copy", &error))?;
    let (found, activity) = (read(scene)?, Activity::default());
    device.undo(&copy, None, &activity).map_err(|error| told("undo", &error))?;
    if read(scene)?.get(path) != Some(edit) {
        return Err("an edit that was not saved does not come back".to_owned());
    }
    device.redo(&copy, &activity).map_err(|error| told("redo", &error))?;
    is("after undo and redo", &read(scene)?, &found)
}

fn is_clean(scene: &Scene) -> Result<(), String> {
    let mut device = scene.places.open().map_err(|error| told("opening the store", &error))?;
    let copy =
        device.find(&scene.places.copy()).map_err(|error| told("finding the copy", &error))?;
    let status =
        device.status(&copy, &Activity::default()).map_err(|error| told("status", &error))?;
    // A restore changes the folder, and not its head.
    if scene.command != Command::Restore && status.dirty {
        let changed = [status.added, status.modified, status.deleted].concat();
        return Err(format!("after the command, repeated, not saved: {}", changed.join(", ")));
    }
    if is_pushed(scene.command) && status.waiting_rows > 0 {
        return Err(format!("after the push, repeated, {} rows wait", status.waiting_rows));
    }
    Ok(())
}

/// Another device gets from the primary what was pushed.
fn on_primary(scene: &Scene, runtime: &Runtime) -> Result<(), String> {
    let found = cloned_elsewhere(&scene.places, "third", runtime);
    let found = found.map_err(|error| told("cloning to another device", &error))?;
    // Who pulls does not push.
    let expected = if scene.command == Command::Pull { &scene.before } else { &scene.after };
    if scene.command == Command::Pull {
        let own = std::path::Path::new("own.txt");
        let expected: Files = expected
            .iter()
            .filter(|(path, _)| *path != own)
            .map(|(p, e)| (p.clone(), e.clone()))
            .collect();
        return is("on another device", &found, &expected);
    }
    is("on another device", &found, expected)
}
