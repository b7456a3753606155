//! `diff`: how two states of a project differ.

mod interrupts;
mod json;
mod look;
mod pager;
mod shown;
mod side_by_side;
mod stat;
mod tool;

use std::io::{self, Write as _};

use fastest_sync::device::diff::{Comparison, DiffRequest, States, patch};
use fastest_sync::device::path::show;
use fastest_sync::device::report::{DiffReport, DiffStatus};

use crate::args::Diff;
use crate::commands::lines::warn;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::Session;
use crate::words::{count, plain};

use look::Look;
use pager::Pager;
use shown::{Shown, path_of};

pub fn diff(session: &mut Session<'_>, asked: &Diff) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let request = DiffRequest {
        states: States::of(asked.old.as_deref(), asked.new.as_deref()),
        base: session.base().to_owned(),
        paths: asked.paths.clone(),
    };
    let comparison = session.work(|activity| device.diff(&copy, &request, activity))?;
    let exit = if comparison.differs() { Exit::Differs } else { Exit::Done };
    let mut shown =
        Shown { device: &mut device, comparison: &comparison, asked, large: Vec::new() };
    if session.out.json() {
        json::print(&mut shown, session.out)?;
        return Ok(exit);
    }
    match print(&mut shown, session.out) {
        Err(CliError::Output(_)) if session.out.reader_gone() => return Ok(exit),
        printed => printed?,
    }
    let large = shown.large;
    tell(session.out, &comparison.report, &large, asked);
    Ok(exit)
}

fn print(shown: &mut Shown<'_>, out: &mut Output) -> Result<(), CliError> {
    if let Some(command) = &shown.asked.form.tool {
        return tool::run(shown, command, out);
    }
    // A pager that shows nothing would only flicker.
    let is_paged = !shown.comparison.changes.is_empty() && !shown.asked.no_pager;
    let pager = if is_paged { Pager::start(out) } else { None };
    let printed = print_text(shown, out).and_then(|()| Ok(out.flush()?));
    match pager {
        Some(pager) => pager.end(out, printed),
        None => printed,
    }
}

fn print_text(shown: &mut Shown<'_>, out: &mut Output) -> Result<(), CliError> {
    let form = &shown.asked.form;
    if form.name_only {
        return Ok(names(shown.comparison, out)?);
    }
    if form.name_status {
        return Ok(statuses(shown.comparison, out)?);
    }
    if form.stat {
        return stat::print(shown, out);
    }
    if form.side_by_side {
        let columns = side_by_side::Columns::of(out);
        return shown.each(&mut |change, body| Ok(columns.print(change, body, out)?));
    }
    // A patch that a program reads is exact. A terminal would obey control characters.
    if out.is_terminal() {
        let look = Look::of(out);
        shown.each(&mut |change, body| Ok(look.print(change, body, out)?))
    } else {
        shown.each(&mut |change, body| Ok(patch::write_patch(change, body, out)?))
    }
}

fn names(comparison: &Comparison, out: &mut Output) -> io::Result<()> {
    comparison.changes.iter().try_for_each(|change| out.line(show(change.path())))?;
    comparison
        .report
        .folders
        .iter()
        .try_for_each(|folder| out.line(format_args!("{}/", folder.path)))
}

fn statuses(comparison: &Comparison, out: &mut Output) -> io::Result<()> {
    for change in &comparison.changes {
        out.entry(DiffStatus::of(change).letter(), path_of(change))?;
    }
    comparison.report.folders.iter().try_for_each(|folder| {
        out.entry(if folder.is_added { 'A' } else { 'D' }, format_args!("{}/", folder.path))
    })
}

/// Prints what the output itself does not tell.
fn tell(out: &mut Output, report: &DiffReport, large: &[String], asked: &Diff) {
    let is_listed = asked.form.name_only || asked.form.name_status || asked.form.stat;
    if !report.folders.is_empty() && !is_listed {
        let sign = |is_added: bool| if is_added { '+' } else { '-' };
        let folders =
            report.folders.iter().map(|one| format!("{} {}/", sign(one.is_added), one.path));
        let folders = folders.take(FOLDERS_TOLD_MAX).collect::<Vec<_>>().join(", ");
        let more = match report.folders.len().saturating_sub(FOLDERS_TOLD_MAX) {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        out.note(format_args!("empty folders, which a patch cannot hold: {folders}{more}"));
    }
    if let Some(skipped) = &report.skipped_renames {
        let (deleted, added) =
            (count(skipped.deleted, "deleted file"), count(skipped.added, "added one"));
        out.note(format_args!(
            "{deleted} and {added} are too many to look for files that were renamed and changed"
        ));
    }
    for path in large {
        out.note(format_args!("{} is too large to be compared by line", plain(path)));
    }
    warn(out, &report.warnings);
}

/// How many empty folders a note names.
const FOLDERS_TOLD_MAX: usize = 20;
