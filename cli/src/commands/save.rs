//! `init`, `snapshot`, `untrack`, `status`: commands that concern this device only.

use std::path::PathBuf;

use crate::commands::lines::{conflict_hint, conflict_lines, saved, warn};
use crate::error::{CliError, Exit};
use crate::session::Session;
use crate::words::{count, listed, plain};

pub fn init(
    session: &mut Session<'_>,
    dir: Option<PathBuf>,
    name: Option<String>,
) -> Result<Exit, CliError> {
    let dir = dir.map_or_else(|| session.base().to_owned(), |dir| session.path(&dir));
    let report = session.device()?.init(&dir, name.as_deref())?;
    session.out.report(&report, |out| {
        let (project, workspace) = (plain(&report.project), plain(&report.workspace));
        out.done(format_args!("Made project {project} in {}, workspace {workspace}", report.path))?;
        warn(out, &report.warnings);
        out.hint("`fastest push` saves its files and sends them to the primary");
        Ok(())
    })?;
    Ok(Exit::Done)
}

pub fn snapshot(session: &mut Session<'_>, message: Option<String>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = session.work(|activity| device.snapshot(&copy, message.as_deref(), activity))?;
    session.out.report(&report, |out| {
        warn(out, &report.warnings);
        conflict_lines(out, &report.conflicts)?;
        out.done(saved(&report))
    })?;
    Ok(Exit::Done)
}

pub fn untrack(session: &mut Session<'_>, paths: &[PathBuf]) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let base = session.base().to_owned();
    let report = session.work(|activity| device.untrack(&copy, &base, paths, activity))?;
    session.out.report(&report, |out| {
        warn(out, &report.snapshot.warnings);
        out.entries('-', &report.untracked)?;
        out.done(format_args!("{}; the files stay where they are", saved(&report.snapshot)))
    })?;
    Ok(Exit::Done)
}

pub fn status(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = session.work(|activity| device.status(&copy, activity))?;
    session.out.report(&report, |out| {
        out.entries('A', &report.added)?;
        out.entries('M', &report.modified)?;
        out.entries('D', &report.deleted)?;
        out.entries('-', &report.untracked)?;
        conflict_lines(out, &report.conflicts)?;
        let changed = listed(&report.added, &report.modified, &report.deleted);
        let since = match &report.snapshot_id {
            Some(id) => format!("since {id}"),
            None => "and no snapshot yet".into(),
        };
        let unpushed = match report.unpushed {
            0 => String::new(),
            number => format!("; {} not pushed", count(number, "snapshot")),
        };
        let (project, workspace) = (plain(&report.project), plain(&report.workspace));
        out.line(format_args!("{project}/{workspace}: {changed} {since}{unpushed}"))?;
        warn(out, &report.warnings);
        conflict_hint(out, &report.conflicts);
        if let Some(since) = &report.queued_since {
            let rows = count(report.waiting_rows, "row");
            out.warning(format_args!("a push of {rows} waits for the primary since {since}"));
        }
        if report.row_conflicts > 0 {
            let rows = count(report.row_conflicts, "row conflict");
            out.warning(format_args!("{rows} with the primary: `fastest conflicts` shows them"));
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}
