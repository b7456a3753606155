//! `remote set`, `remote show`, `remote check`.

use fastest_sync::remote::Packs;
use fastest_sync::report::RemoteReport;

use crate::args::Remote;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::plain;

pub fn run(session: &mut Session<'_>, command: Remote) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    match command {
        // Without an address clap lets only `--default` through.
        Remote::Set { url, default: _, packs, inline_packs } => {
            let packs = match packs.as_deref() {
                _ if inline_packs => Packs::Rows,
                None => Packs::Default,
                Some("rows") => Packs::Rows,
                Some(place) => Packs::At(place.to_owned()),
            };
            let report = runtime()?.block_on(device.remote_set(url.as_deref(), packs))?;
            let own = session.is_own_primary(&report.url);
            session.out.report(&report, |out| {
                let place = if own { " (inside the store)" } else { "" };
                out.done(format_args!("The primary is {}{place}", plain(&report.url)))?;
                if let Some(problem) = &report.problem {
                    out.warning(plain(problem));
                } else {
                    out.hint("`fastest push` in each project sends it there");
                }
                Ok(())
            })?;
            Ok(Exit::Done)
        }
        Remote::Show => {
            let report = device.remote_show()?;
            let own = session.is_own_primary(&report.url);
            session.out.report(&report, |out| text(out, &report, own))?;
            Ok(Exit::Done)
        }
        Remote::Check => {
            let report = runtime()?.block_on(device.remote_check())?;
            let own = session.is_own_primary(&report.url);
            session.out.report(&report, |out| text(out, &report, own))?;
            Ok(if report.problem.is_some() { Exit::Failed } else { Exit::Done })
        }
    }
}

fn text(out: &mut Output, report: &RemoteReport, own: bool) -> std::io::Result<()> {
    let place = if own { " (inside the store)" } else { "" };
    out.line(format_args!("primary: {}{place}", plain(&report.url)))?;
    let packs = if report.inline_packs { "in the primary's rows" } else { "beside the primary" };
    out.line(format_args!("large packs: {packs}"))?;
    if let Some(reachable) = report.reachable {
        let latency = report.latency_ms.map(|ms| format!(" in {ms:.1} ms")).unwrap_or_default();
        let answer = if reachable { format!("yes{latency}") } else { "no".into() };
        out.line(format_args!("answers: {answer}"))?;
        let schema = report.schema_version.as_deref().unwrap_or("not set up yet");
        if reachable {
            out.line(format_args!("schema: {}", plain(schema)))?;
        }
    }
    if let Some(problem) = &report.problem {
        out.line(format_args!("problem: {}", plain(problem)))?;
    }
    Ok(())
}
