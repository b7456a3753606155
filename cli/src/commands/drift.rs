//! `drift`: how workspaces differ, and what they changed since they parted.

use std::io;

use fastest_sync::SnapshotId;
use fastest_sync::device::report::{DriftHistory, DriftMatrix, DriftPair, DriftReport};

use crate::args::{Drift, FailOn};
use crate::commands::lines::warn;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::{changes, count, plain, size};

/// The most paths that are named in a line.
const NAMED_MAX: usize = 5;

pub fn run(session: &mut Session<'_>, asked: &Drift) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let name = asked.workspace.as_deref();
    if asked.history {
        let report = device.drift_history(&copy, name)?;
        session.out.report(&report, |out| history_text(out, &report))?;
        return Ok(Exit::Done);
    }
    let (runtime, committed) = (runtime()?, asked.committed);
    let found = if asked.all {
        let work = |activity: &_| runtime.block_on(device.drift_all(&copy, committed, activity));
        let report = session.work(work)?;
        session.out.report(&report, |out| matrix_text(out, &report))?;
        report.pairs.iter().filter_map(of_pair).max()
    } else {
        let work = |activity: &_| runtime.block_on(device.drift(&copy, name, committed, activity));
        let report = session.work(work)?;
        session.out.report(&report, |out| text(out, &report))?;
        of_report(&report)
    };
    Ok(if found >= Some(asked.fail_on) { Exit::Differs } else { Exit::Done })
}

/// Returns the worst that was found.
fn worst(conflicts: bool, overlaps: bool, differs: bool) -> Option<FailOn> {
    let any = differs.then_some(FailOn::Any);
    let overlap = overlaps.then_some(FailOn::Overlap);
    let conflict = conflicts.then_some(FailOn::Conflict);
    conflict.or(overlap).or(any)
}

fn of_pair(pair: &DriftPair) -> Option<FailOn> {
    worst(pair.conflicts > 0, pair.overlaps > 0, pair.differs)
}

fn of_report(report: &DriftReport) -> Option<FailOn> {
    worst(!report.conflicting.is_empty(), !report.overlap.is_empty(), drifted(report))
}

fn drifted(report: &DriftReport) -> bool {
    [&report.source_only, &report.workspace_only, &report.both_different]
        .iter()
        .any(|paths| !paths.is_empty())
}

fn text(out: &mut Output, report: &DriftReport) -> io::Result<()> {
    out.entries('-', &report.source_only)?;
    out.entries('+', &report.workspace_only)?;
    out.entries('!', &report.both_different)?;
    let (workspace, source) = (plain(&report.workspace), plain(&report.source));
    let same = count(report.both_same, "file");
    if drifted(report) {
        let changed = changes(report.files_added, report.files_modified, report.files_deleted);
        let bytes = size(report.bytes_changed);
        out.line(format_args!(
            "{workspace} drifts from {source}: {changed} ({bytes}); {same} the same"
        ))?;
        since_text(out, report)?;
    } else {
        out.line(format_args!("{workspace} is the same as {source}: {same}"))?;
    }
    for (name, number) in
        [(&source, report.source_conflicts), (&workspace, report.workspace_conflicts)]
    {
        if number > 0 {
            out.note(format_args!("{name} has {}", count(number, "open conflict")));
        }
    }
    warn(out, &report.warnings);
    if report.offline {
        out.warning(format_args!(
            "the primary is out of reach: {source} is as this device last saw it"
        ));
    }
    Ok(())
}

/// Says what each side changed since the two parted.
fn since_text(out: &mut Output, report: &DriftReport) -> io::Result<()> {
    let DriftReport { overlap, conflicting, theirs_changed, .. } = report;
    let since = match (&report.base_snapshot_id, report.common_base) {
        (Some(base), _) => format!("since they parted at {base}"),
        (None, true) => "since they last merged each other".to_owned(),
        (None, false) => "without a common past".to_owned(),
    };
    let (ours, source) = (count(report.ours_changed, "file"), plain(&report.source));
    let both = on_both_sides(overlap.len() as u64, overlap, conflicting);
    let both = if overlap.is_empty() { "none".to_owned() } else { both };
    out.line(format_args!(
        "{since}: {ours} changed here, {theirs_changed} in {source}; on both sides: {both}"
    ))
}

