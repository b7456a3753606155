//! `undo`, `redo` and `op log`: what was done here, and how it is taken back.

use fastest_sync::device::report::{OperationEntry, UndoReport};

use crate::args::Op;
use crate::commands::lines::{conflict_hint, conflict_lines, warn};
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::Session;
use crate::words::{listed, plain};

pub fn undo(session: &mut Session<'_>, operation: Option<i64>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = session.work(|activity| device.undo(&copy, operation, activity))?;
    tell(session, &report)
}

pub fn redo(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = session.work(|activity| device.redo(&copy, activity))?;
    tell(session, &report)
}

fn tell(session: &mut Session<'_>, report: &UndoReport) -> Result<Exit, CliError> {
    session.out.report(report, |out| undo_text(out, report))?;
    Ok(if report.conflicts.is_empty() { Exit::Done } else { Exit::Differs })
}

fn undo_text(out: &mut Output, report: &UndoReport) -> std::io::Result<()> {
    out.entries_done('A', &report.added)?;
    out.entries_done('M', &report.modified)?;
    out.entries_done('D', &report.deleted)?;
    conflict_lines(out, &report.conflicts)?;
    let (did, number) = (if report.redone { "Redid" } else { "Undid" }, report.undone);
    let changed = listed(&report.added, &report.modified, &report.deleted);
    let now = match &report.snapshot_id {
        Some(id) => format!("; now at {id}"),
        None => "; now without a snapshot".to_owned(),
    };
    let command = plain(&report.command);
    out.done(format_args!("{did} {number} ({command}): {changed}{now}"))?;
    if report.nothing_left {
        out.note("nothing was left of it");
    }
    warn(out, &report.warnings);
    conflict_hint(out, &report.conflicts);
    match &report.landed {
        Some(name) if report.redone => {
            let name = plain(name);
            out.hint(format_args!("others see it in {name} after `fastest push`"));
        }
        Some(name) => {
            let name = plain(name);
            out.hint(format_args!(
                "others see it in {name} after `fastest push`; the work itself stays here, and can land again"
            ));
        }
        None if report.snapshot_made => {
            out.hint("others may have it: `fastest push` sends the snapshot that takes it out");
        }
        None => {}
    }
    Ok(())
}

pub fn op(session: &mut Session<'_>, command: &Op) -> Result<Exit, CliError> {
    let Op::Log { limit } = command;
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = device.operations(&copy, *limit)?;
    session.out.report(&report, |out| {
        report.operations.iter().try_for_each(|operation| {
            let OperationEntry { operation: number, at, command, undone_by, .. } = operation;
            let undone = undone_by.map(|by| format!(" (undone by {by})")).unwrap_or_default();
            let (before, after) = (&operation.snapshot_before, &operation.snapshot_after);
            let now = after.as_ref().filter(|_| before != after).map(|id| format!(", now at {id}"));
            let now = now.unwrap_or_default();
            out.line(format_args!("{number} {at} {}{now}{undone}", plain(command)))
        })?;
        warn(out, &report.warnings);
        Ok(())
    })?;
    Ok(Exit::Done)
}
