//! `workspace new`, `list`, `rename`, `set-main`.

use fastest_sync::SnapshotId;
use fastest_sync::device::report::{WorkspacePlace, WorkspacesReport};

use crate::args::Workspace;
use crate::commands::lines::{clone_text, fork_notes, warn};
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::{count, plain};

pub fn run(session: &mut Session<'_>, command: Workspace) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    match command {
        Workspace::New { name, here: true, .. } => {
            let report = runtime()?.block_on(device.workspace_new_here(&copy, &name))?;
            session.out.report(&report, |out| {
                let (path, project) = (plain(&report.path), plain(&report.project));
                let workspace = plain(&report.workspace);
                out.done(format_args!("{path} is workspace {project}/{workspace}"))?;
                fork_notes(out, &report);
                Ok(())
            })?;
        }
        Workspace::New { name, dir, here: false } => {
            let dir = dir.map(|dir| session.path(&dir));
            let runtime = runtime()?;
            let report = session.work(|activity| {
                runtime.block_on(device.workspace_new(&copy, &name, dir.as_deref(), activity))
            })?;
            session.out.report(&report, |out| clone_text(out, "Made", &report))?;
        }
        Workspace::List => {
            let report = device.workspaces(&copy)?;
            session.out.report(&report, |out| list(out, &report))?;
        }
        Workspace::Rename { workspace, name } => {
            let report = device.workspace_rename(&copy, &workspace, &name)?;
            session.out.report(&report, |out| {
                let (old, new, project) = (plain(&workspace), plain(&name), plain(&report.project));
                out.done(format_args!("Workspace {old} of {project} is named {new}"))?;
                out.hint("`fastest push` tells the primary");
                Ok(())
            })?;
        }
        Workspace::SetMain { name } => {
            let report = device.workspace_set_main(&copy, &name)?;
            session.out.report(&report, |out| {
                let main = report.workspaces.iter().find(|workspace| workspace.main);
                let main = plain(main.map_or(name.as_str(), |main| &main.name));
                let project = plain(&report.project);
                out.done(format_args!("{main} is the main workspace of {project}"))?;
                out.hint("`fastest push` tells the primary");
                Ok(())
            })?;
        }
    }
    Ok(Exit::Done)
}

/// Prints the workspaces. `*` marks the current one.
fn list(out: &mut Output, report: &WorkspacesReport) -> std::io::Result<()> {
    let names: Vec<_> = report.workspaces.iter().map(|entry| plain(&entry.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (entry, name) in report.workspaces.iter().zip(&names) {
        let mark = if entry.current { '*' } else { ' ' };
        let head = entry.snapshot_id.as_ref().map_or("no snapshot", SnapshotId::as_str);
        let main = if entry.main { " (main)" } else { "" };
        let path = plain(entry.path.as_deref().unwrap_or("-"));
        // Workspaces that share a name are shown with their ids and the machines they were created on.
        let is_one = names.iter().filter(|other| *other == name).count() == 1;
        let machine = entry.machine.as_deref().map(|machine| format!(" on {machine}"));
        let machine = machine.unwrap_or_default();
        let open = match entry.conflicts {
            0 => String::new(),
            number => format!(" ({})", count(number, "conflict")),
        };
        let place = match entry.place {
            WorkspacePlace::Gone => " (its folder is gone)",
            WorkspacePlace::Elsewhere if entry.path.is_some() => " (on another device)",
            _ => "",
        };
        let parted = match (entry.ahead, entry.behind) {
            (0, 0) => String::new(),
            (ahead, 0) => format!(" ({ahead} ahead of main)"),
            (0, behind) => format!(" ({behind} behind main)"),
            (ahead, behind) => format!(" ({ahead} ahead of main, {behind} behind)"),
        };
        let id = if is_one { String::new() } else { format!(" ({}{})", entry.id, plain(&machine)) };
        out.line(format_args!(
            "{mark} {name:width$} {head} {path}{place}{main}{parted}{open}{id}"
        ))?;
    }
    warn(out, &report.warnings);
    Ok(())
}
