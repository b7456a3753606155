//! `push`, `clone`, `pull`: commands that involve the primary and other workspaces.

use std::path::Path;

use fastest_sync::device::report::{CloneReport, PullReport, PushReport};

use crate::commands::lines::{clone_text, conflict_hint, conflict_lines, saved, warn, way_back};
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::{argument, count, listed, plain, size};

pub fn push(
    session: &mut Session<'_>,
    message: Option<String>,
    to: Option<String>,
    with_conflicts: bool,
) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let runtime = runtime()?;
    let report = session.work(|activity| {
        let (base, message) = (session.base(), message.as_deref());
        match &to {
            Some(to) => runtime.block_on(device.land(base, message, to, with_conflicts, activity)),
            None => runtime.block_on(device.push(base, message, activity)),
        }
    })?;
    let own_primary = session.is_own_primary(&report.primary);
    session.out.report(&report, |out| {
        push_text(out, &report, own_primary, to.is_none())?;
        landing_text(out, &report, to.as_deref())
    })?;
    Ok(match (report.snapshot.conflicts.is_empty(), report.pushed) {
        (false, _) => Exit::Differs,
        (true, false) => Exit::Queued,
        (true, true) => Exit::Done,
    })
}

fn push_text(
    out: &mut Output,
    report: &PushReport,
    own_primary: bool,
    says_what_next: bool,
) -> std::io::Result<()> {
    let snapshot = &report.snapshot;
    let (project, workspace) = (plain(&report.project), plain(&report.workspace));
    let primary = plain(&report.primary);
    if report.project_created {
        out.done(format_args!("Made project {project}, workspace {workspace}"))?;
    }
    conflict_lines(out, &snapshot.conflicts)?;
    out.done(saved(snapshot))?;
    let (version, sent) = (report.version, size(report.bytes_sent));
    let merged = if report.merged { ", merged with others' work" } else { "" };
    match (report.pushed, snapshot.created) {
        (true, true) => out.done(format_args!(
            "Pushed {project}/{workspace} to {primary} (version {version}, {sent} sent{merged})"
        ))?,
        (true, false) => out.done(format_args!(
            "{project}/{workspace} is in sync with {primary} (version {version}{merged})"
        ))?,
        (false, _) => {}
    }
    warn(out, &snapshot.warnings);
    conflict_hint(out, &snapshot.conflicts);
    if !report.pushed {
        if let Some(why) = &report.queued_because {
            out.warning(format_args!("saved on this device only: {}", plain(why)));
            out.hint("`fastest push` sends it later; `fastest remote check` tells what is wrong");
        }
        return Ok(());
    }
    if !says_what_next {
        return Ok(());
    }
    let name = argument(&report.project);
    if own_primary {
        out.hint(
            "it is on this device only: `fastest remote set file:///path/primary.db` shares it",
        );
        out.hint(format_args!(
            "a second working copy here: `fastest clone {name} DIR` or `fastest workspace new NAME`"
        ));
    } else {
        let primary = argument(&report.primary);
        out.hint(format_args!(
            "on another device: `fastest remote set {primary}`, then `fastest clone {name} DIR`"
        ));
    }
    Ok(())
}

/// Says whether the work landed in the workspace that was named.
fn landing_text(out: &mut Output, report: &PushReport, to: Option<&str>) -> std::io::Result<()> {
    let Some(to) = to.filter(|to| *to != report.workspace) else { return Ok(()) };
    match &report.landed {
        Some(landed) => out.done(format_args!("Landed in {}", plain(landed))),
        // The workspace is this one, named by its id, or nothing was ever saved.
        None if report.pushed && report.snapshot.conflicts.is_empty() => Ok(()),
        None if report.pushed => {
            let to = argument(to);
            out.warning(format_args!("it did not land in {to}: settle the conflicts first"));
            out.hint(format_args!(
                "then run `fastest push --to {to}` again; `--with-conflicts` lands them as they are"
            ));
            Ok(())
        }
        None => {
            let to = argument(to);
            out.hint(format_args!("it has not landed: run `fastest push --to {to}` again then"));
            Ok(())
        }
    }
}

pub fn clone(
    session: &mut Session<'_>,
    project: &str,
    dir: Option<&Path>,
    here: bool,
    workspace: Option<String>,
) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let runtime = runtime()?;
    let dir = dir.map_or_else(|| session.base().to_owned(), |dir| session.path(dir));
    let name = workspace.as_deref();
    let report = session.work(|activity| {
        runtime.block_on(async {
            if here {
                device.join_project(project, &dir, name, activity).await
            } else {
                device.clone_project(project, &dir, name, activity).await
            }
        })
    })?;
    session.out.report(&report, |out| {
        if here { join_text(out, &report) } else { clone_text(out, "Cloned", &report) }
    })?;
    Ok(Exit::Done)
}

/// Reports that a folder joined a project, and how the two differ.
fn join_text(out: &mut Output, report: &CloneReport) -> std::io::Result<()> {
    out.entries_done('A', &report.added)?;
    out.entries_done('M', &report.modified)?;
    clone_text(out, "Joined", report)?;
    if !report.added.is_empty() || !report.modified.is_empty() {
        let changed = listed(&report.added, &report.modified, &[]);
        out.note(format_args!("the files that were here stay as they are: {changed} here"));
        out.hint("`fastest push` saves and sends them; `fastest restore` puts the project's back");
    }
    Ok(())
}

pub fn pull(session: &mut Session<'_>, workspace: Option<String>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let runtime = runtime()?;
    let report = session
        .work(|activity| runtime.block_on(device.pull(&copy, workspace.as_deref(), activity)))?;
    session.out.report(&report, |out| pull_text(out, &report))?;
    let whole = report.conflicts.is_empty() && report.kept.is_empty() && report.left.is_empty();
    Ok(if whole { Exit::Done } else { Exit::Differs })
}

pub fn pull_text(out: &mut Output, report: &PullReport) -> std::io::Result<()> {
    let from = plain(&report.from);
    out.entries_done('A', &report.added)?;
    out.entries_done('M', &report.modified)?;
    out.entries_done('D', &report.deleted)?;
    out.entries_done('-', &report.untracked)?;
    conflict_lines(out, &report.conflicts)?;
    if report.up_to_date {
        out.done(format_args!("Up to date with {from}"))?;
        for ahead in &report.ahead {
            let (name, snapshots) = (plain(&ahead.workspace), count(ahead.snapshots, "snapshot"));
            let is_one = report.ahead.iter().filter(|other| other.workspace == name).count() == 1;
            let known_as =
                argument(if is_one { &ahead.workspace } else { ahead.workspace_id.as_str() });
            out.note(format_args!(
                "workspace {name} has {snapshots} that this one has not: `fastest pull {known_as}`"
            ));
        }
    } else {
        let changed = listed(&report.added, &report.modified, &report.deleted);
        let conflicts = match report.conflicts.len() as u64 {
            0 => String::new(),
            number => format!(", {}", count(number, "conflict")),
        };
        let now = report.snapshot_id.as_ref().map(|id| format!("; now at {id}"));
        let now = now.unwrap_or_default();
        out.done(format_args!("Pulled from {from}: {changed}{conflicts}{now}"))?;
    }
    way_back(out, report.safety_snapshot_id.is_some());
    warn(out, &report.warnings);
    if !report.untracked.is_empty() {
        out.note("files marked - are in the project no more, and stay here, ignored");
    }
    if report.offline {
        out.warning("the primary is out of reach: this is what the device knew already");
        out.hint("run `fastest remote check`");
    }
    conflict_hint(out, &report.conflicts);
    Ok(())
}
