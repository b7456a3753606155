//! `log`, `restore`, `cat`: what snapshots contain.

use std::path::{Path, PathBuf};

use crate::commands::lines::{warn, way_back};
use crate::error::{CliError, Exit};
use crate::session::Session;
use crate::words::{count, plain};

pub fn log(session: &mut Session<'_>, limit: Option<usize>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = device.log(&copy, limit)?;
    session.out.report(&report, |out| {
        for entry in &report.snapshots {
            let workspace = plain(entry.workspace.as_deref().unwrap_or("-"));
            let merge = if entry.parents.len() > 1 { " (merge)" } else { "" };
            let open = match entry.conflicts {
                0 => String::new(),
                number => format!(" ({})", count(number, "conflict")),
            };
            let message = entry.message.as_deref().unwrap_or_default();
            let message = plain(message.lines().next().unwrap_or_default());
            let space = if message.is_empty() { "" } else { " " };
            let (id, time) = (&entry.id, &entry.created_at);
            out.line(format_args!("{id} {time} {workspace}{merge}{open}{space}{message}"))?;
        }
        warn(out, &report.warnings);
        Ok(())
    })?;
    Ok(Exit::Done)
}

pub fn restore(
    session: &mut Session<'_>,
    paths: &[PathBuf],
    to: Option<String>,
) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let report = session
        .work(|activity| device.restore(&copy, session.base(), paths, to.as_deref(), activity))?;
    session.out.report(&report, |out| {
        for path in &report.restored {
            out.done(path)?;
        }
        let files = count(report.restored.len() as u64, "file");
        out.done(format_args!("Restored {files} from {}", report.snapshot_id))?;
        way_back(out, report.operation.is_some());
        warn(out, &report.warnings);
        Ok(())
    })?;
    Ok(if report.kept.is_empty() { Exit::Done } else { Exit::Differs })
}

pub fn cat(session: &mut Session<'_>, snapshot: &str, path: &Path) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let notices = device.take_notices();
    warn(session.out, &notices);
    device.cat(&copy, snapshot, path, session.out)?;
    Ok(Exit::Done)
}
