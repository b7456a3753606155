//! `merge`: brings a workspace's work in, as `pull` does, after a look at what that would do.

use std::io;

use fastest_sync::device::merge::{MergeRequest, Side};
use fastest_sync::device::report::{MergePlan, MergeReport};

use crate::args::Merge;
use crate::commands::lines::{conflict_lines, warn};
use crate::commands::sync::pull_text;
use crate::error::{CliError, Exit};
use crate::output::Output;
use crate::session::{Session, runtime};
use crate::words::{count, listed, plain};

pub fn run(session: &mut Session<'_>, asked: &Merge) -> Result<Exit, CliError> {
    let mut device = session.device()?;
    let copy = device.find(session.base())?;
    let (runtime, request) = (runtime()?, request_of(asked));
    if asked.dry_run {
        let plan = session
            .work(|activity| runtime.block_on(device.merge_plan(&copy, &request, activity)))?;
        session.out.report(&plan, |out| plan_text(out, &plan))?;
        return Ok(if plan.conflicts.is_empty() { Exit::Done } else { Exit::Differs });
    }
    let report =
        session.work(|activity| runtime.block_on(device.merge(&copy, &request, activity)))?;
    session.out.report(&report, |out| merge_text(out, &report))?;
    let pull = &report.pull;
    let is_whole = pull.conflicts.is_empty() && pull.kept.is_empty() && pull.left.is_empty();
    Ok(if is_whole { Exit::Done } else { Exit::Differs })
}

fn request_of(asked: &Merge) -> MergeRequest {
    let side = match (asked.ours, asked.theirs) {
        (true, _) => Some(Side::Ours),
        (_, true) => Some(Side::Theirs),
        _ => None,
    };
    MergeRequest {
        workspace: asked.workspace.clone(),
        side,
        allow_unrelated: asked.allow_unrelated,
        preview: asked.preview.clone(),
    }
}

fn merge_text(out: &mut Output, report: &MergeReport) -> io::Result<()> {
    pull_text(out, &report.pull)?;
    if !report.settled.is_empty() {
        let files = count(report.settled.len() as u64, "file");
        out.done(format_args!("Settled the conflicts of {files}"))?;
    }
    Ok(())
}

fn plan_text(out: &mut Output, plan: &MergePlan) -> io::Result<()> {
    out.entries('A', &plan.added)?;
    out.entries('M', &plan.modified)?;
    out.entries('D', &plan.deleted)?;
    conflict_lines(out, &plan.conflicts)?;
    let from = plain(&plan.from);
    if plan.up_to_date {
        out.line(format_args!("Up to date with {from}"))?;
    } else {
        let changed = listed(&plan.added, &plan.modified, &plan.deleted);
        let conflicts = match plan.conflicts.len() as u64 {
            0 => String::new(),
            number => format!(", {}", count(number, "conflict")),
        };
        out.line(format_args!("A merge of {from} would bring: {changed}{conflicts}"))?;
    }
    warn(out, &plan.warnings);
    if plan.offline {
        out.warning(format_args!(
            "the primary is out of reach: {from} is as this device last saw it"
        ));
    }
    if let Some(id) = &plan.preview {
        out.hint(format_args!(
            "`fastest merge {from} --preview {id}` does just that, within 30 minutes and if neither side moves"
        ));
    }
    Ok(())
}
