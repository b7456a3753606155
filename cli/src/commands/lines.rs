//! Lines that several commands print.

use std::collections::BTreeSet;
use std::io;

use fastest_sync::device::report::{CloneReport, ConflictKind, ConflictReport, SnapshotReport};

use crate::output::Output;
use crate::words::{changes, count, plain, size};

/// Prints the engine's warnings.
pub fn warn(out: &mut Output, warnings: &[String]) {
    for warning in warnings {
        out.warning(plain(warning));
    }
}

/// Returns a sentence that tells what a snapshot saved.
pub fn saved(report: &SnapshotReport) -> String {
    let SnapshotReport { snapshot_id, added, modified, deleted, .. } = report;
    if !report.created {
        return match snapshot_id.as_str() {
            "" => "Nothing to save".to_owned(),
            id => format!("Nothing to save since {id}"),
        };
    }
    let (changes, files) = (changes(*added, *modified, *deleted), count(report.files, "file"));
    format!("Saved {snapshot_id}: {changes}; {files}, {} in all", size(report.bytes))
}

/// Says how to settle conflicts of files, if there are any.
pub fn conflict_hint(out: &mut Output, conflicts: &[ConflictReport]) {
    if conflicts.is_empty() {
        return;
    }
    // One file may be in several conflicts.
    let paths: BTreeSet<&str> = conflicts.iter().map(|conflict| &*conflict.path).collect();
    let files = count(paths.len() as u64, "file");
    let are = if paths.len() == 1 { "is" } else { "are" };
    out.warning(format_args!("{files} {are} in conflict: nothing of either side is lost"));
    let edit = match conflicts.iter().any(|conflict| conflict.markers) {
        true => "edit what stands between the markers in the files marked C, or ",
        false => "",
    };
    out.hint(format_args!(
        "{edit}run `fastest resolve PATH`, with --ours or --theirs for one side"
    ));
}

/// Prints a line for each file that both sides changed, even with `--quiet`.
pub fn conflict_lines(out: &mut Output, conflicts: &[ConflictReport]) -> io::Result<()> {
    conflicts.iter().try_for_each(|conflict| {
        // With several conflicts of one path, `resolve` takes their ids.
        let is_one = conflicts.iter().filter(|other| other.path == conflict.path).count() == 1;
        let id = if is_one { String::new() } else { format!(" {}", conflict.id) };
        let path = format!("{}{id}", conflict.path);
        let (ours, theirs) = (plain(&conflict.ours_name), plain(&conflict.theirs_name));
        let what = match conflict.kind {
            ConflictKind::DeletedByThem => format!("changed in {ours}, deleted in {theirs}"),
            ConflictKind::DeletedByUs => format!("deleted in {ours}, changed in {theirs}"),
            _ => format!("changed in {ours} and in {theirs}"),
        };
        match &conflict.theirs {
            Some(beside) => {
                out.entry('C', format_args!("{path} ({what}; the one of {theirs} is {beside})"))
            }
            None => out.entry('C', format_args!("{path} ({what})")),
        }
    })
}

/// Says how to go back to how things were before a command, if it replaced anything that was unsaved.
pub fn way_back(out: &mut Output, replaced: bool) {
    if replaced {
        out.note("`fastest undo` brings back how things were before");
    }
}

/// Reports a new working copy.
pub fn clone_text(out: &mut Output, verb: &str, report: &CloneReport) -> io::Result<()> {
    let CloneReport { path, files, bytes, .. } = report;
    let (project, workspace) = (plain(&report.project), plain(&report.workspace));
    let (files, bytes) = (count(*files, "file"), size(*bytes));
    let from = match &report.snapshot_id {
        Some(id) => format!(", from {id}"),
        None => ", with no snapshot yet".into(),
    };
    out.done(format_args!("{verb} {project}/{workspace} in {path}: {files}, {bytes}{from}"))?;
    fork_notes(out, report);
    Ok(())
}

/// Prints warnings about a new workspace, and whether others can see it yet.
pub fn fork_notes(out: &mut Output, report: &CloneReport) {
    warn(out, &report.warnings);
    if !report.announced && report.warnings.is_empty() {
        let workspace = plain(&report.workspace);
        out.note(format_args!("others see workspace {workspace} after its first `fastest push`"));
    }
}
