//! `conflicts` and `resolve`: rows that both sides changed, and what else the user must decide.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fastest_sync::device::diff::Side;
use fastest_sync::device::report::{ConflictsReport, RowConflict};
use fastest_sync::{Database, Resolution, SyncError, World};
use serde_json::Value;

use crate::args::{Choice, Conflicts};
use crate::commands::lines::{conflict_hint, conflict_lines, warn};
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::Session;
use crate::words::plain;

/// Lists what the user must decide, or retries or drops a refused transaction. Works on an
/// application's database if `--database` names one.
pub fn conflicts(session: &mut Session<'_>, asked: &Conflicts) -> Result<Exit, CliError> {
    let Some(file) = &asked.database else { return list(session) };
    let mut database = Database::open_recorded(&session.path(file), World::system())?;
    if let Some(id) = asked.retry {
        let all = database.refused()?;
        database.retry_refused(id)?;
        let refused = all.into_iter().find(|refused| refused.id == id);
        session.out.report(&refused, |out| out.done("The next push tries it again"))?;
        return Ok(Exit::Done);
    }
    if let Some(id) = asked.drop {
        let dropped = database.drop_refused(id)?;
        session.out.report(&dropped, |out| {
            for row in &dropped.rows {
                let what = if row.deleted { "the delete of " } else { "" };
                let (table, key) = (plain(&row.table), plain(row.key.as_str()));
                out.done(format_args!("Took back {what}row {key} of {table}"))?;
            }
            Ok(())
        })?;
        return Ok(Exit::Done);
    }
    let (conflicts, held) = (database.conflicts()?, database.held()?);
    let report = ConflictsReport::of_database(conflicts, held, database.refused()?);
    show(session, &report)
}

