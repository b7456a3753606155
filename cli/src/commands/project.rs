//! `project list`, `project rename`.

use fastest_sync::device::report::ProjectsReport;

use crate::args::Project;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::plain;

pub fn run(session: &mut Session<'_>, command: Project) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    match command {
        Project::List => {
            let report = runtime()?.block_on(device.projects())?;
            session.out.report(&report, |out| list(out, &report))?;
        }
        Project::Rename { project, name } => {
            let report = runtime()?.block_on(device.project_rename(&project, &name))?;
            session.out.report(&report, |out| {
                let (id, name) = (&report.id, plain(&report.name));
                out.done(format_args!("Project {id} is named {name}"))?;
                out.hint("`fastest push` tells the primary");
                Ok(())
            })?;
        }
    }
    Ok(Exit::Done)
}

fn list(out: &mut Output, report: &ProjectsReport) -> std::io::Result<()> {
    for project in &report.projects {
        let (id, name) = (&project.id, plain(&project.name));
        let place = match &project.paths[..] {
            [] if project.known => "on this device".to_owned(),
            [] => "on the primary".to_owned(),
            paths => paths.join(", "),
        };
        out.line(format_args!("{name} {id} {} {}", project.created_at, plain(&place)))?;
    }
    if report.offline {
        out.warning("the primary is out of reach: it may have others");
    }
    Ok(())
}