/// Returns the number of files that both sides changed, and the first of them: those in conflict first.
fn on_both_sides(number: u64, overlap: &[String], conflicting: &[String]) -> String {
    let merged = overlap.iter().filter(|path| !conflicting.contains(path)).map(String::clone);
    let named = conflicting.iter().map(|path| format!("{path} (conflicts)")).chain(merged);
    let named: Vec<String> = named.take(NAMED_MAX).collect();
    let more = match number.saturating_sub(named.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", named.join(", "))
}

fn matrix_text(out: &mut Output, report: &DriftMatrix) -> io::Result<()> {
    let differing: Vec<&DriftPair> = report.pairs.iter().filter(|pair| pair.differs).collect();
    if !differing.is_empty() {
        out.line("conflicts  overlaps  changed")?;
    }
    for pair in &differing {
        let changed = format!("{}+{}", pair.ours_changed, pair.theirs_changed);
        let (ours, theirs) = (name(report, pair, true), name(report, pair, false));
        let both = on_both_sides(pair.overlaps, &pair.overlap, &pair.conflicting);
        let both = if both.is_empty() { both } else { format!(": {both}") };
        let past = if pair.common_base { "" } else { " (without a common past)" };
        let (conflicts, overlaps) = (pair.conflicts, pair.overlaps);
        out.line(format_args!(
            "{conflicts:>9}  {overlaps:>8}  {changed:>7}  {ours} and {theirs}{past}{both}"
        ))?;
    }
    out.line(matrix_summary(report, differing.len()))?;
    if report.workspaces.iter().any(|workspace| workspace.dirty) {
        out.note("* has unsaved changes, which are compared too");
    }
    for workspace in report.workspaces.iter().filter(|it| it.snapshot_id.is_none()) {
        out.note(format_args!("{} has no snapshot yet", plain(&workspace.name)));
    }
    warn(out, &report.warnings);
    if report.offline {
        out.warning(
            "the primary is out of reach: workspaces of other devices are as this device last saw them",
        );
    }
    Ok(())
}

/// Returns a sentence that tells how many pairs are how bad.
fn matrix_summary(report: &DriftMatrix, differing: usize) -> String {
    let all = |test: fn(&&DriftPair) -> bool| report.pairs.iter().filter(test).count() as u64;
    let workspaces = count(report.workspaces.len() as u64, "workspace");
    let pairs = count(report.pairs.len() as u64, "pair");
    let conflicts = all(|pair| pair.conflicts > 0);
    let overlaps = all(|pair| pair.conflicts == 0 && pair.overlaps > 0);
    let rest = differing as u64 - conflicts - overlaps;
    let same = report.pairs.len() - differing;
    format!(
        "{workspaces}, {pairs}: {conflicts} in conflict, {overlaps} with the same files changed, {rest} with \
         other files changed, {same} the same"
    )
}

/// Returns the name of one side of a pair: with its id if others have that name, and with `*` if it has
/// unsaved changes.
fn name(report: &DriftMatrix, pair: &DriftPair, ours: bool) -> String {
    let (name, id) =
        if ours { (&pair.ours, &pair.ours_id) } else { (&pair.theirs, &pair.theirs_id) };
    let is_one = report.workspaces.iter().filter(|other| other.name == *name).count() == 1;
    let is_dirty = report.workspaces.iter().any(|other| other.id == *id && other.dirty);
    let (mark, name) = (if is_dirty { "*" } else { "" }, plain(name));
    if is_one { format!("{name}{mark}") } else { format!("{name}{mark} ({id})") }
}

fn history_text(out: &mut Output, report: &DriftHistory) -> io::Result<()> {
    for record in &report.reports {
        let changed = changes(record.files_added, record.files_modified, record.files_deleted);
        let ids = [&record.workspace_snapshot_id, &record.source_snapshot_id];
        let [own, other] = ids.map(|id| id.as_ref().map_or("no snapshot", SnapshotId::as_str));
        let (time, bytes) = (&record.reported_at, size(record.bytes_changed));
        let summary = record.summary.as_deref().map(|it| format!("; {}", plain(it)));
        let summary = summary.unwrap_or_default();
        out.line(format_args!("{time} {own} {other} {changed} ({bytes}){summary}"))?;
    }
    warn(out, &report.warnings);
    if report.reports.is_empty() {
        let (workspace, source) = (plain(&report.workspace), plain(&report.source));
        out.note(format_args!("{workspace} was not compared with {source} yet"));
    }
    Ok(())
}