/// Lists the conflicts of the current project; outside of a project, those of the whole device.
fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = match device.find(session.base()) {
        Ok(copy) => Some(copy),
        Err(SyncError::NoProject { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut report = device.conflicts(copy.as_ref().map(|copy| &copy.project_id))?;
    if let Some(copy) = &copy {
        report.files = session.work(|activity| device.file_conflicts(copy, activity))?;
    }
    show(session, &report)
}

fn show(session: &mut Session<'_>, report: &ConflictsReport) -> Result<Exit, CliError> {
    session.out.report(report, |out| list_text(out, report))?;
    Ok(if is_empty(report) { Exit::Done } else { Exit::Differs })
}

fn is_empty(report: &ConflictsReport) -> bool {
    report.files.is_empty()
        && report.conflicts.is_empty()
        && report.held.is_empty()
        && report.refused.is_empty()
}

fn list_text(out: &mut Output, report: &ConflictsReport) -> std::io::Result<()> {
    conflict_lines(out, &report.files)?;
    conflict_hint(out, &report.files);
    for conflict in &report.conflicts {
        let what = match (conflict.deleted, conflict.deleted_here) {
            (true, _) => "deleted on the primary, changed here",
            (_, true) => "deleted here, changed on the primary",
            _ => "",
        };
        let whole = conflict.deleted || conflict.deleted_here;
        out.line(format_args!("{} {}", conflict.id, row(conflict, what)))?;
        for column in conflict.columns.iter().filter(|_| !whole) {
            out.line(format_args!("  {}: ours {}", plain(&column.column), json(&column.ours)))?;
            let theirs = column.theirs.as_ref().unwrap_or(&Value::Null);
            out.line(format_args!("  {}: theirs {}", plain(&column.column), json(theirs)))?;
        }
    }
    for held in &report.held {
        let waiting = if held.waiting { "; what was written here waits" } else { "" };
        out.line(format_args!("{}{waiting}", plain(&held.to_string())))?;
    }
    if !report.held.is_empty() {
        out.hint("mend the value on the primary: the next pull brings the row");
    }
    for refused in &report.refused {
        out.line(format_args!("{} {}", refused.id, plain(&refused.to_string())))?;
    }
    if !report.refused.is_empty() {
        out.hint(
            "write or delete the row in its application, or `--retry ID` what was mended on the \
             primary, or `--drop ID` it",
        );
    }
    match report.conflicts.is_empty() {
        true if is_empty(report) => out.done("Nothing is in conflict"),
        true => Ok(()),
        // Only the application, which has the declarations, can check a choice in its file.
        false if report.conflicts.iter().all(|conflict| conflict.project.is_none()) => {
            out.hint("the application settles them (`Database::resolve`)");
            Ok(())
        }
        false => {
            out.hint("`fastest resolve ID --ours`, `--theirs` or `--value JSON` settles one");
            Ok(())
        }
    }
}

fn row(conflict: &RowConflict, what: &str) -> String {
    let (table, key) = (plain(&conflict.table), plain(conflict.key.as_str()));
    let what = if what.is_empty() { String::new() } else { format!(": {what}") };
    let project = conflict.project.as_deref().map(|project| format!("{}: ", plain(project)));
    format!("{}{table} {key}{what}", project.unwrap_or_default())
}

/// Formats a value as JSON on one line, without control characters.
fn json(value: &Value) -> String {
    plain(&value.to_string()).into_owned()
}

/// Converts JSON values as people write them: numbers without a fraction or an exponent are
/// integers.
fn values(
    columns: serde_json::Map<String, Value>,
) -> Result<BTreeMap<String, fastest_sync::Value>, CliError> {
    let value = |(name, json): (String, Value)| {
        let value = fastest_sync::Value::from_wire(json, fastest_sync::Kind::Text);
        let value =
            value.map_err(|error| CliError::NotAnObject { why: format!("{name}: {error}") })?;
        Ok((name, value))
    };
    columns.into_iter().map(value).collect()
}

/// Settles conflicts of files. What names none of them may be the id of a row's conflict.
pub fn resolve(
    session: &mut Session<'_>,
    what: &[PathBuf],
    choice: &Choice,
) -> Result<Exit, CliError> {
    let id = match what {
        [one] => one.to_str().filter(|id| id.bytes().all(|byte| byte.is_ascii_alphanumeric())),
        _ => None,
    };
    let mut device = session.device()?;
    let copy = match (device.find(session.base()), id) {
        (Ok(copy), _) if choice.value.is_none() => copy,
        (Err(error), None) => return Err(error.into()),
        (_, Some(id)) => return resolve_row(session, id, choice),
        (Ok(_), None) => {
            return Err(CliError::NoChoice);
        }
    };
    let side = match (choice.ours, choice.theirs) {
        (true, _) => Some(Side::Ours),
        (_, true) => Some(Side::Theirs),
        _ => None,
    };
    let base = session.base().to_owned();
    let done = session.work(|activity| device.resolve_files(&copy, &base, what, side, activity));
    let report = match (done, id) {
        (Err(CliError::Sync(SyncError::NoFileConflict { .. })), Some(id))
            if (side.is_some() || is_ulid(id)) && !base.join(id).exists() =>
        {
            drop(device);
            return resolve_row(session, id, choice);
        }
        (Err(error), _) => {
            warn(session.out, &device.take_notices());
            return Err(error);
        }
        (Ok(report), _) => report,
    };
    session.out.report(&report, |out| {
        warn(out, &report.warnings);
        for path in &report.settled {
            out.done(format_args!("Settled {path}"))?;
        }
        conflict_lines(out, &report.conflicts)?;
        conflict_hint(out, &report.conflicts);
        Ok(())
    })?;
    Ok(Exit::Done)
}

/// Whether this may be the whole id of a row's conflict.
fn is_ulid(id: &str) -> bool {
    id.len() == 26 && id.starts_with(|first: char| first.is_ascii_digit())
}

fn resolve_row(session: &mut Session<'_>, id: &str, choice: &Choice) -> Result<Exit, CliError> {
    let resolution = match &choice.value {
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(columns)) => Resolution::Value(values(columns)?),
            Ok(_) => return Err(CliError::NotAnObject { why: "it is no object".into() }),
            Err(error) => return Err(CliError::NotAnObject { why: error.to_string() }),
        },
        None if choice.ours => Resolution::Ours,
        None if choice.theirs => Resolution::Theirs,
        None => return Err(CliError::NoChoice),
    };
    let report = session.device()?.resolve(id, &resolution)?;
    session.out.report(&report, |out| {
        let conflict = &report.conflict;
        out.done(format_args!("Settled {}", row(conflict, "")))?;
        if report.written {
            out.hint("`fastest push` tells the primary");
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}
