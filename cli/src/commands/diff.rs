//! `diff`: how two states of a project differ.

mod json;
mod look;
mod pager;
mod side_by_side;
mod stat;
mod tool;

use std::io::{self, Write as _};

use fastest_sync::Device;
use fastest_sync::device::diff::{Body, Change, Comparison, DiffRequest, Limits, States, patch};
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
    match shown.print(session.out) {
        Err(CliError::Output(_)) if session.out.reader_gone() => return Ok(exit),
        printed => printed?,
    }
    let large = shown.large;
    tell(session.out, &comparison.report, &large, asked);
    Ok(exit)
}

/// A comparison that is being shown.
struct Shown<'a> {
    device: &'a mut Device,
    comparison: &'a Comparison,
    asked: &'a Diff,
    /// Files that were not read, because they are too large.
    large: Vec<String>,
}

impl Shown<'_> {
    fn print(&mut self, out: &mut Output) -> Result<(), CliError> {
        if let Some(command) = &self.asked.form.tool {
            return tool::run(self, command, out);
        }
        // A pager that shows nothing would only flicker.
        let pager = if self.comparison.changes.is_empty() || self.asked.no_pager {
            None
        } else {
            Pager::start(out)
        };
        let printed = self.print_text(out).and_then(|()| Ok(out.flush()?));
        match pager {
            Some(pager) => pager.end(out, printed),
            None => printed,
        }
    }

    fn print_text(&mut self, out: &mut Output) -> Result<(), CliError> {
        let form = &self.asked.form;
        if form.name_only {
            return Ok(names(self.comparison, out)?);
        }
        if form.name_status {
            return Ok(statuses(self.comparison, out)?);
        }
        if form.stat {
            return stat::print(self, out);
        }
        if form.side_by_side {
            let columns = side_by_side::Columns::of(out);
            return self.each(&mut |change, body| Ok(columns.print(change, body, out)?));
        }
        // A patch that a program reads is exact. A terminal would obey control characters.
        if out.is_terminal() {
            let look = Look::of(out);
            self.each(&mut |change, body| Ok(look.print(change, body, out)?))
        } else {
            self.each(&mut |change, body| Ok(patch::write_patch(change, body, out)?))
        }
    }

    /// Compares the contents, and passes each file on.
    fn each(
        &mut self,
        deliver: &mut dyn FnMut(&Change, &Body) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let limits = Limits { context: self.asked.context, ..Limits::default() };
        let large = &mut self.large;
        self.device.diff_contents(self.comparison, limits, |change, body| {
            if matches!(body, Body::TooLarge) {
                large.push(show(change.path()));
            }
            deliver(change, body)
        })
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

/// Returns the path of a change; of a renamed file, both.
fn path_of(change: &Change) -> String {
    match change {
        Change::Renamed { old, new, .. } => {
            format!("{} => {}", show(&old.path), show(&new.path))
        }
        _ => show(change.path()),
    }
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
