//! `workspace new`, `workspace list`, `workspace set-main`.

use fastest_sync::report::WorkspacesReport;

use super::sync::clone_text;
use crate::args::Workspace;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::plain;

pub fn run(session: &mut Session<'_>, command: Workspace) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    match command {
        Workspace::New { name, dir } => {
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

/// `*` marks the workspace at hand.
fn list(out: &mut Output, report: &WorkspacesReport) -> std::io::Result<()> {
    let names: Vec<_> = report.workspaces.iter().map(|entry| plain(&entry.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for (entry, name) in report.workspaces.iter().zip(&names) {
        let mark = if entry.current { '*' } else { ' ' };
        let head = entry.snapshot_id.as_deref().unwrap_or("no snapshot");
        let main = if entry.main { " (main)" } else { "" };
        let path = plain(entry.path.as_deref().unwrap_or("-"));
        out.line(format_args!("{mark} {name:width$} {head} {path}{main}"))?;
    }
    Ok(())
}
