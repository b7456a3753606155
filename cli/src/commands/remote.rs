//! `remote`: `set`, `show`, `check`, `migrate`, and the dispatch of `login` and `logout`.

use fastest_sync::device::report::{CheckName, MigrateReport, RemoteReport};
use fastest_sync::remote::state::Packs;

use crate::args::Remote;
use crate::commands::login;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::plain;

pub fn run(session: &mut Session<'_>, command: Remote) -> Result<Exit, CliError> {
    match command {
        // clap accepts a missing address only with `--default`.
        Remote::Set { url, default: _, packs, shared, inline_packs } => {
            let packs = match packs.as_deref() {
                _ if inline_packs => Some(Packs::Rows),
                None => None,
                Some("default") => Some(Packs::Default),
                Some("rows") => Some(Packs::Rows),
                Some(place) => Some(Packs::At(place.to_owned())),
            };
            set(session, url.as_deref(), packs, shared.as_deref())
        }
        Remote::Show => {
            let report = session.device()?.remote_show()?;
            let own = session.is_own_primary(&report.url);
            session.out.report(&report, |out| place_lines(out, &report, own))?;
            Ok(Exit::Done)
        }
        Remote::Check => {
            let report = runtime()?.block_on(session.device()?.remote_check())?;
            let own = session.is_own_primary(&report.url);
            session.out.report(&report, |out| {
                place_lines(out, &report, own)?;
                check_lines(out, &report)
            })?;
            Ok(if report.problem.is_some() { Exit::Failed } else { Exit::Done })
        }
        Remote::Login => login::login(session),
        Remote::Logout => login::logout(session),
        Remote::Migrate => {
            let report = runtime()?.block_on(session.device()?.remote_migrate())?;
            session.out.report(&report, |out| migrate_lines(out, &report))?;
            Ok(Exit::Done)
        }
    }
}

fn set(
    session: &mut Session<'_>,
    url: Option<&str>,
    packs: Option<Packs>,
    group: Option<&str>,
) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let report = match (url, group) {
        (Some(url), Some(group)) => {
            runtime()?.block_on(device.remote_set_shared(url, packs, group))?
        }
        _ => runtime()?.block_on(device.remote_set(url, packs))?,
    };
    drop(device);
    let own = session.is_own_primary(&report.url);
    session.out.report(&report, |out| {
        let place = if own { " (inside the store)" } else { "" };
        out.done(format_args!("The primary is {}{place}", plain(&report.url)))?;
        for check in report.checks.iter().filter(|check| !check.ok) {
            out.warning(plain(&check.what));
            check.mend.iter().for_each(|mend| out.hint(plain(mend)));
        }
        if report.problem.is_none() {
            out.hint("`fastest push` in each project sends it there");
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}

fn place_lines(out: &mut Output, report: &RemoteReport, own: bool) -> std::io::Result<()> {
    let place = if own { " (inside the store)" } else { "" };
    out.line(format_args!("primary: {}{place}", plain(&report.url)))?;
    let packs = match &report.packs {
        Packs::Default if report.url.starts_with("file:") => "beside the primary",
        Packs::Rows | Packs::Default => "in the primary's rows",
        Packs::At(place) => place,
    };
    out.line(format_args!("large packs: {}", plain(packs)))
}

/// Prints a line for each check, and below a failed one how to fix it.
fn check_lines(out: &mut Output, report: &RemoteReport) -> std::io::Result<()> {
    for check in &report.checks {
        let how = if check.ok { "ok     " } else { "problem" };
        let (name, what) = (check.name, plain(&check.what));
        let latency = report.latency_ms.filter(|_| name == CheckName::Name);
        let latency = latency.map(|ms| format!(" in {ms:.1} ms")).unwrap_or_default();
        out.line(format_args!("{how} {name}: {what}{latency}"))?;
        if let Some(mend) = &check.mend {
            out.line(format_args!("        {}", plain(mend)))?;
        }
    }
    Ok(())
}

fn migrate_lines(out: &mut Output, report: &MigrateReport) -> std::io::Result<()> {
    for name in &report.applied {
        out.done(format_args!("applied {}", plain(name)))?;
    }
    let (url, to) = (plain(&report.url), plain(&report.to));
    match &report.from {
        _ if report.applied.is_empty() => out.done(format_args!("{url} is up to date, at {to}")),
        Some(from) => out.done(format_args!("{url} went from {} to {to}", plain(from))),
        None => out.done(format_args!("{url} is set up, at {to}")),
    }
}
